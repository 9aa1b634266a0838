//! `mailweir auth test`: what the configured back ends say of a user and a password.
//!
//! For those who set a back end up. It opens them as the server does, needs no running server, and
//! counts nothing against anybody.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use mailweir_auth::{
    Attempt, BackendAnswer, BackendReport, Credentials, DirectoryError, Identity, Mechanism,
    Password, Proof, Report, Role, UserName,
};

use super::ExitCode;
use crate::{
    clock,
    config::{Config, Mode},
    login,
};

#[derive(Args, Debug)]
pub(super) struct AuthCommand {
    /// The configuration file; it names the back ends
    #[arg(short, long, value_name = "FILE", default_value = "mailweir.toml", global = true)]
    config: PathBuf,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Try a log-in; the password is asked for, or read as one line from standard input
    Test {
        /// The name to log in with, such as alice@example.org
        user: UserName,
        /// The mechanism, such as LOGIN or SCRAM-SHA-256
        #[arg(long, value_name = "NAME", default_value = "PLAIN")]
        mechanism: Mechanism,
        /// The listener that the back ends are told of; absent: the first for submission
        #[arg(long, value_name = "NAME")]
        listener: Option<Box<str>>,
    },
}

pub(super) fn run(command: &AuthCommand) -> anyhow::Result<ExitCode> {
    let config = match super::load(&command.config) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let Action::Test { user, mechanism, listener } = &command.action;
    let attempt = attempt(&config, listener.as_deref())?;
    let credentials = Credentials::new(*mechanism, user.clone(), Proof::Password(password()?));
    let report = super::runtime()?.block_on(async {
        let chain = login::look(&config.auth, &|text| eprintln!("mailweir: {text}"))?;
        anyhow::Ok(chain.report(&credentials, &attempt).await)
    })?;
    let mut out = io::stdout().lock();
    write_report(&mut out, user, &report)?;
    let logs_in = report.outcome.is_ok_and(|identity| identity.is(Role::Sender));
    Ok(if logs_in { ExitCode::Done } else { ExitCode::Refused })
}

/// A log-in from this machine, in TLS.
fn attempt(config: &Config, listener: Option<&str>) -> anyhow::Result<Attempt> {
    let rules = &config.listeners;
    let chosen = match listener {
        Some(name) => rules.iter().find(|rules| &*rules.name == name),
        None => rules.iter().find(|rules| rules.mode == Mode::Submission).or(rules.first()),
    };
    let Some(chosen) = chosen else {
        let names: Vec<_> = rules.iter().map(|rules| &*rules.name).collect();
        bail!("no such listener; the configuration has: {}", names.join(", "));
    };
    let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Ok(Attempt { client, listener: chosen.name.clone(), tls: true, now: clock::monotonic() })
}

/// Asks on a terminal; otherwise one line of standard input is the password.
fn password() -> anyhow::Result<Password> {
    let text = if io::stdin().is_terminal() {
        rpassword::prompt_password("Password: ")?
    } else {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    Password::new(&text).context("the password cannot be used")
}

fn write_report(out: &mut impl Write, user: &UserName, report: &Report) -> io::Result<()> {
    let width = report.backends.iter().map(|backend| backend.name.len()).max().unwrap_or_default();
    for BackendReport { name, answer } in &report.backends {
        let took = match answer {
            BackendAnswer::Said { took, .. } => format!("{} ms", took.as_millis()),
            BackendAnswer::NotAsked | BackendAnswer::CannotServe => "-".to_owned(),
        };
        writeln!(out, "{name:<width$} {took:>9}  {}", said(answer))?;
    }
    writeln!(out, "mailweir: {user}: {}", outcome(&report.outcome))
}

fn said(answer: &BackendAnswer) -> String {
    match answer {
        BackendAnswer::NotAsked => "not asked any more".to_owned(),
        BackendAnswer::CannotServe => "cannot serve this mechanism".to_owned(),
        BackendAnswer::Said { verdict: Ok(identity), .. } => {
            format!("accepted as {}", identity.user())
        }
        BackendAnswer::Said { verdict: Err(error), .. } => error.to_string(),
    }
}

fn outcome(outcome: &Result<Identity, DirectoryError>) -> &'static str {
    match outcome {
        Ok(identity) if !identity.is(Role::Sender) => {
            "would be refused (535): the user has roles, and not sender"
        }
        Ok(_) => "would be logged in",
        Err(DirectoryError::Denied(_)) => "would be refused (535)",
        Err(_) => "nobody can tell now; the client would be told to try later (454)",
    }
}
