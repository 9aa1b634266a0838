//! Automatic copies, and how they go together with the actions of header checks.

use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Received, Script, Sink},
};

#[tokio::test]
async fn copies_go_out_for_senders_recipients_and_all_mail() {
    let (gateway, sink) = gateway(COPIES, "").await;
    let _ = gateway.submit(mail()).await.expect_accepted();
    let expected = ["user@local.example", "of-sender@x.test", "of-recipient@x.test", "all@x.test"];
    assert_eq!(recipients(&sink.expect(1).await), sorted(&expected));
}

#[tokio::test]
async fn nobody_hears_of_a_copy_that_fails() {
    use mailweir_tests::sink::Point;
    let script = Script::smtp().replying_for("all@x.test", Point::Rcpt, "550 5.1.1 No");
    let sink = Sink::start(script).await;
    let lines = "always_bcc = \"all@x.test\"";
    let gateway = Gateway::start(&Setup::before(&sink).section("rewriting", lines)).await;
    let id = gateway.submit(mail()).await.expect_accepted();
    gateway.log().expect(&format!("{id}: to=<all@x.test>*status=bounced")).await;
    gateway.log().expect(&format!("{id}: removed")).await;
    gateway.queue().expect_empty().await;
    gateway.log().expect_none("non-delivery notification");
}

#[tokio::test]
async fn a_copy_that_header_checks_ask_for_goes_through_aliases_and_has_no_copies() {
    let lines = "recipient_bcc_maps = [\"inline:{audit@local.example=never@x.test}\"]\n\
                 virtual_alias_maps = [\"inline:{audit@local.example=audit@store.test}\"]";
    let (gateway, sink) = gateway(lines, "BCC audit@local.example").await;
    let _ = gateway.submit(mail()).await.expect_accepted();
    let expected = ["user@local.example", "audit@store.test"];
    assert_eq!(recipients(&sink.expect(1).await), sorted(&expected));
}

#[tokio::test]
async fn redirect_replaces_all_copies_and_its_address_is_no_alias() {
    let lines =
        format!("{COPIES}\nvirtual_alias_maps = [\"inline:{{r@local.example=other@x.test}}\"]");
    let (gateway, sink) = gateway(&lines, "REDIRECT r@local.example").await;
    let _ = gateway.submit(mail()).await.expect_accepted();
    assert_eq!(recipients(&sink.expect(1).await), ["r@local.example"]);
}

async fn gateway(rewriting: &str, action: &str) -> (Gateway, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    let mut setup = Setup::before(&sink).section("rewriting", rewriting);
    if !action.is_empty() {
        setup = setup.section("checks", &format!("header_checks = [\"static:{action}\"]"));
    }
    (Gateway::start(&setup).await, sink)
}

fn recipients(mails: &[Received]) -> Vec<String> {
    let all: Vec<&str> = mails.iter().flat_map(Received::recipients).collect();
    sorted(&all)
}

fn sorted(addresses: &[&str]) -> Vec<String> {
    let mut sorted: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    sorted.sort_unstable();
    sorted
}

const COPIES: &str = "sender_bcc_maps = [\"inline:{sender@client.example=of-sender@x.test}\"]\n\
                      recipient_bcc_maps = [\"inline:{user@local.example=of-recipient@x.test}\"]\n\
                      always_bcc = \"all@x.test\"";
