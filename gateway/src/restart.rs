//! What a reload leaves for a restart: the keys of parts that are built once.
//!
//! A reload goes on with the values these parts run with, so that the configuration in force says
//! at all times what is true, and names the keys that must wait.

use crate::config::{Admin, Archive, Config, Dns, Log, Mailbox, Metrics, Queue};

/// `wanted` with the running values of all keys that need a restart, and the names of those keys
/// that differ.
pub(crate) fn put_off(running: &Config, mut wanted: Config) -> (Config, Vec<&'static str>) {
    let mut later = Later(Vec::new());
    follow(running, &mut wanted);
    later.keep("server.hostname", &running.server.hostname, &mut wanted.server.hostname);
    later.keep("server.data_dir", &running.server.data_dir, &mut wanted.server.data_dir);
    later.keep("auth.users_file", &running.auth.users_file, &mut wanted.auth.users_file);
    later.keep("auth.backend", &running.auth.backends, &mut wanted.auth.backends);
    later.keep("auth.throttle", &running.auth.throttle, &mut wanted.auth.throttle);
    let (limits, smtp) = (&mut wanted.limits, &mut wanted.smtp);
    later.keep("limits.session_limit", &running.limits.session_limit, &mut limits.session_limit);
    later.keep("smtp.session_limit", &running.smtp.session_limit, &mut smtp.session_limit);
    let verify = &mut wanted.address_verify;
    later.keep("address_verify.map", &running.address_verify.map, &mut verify.map);
    later.keep_archive(running.archive.as_ref(), &mut wanted.archive);
    later.keep_dns(&running.dns, &mut wanted.dns);
    later.keep_queue(&running.queue, &mut wanted.queue);
    later.keep_pages(running, &mut wanted.admin, &mut wanted.metrics);
    later.keep_log(&running.log, &mut wanted.log);
    (wanted, later.0)
}

/// Values that were not written follow the host name and the data directory, which stay.
fn follow(running: &Config, wanted: &mut Config) {
    if wanted.smtp.helo_name == wanted.server.hostname
        && running.smtp.helo_name == running.server.hostname
    {
        wanted.smtp.helo_name = running.smtp.helo_name.clone();
    }
    let usual = |config: &Config| {
        Mailbox::of_gateway(&config.server.hostname).as_ref() == Some(&config.moderation.from)
    };
    if usual(wanted) && usual(running) {
        wanted.moderation.from.clone_from(&running.moderation.from);
    }
    let usual = |config: &Config| config.auth.users_file == config.server.data_dir.join("users");
    if usual(wanted) && usual(running) {
        wanted.auth.users_file.clone_from(&running.auth.users_file);
    }
}

/// The keys that differ.
struct Later(Vec<&'static str>);

impl Later {
    fn keep<T: Clone + PartialEq>(&mut self, key: &'static str, running: &T, wanted: &mut T) {
        if wanted != running {
            self.0.push(key);
            wanted.clone_from(running);
        }
    }

    /// Its rules may change; where it is may not.
    fn keep_archive(&mut self, running: Option<&Archive>, wanted: &mut Option<Archive>) {
        match (running, wanted.as_mut()) {
            (Some(running), Some(wanted)) => {
                let Archive {
                    directory,
                    if_unwritable,
                    segment_size,
                    encryption,
                    key_file: _,
                    roots_to,
                    roots_copy,
                    own: _,
                    index,
                    index_memory,
                    mark: _,
                    rules: _,
                } = wanted;
                self.keep("archive.directory", &running.directory, directory);
                self.keep("archive.if_unwritable", &running.if_unwritable, if_unwritable);
                self.keep("archive.segment_size", &running.segment_size, segment_size);
                let key = match std::mem::discriminant(encryption) {
                    same if same == std::mem::discriminant(&running.encryption) => {
                        "archive.key_file"
                    }
                    _ => "archive.encrypt",
                };
                self.keep(key, &running.encryption, encryption);
                self.keep("archive.roots_to", &running.roots_to, roots_to);
                self.keep("archive.roots_copy", &running.roots_copy, roots_copy);
                self.keep("archive.index", &running.index, index);
                self.keep("archive.index_memory", &running.index_memory, index_memory);
            }
            (None, None) => {}
            (Some(_), None) | (None, Some(_)) => {
                self.0.push("archive.enabled");
                *wanted = running.cloned();
            }
        }
    }

    // The sections are taken apart by name: a new key does not compile until it has its place.

    fn keep_dns(&mut self, running: &Dns, wanted: &mut Dns) {
        let Dns { servers, timeout, allow_private_mx } = wanted;
        self.keep("dns.servers", &running.servers, servers);
        self.keep("dns.timeout", &running.timeout, timeout);
        self.keep("dns.allow_private_mx", &running.allow_private_mx, allow_private_mx);
    }

    fn keep_queue(&mut self, running: &Queue, wanted: &mut Queue) {
        let Queue {
            queue_minfree,
            minimal_backoff_time: minimal,
            maximal_backoff_time: maximal,
            maximal_queue_lifetime: lifetime,
            bounce_queue_lifetime: bounce,
            delay_warning_time: warning,
            active_limit,
            spool_threshold,
            engine,
        } = wanted;
        self.keep("queue.queue_minfree", &running.queue_minfree, queue_minfree);
        self.keep("queue.minimal_backoff_time", &running.minimal_backoff_time, minimal);
        self.keep("queue.maximal_backoff_time", &running.maximal_backoff_time, maximal);
        self.keep("queue.maximal_queue_lifetime", &running.maximal_queue_lifetime, lifetime);
        self.keep("queue.bounce_queue_lifetime", &running.bounce_queue_lifetime, bounce);
        self.keep("queue.delay_warning_time", &running.delay_warning_time, warning);
        self.keep("queue.active_limit", &running.active_limit, active_limit);
        self.keep("queue.spool_threshold", &running.spool_threshold, spool_threshold);
        self.keep("queue.engine", &running.engine, engine);
    }

    fn keep_pages(&mut self, running: &Config, admin: &mut Admin, metrics: &mut Metrics) {
        let Admin { bind, public_url, proxies } = admin;
        self.keep("admin.bind", &running.admin.bind, bind);
        self.keep("admin.public_url", &running.admin.public_url, public_url);
        self.keep("admin.proxies", &running.admin.proxies, proxies);
        let Metrics { bind } = metrics;
        self.keep("metrics.bind", &running.metrics.bind, bind);
    }

    fn keep_log(&mut self, running: &Log, wanted: &mut Log) {
        let Log { format, short_queue_ids } = wanted;
        self.keep("log.format", &running.format, format);
        self.keep("log.short_queue_ids", &running.short_queue_ids, short_queue_ids);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Surroundings;

    fn config(text: &str) -> Config {
        let text = format!(
            "{text}\n[[listener]]\nname = \"mx\"\nbind = [\"127.0.0.1:25\"]\nmode = \"mx\"\n"
        );
        let files = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
        let around = Surroundings {
            environment: &[],
            machine_name: Some("old.example.org"),
            time_zone: None,
            files: &files,
        };
        Config::parse(Path::new("mailweir.toml"), &text, &around).unwrap().0
    }

    #[test]
    fn what_a_reload_may_change_is_taken_and_nothing_is_put_off() {
        let wanted = config(
            "[domains]\nrelay = [\"new.example\"]\n[smtp]\nhelo_name = \"a.example\"\n\
             [auth.senders]\npolicy = \"own\"\n[auth.limits]\nmessages_per_day_hard = 7\n\
             [moderation]\nfrom = \"ask@a.example\"\nlanguage = \"ko\"\n\
             [[moderation.rule]]\nname = \"undo\"\naction = \"delay\"\n",
        );
        let (taken, later) = put_off(&config(""), wanted);
        assert!(later.is_empty(), "{later:?}");
        assert_eq!(taken.domains.relay.len(), 1);
        assert_eq!(taken.smtp.helo_name.as_str(), "a.example");
        assert_eq!(taken.auth.senders.policy, crate::config::SenderPolicy::Own);
        assert!(!taken.auth.limits.are_empty());
        assert_eq!(taken.moderation.from.to_string(), "ask@a.example");
        assert_eq!(taken.moderation.rules.len(), 1);
    }

    #[test]
    fn a_section_in_a_section_is_put_off_as_a_whole() {
        let running = config("");
        let wanted = config("[auth.throttle]\nfailures_per_account = 7\nfirst_pause = \"7s\"\n");
        let (taken, later) = put_off(&running, wanted);
        assert_eq!(later, ["auth.throttle"]);
        assert_eq!(format!("{taken:?}"), format!("{running:?}"));
    }

    #[test]
    fn each_key_that_needs_a_restart_is_named_and_keeps_its_value() {
        for (section, key, value) in [
            ("server", "hostname", "\"new.example.org\""),
            ("server", "data_dir", "\"/elsewhere\""),
            ("auth", "users_file", "\"/elsewhere/users\""),
            ("limits", "session_limit", "7"),
            ("smtp", "session_limit", "7"),
            ("address_verify", "map", "\"\""),
            ("dns", "servers", "[\"192.0.2.53:53\"]"),
            ("dns", "timeout", "\"7s\""),
            ("dns", "allow_private_mx", "true"),
            ("queue", "queue_minfree", "\"1 GiB\""),
            ("queue", "minimal_backoff_time", "\"7s\""),
            ("queue", "maximal_backoff_time", "\"5000s\""),
            ("queue", "maximal_queue_lifetime", "\"6d\""),
            ("queue", "bounce_queue_lifetime", "\"4d\""),
            ("queue", "delay_warning_time", "\"4h\""),
            ("queue", "active_limit", "7"),
            ("queue", "spool_threshold", "\"1 MiB\""),
            ("admin", "bind", "[]"),
            ("admin", "public_url", "\"https://mail.example.org\""),
            ("admin", "proxies", "[\"192.0.2.0/24\"]"),
            ("metrics", "bind", "[\"127.0.0.1:9154\"]"),
            ("log", "format", "\"json\""),
            ("log", "short_queue_ids", "true"),
        ] {
            let running = config("");
            let wanted = config(&format!("[{section}]\n{key} = {value}\n"));
            let (taken, later) = put_off(&running, wanted);
            assert_eq!(later, [format!("{section}.{key}")]);
            assert_eq!(format!("{taken:?}"), format!("{running:?}"), "{section}.{key}");
        }
    }
}
