//! `mailweir user app-password`: further passwords of a user.

use std::io::{self, Write};

use anyhow::bail;
use clap::Subcommand;
use mailweir_auth::{AppLabel, AppPassword, AppSecret, Date, Senders, UserName, UserStore};
use mailweir_mail::Network;

use super::{super::ExitCode, told, user, user_name};

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Add one; its secret is made here and shown this once
    Add {
        /// The user
        name: String,
        /// What it is for, such as printer
        #[arg(long)]
        label: AppLabel,
        /// A sender address it is for, or @DOMAIN; may be repeated. Without: all of the user's
        #[arg(long = "sender", value_name = "PATTERN")]
        senders: Vec<Senders>,
        /// A listener it is for, by name; may be repeated. Without: all
        #[arg(long = "listener", value_name = "NAME")]
        listeners: Vec<Box<str>>,
        /// A network it is for; may be repeated. Without: all
        #[arg(long = "network", value_name = "CIDR")]
        networks: Vec<Network>,
        /// The last day of its use, in UTC, such as 2026-12-31
        #[arg(long, value_name = "DATE")]
        expires: Option<Date>,
    },
    /// List them
    List {
        /// The user
        name: String,
    },
    /// Delete one, which can then be used no more
    Delete {
        /// The user
        name: String,
        /// Its label
        label: AppLabel,
    },
}

/// `listeners` are the names of those that are configured, if that is known.
pub(super) fn run(
    action: &Action,
    store: &UserStore,
    known: Option<&[Box<str>]>,
    json: bool,
) -> anyhow::Result<ExitCode> {
    match action {
        Action::Add { name, label, senders, listeners, networks, expires } => {
            let name = user_name(name)?;
            check_listeners(listeners, known)?;
            let app = AppPassword {
                senders: Senders::all(senders),
                listeners: listeners.clone(),
                networks: networks.clone(),
                expires: *expires,
                ..AppPassword::new(label.clone())
            };
            show(&name, label, &store.add_app_password(&name, &app)?, json)
        }
        Action::List { name } => list(store, &user_name(name)?, json),
        Action::Delete { name, label } => {
            let name = user_name(name)?;
            store.delete_app_password(&name, label)?;
            told(json, &name, &format!("app password {label} deleted"))
        }
    }
}

fn check_listeners(wanted: &[Box<str>], known: Option<&[Box<str>]>) -> anyhow::Result<()> {
    let Some(known) = known else { return Ok(()) };
    match wanted.iter().find(|name| !known.contains(name)) {
        Some(name) => bail!("there is no listener {name:?}; there are {}", known.join(", ")),
        None => Ok(()),
    }
}

fn show(
    name: &UserName,
    label: &AppLabel,
    secret: &AppSecret,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let secret = secret.reveal();
    match json {
        true => {
            let shown = serde_json::json!({
                "user": name.as_str(),
                "label": label.as_str(),
                "password": *secret,
            });
            writeln!(out, "{shown}")?;
        }
        false => {
            writeln!(out, "mailweir: {name}: app password {label} added; it is shown this once:")?;
            writeln!(out, "{}", *secret)?;
        }
    }
    Ok(ExitCode::Done)
}

fn list(store: &UserStore, name: &UserName, json: bool) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let apps = user(store, name)?.app_passwords;
    if apps.is_empty() && !json {
        writeln!(out, "{name} has no app passwords")?;
    }
    for app in apps {
        match json {
            true => writeln!(out, "{}", object(&app))?,
            false => writeln!(out, "{}", row(&app))?,
        }
    }
    Ok(ExitCode::Done)
}

fn object(app: &AppPassword) -> serde_json::Value {
    serde_json::json!({
        "label": app.label.as_str(),
        "created": app.created.map(|day| day.to_string()),
        "expires": app.expires.map(|day| day.to_string()),
        "senders": app.senders.iter().flat_map(Senders::patterns).collect::<Vec<_>>(),
        "listeners": app.listeners,
        "networks": app.networks,
    })
}

fn row(app: &AppPassword) -> String {
    let networks: Vec<String> = app.networks.iter().map(ToString::to_string).collect();
    let limits = [
        ("created", app.created.map(|day| day.to_string())),
        ("expires", app.expires.map(|day| day.to_string())),
        ("senders", app.senders.as_ref().map(ToString::to_string)),
        ("listeners", (!app.listeners.is_empty()).then(|| app.listeners.join(","))),
        ("networks", (!networks.is_empty()).then(|| networks.join(","))),
    ];
    let limits =
        limits.into_iter().filter_map(|(what, value)| Some(format!("  {what} {}", value?)));
    format!("{:<20}{}", app.label.as_str(), limits.collect::<String>())
}
