//! Rows A17 and J8: crowds are served, and one client does not take all the room.

use mailweir_tests::{
    gateway::{Gateway, Setup, TRUSTED, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn a_thousand_sessions_that_begin_at_once_are_served() {
    let sink = Sink::start(Script::smtp()).await;
    let mx = format!("mode = \"mx\"\nnetworks = [\"{TRUSTED}\"]");
    let gateway = Gateway::start(&Setup::before(&sink).listener("mx", &mx)).await;
    let mut peers = Vec::new();
    for _ in 0..CROWD {
        peers.push(gateway.connect_from(TRUSTED, "mx").await);
    }
    for peer in &mut peers {
        peer.greet().await;
    }
    // The log is written a moment later than peers are greeted.
    gateway.log().expect_times(CROWD, "smtpd[*]: connect from").await;
    assert_eq!(gateway.sessions(), CROWD);
    for peer in &mut peers {
        peer.ask("MAIL FROM:<a@client.example>", "250 *").await;
    }
    let last = peers.last_mut().unwrap();
    last.ask("RSET", "250 *").await;
    let _ = last.send(&mail()).await.expect_accepted();
    for peer in peers {
        peer.leave().await;
    }
    sink.expect_one().await;
    gateway.expect_no_sessions().await;
}

#[tokio::test]
async fn one_client_has_so_many_sessions_and_no_more_and_others_are_served() {
    let sink = Sink::start(Script::smtp()).await;
    let limits = "client_connection_count_limit = 3";
    let gateway = Gateway::start(&Setup::before(&sink).section("limits", limits)).await;
    let mut peers = Vec::new();
    for _ in 0..3 {
        let mut peer = gateway.connect().await;
        peer.greet().await;
        peers.push(peer);
    }
    let mut fourth = gateway.connect().await;
    fourth.hear("421 4.7.0 gate.example Error: too many connections from 127.0.0.1").await;
    fourth.expect_closed().await;
    gateway.connect_from("127.0.0.7", "mx").await.greet().await;
    peers.remove(0).leave().await;
    gateway.log().expect_times(2, "disconnect from unknown[127.0.0.1]").await;
    gateway.connect().await.greet().await;
}

#[tokio::test]
async fn over_the_limit_of_all_sessions_peers_are_told_to_come_later() {
    let sink = Sink::start(Script::smtp()).await;
    let limits = "session_limit = 2";
    let gateway = Gateway::start(&Setup::before(&sink).section("limits", limits)).await;
    let (mut one, mut two) = (gateway.connect().await, gateway.connect().await);
    one.greet().await;
    two.greet().await;
    let mut third = gateway.connect().await;
    third.hear("421 4.3.2 *").await;
    third.expect_closed().await;
    let _ = one.send(&mail()).await.expect_accepted();
    sink.expect_one().await;
}

const CROWD: usize = 1_000;
