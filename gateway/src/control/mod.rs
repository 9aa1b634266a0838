//! Operators and the gateway: a socket in the data directory while the server runs, the store
//! itself while it rests.
//!
//! The socket belongs to the user that runs the server (mode 0600): who may open it may as well
//! read the store.

mod archive;
mod bans;
mod cases;
mod change;
mod import;
mod journal;
pub mod operation;
mod patient;
mod perform;
mod quarantine;
mod reindex;
mod socket;
mod spam;
#[cfg(test)]
mod tests;

use std::{
    io::{self, Write as _},
    path::Path,
    sync::Arc,
};

use bytes::Bytes;
use mailweir_queue::Queue;
use tokio::sync::mpsc;

use self::{
    operation::{Answer, Operation, Request},
    perform::Target,
};
use crate::{
    archiving::{
        check_owner,
        room::Room,
        words::{Brought, Doubles},
    },
    config,
    spam::{
        Classifier, Scale, place,
        quarantine::{self as quarantined, Teaching},
        words,
    },
    store,
};

pub use self::{perform::Operated, socket::serve};

/// Asks the running server, or, if none runs, opens the store.
///
/// # Errors
/// There is no store, it cannot be opened, the server cannot be reached or went away, or `tell`
/// failed.
pub async fn ask(
    store: store::Store,
    request: &Request,
    mut tell: impl FnMut(Answer) -> io::Result<()>,
) -> anyhow::Result<()> {
    if socket::ask(&store.control_socket(), request, &mut tell).await? == socket::Found::Server {
        return Ok(());
    }
    let queue = open_queue(&store)?;
    let (answers, waiting) = mpsc::channel(BACKLOG);
    let done = perform::perform(Target::Resting(&queue), request, answers);
    // It can fail only when the listener has failed.
    let (_, told) = tokio::join!(done, pass_on(waiting, tell));
    queue.shutdown().await;
    Ok(told?)
}

/// Asks the archive of the running server, or, if none runs, the archive itself.
///
/// # Errors
/// There is no archive, it cannot be opened, the server cannot be reached or went away, or `tell` failed.
pub async fn ask_archive(
    store: &store::Store,
    settings: &config::Archive,
    request: &Request,
    mut tell: impl FnMut(Answer) -> io::Result<()>,
) -> anyhow::Result<()> {
    if socket::ask(&store.control_socket(), request, &mut tell).await? == socket::Found::Server {
        return Ok(());
    }
    let Operation::Archive(ask) = &request.operation else {
        anyhow::bail!("that is not for the archive");
    };
    let room = open_room(store, settings)?;
    let (answers, waiting) = mpsc::channel(BACKLOG);
    let asked = archive::ask(Some(&room), &request.by, ask.clone(), answers);
    let (_, told) = tokio::join!(asked, pass_on(waiting, tell));
    Ok(told?)
}

/// Opens the archive while no server does. What it finds there stands on standard error.
fn open_room(store: &store::Store, settings: &config::Archive) -> anyhow::Result<Room> {
    check_owner(&settings.directory, store.data_dir())?;
    let (room, opened) = Room::of_files(settings)?;
    for text in opened.said() {
        // Whoever closed it does not want to hear it.
        let _ = writeln!(io::stderr(), "mailweir: {text}");
    }
    Ok(room)
}

/// Mails for the archive, with their contents, as they are read.
pub type Mails = mpsc::Receiver<(Brought, Bytes)>;

/// Brings mails into the archive of the running server, or, if none runs, into the archive itself, until no more come.
/// `by` is who brings them.
///
/// # Errors
/// There is no archive, it cannot be opened, the server cannot be reached or went away, or `tell` failed. What was told
/// as archived stays.
pub async fn import(
    store: &store::Store,
    settings: &config::Archive,
    by: &str,
    doubles: Doubles,
    mails: &mut Mails,
    mut tell: impl FnMut(Answer) -> io::Result<()>,
) -> anyhow::Result<()> {
    let request = Request { by: by.into(), operation: Operation::Import { doubles } };
    let place = store.control_socket();
    let found = socket::bring(&place, &request, mails, import::line, &mut tell).await?;
    if found == socket::Found::Server {
        return Ok(());
    }
    let room = open_room(store, settings)?;
    let (answers, waiting) = mpsc::channel(BACKLOG);
    let taken = async move { import::take_in(&room, by, doubles, mails, &answers).await };
    let (_, told) = tokio::join!(taken, pass_on(waiting, tell));
    Ok(told?)
}

/// Asks the spam checks of the running server, or, if none runs, what was learned itself, and `scale`. `mails` are taught or
/// judged, until no more come; `by` is who asks.
///
/// # Errors
/// What was learned cannot be opened, the server cannot be reached or went away, or `tell` failed. What was told as learned stays.
pub async fn ask_spam(
    store: &store::Store,
    scale: Arc<Scale>,
    by: &str,
    ask: words::Ask,
    mails: &mut mpsc::Receiver<Bytes>,
    mut tell: impl FnMut(Answer) -> io::Result<()>,
) -> anyhow::Result<()> {
    let request = Request { by: by.into(), operation: Operation::Spam(ask) };
    let found =
        socket::bring(&store.control_socket(), &request, mails, spam::line, &mut tell).await?;
    if found == socket::Found::Server {
        return Ok(());
    }
    let classifier = match ask {
        words::Ask::Status | words::Ask::Teach(_) => Some(open_classifier(store)?),
        words::Ask::Check => Some(Arc::new(Classifier::to_judge(&place(store.data_dir())))),
        words::Ask::Symbols => None,
    };
    let judges = spam::Judges { classifier, scale };
    let (answers, waiting) = mpsc::channel(BACKLOG);
    let asked = async move {
        spam::take_in(&judges, ask, mails, &mut words::Taught::default(), &answers).await
    };
    let (_, told) = tokio::join!(asked, pass_on(waiting, tell));
    Ok(told?)
}

/// Asks about quarantined mail: the running server, or, if none runs, the store itself.
///
/// # Errors
/// As those of [`ask`].
pub async fn ask_quarantine(
    store: &store::Store,
    by: &str,
    ask: quarantined::Ask,
    mut tell: impl FnMut(Answer) -> io::Result<()>,
) -> anyhow::Result<()> {
    let request = Request { by: by.into(), operation: Operation::Quarantine(ask.clone()) };
    if ask_if_running(store, &request, &mut tell).await? {
        return Ok(());
    }
    let queue = open_queue(store)?;
    let classifier = match &ask {
        quarantined::Ask::Decide { lesson: Teaching::Learn, .. } => Some(open_classifier(store)?),
        quarantined::Ask::Decide { lesson: Teaching::Leave, .. }
        | quarantined::Ask::List
        | quarantined::Ask::Show { .. } => None,
    };
    let (answers, waiting) = mpsc::channel(BACKLOG);
    let resting = Target::Resting(&queue);
    let asked = quarantine::perform(resting, classifier.as_ref(), &ask, by, answers);
    let (_, told) = tokio::join!(asked, pass_on(waiting, tell));
    queue.shutdown().await;
    Ok(told?)
}

/// What was learned, while no server has it.
fn open_classifier(store: &store::Store) -> anyhow::Result<Arc<Classifier>> {
    let data_dir = store.data_dir();
    anyhow::ensure!(
        data_dir.is_dir(),
        "there is no {}; `mailweir serve` makes it when it first starts",
        data_dir.display()
    );
    check_owner(&place(data_dir), data_dir)?;
    let classifier = Classifier::open(&place(data_dir));
    if let Err(trouble) = classifier.try_again() {
        anyhow::bail!("{trouble}");
    }
    Ok(Arc::new(classifier))
}

/// The queue, while no server has it.
fn open_queue(store: &store::Store) -> anyhow::Result<Queue> {
    let queue_dir = store.data_dir().join("queue");
    anyhow::ensure!(
        queue_dir.is_dir(),
        "there is no queue in {}; `mailweir serve` makes it when it first starts",
        store.data_dir().display()
    );
    store.open(|_| {})
}

/// Asks the running server what only a running server knows.
///
/// # Errors
/// No server runs, it cannot be reached or went away, or `tell` failed.
pub async fn ask_running(
    store: &store::Store,
    request: &Request,
    mut tell: impl FnMut(Answer) -> io::Result<()>,
) -> anyhow::Result<()> {
    if ask_if_running(store, request, &mut tell).await? {
        return Ok(());
    }
    let data_dir = store.data_dir().display();
    match request.operation.needs_server() {
        Some(reason) => anyhow::bail!("no server runs on {data_dir}; {reason}"),
        None => anyhow::bail!("no server runs on {data_dir}"),
    }
}

/// Asks the running server, and says whether one runs.
///
/// # Errors
/// It cannot be reached or went away, or `tell` failed.
pub async fn ask_if_running(
    store: &store::Store,
    request: &Request,
    mut tell: impl FnMut(Answer) -> io::Result<()>,
) -> anyhow::Result<bool> {
    let found = socket::ask(&store.control_socket(), request, &mut tell).await?;
    Ok(found == socket::Found::Server)
}

async fn pass_on(
    mut waiting: mpsc::Receiver<Answer>,
    mut tell: impl FnMut(Answer) -> io::Result<()>,
) -> io::Result<()> {
    while let Some(answer) = waiting.recv().await {
        tell(answer)?;
    }
    Ok(())
}

/// Whether a server answers at `path`.
#[must_use]
pub fn is_served(path: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(path).is_ok()
}

/// Answers that may wait for a slow listener.
const BACKLOG: usize = 64;
