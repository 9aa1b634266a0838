//! `smtp_generic_maps`: the envelope and the header of what leaves by SMTP, not by LMTP.

use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn what_leaves_by_smtp_has_addresses_that_others_know_and_else_is_as_it_came() {
    let sink = Sink::start(Script::smtp()).await;
    let (gateway, id) = sent(&Setup::before(&sink)).await;
    let arrived = sink.expect_one().await;
    assert_eq!(arrived.sender(), "joe@public.example");
    assert_eq!(arrived.recipients(), ["box@store.example"]);
    let expected = CONTENT.replacen("joe@client.example>", "joe@public.example>", 1);
    assert!(arrived.content().ends_with(expected.as_bytes()), "{}", arrived.text());
    gateway.log().expect(&format!("{id}: to=<user@local.example>, relay=*status=sent")).await;
}

#[tokio::test]
async fn a_large_mail_is_changed_in_its_header_only() {
    let sink = Sink::start(Script::smtp()).await;
    let gateway = Gateway::start(&Setup::before(&sink).section("rewriting", GENERIC)).await;
    let body = "To: joe@client.example, some more text in a long line\r\n".repeat(20_000);
    let written = format!("{CONTENT}{body}");
    let mail = mail().from("joe@client.example").content(&written);
    let _ = gateway.submit(mail).await.expect_accepted();
    let expected = written.replacen("joe@client.example>", "joe@public.example>", 1);
    assert!(sink.expect_one().await.content().ends_with(expected.as_bytes()));
}

#[tokio::test]
async fn what_goes_to_a_mail_store_by_lmtp_stays_as_it_is() {
    let store = Sink::start(Script::lmtp()).await;
    let _ = sent(&Setup::to(&format!("lmtp://{}", store.address()), "")).await;
    let arrived = store.expect_one().await;
    assert_eq!(arrived.sender(), "joe@client.example");
    assert_eq!(arrived.recipients(), ["user@local.example"]);
    assert!(arrived.content().ends_with(CONTENT.as_bytes()));
}

#[tokio::test]
async fn what_goes_to_a_filter_comes_back_and_stays_as_it_is() {
    let [sink, filter] = [Sink::start(Script::smtp()).await, Sink::start(Script::smtp()).await];
    let action = format!("FILTER scan:[{}]:{}", filter.address().ip(), filter.address().port());
    let checks = format!("header_checks = [\"static:{action}\"]");
    let _ = sent(&Setup::before(&sink).section("checks", &checks)).await;
    let arrived = filter.expect_one().await;
    assert_eq!(arrived.sender(), "joe@client.example");
    assert!(arrived.content().ends_with(CONTENT.as_bytes()));
    sink.expect_nothing();
}

async fn sent(setup: &Setup) -> (Gateway, mailweir_mail::QueueId) {
    let gateway = Gateway::start(&setup.clone().section("rewriting", GENERIC)).await;
    let mail = mail().from("joe@client.example").content(CONTENT);
    let id = gateway.submit(mail).await.expect_accepted();
    (gateway, id)
}

const GENERIC: &str = "smtp_generic_maps = [\"inline:{joe@client.example=joe@public.example, \
                       user@local.example=box@store.example}\"]";

const CONTENT: &str = "From: Joe\r\n\t<joe@client.example>\r\nX: joe@client.example\r\n\r\n\
                       From: joe@client.example\r\n";
