//! Whoever takes a large mail out of the archive slowly, or not at all, keeps no mail from being archived and
//! nobody else from reading. Row H12.

use std::net::SocketAddr;

use mailweir_mail::QueueId;
use mailweir_tests::{
    api::{Api, basic},
    free_address,
    gateway::{AUDITOR, Archive, Gateway, Setup, USER_PASSWORD, mail_to},
    sink::{Script, Sink},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

#[tokio::test]
async fn h12_whoever_reads_slowly_gets_all_of_it_and_holds_up_nobody() {
    let sink = Sink::start(Script::smtp()).await;
    let archive = Archive::new();
    let admin = free_address().unwrap();
    let setup = Setup::before(&sink)
        .section("archive", &archive.with("index = false"))
        .section("admin", &format!("bind = [\"{admin}\"]"));
    let mut gateway = Gateway::start(&setup).await;
    let line = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789\r\n";
    let large = format!("Subject: large\r\n\r\n{}", line.repeat(large() / line.len()));
    let large = gateway.accept(mail_to("user").content(large)).await;
    let stored = archive.expect_ended(large).await.content;

    // More of them than files are read for at once.
    let mut slow = Vec::new();
    for _ in 0..SLOW {
        slow.push(begin_to_read(admin, large).await);
    }
    let small = gateway.accept(mail_to("user")).await;
    archive.expect_ended(small).await;
    let (api, auditor) = (Api { address: admin }, basic(AUDITOR, USER_PASSWORD));
    let shown = api.post(&auditor, &path(small, "show"), &json!({})).await.expect(200);
    assert_eq!(shown["outcomes"][0]["end"], "delivered");
    let taken = api.post(&auditor, &path(small, "content"), &json!({})).await;
    assert_eq!(taken.body.as_bytes(), archive.find(small).unwrap().content);

    drop(slow.pop());
    let never_read = slow.pop();
    for mut stream in slow {
        let mut content = Vec::new();
        stream.read_to_end(&mut content).await.unwrap();
        assert!(content == stored, "{} bytes of {}", content.len(), stored.len());
    }
    // Nor does it hold up the end.
    gateway.stop().await;
    drop(never_read);
    let _sound = archive.expect_sound();
}

/// Asks for the content of a mail, and reads no more than the header of the answer.
async fn begin_to_read(admin: SocketAddr, id: QueueId) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut stream = socket.connect(admin).await.unwrap();
    let (path, claim) = (path(id, "content"), basic(AUDITOR, USER_PASSWORD));
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: {claim}\r\n\
         Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 200 "), "{}", head.escape_ascii());
    stream
}

fn path(id: QueueId, what: &str) -> String {
    format!("/api/v1/archive/{id}/{what}")
}

/// Bytes of a mail: more than the system keeps for a connection.
fn large() -> usize {
    let most = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_wmem").unwrap();
    let most: usize = most.split_whitespace().next_back().unwrap().parse().unwrap();
    most + (5 << 20)
}

const SLOW: usize = 10;
