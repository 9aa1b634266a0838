//! From what is written to what is checked: one function per section, then what they say together.
//!
//! A check that finds an error goes on with something harmless, so that one run finds all. Whether
//! a [`Config`] leaves this module is decided by the problems, in [`Config::parse`].

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use mailweir_mail::Domain;

use super::{
    Admin, Auth, ByteSize, CertificateSource, Checks, Config, ConnectionReuse, Dns, Domains,
    Limits, Log, Metrics, Queue, Rewriting, Secret, Server, Smtp, SmtpTimeouts, Surroundings, Tls,
    address_verify, api_token, archive,
    asked_at::Asked,
    backend, checks, dkim, filter,
    listener::{Common, Listener},
    moderation::{self, WrittenModeration},
    pattern::DomainPattern,
    problem::Problems,
    raw::{RawConfig, RawTable},
    relations,
    restrictions::CommonLists,
    rewriting,
    route::{Route, Routes},
    schema::{
        AddressVerifySection, AuthSection, BackendSection, ClassSection, ListenerSection,
        QuotasSection, RestrictionsSection, RouteSection, SendersSection, ServerSection,
        SmtpSection, ThrottleSection, TlsSection,
    },
    section::Section,
    senders, spam, throttle,
    units::shown,
};

/// A section as it is written, with the places of its keys.
#[derive(Debug)]
pub(super) struct Written<T> {
    pub(super) table: RawTable,
    pub(super) section: T,
}

/// Checks everything. `None` only if an error was reported.
pub(super) fn config(
    raw: &RawConfig,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Option<Config> {
    let written_server = only::<ServerSection>(raw, problems)?;
    let domains = only::<Domains>(raw, problems)?;
    let limits = only::<Limits>(raw, problems)?;
    let written_listeners = all::<ListenerSection>(raw, problems);
    let written_routes = all::<RouteSection>(raw, problems);
    let written_tls = only::<TlsSection>(raw, problems)?;
    let written_smtp = only::<SmtpSection>(raw, problems)?;
    let dns = only::<Dns>(raw, problems)?;
    let written_queue = only::<Queue>(raw, problems)?;
    let written_auth = only::<AuthSection>(raw, problems)?;
    let written_backends = all::<BackendSection>(raw, problems);
    let written_throttle = only::<ThrottleSection>(raw, problems)?;
    let written_senders = only::<SendersSection>(raw, problems)?;
    let written_quotas = only::<QuotasSection>(raw, problems)?;
    let checks = only::<Checks>(raw, problems)?;
    let restrictions = only::<RestrictionsSection>(raw, problems)?;
    let classes = all::<ClassSection>(raw, problems);
    let address_verify = only::<AddressVerifySection>(raw, problems)?;
    let rewriting = only::<Rewriting>(raw, problems)?;
    let moderation = WrittenModeration::read(raw, problems)?;
    let asked = Asked::read(raw, problems);
    let admin = only::<Admin>(raw, problems)?;
    let (log, metrics) = (only::<Log>(raw, problems)?, only::<Metrics>(raw, problems)?);

    let delimiter = rewriting.section.recipient_delimiter.as_deref();
    let lists = CommonLists::check(&restrictions, &classes, delimiter, around, problems);
    let common = Common::of(&written_listeners, (&limits.section, &checks.section), &lists);
    let listeners: Vec<_> = written_listeners
        .iter()
        .map(|written| Listener::check(written, &common, around, problems))
        .collect();
    checks::check(&checks, &written_listeners, around, problems);
    rewriting::check(&rewriting, &domains, around, problems);
    let routes = written_routes.iter().map(|w| Route::check(w, around, problems)).collect();
    let server = server(&written_server, around, problems);
    relations::check_listeners(raw, &written_listeners, &domains, problems);
    relations::check_certificate_backends(&written_backends, &listeners, problems);
    relations::check_binds(&written_listeners, &asked, &admin, &metrics, problems);
    relations::check_routes(&written_routes, &written_listeners, &server.hostname, problems);
    relations::check_links(&moderation.rules, &admin, problems);
    positive(&limits.table, &[("timeout", limits.section.timeout)], problems);
    positive(&dns.table, &[("timeout", dns.section.timeout)], problems);
    let address_verify =
        address_verify::check(&address_verify, &server.hostname, &domains.section, problems);
    let senders = senders::senders(&written_senders, around, problems);
    moderation::claims::check(&moderation, &listeners, &senders, around, problems);
    let moderation = moderation::check(&moderation, &listeners, &server, around, problems);
    let (policy_servers, milter_servers) = asked.check(&listeners, &moderation.rules, problems);
    Some(Config {
        address_verify,
        archive: archive::check(raw, &server, around, problems)?,
        filters: filter::check(raw, &listeners, around, problems),
        spam: spam::check(raw, &server, around, problems)?,
        dkim: dkim::check(raw, around, problems),
        tls: tls(&written_tls, around, problems),
        smtp: smtp(&written_smtp, &server.hostname, problems),
        queue: queue(written_queue, &listeners, problems),
        auth: Auth {
            users_file: users_file(&written_auth, &server),
            backends: backend::check(&written_backends, around, problems),
            throttle: throttle::check(&written_throttle, problems),
            senders,
            limits: senders::quotas(&written_quotas, problems),
        },
        server,
        domains: relay_domains(domains, problems),
        listeners,
        routes: Routes::new(routes),
        limits: limits.section,
        dns: dns.section,
        checks: checks.section,
        rewriting: rewriting.section,
        moderation,
        policy_servers,
        milter_servers,
        tables: problems.take_tables(),
        admin: admin.section,
        api_tokens: api_token::check(raw, problems),
        log: log.section,
        metrics: metrics.section,
    })
}

pub(super) fn only<T: Section>(raw: &RawConfig, problems: &mut Problems<'_>) -> Option<Written<T>> {
    let table = raw.only(T::SCHEMA.name);
    let section = T::read(&table, problems)?;
    Some(Written { table, section })
}

/// All sections of a name, without those that are too broken to say more about.
pub(super) fn all<T: Section>(raw: &RawConfig, problems: &mut Problems<'_>) -> Vec<Written<T>> {
    let tables = raw.all(T::SCHEMA.name).iter();
    tables
        .filter_map(|table| {
            let section = T::read(table, problems)?;
            Some(Written { table: table.clone(), section })
        })
        .collect()
}

fn server(
    written: &Written<ServerSection>,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Server {
    let Written { table, section } = written;
    let of_machine = || around.machine_name.and_then(|name| Domain::parse(name).ok());
    let hostname = section.hostname.clone().or_else(of_machine);
    let data_dir = section.data_dir.clone();
    let time_zone = section.time_zone.as_ref().or(around.time_zone).cloned().unwrap_or_default();
    let hostname = match hostname {
        Some(name) if name.is_qualified() => {
            return Server { hostname: name, data_dir, time_zone };
        }
        other => other,
    };
    if !problems.blame(table, "hostname") {
        let message = match &hostname {
            Some(name) if section.hostname.is_some() => format!("{name} has no domain"),
            Some(name) => format!("not set, and the machine's name, {name}, has no domain"),
            None => "not set, and the machine has no usable name".to_owned(),
        };
        problems
            .warning(table, "hostname", format!("{message}; many servers refuse mail from us"))
            .help("set it to the name that the reverse DNS of this machine shows, such as \"gate.example.org\"");
    }
    Server { hostname: hostname.unwrap_or_else(localhost), data_dir, time_zone }
}

#[expect(clippy::expect_used, reason = "\"localhost\" is a valid name")]
fn localhost() -> Domain {
    Domain::parse("localhost").expect("a valid name")
}

fn relay_domains(written: Written<Domains>, problems: &mut Problems<'_>) -> Domains {
    let any = written.section.relay.iter().position(|pattern| *pattern == DomainPattern::Any);
    if let Some(index) = any {
        let message = "\"*\" would make this an open relay: anybody could send to anywhere";
        problems
            .element_error(&written.table, "relay", index, message)
            .help("list the domains you receive mail for");
    }
    written.section
}

fn tls(
    written: &Written<TlsSection>,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Tls {
    let Written { table, section } = written;
    let certificate = match (&section.certificate_file, &section.key_file) {
        (Some(certificate_file), Some(key_file)) => {
            pem(table, "certificate_file", certificate_file, "CERTIFICATE", around, problems);
            pem(table, "key_file", key_file, "PRIVATE KEY", around, problems);
            CertificateSource::Files {
                certificate_file: certificate_file.clone(),
                key_file: key_file.clone(),
            }
        }
        (None, None) => CertificateSource::SelfSigned,
        (certificate, _) => {
            let (there, absent) = match certificate {
                Some(_) => ("certificate_file", "key_file"),
                None => ("key_file", "certificate_file"),
            };
            if !problems.blame(table, absent) {
                problems
                    .error(table, there, format!("{absent} is missing: the two go together"))
                    .help("set both, or neither for a self-signed certificate");
            }
            CertificateSource::SelfSigned
        }
    };
    Tls { certificate, min_version: section.min_version }
}

/// Whether a file can be read and holds a PEM section of this label.
pub(super) fn pem(
    table: &RawTable,
    key: &str,
    path: &Path,
    label: &str,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) {
    let Some(content) = read_file(table, key, path, around, problems) else { return };
    let found = String::from_utf8_lossy(&content).lines().any(|line| {
        line.starts_with("-----BEGIN ") && line.trim_end().ends_with(&format!("{label}-----"))
    });
    if !found {
        problems
            .error(
                table,
                key,
                format!("{} holds no {} in PEM", path.display(), label.to_lowercase()),
            )
            .help(format!("the file should have a line that ends with \"{label}-----\""));
    }
}

/// The content of a file that a key names; if it cannot be read, that is reported.
pub(super) fn read_file(
    table: &RawTable,
    key: &str,
    path: &Path,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Option<Vec<u8>> {
    match (around.files)(path) {
        Ok(content) => Some(content),
        Err(error) => {
            let message = format!("{} cannot be read: {error}", path.display());
            problems.error(table, key, message);
            None
        }
    }
}

/// Reads a file that holds one secret and nothing else; a line end at its end is ignored.
pub(super) fn read_secret(
    table: &RawTable,
    key: &str,
    path: &Path,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Option<Secret> {
    let content = read_file(table, key, path, around, problems)?;
    let message =
        match std::str::from_utf8(&content).map(|text| text.trim_end_matches(['\r', '\n'])) {
            Ok("") => "is empty",
            Ok(text) if text.contains(['\r', '\n', '\0']) => "holds more than one line",
            Ok(text) => return Some(Secret::new(text)),
            Err(_) => "is not text in UTF-8",
        };
    problems
        .error(table, key, format!("{} {message}", path.display()))
        .help("the file should hold the password and nothing else");
    None
}

fn smtp(written: &Written<SmtpSection>, hostname: &Domain, problems: &mut Problems<'_>) -> Smtp {
    let Written { table, section } = written;
    let timeouts = [
        ("connect_timeout", section.connect_timeout),
        ("helo_timeout", section.helo_timeout),
        ("starttls_timeout", section.starttls_timeout),
        ("mail_timeout", section.mail_timeout),
        ("rcpt_timeout", section.rcpt_timeout),
        ("data_init_timeout", section.data_init_timeout),
        ("data_xfer_timeout", section.data_xfer_timeout),
        ("data_done_timeout", section.data_done_timeout),
        ("rset_timeout", section.rset_timeout),
        ("quit_timeout", section.quit_timeout),
    ];
    positive(table, &timeouts, problems);
    Smtp {
        helo_name: section.helo_name.clone().unwrap_or_else(|| hostname.clone()),
        bind_address: section.bind_address,
        bind_address6: section.bind_address6,
        timeouts: SmtpTimeouts::from(section),
        reuse: ConnectionReuse {
            cache_time_limit: section.connection_cache_time_limit,
            time_limit: section.connection_reuse_time_limit,
            count_limit: section.connection_reuse_count_limit,
        },
        session_limit: section.session_limit,
        mx_address_limit: section.mx_address_limit,
        mx_session_limit: section.mx_session_limit,
    }
}

impl From<&SmtpSection> for SmtpTimeouts {
    fn from(section: &SmtpSection) -> Self {
        Self {
            connect: section.connect_timeout,
            helo: section.helo_timeout,
            starttls: section.starttls_timeout,
            mail: section.mail_timeout,
            rcpt: section.rcpt_timeout,
            data_init: section.data_init_timeout,
            data_xfer: section.data_xfer_timeout,
            data_done: section.data_done_timeout,
            rset: section.rset_timeout,
            quit: section.quit_timeout,
        }
    }
}

fn queue(written: Written<Queue>, listeners: &[Listener], problems: &mut Problems<'_>) -> Queue {
    let Written { table, mut section } = written;
    positive(&table, &[("minimal_backoff_time", section.minimal_backoff_time)], problems);
    if section.minimal_backoff_time > section.maximal_backoff_time {
        let message = format!(
            "{} is longer than maximal_backoff_time, {}",
            shown(section.minimal_backoff_time),
            shown(section.maximal_backoff_time)
        );
        problems.error(&table, "minimal_backoff_time", message);
    }
    let late = section.delay_warning_time;
    if late >= section.maximal_queue_lifetime && late > Duration::ZERO {
        let message = format!(
            "no warning can be sent: mail is returned after {} already",
            shown(section.maximal_queue_lifetime)
        );
        problems.warning(&table, "delay_warning_time", message);
    }
    let largest = listeners.iter().map(|l| l.limits.message_size_limit.bytes()).max().unwrap_or(0);
    let floor = largest.saturating_add(largest / 2);
    section.queue_minfree = section.queue_minfree.max(ByteSize(floor));
    section
}

fn users_file(written: &Written<AuthSection>, server: &Server) -> PathBuf {
    written.section.users_file.clone().unwrap_or_else(|| server.data_dir.join("users"))
}

/// Durations that would end every session at once if they were zero.
pub(super) fn positive(
    table: &RawTable,
    durations: &[(&str, Duration)],
    problems: &mut Problems<'_>,
) {
    for (key, duration) in durations {
        if duration.is_zero() {
            problems.error(table, key, "must be longer than zero");
        }
    }
}
