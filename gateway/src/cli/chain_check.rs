//! `mailweir chain-check`: did a mail come through trusted hosts only? Hop by hop, and why.

use std::{
    fs::File,
    io::{self, Read, Write as _},
    net::IpAddr,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use mailweir_moderation::chain::{
    OwnReceived, ReceivedHeaders, ReceivedReader, TrustedEntry, WalkOptions, walk,
};

use super::{ExitCode, queue::json_line};

#[derive(Args, Debug)]
pub(super) struct ChainCheckOptions {
    /// The mail; - for standard input
    #[arg(value_name = "FILE")]
    mail: PathBuf,
    /// The address of the client that brought it
    #[arg(long, value_name = "IP")]
    peer: IpAddr,
    /// A trusted host besides those of the configuration: an address, a network, or ^regex; may be
    /// given several times. Without -c no configuration is then read
    #[arg(long, value_name = "ENTRY", value_parser = TrustedEntry::parse)]
    trusted: Vec<TrustedEntry>,
    /// The configuration file [default: mailweir.toml]
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The mail has been accepted here: the first Received header is our own
    #[arg(long)]
    own_received: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &ChainCheckOptions) -> anyhow::Result<ExitCode> {
    let (hosts, strictness) = match configured(options) {
        Ok(configured) => configured,
        Err(code) => return Ok(code),
    };
    for entry in &options.trusted {
        for warning in entry.warnings() {
            eprintln!("warning: {:?}: {warning}", entry.as_str());
        }
    }
    let hosts = hosts.into_iter().chain(options.trusted.iter().cloned()).collect();
    let own = if options.own_received { OwnReceived::OnTop } else { OwnReceived::Absent };
    let headers = received(&options.mail)?;
    let walk = walk(options.peer, &headers, &hosts, &WalkOptions { own, ..strictness });
    let mut out = io::stdout().lock();
    match options.json {
        true => json_line(&mut out, &walk)?,
        false => writeln!(out, "{walk}")?,
    }
    Ok(if walk.is_trusted() { ExitCode::Done } else { ExitCode::Refused })
}

/// What the configuration says, if one is asked.
fn configured(options: &ChainCheckOptions) -> Result<(Vec<TrustedEntry>, WalkOptions), ExitCode> {
    let path = match &options.config {
        Some(path) => path,
        None if !options.trusted.is_empty() => return Ok((Vec::new(), WalkOptions::default())),
        None => Path::new("mailweir.toml"),
    };
    let moderation = super::load(path)?.moderation;
    Ok((moderation.trusted_hosts.iter().cloned().collect(), moderation.walk))
}

fn received(mail: &Path) -> anyhow::Result<ReceivedHeaders> {
    if mail.as_os_str() == "-" {
        return Ok(read(io::stdin().lock())?);
    }
    let read = File::open(mail).and_then(read);
    read.with_context(|| mail.display().to_string())
}

fn read(mut mail: impl Read) -> io::Result<ReceivedHeaders> {
    let mut reader = ReceivedReader::default();
    let mut buffer = vec![0; PIECE];
    loop {
        match mail.read(&mut buffer) {
            Ok(0) => return Ok(reader.finish()),
            Ok(length) => reader.feed(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

const PIECE: usize = 64 << 10;
