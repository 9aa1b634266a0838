//! `transport_maps` and `sender_dependent_relayhost_maps`: before routes, at every attempt.

use std::{fs, io::ErrorKind, net::SocketAddr};

use mailweir_tests::{
    gateway::{Gateway, Setup, TRUSTED, mail},
    sink::{Script, Sink},
};
use tokio::net::TcpListener;

#[tokio::test]
async fn a_transport_comes_before_all_routes_and_recipients_go_apart() {
    let [usual, special] = [Sink::start(Script::smtp()).await, Sink::start(Script::smtp()).await];
    let lines = format!(
        "transport_maps = [\"inline:{{ {{vip@local.example = smtp:[{}]:{}}} \
         {{gone@local.example = discard:silently}} {{user@local.example = :}} }}\"]",
        special.address().ip(),
        special.address().port()
    );
    let gateway = Gateway::start(&Setup::before(&usual).section("rewriting", &lines)).await;
    let mail = mail().to("vip@local.example").to("user@local.example").to("gone@local.example");
    let id = gateway.submit(mail).await.expect_accepted();
    assert_eq!(special.expect_one().await.recipients(), ["vip@local.example"]);
    assert_eq!(usual.expect_one().await.recipients(), ["user@local.example"]);
    gateway.log().expect(&format!("{id}: to=<gone@local.example>*status=sent (*discarded")).await;
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn a_transport_speaks_lmtp_where_it_says_so() {
    let [usual, store] = [Sink::start(Script::smtp()).await, Sink::start(Script::lmtp()).await];
    let to = format!("lmtp:inet:{}", store.address());
    let lines = format!("transport_maps = [\"inline:{{local.example={to}}}\"]");
    let gateway = Gateway::start(&Setup::before(&usual).section("rewriting", &lines)).await;
    let _ = gateway.submit(mail()).await.expect_accepted();
    store.expect_one().await;
    assert!(store.commands(0)[0].starts_with("LHLO "));
}

#[tokio::test]
async fn a_changed_table_counts_for_mail_that_waits() {
    let [usual, special] = [Sink::start(Script::smtp()).await, Sink::start(Script::smtp()).await];
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("transport");
    fs::write(&file, "local.example retry:4.2.0 not yet\n").unwrap();
    let lines = format!("transport_maps = [\"hash:{}\"]", file.display());
    let gateway = Gateway::start(&Setup::before(&usual).section("rewriting", &lines)).await;
    let id = gateway.submit(mail()).await.expect_accepted();
    gateway.log().expect(&format!("{id}: to=<user@*dsn=4.2.0, status=deferred (*not yet)")).await;
    let to = format!("[{}]:{}", special.address().ip(), special.address().port());
    fs::write(&file, format!("local.example smtp:{to}\n")).unwrap();
    gateway.log().expect("transport: changed, and read again").await;
    gateway.queue().flush().await;
    special.expect_one().await;
    usual.expect_nothing();
}

#[tokio::test]
async fn a_senders_relay_comes_before_the_route_for_all_and_after_one_for_the_domain() {
    let [usual, own, relay] = [
        Sink::start(Script::smtp()).await,
        Sink::start(Script::smtp()).await,
        Sink::start(Script::smtp()).await,
    ];
    let to = format!("[{}]:{}", relay.address().ip(), relay.address().port());
    let lines = format!(
        "sender_dependent_relayhost_maps = [\"inline:{{@client.example={to}, a@client.example=DUNNO}}\"]"
    );
    let mx = format!("mode = \"mx\"\nnetworks = [\"{TRUSTED}\"]");
    let setup = Setup::default()
        .route("local.example", &format!("smtp://{}", own.address()), "")
        .route("*", &format!("smtp://{}", usual.address()), "")
        .listener("mx", &mx)
        .section("rewriting", &lines);
    let gateway = Gateway::start(&setup).await;
    let mut trusted = gateway.connect_from(TRUSTED, "mx").await;
    trusted.greet().await;
    for from in ["sender@client.example", "a@client.example"] {
        let mail = mail().from(from).to("far@far.example").to("user@local.example");
        let _ = trusted.send(&mail).await.expect_accepted();
    }
    own.expect(2).await;
    assert_eq!(relay.expect_one().await.sender(), "sender@client.example");
    assert_eq!(usual.expect_one().await.sender(), "a@client.example");
}

#[tokio::test]
async fn an_address_in_a_domain_of_aliases_that_is_none_goes_nowhere() {
    let sink = Sink::start(Script::smtp()).await;
    let lines = "virtual_alias_maps = [\"inline:{alias.test=x, joe@alias.test=jim@alias.test}\"]";
    let gateway = Gateway::start(&Setup::before(&sink).section("rewriting", lines)).await;
    let id = gateway.submit(mail().to("joe@alias.test")).await.expect_accepted();
    let bounced = "dsn=5.1.1, status=bounced (*User unknown in virtual alias table)";
    gateway.log().expect(&format!("{id}: to=<jim@alias.test>*{bounced}")).await;
}

#[tokio::test]
async fn of_several_next_hops_the_first_that_takes_the_mail_gets_it() {
    let [usual, second] = [Sink::start(Script::smtp()).await, Sink::start(Script::smtp()).await];
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let hop = |address: SocketAddr| format!("[{}]:{}", address.ip(), address.port());
    let lines = format!(
        "transport_maps = [\"inline:{{ {{local.example = scan:{}, {}}} }}\"]",
        hop(closed),
        hop(second.address())
    );
    let gateway = Gateway::start(&Setup::before(&usual).section("rewriting", &lines)).await;
    let _ = gateway.submit(mail()).await.expect_accepted();
    second.expect_one().await;
    usual.expect_nothing();
    gateway.queue().expect_empty().await;
}

#[tokio::test]
async fn a_next_hop_that_cannot_be_used_makes_mail_wait_and_says_why() {
    let sink = Sink::start(Script::smtp()).await;
    let lines = "transport_maps = [\"inline:{local.example=lmtp:unix:/run/lmtp}\"]";
    let gateway = Gateway::start(&Setup::before(&sink).section("rewriting", lines)).await;
    let id = gateway.submit(mail()).await.expect_accepted();
    let deferred = "dsn=4.3.5, status=deferred (*sockets of this machine are not supported*)";
    gateway.log().expect(&format!("{id}: to=<*{deferred}")).await;
    sink.expect_nothing();
}

#[tokio::test]
async fn a_silent_server_is_asked_once_for_a_mail_and_keeps_nobody_whose_way_is_known() {
    let [own, usual] = [Sink::start(Script::smtp()).await, Sink::start(Script::smtp()).await];
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let lines =
        format!("sender_dependent_relayhost_maps = [\"tcp:{}\"]", silent.local_addr().unwrap());
    let setup = Setup::default()
        .route("local.example", &format!("smtp://{}", own.address()), "")
        .route("*", &format!("smtp://{}", usual.address()), "")
        .listener("mx", &format!("mode = \"mx\"\nnetworks = [\"{TRUSTED}\"]"))
        .section("rewriting", &lines);
    let gateway = Gateway::start(&setup).await;
    let mut trusted = gateway.connect_from(TRUSTED, "mx").await;
    trusted.greet().await;
    let mail = mail().to("user@local.example").to("a@far.example").to("b@far.example");
    let id = trusted.send(&mail).await.expect_accepted();
    let (question, _) = silent.accept().await.unwrap();
    assert_eq!(own.expect_one().await.recipients(), ["user@local.example"]);
    drop(question);
    for recipient in ["a@far.example", "b@far.example"] {
        let deferred = "dsn=4.3.0, status=deferred (*address resolver failure)";
        gateway.log().expect(&format!("{id}: to=<{recipient}>*{deferred}")).await;
    }
    let silent = silent.into_std().unwrap();
    let asked_again = silent.accept().map(drop).map_err(|error| error.kind());
    assert_eq!(asked_again, Err(ErrorKind::WouldBlock), "asked for every recipient");
    usual.expect_nothing();
}
