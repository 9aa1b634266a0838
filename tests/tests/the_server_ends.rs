//! However a server ends, it ends soon, and the process that reads mail for the index ends with it.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{BufRead as _, BufReader, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use mailweir_tests::{
    gateway::{Peer, mail},
    installation::{Installation, Plan},
    wait,
};
use rustix::{
    fs::{CWD, FileType, Mode, OFlags, mknodat},
    io::ioctl_fionread,
    process::{Pid, Signal, geteuid, kill_process},
};

#[tokio::test]
async fn a_reader_in_the_middle_of_a_mail_ends_with_a_server_that_is_killed() {
    let Some(gateway) = with_an_archive() else { return };
    let reader = reader_of_a_first_mail(&gateway).await;
    if !may_look_into(reader) {
        return;
    }
    // While somebody else can write to it, it hears of no end.
    let input = OpenOptions::new().write(true).open(format!("/proc/{reader}/fd/0"));
    let mut input = input.unwrap();
    input.write_all(&[4, 0, 0, 0, b'h', b'a', b'l']).unwrap();
    gateway.signal(Signal::KILL);
    expect_dead(reader);
}

#[tokio::test]
async fn a_stop_does_not_wait_for_the_reader_of_a_mail() {
    let Some(mut gateway) = with_an_archive() else { return };
    let reader = reader_of_a_first_mail(&gateway).await;
    if !may_look_into(reader) {
        return;
    }
    kill_process(reader, Signal::STOP).unwrap();
    wait::until("its rest", wait::PATIENCE, || (state(reader) == Some('T')).then_some(()));
    send(&gateway, "second words").await;
    wait::until("the second mail", wait::PATIENCE, || has_input(reader).then_some(()));
    gateway.stop();
    expect_dead(reader);
    let log = gateway.log();
    assert!(!log.contains("cut off"), "{log}");
    assert!(
        !log.contains("envelope and header alone"),
        "it waited until the time was over:\n{log}"
    );
    gateway.start();
    let found = || gateway.run(&["archive", "search", "text:second"]).text;
    let is_found = wait::within(wait::PATIENCE, || found().contains("second words").then_some(()));
    assert!(is_found.is_some(), "{}\n{}", found(), gateway.log());
}

#[tokio::test]
async fn a_program_in_the_middle_of_a_mail_ends_with_a_server_that_is_killed() {
    let Some(plan) = Plan::new() else { return };
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), Permissions::from_mode(0o755)).unwrap();
    let life = place.path().join("life");
    mknodat(CWD, &life, FileType::Fifo, Mode::from_raw_mode(0o622), 0).unwrap();
    fs::set_permissions(&life, Permissions::from_mode(0o622)).unwrap();
    let user = if geteuid().is_root() { "user = \"nobody\"" } else { "" };
    let script = format!("exec > {}; echo begun; sleep 1000 & wait", life.display());
    let filter = format!(
        "[[filter]]\nname = \"hangs\"\ntype = \"pipe\"\n{user}\n\
         command = [\"/bin/sh\", \"-c\", \"{script}\"]"
    );
    let gateway = plan.mx().next_hop(SocketAddr::new(CLIENT, 9)).section(&filter).start();
    send(&gateway, "words").await;
    let mut life = BufReader::new(File::open(life).unwrap()).lines();
    assert_eq!(life.next().unwrap().unwrap(), "begun");
    gateway.signal(Signal::KILL);
    // Nobody has it open any more.
    assert!(life.next().is_none());
}

/// As with a file system that does not answer, or an export to somebody who does not read.
#[test]
fn a_stop_does_not_wait_for_a_thread_that_never_comes_back() {
    let Some(plan) = Plan::new() else { return };
    let place = tempfile::tempdir().unwrap();
    let (table, pipe) = (place.path().join("table"), place.path().join("pipe"));
    fs::write(&table, "").unwrap();
    let checks = format!("[checks]\nheader_checks = [\"regexp:{}\"]", table.display());
    let mut gateway = plan.mx().section(&checks).start();
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    fs::rename(&pipe, &table).unwrap();
    let _silent = silent_writer(&table);
    gateway.stop();
    let _ = gateway.expect_log("stopped");
}

/// As with a configuration, a table or a certificate on a file system that does not answer.
#[test]
fn a_stop_does_not_wait_for_a_reload() {
    let Some(plan) = Plan::new() else { return };
    let mut gateway = plan.mx().start();
    fs::remove_file(gateway.config()).unwrap();
    mknodat(CWD, gateway.config(), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    gateway.signal(Signal::HUP);
    let _silent = silent_writer(&gateway.config());
    gateway.stop();
    let _ = gateway.expect_log("stopped");
}

/// Writes nothing. It comes once the server reads.
fn silent_writer(pipe: &Path) -> File {
    let mut silent = OpenOptions::new();
    silent.write(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    wait::until("a reader of the pipe", wait::PATIENCE, || silent.open(pipe).ok())
}

/// A gateway that archives and indexes; its mail goes nowhere.
fn with_an_archive() -> Option<Installation> {
    let nowhere = SocketAddr::new(CLIENT, 9);
    Some(Plan::new()?.mx().next_hop(nowhere).section("[archive]\nenabled = true").start())
}

/// The process that has read a mail.
async fn reader_of_a_first_mail(gateway: &Installation) -> Pid {
    send(gateway, "first words").await;
    let reader = wait::until("a reader", wait::PATIENCE, || reader_of(gateway.process()));
    let found = || gateway.run(&["archive", "search", "text:first"]).text.contains("first words");
    wait::until("the first mail", wait::PATIENCE, || found().then_some(()));
    reader
}

async fn send(gateway: &Installation, text: &str) {
    let mut peer = Peer::connect(gateway.at("mx"), CLIENT).await;
    peer.greet().await;
    let content = format!("Subject: {text}\r\n\r\n{text}\r\n");
    let mail = mail().to("b@own.example").content(content);
    let _ = peer.send(&mail).await.expect_accepted();
    peer.leave().await;
}

fn reader_of(server: Pid) -> Option<Pid> {
    let tasks = fs::read_dir(format!("/proc/{server}/task")).ok()?.flatten();
    let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let numbers: Vec<i32> = children
        .flat_map(|children| {
            children.split_whitespace().filter_map(|child| child.parse().ok()).collect::<Vec<_>>()
        })
        .collect();
    numbers
        .into_iter()
        .find(|child| words(*child).contains("extract-worker"))
        .and_then(Pid::from_raw)
}

fn words(process: i32) -> String {
    fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default()
}

/// As in proc(5); `None`: there is no such process.
fn state(process: Pid) -> Option<char> {
    let line = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    line.rsplit_once(") ")?.1.chars().next()
}

/// It leaves no core, so its streams are for nobody but root.
fn may_look_into(process: Pid) -> bool {
    let may = fs::read_link(format!("/proc/{process}/fd/0")).is_ok();
    if !may {
        eprintln!("skipped: only root may look into who reads mail");
    }
    may
}

/// Whether something waits on its standard input.
fn has_input(process: Pid) -> bool {
    let pipe = fs::File::open(format!("/proc/{process}/fd/0"));
    pipe.is_ok_and(|pipe| ioctl_fionread(&pipe).is_ok_and(|bytes| bytes > 0))
}

fn expect_dead(process: Pid) {
    // Whoever takes the place of its parent may leave it unburied.
    let dead = || matches!(state(process), None | Some('Z' | 'X')).then_some(());
    wait::until("the end of the reader", wait::PATIENCE, dead);
}

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
