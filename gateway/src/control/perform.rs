//! Carries out what operators ask, mail by mail.

use std::io;

use mailweir_mail::{HoldReason, QueueId};
use mailweir_queue::{
    ChangeError, Filter, Listed, Listing, Place as QueuePlace, Queue, When,
    progress::{LastReply, Progress, State},
};

use super::operation::{
    Answer, Details, Entry, EntryRecipient, Operation, Place, Request, Selection,
};
use crate::clock;

/// Does what `request` asks and tells of each mail. `flush` tries all destinations too, where
/// there are any.
pub(super) async fn perform(
    queue: &Queue,
    request: &Request,
    flush: &(dyn Fn() -> usize + Sync),
    tell: &mut impl FnMut(Answer) -> io::Result<()>,
) -> io::Result<()> {
    let by = &*request.by;
    match &request.operation {
        Operation::List { place, limit } => list(queue, *place, *limit, tell).await,
        Operation::Show { id } => tell(show(queue, *id).await),
        Operation::Flush => tell(Answer::Flushed { mails: flush() }),
        Operation::Hold { mails, reason } => {
            change(queue, mails, Wish::Hold(reason), by, tell).await
        }
        Operation::Release { mails } => change(queue, mails, Wish::Release, by, tell).await,
        Operation::Requeue { mails } => change(queue, mails, Wish::Requeue, by, tell).await,
        Operation::Delete { mails } => change(queue, mails, Wish::Delete, by, tell).await,
    }
}

/// A change that can be asked for many mails.
#[derive(Clone, Copy)]
enum Wish<'a> {
    Hold(&'a HoldReason),
    Release,
    Requeue,
    Delete,
}

impl Wish<'_> {
    async fn grant(self, queue: &Queue, id: QueueId, by: &str) -> Result<When, ChangeError> {
        match self {
            Self::Hold(reason) => {
                queue.hold(id, HoldReason::new(&format!("{reason} ({by})"))).await
            }
            Self::Release => queue.release(id, by).await,
            Self::Requeue => queue.requeue(id, by).await,
            Self::Delete => queue.delete(id, by).await,
        }
    }

    /// Whether `ALL` means mail in this place, as with postsuper(1).
    const fn concerns(self, place: QueuePlace) -> bool {
        match self {
            Self::Hold(_) => !matches!(place, QueuePlace::Held | QueuePlace::Corrupt),
            Self::Release => matches!(place, QueuePlace::Held),
            Self::Requeue | Self::Delete => !matches!(place, QueuePlace::Corrupt),
        }
    }
}

async fn change(
    queue: &Queue,
    mails: &Selection,
    wish: Wish<'_>,
    by: &str,
    tell: &mut impl FnMut(Answer) -> io::Result<()>,
) -> io::Result<()> {
    let ids = match mails {
        Selection::Ids(ids) => ids.clone(),
        Selection::All => match all(queue, wish).await {
            Ok(ids) => ids,
            Err(reason) => return tell(Answer::Failed { reason }),
        },
    };
    for id in ids {
        tell(match wish.grant(queue, id, by).await {
            Ok(_) => Answer::Changed { id },
            Err(ChangeError::NotFound(_)) => Answer::Refused { id, reason: NOT_FOUND.into() },
            Err(error) => Answer::Refused { id, reason: error.to_string().into() },
        })?;
    }
    Ok(())
}

async fn all(queue: &Queue, wish: Wish<'_>) -> Result<Vec<QueueId>, Box<str>> {
    let mut ids = Vec::new();
    let mut filter = Filter::default();
    loop {
        let page = page(queue, &filter).await?;
        let Some(last) = page.last() else { return Ok(ids) };
        filter.after = Some(last.id);
        let wanted = |listing: &&Listing| wish.concerns(place_of(&listing.mail));
        ids.extend(page.iter().filter(wanted).map(|listing| listing.id));
    }
}

async fn page(queue: &Queue, filter: &Filter) -> Result<Vec<Listing>, Box<str>> {
    queue.list(filter.clone(), PAGE).await.map_err(|error| error.to_string().into())
}

async fn list(
    queue: &Queue,
    place: Option<Place>,
    limit: usize,
    tell: &mut impl FnMut(Answer) -> io::Result<()>,
) -> io::Result<()> {
    let mut left = limit;
    let mut filter = Filter::default();
    while left > 0 {
        let page = match page(queue, &filter).await {
            Ok(page) => page,
            Err(reason) => return tell(Answer::Failed { reason }),
        };
        let Some(last) = page.last() else { return Ok(()) };
        filter.after = Some(last.id);
        let entries = page.iter().map(entry);
        for entry in entries.filter(|e| place.is_none_or(|p| p == e.queue_name)).take(left) {
            left -= 1;
            tell(Answer::Entry(entry))?;
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

fn entry(listing: &Listing) -> Entry {
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
        State::Screening { .. } => Place::Incoming,
        State::Held { .. } => Place::Hold,
        State::Ready { not_before } if not_before <= clock::now() => Place::Active,
        State::Ready { .. } => Place::Deferred,
        State::Delivering { .. } | State::Finished(_) => Place::Active,
        State::Corrupt => Place::Corrupt,
    }
}

fn place_of(listed: &Listed) -> QueuePlace {
    match listed {
        Listed::Sound { progress, .. } => progress.state.place(),
        Listed::Corrupt { .. } => QueuePlace::Corrupt,
    }
}

const NOT_FOUND: &str = "no such mail in the queue";

/// How many mails are looked at in one go.
const PAGE: usize = 1_000;
