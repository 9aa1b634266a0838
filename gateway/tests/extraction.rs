//! Mail is read by a child that costs one mail its words when it hangs, dies or lies, and nothing else.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use bytes::Bytes;
use mailweir::extraction::{Extractor, Failure, PATIENCE, Program, Reading, StartError};
use rustix::process::{Pid, Signal, kill_process};
use tokio_util::sync::CancellationToken;

fn mailweir() -> Program {
    Program::at(Path::new(env!("CARGO_BIN_EXE_mailweir")))
}

fn mail(number: u64) -> Bytes {
    format!("Subject: mail {number}\r\nFrom: a@a.example\r\n\r\n견적서 {number}\r\n").into()
}

/// What came of each mail, in the order in which they were sent: its subject, or why there is none.
fn all(extractor: &mut Extractor<u64>) -> Vec<(u64, Result<String, Failure>)> {
    let mut came = Vec::new();
    while let Some((tag, reading)) = extractor.take().unwrap() {
        came.push(match reading {
            Reading::Read(extracted) => (tag, Ok(extracted.subject)),
            Reading::Failed(failure) => (tag, Err(failure)),
        });
    }
    came
}

fn read(number: u64) -> (u64, Result<String, Failure>) {
    (number, Ok(format!("mail {number}")))
}

#[test]
fn mails_are_read_in_their_order_many_at_a_time() {
    let mut extractor = Extractor::new(mailweir(), PATIENCE);
    assert!(extractor.take().unwrap().is_none());
    for number in 0..50 {
        assert!(extractor.has_room());
        extractor.send(number, number, &mail(number));
    }
    assert_eq!(all(&mut extractor), (0..50).map(read).collect::<Vec<_>>());
    for number in 50..200 {
        extractor.send(number, number, &mail(number));
    }
    assert!(!extractor.has_room());
    assert_eq!(all(&mut extractor).len(), 150);
}

#[test]
fn the_child_has_no_files_no_environment_little_memory_and_little_time() {
    let mut extractor = Extractor::new(mailweir(), PATIENCE);
    extractor.send(1, 1, &mail(1));
    assert_eq!(all(&mut extractor), [read(1)]);
    let (pid, _) = extractor.child().unwrap();
    let of = |name: &str| PathBuf::from(format!("/proc/{pid}/{name}"));
    let limits = fs::read_to_string(of("limits")).unwrap();
    let limit = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        let words: Vec<_> = line[name.len()..].split_whitespace().collect();
        (words[0].to_owned(), words[1].to_owned())
    };
    let both = |most: &str| (most.to_owned(), most.to_owned());
    assert_eq!(limit("Max address space"), both("1073741824"));
    assert_eq!(limit("Max cpu time"), ("20".to_owned(), "21".to_owned()));
    assert_eq!(limit("Max open files"), both("0"));
    assert_eq!(limit("Max file size"), both("0"));
    assert_eq!(limit("Max core file size"), both("0"));
    assert_eq!(limit("Max processes"), both("0"));
    let environment = match fs::read(of("environ")) {
        // It leaves no core, so it is nobody's to look into but root's.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return,
        read => read.unwrap(),
    };
    assert_eq!(environment, b"");
    assert_eq!(fs::read_link(of("cwd")).unwrap(), Path::new("/"));
    // Streams alone: pipes, and where errors go.
    for descriptor in fs::read_dir(of("fd")).unwrap() {
        let target = fs::read_link(descriptor.unwrap().path()).unwrap();
        let target = target.to_string_lossy();
        assert!(target.starts_with("pipe:") || target == "/dev/null", "{target}");
    }
}

/// As at the stop of a service, or when the machine has no memory left.
#[test]
fn a_child_that_is_killed_from_outside_costs_nothing_and_another_one_goes_on() {
    let mut extractor = Extractor::new(mailweir(), PATIENCE);
    extractor.send(1, 1, &mail(1));
    assert_eq!(all(&mut extractor), [read(1)]);
    extractor.send(2, 2, &long());
    for number in 3..5 {
        extractor.send(number, number, &mail(number));
    }
    let pid = kill(&extractor);
    assert_eq!(all(&mut extractor), [(2, Ok("long".to_owned())), read(3), read(4)]);
    assert_ne!(extractor.child().unwrap().0, pid);
}

#[test]
fn a_child_that_is_killed_while_it_has_nothing_to_do_costs_nothing() {
    let mut extractor = Extractor::new(mailweir(), PATIENCE);
    extractor.send(1, 1, &mail(1));
    assert_eq!(all(&mut extractor), [read(1)]);
    let pid = kill(&extractor);
    // Dead, and not buried yet.
    let state = PathBuf::from(format!("/proc/{pid}/stat"));
    while !fs::read_to_string(&state).unwrap().contains(") Z ") {
        thread::yield_now();
    }
    extractor.send(2, 2, &mail(2));
    assert_eq!(all(&mut extractor), [read(2)]);
}

/// A mail that takes a while.
fn long() -> Bytes {
    let line = "a line of text that somebody has to read\r\n";
    format!("Subject: long\r\n\r\n{}", line.repeat(200_000)).into()
}

fn kill(extractor: &Extractor<u64>) -> u32 {
    let (pid, _) = extractor.child().unwrap();
    kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), Signal::KILL).unwrap();
    pid
}

/// No mail is known that makes a reader hang: so this one gets no time at all.
#[test]
fn a_mail_that_takes_too_long_is_left_out_and_the_next_one_is_read() {
    let mut extractor = Extractor::new(mailweir(), Duration::ZERO);
    extractor.send(1, 1, &long());
    extractor.send(2, 2, &mail(2));
    let (tag, reading) = extractor.take().unwrap().unwrap();
    assert_eq!((tag, reading), (1, Reading::Failed(Failure::TooSlow)));
    assert!(extractor.child().is_none());
    extractor.set_patience(PATIENCE);
    assert_eq!(all(&mut extractor), [read(2)]);
}

#[test]
fn a_large_mail_is_read_as_far_as_mail_is_read() {
    // Not the time is what this is about.
    let mut extractor = Extractor::new(mailweir(), 60 * PATIENCE);
    let most = extractor.most();
    let large = format!("Subject: mail 1\r\n\r\n{}", " \r\n".repeat(most / 3 + 1_000));
    extractor.send(1, 1, &large.into());
    assert!(!extractor.has_room());
    assert_eq!(all(&mut extractor), [read(1)]);
}

/// The kernel counts the time of a whole life: a child that has used up half of it gives way to another one.
#[test]
fn a_child_grows_old_and_no_mail_is_left_out() {
    let mut extractor = Extractor::new(mailweir(), Duration::from_secs(1));
    let line = "a line of text that somebody has to read\r\n".repeat(1_000);
    let mut children = Vec::new();
    for round in 0..10_000 {
        let numbers = 10 * round..10 * (round + 1);
        for number in numbers.clone() {
            extractor.send(number, number, &[&*mail(number), line.as_bytes()].concat().into());
        }
        assert_eq!(all(&mut extractor), numbers.map(read).collect::<Vec<_>>());
        children.push(extractor.child().unwrap().0);
        children.dedup();
        if children.len() > 2 {
            return;
        }
    }
    panic!("{} children", children.len());
}

/// No mail is known that uses up the time of its reader: so this one says that it has.
#[test]
fn a_mail_that_uses_up_the_time_of_its_reader_is_not_tried_again() {
    let (place, program) = child("ulimit -c 0; echo try >>\"$0.tries\"; kill -s XCPU $$");
    let mut extractor = Extractor::new(program, PATIENCE);
    extractor.send(1, 1, &mail(1));
    extractor.send(2, 2, &mail(2));
    assert_eq!(all(&mut extractor), [1, 2].map(|number| (number, Err(Failure::TooSlow))));
    extractor.send(1, 3, &mail(1));
    assert_eq!(all(&mut extractor), [(3, Err(Failure::Before))]);
    // One child for each of the two.
    assert_eq!(fs::read_to_string(place.path().join("child.tries")).unwrap(), "try\ntry\n");
}

#[test]
fn a_child_ends_with_its_input() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailweir"));
    command.args(["extract-worker", "10"]).stdin(Stdio::null()).stdout(Stdio::piped());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(!output.stdout.is_empty(), "it greets");
}

#[test]
fn who_waits_for_a_child_is_told_that_it_is_over() {
    for program in [child("cat >/dev/null"), script("cat >/dev/null")] {
        let (_place, program) = program;
        let end = CancellationToken::new();
        let mut extractor = Extractor::new(program, 60 * PATIENCE).until(end.clone());
        extractor.send(1, 1, &mail(1));
        thread::spawn(move || end.cancel());
        assert!(matches!(extractor.take(), Err(StartError::Ended)));
        assert!(extractor.child().is_none());
    }
}

/// A program that greets as a child does, and then does this.
fn child(then: &str) -> (tempfile::TempDir, Program) {
    script(&format!(r"printf '\007\000\000\000\221\245whole'; {then}"))
}

/// A program that does this.
fn script(text: &str) -> (tempfile::TempDir, Program) {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("child");
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    let program = Program::at(&path);
    (place, program)
}

#[test]
fn a_child_that_lies_is_ended() {
    let lies = [
        // A length that nothing has.
        r"printf '\377\377\377\377'",
        // Nothing that can be understood.
        r"printf '\002\000\000\000\301\301'",
        // A list that claims to have four milliards of members.
        r"printf '\006\000\000\000\231\335\377\377\377\377'",
        // Half an answer.
        r"printf '\100\000\000\000half'",
    ];
    for lie in lies {
        let (_place, program) = child(lie);
        let mut extractor = Extractor::new(program, PATIENCE);
        extractor.send(1, 1, &mail(1));
        extractor.send(2, 2, &mail(2));
        for (_, came) in all(&mut extractor) {
            let Err(Failure::Died(how)) = came else { panic!("{lie}: {came:?}") };
            assert!(how.contains("no sense"), "{lie}: {how}");
        }
    }
}

#[test]
fn a_child_that_never_answers_is_ended() {
    let (_place, program) = child("while read line; do :; done; while :; do :; done");
    let mut extractor = Extractor::new(program, Duration::from_millis(50));
    extractor.send(1, 1, &mail(1));
    assert_eq!(all(&mut extractor), [(1, Err(Failure::TooSlow))]);
}

/// As on a machine that is busy: who reads mail stands back behind all else.
#[test]
fn a_child_that_is_kept_waiting_is_no_slow_one() {
    let (_place, program) = child("[ -e \"$0.again\" ] || sleep 4; >\"$0.again\"; exit 3");
    let mut extractor = Extractor::new(program, Duration::from_secs(1));
    extractor.send(1, 1, &mail(1));
    let [(1, Err(Failure::Died(_)))] = all(&mut extractor)[..] else { panic!("too slow") };
}

#[test]
fn who_has_no_reader_hears_it_and_no_mail_is_lost() {
    for program in ["/nowhere/mailweir", "/bin/false", "/usr/bin/yes"] {
        let mut extractor: Extractor<u64> =
            Extractor::new(Program::at(Path::new(program)), PATIENCE);
        extractor.send(1, 1, &mail(1));
        for _ in 0..2 {
            let error = extractor.take().unwrap_err();
            assert!(matches!(error, StartError::Start(_)), "{program}: {error}");
        }
    }
}

/// Not each of many mails is to be taken for a bad one while it is the reader that is bad.
#[test]
fn when_mail_after_mail_fails_it_is_said_before_another_one_is_tried() {
    let (_place, program) = child("exit 3");
    let mut extractor = Extractor::new(program, PATIENCE);
    for number in 0..7 {
        extractor.send(number, number, &mail(number));
    }
    for number in 0..5 {
        let (tag, reading) = extractor.take().unwrap().unwrap();
        assert_eq!(tag, number);
        assert!(matches!(reading, Reading::Failed(Failure::Died(_))), "{reading:?}");
    }
    assert!(matches!(extractor.take(), Err(StartError::Failing(5))));
    assert_eq!(extractor.take().unwrap().unwrap().0, 5);
}
