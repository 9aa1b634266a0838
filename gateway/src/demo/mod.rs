//! `mailweir demo`: a gateway that needs no configuration, with a sink behind it.
//!
//! Everything is real but the next hop: listeners, TLS, log-ins, queue, delivery. The sink keeps no
//! mail and says what came; two names it refuses, so that there is a report and a queue to see.

mod samples;
mod sink;

use std::{
    io::{self, Write},
    net::SocketAddr,
    path::Path,
    sync::Arc,
};

use anyhow::{Context, bail};
use mailweir_auth::{NewPassword, StoreError, UserStore};
use tokio::net::TcpListener;

use crate::{app::App, config::Config, observe::Observer};

/// Starts the sink and the gateway in front of it, and sends the sample mails.
///
/// # Errors
/// A port is in use, or the data directory cannot be written.
pub(crate) async fn start(
    data_dir: &Path,
    observer: impl FnOnce(&Config) -> anyhow::Result<Observer>,
) -> anyhow::Result<Arc<App>> {
    let socket = TcpListener::bind(LOOPBACK).await.context("the sink finds no port")?;
    let sink = socket.local_addr()?;
    tokio::spawn(sink::run(socket));
    let config = match Config::demo(data_dir, sink) {
        Ok((config, _)) => config,
        Err(problems) => {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            bail!(
                "the configuration of the demo is wrong; please report this:\n{}",
                problems.join("\n")
            )
        }
    };
    add_users(&config)?;
    let observer = observer(&config)?;
    let app = App::start(config, observer).await?;
    // Whoever started it may have gone by now.
    let _ = introduce(&mut io::stdout().lock(), &app.config(), data_dir);
    let called = (program(), format!("--data-dir {}", data_dir.display()));
    tokio::spawn(samples::send(SUBMISSION, called));
    Ok(app)
}

/// Users of a demo that ran on this data directory before stay as they are.
fn add_users(config: &Config) -> anyhow::Result<()> {
    let users = UserStore::open(&config.auth.users_file)?;
    for (name, password) in USERS {
        match users.add(&name.parse()?, &NewPassword::new(password)?) {
            Ok(()) | Err(StoreError::UserExists(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// What to try next.
fn introduce(out: &mut impl Write, config: &Config, data_dir: &Path) -> io::Result<()> {
    let [(alice, password), (bob, _)] = USERS;
    writeln!(
        out,
        "Mailweir demo. Nothing leaves this machine: all mail ends in a built-in sink.\n"
    )?;
    for listener in &config.listeners {
        for address in &listener.bind {
            let (address, name) = (address.to_string(), &listener.name);
            writeln!(out, "  {address:<23} {name:<12} {}", purpose(name))?;
        }
    }
    for address in &config.admin.bind {
        writeln!(out, "  {:<23} {:<12} /readyz, /metrics", format!("http://{address}/"), "status")?;
    }
    writeln!(out, "  {:<23} password {password}, also for {bob}", alice)?;
    writeln!(out, "  {:<23} the queue and all else that is kept\n", data_dir.display())?;
    writeln!(out, "Try, in another terminal:\n")?;
    let submit = format!(
        "swaks --server 127.0.0.1:2587 --tls --auth-user {alice} --auth-password {password} \\\n        \
         --from {alice} --to"
    );
    let incoming = "swaks --server 127.0.0.1:2525 --from a@example.net --to";
    let moderation = format!("{} moderation list --data-dir {}", program(), data_dir.display());
    let queue = format!("{} queue list --data-dir {}", program(), data_dir.display());
    for (what, command) in [
        ("a user writes to the world", format!("{submit} anybody@example.net")),
        ("... to somebody unknown: a report comes back", format!("{submit} nobody@example.net")),
        (
            "... to somebody busy: the mail waits in the queue",
            format!("{submit} later@example.net"),
        ),
        ("the queue", queue),
        ("an offer to the world waits for approval: one of the sample mails does", moderation),
        ("the world writes to a user", format!("{incoming} {bob}")),
        ("a stranger wants to relay: refused", format!("{incoming} b@example.com")),
    ] {
        writeln!(out, "  # {what}\n  {command}\n")?;
    }
    writeln!(
        out,
        "Ctrl-C ends it. Lines that begin with \"sink:\" are mail that arrived, with the links of \
         notices; all else is the log.\n"
    )
}

/// What a listener of `demo.toml` is for.
fn purpose(listener: &str) -> &'static str {
    match listener {
        "mx" => "mail from the world, for demo.example only",
        "submission" => "mail from users: STARTTLS, then a log-in",
        "submissions" => "the same, with TLS from the first byte",
        _ => "",
    }
}

/// How this program was called, to be called again.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "mailweir".to_owned())
}

const LOOPBACK: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Where the demo takes submissions.
const SUBMISSION: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 2587);

/// The users of the demo, with their passwords.
const USERS: [(&str, &str); 2] =
    [("alice@demo.example", "let-me-relay"), ("bob@demo.example", "let-me-relay")];
