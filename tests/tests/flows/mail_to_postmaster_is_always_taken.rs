//! RFC 5321 section 4.5.1: there is somebody behind `<postmaster>`, whoever asks.

use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn a_stranger_reaches_the_person_who_is_postmaster() {
    let sink = Sink::start(Script::smtp()).await;
    let setup = Setup::before(&sink).section("domains", "postmaster = \"ann@local.example\"");
    let gateway = Gateway::start(&setup).await;
    let mail = mail().to("Postmaster").to("user@local.example");
    let _ = gateway.submit(mail).await.expect_accepted();
    let arrived = sink.expect_one().await;
    assert_eq!(arrived.recipients(), ["ann@local.example", "user@local.example"]);
}
