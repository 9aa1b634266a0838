//! A real Postfix in front: it asks which mail needs an approval, hands it over and gets it back, by
//! the lines of the manual (`docs/postfix-in-front.md`).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use mailweir::control::operation::Place;
use mailweir_mail::QueueId;
use mailweir_tests::{
    free_address,
    gateway::{Gateway, Peer, Setup},
    page::{Page, parameters},
    postfix::{Postfix, Settings},
    sink::{Received, Script, Sink},
    tools,
};

const RULE: &str = "[[moderation.rule]]\nname = \"to the outside\"\noutside = true\n\
                    action = \"approval\"\nmoderators = [\"kim@local.example\"]\nattach = \"none\"\n\
                    tells_sender = \"never\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_needs_somebody_is_held_here_and_sent_by_postfix_once_approved() {
    let Some(place) = Front::start(RULE, Asked::Twice).await else { return };
    let to = ["x@far.example", "user@local.example", "y@far.example"];
    let queued = place.send("ann@local.example", &to).await;
    let id = place.held().await;
    place.gateway.queue().expect(id, Place::Hold).await;
    let line = place.gateway.log().expect("NOQUEUE: filter: RCPT from *localhost*127.0.0.1]").await;
    assert!(line.contains("from=<ann@local.example> to=<x@far.example> proto=ESMTP"), "{line}");
    assert!(line.contains("(moderation rule \"to the outside\" (mailweir.toml:"), "{line}");
    let notice = place.sink.expect_one().await;
    assert_eq!(notice.recipients(), ["kim@local.example"]);
    assert!(queued.starts_with("250 2.0.0 Ok: queued as "), "{queued}");

    let text = notice.text().replace("=\r\n", "").replace("\r\n ", " ");
    assert!(text.contains("https://approval.example.org/m/"), "{text}");
    let (_, line) = text.split_once("\nReply-To: ").unwrap();
    let (line, _) = line.split_once('\r').unwrap();
    let to = line.rsplit(['<', ' ']).next().unwrap().trim_end_matches('>');
    place.answer("kim@local.example", to).await;
    let log = place.gateway.log();
    log.expect("approve, by kim@local.example (log-in kim@local.example)").await;
    let mails = place.sink.expect(3).await;
    let mail = mails.iter().find(|mail| !mail.sender().is_empty()).unwrap();
    assert_eq!(mail.sender(), "ann@local.example");
    assert_eq!(sorted(mail), ["user@local.example", "x@far.example", "y@far.example"]);
    assert!(mail.text().ends_with(CONTENT), "{}", mail.text());
    // Postfix, Mailweir, and Postfix again.
    assert_eq!(mail.text().matches("Received: ").count(), 3, "{}", mail.text());
    place.gateway.queue().expect_empty().await;
    // The mail and the answer; what is approved is not asked about again.
    assert_eq!(place.gateway.log().count("filter: "), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_needs_nobody_never_comes_here() {
    for asked in [Asked::Twice, Asked::Data, Asked::Rcpt, Asked::End] {
        let Some(place) = Front::start(RULE, asked).await else { return };
        place.send("ann@local.example", &["user@local.example"]).await;
        assert_eq!(place.sink.expect_one().await.recipients(), ["user@local.example"]);
        assert_eq!(place.gateway.log().count("connect from"), 0, "{asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_postfix_asks_the_outside_is_held_and_goes_nowhere_else() {
    for asked in [Asked::Twice, Asked::Data, Asked::Rcpt, Asked::End] {
        let Some(place) = Front::start(RULE, asked).await else { return };
        for to in [&["x@far.example"][..], &["user@local.example", "x@far.example"]] {
            place.send("ann@local.example", to).await;
        }
        let notices = place.sink.expect(2).await;
        assert!(notices.iter().all(|notice| notice.sender().is_empty()), "{asked:?}");
        assert_eq!(place.gateway.moderation().cases(None, 9).len(), 2, "{asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_recipients_all_are_known_where_each_was_asked_about() {
    // Asked at DATA alone, nobody knows whether one of them is outside: the mail comes over, and goes
    // on because none is.
    let both = ["other@local.example", "user@local.example"];
    for (asked, comes) in [(Asked::Twice, 0), (Asked::Data, 1)] {
        let Some(place) = Front::start(RULE, asked).await else { return };
        place.send("ann@local.example", &both).await;
        assert_eq!(sorted(&place.sink.expect_one().await), both);
        assert_eq!(place.gateway.log().count("smtpd[*]: connect from"), comes, "{asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_to_many_comes_as_one() {
    let rule = RULE.replace("outside = true", "more_than = 55");
    let Some(place) = Front::start(&rule, Asked::Twice).await else { return };
    let to: Vec<String> = (0..60).map(|number| format!("u{number}@local.example")).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    place.send("ann@local.example", &to).await;
    let id = place.held().await;
    let case = place.gateway.moderation().case(id).unwrap();
    assert_eq!(case.mail.recipients.len(), 60);
    place.send("ann@local.example", &to[..55]).await;
    let mails = place.sink.expect(3).await;
    let sent: usize = mails
        .iter()
        .filter(|mail| !mail.sender().is_empty())
        .map(|mail| mail.recipients().len())
        .sum();
    assert_eq!(sent, 55, "{mails:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_down_lets_nothing_through() {
    let Some(mut place) = Front::start(RULE, Asked::Twice).await else { return };
    place.gateway.stop().await;
    let mut peer = Peer::connect(place.postfix.address(), LOCAL.parse().unwrap()).await;
    peer.greet().await;
    peer.ask("MAIL FROM:<ann@local.example>", "250 *").await;
    peer.ask("RCPT TO:<user@local.example>", "451 4.3.5 *").await;
    peer.ask("DATA", "*").await;
    let _ = place.postfix.expect_log("problem talking to server");
    assert_eq!(place.sink.attempts().len(), 0);
    place.gateway.start_again().await;
    place.send("ann@local.example", &["x@far.example"]).await;
    let _ = place.held().await;
    assert_eq!(place.sink.expect_one().await.sender(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_can_only_be_asked_gets_the_mail_later() {
    let Some(mut place) = Front::start(RULE, Asked::Twice).await else { return };
    // The answer is given, and the listener is elsewhere: a next hop where nobody listens.
    let nowhere = free_address().unwrap();
    let setup = place
        .setup
        .clone()
        .sections(&place.policy(&format!("mailweir:[127.0.0.1]:{}", nowhere.port())));
    place.gateway.reload(&setup).await.unwrap();
    place.send("ann@local.example", &["x@far.example"]).await;
    let _ = place.postfix.expect_log("status=deferred");
    assert_eq!(place.sink.attempts().len(), 0);
    // A mail on its way from one queue to another may be seen in both.
    assert_ne!(place.postfix.queued(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn hold_keeps_the_mail_at_postfix() {
    let Some(mut place) = Front::start(RULE, Asked::Twice).await else { return };
    let policy = format!(
        "[[policy_server]]\nbind = [\"{}\"]\nlistener = \"from-postfix\"\naction = \"hold\"\n",
        place.asked_at
    );
    place.gateway.reload(&place.setup.clone().sections(&policy)).await.unwrap();
    place.send("ann@local.example", &["x@far.example"]).await;
    let line = place.postfix.expect_log(" hold: ");
    assert!(line.contains("moderation rule \"to the outside\""), "{line}");
    assert_eq!((place.postfix.queued(), place.postfix.moving()), (1, 0));
    place.send("ann@local.example", &["user@local.example"]).await;
    assert_eq!(place.sink.expect_one().await.recipients(), ["user@local.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_logged_in_at_postfix_is_known_when_the_mail_comes() {
    let rule = RULE.replace("outside = true", "logins = [\"ann\"]");
    let second =
        RULE.replace("to the outside", "text").replace("outside = true", "text = ['secret']");
    let Some(place) = Front::start(&(rule + &second), Asked::Twice).await else { return };
    // All come over, for what may be in them; only what ann sends waits.
    let logins = [("bob", false), ("ann", true), ("[UNAVAILABLE]", false)];
    for (number, (login, waits)) in logins.into_iter().enumerate() {
        let mut peer = Peer::connect(place.postfix.address(), LOCAL.parse().unwrap()).await;
        peer.greet().await;
        peer.ask(&format!("XCLIENT LOGIN={login}"), "220 *").await;
        peer.ask("EHLO client.example", "250 *").await;
        place.send_by(peer, "ann@local.example", &["x@far.example"]).await;
        let mails = place.sink.expect(number + 1).await;
        assert_eq!(mails[number].sender().is_empty(), waits, "{login} {mails:?}");
    }
    place.gateway.log().expect_none("who logged in at the Postfix");
    assert_eq!(place.gateway.moderation().cases(None, 9).len(), 1);
}

/// Where the Postfix asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// At RCPT and at DATA, as the manual says.
    Twice,
    Rcpt,
    Data,
    End,
}

/// A Postfix, the gateway that it asks, and the world behind.
struct Front {
    postfix: Postfix,
    gateway: Gateway,
    sink: Sink,
    /// The configuration but for the policy server.
    setup: Setup,
    asked_at: SocketAddr,
}

impl Front {
    async fn start(rule: &str, asked: Asked) -> Option<Self> {
        if !tools::require(&["postfix"]) {
            return None;
        }
        let sink = Sink::start(Script::smtp()).await;
        let (asked_at, back) = (free_address().unwrap(), free_address().unwrap());
        let manual = Manual::read();
        let route = manual.section("[[route]]", "tls = ");
        let setup = Setup::to(&format!("smtp://{back}"), route)
            .called("approval.example.org")
            .listener("from-postfix", manual.section("[[listener]]", "mode = "))
            .section("domains", &manual.postmaster())
            .section("admin", &manual.admin())
            .section("moderation", manual.section("[moderation]", "from = "))
            .sections(rule);
        let policy = manual.policy(asked_at);
        // The port of the listener is known when it listens.
        let mut gateway = Gateway::start(&setup.clone()).await;
        let target = gateway.address("from-postfix");
        gateway.reload(&setup.clone().sections(&with_target(&policy, target))).await.unwrap();
        let mut settings = Settings::new()
            .relay_to(sink.address())
            .parameter("smtpd_authorized_xclient_hosts", "127.0.0.1");
        for (name, value) in manual.main_cf(asked_at, target) {
            let is_asked = match (name.as_str(), asked) {
                ("smtpd_recipient_restrictions", Asked::Data | Asked::End)
                | ("smtpd_data_restrictions", Asked::Rcpt) => false,
                ("smtpd_data_restrictions", Asked::End) => {
                    settings = settings.parameter("smtpd_end_of_data_restrictions", &value);
                    false
                }
                _ => true,
            };
            if is_asked {
                settings = settings.parameter(&name, &value);
            }
        }
        let settings = settings.service(&manual.master_cf(back));
        let postfix = settings.start().unwrap();
        Some(Self { postfix, gateway, sink, setup, asked_at })
    }

    fn policy(&self, target: &str) -> String {
        format!(
            "[[policy_server]]\nbind = [\"{}\"]\nlistener = \"from-postfix\"\nfilter = {target:?}\n",
            self.asked_at
        )
    }

    /// Hands a mail to the Postfix, and returns what it says in the end.
    async fn send(&self, from: &str, to: &[&str]) -> String {
        let mut peer = Peer::connect(self.postfix.address(), LOCAL.parse().unwrap()).await;
        peer.greet().await;
        self.send_by(peer, from, to).await
    }

    async fn send_by(&self, mut peer: Peer, from: &str, to: &[&str]) -> String {
        peer.ask(&format!("MAIL FROM:<{from}>"), "250 *").await;
        for one in to {
            peer.ask(&format!("RCPT TO:<{one}>"), "250 *").await;
        }
        peer.ask("DATA", "354 *").await;
        peer.write(CONTENT.replace("\r\n.", "\r\n..").as_bytes()).await;
        let said = peer.ask(".", "250 *").await;
        peer.leave().await;
        said
    }

    /// The mail that waits.
    async fn held(&self) -> QueueId {
        let line = self.gateway.log().expect("*: hold: END-OF-MESSAGE from *").await;
        let (before, _) = line.split_once(": hold: ").unwrap();
        before.rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// A moderator answers a notice at the Postfix, logged in.
    async fn answer(&self, moderator: &str, to: &str) {
        let mut peer = Peer::connect(self.postfix.address(), LOCAL.parse().unwrap()).await;
        peer.greet().await;
        peer.ask(&format!("XCLIENT LOGIN={moderator}"), "220 *").await;
        peer.ask("EHLO client.example", "250 *").await;
        peer.ask(&format!("MAIL FROM:<{moderator}>"), "250 *").await;
        peer.ask(&format!("RCPT TO:<{to}>"), "250 *").await;
        peer.ask("DATA", "354 *").await;
        peer.write(format!("From: {moderator}\r\nSubject: Re\r\n\r\napprove\r\n").as_bytes()).await;
        peer.ask(".", "250 *").await;
        peer.leave().await;
    }
}

/// Postfix puts recipients into an order of its own.
fn sorted(mail: &Received) -> Vec<String> {
    let mut recipients: Vec<String> = mail.recipients().iter().map(ToString::to_string).collect();
    recipients.sort();
    recipients
}

/// The policy server of the manual, with the place of the listener.
fn with_target(policy: &str, target: SocketAddr) -> String {
    policy.replace("[127.0.0.1]:10025", &format!("[{}]:{}", target.ip(), target.port()))
}

/// The page, with the addresses of the test in place of those that it has.
struct Manual(Page);

impl Manual {
    fn read() -> Self {
        Self(Page::read("postfix-in-front.md"))
    }

    /// The lines of a section of mailweir.toml, from `first` on.
    fn section(&self, header: &str, first: &str) -> &str {
        self.0.section("Mailweir", header, first)
    }

    fn policy(&self, asked_at: SocketAddr) -> String {
        let section = self.section("[[policy_server]]", "bind = ");
        assert!(section.contains("127.0.0.1:10040"), "{section}");
        format!(
            "[[policy_server]]\n{}\n",
            section.replace("127.0.0.1:10040", &asked_at.to_string())
        )
    }

    /// But for its domain, which the setup has.
    fn postmaster(&self) -> String {
        self.section("[domains]", "postmaster = ").replace("@example.org", "@local.example")
    }

    fn admin(&self) -> String {
        let bind = free_address().unwrap().to_string();
        let section = self.section("[admin]", "bind = ");
        assert!(section.contains("127.0.0.1:8025"), "{section}");
        section.replace("127.0.0.1:8025", &bind)
    }

    fn main_cf(&self, asked_at: SocketAddr, target: SocketAddr) -> Vec<(String, String)> {
        let lines = with_target(self.0.examples("main.cf", "")[0], target);
        let lines = lines.replace("127.0.0.1:10040", &asked_at.to_string());
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        parameters(&lines).into_iter().map(own).collect()
    }

    fn master_cf(&self, back: SocketAddr) -> String {
        let lines = self.0.examples("master.cf", "")[0];
        assert!(lines.contains("\n127.0.0.1:10026 inet"), "{lines}");
        lines.replace("127.0.0.1:10026", &back.to_string())
    }
}

const LOCAL: &str = "127.0.0.1";

const CONTENT: &str = "From: ann@local.example\r\nDate: Fri, 20 Nov 2026 21:30:05 +0000\r\n\
                       Message-Id: <1@local.example>\r\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n\r\n\
                       .a dot\r\n  and a very plain text \r\n";
