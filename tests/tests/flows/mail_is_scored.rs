//! How much a mail looks like spam, what becomes of it by that, and where that is explained.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use mailweir::control::operation::Place;
use mailweir_tests::{
    dns::FakeDns,
    gateway::{Gateway, Mail, Setup, TRUSTED, mail},
    scanners::{Clamd, Rspamd},
    sink::{Script, Sink},
    tools, wait,
};

#[tokio::test]
async fn what_becomes_of_a_mail_depends_on_its_points() {
    for (weight, becomes) in
        [("4.9", "pass"), ("5.0", "tag"), ("8.0", "quarantine"), ("12.0", "reject")]
    {
        let (gateway, sink, _dns) =
            with(&format!("reject_from = 12\n{USUAL}"), &weighing(weight)).await;
        let sent = gateway.submit(stranger().content(LOUD)).await;
        if becomes == "reject" {
            sent.expect_refused("550 5.7.1 Message looks like spam");
            gateway.log().expect("reject: score=12.0 SUBJECT_ALL_CAPITALS=12.0").await;
            continue;
        }
        let id = sent.expect_accepted();
        gateway
            .log()
            .expect(&format!("{id}: {becomes}: score={weight} SUBJECT_ALL_CAPITALS={weight}"))
            .await;
        if becomes == "quarantine" {
            gateway.queue().expect(id, Place::Hold).await;
            let details = format!("{:?}", gateway.queue().show(id).await);
            assert!(details.contains("quarantine: it looks like spam (8.0 points)"), "{details}");
            continue;
        }
        let text = sink.expect_one().await.text();
        let field = format!("\r\nX-Mailweir-Spam: {weight};\r\n\tSUBJECT_ALL_CAPITALS {weight} \"");
        assert!(text.contains(&field), "{text}");
        assert_eq!(text.contains("\r\nX-Spam-Flag: YES\r\n"), becomes == "tag", "{text}");
        assert!(text.ends_with(LOUD), "{text}");
    }
}

#[tokio::test]
async fn a_mail_that_its_content_makes_suspicious_has_to_come_again() {
    let rules = format!("{USUAL}\ngreylist = \"suspicious\"\ngreylist_delay = \"1s\"");
    let again = "[symbol.GREYLISTED]\nweight = ";
    let weights = weighing("3.0").replace(&format!("{again}0.0"), &format!("{again}-0.3"));
    let (gateway, _sink, _dns) = with(&rules, &weights).await;
    let _ = gateway.submit(stranger().content(CALM)).await.expect_accepted();
    let waits = "451 4.7.1 Error: Greylisted, try again in 1 seconds";
    gateway.submit(stranger().content(LOUD)).await.expect_refused(waits);
    gateway.log().expect("greylist: score=3.0 SUBJECT_ALL_CAPITALS=3.0").await;
    let again = async || gateway.submit(stranger().content(LOUD)).await.reply().starts_with("250 ");
    wait::until_true("the end of the delay", again).await;
    gateway.log().expect("GREYLISTED=-0.3 \"it came again after").await;
}

#[tokio::test]
async fn mail_that_is_held_earns_its_sender_no_pass_of_the_greylist() {
    let rules = format!("{USUAL}\ngreylist = \"suspicious\"\ngreylist_delay = \"1s\"");
    let undated = "[symbol.MISSING_DATE]\nweight = ";
    let weights = weighing("3.0").replace(&format!("{undated}0.0"), &format!("{undated}7.0"));
    let (gateway, _sink, _dns) = with(&rules, &weights).await;
    let worse = LOUD.replace("Date:", "X:");
    let held = gateway.submit(stranger().content(worse)).await.expect_accepted();
    gateway.queue().expect(held, Place::Hold).await;
    let (other, since) = (|| mail().from("y@other.test"), std::time::Instant::now());
    let waits = "451 4.7.1 Error: Greylisted, try again in 1 seconds";
    gateway.submit(other().content(LOUD)).await.expect_refused(waits);
    // When who was put off may come, who was held is still unknown.
    let again = async || gateway.submit(other().content(LOUD)).await.reply().starts_with("250 ");
    wait::until_true("the end of the delay", again).await;
    assert!(since.elapsed() >= std::time::Duration::from_secs(1));
    gateway.submit(stranger().content(LOUD)).await.expect_refused(waits);
}

#[tokio::test]
async fn f8_nobody_is_refused_while_a_list_that_could_speak_for_them_does_not_answer() {
    let zone = "1.2.0.192.wl.test SERVFAIL";
    for (weight, is_refused) in [("-2", false), ("2", true)] {
        let dns = FakeDns::start(zone).await;
        let sink = Sink::start(Script::smtp()).await;
        let rules = format!("{USUAL}\nreject_from = 12\ndnsbl_sites = [\"wl.test*{weight}\"]");
        let setup = setup(&sink, &dns, &rules)
            .listener("told", &format!("mode = \"mx\"\nxclient_hosts = [\"{TRUSTED}\"]"))
            .section("spam", "weights_file = \"weights.toml\"")
            .file("weights.toml", &weighing("12.0"));
        let gateway = Gateway::start(&setup).await;
        let mut peer = gateway.connect_from(TRUSTED, "told").await;
        peer.greet().await;
        peer.ask("XCLIENT ADDR=192.0.2.1", "220 *").await;
        peer.ask("EHLO client.example", "250 *").await;
        let sent = peer.send(&stranger().content(LOUD)).await;
        assert!(dns.queries("1.2.0.192.wl.test", "A") > 0);
        match is_refused {
            true => sent.expect_refused("550 5.7.1 *"),
            false => gateway.queue().expect(sent.expect_accepted(), Place::Hold).await,
        }
    }
}

#[tokio::test]
async fn mail_that_a_rule_holds_too_is_in_quarantine() {
    let dns = FakeDns::start("").await;
    let sink = Sink::start(Script::smtp()).await;
    let setup = setup(&sink, &dns, USUAL)
        .section("spam", "weights_file = \"weights.toml\"")
        .section("checks", "header_checks = [\"static:HOLD look at this\"]")
        .file("weights.toml", &weighing("8.0"));
    let gateway = Gateway::start(&setup).await;
    let id = gateway.submit(stranger().content(LOUD)).await.expect_accepted();
    gateway.queue().expect(id, Place::Hold).await;
    let details = format!("{:?}", gateway.queue().show(id).await);
    assert!(details.contains("quarantine: it looks like spam (8.0 points); "), "{details}");
}

#[tokio::test]
async fn nobody_else_says_how_a_mail_was_scored() {
    let (gateway, sink, _dns) = with(USUAL, &weighing("1.0")).await;
    let forged = "X-Spam-Flag: NO\r\nx-mailweir-spam : -9.9\r\nX-Spam-Level: *\r\n";
    let _ = gateway.submit(stranger().content(format!("{forged}{LOUD}"))).await.expect_accepted();
    let text = sink.expect_one().await.text();
    assert!(!text.contains("-9.9") && !text.contains("X-Spam-Flag"), "{text}");
    assert!(text.ends_with(&format!("X-Spam-Level: *\r\n{LOUD}")), "{text}");
}

#[tokio::test]
async fn mail_of_our_own_people_has_thresholds_of_its_own_and_says_nothing_of_them() {
    let rules = "outbound_quarantine_from = 6\nenabled = true\nauthserv_id = \"gate.example\"";
    for (weight, place) in [("5.9", None), ("6.0", Some(Place::Hold))] {
        let (gateway, sink, _dns) = with(rules, &weighing(weight)).await;
        let mut ours = gateway.connect_from(TRUSTED, "mx").await;
        ours.greet().await;
        let id = ours.send(&mail().content(LOUD)).await.expect_accepted();
        match place {
            Some(place) => gateway.queue().expect(id, place).await,
            None => {
                let text = sink.expect_one().await.text();
                assert!(!text.contains("Spam"), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn lists_of_what_spam_links_to_count() {
    let rules = format!("{USUAL}\nuribl_sites = [\"uri.test=127.0.0.2*2\", \"gone.test\"]");
    let zone = "evil.test.uri.test A 127.0.0.2\nfine.test.gone.test A 127.255.255.254";
    let (gateway, sink, dns) = with_zone(&rules, "", zone).await;
    let links = "see http://www.evil.test/x and http://fine.test/ and http://local.example/\r\n";
    let content = format!("{CALM}{links}");
    let id = gateway.submit(stranger().content(content)).await.expect_accepted();
    let line = gateway.log().expect(&format!("{id}: quarantine: score=")).await;
    assert!(
        line.contains("URIBL=9.0 \"evil.test is on uri.test=127.0.0.2*2 (127.0.0.2)\""),
        "{line}"
    );
    assert_eq!(dns.queries("local.example.uri.test", "A"), 0);
    gateway.log().expect("domain evil.test listed by domain uri.test as 127.0.0.2").await;
    gateway.log().expect("gone.test lists nobody for now: it answers with the error code").await;
    drop(sink);
}

#[tokio::test]
async fn g4_lists_are_asked_about_links_as_often_as_the_limit_says() {
    let rules = format!("{USUAL}\nuribl_sites = [\"uri.test\"]\ndns_lookup_limit = 2");
    let (gateway, _sink, dns) = with_zone(&rules, "", "").await;
    let names: Vec<String> = (0..6).map(|nth| format!("n{nth}.test")).collect();
    let links: String = names.iter().map(|name| format!("http://{name}/\r\n")).collect();
    let _ = gateway.submit(stranger().content(format!("{CALM}{links}"))).await.expect_accepted();
    let asked = |name: &String| dns.queries(&format!("{name}.uri.test"), "A");
    assert_eq!(names.iter().map(asked).sum::<usize>(), 2);
}

#[tokio::test]
async fn f8_lists_that_do_not_answer_say_nothing() {
    let rules = format!("{USUAL}\nuribl_sites = [\"uri.test\"]");
    let (gateway, sink, _dns) = with_zone(&rules, "", "evil.test.uri.test SERVFAIL").await;
    let content = format!("{CALM}see http://www.evil.test/x\r\n");
    let _ = gateway.submit(stranger().content(content)).await.expect_accepted();
    let text = sink.expect_one().await.text();
    assert!(text.contains("X-Mailweir-Spam:") && !text.contains("URIBL"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn malware_that_a_scanner_knows_ends_as_the_score_s_rules_say() {
    if !tools::require(&["clamd"]) {
        return;
    }
    let clamd = tokio::task::spawn_blocking(Clamd::start).await.unwrap();
    for (malware, becomes) in
        [("discard", "discard"), ("quarantine", "quarantine"), ("reject", "reject")]
    {
        let dns = FakeDns::start("").await;
        let sink = Sink::start(Script::smtp()).await;
        let filter = format!(
            "name = \"clam\"\ntype = \"clamd\"\nserver = \"inet:{}\"\njoin_score = true",
            clamd.address()
        );
        let setup = setup(&sink, &dns, &format!("{USUAL}\nmalware = \"{malware}\""))
            .sections(&format!("[[filter]]\n{filter}"));
        let gateway = Gateway::start(&setup).await;
        let sent = gateway.submit(stranger().content(infected())).await;
        match becomes {
            "reject" => sent.expect_refused("550 5.7.1 Message has known malware"),
            "quarantine" => gateway.queue().expect(sent.expect_accepted(), Place::Hold).await,
            _ => {
                let id = sent.expect_accepted();
                gateway.log().expect(&format!("{id}: discard: END-OF-MESSAGE")).await;
            }
        }
        gateway.log().expect(&format!("{becomes}: score=")).await;
        let _ = gateway.submit(stranger().content(CALM)).await.expect_accepted();
        assert!(sink.expect_one().await.text().contains("X-Virus-Scanned: ClamAV"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clamd_only_suspects_is_held_and_not_thrown_away() {
    if !tools::require(&["clamd"]) {
        return;
    }
    let clamd = tokio::task::spawn_blocking(Clamd::start).await.unwrap();
    let (dns, sink) = (FakeDns::start("").await, Sink::start(Script::smtp()).await);
    let setup = setup(&sink, &dns, &format!("{USUAL}\nmalware = \"discard\""))
        .sections(&joining("clamd", clamd.address()));
    let gateway = Gateway::start(&setup).await;
    let id = gateway.submit(stranger().content(with_archive())).await.expect_accepted();
    gateway.queue().expect(id, Place::Hold).await;
    gateway.log().expect(&format!("{id}: quarantine: score=*Heuristics.Encrypted.Zip")).await;
    let _ = gateway.submit(stranger().content(infected())).await.expect_accepted();
    gateway.log().expect("discard: END-OF-MESSAGE").await;
    sink.expect_nothing();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rspamd_wants_counts_as_points() {
    if !tools::require(&["rspamd"]) {
        return;
    }
    let rspamd = tokio::task::spawn_blocking(Rspamd::start).await.unwrap();
    let (dns, sink) = (FakeDns::start("").await, Sink::start(Script::smtp()).await);
    let setup_with = |filter: &str| setup(&sink, &dns, USUAL).sections(filter);
    let mut gateway = Gateway::start(&setup_with(&joining("rspamd", rspamd.address()))).await;
    let wanting =
        |action: &str| stranger().content(CALM.replace("lunch", &format!("action={action}")));
    for harmless in ["no action", "add header", "rewrite subject", "greylist"] {
        let id = gateway.submit(wanting(harmless)).await.expect_accepted();
        gateway.log().expect(&format!("{id}: removed")).await;
    }
    let id = gateway.submit(wanting("reject")).await.expect_accepted();
    gateway.queue().expect(id, Place::Hold).await;
    gateway.log().expect(&format!("{id}: quarantine: score=*RSPAMD=8.0 \"reject, 0.0, ")).await;
    gateway.submit(wanting("soft reject")).await.expect_refused("451 4.7.1 *");
    // By itself it refuses.
    let alone = joining("rspamd", rspamd.address()).replace("join_score = true", "");
    gateway.reload(&setup_with(&alone)).await.unwrap();
    gateway.submit(wanting("reject")).await.expect_refused("554 5.7.1 *");
    assert_eq!(sink.expect(4).await.len(), 4);
}

#[tokio::test]
async fn the_log_has_every_part_of_a_score() {
    let (gateway, _sink, _dns) = with(USUAL, "").await;
    let content = LOUD.replace("Subject: BUY", "Subject: \"BUY\"; FROM=<X>").replace("Date:", "X:");
    let _ = gateway.submit(stranger().content(content)).await.expect_accepted();
    let line = gateway.log().expect("SUBJECT_ALL_CAPITALS=1.5 \"'BUY'; FROM=<X> THIS").await;
    assert!(line.contains("MISSING_DATE=") && line.contains("DKIM_NONE=0.1"), "{line}");
    assert!(line.ends_with("helo=<client.example>"), "{line}");
}

#[tokio::test]
async fn e9_the_odd_mail_of_the_world_is_looked_at_and_leaves_as_it_came() {
    let lenient = "enabled = true\ndmarc = \"note\"\nquarantine_from = 50";
    let (gateway, sink, _dns) = with(lenient, "").await;
    for (nth, mail) in odd_mails().iter().enumerate() {
        let id = gateway.submit(stranger().content(mail)).await.expect_accepted();
        let relayed = sink.expect(nth + 1).await.remove(nth).content();
        assert!(relayed.ends_with(mail), "{id}: {:?}", String::from_utf8_lossy(mail));
        let above = String::from_utf8_lossy(&relayed[..relayed.len() - mail.len()]).into_owned();
        assert!(above.contains("\r\nX-Mailweir-Spam: "), "{above}");
    }
}

/// The messages of mime4j that SMTP can carry, if they are at hand.
fn odd_mails() -> Vec<Vec<u8>> {
    let folder = tools::test_data("mime4j/core/src/test/resources");
    let folders = folder.into_iter().flat_map(|folder| folder.read_dir().unwrap().flatten());
    let files = folders.flat_map(|folder| folder.path().read_dir().unwrap().flatten());
    let files = files.map(|file| file.path());
    let mails = files.filter(|file| file.extension().is_some_and(|end| end == "msg"));
    let mut mails: Vec<_> =
        mails.map(|file| as_smtp_carries(&std::fs::read(file).unwrap())).collect();
    // RFC 5321 section 4.5.3.1.6.
    mails.retain(|mail| mail.split(|byte| *byte == b'\n').all(|line| line.len() < 1_000));
    mails
}

fn as_smtp_carries(mail: &[u8]) -> Vec<u8> {
    let lines = mail.split(|byte| *byte == b'\n');
    let bare = lines.map(|line| line.iter().copied().filter(|byte| !matches!(byte, b'\r' | 0)));
    let mut carried = Vec::new();
    for line in bare {
        carried.extend(line);
        carried.extend_from_slice(b"\r\n");
    }
    carried
}

fn stranger() -> Mail {
    mail().from("x@other.test")
}

/// By default, but for what says where a mail came from: it is told in other flows.
const USUAL: &str = "enabled = true";

const CALM: &str = "From: <ann@author.test>\r\nTo: user@local.example\r\nSubject: lunch\r\n\
                    Date: Mon, 23 Nov 2026 22:57:20 +0000\r\nMessage-ID: <1.x@author.test>\r\n\r\nhello\r\n";

const LOUD: &str = "From: <ann@author.test>\r\nTo: user@local.example\r\nSubject: BUY THIS NOW OR NEVER AGAIN\r\n\
                    Date: Mon, 23 Nov 2026 22:57:20 +0000\r\nMessage-ID: <1.x@author.test>\r\n\r\nhello\r\n";

/// Weights by which nothing counts but the Subject.
fn weighing(points: &str) -> String {
    let mut weights = format!(
        "[group.header]\nmost = 40.0\n[symbol.SUBJECT_ALL_CAPITALS]\nweight = {points}\nalone = \"tried\"\n"
    );
    for symbol in mailweir_spam::symbols::Symbol::ALL {
        if symbol.name() != "SUBJECT_ALL_CAPITALS" {
            weights.push_str(&format!("[symbol.{symbol}]\nweight = 0.0\n"));
        }
    }
    weights
}

/// A scanner whose findings count.
fn joining(kind: &str, address: std::net::SocketAddr) -> String {
    format!(
        "[[filter]]\nname = \"{kind}\"\ntype = \"{kind}\"\nserver = \"inet:{address}\"\njoin_score = true"
    )
}

/// With an archive that takes a password.
fn with_archive() -> String {
    let archive = BASE64_STANDARD.encode(Clamd::locked_archive());
    let typed = "Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64";
    CALM.replace("\r\n\r\nhello", &format!("\r\n{typed}\r\n\r\n{archive}"))
}

fn infected() -> String {
    format!("{CALM}{}\r\n", Clamd::eicar())
}

async fn with(rules: &str, weights: &str) -> (Gateway, Sink, FakeDns) {
    with_zone(rules, weights, "").await
}

/// No weights: those that are built in.
async fn with_zone(rules: &str, weights: &str, zone: &str) -> (Gateway, Sink, FakeDns) {
    let dns = FakeDns::start(zone).await;
    let sink = Sink::start(Script::smtp()).await;
    let mut setup = setup(&sink, &dns, rules);
    if !weights.is_empty() {
        setup = setup.section("spam", "weights_file = \"weights.toml\"");
    }
    (Gateway::start(&setup.file("weights.toml", weights)).await, sink, dns)
}

fn setup(sink: &Sink, dns: &FakeDns, rules: &str) -> Setup {
    Setup::before(sink)
        .listener("mx", &format!("mode = \"mx\"\nnetworks = [\"{TRUSTED}\"]"))
        .section("dns", &format!("servers = [\"{}\"]\ntimeout = \"1s\"", dns.address()))
        .section("spam", rules)
}
