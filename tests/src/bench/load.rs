//! The load: `smtp-source -s 20 -l 4096`, a new connection for each mail, as it comes.

use std::{io, net::SocketAddr, time::Instant};

use super::contestant::{Contestant, NextHop, Running};
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
    let lane = Lane::open(contestant)?;
    let trial = lane.relay(TRIAL)?;
    let rate = lane.relay(mails_for(seconds, trial))?;
    lane.server.stop()?;
    Ok(rate)
}

/// The same of two servers whose difference is smaller than what the machine's pace varies by: both run, and take turns often.
pub(super) fn relay_in_turns(
    contestants: [&dyn Contestant; 2],
    seconds: f64,
) -> io::Result<[f64; 2]> {
    let [one, other] = contestants.map(Lane::open);
    let lanes = [one?, other?];
    let [one, other] = [lanes[0].relay(TRIAL)?, lanes[1].relay(TRIAL)?];
    let mails = mails_for(seconds / f64::from(TURNS), one.min(other));
    let mut spent = [0.0; 2];
    for turn in 0..TURNS {
        // Neither is always the first.
        for place in if turn % 2 == 0 { [0, 1] } else { [1, 0] } {
            spent[place] += mails as f64 / lanes[place].relay(mails)?;
        }
    }
    for lane in lanes {
        lane.server.stop()?;
    }
    Ok(spent.map(|spent| mails as f64 * f64::from(TURNS) / spent))
}

/// A server with a sink of its own.
struct Lane {
    sink: SmtpSink,
    server: Box<dyn Running>,
}

impl Lane {
    fn open(contestant: &dyn Contestant) -> io::Result<Self> {
        let sink = SmtpSink::start()?;
        let server = contestant.start(NextHop::Sink(sink.address()))?;
        Ok(Self { sink, server })
    }

    /// Returns when nothing is left to do.
    fn relay(&self, mails: u64) -> io::Result<f64> {
        let rate = through(self.server.address(), &self.sink, mails)?;
        self.server.wait_drained()?;
        Ok(rate)
    }
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
/// Turns of each of two servers in a round.
const TURNS: u32 = 10;
const SESSIONS: &str = "20";
const SIZE: u64 = 4_096;
