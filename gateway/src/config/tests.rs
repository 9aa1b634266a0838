//! The checks on text, without files: what is taken, what overrides what, where mail goes.

use std::path::Path;

use mailweir_mail::{Domain, Network};
use proptest::prelude::*;

use super::*;

mod moderation;

const LISTENER: &str = "[[listener]]\nname = \"mx\"\nbind = [\"127.0.0.1:25\"]\nmode = \"mx\"\n";

fn check_with(
    text: &str,
    environment: &[(&str, &str)],
) -> Result<(Config, Vec<Problem>), Vec<Problem>> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let environment: Vec<_> = environment.iter().map(owned).collect();
    let around = Surroundings {
        environment: &environment,
        machine_name: Some("machine.example.org"),
        time_zone: None,
        files: &|_| Err(io::ErrorKind::NotFound.into()),
    };
    Config::parse(Path::new("mailweir.toml"), text, &around)
}

fn config_with(text: &str, environment: &[(&str, &str)]) -> Config {
    let checked = check_with(text, environment);
    assert!(checked.is_ok(), "{}", report(Path::new("mailweir.toml"), &checked, Colour::Plain));
    checked.unwrap().0
}

fn config(text: &str) -> Config {
    config_with(text, &[])
}

fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

#[test]
fn defaults_are_those_of_postfix() {
    let config = config(LISTENER);
    let limits = config.listeners[0].limits;
    assert_eq!(limits.message_size_limit, ByteSize(10_240_000));
    assert_eq!(limits.recipient_limit.get(), 1000);
    assert_eq!(limits.client_connection_count_limit, 50);
    assert_eq!(limits.hard_error_limit.get(), 20);
    assert_eq!(limits.junk_command_limit, 100);
    assert_eq!(limits.timeout, Duration::from_secs(300));
    assert_eq!(config.listeners[0].forbid_bare_newline, BareNewline::Normalize);
    assert_eq!(config.queue.minimal_backoff_time, Duration::from_secs(300));
    assert_eq!(config.queue.maximal_backoff_time, Duration::from_secs(4000));
    assert_eq!(config.queue.maximal_queue_lifetime, Duration::from_secs(5 * 86_400));
    assert_eq!(config.smtp.timeouts.connect, Duration::from_secs(30));
    assert_eq!(config.smtp.timeouts.data_done, Duration::from_secs(600));
}

#[test]
fn what_is_absent_comes_from_the_machine_and_from_other_keys() {
    let config = config(&format!("[server]\ndata_dir = \"/data\"\n{LISTENER}"));
    assert_eq!(config.server.hostname, domain("machine.example.org"));
    assert_eq!(config.smtp.helo_name, config.server.hostname);
    assert_eq!(config.auth.users_file, Path::new("/data/users"));
    assert_eq!(config.tls.certificate, CertificateSource::SelfSigned);
    assert_eq!(config.queue.queue_minfree, ByteSize(15_360_000));
}

#[test]
fn a_filter_may_hand_back_more_than_comes_in() {
    let back = "[[listener]]\nname = \"back\"\nbind = [\"127.0.0.1:10026\"]\nmode = \"filter\"\nnetworks = [\"127.0.0.1\"]\n";
    for (limits, front, behind, expected) in [
        ("", "", "", 10_240_000 + (1 << 20)),
        ("", "message_size_limit = \"25 MiB\"\n", "", 26 << 20),
        ("", "message_size_limit = \"1 MiB\"\n", "", 2 << 20),
        ("", "message_size_limit = 0\n", "", 0),
        ("[limits]\nmessage_size_limit = 0\n", "", "", 0),
        ("[limits]\nmessage_size_limit = 0\n", "message_size_limit = \"1 MiB\"\n", "", 2 << 20),
        ("", "", "message_size_limit = \"1 MiB\"\n", 1 << 20),
        ("", "", "message_size_limit = 0\n", 0),
    ] {
        let text = format!("{limits}{LISTENER}{front}{back}{behind}");
        let listeners = config(&text).listeners;
        assert_eq!(listeners[1].limits.message_size_limit, ByteSize(expected), "{text}");
    }
}

#[test]
fn a_listener_overrides_the_limits_and_leaves_the_others_alone() {
    let config = config(&format!(
        "[limits]\nmessage_size_limit = \"1 MiB\"\ntimeout = \"1 min\"\n{LISTENER}timeout = \"7s\"\n"
    ));
    let limits = config.listeners[0].limits;
    assert_eq!(limits.message_size_limit, ByteSize(1 << 20));
    assert_eq!(limits.timeout, Duration::from_secs(7));
    assert_eq!(config.limits.timeout, Duration::from_secs(60));
}

#[test]
fn the_environment_overrides_the_file_by_index_and_by_name() {
    let text = format!("[limits]\ntimeout = \"1 min\"\n{LISTENER}");
    let config = config_with(
        &text,
        &[
            ("MAILWEIR_LIMITS__TIMEOUT", "2 min"),
            ("MAILWEIR_LISTENER__MX__TLS", "none"),
            ("MAILWEIR_LISTENER__0__NETWORKS", "10.0.0.0/8, ::1"),
            ("MAILWEIR_LISTENER__0__AUTH_IN_CLEAR", "true"),
            ("MAILWEIR_DOMAINS__RELAY", "[\"a.example\", \".b.example\"]"),
            ("MAILWEIR_LIMITS__RECIPIENT_LIMIT", " 7 "),
            ("MAILWEIR_LIMITS__HARD_ERROR_LIMIT", ""),
        ],
    );
    assert_eq!(config.limits.timeout, Duration::from_secs(120));
    assert_eq!(config.listeners[0].tls, ListenerTls::None);
    assert_eq!(config.listeners[0].networks, ["10.0.0.0/8", "::1"].map(network));
    assert!(config.listeners[0].auth_in_clear);
    assert_eq!(config.domains.relay.len(), 2);
    assert_eq!(config.limits.recipient_limit.get(), 7);
    assert_eq!(config.limits.hard_error_limit.get(), 20);
}

#[test]
fn transports_that_cannot_be_carried_out_are_named_where_they_stand() {
    let text = format!(
        "{LISTENER}[rewriting]\ntransport_maps = [\"inline:{{a.test=slow:, b.test=lmtp:unix:/l}}\"]\n\
         sender_dependent_relayhost_maps = [\"static:[relay.test\"]\n\
         [checks]\nheader_checks = [\"static:FILTER dovecot:\", \"static:FILTER scan:[a.test]:25\"]\n"
    );
    let warnings = check_with(&text, &[]).unwrap().1;
    let said: Vec<String> = warnings.iter().map(|warning| warning.message.to_string()).collect();
    for words in [
        "transport lmtp:unix:/l cannot be carried out: sockets of this machine",
        "transport :[relay.test cannot be carried out: ",
        "transport dovecot: cannot be carried out: there are no local deliveries",
    ] {
        assert_eq!(said.iter().filter(|text| text.contains(words)).count(), 1, "{words}: {said:?}");
    }
    assert_eq!(said.iter().filter(|text| text.contains("carried out")).count(), 3, "{said:?}");
}

#[test]
fn a_container_needs_no_file() {
    let config = config_with(
        "",
        &[
            ("MAILWEIR_LISTENER__0__NAME", "mx-1"),
            ("MAILWEIR_LISTENER__0__BIND", "0.0.0.0:25,[::]:25"),
            ("MAILWEIR_LISTENER__0__MODE", "mx"),
            ("MAILWEIR_LISTENER__MX_1__TLS", "none"),
            ("MAILWEIR_ROUTE__0__FOR", "*"),
            ("MAILWEIR_ROUTE__0__TO", "smtp://postfix:25"),
            ("MAILWEIR_ROUTE__0__USERNAME", "gate"),
            ("MAILWEIR_ROUTE__0__PASSWORD", "hunter2"),
        ],
    );
    assert_eq!(config.listeners[0].bind.len(), 2);
    assert_eq!(config.listeners[0].tls, ListenerTls::None);
    let login = config.routes.find(&domain("x.example")).login.clone().unwrap();
    assert_eq!(login.password.expose(), "hunter2");
    assert_eq!(login.exposure, AuthExposure::TlsOnly);
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn mechanisms_that_are_refused_for_good_are_refused_with_the_reason() {
    for (name, why) in [("DIGEST-MD5", "RFC 6331"), ("ntlm", "broken"), ("PLAN", "unknown")] {
        let text = format!("{LISTENER}auth_mechanisms = [\"PLAIN\", {name:?}]\n");
        let problems = check_with(&text, &[]).unwrap_err();
        let shown = report(Path::new("mailweir.toml"), &Err(problems), Colour::Plain).to_string();
        assert!(shown.contains(name) && shown.contains(why), "{shown}");
    }
    let config = config(&format!("{LISTENER}auth_mechanisms = [\"plain\"]\n"));
    assert_eq!(config.listeners[0].auth_mechanisms, Some(vec![mailweir_auth::Mechanism::Plain]));
}

#[test]
fn back_ends_are_asked_in_the_order_of_the_file_and_of_the_environment() {
    let alone = config(LISTENER);
    assert_eq!(alone.auth.backends.len(), 1);
    assert_eq!(alone.auth.backends[0].kind, BackendKind::Users);
    let text = format!(
        "{LISTENER}[auth]\nusers_file = \"/own\"\n[[auth.backend]]\ntype = \"passwd-file\"\n\
         file = \"/first\"\n[[auth.backend]]\ntype = \"users\"\n"
    );
    let environment = [
        ("MAILWEIR_AUTH__BACKEND__0__DEFAULT_SCHEME", "ssha"),
        ("MAILWEIR_AUTH__BACKEND__2__TYPE", "passwd-file"),
        ("MAILWEIR_AUTH__BACKEND__2__NAME", "old"),
        ("MAILWEIR_AUTH__BACKEND__2__FILE", "/last"),
    ];
    let backends = config_with(&text, &environment).auth.backends;
    let names: Vec<_> = backends.iter().map(|backend| &*backend.name).collect();
    assert_eq!(names, ["passwd-file", "users", "old"]);
    let BackendKind::PasswdFile(first) = &backends[0].kind else { panic!("{backends:?}") };
    assert_eq!(first.path, Path::new("/first"));
    assert_eq!(first.default_scheme.map(|scheme| scheme.to_string()).as_deref(), Some("SSHA"));
}

#[test]
fn only_what_is_far_away_is_remembered() {
    let of = |keys: &str| {
        let text = format!("{LISTENER}[[auth.backend]]\ntype = \"saslauthd\"\n{keys}");
        config(&text).auth.backends[0].cache_ttl
    };
    assert_eq!(of("socket = \"/mux\"\n"), Duration::from_secs(60));
    assert_eq!(of("socket = \"/mux\"\ncache_ttl = \"5s\"\n"), Duration::from_secs(5));
    assert_eq!(config(LISTENER).auth.backends[0].cache_ttl, Duration::ZERO);
    for kind in ["users", "passwd-file", "certificate", "oauth"] {
        let keys = format!("type = \"{kind}\"\ncache_ttl = \"5s\"");
        let problems = check_with(&format!("{LISTENER}[[auth.backend]]\n{keys}\n"), &[]);
        let problems = Err(problems.unwrap_err());
        let shown = report(Path::new("mailweir.toml"), &problems, Colour::Plain).to_string();
        assert!(shown.contains(&format!("type \"{kind}\" is asked at every log-in")), "{shown}");
        assert!(shown.contains("counts at once"), "{shown}");
    }
}

#[test]
fn a_dovecot_that_lets_guessers_wait_is_given_more_time() {
    let timeouts = |keys: &str| -> Vec<u64> {
        let text = format!(
            "{LISTENER}[[auth.backend]]\ntype = \"users\"\n\
             [[auth.backend]]\ntype = \"dovecot\"\nsocket = \"/auth\"\n{keys}"
        );
        let backends = config(&text).auth.backends;
        backends.iter().map(|backend| backend.timeout.as_secs()).collect()
    };
    assert_eq!(timeouts(""), [10, 30]);
    assert_eq!(timeouts("timeout = \"5s\"\n"), [10, 5]);
}

#[test]
fn a_back_end_says_what_it_lacks_and_what_is_not_its_own() {
    for (keys, said) in [
        ("type = \"passwd-file\"", "needs the key \"file\""),
        ("type = \"users\"\nfile = \"/x\"", "type \"users\" has no such key"),
        ("type = \"users\"\n[[auth.backend]]\ntype = \"users\"", "is called \"users\" already"),
        ("type = \"users\"\ntimeout = \"0s\"", "longer than zero"),
        ("type = \"saslauthd\"\ncache_ttl = \"1d\"", "at most 1h"),
        ("type = \"user\"", "\"users\""),
    ] {
        let problems = check_with(&format!("{LISTENER}[[auth.backend]]\n{keys}\n"), &[]);
        let problems = Err(problems.unwrap_err());
        let shown = report(Path::new("mailweir.toml"), &problems, Colour::Plain).to_string();
        assert!(shown.contains(said), "{keys}: {shown}");
    }
}

#[test]
fn the_first_route_that_matches_is_taken() {
    let routes = config(&format!(
        r#"{LISTENER}
        [[route]]
        for = ["a.example", ".b.example"]
        to = "smtp://first"
        [[route]]
        for = [".deep.a.example", "xn--bcher-kva.example"]
        to = "smtps://second"
        [[route]]
        for = ["[192.0.2.1]", ".example"]
        to = "lmtp://third""#
    ))
    .routes;
    for (recipient, next_hop) in [
        ("a.example", "smtp://first:25"),
        ("A.Example.", "smtp://first:25"),
        ("sub.b.example", "smtp://first:25"),
        ("sub.sub.b.example", "smtp://first:25"),
        ("b.example", "lmtp://third:24"),
        ("xb.example", "lmtp://third:24"),
        ("deep.a.example", "lmtp://third:24"),
        ("x.deep.a.example", "smtps://second:465"),
        ("bücher.example", "smtps://second:465"),
        ("[192.0.2.1]", "lmtp://third:24"),
        ("[192.0.2.2]", "mx"),
        ("example", "mx"),
        ("example.org", "mx"),
    ] {
        assert_eq!(routes.find(&domain(recipient)).to.to_string(), next_hop, "{recipient}");
    }
    assert_eq!(routes.iter().count(), 4);
}

#[test]
fn without_a_route_everything_goes_by_mx() {
    let routes = config(LISTENER).routes;
    let route = routes.find(&domain("example.org"));
    assert_eq!((&route.to, route.tls), (&NextHop::Mx, RouteTls::Opportunistic));
    assert_eq!(route.destination_concurrency_limit.get(), 20);
    assert_eq!(route.destination_recipient_limit.get(), 50);
    assert_eq!(routes.iter().count(), 1);
}

#[test]
fn next_hops_are_hosts_with_ports() {
    for (written, shown) in [
        ("smtp://h.example", "smtp://h.example:25"),
        ("SMTP://h.example:2525/", "smtp://h.example:2525"),
        ("smtps://192.0.2.1", "smtps://192.0.2.1:465"),
        ("lmtp://[2001:db8::1]", "lmtp://[2001:db8::1]:24"),
        ("smtp://[h.example]:26", "smtp://h.example:26"),
        ("discard", "discard"),
    ] {
        let text = format!("{LISTENER}[[route]]\nfor = [\"*\"]\nto = \"{written}\"\n");
        assert_eq!(config(&text).routes.find(&domain("x")).to.to_string(), shown);
    }
    for written in
        ["smtp://", "smtp://h:", "smtp://h:x", "smtp://[h", "smtp://a b", "http://h", "MX"]
    {
        let text = format!("{LISTENER}[[route]]\nfor = [\"*\"]\nto = \"{written}\"\n");
        assert!(check_with(&text, &[]).is_err(), "{written}");
    }
}

#[test]
fn a_smarthost_with_implicit_tls_never_goes_without() {
    let text = format!("{LISTENER}[[route]]\nfor = [\"*\"]\nto = \"smtps://h.example\"\n");
    assert_eq!(config(&text).routes.find(&domain("x")).tls, RouteTls::Required);
}

#[test]
fn subdomains_are_relayed_only_if_asked_for() {
    let config = config(&format!("[domains]\nrelay = [\"a.example\", \".b.example\"]\n{LISTENER}"));
    for (name, relayed) in [
        ("a.example", true),
        ("A.EXAMPLE", true),
        ("sub.a.example", false),
        ("b.example", false),
        ("sub.b.example", true),
    ] {
        let accepted = config.domains.relay.iter().any(|pattern| pattern.matches(&domain(name)));
        assert_eq!(accepted, relayed, "{name}");
    }
}

#[test]
fn a_pattern_covers_another_if_it_takes_all_its_mail() {
    let pattern = |text: &str| match text.strip_prefix('.') {
        _ if text == "*" => DomainPattern::Any,
        Some(parent) => DomainPattern::Below(domain(parent)),
        None => DomainPattern::Exact(domain(text)),
    };
    for (a, b, covers) in [
        ("*", ".a.example", true),
        (".a.example", "*", false),
        ("a.example", "A.example", true),
        ("a.example", ".a.example", false),
        (".a.example", "a.example", false),
        (".a.example", "x.a.example", true),
        (".a.example", ".x.a.example", true),
        (".x.a.example", ".a.example", false),
    ] {
        assert_eq!(pattern(a).covers(&pattern(b)), covers, "{a} {b}");
    }
}

#[test]
fn a_problem_knows_its_place_in_characters() {
    let problems =
        check_with("[server]\nhostname = \"gäte\" # é\n\tdata_dir = 5\n", &[]).unwrap_err();
    let places: Vec<String> = problems.iter().map(|problem| problem.location.to_string()).collect();
    assert!(places.contains(&"mailweir.toml:3:13".to_owned()), "{places:?}");
    let text = problems.iter().map(Problem::to_string).collect::<String>();
    assert!(text.contains("    3 |  data_dir = 5\n      |             ^"), "{text}");
}

#[test]
fn control_characters_of_the_file_do_not_reach_the_terminal() {
    let problems = check_with("[server]\n\"\\u001b[2J\" = 1 # \u{1b}[2J\n", &[]).unwrap_err();
    assert!(problems.iter().all(|problem| !problem.to_string().contains('\u{1b}')), "{problems:?}");
}

fn network(text: &str) -> Network {
    text.parse().unwrap()
}

/// Lines of configurations, right and wrong, in any order.
fn lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "\\[\\[?(server|domains|listener|route|tls|queue|nonsense)\\]?\\]",
        "(hostname|relay|name|bind|mode|tls|for|to|timeout|networks|password) ?= ?\
         (\"[a-z0-9.:/* \\[\\]]{0,12}\"|\\[\"[a-z0-9.:/*]{0,12}\",?\\]|[0-9]{1,20}|true|\\{a=1\\})",
        "[ -~]{0,20}",
        "\\PC{0,20}",
    ];
    proptest::collection::vec(line, 0..30).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn no_text_makes_the_checks_panic(
        text in lines(),
        name in "MAILWEIR_(LISTENER|ROUTE|SERVER|DNS|X)__?([0-9]{1,20}|MX)?(__)?(TLS|TO|FOR|BIND|NAME)?",
        value in "\\PC{0,20}",
    ) {
        let checked = check_with(&text, &[(&name, &value)]);
        prop_assert!(!report(Path::new("mailweir.toml"), &checked, Colour::Plain).is_empty());
        if let Err(problems) = checked {
            prop_assert!(problems.iter().any(|problem| problem.severity == Severity::Error));
        }
    }
}

/// It is replaced once a minute, so a mistake would cost users, keys or rules.
#[test]
fn the_file_of_answers_about_addresses_is_no_other_file() {
    const LINES: &str = "[server]\nhostname = \"gate.example.org\"\ndata_dir = \"/data\"\n\
        [domains]\nrelay = [\"x.example\"]\nrelay_recipient_maps = [\"texthash:/etc/recipients\"]\n\
        [tls]\ncertificate_file = \"/data/cert.pem\"\nkey_file = \"/data/key.pem\"\n\
        [[auth.backend]]\ntype = \"passwd-file\"\nfile = \"/data/passwd\"\n\
        [auth.senders]\nlogin_maps_file = \"/data/owners\"\n\
        [[route]]\nfor = [\"*\"]\nto = \"smtp://mx.x.example\"\ntls = \"required\"\nusername = \"a\"\n\
        password_file = \"/data/relay.password\"\n";
    let around = Surroundings {
        environment: &[],
        machine_name: None,
        time_zone: None,
        files: &|path| match path.to_str() {
            Some("/data/cert.pem") => Ok(b"-----BEGIN CERTIFICATE-----\n".to_vec()),
            Some("/data/key.pem") => Ok(b"-----BEGIN PRIVATE KEY-----\n".to_vec()),
            Some("/data/owners") => Ok(b"ann@x.example ann\n".to_vec()),
            Some("/data/relay.password") => Ok(b"sesame\n".to_vec()),
            Some("/etc/recipients") => Ok(b"ann@x.example x\n".to_vec()),
            _ => Err(io::ErrorKind::NotFound.into()),
        },
    };
    let check = |map: &str| {
        let text = format!("{LINES}[address_verify]\nmap = {map:?}\n{LISTENER}");
        Config::parse(Path::new("/data/mailweir.toml"), &text, &around)
    };
    for map in ["verify_cache", "", "sub/users", "/data/users.old", "/elsewhere/users"] {
        assert!(check(map).is_ok(), "{map}: {:?}", check(map).unwrap_err());
    }
    for map in [
        "users",
        "./users",
        "/other/../data/users",
        "cert.pem",
        "key.pem",
        "passwd",
        "owners",
        "relay.password",
        "/etc/recipients",
        "mailweir.toml",
        "queue/verify_cache",
        "tls/self-signed.pem",
        "control.sock",
        ".",
    ] {
        let problems = check(map).unwrap_err();
        let [problem] = &problems[..] else { panic!("{map}: {problems:?}") };
        assert_eq!(problem.key, "address_verify.map");
        assert!(problem.message.ends_with("is something else, and would be written over"));
    }
}
