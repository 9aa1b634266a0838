//! A real Postfix asks us as a milter, by the lines of the manual (`docs/postfix-in-front.md`).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path};

use mailweir_tests::{
    free_address,
    gateway::{Gateway, Peer, Setup},
    postfix::{Postfix, Settings},
    sink::{Script, Sink},
    tools,
};

const CHECKS: &str = r#"
[checks]
header_checks = ["regexp:{ {/^Subject: bad/ REJECT not that one}, {/^Subject: old/ REPLACE Subject: new}, {/^Subject: mark/ PREPEND X-Mark: yes}, {/^X-Secret:/ IGNORE}, {/^Subject: copy/ BCC copy@local.example}, {/^Subject: other/ REDIRECT other@far.example}, {/^Subject: wait/ HOLD look at it}, {/^Subject: gone/ DISCARD} }"]
[restrictions]
sender = ["check_sender_access inline:{ {top@local.example = PREPEND X-Top: yes} }"]
recipient = ["check_recipient_access inline:{ {no@far.example = REJECT nobody there} }"]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_rules_refuse_postfix_refuses_with_our_words() {
    let Some(place) = Asked::by(CHECKS).await else { return };
    let mut peer = place.peer().await;
    peer.ask("MAIL FROM:<ann@local.example>", "250 *").await;
    peer.ask("RCPT TO:<no@far.example>", "554 5.7.1 <no@far.example>: *: nobody there").await;
    peer.ask("RCPT TO:<x@far.example>", "250 *").await;
    let said = place.content(&mut peer, "Subject: bad\r\n", "550 *").await;
    assert_eq!(said, "550 5.7.1 not that one");
    let _ = place.postfix.expect_log("milter-reject: END-OF-MESSAGE from ");
    // The next mail of the same connection is another one.
    place.send(&mut peer, "ann@local.example", "Subject: fine\r\n").await;
    peer.leave().await;
    assert!(place.sink.expect_one().await.text().contains("\r\nSubject: fine\r\n"));
    place.gateway.log().expect("/milter[*]: * of 127.0.0.1: reject, 550 5.7.1 not that one").await;
    place.gateway.log().expect("/milter[*]: * of 127.0.0.1: continue; ").await;
    place.gateway.queue().expect_empty().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rules_change_postfix_changes() {
    let Some(place) = Asked::by(CHECKS).await else { return };
    let mut peer = place.peer().await;
    let to = "x@far.example";
    for (number, (from, header, becomes, recipients)) in [
        (
            "a",
            "From: a@b.example\r\nSubject: old\r\n",
            "From: a@b.example\r\nSubject: new\r\n",
            vec![to],
        ),
        (
            "a",
            "From: a@b.example\r\nSubject: mark\r\n b\r\nTo: x@far.example\r\n",
            "From: a@b.example\r\nX-Mark: yes\r\nSubject: mark\r\n b\r\nTo: x@far.example\r\n",
            vec![to],
        ),
        ("a", "A: 1\r\nX-Secret: 1\r\nB: 2\r\nX-Secret: 2\r\n", "A: 1\r\nB: 2\r\n", vec![to]),
        ("top", "Subject: x\r\n", "\r\nX-Top: yes\r\nSubject: x\r\n", vec![to]),
        ("a", "Subject: copy\r\n", "Subject: copy\r\n", vec!["copy@local.example", to]),
        ("a", "Subject: other\r\n", "Subject: other\r\n", vec!["other@far.example"]),
    ]
    .into_iter()
    .enumerate()
    {
        place.send(&mut peer, &format!("{from}@local.example"), header).await;
        let mails = place.sink.expect(number + 1).await;
        let mail = &mails[number];
        let mut found = mail.recipients();
        found.sort_unstable();
        assert_eq!(found, recipients, "{header}");
        let text = mail.text();
        let (shown, _) = text.split_once("\r\n\r\n").unwrap();
        assert!(format!("{shown}\r\n").contains(becomes), "{header} {text}");
        assert!(text.starts_with("Received: from "), "{text}");
        assert!(!text.contains("X-Secret") && text.ends_with(BODY), "{text}");
    }
    peer.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rules_hold_postfix_holds_and_what_they_discard_is_gone() {
    let Some(place) = Asked::by(CHECKS).await else { return };
    let mut peer = place.peer().await;
    let said = place.send(&mut peer, "ann@local.example", "Subject: wait\r\n").await;
    let (_, id) = said.rsplit_once(' ').unwrap();
    // Postfix 3.10 says why, too.
    let _ = place.postfix.expect_log("milter-hold: END-OF-MESSAGE");
    let listed = place.postfix.command("postqueue").arg("-p").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains(&format!("{id}!")), "{listed}");
    place.gateway.log().expect(&format!("{id} of 127.0.0.1: quarantine: look at it")).await;
    place.send(&mut peer, "ann@local.example", "Subject: gone\r\n").await;
    let _ = place.postfix.expect_log("milter-discard: END-OF-MESSAGE");
    assert_eq!((place.postfix.queued(), place.postfix.moving()), (1, 0));
    place.sink.expect_nothing();
    // Once let go, it goes.
    let released = place.postfix.command("postsuper").args(["-H", id]).output().unwrap();
    assert!(released.status.success());
    let _ = place.postfix.command("postqueue").arg("-f").output().unwrap();
    assert!(place.sink.expect_one().await.text().contains("Subject: wait"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_logged_in_at_postfix_and_local_programs_are_judged_too() {
    let rules = "[[moderation.rule]]\nname = \"ann\"\nlogins = [\"ann\"]\naction = \"delay\"\n\
                 delay = \"1 h\"\ntells_sender = \"never\"\n\
                 [checks]\nheader_checks = [\"regexp:{ {/^Subject: cron/ HOLD look at it} }\"]\n";
    let Some(place) = Asked::by(rules).await else { return };
    for (number, (login, waits)) in [("bob", 0), ("ann", 1)].into_iter().enumerate() {
        let mut peer = place.peer().await;
        peer.ask(&format!("XCLIENT LOGIN={login}"), "220 *").await;
        peer.ask("EHLO client.example", "250 *").await;
        place.send(&mut peer, "ann@local.example", "Subject: x\r\n").await;
        peer.leave().await;
        let lines = place.gateway.log().expect_times(number + 1, " of 127.0.0.1: ").await;
        assert_eq!(lines[number].contains(": quarantine: moderation rule \"ann\""), waits == 1);
    }
    place.postfix.submit("root@local.example", "x@far.example", "Subject: cron\n\nx\n").unwrap();
    place.gateway.log().expect(" of 127.0.0.1: quarantine: look at it").await;
    assert_eq!(place.sink.expect_one().await.recipients(), ["x@far.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_mailweir_is_down_postfix_puts_mail_off() {
    let Some(mut place) = Asked::by(CHECKS).await else { return };
    let mut before = place.peer().await;
    place.gateway.stop().await;
    before.ask("MAIL FROM:<ann@local.example>", "451 4.7.1 *").await;
    let mut peer = Peer::connect(place.postfix.address(), LOCAL.parse().unwrap()).await;
    peer.hear("220 *").await;
    peer.ask("EHLO client.example", "*").await;
    peer.ask("MAIL FROM:<ann@local.example>", "451 4.7.1 *").await;
    place.gateway.start_again().await;
    let mut peer = place.peer().await;
    place.send(&mut peer, "ann@local.example", "Subject: x\r\n").await;
    place.sink.expect_one().await;
}

/// A Postfix, the gateway that it asks, and the world behind.
struct Asked {
    postfix: Postfix,
    gateway: Gateway,
    sink: Sink,
}

impl Asked {
    async fn by(rules: &str) -> Option<Self> {
        if !tools::require(&["postfix"]) {
            return None;
        }
        let sink = Sink::start(Script::smtp()).await;
        let at = free_address().unwrap().to_string();
        let with_place = |text: &str| {
            assert!(text.contains("127.0.0.1:10050"), "{text}");
            text.replace("127.0.0.1:10050", &at)
        };
        let toml = block("```toml\n");
        let (listener, server) = toml.split_once("\n[[milter_server]]\n").unwrap();
        let listener = &listener[listener.find("mode = ").unwrap()..];
        let setup = Setup::before(&sink)
            .listener("from-postfix", listener)
            .sections(&format!("[[milter_server]]\n{}", with_place(server)))
            .sections(rules);
        let gateway = Gateway::start(&setup).await;
        let mut settings = Settings::new()
            .relay_to(sink.address())
            .parameter("smtpd_authorized_xclient_hosts", "127.0.0.1");
        for line in with_place(&block("```\n")).lines() {
            let (name, value) = line.split_once(" = ").unwrap();
            settings = settings.parameter(name, value);
        }
        Some(Self { postfix: settings.start().unwrap(), gateway, sink })
    }

    async fn peer(&self) -> Peer {
        let mut peer = Peer::connect(self.postfix.address(), LOCAL.parse().unwrap()).await;
        peer.greet().await;
        peer
    }

    /// Hands a mail to the Postfix, which takes it.
    async fn send(&self, peer: &mut Peer, from: &str, header: &str) -> String {
        peer.ask(&format!("MAIL FROM:<{from}>"), "250 *").await;
        peer.ask("RCPT TO:<x@far.example>", "250 *").await;
        self.content(peer, header, "250 *").await
    }

    async fn content(&self, peer: &mut Peer, header: &str, said: &str) -> String {
        peer.ask("DATA", "354 *").await;
        peer.write(format!("{header}\r\n{}", BODY.replace("\r\n.", "\r\n..")).as_bytes()).await;
        peer.ask(".", said).await
    }
}

/// The block of the manual that begins so.
fn block(fence: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/postfix-in-front.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once("\n## As a milter\n").unwrap();
    let section = match fence {
        "```\n" => section.split_once("```toml\n").unwrap().1.split_once("```\n").unwrap().1,
        _ => section,
    };
    let (_, block) = section.split_once(fence).unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

const LOCAL: &str = "127.0.0.1";

const BODY: &str = "text\r\n.a dot\r\n  and QUIT\r\n";
