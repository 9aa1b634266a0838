//! A gateway that has no file descriptor left waits for one, says so, and goes on (`attacks.md` J7).

#![allow(clippy::expect_used, reason = "a test that cannot go on ends")]

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use mailweir_tests::{installation::Plan, wait};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

#[test]
fn a_gateway_without_descriptors_takes_the_waiting_client_when_it_has_one() {
    let Some(plan) = Plan::new() else { return };
    let gateway = plan.mx().start();
    greet(&mut TcpStream::connect(gateway.at("mx")).expect("it listens"));
    let process = process_of(&gateway.expect_log("smtpd["));
    let had = take_descriptors(process);

    let mut waiting = TcpStream::connect(gateway.at("mx")).expect("the system takes it");
    let complaint = gateway.expect_log("Too many open files");
    assert!(complaint.contains("accept on mx"), "{complaint}");
    prlimit(Some(process), Resource::Nofile, had).expect("a child of ours");
    greet(&mut waiting);

    let complaints = gateway.log().matches("Too many open files").count();
    assert!(complaints < 1_000, "it span: {complaints} lines");
}

/// The archive has no file open yet. What was accepted meanwhile is in it later, and so is what comes then.
#[test]
fn an_archive_without_descriptors_loses_no_mail() {
    let Some(plan) = Plan::new() else { return };
    let nowhere = ([127, 0, 0, 1], 1).into();
    let plan = plan.mx().next_hop(nowhere).section("[archive]\nenabled = true\nindex = false");
    let gateway = plan.start();
    let mut client = TcpStream::connect(gateway.at("mx")).expect("it listens");
    expect_reply(&mut client, "220");
    let process = process_of(&gateway.expect_log("smtpd["));
    let had = take_descriptors(process);
    let promised = submit(&mut client);
    let complaint = gateway.expect_log("ALARM: archive: ");
    assert!(complaint.contains("Too many open files"), "{complaint}");
    prlimit(Some(process), Resource::Nofile, had).expect("a child of ours");
    let _ = gateway.expect_log("archive: it can be written again");
    let promised = u32::from(promised) + u32::from(submit(&mut client));
    assert!(promised > 0);
    wait::until("the mail in the archive", wait::PATIENCE, || {
        let said = gateway.run(&["archive", "verify"]).text;
        said.contains(&format!("{promised} record")).then_some(())
    });
}

/// Takes all descriptors from a process that it has not open. Gives the limit that it had.
fn take_descriptors(process: Pid) -> Rlimit {
    let none = Rlimit { current: Some(3), maximum: getrlimit(Resource::Nofile).maximum };
    prlimit(Some(process), Resource::Nofile, none).expect("a child of ours")
}

/// Hands in a mail; whether it was accepted. If not, then for now.
fn submit(client: &mut TcpStream) -> bool {
    for (line, reply) in [
        ("EHLO client.example", "250"),
        ("MAIL FROM:<>", "250"),
        ("RCPT TO:<user@own.example>", "250"),
        ("DATA", "354"),
    ] {
        write!(client, "{line}\r\n").expect("it listens");
        expect_reply(client, reply);
    }
    client.write_all(b"Subject: x\r\n\r\nx\r\n.\r\n").expect("it listens");
    let reply = reply(client);
    assert!(reply.starts_with("250 ") || reply.starts_with('4'), "{reply}");
    reply.starts_with('2')
}

#[track_caller]
fn expect_reply(client: &mut TcpStream, code: &str) {
    let reply = reply(client);
    assert!(reply.starts_with(code), "{reply}");
}

/// The last line of a reply.
fn reply(client: &mut TcpStream) -> String {
    client.set_read_timeout(Some(wait::PATIENCE)).expect("a time limit");
    loop {
        let (mut line, mut byte) = (Vec::new(), [0]);
        while byte != *b"\n" {
            client.read_exact(&mut byte).expect("a reply");
            line.push(byte[0]);
        }
        if line.get(3) != Some(&b'-') {
            return String::from_utf8(line).expect("a reply in UTF-8");
        }
    }
}

/// Reads the greeting and says good-bye.
fn greet(client: &mut TcpStream) {
    client.set_read_timeout(Some(wait::PATIENCE)).expect("a time limit");
    let mut greeting = [0; 4];
    client.read_exact(&mut greeting).expect("a greeting");
    assert_eq!(&greeting, b"220 ");
    client.write_all(b"QUIT\r\n").expect("it listens");
}

/// The process that wrote a line of the log: `... postfix/smtpd[4711]: ...`.
fn process_of(line: &str) -> Pid {
    let number = line.split_once("smtpd[").and_then(|(_, rest)| rest.split(']').next());
    let number = number.and_then(|number| number.parse().ok());
    number.and_then(Pid::from_raw).expect("the number of a process")
}
