//! Carries out what operators ask, mail by mail.

use std::{path::Path, sync::Arc};

use futures_util::future::join_all;
use mailweir_mail::{QueueId, SessionEvent};
use mailweir_queue::{
    ChangeError, Filter, Listed, Listing, Queue,
    progress::{LastReply, Progress, State},
};
use tokio::sync::mpsc;

use super::{
    archive, bans, cases,
    change::{Wish, change},
    journal,
    operation::{Answer, Details, Entry, EntryRecipient, Operation, Place, Request},
    quarantine,
    reindex::reindex,
};
use crate::{
    archiving::{Finder, room::Room},
    clock,
    egress::Egress,
    ingress::Shared,
    moderation::Moderation,
    spam::Classifier,
};

/// The parts of a running server that operators look at and change.
#[derive(Clone)]
pub struct Operated {
    /// Mail going out, and its queue.
    pub egress: Arc<Egress>,
    /// Mail coming in, and who logs in.
    pub gate: Arc<Shared>,
    /// Mail that waits for people.
    pub moderation: Arc<Moderation>,
    /// The archive, if there is one.
    pub archive: Option<Room>,
    /// Who finds mail in the archive, if it is indexed.
    pub finder: Option<Finder>,
    /// The data directory.
    pub data_dir: Box<Path>,
}

/// What is to be looked at and changed.
#[derive(Clone, Copy)]
pub(super) enum Target<'a> {
    /// Mail goes out of it meanwhile.
    Running(&'a Operated),
    /// No server runs: the queue alone.
    Resting(&'a Queue),
}

impl Target<'_> {
    pub(super) fn queue(&self) -> &Queue {
        match self {
            Self::Running(running) => running.egress.queue(),
            Self::Resting(queue) => queue,
        }
    }

    /// That of the server: without one, [`super::ask_archive`] asks the archive itself.
    const fn archive(&self) -> Option<&Room> {
        match self {
            Self::Running(running) => running.archive.as_ref(),
            Self::Resting(_) => None,
        }
    }
}

impl<'a> Target<'a> {
    /// That of the server: without one, [`super::ask_quarantine`] opens what was learned itself.
    pub(super) fn classifier(self) -> Option<&'a Arc<Classifier>> {
        match self {
            Self::Running(running) => running.gate.classifier.get(),
            Self::Resting(_) => None,
        }
    }

    /// What the log is to hear of it; without a server there is none.
    pub(super) fn note(self, part: &'static str, text: String) {
        match self {
            Self::Running(running) => {
                let notice = SessionEvent::Notice { part, text: text.into() };
                running.gate.observer.session(&notice);
            }
            Self::Resting(_) => {}
        }
    }
}

/// Whoever asked does not listen any more. What was done stays done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("whoever asked has gone")]
pub(super) struct Gone;

/// Where answers go: a short way, so that a slow listener makes us wait and takes no memory.
pub(super) type Answers = mpsc::Sender<Answer>;

pub(super) async fn tell(answers: &Answers, answer: Answer) -> Result<(), Gone> {
    answers.send(answer).await.map_err(|_| Gone)
}

/// Does what `request` asks and tells of each mail as it is done.
pub(super) async fn perform(
    target: Target<'_>,
    request: &Request,
    answers: Answers,
) -> Result<(), Gone> {
    let (queue, by, answers) = (target.queue(), &*request.by, &answers);
    match (&request.operation, target) {
        (Operation::List { place, limit }, _) => list(queue, *place, *limit, answers).await,
        (Operation::Show { id }, _) => tell(answers, show(queue, *id).await).await,
        (Operation::Flush, _) => flush(target, answers).await,
        (Operation::Hold { mails, reason }, _) => {
            change(target, mails, Wish::Hold(reason), by, answers).await
        }
        (Operation::Release { mails }, _) => {
            change(target, mails, Wish::Release, by, answers).await
        }
        (Operation::Requeue { mails }, _) => {
            change(target, mails, Wish::Requeue, by, answers).await
        }
        (Operation::Delete { mails }, _) => change(target, mails, Wish::Delete, by, answers).await,
        (Operation::Journal { id, verdict }, _) => {
            journal::read(queue, *id, *verdict, answers).await
        }
        (Operation::Archive(ask), _) => {
            archive::ask(target.archive(), by, ask.clone(), answers.clone()).await
        }
        (Operation::Quarantine(ask), _) => {
            quarantine::perform(target, target.classifier(), ask, by, answers.clone()).await
        }
        (operation, Target::Running(server)) => {
            perform_running(server, operation, by, answers).await
        }
        (operation, Target::Resting(_)) => tell(answers, no_server(operation)).await,
    }
}

/// Does what only a running server can.
async fn perform_running(
    server: &Operated,
    operation: &Operation,
    by: &str,
    answers: &Answers,
) -> Result<(), Gone> {
    match operation {
        Operation::Bans { all } => bans::list(&server.gate, *all, answers).await,
        Operation::Lift { whom } => tell(answers, bans::lift(&server.gate, whom, by)).await,
        Operation::Cases { query, limit } => {
            cases::list(&server.moderation, query, *limit, answers).await
        }
        Operation::Case { id } => tell(answers, cases::show(&server.moderation, *id)).await,
        Operation::Decide { id, deed } => {
            cases::decide(&server.moderation, *id, deed, by, answers).await
        }
        Operation::Trusted => cases::trusted(&server.moderation, answers).await,
        Operation::Distrust { login, rule } => {
            cases::distrust(&server.moderation, login, rule.as_deref(), by, answers).await
        }
        Operation::Reindex => reindex(server.finder.as_ref(), answers).await,
        // Done before: no server is needed, or more than the request.
        Operation::List { .. }
        | Operation::Show { .. }
        | Operation::Hold { .. }
        | Operation::Release { .. }
        | Operation::Requeue { .. }
        | Operation::Delete { .. }
        | Operation::Flush
        | Operation::Journal { .. }
        | Operation::Archive(_)
        | Operation::Quarantine(_)
        | Operation::Spam(_)
        | Operation::Import { .. } => Ok(()),
    }
}

pub(super) fn no_server(operation: &Operation) -> Answer {
    let reason = operation.needs_server().unwrap_or_default();
    Answer::Failed { reason: format!("no server runs; {reason}").into() }
}

pub(super) fn refused(id: QueueId, error: &ChangeError) -> Answer {
    let reason = match error {
        ChangeError::NotFound(_) => NOT_FOUND.into(),
        _ => error.to_string().into(),
    };
    Answer::Refused { id, reason }
}

async fn flush(target: Target<'_>, answers: &Answers) -> Result<(), Gone> {
    let mails = match target {
        Target::Running(running) => running.egress.flush(),
        Target::Resting(queue) => flush_stored(queue, answers).await?,
    };
    tell(answers, Answer::Flushed { mails }).await
}

/// Nobody tries the mail now: stored with each is that the next start shall, at once.
async fn flush_stored(queue: &Queue, answers: &Answers) -> Result<usize, Gone> {
    let mut flushed = 0;
    let mut filter = Filter::default();
    loop {
        let page = match page(queue, &filter).await {
            Ok(page) => page,
            Err(reason) => {
                tell(answers, Answer::Failed { reason }).await?;
                return Ok(flushed);
            }
        };
        let Some(last) = page.last() else { return Ok(flushed) };
        filter.after = Some(last.id);
        let deferred: Vec<_> = page.iter().filter(|it| is_deferred(it)).map(|it| it.id).collect();
        for ids in deferred.chunks(AT_ONCE) {
            let fates = join_all(ids.iter().map(|id| queue.flush_one(*id))).await;
            for (id, fate) in ids.iter().zip(fates) {
                match fate {
                    Ok(_) => flushed += 1,
                    Err(error) => tell(answers, refused(*id, &error)).await?,
                }
            }
        }
    }
}

fn is_deferred(listing: &Listing) -> bool {
    match &listing.mail {
        Listed::Sound { progress, .. } => place(progress) == Place::Deferred,
        Listed::Corrupt { .. } => false,
    }
}

pub(super) async fn page(queue: &Queue, filter: &Filter) -> Result<Vec<Listing>, Box<str>> {
    queue.list(filter.clone(), PAGE).await.map_err(|error| error.to_string().into())
}

async fn list(
    queue: &Queue,
    place: Option<Place>,
    limit: usize,
    answers: &Answers,
) -> Result<(), Gone> {
    let mut left = limit;
    // There may be very many of them: who asks for them sees them.
    let only = (place == Some(Place::Archiving)).then_some(mailweir_queue::Place::Archiving);
    let mut filter = Filter { place: only, after: None };
    while left > 0 {
        let page = match page(queue, &filter).await {
            Ok(page) => page,
            Err(reason) => return tell(answers, Answer::Failed { reason }).await,
        };
        let Some(last) = page.last() else { return Ok(()) };
        filter.after = Some(last.id);
        let entries = page.iter().map(entry);
        for entry in entries.filter(|e| place.is_none_or(|p| p == e.queue_name)).take(left) {
            left -= 1;
            tell(answers, Answer::Entry(entry)).await?;
        }
    }
    Ok(())
}

async fn show(queue: &Queue, id: QueueId) -> Answer {
    let details = match queue.show(id).await {
        Ok(Some(details)) => details,
        Ok(None) => {
            return Answer::Refused { id, reason: NOT_FOUND.into() };
        }
        Err(error) => return Answer::Failed { reason: error.to_string().into() },
    };
    let listing = Listing { id, mail: details.mail };
    let entry = entry(&listing);
    let (Listed::Sound { envelope, progress, .. }, Some(origin)) = (&listing.mail, details.origin)
    else {
        return Answer::Refused { id, reason: "what is stored of it cannot be read".into() };
    };
    let next_attempt = match progress.state {
        State::Ready { not_before } => Some(not_before),
        _ => None,
    };
    Answer::Details(Box::new(Details {
        entry,
        origin: (*origin).clone(),
        envelope: (**envelope).clone(),
        next_attempt,
        content: match details.content {
            Some(content) => String::from_utf8_lossy(&content).into(),
            None => "(the content cannot be read)\r\n".into(),
        },
    }))
}

pub(super) fn entry(listing: &Listing) -> Entry {
    let mut entry = Entry {
        queue_name: Place::Corrupt,
        queue_id: listing.id,
        arrival_time: listing.id.arrival().as_secs(),
        message_size: 0,
        forced_expire: false,
        sender: "".into(),
        recipients: Vec::new(),
        hold_reason: None,
    };
    if let Listed::Sound { envelope, arrival, size, progress } = &listing.mail {
        entry.queue_name = place(progress);
        entry.arrival_time = arrival.as_secs();
        entry.message_size = *size;
        entry.sender = envelope.sender.as_str().into();
        entry.recipients = envelope
            .recipients
            .iter()
            .zip(&progress.recipients)
            .filter(|(_, status)| status.is_pending())
            .map(|(recipient, status)| EntryRecipient {
                address: recipient.address.as_str().into(),
                delay_reason: status.last().map(said),
            })
            .collect();
        entry.hold_reason = match &progress.state {
            State::Held { reason, .. } => Some(reason.clone()),
            _ => None,
        };
    }
    entry
}

/// What was heard last: a peer's reply with its code, our own words without.
fn said(last: &LastReply) -> Box<str> {
    match last.relay {
        Some(_) => last.reply.to_string().into(),
        None => last.reply.text.as_ref().into(),
    }
}

/// The name of the Postfix queue that such a mail would be in.
fn place(progress: &Progress) -> Place {
    match progress.state {
        _ if progress.is_done() => Place::Archiving,
        State::Screening { .. } => Place::Incoming,
        State::Held { .. } => Place::Hold,
        State::Ready { not_before } if not_before <= clock::now() => Place::Active,
        State::Ready { .. } => Place::Deferred,
        State::Delivering { .. } | State::Finished(_) => Place::Active,
        State::Corrupt => Place::Corrupt,
    }
}

pub(super) const NOT_FOUND: &str = "no such mail in the queue";

/// How many mails are looked at in one go.
const PAGE: usize = 1_000;

/// How many mails are flushed with one write.
const AT_ONCE: usize = 100;
