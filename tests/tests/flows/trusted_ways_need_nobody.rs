//! Rows T1 to T3 of the mission: mail that came through the organisation's own servers only needs nobody, and
//! one stranger on its way makes it wait. The headers are of a real Postfix (`tests/data/received`).
//!
//! The organisation: desks and servers in 192.168.10.0/24 and 2001:db8:10::/48; the sending server
//! is .1, the relay .5, the list server .9.

use std::{fs, net::IpAddr, path::PathBuf, process::Command};

use mailweir_tests::{
    gateway::{Gateway, Setup, TRUSTED, mail},
    installation::feed,
    program,
    sink::{Script, Sink},
};

/// A mail, the server that brings it, and what is trusted.
struct Scene {
    name: &'static str,
    /// A file of `tests/data/received`.
    mail: &'static str,
    peer: &'static str,
    /// Lines of `[moderation]`.
    trusted: &'static str,
    /// Whether it needs nobody, and why.
    passes: bool,
    why: &'static str,
    way: &'static str,
}

const SCENES: &[Scene] = &[
    Scene {
        name: "the sending server alone",
        mail: "sending_server",
        peer: "192.168.10.1",
        trusted: EXPRESSION,
        passes: true,
        why: EVERY_HOP,
        way: "192.168.10.1 < 192.168.10.77",
    },
    Scene {
        name: "the sending server, then local servers",
        mail: "local_servers",
        peer: "192.168.10.9",
        trusted: EXPRESSION,
        passes: true,
        why: EVERY_HOP,
        way: "192.168.10.9 < 192.168.10.5 < 192.168.10.1 < 192.168.10.77",
    },
    Scene {
        name: "exact entries, and a network for the desks",
        mail: "local_servers",
        peer: "192.168.10.9",
        trusted: r#"trusted_hosts = ["192.168.10.9", "192.168.10.5", "192.168.10.1", "192.168.10.64/26"]"#,
        passes: true,
        why: EVERY_HOP,
        way: "192.168.10.9 < 192.168.10.5 < 192.168.10.1 < 192.168.10.77",
    },
    Scene {
        name: "exact entries for servers only: the desk is a stranger",
        mail: "local_servers",
        peer: "192.168.10.9",
        trusted: SERVERS,
        passes: false,
        why: "untrusted at hop 3: not one of the trusted hosts",
        way: "192.168.10.9 < 192.168.10.5 < 192.168.10.1 < 192.168.10.77",
    },
    Scene {
        name: "IPv6",
        mail: "ipv6",
        peer: "2001:db8:10::9",
        trusted: r#"trusted_hosts = ["2001:db8:10::9", "^2001:db8:10::(5|25)$"]"#,
        passes: true,
        why: EVERY_HOP,
        way: "2001:db8:10::9 < 2001:db8:10::5 < 2001:db8:10::25",
    },
    Scene {
        name: "IPv6, and the sending server is not listed",
        mail: "ipv6",
        peer: "2001:db8:10::9",
        trusted: r#"trusted_hosts = ["2001:db8:10::/124"]"#,
        passes: false,
        why: "untrusted at hop 2: not one of the trusted hosts",
        way: "2001:db8:10::9 < 2001:db8:10::5 < 2001:db8:10::25",
    },
    Scene {
        name: "a stranger in front of the trusted servers",
        mail: "stranger_in_front",
        peer: "192.168.10.9",
        trusted: EXPRESSION,
        passes: false,
        why: "untrusted at hop 3: not one of the trusted hosts",
        way: "192.168.10.9 < 192.168.10.5 < 192.168.10.1 < 203.0.113.9",
    },
    Scene {
        name: "a stranger between the trusted servers",
        mail: "stranger_between",
        peer: "192.168.10.9",
        trusted: EXPRESSION,
        passes: false,
        why: "untrusted at hop 2: not one of the trusted hosts",
        way: "192.168.10.9 < 192.168.10.5 < 203.0.113.9",
    },
    Scene {
        name: "a stranger who brings a forged way of trusted servers",
        mail: "forged_below",
        peer: "192.168.10.5",
        trusted: EXPRESSION,
        passes: false,
        why: "untrusted at hop 1: not one of the trusted hosts",
        way: "192.168.10.5 < 203.0.113.66",
    },
    Scene {
        name: "a stranger at our door, whatever is in the mail",
        mail: "local_servers",
        peer: "203.0.113.66",
        trusted: EXPRESSION,
        passes: false,
        why: "untrusted at hop 0: not one of the trusted hosts",
        way: "203.0.113.66",
    },
    Scene {
        name: "no Received header, from a trusted host",
        mail: "no_received",
        peer: "192.168.10.1",
        trusted: SERVERS,
        passes: true,
        why: "trusted: there is no Received header, so the mail is taken to begin at 192.168.10.1; if that \
              host removes Received headers, all of its clients are trusted",
        way: "192.168.10.1",
    },
    Scene {
        name: "no Received header, from a stranger",
        mail: "no_received",
        peer: "203.0.113.9",
        trusted: SERVERS,
        passes: false,
        why: "untrusted at hop 0: not one of the trusted hosts",
        way: "203.0.113.9",
    },
    Scene {
        name: "a program at a trusted host",
        mail: "local_origin",
        peer: "192.168.10.5",
        trusted: SERVERS,
        passes: false,
        why: "untrusted at hop 2: a mail that began at the host (*) counts only with local_origin = \"accept\"",
        way: "192.168.10.5 < 192.168.10.1 < ?",
    },
    Scene {
        name: "a program at a trusted host, where that is accepted",
        mail: "local_origin",
        peer: "192.168.10.5",
        trusted: "trusted_hosts = [\"192.168.10.0/24\"]\nlocal_origin = \"accept\"",
        passes: true,
        why: "trusted: the mail began at this host (*)",
        way: "192.168.10.5 < 192.168.10.1 < ?",
    },
    Scene {
        name: "somebody who logged in from abroad",
        mail: "logged_in",
        peer: "192.168.10.5",
        trusted: SERVERS,
        passes: false,
        why: "untrusted at hop 2: not one of the trusted hosts; that the sender logged in (ESMTPA) counts \
              only with authenticated_origin = \"accept\"",
        way: "192.168.10.5 < 192.168.10.1 < 198.51.100.77",
    },
    Scene {
        name: "somebody who logged in from abroad, where that is accepted",
        mail: "logged_in",
        peer: "192.168.10.5",
        trusted: "trusted_hosts = [\"192.168.10.0/24\"]\nauthenticated_origin = \"accept\"",
        passes: true,
        why: "trusted: the sender logged in there (ESMTPA)",
        way: "192.168.10.5 < 192.168.10.1 < 198.51.100.77",
    },
    // Row T3, a signature of one of `dkim_domains`, has scenes of its own: it is no matter of the way.
];

/// The entry of the article that rows T1 and T2 come from, written to its end.
const EXPRESSION: &str = r"trusted_hosts = ['^192\.168\.10\.\d+$']";

const SERVERS: &str = r#"trusted_hosts = ["192.168.10.1", "^192\\.168\\.10\\.5$", "192.168.10.9"]"#;

const EVERY_HOP: &str = "trusted: every hop is";

#[tokio::test]
async fn each_way_makes_a_mail_pass_or_wait_and_the_log_says_why() {
    let sink = Sink::start(Script::smtp()).await;
    let mut gateway = Gateway::start(&setup(&sink, SCENES[0].trusted)).await;
    for scene in SCENES {
        let name = scene.name;
        gateway.reload(&setup(&sink, scene.trusted)).await.unwrap();
        let mut peer = gateway.connect_from(TRUSTED, "mx").await;
        peer.greet().await;
        peer.ask(&format!("XCLIENT ADDR={}", named(scene.peer)), "220 *").await;
        peer.ask("EHLO client.example", "250 *").await;
        let answer = peer.send(&mail().content(scene.content())).await;
        let waits = answer.reply().contains("(held for approval)");
        let id = answer.expect_accepted();
        assert_eq!(waits, !scene.passes, "{name}\n{}", gateway.log());
        let line = format!("{id}: trusted_chain: {}; way: {}", scene.why, scene.way);
        gateway.log().expect(&line).await;
        assert_eq!(gateway.moderation().case(id).is_some(), waits, "{name}");
        peer.leave().await;
    }
}

#[test]
fn chain_check_says_the_same_hop_by_hop() {
    let Some(binary) = program::require() else { return };
    let place = tempfile::tempdir().unwrap();
    let config = place.path().join("mailweir.toml");
    for scene in SCENES {
        fs::write(&config, format!("{CONFIG}[moderation]\n{}\n", scene.trusted)).unwrap();
        let mut command = Command::new(&binary);
        command.arg("chain-check").arg(scene.file()).args(["--peer", scene.peer]);
        let said = feed(command.arg("-c").arg(&config), "").unwrap();
        let (name, text) = (scene.name, said.text);
        assert_eq!(said.status, Some(i32::from(!scene.passes)), "{name}\n{text}");
        let (first, last) = scene.why.split_once('*').unwrap_or((scene.why, ""));
        let why = text.lines().last().unwrap();
        assert!(why.starts_with(first) && why.ends_with(last), "{name}: {why}");
        let hops: Vec<&str> = text.lines().filter(|line| line.starts_with("hop ")).collect();
        let way: Vec<&str> = scene.way.split(" < ").collect();
        assert_eq!(hops.len(), way.len(), "{name}\n{text}");
        for (hop, address) in hops.iter().zip(way) {
            assert!(hop.contains(address) || address == "?", "{name}: {hop}");
        }
        let doubted = hops.iter().filter(|hop| hop.contains("  untrusted  ")).count();
        assert_eq!(doubted, usize::from(!scene.passes), "{name}\n{text}");
    }
}

impl Scene {
    fn file(&self) -> PathBuf {
        let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/received");
        data.join(format!("{}.eml", self.mail))
    }

    fn content(&self) -> String {
        fs::read_to_string(self.file()).unwrap().replace('\n', "\r\n")
    }
}

fn setup(sink: &Sink, trusted: &str) -> Setup {
    let rule = "[[moderation.rule]]\nname = \"all\"\naction = \"approval\"\n\
                moderators = [\"boss@local.example\"]\n";
    Setup::before(sink)
        .listener("mx", &format!("mode = \"mx\"\nxclient_hosts = [\"{TRUSTED}\"]"))
        .section("moderation", &format!("trusted_chain = true\n{trusted}"))
        .sections(rule)
}

/// An address as XCLIENT writes it.
fn named(address: &str) -> String {
    match address.parse().unwrap() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("IPV6:{address}"),
    }
}

const CONFIG: &str = "[server]\nhostname = \"gate.example.org\"\ndata_dir = \"data\"\n[domains]\nrelay = [\"local.example\"]\n\
     [[listener]]\nname = \"mx\"\nbind = [\"127.0.0.1:2525\"]\nmode = \"mx\"\n";
