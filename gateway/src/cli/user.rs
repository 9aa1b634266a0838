//! `mailweir user`: the accounts of the own user store.

mod app_password;

use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::PathBuf,
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use mailweir_auth::{NewPassword, RoleChange, Roles, User, UserName, UserStore};

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
        /// Ask for none: the user logs in by app passwords or a certificate
        #[arg(long)]
        no_password: bool,
    },
    /// Give a user another password, asked for in the same way
    Passwd {
        /// The user
        name: String,
        /// Keep it for CRAM-MD5 too, for a client that knows nothing better: who steals the file
        /// can then log in with it
        #[arg(long)]
        cram_md5: bool,
    },
    /// Show or change the roles of a user: sender, moderator, auditor, administrator, help-desk
    Role {
        /// The user
        name: String,
        /// Roles to give, divided by commas
        #[arg(long, value_name = "ROLES", default_value = "", hide_default_value = true)]
        add: Roles,
        /// Roles to take away
        #[arg(long, value_name = "ROLES", default_value = "", hide_default_value = true)]
        remove: Roles,
        /// The roles from now on; "" for none, which is a sender
        #[arg(long, value_name = "ROLES", conflicts_with_all = ["add", "remove"])]
        set: Option<Roles>,
    },
    /// Manage the further passwords of a user, one for each device or program
    #[command(subcommand)]
    AppPassword(app_password::Action),
    /// Let a user log in by nothing any more, and keep everything
    Disable {
        /// The user
        name: String,
    },
    /// Let a disabled user log in again
    Enable {
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
    let (path, listeners) = match &command.users_file {
        Some(path) => (path.clone(), None),
        None => match super::load(&command.config) {
            Ok(config) => {
                let names = config.listeners.iter().map(|listener| listener.name.clone());
                (config.auth.users_file, Some(names.collect::<Vec<_>>()))
            }
            Err(code) => return Ok(code),
        },
    };
    if let (Action::Add { .. }, Some(directory)) = (&command.action, path.parent()) {
        // The first users are often added before the first start.
        super::make_data_dir(directory)?;
    }
    let store = UserStore::open(&path).with_context(|| format!("users file {}", path.display()))?;
    match &command.action {
        Action::Add { name, no_password } => {
            let name = user_name(name)?;
            match no_password {
                true => store.add_without_password(&name)?,
                false => store.add(&name, &password()?)?,
            }
            told(command.json, &name, "added")
        }
        Action::Passwd { name, cram_md5 } => {
            let name = user_name(name)?;
            let new = password()?;
            let new = if *cram_md5 { new.kept_for_cram_md5() } else { new };
            store.set_password(&name, &new)?;
            told(command.json, &name, "password changed")
        }
        Action::Delete { name } => {
            let name = user_name(name)?;
            store.delete(&name)?;
            told(command.json, &name, "deleted")
        }
        Action::Role { name, add, remove, set } => {
            let change = match set {
                Some(roles) => Some(RoleChange::Set(*roles)),
                None if add.is_empty() && remove.is_empty() => None,
                None => Some(RoleChange::Adjust { add: *add, remove: *remove }),
            };
            role(&store, command.json, &user_name(name)?, change)
        }
        Action::AppPassword(action) => {
            app_password::run(action, &store, listeners.as_deref(), command.json)
        }
        Action::Disable { name } => {
            let name = user_name(name)?;
            store.set_disabled(&name, true)?;
            told(command.json, &name, "disabled")
        }
        Action::Enable { name } => {
            let name = user_name(name)?;
            store.set_disabled(&name, false)?;
            told(command.json, &name, "enabled")
        }
        Action::List => list(&store, command.json),
    }
}

fn role(
    store: &UserStore,
    json: bool,
    name: &UserName,
    change: Option<RoleChange>,
) -> anyhow::Result<ExitCode> {
    let roles = match change {
        Some(change) => store.change_roles(name, change)?,
        None => {
            let user = user(store, name)?;
            if user.has_unreadable_roles {
                bail!(
                    "{name}: the roles in the file cannot be read, and so {name} cannot log in; `user role {name} --set ROLE,ROLE` puts others in their place"
                );
            }
            user.roles
        }
    };
    let mut out = io::stdout().lock();
    match json {
        true => {
            let names: Vec<String> = roles.iter().map(|role| role.to_string()).collect();
            writeln!(out, "{}", serde_json::json!({ "user": name.as_str(), "roles": names }))?;
        }
        false if roles.is_empty() => writeln!(out, "mailweir: {name}: no role, and so a sender")?,
        false => writeln!(out, "mailweir: {name}: {roles}")?,
    }
    Ok(ExitCode::Done)
}

fn user(store: &UserStore, name: &UserName) -> anyhow::Result<User> {
    let found = store.list()?.into_iter().find(|user| user.name == *name);
    found.with_context(|| format!("there is no user {name}"))
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
            true => writeln!(out, "{}", object(&user))?,
            false => writeln!(out, "{}", row(&user))?,
        }
    }
    // As of when the store was opened, a moment ago.
    for problem in store.problems() {
        eprintln!("mailweir: warning: users file: {problem}");
    }
    Ok(ExitCode::Done)
}

fn object(user: &User) -> serde_json::Value {
    let roles: Vec<String> = user.roles.iter().map(|role| role.to_string()).collect();
    let labels: Vec<&str> = user.app_passwords.iter().map(|app| app.label.as_str()).collect();
    serde_json::json!({
        "user": user.name.as_str(),
        "scheme": user.scheme,
        "roles": roles,
        "app_passwords": labels,
        "disabled": user.disabled,
        "has_unreadable_roles": user.has_unreadable_roles,
    })
}

/// Name and scheme in columns, and behind them what not every user has.
fn row(user: &User) -> String {
    let scheme = if user.scheme.is_empty() { "-" } else { &*user.scheme };
    let mut row = format!("{:<40} {scheme}", user.name.as_str());
    if !user.roles.is_empty() {
        row.push_str(&format!("  {}", user.roles));
    }
    match user.app_passwords.len() {
        0 => {}
        1 => row.push_str("  1 app password"),
        count => row.push_str(&format!("  {count} app passwords")),
    }
    if user.has_unreadable_roles {
        row.push_str("  roles cannot be read");
    }
    if user.disabled {
        row.push_str("  disabled");
    }
    row
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
