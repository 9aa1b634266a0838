//! `mailweir explain`: what today's rules would do to a mail, and why. Nothing is sent or stored.
//!
//! The order of the stages is that of the session and of admission, which are at work here: there
//! is no second place that knows it.

mod notes;
mod report;
mod story;

use std::{
    fs,
    io::{self, IsTerminal as _, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
};

use anyhow::{Context as _, bail};
use clap::Args;
use mailweir_mail::{Address, ReversePath};

use self::report::Verdict;
use super::{ExitCode, queue::json_line};
use crate::{
    app::App,
    config::{Config, Listener, ListenerTls, Mode},
    observe::Observer,
};

#[derive(Args, Debug)]
pub(super) struct ExplainOptions {
    /// The configuration file
    #[arg(short, long, value_name = "FILE", default_value = "mailweir.toml")]
    config: PathBuf,
    /// The listener it comes to; absent: the first of mode "mx", or for a login "submission"
    #[arg(long, value_name = "NAME")]
    listener: Option<Box<str>>,
    /// The client's address
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(STRANGER))]
    client: IpAddr,
    /// The client's verified name; absent: DNS is asked
    #[arg(long, value_name = "HOST", value_parser = word)]
    name: Option<Box<str>>,
    /// What the client calls itself
    #[arg(long, value_name = "HOST", default_value = "client.invalid", value_parser = word)]
    helo: Box<str>,
    /// The user who is logged in
    #[arg(long, value_name = "USER", value_parser = word)]
    login: Option<Box<str>>,
    /// The envelope sender; <> for none
    #[arg(long, value_name = "ADDR", value_parser = sender)]
    from: ReversePath,
    /// A recipient; may be given several times
    #[arg(long, value_name = "ADDR", required = true)]
    to: Vec<Address>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The mail; - for standard input; absent: an empty one
    #[arg(value_name = "MAIL.eml")]
    mail: Option<PathBuf>,
}

pub(super) fn run(options: &ExplainOptions) -> anyhow::Result<ExitCode> {
    let config = match super::load(&options.config) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let rules = listener(&config, options)?;
    let visit = story::Visit {
        listener: rules.name.clone(),
        uses_lmtp: rules.mode == Mode::Lmtp,
        in_tls: rules.tls != ListenerTls::None,
        client: options.client,
        name: options.name.clone(),
        helo: options.helo.clone(),
        login: options.login.clone(),
        from: options.from.clone(),
        to: options.to.clone(),
        mail: mail(options)?,
    };
    let report = super::runtime()?.block_on(async {
        let directory = tempfile::Builder::new().prefix("mailweir-explain-").tempdir()?;
        let notes = notes::Notes::default();
        let observer = Observer::heard_by(notes.ear())?;
        let app = App::rehearsing(config, &observer, directory.path())?;
        story::tell(&app, &visit, &notes).await
    })?;
    let mut out = io::stdout().lock();
    match options.json {
        true => json_line(&mut out, &report)?,
        false => write!(out, "{}", report.render(super::colour(io::stdout().is_terminal())))?,
    }
    Ok(if report.verdict == Verdict::Accepted { ExitCode::Done } else { ExitCode::Refused })
}

fn listener<'c>(config: &'c Config, options: &ExplainOptions) -> anyhow::Result<&'c Listener> {
    let rules = &config.listeners;
    let usual = if options.login.is_some() { Mode::Submission } else { Mode::Mx };
    let chosen = match &options.listener {
        Some(name) => rules.iter().find(|rules| rules.name == *name),
        None => rules.iter().find(|rules| rules.mode == usual).or(rules.first()),
    };
    match chosen {
        Some(chosen) => Ok(chosen),
        None => {
            let names: Vec<_> = rules.iter().map(|rules| &*rules.name).collect();
            bail!("no such listener; the configuration has: {}", names.join(", "))
        }
    }
}

fn mail(options: &ExplainOptions) -> anyhow::Result<Vec<u8>> {
    match &options.mail {
        None => Ok(Vec::new()),
        Some(path) if path.as_os_str() == "-" => {
            let mut mail = Vec::new();
            io::stdin().lock().read_to_end(&mut mail)?;
            Ok(mail)
        }
        Some(path) => fs::read(path).with_context(|| path.display().to_string()),
    }
}

/// Something that is one word on an SMTP line.
fn word(text: &str) -> Result<Box<str>, &'static str> {
    let odd = |c: char| c.is_whitespace() || c.is_control();
    if text.is_empty() || text.contains(odd) { Err("not one word") } else { Ok(text.into()) }
}

fn sender(text: &str) -> Result<ReversePath, String> {
    match text {
        "" | "<>" => Ok(ReversePath::Null),
        _ => Address::parse(text).map(ReversePath::Mailbox).map_err(|error| error.to_string()),
    }
}

/// An address that belongs to nobody (RFC 5737): a client without any right.
const STRANGER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
