//! What a relay says of where a mail came from (XFORWARD) reaches those behind us, and decides nothing.

use mailweir_tests::{
    gateway::{Gateway, Setup, mail_to},
    sink::{Point, Script, Sink},
};

const TOLD: &str = "XFORWARD NAME=mail.far.example ADDR=IPV6:2001:db8::7 PORT=4711 PROTO=ESMTP \
                    HELO=far.example IDENT=4jWT59000pz7 SOURCE=REMOTE";

const BY_RELAY: &str = "mode = \"mx\"\nxforward_hosts = [\"127.0.0.1\"]";

#[tokio::test]
async fn what_a_relay_has_said_is_passed_on_and_a_restart_forgets_nothing() {
    let next = asking().await;
    let held = format!("{BY_RELAY}\nheader_checks = [\"static:HOLD\"]");
    let mut gateway = Gateway::start(&telling(&next).listener("mx", &held)).await;
    let mut peer = gateway.connect().await;
    peer.greet().await;
    peer.ask(TOLD, "250 *").await;
    let id = peer.send(&mail_to("user")).await.expect_accepted();
    gateway.log().expect(&format!("{id}: client=mail.far.example[2001:db8::7]")).await;
    gateway.log().expect("hold: header *from mail.far.example[2001:db8::7]; from=").await;
    gateway.restart().await;
    gateway.queue().release(id).await;
    next.expect_one().await;
    assert_eq!(told(&next), [TOLD]);
}

#[tokio::test]
async fn of_a_mail_that_came_from_its_client_is_told_what_was_seen() {
    let next = asking().await;
    let gateway = Gateway::start(&telling(&next)).await;
    let id = gateway.accept(mail_to("user")).await;
    next.expect_one().await;
    let said = told(&next).concat();
    assert!(said.contains(" ADDR=127.0.0.1 PORT="), "{said}");
    let end = format!("PROTO=ESMTP HELO=client.example IDENT={id} SOURCE=REMOTE");
    assert!(said.ends_with(&end), "{said}");
}

#[tokio::test]
async fn a_next_hop_that_is_not_to_know_is_told_nothing() {
    let next = asking().await;
    let gateway = Gateway::start(&Setup::before(&next).listener("mx", BY_RELAY)).await;
    let mut peer = gateway.connect().await;
    peer.greet().await;
    peer.ask(TOLD, "250 *").await;
    peer.send(&mail_to("user")).await.expect_accepted();
    next.expect_one().await;
    assert_eq!(told(&next), [""; 0]);
}

#[tokio::test]
async fn a_filter_is_told_what_a_relay_has_said() {
    let (next, filter) = (Sink::start(Script::smtp()).await, asking().await);
    let section = format!(
        "[[filter]]\nname = \"virus\"\ntype = \"smtp\"\nto = \"smtp://{}\"\nreturns_to = \"back\"\n",
        filter.address()
    );
    let setup = Setup::before(&next)
        .listener("mx", BY_RELAY)
        .listener("back", "mode = \"filter\"\nnetworks = [\"127.0.0.1\"]")
        .sections(&section);
    let gateway = Gateway::start(&setup).await;
    let mut peer = gateway.connect_to("mx").await;
    peer.greet().await;
    peer.ask(TOLD, "250 *").await;
    peer.send(&mail_to("user")).await.expect_accepted();
    filter.expect_one().await;
    assert_eq!(told(&filter), [TOLD]);
}

#[tokio::test]
async fn a_report_comes_from_no_client() {
    let script = Script::smtp().offering_also(OFFER);
    let next = script.replying_for("user@local.example", Point::Rcpt, "550 5.1.1 Unknown");
    let next = Sink::start(next).await;
    let gateway = Gateway::start(&telling(&next)).await;
    gateway.accept(mail_to("user")).await;
    assert_eq!(next.expect_one().await.sender(), "");
    let told = told(&next);
    let report = told.last().unwrap();
    let nobody = "XFORWARD NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE] \
                  PROTO=[UNAVAILABLE] HELO=[UNAVAILABLE] IDENT=";
    assert!(report.starts_with(nobody) && report.ends_with(" SOURCE=LOCAL"), "{told:?}");
}

#[tokio::test]
async fn a20_who_is_named_gets_no_rights_and_strangers_name_nobody() {
    let next = asking().await;
    let ours = "mode = \"mx\"\nnetworks = [\"192.0.2.0/24\"]";
    let listed = format!("{ours}\nxforward_hosts = [\"127.0.0.1\"]");
    let setup = telling(&next).listener("listed", &listed).listener("unlisted", ours);
    let gateway = Gateway::start(&setup).await;
    let mut peer = gateway.connect_to("listed").await;
    peer.greet().await;
    peer.ask("XFORWARD NAME=desk.example ADDR=192.0.2.9", "250 *").await;
    peer.ask("MAIL FROM:<ann@local.example>", "250 *").await;
    peer.ask("RCPT TO:<x@far.example>", "554 5.7.1 *").await;
    let mut peer = gateway.connect_to("unlisted").await;
    peer.greet().await;
    peer.ask("XFORWARD NAME=desk.example ADDR=192.0.2.9", "550 5.7.0 *").await;
    let id = peer.send(&mail_to("user")).await.expect_accepted();
    gateway.log().expect(&format!("{id}: client=*[127.0.0.1]")).await;
    next.expect_one().await;
    let said = told(&next).concat();
    assert!(said.contains(" ADDR=127.0.0.1 ") && !said.contains("192.0.2.9"), "{said}");
}

const OFFER: &str = "XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT";

/// A next hop that asks where mail came from.
async fn asking() -> Sink {
    Sink::start(Script::smtp().offering_also(OFFER)).await
}

/// Before a next hop that is told.
fn telling(next: &Sink) -> Setup {
    Setup::to(&format!("smtp://{}", next.address()), "xforward = true")
}

/// What a next hop was told, in all connections.
fn told(next: &Sink) -> Vec<String> {
    let all = (0..next.connections()).flat_map(|connection| next.commands(connection));
    all.filter(|command| command.starts_with("XFORWARD")).collect()
}
