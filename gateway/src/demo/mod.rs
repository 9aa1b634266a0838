//! `mailweir demo`: a gateway that needs no configuration, with a sink behind it.
//!
//! Everything is real but the next hop: listeners, TLS, log-ins, queue, delivery. The sink takes
//! every mail, keeps none, and says what came.

mod samples;
mod sink;

use std::{net::SocketAddr, path::Path, sync::Arc};

use anyhow::{Context, bail};
use mailweir_auth::{NewPassword, UserStore};
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
    introduce(&app, data_dir);
    tokio::spawn(samples::send(SUBMISSION));
    Ok(app)
}

fn add_users(config: &Config) -> anyhow::Result<()> {
    let users = UserStore::open(&config.auth.users_file)?;
    for (name, password) in USERS {
        users.add(&name.parse()?, &NewPassword::new(password)?)?;
    }
    Ok(())
}

/// What to try next.
fn introduce(app: &App, data_dir: &Path) {
    let [(alice, password), (bob, _)] = USERS;
    println!("Mailweir demo. Nothing leaves this machine: all mail ends in a built-in sink.\n");
    for (name, address) in app.bound() {
        println!("  {name:<12} {address}");
    }
    println!("  {:<12} http://127.0.0.1:8025/", "web");
    println!("  {:<12} {alice} and {bob}, password {password}", "users");
    println!("  {:<12} {}\n", "data", data_dir.display());
    println!("Try, in another terminal:\n");
    println!(
        "  swaks --server 127.0.0.1:2587 --tls --auth-user {alice} --auth-password {password} \\"
    );
    println!("        --from {alice} --to anybody@example.net");
    println!("  swaks --server 127.0.0.1:2525 --from a@example.net --to {bob}");
    println!(
        "  swaks --server 127.0.0.1:2525 --from a@example.net --to stranger@example.com   # refused"
    );
    println!("  mailweir queue list --data-dir {}", data_dir.display());
    println!(
        "\nCtrl-C ends it. The log follows; lines that begin with \"sink:\" are mail that arrived.\n"
    );
}

const LOOPBACK: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Where the demo takes submissions.
const SUBMISSION: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 2587);

/// The users of the demo, with their passwords.
const USERS: [(&str, &str); 2] =
    [("alice@demo.example", "let-me-relay"), ("bob@demo.example", "let-me-relay")];
