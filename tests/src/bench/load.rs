//! The load: `smtp-source -s 20 -l 4096`, a new connection for each mail, as it comes.

use std::{io, net::SocketAddr, time::Instant};

use super::contestant::{Contestant, NextHop};
use crate::{
    peers::{self, SmtpSink},
    wait,
};

/// Sends this many mails and returns when the last is acknowledged: mails per second.
pub(super) fn accept(server: SocketAddr, mails: u64) -> io::Result<f64> {
    let started = Instant::now();
    send(server, mails, SIZE)?;
    Ok(mails as f64 / started.elapsed().as_secs_f64())
}

/// A fresh server, a fresh sink, a trial to warm up and to choose the number, then the round:
/// mails per second from the start of the load until the sink has them all.
pub(super) fn relay(contestant: &dyn Contestant, seconds: f64) -> io::Result<f64> {
    let sink = SmtpSink::start()?;
    let server = contestant.start(NextHop::Sink(sink.address()))?;
    let trial = through(server.address(), &sink, TRIAL)?;
    server.wait_drained()?;
    let rate = through(server.address(), &sink, mails_for(seconds, trial))?;
    server.wait_drained()?;
    server.stop()?;
    Ok(rate)
}

/// The load without a server between: what source and sink can do at most on this machine.
pub(super) fn ceiling(seconds: f64) -> io::Result<f64> {
    let sink = SmtpSink::start()?;
    let trial = through(sink.address(), &sink, TRIAL)?;
    through(sink.address(), &sink, mails_for(seconds, trial))
}

/// One mail of this size, until the sink has it.
pub(super) fn one_large(server: SocketAddr, sink: &SmtpSink, size: u64) -> io::Result<()> {
    let awaited = sink.taken() + 1;
    send(server, 1, size)?;
    sink.wait_taken(awaited, wait::PATIENCE).map(drop).ok_or_else(|| not_arrived(awaited, sink))
}

/// How many mails keep a server of this rate busy for so long, in hundreds.
pub(super) fn mails_for(seconds: f64, rate: f64) -> u64 {
    ((rate * seconds / 100.0).round() as u64).max(1) * 100
}

fn through(server: SocketAddr, sink: &SmtpSink, mails: u64) -> io::Result<f64> {
    let awaited = sink.taken() + mails;
    let started = Instant::now();
    send(server, mails, SIZE)?;
    let arrived = sink.wait_taken(awaited, wait::PATIENCE);
    let arrived = arrived.ok_or_else(|| not_arrived(awaited, sink))?;
    Ok(mails as f64 / (arrived - started).as_secs_f64())
}

fn send(server: SocketAddr, mails: u64, size: u64) -> io::Result<()> {
    let (mails, size) = (mails.to_string(), size.to_string());
    let addresses = ["-f", "source@sender.example", "-t", "sink@recipient.example"];
    let arguments = [&["-s", SESSIONS, "-l", &size, "-m", &mails][..], &addresses].concat();
    let said = peers::smtp_source(server, &arguments)?;
    if said.content { Ok(()) } else { Err(io::Error::other(said.text)) }
}

fn not_arrived(awaited: u64, sink: &SmtpSink) -> io::Error {
    io::Error::other(format!("the sink has {} of {awaited} mails and gets no more", sink.taken()))
}

/// Mails of a trial: enough for every process of a server to be up.
pub(super) const TRIAL: u64 = 1_000;
const SESSIONS: &str = "20";
const SIZE: u64 = 4_096;
