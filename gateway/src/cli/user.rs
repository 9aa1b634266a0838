//! `mailweir user`: the accounts of the own user store.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::PathBuf,
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use mailweir_auth::{NewPassword, UserName, UserStore};

use super::ExitCode;

#[derive(Args, Debug)]
pub(super) struct UserCommand {
    /// The configuration file; it names the users file
    #[arg(short, long, value_name = "FILE", default_value = "mailweir.toml", global = true)]
    config: PathBuf,
    /// The users file, instead of the configured one
    #[arg(long, value_name = "FILE", global = true)]
    users_file: Option<PathBuf>,
    /// Print JSON, one object per line
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add a user; the password is asked for, or read as one line from standard input
    Add {
        /// The name to log in with, such as alice@example.org
        name: String,
    },
    /// Give a user another password, asked for in the same way
    Passwd {
        /// The user
        name: String,
    },
    /// List the users
    List,
    /// Delete a user, who can then log in no more
    Delete {
        /// The user
        name: String,
    },
}

pub(super) fn run(command: &UserCommand) -> anyhow::Result<ExitCode> {
    let path = match &command.users_file {
        Some(path) => path.clone(),
        None => match super::load(&command.config) {
            Ok(config) => config.auth.users_file,
            Err(code) => return Ok(code),
        },
    };
    if let (Action::Add { .. }, Some(directory)) = (&command.action, path.parent()) {
        // The first users are often added before the first start.
        super::make_data_dir(directory)?;
    }
    let store = UserStore::open(&path).with_context(|| format!("users file {}", path.display()))?;
    match &command.action {
        Action::Add { name } => {
            let name = user_name(name)?;
            store.add(&name, &password()?)?;
            told(command.json, &name, "added")
        }
        Action::Passwd { name } => {
            let name = user_name(name)?;
            store.set_password(&name, &password()?)?;
            told(command.json, &name, "password changed")
        }
        Action::Delete { name } => {
            let name = user_name(name)?;
            store.delete(&name)?;
            told(command.json, &name, "deleted")
        }
        Action::List => list(&store, command.json),
    }
}

fn user_name(text: &str) -> anyhow::Result<UserName> {
    text.parse().with_context(|| format!("{text:?} cannot be a user name"))
}

fn told(json: bool, name: &UserName, done: &str) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    match json {
        true => {
            writeln!(out, "{}", serde_json::json!({ "user": name.as_str(), "done": done }))?;
        }
        false => writeln!(out, "mailweir: {}: {done}", name.as_str())?,
    }
    Ok(ExitCode::Done)
}

fn list(store: &UserStore, json: bool) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let users = store.list()?;
    if users.is_empty() && !json {
        writeln!(out, "There are no users; `mailweir user add NAME` adds one")?;
    }
    for user in users {
        match json {
            true => writeln!(
                out,
                "{}",
                serde_json::json!({ "user": user.name.as_str(), "scheme": user.scheme })
            )?,
            false => writeln!(out, "{:<40} {}", user.name.as_str(), user.scheme)?,
        }
    }
    Ok(ExitCode::Done)
}

/// Asks twice on a terminal; otherwise one line of standard input is the password.
fn password() -> anyhow::Result<NewPassword> {
    let first = match io::stdin().is_terminal() {
        true => {
            let first = rpassword::prompt_password("Password: ")?;
            if rpassword::prompt_password("Again: ")? != first {
                bail!("the two passwords differ");
            }
            first
        }
        false => {
            let mut line = String::new();
            io::stdin().lock().read_line(&mut line)?;
            line.trim_end_matches(['\r', '\n']).to_owned()
        }
    };
    NewPassword::new(&first).context("the password cannot be used")
}
