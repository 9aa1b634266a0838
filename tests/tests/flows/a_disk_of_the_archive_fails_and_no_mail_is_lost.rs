//! The disk of the archive is full, has no inodes, or is read-only: mail is deferred, and what was taken before is
//! archived once that is over. Rows J5, J6 and J10.

use mailweir::archiving::words::Ask;
use mailweir_mail::QueueId;
use mailweir_tests::{
    gateway::{Archive, Gateway, Setup, mail_to},
    sink::{Script, Sink},
    small_disk::{Scarce, SmallDisk},
};

#[tokio::test]
async fn j6_without_inodes_for_another_segment_mail_is_deferred_and_then_taken() {
    exhausted(Scarce::Inodes).await;
}

#[tokio::test]
async fn j5_without_space_for_another_segment_mail_is_deferred_and_then_taken() {
    exhausted(Scarce::Space).await;
}

async fn exhausted(what: Scarce) {
    let archive = Archive::new();
    let Some(disk) = SmallDisk::mount(&archive.directory()) else { return };
    let (mut gateway, _sink) = before_a_sink(&archive).await;
    let before = gateway.accept(mail_to("user")).await;
    archive.expect_ended(before).await;
    // What was begun is sealed by the start: the next mail needs another segment.
    gateway.restart().await;
    gateway.queue().ask_archive(Ask::Holds).await;
    disk.exhaust(what);
    let caught = gateway.accept(mail_to("user")).await;
    gateway.log().expect("ALARM: archive: *No space left*new mail is deferred").await;
    gateway.submit(mail_to("user")).await.expect_refused("451 4.3.0 *");
    assert!(archive.find(caught).is_none());
    disk.relieve();
    gateway.log().expect("archive: it can be written again").await;
    expect_all_archived(&gateway, &archive, &[before, caught]).await;
}

#[tokio::test]
async fn j10_while_it_is_read_only_at_the_start_mail_is_deferred_and_then_taken() {
    let archive = Archive::new();
    let Some(disk) = SmallDisk::mount(&archive.directory()) else { return };
    let (mut gateway, _sink) = before_a_sink(&archive).await;
    let before = gateway.accept(mail_to("user")).await;
    archive.expect_ended(before).await;
    gateway.stop().await;
    disk.set_read_only(true);
    gateway.start_again().await;
    gateway.log().expect("ALARM: archive: *Read-only file system*new mail is deferred").await;
    gateway.submit(mail_to("user")).await.expect_refused("451 4.3.0 *");
    assert!(archive.find(before).is_some(), "it can be read");
    disk.set_read_only(false);
    gateway.log().expect("archive: it can be written again").await;
    expect_all_archived(&gateway, &archive, &[before]).await;
}

async fn before_a_sink(archive: &Archive) -> (Gateway, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    let section = archive.with("index = false");
    (Gateway::start(&Setup::before(&sink).section("archive", &section)).await, sink)
}

/// These, and one that comes now.
async fn expect_all_archived(gateway: &Gateway, archive: &Archive, ids: &[QueueId]) {
    let last = gateway.accept(mail_to("user")).await;
    for id in ids.iter().chain([&last]) {
        archive.expect_ended(*id).await;
    }
    gateway.queue().expect_empty().await;
    assert_eq!(archive.all().len(), ids.len() + 1);
    assert_eq!(archive.expect_sound(), 2 * (ids.len() as u64 + 1));
}
