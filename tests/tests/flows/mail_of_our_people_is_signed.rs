//! Mail that our own people send is signed by their domain, as it leaves; nobody else's is. Row E11.

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use mailweir_tests::{
    gateway::{Gateway, Setup, TRUSTED, mail, mail_to},
    pass_through::PassThrough,
    sink::{Script, Sink},
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
