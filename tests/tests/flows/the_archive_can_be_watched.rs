//! Whoever watches the gateway sees how the archive fares, and which mail waits for it alone.

use std::{fs, net::SocketAddr};

use mailweir::control::operation::{Answer, Entry, Operation, Place};
use mailweir_mail::QueueId;
use mailweir_tests::{
    free_address,
    gateway::{Archive, Gateway, Setup, mail},
    sink::{Script, Sink},
    wait,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

#[tokio::test]
async fn while_mail_is_deferred_the_gateway_is_not_ready_and_says_why() {
    let (sink, archive, admin) = parts().await;
    let obstacle = archive.path().join("a");
    fs::write(&obstacle, "").unwrap();
    let gateway = Gateway::start(&setup(&sink, &archive.section(), admin)).await;
    gateway.log().expect("ALARM: archive: * new mail is deferred").await;
    let ready = get(admin, "/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
    assert!(ready.contains("archive") && ready.contains("mail is deferred"), "{ready}");
    let metrics = get(admin, "/metrics").await;
    assert!(metrics.contains("\nmailweir_archive_writable 0\n"), "{metrics}");
    fs::remove_file(&obstacle).unwrap();
    gateway.log().expect("archive: it can be written again").await;
    assert!(get(admin, "/readyz").await.starts_with("HTTP/1.1 200"));
    let id = submit(&gateway).await;
    archive.expect_ended(id).await;
    let shows = async |line: &str| get(admin, "/metrics").await.contains(line);
    for line in [
        "\nmailweir_archive_writable 1\n",
        "\nmailweir_archive_last_record 2\n",
        "\nmailweir_archive_waiting_messages 0\n",
        "\nmailweir_archive_lag_seconds 0\n",
    ] {
        wait::until_true(line, async || shows(line).await).await;
    }
}

/// It was delivered, and is in the way of nobody; who asks for it sees it.
#[tokio::test]
async fn mail_that_only_the_archive_waits_for_is_listed_apart() {
    let (sink, archive, admin) = parts().await;
    let obstacle = archive.path().join("a");
    fs::write(&obstacle, "").unwrap();
    let accept = archive.with("if_unwritable = \"accept\"");
    let mut gateway = Gateway::start(&setup(&sink, &accept, admin)).await;
    let id = submit(&gateway).await;
    sink.expect(1).await;
    gateway.queue().expect_empty().await;
    let listed = archiving(&gateway).await;
    assert_eq!(listed.iter().map(|one| one.queue_id).collect::<Vec<_>>(), [id]);
    assert_eq!(listed[0].queue_name, Place::Archiving);
    assert_eq!(gateway.queue().show(id).await.entry.queue_name.as_str(), "archiving");
    // Mail is taken all the same: it is ready.
    assert!(get(admin, "/readyz").await.starts_with("HTTP/1.1 200"));
    let metrics = get(admin, "/metrics").await;
    assert!(metrics.contains("\nmailweir_archive_waiting_messages 1\n"), "{metrics}");
    assert!(!metrics.contains("mailweir_archive_last_record"), "{metrics}");
    // Nobody loses it by switching the archive off.
    gateway.reload(&setup(&sink, "enabled = false", admin)).await.unwrap();
    gateway.log().expect("archive.enabled takes effect after a restart").await;
    gateway.log().expect("1 mail waits for the archive: without it they stay in the queue").await;
    fs::remove_file(&obstacle).unwrap();
    archive.expect_ended(id).await;
    wait::until_true("nothing waits", async || archiving(&gateway).await.is_empty()).await;
}

async fn archiving(gateway: &Gateway) -> Vec<Entry> {
    let list = Operation::List { place: Some(Place::Archiving), limit: usize::MAX };
    let entry = |answer| match answer {
        Answer::Entry(entry) => entry,
        other => panic!("{other:?}"),
    };
    gateway.queue().ask(list).await.into_iter().map(entry).collect()
}

async fn parts() -> (Sink, Archive, SocketAddr) {
    (Sink::start(Script::smtp()).await, Archive::new(), free_address().unwrap())
}

fn setup(sink: &Sink, archive: &str, admin: SocketAddr) -> Setup {
    let setup = Setup::before(sink).section("archive", archive);
    setup.section("admin", &format!("bind = [\"{admin}\"]"))
}

async fn submit(gateway: &Gateway) -> QueueId {
    let mail = mail().from("ann@local.example").to("user@local.example");
    gateway.submit(mail).await.expect_accepted()
}

async fn get(admin: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(admin).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
