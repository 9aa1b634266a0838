//! The PROXY header over sockets (`attacks.md` A20): who may send one, and what it changes.

use mailweir_tests::{
    gateway::{Gateway, Setup, TRUSTED, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn only_a_listed_proxy_speaks_for_others() {
    let (gateway, sink) = behind_a_proxy().await;
    let mut stranger = gateway.connect().await;
    stranger.write(b"PROXY TCP4 10.0.0.1 192.0.2.25 4711 25\r\n").await;
    stranger.expect_closed().await;
    gateway.log().expect("is not in proxy_hosts: connection closed").await;

    let mut client = gateway.connect_from(TRUSTED, "mx").await;
    client.write(b"PROXY TCP4 198.51.100.7 192.0.2.25 4711 25\r\n").await;
    client.greet().await;
    let _ = client.send(&mail()).await.expect_accepted();
    let arrived = sink.expect_one().await;
    assert!(arrived.text().contains("[198.51.100.7]"), "{}", arrived.text());
}

/// The proxy's own network is trusted; its clients are judged by their own addresses.
#[tokio::test]
async fn the_trust_in_a_proxy_does_not_pass_to_its_clients() {
    let (gateway, sink) = behind_a_proxy().await;
    let outward = mail().to("u@other.example");
    for (header, trusted) in [
        (&b"PROXY TCP4 198.51.100.7 192.0.2.25 4711 25\r\n"[..], false),
        (b"PROXY TCP4 10.0.0.1 192.0.2.25 4711 25\r\n", true),
        (b"PROXY TCP6 2001:db8::1 2001:db8::25 4711 25\r\n", false),
    ] {
        let mut client = gateway.connect_from(TRUSTED, "mx").await;
        client.write(header).await;
        client.greet().await;
        let answer = client.send(&outward).await;
        match trusted {
            true => drop(answer.expect_accepted()),
            false => answer.expect_refused("554 5.7.1 <u@other.example>: Relay *"),
        }
    }
    sink.expect_one().await;
}

#[tokio::test]
async fn what_is_no_header_is_not_listened_to() {
    let (gateway, _sink) = behind_a_proxy().await;
    for bytes in
        [&b"EHLO client.example\r\n"[..], b"PROXY TCP4 1 2 3 4\r\n", b"\r\n\r\n\0\r\nQUIX\n1234"]
    {
        let mut client = gateway.connect_from(TRUSTED, "mx").await;
        client.write(bytes).await;
        client.expect_closed().await;
    }
    gateway.log().expect("no PROXY header from").await;
}

async fn behind_a_proxy() -> (Gateway, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    let mx = format!(
        "mode = \"mx\"\nnetworks = [\"{TRUSTED}\", \"10.0.0.0/8\"]\nproxy_protocol = true\n\
         proxy_hosts = [\"{TRUSTED}\"]"
    );
    (Gateway::start(&Setup::before(&sink).listener("mx", &mx)).await, sink)
}
