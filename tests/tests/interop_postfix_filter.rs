//! Mailweir as the content filter and as the before-queue proxy of a real Postfix, and a real Postfix as a filter of
//! Mailweir, by the lines of the manual (`docs/postfix-filter.md`).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use mailweir::control::operation::Place;
use mailweir_mail::QueueId;
use mailweir_tests::{
    free_address,
    gateway::{Gateway, Peer, Setup, mail_to},
    page::{Page, parameters},
    postfix::{Postfix, Settings},
    sink::{Received, Script, Sink},
    tools, wait,
};
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_the_content_filter_comes_back_as_it_was_with_its_client() {
    let Some(place) = Front::start(Way::ContentFilter, "").await else { return };
    let mut peer = place.far_client().await;
    let options = " RET=HDRS ENVID=order-7 BODY=8BITMIME";
    let to = "user@local.example> NOTIFY=FAILURE ORCPT=rfc822;first@local.example";
    let said = send(&mut peer, &format!("ann@far.example>{options}"), to, CONTENT).await;
    assert!(said.starts_with("250 2.0.0 Ok: queued as "), "{said}");
    let id = said.split_whitespace().last().unwrap();
    let mail = place.sink.expect_one().await;
    assert_as_it_was(&mail);
    let envelope = (mail.mail.as_str(), mail.rcpt[0].as_str());
    assert!(
        envelope.0.contains("RET=HDRS") && envelope.0.contains("ENVID=order-7"),
        "{envelope:?}"
    );
    let wished = "ORCPT=rfc822;first@local.example NOTIFY=FAILURE";
    assert!(envelope.1.contains(wished), "{envelope:?}");
    place.gateway.log().expect(": client=mail.far.example[192.0.2.9]").await;
    let line = place.postfix.expect_log("orig_client=");
    let told = format!("orig_queue_id={id}, orig_client=mail.far.example[192.0.2.9]");
    assert!(line.contains(": client=localhost[127.0.0.1]") && line.contains(&told), "{line}");
    place.gateway.queue().expect_empty().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_of_local_programs_passes_the_content_filter_and_comes_from_no_client() {
    let Some(place) = Front::start(Way::ContentFilter, "").await else { return };
    place
        .postfix
        .submit("ann@local.example", "user@local.example", "Subject: x\n\ntext\n")
        .unwrap();
    assert_eq!(place.sink.expect_one().await.sender(), "ann@local.example");
    let line = place.postfix.expect_log("orig_queue_id=");
    assert!(line.ends_with("orig_client=unknown"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_check_refuses_behind_the_queue_goes_back_as_a_report_of_postfix() {
    let Some(place) = Front::start(Way::ContentFilter, "").await else { return };
    let mut peer = place.near_client().await;
    let bad = CONTENT.replace("Subject: ", "Subject: bad ");
    send(&mut peer, "ann@local.example>", "user@local.example", &bad).await;
    let report = place.sink.expect_one().await;
    assert_eq!((report.sender(), report.recipients()), ("", vec!["ann@local.example"]));
    assert!(report.text().contains("550 5.7.1 not here"), "{}", report.text());
    assert!(
        report.text().contains("Reporting-MTA: dns; postfix.test.example"),
        "{}",
        report.text()
    );
    place.gateway.queue().expect_empty().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_waits_for_people_remembers_its_client_over_a_restart() {
    for way in [Way::ContentFilter, Way::Proxy, Way::SpeedAdjusted] {
        let Some(mut place) = Front::start(way, RULE).await else { return };
        let mut peer = place.far_client().await;
        let said = send(&mut peer, "ann@far.example>", "user@local.example", CONTENT).await;
        let is_told = said.ends_with("(held for approval)");
        assert_eq!(is_told, way != Way::ContentFilter, "{way:?}: {said}");
        let line = place.gateway.log().expect("*: hold: END-OF-MESSAGE from *").await;
        let (before, _) = line.split_once(": hold: ").unwrap();
        let id: QueueId = before.rsplit(' ').next().unwrap().parse().unwrap();
        place.gateway.queue().expect(id, Place::Hold).await;
        let case = place.gateway.moderation().case(id).unwrap();
        let client = case.mail.client.as_ref().map(ToString::to_string);
        assert_eq!(client.as_deref(), Some("mail.far.example[192.0.2.9]"), "{way:?}");
        place.gateway.restart().await;
        place.gateway.queue().release(id).await;
        // Notices come as well.
        let of_ann = || place.sink.attempts().into_iter().find(|mail| !mail.sender().is_empty());
        wait::until_true("the mail", async || of_ann().is_some()).await;
        assert_as_it_was(&of_ann().unwrap());
        let _ = place.postfix.expect_log("orig_client=mail.far.example[192.0.2.9]");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn d5_a_postfix_that_filters_again_what_comes_back_sends_nothing_and_ends() {
    let Some(place) = Front::start(Way::ForgottenLine, "").await else { return };
    let mut peer = place.near_client().await;
    send(&mut peer, "ann@local.example>", "user@local.example", CONTENT).await;
    // The mail, and the report to its sender.
    let ended = "status=bounced (*554 5.4.0 Error: too many hops";
    place.gateway.log().expect_times(2, ended).await;
    place.gateway.queue().expect_empty().await;
    place.sink.expect_nothing();
    wait::until_true("Postfix to be done", async || place.postfix.queued() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_waits_at_a_content_filter_that_is_down_and_clients_of_a_proxy_try_again() {
    for way in [Way::ContentFilter, Way::Proxy, Way::SpeedAdjusted] {
        let Some(mut place) = Front::start(way, "").await else { return };
        place.gateway.stop().await;
        let mut peer = place.near_client().await;
        peer.ask("MAIL FROM:<ann@local.example>", "*").await;
        let rcpt = peer.ask("RCPT TO:<user@local.example>", "*").await;
        if way == Way::Proxy {
            assert!(rcpt.starts_with("451 4.3.0 "), "{rcpt}");
            continue;
        }
        peer.ask("DATA", "354 *").await;
        peer.write(CONTENT.as_bytes()).await;
        let said = peer.ask(".", "*").await;
        if way == Way::SpeedAdjusted {
            assert!(said.starts_with("451 4.3.0 "), "{said}");
            continue;
        }
        assert!(said.starts_with("250 "), "{said}");
        let _ = place.postfix.expect_log("status=deferred");
        assert_ne!(place.postfix.queued(), 0);
        place.sink.expect_nothing();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_the_proxy_comes_back_as_it_was_with_its_client() {
    for way in [Way::Proxy, Way::SpeedAdjusted] {
        let Some(place) = Front::start(way, "").await else { return };
        let mut peer = place.far_client().await;
        // Two mails of one client, and the sender of reports.
        let to = "user@local.example> NOTIFY=NEVER";
        let said = send(&mut peer, "ann@far.example> ENVID=order-7", to, CONTENT).await;
        assert!(said.starts_with("250 2.0.0 Ok: queued as "), "{said}");
        send(&mut peer, "> BODY=8BITMIME", "user@local.example", CONTENT).await;
        let mails = place.sink.expect(2).await;
        mails.iter().for_each(assert_as_it_was);
        let first = mails.iter().find(|mail| !mail.sender().is_empty()).unwrap();
        assert!(first.mail.contains("ENVID=order-7"), "{}", first.mail);
        assert!(first.rcpt[0].contains("NOTIFY=NEVER"), "{}", first.rcpt[0]);
        let clients = ": client=mail.far.example[192.0.2.9]";
        place.gateway.log().expect_times(2, clients).await;
        let _ = place.postfix.expect_log("orig_client=mail.far.example[192.0.2.9]");
        place.gateway.queue().expect_empty().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_of_a_proxy_hears_what_is_refused_and_nobody_gets_a_report() {
    for way in [Way::Proxy, Way::SpeedAdjusted] {
        let Some(place) = Front::start(way, "").await else { return };
        let mut peer = place.far_client().await;
        let bad = CONTENT.replace("Subject: ", "Subject: bad ");
        let said = send(&mut peer, "ann@far.example>", "user@local.example", &bad).await;
        assert!(said.starts_with("550 5.7.1 not here"), "{way:?}: {said}");
        // The session goes on.
        let large = format!("{CONTENT}{}", "a line of text\r\n".repeat(2_000));
        let said = send(&mut peer, "ann@far.example>", "user@local.example", &large).await;
        assert!(said.starts_with("552 5.3.4 "), "{way:?}: {said}");
        let said = send(&mut peer, "ann@far.example>", "user@local.example", CONTENT).await;
        assert!(said.starts_with("250 "), "{way:?}: {said}");
        assert_eq!(place.sink.expect_one().await.sender(), "ann@far.example");
        place.gateway.queue().expect_empty().await;
        wait::until_true("Postfix to be done", async || place.postfix.queued() == 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postfix_is_a_filter_that_hands_back_what_it_lets_pass() {
    if !tools::require(&["postfix"]) {
        return;
    }
    const HEADING: &str = "The other way around: a Postfix as a filter of Mailweir";
    let page = Page::read("postfix-filter.md");
    let toml = page.examples(HEADING, "toml")[0];
    let (_, filter) = toml.split_once("[[filter]]\n").unwrap();
    let filter = filter.split("\n[").next().unwrap();
    let (_, back) = toml.split_once("bind = [\"127.0.0.1:10028\"]\n").unwrap();
    let sink = Sink::start(Script::smtp()).await;
    let entrance = free_address().unwrap();
    let filter = filter.replace("127.0.0.1:10024", &entrance.to_string());
    let setup = Setup::before(&sink)
        .listener("mx", "mode = \"mx\"\nxclient_hosts = [\"127.0.0.1\"]")
        .listener("behind-postfix", back)
        .sections(&format!("[[filter]]\n{filter}\n"));
    let gateway = Gateway::start(&setup).await;
    let exit = gateway.address("behind-postfix");
    let master_cf = page.examples(HEADING, "")[0]
        .replace("127.0.0.1:10024", &entrance.to_string())
        .replace("[127.0.0.1]:10028", &format!("[{}]:{}", exit.ip(), exit.port()));
    let checks = Checks::new("/^Subject: bad/ REJECT not this\n");
    let postfix =
        Settings::new().service(&master_cf).parameter("header_checks", &checks.0).start().unwrap();

    let mut peer = gateway.connect_to("mx").await;
    peer.greet().await;
    peer.say("XCLIENT NAME=mail.far.example ADDR=192.0.2.7 HELO=far.example PROTO=ESMTP").await;
    peer.greet().await;
    let id = peer.send(&mail_to("user").content(CONTENT)).await.expect_accepted();
    let mail = sink.expect_one().await;
    assert_as_it_was(&mail);
    assert!(!mail.text().contains("X-Mailweir-Slip"), "{}", mail.text());
    let line = postfix.expect_log("orig_client=");
    let told = format!("orig_queue_id={id}, orig_client=mail.far.example[192.0.2.7]");
    assert!(line.contains(&told), "{line}");
    gateway.log().expect_times(2, ": client=mail.far.example[192.0.2.7]").await;
    let bad = CONTENT.replace("Subject: ", "Subject: bad ");
    gateway.accept(mail_to("user").content(bad)).await;
    let report = sink.expect(2).await.remove(1);
    assert_eq!(report.sender(), "");
    assert!(report.text().contains("5.7.1 not this"), "{}", report.text());
    gateway.queue().expect_empty().await;
}

/// How mail comes to Mailweir.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    ContentFilter,
    /// Without the line that has mail filtered once only.
    ForgottenLine,
    Proxy,
    SpeedAdjusted,
}

/// A Postfix with Mailweir as its filter, and the world behind.
struct Front {
    postfix: Postfix,
    /// Where clients of the Postfix come in.
    entrance: SocketAddr,
    gateway: Gateway,
    sink: Sink,
    _checks: Checks,
}

impl Front {
    async fn start(way: Way, rules: &str) -> Option<Self> {
        if !tools::require(&["postfix"]) {
            return None;
        }
        let page = Page::read("postfix-filter.md");
        let section = |header: &str, first: &str| page.section("Mailweir", header, first);
        let checks = Checks::new("/^Subject: bad/ REJECT not here\n");
        let sink = Sink::start(Script::smtp()).await;
        let back = free_address().unwrap();
        let listener = section("[[listener]]", "mode = ");
        let limited = listener.replace("message_size_limit = 0", "message_size_limit = 10000");
        let listener = if way.is_proxy() { limited.as_str() } else { listener };
        let postmaster = section("[domains]", "postmaster = ");
        let setup = Setup::to(&format!("smtp://{back}"), section("[[route]]", "tls = "))
            .called("filter.example.org")
            .listener("from-postfix", &format!("{listener}\nheader_checks = [{:?}]", checks.0))
            .section("domains", &postmaster.replace("@example.org", "@local.example"))
            .section("admin", "bind = []\npublic_url = \"https://filter.example.org\"")
            .sections(rules);
        let gateway = Gateway::start(&setup).await;
        let target = gateway.address("from-postfix");
        let settings = Settings::new()
            .relay_to(sink.address())
            .parameter("relay_domains", "local.example")
            .parameter("smtpd_authorized_xclient_hosts", "127.0.0.1");
        let entrance = free_address().unwrap();
        let settings = way.configure(settings, &page, (entrance, target, back));
        let postfix = settings.start().unwrap();
        let entrance = if way.is_proxy() { entrance } else { postfix.address() };
        Some(Self { postfix, entrance, gateway, sink, _checks: checks })
    }

    async fn near_client(&self) -> Peer {
        let mut peer = Peer::connect(self.entrance, LOCAL.parse().unwrap()).await;
        peer.greet().await;
        peer
    }

    /// A client of the internet.
    async fn far_client(&self) -> Peer {
        let mut peer = self.near_client().await;
        let told = "XCLIENT NAME=mail.far.example ADDR=192.0.2.9 PORT=4711 HELO=far.example";
        peer.ask(told, "220 *").await;
        peer.ask("EHLO far.example", "250 *").await;
        peer
    }
}

impl Way {
    fn is_proxy(self) -> bool {
        matches!(self, Self::Proxy | Self::SpeedAdjusted)
    }

    /// The lines of the manual, with the addresses of the test in place of those that it has.
    fn configure(
        self,
        mut settings: Settings,
        page: &Page,
        (entrance, target, back): (SocketAddr, SocketAddr, SocketAddr),
    ) -> Settings {
        let with_back = |lines: &str| {
            assert!(lines.contains("\n127.0.0.1:10026 inet"), "{lines}");
            lines.replace("127.0.0.1:10026", &back.to_string())
        };
        if self.is_proxy() {
            let lines = with_back(page.examples("Before-queue proxy", "")[0]);
            assert!(lines.starts_with("smtp inet "), "{lines}");
            let lines = lines
                .replacen("smtp inet ", &format!("{entrance} inet "), 1)
                .replace("127.0.0.1:10025", &target.to_string());
            let adjusted = "    -o smtpd_proxy_options=speed_adjust\n";
            assert!(lines.contains(adjusted), "{lines}");
            let kept = if self == Self::SpeedAdjusted { adjusted } else { "" };
            return settings.service(&lines.replace(adjusted, kept));
        }
        let [main_cf, master_cf] = page.examples("Content filter", "")[..] else {
            panic!("two examples")
        };
        let target = format!("[{}]:{}", target.ip(), target.port());
        for (name, value) in parameters(&main_cf.replace("[127.0.0.1]:10025", &target)) {
            settings = settings.parameter(name, value);
        }
        let line = "    -o content_filter=\n";
        assert!(master_cf.contains(line), "{master_cf}");
        let kept = if self == Self::ForgottenLine { "" } else { line };
        settings.service(&with_back(master_cf).replace(line, kept))
    }
}

/// A table of checks, for Mailweir and for Postfix: the name that both know it by, and its place.
struct Checks(String, #[expect(dead_code, reason = "it lives as long as its name")] TempDir);

impl Checks {
    fn new(lines: &str) -> Self {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("checks");
        std::fs::write(&file, lines).unwrap();
        Self(format!("regexp:{}", file.display()), place)
    }
}

/// Sends a mail, and returns the last answer. The paths begin behind `<`.
async fn send(peer: &mut Peer, from: &str, to: &str, content: &str) -> String {
    let to = if to.contains('>') { to.to_owned() } else { format!("{to}>") };
    peer.ask(&format!("MAIL FROM:<{from}"), "250 *").await;
    peer.ask(&format!("RCPT TO:<{to}"), "250 *").await;
    peer.ask("DATA", "354 *").await;
    peer.write(content.replace("\r\n.", "\r\n..").as_bytes()).await;
    peer.ask(".", "*").await
}

fn assert_as_it_was(mail: &Received) {
    let text = mail.text();
    assert!(text.ends_with(CONTENT), "{text}");
    // Postfix, Mailweir, and Postfix again; or Mailweir, Postfix, and Mailweir again.
    assert_eq!(text.matches("Received: ").count(), 3, "{text}");
}

const LOCAL: &str = "127.0.0.1";

const RULE: &str = "[[moderation.rule]]\nname = \"all\"\nrecipients = [\"user@local.example\"]\n\
                    action = \"approval\"\nmoderators = [\"kim@local.example\"]\nattach = \"none\"\n\
                    tells_sender = \"never\"\n";

const CONTENT: &str = "From: ann@local.example\r\nDate: Fri, 20 Nov 2026 21:30:05 +0000\r\n\
                       Message-Id: <1@local.example>\r\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n\r\n\
                       .a dot\r\n  and a very plain text \r\n";
