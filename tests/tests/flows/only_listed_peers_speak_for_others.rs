//! Row A20: filters, proxies and XCLIENT are believed if, and only if, the peer is listed.

use mailweir_tests::{
    gateway::{Gateway, Setup, TRUSTED, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn a20_a_filter_listener_admits_trusted_peers_only() {
    let (gateway, sink) = listening("mode = \"filter\"", "networks").await;
    let mut stranger = gateway.connect().await;
    stranger.hear("554 5.7.1 <unknown[127.0.0.1]>: Client host rejected: Access denied").await;
    let mut filter = gateway.connect_from(TRUSTED, "door").await;
    filter.greet().await;
    let _ = filter.send(&mail().to("u@other.example")).await.expect_accepted();
    assert_eq!(sink.expect_one().await.recipients(), ["u@other.example"]);
}

#[tokio::test]
async fn a20_a_proxy_header_names_the_client_if_the_proxy_is_listed() {
    let (gateway, _sink) = listening("mode = \"mx\"\nproxy_protocol = true", "proxy_hosts").await;
    let version_2 = [
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c".as_slice(),
        &[192, 0, 2, 9, 192, 0, 2, 25, 0x10, 0, 0, 25],
    ]
    .concat();
    for header in [b"PROXY TCP4 192.0.2.9 192.0.2.25 4096 25\r\n".as_slice(), &version_2] {
        let mut proxied = gateway.connect_from(TRUSTED, "door").await;
        proxied.write(header).await;
        proxied.greet().await;
        let id = proxied.send(&mail()).await.expect_accepted();
        gateway.log().expect(&format!("{id}: client=unknown[192.0.2.9]")).await;
        assert_eq!(gateway.log().count("connect from unknown[127.0.0.2]"), 0);
    }
}

#[tokio::test]
async fn a20_a_proxy_header_from_a_stranger_or_a_bad_one_ends_the_connection() {
    let (gateway, sink) = listening("mode = \"mx\"\nproxy_protocol = true", "proxy_hosts").await;
    let mut stranger = gateway.connect().await;
    stranger.write(b"PROXY TCP4 192.0.2.9 192.0.2.25 4096 25\r\n").await;
    stranger.expect_closed().await;
    gateway.log().expect("warning: 127.0.0.1:* is not in proxy_hosts").await;
    for (count, bad) in ["PROXY TCP4 nonsense\r\n", "EHLO client.example\r\n"].iter().enumerate() {
        let mut proxy = gateway.connect_from(TRUSTED, "door").await;
        proxy.write(bad.as_bytes()).await;
        proxy.expect_closed().await;
        gateway.log().expect_times(count + 1, "warning: no PROXY header from 127.0.0.2:").await;
    }
    gateway.log().expect_none("connect from");
    sink.expect_nothing();
}

#[tokio::test]
async fn a20_a_proxy_header_is_no_command_where_no_proxy_is_expected() {
    let (gateway, _sink) = listening("mode = \"mx\"", "networks").await;
    let mut peer = gateway.connect_from(TRUSTED, "door").await;
    peer.hear("220 *").await;
    peer.ask("PROXY TCP4 10.0.0.1 192.0.2.25 4096 25", "500 5.5.2 *").await;
    peer.ask("EHLO client.example", "250 *").await;
    let id = peer.send(&mail()).await.expect_accepted();
    gateway.log().expect(&format!("{id}: client=unknown[127.0.0.2]")).await;
}

#[tokio::test]
async fn a20_xclient_is_believed_from_listed_peers_and_gives_no_trust() {
    let (gateway, _sink) = listening("mode = \"mx\"", "xclient_hosts").await;
    let mut stranger = gateway.connect().await;
    stranger.greet().await;
    stranger.ask("XCLIENT ADDR=10.0.0.1 LOGIN=alice", "550 5.7.0 *").await;
    let mut front = gateway.connect_from(TRUSTED, "door").await;
    front.greet().await;
    front.ask("XCLIENT ADDR=192.0.2.9 NAME=client.example", "220 *").await;
    front.ask("EHLO client.example", "250 *").await;
    front.ask("MAIL FROM:<a@client.example>", "250 *").await;
    front.ask("RCPT TO:<u@other.example>", "554 5.7.1 *").await;
    front.ask("RSET", "250 *").await;
    let id = front.send(&mail()).await.expect_accepted();
    gateway.log().expect(&format!("{id}: client=client.example[192.0.2.9]")).await;
    gateway.log().expect_none("10.0.0.1");
}

/// A gateway with one listener, and [`TRUSTED`] in one of its lists of peers.
async fn listening(lines: &str, list: &str) -> (Gateway, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    let lines = format!("{lines}\n{list} = [\"{TRUSTED}\"]");
    (Gateway::start(&Setup::before(&sink).listener("door", &lines)).await, sink)
}
