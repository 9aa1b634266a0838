//! Who really sent the mail of strangers: what is written on top of it, and what becomes of it by the word of its author's
//! domain. Rows F3, F4, F6 and F8.

use mailweir::control::operation::Place;
use mailweir_tests::{
    dkim::Signer,
    dns::FakeDns,
    gateway::{Gateway, Mail, Setup, TRUSTED, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn what_was_found_out_stands_on_top_of_the_mail_in_place_of_what_others_have_forged() {
    let (gateway, sink, _dns) = with(SPAM, ZONE).await;
    let forged = "Authentication-Results: gate.example; dmarc=pass\r\n\
                  authentication-results : (gate)\r\n \"gate.example\" 1; spf=pass\r\n\
                  Authentication-Results: broken (; dmarc=pass\r\n\
                  Authentication-Results: other.example; spf=pass\r\n";
    let content = format!("{forged}{CONTENT}");
    let id = gateway.submit(ann().content(content)).await.expect_accepted();
    let text = sink.expect_one().await.text();
    let (received, rest) = text.split_once("Authentication-Results:").unwrap();
    assert!(received.starts_with("Received: from client.example"), "{text}");
    let (results, rest) = rest.split_once("X-Mailweir-Spam: ").unwrap();
    assert_eq!(
        results,
        " gate.example;\r\n\tiprev=pass (localhost) policy.iprev=127.0.0.1;\r\n\
         \tspf=pass (ip4:127.0.0.1 of author.test matches)\r\n\tsmtp.mailfrom=ann@author.test;\r\n\
         \tdkim=none;\r\n\tdmarc=pass (aligned by SPF) header.from=author.test\r\n\
         \tpolicy.dmarc=reject\r\n"
    );
    assert!(rest.contains("FORGED_RESULTS 2.5 \"2 fields\""), "{text}");
    let kept = format!("\r\nAuthentication-Results: other.example; spf=pass\r\n{CONTENT}");
    assert!(rest.ends_with(&kept), "{text}");
    let line =
        "authentication: *iprev=pass spf=pass (author.test) dkim=none dmarc=pass (author.test)";
    let line = line.replace("authentication: *", &format!("{id}: "));
    gateway.log().expect(&line).await;
}

#[tokio::test]
async fn mail_that_its_author_s_domain_has_not_authorised_ends_as_that_domain_asks() {
    let forged = || mail().from("x@other.test").content(CONTENT);
    let zone =
        |policy: &str| format!("author.test TXT v=spf1 -all\n_dmarc.author.test TXT {policy}");
    let (gateway, _sink, _dns) = with(SPAM, &zone("v=DMARC1; p=reject")).await;
    let refused = "550 5.7.26 Message rejected by the DMARC policy of author.test";
    gateway.submit(forged()).await.expect_refused(refused);

    let (gateway, _sink, _dns) = with(SPAM, &zone("v=DMARC1; p=reject; t=y")).await;
    let held = gateway.submit(forged()).await.expect_accepted();
    gateway.queue().expect(held, Place::Hold).await;
    let details = format!("{:?}", gateway.queue().show(held).await);
    let reason = "quarantine: it fails the DMARC policy of author.test";
    assert!(details.contains(reason), "{details}");

    let (gateway, _sink, _dns) = with(USUAL, &zone("v=DMARC1; p=reject")).await;
    let held = gateway.submit(forged()).await.expect_accepted();
    gateway.queue().expect(held, Place::Hold).await;

    let (gateway, sink, _dns) = with(SPAM, &zone("v=DMARC1; p=none")).await;
    let _ = gateway.submit(forged()).await.expect_accepted();
    assert!(sink.expect_one().await.text().contains("dmarc=fail"));
}

#[tokio::test]
async fn a_mail_with_a_header_that_nothing_can_be_written_on_is_refused() {
    let (gateway, _sink, _dns) = with(SPAM, ZONE).await;
    let field = format!("X-Pad: {}\r\n", "x".repeat(900));
    let header = |fields: usize| format!("{}{CONTENT}", field.repeat(fields));
    gateway.submit(ann().content(header(1_200))).await.expect_refused("552 5.3.4 *");
    let held = gateway.submit(ann().content(header(1_100))).await.expect_accepted();
    gateway.queue().expect(held, Place::Hold).await;
}

#[tokio::test]
async fn a_domain_may_say_of_each_local_part_whether_it_may_send() {
    let zone = "author.test TXT v=spf1 exists:%{l}._spf.author.test -all\n\
                Ann+tag=x._spf.author.test A 127.0.0.2\n_dmarc.author.test TXT v=DMARC1; p=reject";
    let (gateway, sink, _dns) = with(SPAM, zone).await;
    let from = |sender: &str| mail().from(sender).content(CONTENT);
    let refused = "550 5.7.26 Message rejected by the DMARC policy of author.test";
    gateway.submit(from("bob+tag=x@author.test")).await.expect_refused(refused);
    let _ = gateway.submit(from("ann+tag=x@author.test")).await.expect_accepted();
    assert!(sink.expect_one().await.text().contains("dmarc=pass (aligned by SPF)"));
}

#[tokio::test]
async fn a_signature_authorises_what_a_forwarder_hands_in() {
    let signer = Signer::of("author.test");
    let (gateway, sink, _dns) = with(SPAM, &(ZONE.to_owned() + "\n" + &signer.record())).await;
    let forwarded = |content: String| mail().from("x@other.test").content(content);
    let _ = gateway.submit(forwarded(signer.sign(CONTENT))).await.expect_accepted();
    let text = sink.expect_one().await.text();
    assert!(text.contains("dkim=pass header.d=author.test header.s=k"), "{text}");
    let added = signer.saying("l=6;").sign(CONTENT) + "buy pills\r\n";
    gateway.submit(forwarded(added)).await.expect_refused("550 5.7.26 *");
}

#[tokio::test]
async fn f4_a_second_author_hides_no_refusal() {
    let zone = format!("{ZONE}\n_dmarc.bank.test TXT v=DMARC1; p=reject");
    let (gateway, _sink, _dns) = with(SPAM, &zone).await;
    let two = format!("From: <boss@bank.test>\r\n{CONTENT}");
    gateway.submit(ann().content(two)).await.expect_refused("550 5.7.26 *bank.test");
}

#[tokio::test]
async fn f4_mail_without_an_author_that_can_be_told_is_held() {
    let (gateway, _sink, _dns) = with(USUAL, ZONE).await;
    let nobody = CONTENT.replace("From:", "Sender:");
    let held = gateway.submit(ann().content(nobody)).await.expect_accepted();
    gateway.queue().expect(held, Place::Hold).await;
    gateway.log().expect(&format!("{held}: iprev=pass")).await;
    let details = format!("{:?}", gateway.queue().show(held).await);
    assert!(details.contains("it has no From field"), "{details}");
}

#[tokio::test]
async fn f8_name_servers_that_do_not_tell_refuse_nobody_for_good_and_pass_nobody_in_silence() {
    let waits = "451 4.4.3 Temporary lookup failure of the author's domain";
    let forged = || mail().from("x@other.test").content(CONTENT);
    let (gateway, sink, _dns) = with(USUAL, "_dmarc.author.test SERVFAIL").await;
    let _ = gateway.submit(forged()).await.expect_accepted();
    let text = sink.expect_one().await.text();
    assert!(text.contains("dmarc=temperror"), "{text}");

    let defers = "enabled = true\nif_unclear = \"defer\"";
    let (gateway, _sink, _dns) = with(defers, "_dmarc.author.test SERVFAIL").await;
    gateway.submit(forged()).await.expect_refused(waits);

    let zone = "author.test SERVFAIL\n_dmarc.author.test TXT v=DMARC1; p=reject";
    let (gateway, _sink, _dns) = with(USUAL, zone).await;
    gateway.submit(ann().content(CONTENT)).await.expect_refused(waits);
}

#[tokio::test]
async fn whoever_only_wants_to_know_refuses_nothing() {
    let (gateway, sink, _dns) = with("enabled = true\ndmarc = \"note\"", ZONE).await;
    let forged = mail().from("x@other.test").content(CONTENT);
    let _ = gateway.submit(forged).await.expect_accepted();
    assert!(sink.expect_one().await.text().contains("dmarc=fail"));
}

#[tokio::test]
async fn our_own_people_are_not_strangers_and_write_nothing_in_our_name() {
    let (gateway, sink, dns) = with(SPAM, ZONE).await;
    let mut ours = gateway.connect_from(TRUSTED, "mx").await;
    ours.greet().await;
    let forged = "Authentication-Results: gate.example; dmarc=pass\r\n".to_owned() + CONTENT;
    let _ = ours.send(&mail().content(forged)).await.expect_accepted();
    let text = sink.expect_one().await.text();
    assert!(!text.contains("Authentication-Results") && text.ends_with(CONTENT), "{text}");
    assert_eq!(dns.queries("_dmarc.author.test", "TXT"), 0);
}

#[tokio::test]
async fn whom_a_postfix_of_ours_hands_mail_in_for_is_asked_about_and_never_refused() {
    let (gateway, sink, _dns) = with(&format!("{SPAM}\nquarantine_from = \"never\""), ZONE).await;
    let mut postfix = gateway.connect_from(TRUSTED, "mx").await;
    postfix.greet().await;
    postfix.ask("XFORWARD NAME=x.test ADDR=192.0.2.9 HELO=x.test", "250 *").await;
    let _ = postfix.send(&ann().content(CONTENT)).await.expect_accepted();
    let text = sink.expect_one().await.text();
    assert!(text.contains("spf=fail") && text.contains("dmarc=fail"), "{text}");
    postfix.ask("XFORWARD NAME=client.test ADDR=127.0.0.1 HELO=client.test", "250 *").await;
    let _ = postfix.send(&ann().content(CONTENT)).await.expect_accepted();
    assert!(sink.expect(2).await[1].text().contains("spf=pass"));

    let scoring = format!("{SPAM}\nquarantine_from = \"never\"\nreject_from = 5.1");
    let (gateway, _sink, _dns) = with(&scoring, ZONE).await;
    let mut postfix = gateway.connect_from(TRUSTED, "mx").await;
    postfix.greet().await;
    postfix.ask("XFORWARD NAME=x.test ADDR=192.0.2.9 HELO=x.test", "250 *").await;
    let held = postfix.send(&ann().content(CONTENT)).await.expect_accepted();
    gateway.queue().expect(held, Place::Hold).await;
}

#[tokio::test]
async fn who_writes_in_our_name_by_way_of_a_relay_may_have_logged_in_there() {
    let (gateway, sink, _dns) =
        with(&format!("{USUAL}\nquarantine_from = \"never\""), OWN_ZONE).await;
    let mut postfix = gateway.connect_from(TRUSTED, "mx").await;
    postfix.greet().await;
    let ours = CONTENT.replace("ann@author.test", "ann@LOCAL.example");
    let score_of = |text: &str| {
        assert!(text.contains("spf=fail"), "{text}");
        let (_, score) = text.split_once("X-Mailweir-Spam: ").unwrap();
        score.split_once("\r\nFrom: ").unwrap().0.to_owned()
    };
    for (nth, (sender, content, counts)) in [
        ("ann@local.example", CONTENT, false),
        ("ann@author.test", ours.as_str(), false),
        ("ann@author.test", CONTENT, true),
    ]
    .into_iter()
    .enumerate()
    {
        postfix.ask("XFORWARD NAME=x.test ADDR=192.0.2.9 HELO=x.test", "250 *").await;
        let _ = postfix.send(&mail().from(sender).content(content)).await.expect_accepted();
        let text = sink.expect(nth + 1).await[nth].text();
        let score = score_of(&text);
        for symbol in ["SPF_FAIL", "DMARC_", "DKIM_NONE", "RDNS_NONE"] {
            assert_eq!(score.contains(symbol), counts, "{symbol}: {text}");
        }
    }
}

#[tokio::test]
async fn our_own_people_s_mail_that_a_relay_has_taken_is_held_and_never_refused() {
    let rules = format!("{USUAL}\noutbound_quarantine_from = 0.1\noutbound_reject_from = 0.2");
    let (gateway, _sink, _dns) = with(&rules, ZONE).await;
    let undated = || mail().content("From: <ann@local.example>\r\nSubject: x\r\n\r\nhello\r\n");
    let mut postfix = gateway.connect_from(TRUSTED, "mx").await;
    postfix.greet().await;
    let held = postfix.send(&undated()).await.expect_accepted();
    gateway.queue().expect(held, Place::Hold).await;
    postfix.ask(&format!("XFORWARD NAME=x.test ADDR={TRUSTED} HELO=x.test"), "250 *").await;
    let held = postfix.send(&undated()).await.expect_accepted();
    gateway.queue().expect(held, Place::Hold).await;
}

#[tokio::test]
async fn a_postfix_that_may_say_for_whom_it_speaks_and_does_not_is_no_stranger_itself() {
    let sink = Sink::start(Script::smtp()).await;
    let listener = format!("mode = \"mx\"\nxforward_hosts = [\"{TRUSTED}\"]");
    let setup = Setup::before(&sink).listener("mx", &listener).section("spam", SPAM);
    let gateway = Gateway::start(&setup).await;
    let mut postfix = gateway.connect_from(TRUSTED, "mx").await;
    postfix.greet().await;
    let _ = postfix.send(&ann().content(CONTENT)).await.expect_accepted();
    assert!(!sink.expect_one().await.text().contains("Authentication-Results"));
}

#[tokio::test]
async fn a_large_mail_is_marked_and_whole() {
    let (gateway, sink, _dns) = with(SPAM, ZONE).await;
    let body = "0123456789 abcdefghijklmnopqrstuvwxyz\r\n".repeat(100_000);
    let content = format!("{CONTENT}{body}");
    let _ = gateway.submit(ann().content(&content)).await.expect_accepted();
    let text = sink.expect_one().await.text();
    assert!(text.contains("\r\nAuthentication-Results: gate.example;\r\n"));
    assert!(text.ends_with(&content));
}

const SPAM: &str = "enabled = true\ndmarc = \"obey\"";

/// As it is by default.
const USUAL: &str = "enabled = true";

const CONTENT: &str =
    "From: Ann <ann@author.test>\r\nTo: user@local.example\r\nSubject: x\r\n\r\nhello\r\n";

/// Domains that say of all hosts that they may not send for them.
const OWN_ZONE: &str = "author.test TXT v=spf1 -all\n_dmarc.author.test TXT v=DMARC1; p=reject\n\
                        local.example TXT v=spf1 -all\n_dmarc.local.example TXT v=DMARC1; p=reject";

const ZONE: &str =
    "author.test TXT v=spf1 ip4:127.0.0.1 -all\n_dmarc.author.test TXT v=DMARC1; p=reject";

fn ann() -> Mail {
    mail().from("ann@author.test")
}

async fn with(spam: &str, zone: &str) -> (Gateway, Sink, FakeDns) {
    let dns = FakeDns::start(zone).await;
    let sink = Sink::start(Script::smtp()).await;
    let listener =
        format!("mode = \"mx\"\nnetworks = [\"{TRUSTED}\"]\nxforward_hosts = [\"{TRUSTED}\"]");
    let setup = Setup::before(&sink)
        .listener("mx", &listener)
        .section("dns", &format!("servers = [\"{}\"]\ntimeout = \"1s\"", dns.address()))
        .section("spam", spam);
    (Gateway::start(&setup).await, sink, dns)
}
