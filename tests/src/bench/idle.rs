//! Memory and start-up time of Mailweir. Measured once each: these figures hardly move.

use std::{
    fs, io,
    io::Read as _,
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use super::{
    Figure,
    contestant::{Mailweir, NextHop},
    load,
};
use crate::{peers::SmtpSink, program::Program, wait};

pub(super) fn measure(
    mailweir: &Mailweir,
    progress: &mut dyn FnMut(&str),
) -> io::Result<Vec<Figure>> {
    let rows: [(&str, Row); 3] =
        [("idle", idle), ("a large mail", large_mail), ("start with a full queue", full_queue)];
    let mut figures = Vec::new();
    for (name, row) in rows {
        progress(name);
        figures.extend(row(mailweir)?);
    }
    Ok(figures)
}

type Row = fn(&Mailweir) -> io::Result<Vec<Figure>>;

fn idle(mailweir: &Mailweir) -> io::Result<Vec<Figure>> {
    let instance = mailweir.lay_out(NextHop::Nowhere)?;
    let program = instance.start()?;
    let before = settled(&program);
    let connections = (0..CONNECTIONS)
        .map(|_| greeted(instance.listener()))
        .collect::<io::Result<Vec<TcpStream>>>()?;
    let with_connections = settled(&program);
    drop(connections);
    program.stop()?;
    let each = with_connections.saturating_sub(before) as f64 / CONNECTIONS as f64;
    Ok(vec![
        Figure::once("idle RSS", "MB", before as f64 / MB, "under 30"),
        Figure::once("RSS per idle connection", "KiB", each / KIB, "under 16"),
    ])
}

fn large_mail(mailweir: &Mailweir) -> io::Result<Vec<Figure>> {
    let sink = SmtpSink::start()?;
    let instance = mailweir.lay_out(NextHop::Sink(sink.address()))?;
    let program = instance.start()?;
    load::one_large(instance.listener(), &sink, 4_096)?;
    let before = settled(&program);
    // proc(5), clear_refs: 5 sets the peak back to what is resident now.
    fs::write(format!("/proc/{}/clear_refs", program.id()), "5")?;
    load::one_large(instance.listener(), &sink, LARGE_MAIL)?;
    let peak = program.peak_resident_bytes();
    program.stop()?;
    let growth = peak.saturating_sub(before) as f64 / MB;
    Ok(vec![Figure::once("RSS growth of a 100 MB mail", "MB", growth, "under 8")])
}

fn full_queue(mailweir: &Mailweir) -> io::Result<Vec<Figure>> {
    let instance = mailweir.lay_out(NextHop::Nowhere)?;
    let program = instance.start()?;
    load::accept(instance.listener(), QUEUED)?;
    program.stop()?;
    let started = Instant::now();
    let program = instance.start()?;
    let seconds = started.elapsed().as_secs_f64();
    program.stop()?;
    Ok(vec![Figure::once("start with 100,000 mails", "s", seconds, "under 1")])
}

/// Resident memory once it has not moved by more than a page for a while.
fn settled(program: &Program) -> u64 {
    let mut last = program.resident_bytes();
    for _ in 0..LOOKS {
        wait::pause(Duration::from_millis(200));
        let now = program.resident_bytes();
        if now.abs_diff(last) <= 4_096 {
            return now;
        }
        last = now;
    }
    last
}

fn greeted(server: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(server)?;
    stream.read_exact(&mut [0; 4])?;
    Ok(stream)
}

const CONNECTIONS: usize = 5_000;
const LARGE_MAIL: u64 = 100_000_000;
const QUEUED: u64 = 100_000;
const LOOKS: usize = 25;
const KIB: f64 = 1024.0;
const MB: f64 = 1_000_000.0;
