//! Mail that our own people and the gateway itself send is signed by their domain, as it leaves; nobody else's is. Row E11.

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use mailweir_tests::{
    gateway::{Gateway, Setup, TRUSTED, mail, mail_to},
    pass_through::PassThrough,
    sink::{Point, Script, Sink},
};
use tempfile::TempDir;

#[tokio::test]
async fn mail_from_our_networks_is_signed_and_a_stranger_s_is_not() {
    let (keys, sections) = keys();
    let sink = Sink::start(Script::smtp()).await;
    let gateway = Gateway::start(&setup(&sink, &sections)).await;
    let mut ours = gateway.connect_from(TRUSTED, "mx").await;
    ours.greet().await;
    let _ = ours.send(&mail().content(CONTENT)).await.expect_accepted();
    let text = sink.expect_one().await.text();
    let (received, signed) = text.split_once("DKIM-Signature: ").expect("a signature");
    assert!(received.starts_with("Received: "), "{text}");
    assert!(signed.contains("a=ed25519-sha256;") && signed.contains("d=local.example;"), "{text}");
    assert!(signed.ends_with(CONTENT), "{text}");

    let _ = gateway.submit(mail().content(CONTENT)).await.expect_accepted();
    assert!(!sink.expect(2).await[1].text().contains("DKIM-Signature"));
    let other = CONTENT.replace("ann@local.example", "ann@other.test");
    let _ = ours.send(&mail().content(other)).await.expect_accepted();
    assert!(!sink.expect(3).await[2].text().contains("DKIM-Signature"));
    drop(keys);
}

#[tokio::test]
async fn mail_that_passes_a_filter_is_signed_behind_it_if_it_came_from_our_people() {
    let (_keys, sections) = keys();
    let (sink, footer) = (Sink::start(Script::smtp()).await, PassThrough::start().await);
    let filter = format!(
        "{sections}\n[[filter]]\nname = \"footer\"\ntype = \"smtp\"\nto = \"smtp://{}\"\n\
         returns_to = \"behind\"\n",
        footer.address()
    );
    let back =
        "mode = \"filter\"\nnetworks = [\"127.0.0.0/8\"]\nxforward_hosts = [\"127.0.0.0/8\"]";
    let gateway = Gateway::start(&setup(&sink, &filter).listener("behind", back)).await;
    footer.hand_back_to(gateway.address("behind"));

    let mut ours = gateway.connect_from(TRUSTED, "mx").await;
    ours.greet().await;
    let _ = ours.send(&mail().content(CONTENT)).await.expect_accepted();
    assert_eq!(sink.expect_one().await.text().matches("DKIM-Signature: ").count(), 1);
    let _ = gateway.submit(mail_to("user").content(CONTENT)).await.expect_accepted();
    assert!(!sink.expect(2).await[1].text().contains("DKIM-Signature"));

    // Handed back without a slip: it may have come from anybody.
    let mut filter = gateway.connect_to("behind").await;
    filter.greet().await;
    let _ = filter.send(&mail().content(CONTENT)).await.expect_accepted();
    assert!(!sink.expect(3).await[2].text().contains("DKIM-Signature"));
}

#[tokio::test]
async fn mail_that_a_failed_filter_is_left_out_for_is_signed() {
    let (_keys, sections) = keys();
    let sink = Sink::start(Script::smtp()).await;
    let out_of_order = Script::smtp().replying(Point::Connect, "554 out of order");
    let broken = Sink::start(out_of_order).await;
    let filter = format!(
        "{sections}\n[[filter]]\nname = \"footer\"\ntype = \"smtp\"\nto = \"smtp://{}\"\n\
         returns_to = \"behind\"\nif_failed = \"pass\"\n",
        broken.address()
    );
    let back = "mode = \"filter\"\nnetworks = [\"127.0.0.0/8\"]";
    let gateway = Gateway::start(&setup(&sink, &filter).listener("behind", back)).await;
    let mut ours = gateway.connect_from(TRUSTED, "mx").await;
    ours.greet().await;
    let _ = ours.send(&mail().content(CONTENT)).await.expect_accepted();
    let left = sink.expect_one().await.text();
    assert!(left.ends_with(CONTENT) && is_signed(&left), "{left}");
}

#[tokio::test]
async fn mail_that_an_action_sends_where_no_filter_of_ours_is_is_signed() {
    let (_keys, sections) = keys();
    let [sink, elsewhere] = [Sink::start(Script::smtp()).await, Sink::start(Script::smtp()).await];
    let (ip, port) = (elsewhere.address().ip(), elsewhere.address().port());
    let checks = format!("header_checks = [\"static:FILTER smtp:[{ip}]:{port}\"]");
    let setup = setup(&sink, &sections).section("checks", &checks);
    let gateway = Gateway::start(&setup).await;
    let mut ours = gateway.connect_from(TRUSTED, "mx").await;
    ours.greet().await;
    let _ = ours.send(&mail().content(CONTENT)).await.expect_accepted();
    let left = elsewhere.expect_one().await.text();
    assert!(left.ends_with(CONTENT) && is_signed(&left), "{left}");
    sink.expect_nothing();
}

#[tokio::test]
async fn reports_and_notices_of_the_gateway_itself_are_signed() {
    let (_keys, sections) = keys();
    let refuses = "550 5.1.1 no such user";
    let script = Script::smtp().replying_for("nobody@local.example", Point::Rcpt, refuses);
    let sink = Sink::start(script).await;
    let rule = "[[moderation.rule]]\nname = \"secrets\"\naction = \"approval\"\n\
        subject = [\"secret\"]\nmoderators = [\"boss@local.example\"]\ntells_sender = \"never\"\n";
    let setup = setup(&sink, &format!("{sections}{rule}")).called("gate.local.example");
    let gateway = Gateway::start(&setup).await;

    let lost = mail_to("nobody").from("user@local.example").content(CONTENT);
    let _ = gateway.submit(lost).await.expect_accepted();
    let report = sink.expect_one().await.text();
    assert!(report.contains("MAILER-DAEMON@gate.local.example"), "{report}");
    assert!(is_signed(&report), "{report}");

    let secret = CONTENT.replace("Subject: x", "Subject: secret");
    let _ = gateway.submit(mail().content(secret)).await.expect_accepted();
    let notice = sink.expect(2).await[1].text();
    assert!(notice.contains("boss@local.example"), "{notice}");
    assert!(is_signed(&notice), "{notice}");
}

#[tokio::test]
async fn the_author_that_others_see_signs() {
    let (_keys, sections) = keys();
    let sink = Sink::start(Script::smtp()).await;
    let generic = "smtp_generic_maps = [\"inline:{ann@inside.test=ann@local.example}\"]";
    let setup = setup(&sink, &sections).section("rewriting", generic);
    let gateway = Gateway::start(&setup).await;
    let mut ours = gateway.connect_from(TRUSTED, "mx").await;
    ours.greet().await;
    let inside = CONTENT.replace("ann@local.example", "ann@inside.test");
    let _ = ours.send(&mail().content(inside)).await.expect_accepted();
    let left = sink.expect_one().await.text();
    assert!(left.ends_with(CONTENT) && is_signed(&left), "{left}");
}

fn is_signed(mail: &str) -> bool {
    mail.split("\r\n\r\n").next().is_some_and(|header| {
        header.starts_with("DKIM-Signature: ") || header.contains("\r\nDKIM-Signature: ")
    }) && mail.contains("d=local.example;")
}

const CONTENT: &str =
    "From: Ann <ann@local.example>\r\nTo: user@local.example\r\nSubject: x\r\n\r\nhello\r\n";

fn setup(sink: &Sink, sections: &str) -> Setup {
    let listener = format!("mode = \"mx\"\nnetworks = [\"{TRUSTED}\"]");
    Setup::before(sink).listener("mx", &listener).sections(sections)
}

/// A key of the domain, and the section that names it.
fn keys() -> (TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key.pem");
    let der = Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap();
    let (label, key) = ("PRIVATE KEY", BASE64_STANDARD.encode(der.as_ref()));
    std::fs::write(&file, format!("-----BEGIN {label}-----\n{key}\n-----END {label}-----\n"))
        .unwrap();
    let section = format!(
        "[[dkim]]\ndomain = \"local.example\"\nselector = \"k\"\nkey_file = \"{}\"\n",
        file.display()
    );
    (directory, section)
}
