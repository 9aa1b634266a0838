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
    let none = Rlimit { current: Some(3), maximum: getrlimit(Resource::Nofile).maximum };
    let had = prlimit(Some(process), Resource::Nofile, none).expect("a child of ours");

    let mut waiting = TcpStream::connect(gateway.at("mx")).expect("the system takes it");
    let complaint = gateway.expect_log("Too many open files");
    assert!(complaint.contains("accept on mx"), "{complaint}");
    prlimit(Some(process), Resource::Nofile, had).expect("a child of ours");
    greet(&mut waiting);

    let complaints = gateway.log().matches("Too many open files").count();
    assert!(complaints < 1_000, "it span: {complaints} lines");
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
