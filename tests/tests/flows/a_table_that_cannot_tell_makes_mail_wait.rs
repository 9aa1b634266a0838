//! A failing table is never a table without an entry: the client hears 451 and nothing is kept, or
//! the recipient is deferred.

use mailweir::control::operation::Place;
use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn at_rcpt_the_recipient_is_put_off() {
    for key in ["virtual_alias_maps", "relocated_maps", "transport_maps"] {
        let (gateway, sink) = gateway(&format!("{key} = [\"fail:broken\"]")).await;
        gateway.submit(mail()).await.expect_refused("451 4.3.0 *");
        gateway.log().expect("warning: *fail:broken").await;
        assert!(gateway.queue().list().await.is_empty(), "{key}");
        sink.expect_nothing();
    }
}

#[tokio::test]
async fn at_the_end_of_data_the_mail_is_put_off_and_nothing_is_kept() {
    for lines in [
        "canonical_maps = [\"fail:broken\"]\ncanonical_classes = [\"envelope_sender\"]",
        "canonical_maps = [\"fail:broken\"]\ncanonical_classes = [\"header_recipient\"]",
        "sender_bcc_maps = [\"fail:broken\"]",
        "recipient_bcc_maps = [\"fail:broken\"]",
        "virtual_alias_maps = [\"inline:{user@local.example=user+x@local.example}\"]\n\
         recipient_delimiter = \"+\"\nvirtual_alias_recursion_limit = 5",
    ] {
        let (gateway, sink) = gateway(lines).await;
        let mail = mail().header("To: user@local.example");
        gateway.submit(mail).await.expect_refused("451 4.3.0 *");
        gateway.log().expect("warning: *: the mail is put off: *").await;
        gateway.expect_no_sessions().await;
        assert!(gateway.queue().list().await.is_empty(), "{lines}");
        sink.expect_nothing();
    }
}

#[tokio::test]
async fn a_strangers_mail_is_put_off_where_it_is_unclear_whose_domain_it_is() {
    let (gateway, _sink) = gateway("virtual_alias_domains = [\"fail:broken\"]").await;
    gateway.submit(mail().to("u@other.example")).await.expect_refused("451 4.3.0 *");
}

#[tokio::test]
async fn on_the_way_out_the_recipient_is_deferred() {
    for (key, lines) in [
        ("sender_dependent_relayhost_maps", ""),
        ("smtp_generic_maps", ""),
        ("relocated_maps", "virtual_alias_maps = [\"inline:{user@local.example=b@x.test}\"]"),
    ] {
        let (gateway, sink) = gateway(&format!("{key} = [\"fail:broken\"]\n{lines}")).await;
        let id = gateway.submit(mail()).await.expect_accepted();
        let deferred = "dsn=4.3.0, status=deferred (*address resolver failure)";
        gateway.log().expect(&format!("{id}: to=<*{deferred}")).await;
        gateway.log().expect(&format!("{id}: the mail is put off: *fail:broken")).await;
        gateway.queue().expect(id, Place::Deferred).await;
        sink.expect_nothing();
    }
}

async fn gateway(lines: &str) -> (Gateway, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    let gateway = Gateway::start(&Setup::before(&sink).section("rewriting", lines)).await;
    (gateway, sink)
}
