//! `mailweir serve`: the gateway, until a signal ends it.

use std::{io, path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use mailweir_mail::Timestamp;
use tokio::{
    runtime::Runtime,
    signal::unix::{Signal, SignalKind, signal},
};

use super::ExitCode;
use crate::{
    app::App,
    clock,
    config::{Config, LogFormat as FormatChoice, Problem, Severity},
    observe::{Level, LogFormat, LogOptions, Observer},
};

pub(super) fn run(path: &Path) -> anyhow::Result<ExitCode> {
    let config = match super::load(path) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    to_its_end(super::runtime_for(&config)?, serve(path, config))
}

/// Runs a server. Threads that are still busy when it has ended, with a search or a file system that does not answer,
/// are left where they are: nothing that was acknowledged depends on them.
pub(super) fn to_its_end(
    runtime: Runtime,
    server: impl Future<Output = anyhow::Result<ExitCode>>,
) -> anyhow::Result<ExitCode> {
    let ended = runtime.block_on(server);
    runtime.shutdown_timeout(CLOSING);
    ended
}

async fn serve(path: &Path, config: Config) -> anyhow::Result<ExitCode> {
    let signals = Signals::catch()?;
    super::make_data_dir(&config.server.data_dir)?;
    let observer = observer(&config)?;
    eprint!("{}", config.describe());
    let app = App::start(config, observer).await?;
    until_stopped(app, signals, Some(path)).await;
    Ok(ExitCode::Done)
}

/// The log, as the configuration wants it.
fn observer(config: &Config) -> anyhow::Result<Observer> {
    let terminal = std::io::IsTerminal::is_terminal(&io::stdout());
    let format = match config.log.format {
        FormatChoice::Text => LogFormat::Text,
        FormatChoice::Json => LogFormat::Json,
        FormatChoice::Auto if terminal => LogFormat::Text,
        FormatChoice::Auto => LogFormat::Json,
    };
    start_observer(config, format)
}

/// The log as text, whatever the configuration wants.
pub(super) fn text_observer(config: &Config) -> anyhow::Result<Observer> {
    start_observer(config, LogFormat::Text)
}

fn start_observer(config: &Config, format: LogFormat) -> anyhow::Result<Observer> {
    let options = LogOptions {
        format,
        level: Level::Info,
        hostname: config.server.hostname.as_str().into(),
        pid: std::process::id(),
    };
    let clock: Arc<dyn Fn() -> Timestamp + Send + Sync> = Arc::new(clock::now);
    Observer::start(options, Box::new(io::stdout()), clock).context("the log cannot be started")
}

/// The signals that are for a server. They are caught before it starts: one that comes while it
/// starts does what it does later, as soon as it has started.
pub(super) struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Catches them from now on.
    pub(super) fn catch() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }
}

/// SIGHUP reloads, if there is a file; SIGTERM and SIGINT stop, a second one at once. A reload reads files, and a stop
/// does not wait for it.
pub(super) async fn until_stopped(app: Arc<App>, signals: Signals, path: Option<&Path>) {
    let Signals { mut hangup, mut terminate, mut interrupt } = signals;
    let reloads = async {
        while let Some(()) = hangup.recv().await {
            if let Some(path) = path {
                reload_beside(&app, path).await;
            }
        }
        std::future::pending().await
    };
    tokio::select! {
        () = reloads => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tokio::select! {
        () = app.stop(PATIENCE) => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    // Closing a store may wait for its threads. Whoever waits for the runtime waits for that, too.
    drop(tokio::task::spawn_blocking(move || drop(app)));
}

/// Reloads where waiting for a disk is allowed.
async fn reload_beside(app: &Arc<App>, path: &Path) {
    let (server, path) = (Arc::clone(app), path.to_owned());
    let runtime = tokio::runtime::Handle::current();
    let work = move || runtime.block_on(reload(&server, &path));
    if let Err(panicked) = tokio::task::spawn_blocking(work).await {
        app.refuse_reload(&panicked.to_string());
    }
}

async fn reload(app: &App, path: &Path) {
    match Config::load(path, std::env::vars_os()) {
        Ok((config, _)) => {
            if let Err(error) = app.reload(config).await {
                app.refuse_reload(&format!("{error:#}"));
            }
        }
        Err(problems) => {
            for problem in problems.iter().filter(|problem| problem.severity == Severity::Error) {
                app.refuse_reload(&in_one_line(problem));
            }
        }
    }
}

/// A problem without the picture of its line: the log has one line for each.
fn in_one_line(problem: &Problem) -> String {
    let key = if problem.key.is_empty() { "" } else { ": " };
    format!("{}: {}{key}{}", problem.location, problem.key, problem.message)
}

/// How long mail in flight may take when the server stops.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long whatever is still busy may take when all mail is recorded.
const CLOSING: Duration = Duration::from_secs(2);
