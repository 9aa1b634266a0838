//! The roots of the archive come to people and to a file elsewhere, and none is left out: against them an
//! archive that was made anew is found. Row A2 of the mission.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::OpenOptionsExt as _,
};

use mailweir_archive::roots::{self, Root};
use mailweir_tests::{
    gateway::{Archive, Gateway, Setup, mail},
    sink::{Script, Sink},
    wait,
};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};

#[tokio::test]
async fn people_get_the_new_ones_once_a_day_by_mail() {
    let sink = Sink::start(Script::smtp()).await;
    let archive = Archive::new();
    let lines = archive.with("own = true\nroots_to = [\"audit@local.example\"]");
    let mut gateway = Gateway::start(&Setup::before(&sink).section("archive", &lines)).await;
    submit(&gateway, &archive).await;
    gateway.restart().await;
    let sent = &sink.expect(2).await[1];
    assert_eq!((sent.sender(), &sent.recipients()[..]), ("", &["audit@local.example"][..]));
    assert_eq!(lines_of(&sent.text()), listed(&archive));
    assert_eq!(lines_of(&sent.text()).len(), 1);
    assert!(sent.text().contains("mailweir archive verify --roots FILE"), "{}", sent.text());
    // It is mail of the gateway like other.
    let is_kept = async || archive.all().iter().any(|one| one.content == sent.content());
    wait::until_true("the mail in the archive", is_kept).await;

    gateway.stop().await;
    let memory = archive.path().join("a/roots.mailed");
    let remembered = fs::read_to_string(&memory).unwrap();
    let (segment, _) = remembered.split_once(' ').unwrap();
    // Yesterday, as it were.
    fs::write(&memory, format!("{segment} 1\n")).unwrap();
    gateway.start_again().await;
    let sent = &sink.expect(3).await[2];
    let new: Vec<Root> = listed(&archive).into_iter().skip(1).collect();
    assert_eq!(lines_of(&sent.text())[..], new[..1]);
}

#[tokio::test]
async fn a_file_elsewhere_gets_what_it_lacks_once_it_can_be_reached() {
    let sink = Sink::start(Script::smtp()).await;
    let archive = Archive::new();
    let elsewhere = archive.path().join("mount");
    let copy = elsewhere.join("roots");
    let lines = archive.with(&format!("roots_copy = \"{}\"", copy.display()));
    let mut gateway = Gateway::start(&Setup::before(&sink).section("archive", &lines)).await;
    submit(&gateway, &archive).await;
    gateway.restart().await;
    gateway.log().expect("ALARM: roots did not leave the machine: * they will").await;
    submit(&gateway, &archive).await;
    fs::create_dir(&elsewhere).unwrap();
    gateway.restart().await;
    // The second one is sealed when the archive is opened, which may be after the greeting.
    let is_there = async || {
        let copied = fs::read(&copy).is_ok_and(|copy| copy == fs::read(list(&archive)).unwrap());
        copied && listed(&archive).len() == 2
    };
    wait::until_true("the copy of both", is_there).await;
}

/// As on a mount whose other end has gone.
#[tokio::test]
async fn a_copy_that_does_not_answer_is_told_and_keeps_neither_the_mail_nor_the_stop() {
    let sink = Sink::start(Script::smtp()).await;
    let archive = Archive::new();
    let copy = archive.path().join("pipe");
    let lines =
        format!("roots_to = [\"audit@local.example\"]\nroots_copy = \"{}\"", copy.display());
    let setup = Setup::before(&sink).section("archive", &archive.with(&lines));
    let mut gateway = Gateway::start(&setup).await;
    submit(&gateway, &archive).await;
    gateway.stop().await;
    mknodat(CWD, &copy, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    gateway.start_again().await;
    let sent = &sink.expect(2).await[1];
    assert_eq!(lines_of(&sent.text()), listed(&archive));
    gateway
        .log()
        .expect("ALARM: roots did not leave the machine: */pipe: it does not answer; they will")
        .await;
    gateway.stop().await;
    gateway.log().expect_none("cut off");
    // Its thread goes on, with a file, so that this test can end.
    let mut silent = OpenOptions::new();
    silent.write(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let _silent = silent.open(&copy).unwrap();
    fs::remove_file(&copy).unwrap();
}

async fn submit(gateway: &Gateway, archive: &Archive) {
    let mail = mail().from("ann@local.example").to("user@local.example");
    let id = gateway.submit(mail).await.expect_accepted();
    archive.expect_ended(id).await;
}

fn list(archive: &Archive) -> std::path::PathBuf {
    archive.path().join("a/roots")
}

fn listed(archive: &Archive) -> Vec<Root> {
    roots::read(&list(archive)).unwrap().into_iter().map(Result::unwrap).collect()
}

fn lines_of(text: &str) -> Vec<Root> {
    text.lines().filter_map(|line| line.parse().ok()).collect()
}
