//! `relay_recipient_maps`, `relocated_maps`, and `error:` in `transport_maps`: the client hears it
//! at RCPT, with Postfix's words.

use mailweir_tests::{
    gateway::{Gateway, Setup, TRUSTED, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn only_listed_users_of_a_relay_domain_are_taken() {
    let sink = Sink::start(Script::smtp()).await;
    let users = "relay_recipient_maps = [\"inline:{user@local.example=x, @all.example=x}\"]";
    let aliases = "virtual_alias_maps = [\"inline:{alias@local.example=user@local.example}\"]";
    let setup = Setup::before(&sink).section("domains", users).section("rewriting", aliases);
    let gateway = Gateway::start(&setup).await;
    for known in ["user@local.example", "USER@Local.Example", "alias@local.example"] {
        let _ = gateway.submit(mail().to(known)).await.expect_accepted();
    }
    gateway.submit(mail().to("nobody@local.example")).await.expect_refused(
        "550 5.1.1 <nobody@local.example>: Recipient address rejected: \
         User unknown in relay recipient table",
    );
    gateway.log().expect("NOQUEUE: reject: RCPT from *User unknown in relay recipient table").await;
    let _ = gateway.submit(mail().to("postmaster@gate.example")).await.expect_accepted();
}

#[tokio::test]
async fn unknown_users_are_taken_where_the_administrator_wants_it() {
    let sink = Sink::start(Script::smtp()).await;
    let setup = Setup::before(&sink)
        .section("domains", "relay_recipient_maps = [\"inline:{user@local.example=x}\"]")
        .section("restrictions", "reject_unlisted_recipient = false");
    let gateway = Gateway::start(&setup).await;
    let _ = gateway.submit(mail().to("nobody@local.example")).await.expect_accepted();
    sink.expect_one().await;
}

#[tokio::test]
async fn who_has_moved_is_refused_with_the_new_address_also_to_trusted_clients() {
    let (gateway, sink) =
        gateway("relocated_maps = [\"inline:{ {joe@local.example = joe@new.example} }\"]").await;
    let refusal = "550 5.1.6 <joe@local.example>: Recipient address rejected: \
                   User has moved to joe@new.example";
    gateway.submit(mail().to("joe@local.example")).await.expect_refused(refusal);
    let mut trusted = gateway.connect_from(TRUSTED, "mx").await;
    trusted.greet().await;
    trusted.send(&mail().to("joe@local.example")).await.expect_refused(refusal);
    sink.expect_nothing();
}

#[tokio::test]
async fn an_alias_of_somebody_who_has_moved_is_returned_to_the_sender() {
    let (gateway, sink) = gateway(
        "relocated_maps = [\"inline:{joe@local.example=joe@new.example}\"]\n\
         virtual_alias_maps = [\"inline:{team@local.example=joe@local.example}\"]",
    )
    .await;
    let id = gateway.submit(mail().to("team@local.example")).await.expect_accepted();
    let bounced = "to=<joe@local.example>, orig_to=<team@local.example>, relay=none*dsn=5.1.6, \
                   status=bounced (*User has moved to joe@new.example)";
    gateway.log().expect(&format!("{id}: {bounced}")).await;
    assert!(sink.expect_one().await.text().contains("Status: 5.1.6"));
}

#[tokio::test]
async fn what_a_transport_returns_is_refused_at_once() {
    let (gateway, _sink) = gateway(
        "transport_maps = [\"inline:{ {joe@local.example = error:5.2.1 Mailbox is closed}, \
         {jim@local.example = error:Ask elsewhere} }\"]",
    )
    .await;
    let refused = async |to: &str, reply: &str| {
        gateway.submit(mail().to(to)).await.expect_refused(reply);
    };
    refused("joe@local.example", "550 5.2.1 <joe@*: Recipient address rejected: Mailbox is closed")
        .await;
    refused("jim@local.example", "550 5.1.1 <jim@*: Recipient address rejected: Ask elsewhere")
        .await;
    let _ = gateway.submit(mail()).await.expect_accepted();
}

async fn gateway(lines: &str) -> (Gateway, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    let mx = format!("mode = \"mx\"\nnetworks = [\"{TRUSTED}\"]");
    let setup = Setup::before(&sink).listener("mx", &mx).section("rewriting", lines);
    (Gateway::start(&setup).await, sink)
}
