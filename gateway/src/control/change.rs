//! Changes of mails, one after the other. Mail that waits for people has a case: whoever changes such a
//! mail past them says so mail by mail, and the case knows of it in the same commit.

use mailweir_mail::{HoldReason, QueueId};
use mailweir_moderation::{
    case::{Decision, QueueDeed, State},
    case_file::CaseFile,
};
use mailweir_queue::{
    Annex, ChangeError, Filter, Listed, Listing, Place, Queue, store::StoreError,
};

use super::{
    operation::{Answer, Selection},
    perform::{Answers, Gone, Target, page, refused, tell},
};
use crate::{archiving, clock, moderation};

/// A change that can be asked for many mails.
#[derive(Clone, Copy)]
pub(super) enum Wish<'a> {
    Hold(&'a HoldReason),
    Release,
    Requeue,
    Delete,
}

/// Does it with each of the mails, and tells what came of it.
pub(super) async fn change(
    target: Target<'_>,
    mails: &Selection,
    wish: Wish<'_>,
    by: &str,
    answers: &Answers,
) -> Result<(), Gone> {
    let ids = match mails {
        Selection::Ids(ids) => ids.clone(),
        Selection::All => match all(target.queue(), wish).await {
            Ok(ids) => ids,
            Err(reason) => return tell(answers, Answer::Failed { reason }).await,
        },
    };
    let mut skipped = 0;
    for id in ids {
        match wish.done(target, id, by, *mails == Selection::All).await.answer(id) {
            Some(answer) => tell(answers, answer).await?,
            None => skipped += 1,
        }
    }
    match skipped {
        0 => Ok(()),
        mails => tell(answers, Answer::Skipped { mails }).await,
    }
}

/// Does it with one mail that was named. What is told is that it is [changed](Answer::Changed), or why not.
pub(super) async fn change_one(
    target: Target<'_>,
    id: QueueId,
    wish: Wish<'_>,
    by: &str,
) -> Answer {
    let done = wish.done(target, id, by, false).await;
    // None that was named is skipped.
    done.answer(id).unwrap_or(Answer::Changed { id })
}

/// Who has a say in a mail, before it is sent.
enum Waits {
    /// People decide.
    ForPeople,
    /// People cannot: it is damaged.
    ForOperator,
}

/// What was done with a mail.
enum Granted {
    Changed,
    /// It cannot be read and stays in the queue, but its case is over.
    SetAside,
}

/// What came of a wish.
enum Done {
    Changed,
    /// It waits for people, and was not named.
    Skipped,
    /// It waits for people, and this would send it without a word of what operators do.
    WaitsForPeople(Waits),
    /// It cannot be read and stays in the queue, but its case is over.
    SetAside,
    Refused(ChangeError),
}

impl Wish<'_> {
    async fn done(self, target: Target<'_>, id: QueueId, by: &str, is_of_all: bool) -> Done {
        let Some(deed) = self.deed() else { return Done::of(self.on(target, id, by).await) };
        let needs_leave = is_of_all || matches!(self, Self::Requeue);
        if needs_leave {
            match waits_for_people(target.queue(), id).await {
                Ok(None) => {}
                Ok(Some(_)) if is_of_all => return Done::Skipped,
                Ok(Some(waits)) => return Done::WaitsForPeople(waits),
                Err(error) => return Done::Refused(error.into()),
            }
        }
        Done::of(self.past_the_case(target, id, by, deed).await)
    }

    async fn on(self, target: Target<'_>, id: QueueId, by: &str) -> Result<Granted, ChangeError> {
        self.grant(target.queue(), id, by, Annex::default()).await
    }

    /// Does it, and the case of the mail knows of it if it has one.
    async fn past_the_case(
        self,
        target: Target<'_>,
        id: QueueId,
        by: &str,
        deed: QueueDeed,
    ) -> Result<Granted, ChangeError> {
        let queue = target.queue();
        match target {
            Target::Running(running) => {
                let granted = |annex| self.grant(queue, id, by, annex);
                running.moderation.overtake(id, deed, by, granted).await
            }
            Target::Resting(_) => {
                let annex = at_rest(queue, id, deed, by).await?;
                self.grant(queue, id, by, annex).await
            }
        }
    }

    async fn grant(
        self,
        queue: &Queue,
        id: QueueId,
        by: &str,
        mut annex: Annex,
    ) -> Result<Granted, ChangeError> {
        if let Some(word) = self.word() {
            archiving::tell_of_operator(&mut annex, word, by, clock::now());
        }
        match self {
            // It is no deed that a case hears of: there is nothing to write with it.
            Self::Hold(reason) => {
                queue.hold(id, HoldReason::new(&format!("{reason} ({by})"))).await
            }
            Self::Release => queue.release_with(&queue.pin(id).await?, by, None, annex).await,
            Self::Requeue => queue.requeue_with(&queue.pin(id).await?, by, annex).await,
            Self::Delete => return delete(queue, id, by, annex).await,
        }
        .map(|_| Granted::Changed)
    }

    /// What it decides about a mail, for the archive.
    const fn word(self) -> Option<&'static str> {
        match self {
            Self::Hold(_) => None,
            Self::Release => Some("released"),
            Self::Requeue => Some("requeued"),
            Self::Delete => Some("deleted"),
        }
    }

    /// What it does with a mail that waits for people.
    const fn deed(self) -> Option<QueueDeed> {
        match self {
            Self::Hold(_) => None,
            Self::Release | Self::Requeue => Some(QueueDeed::Released),
            Self::Delete => Some(QueueDeed::Deleted),
        }
    }

    /// Whether `ALL` means mail in this place, as with postsuper(1).
    const fn concerns(self, place: Place) -> bool {
        match self {
            Self::Hold(_) => !matches!(place, Place::Held | Place::Corrupt),
            Self::Release => matches!(place, Place::Held),
            Self::Requeue | Self::Delete => !matches!(place, Place::Corrupt),
        }
    }
}

impl Done {
    /// What is told of it; nothing of what was skipped.
    fn answer(self, id: QueueId) -> Option<Answer> {
        Some(match self {
            Self::Changed => Answer::Changed { id },
            Self::Skipped => return None,
            Self::Refused(error) => refused(id, &error),
            Self::WaitsForPeople(waits) => Answer::Refused { id, reason: waits.advice(id).into() },
            Self::SetAside => Answer::Refused { id, reason: SET_ASIDE.into() },
        })
    }

    fn of(granted: Result<Granted, ChangeError>) -> Self {
        match granted {
            Ok(Granted::Changed) => Self::Changed,
            Ok(Granted::SetAside) => Self::SetAside,
            Err(error) => Self::Refused(error),
        }
    }
}

async fn delete(
    queue: &Queue,
    id: QueueId,
    by: &str,
    annex: Annex,
) -> Result<Granted, ChangeError> {
    match queue.pin(id).await {
        // What cannot be read is kept aside. Nobody shall have to do with its case for ever.
        Err(ChangeError::Corrupt { .. }) if !annex.is_empty() => {
            queue.write(annex).await?;
            Ok(Granted::SetAside)
        }
        mail => queue.delete_with(&mail?, by, annex).await.map(|_| Granted::Changed),
    }
}

/// Who is still to decide about a mail. What is stored says so: a mail and its case come
/// in one commit, and a case that is closed stays closed.
async fn waits_for_people(queue: &Queue, id: QueueId) -> Result<Option<Waits>, StoreError> {
    let Some(stored) = queue.case(id).await? else { return Ok(None) };
    let file = stored.ok().and_then(|stored| CaseFile::from_bytes(&stored).ok());
    let waits = match file {
        Some(file) if is_over(&file) => return Ok(None),
        Some(file) if file.waits_for_operator() => Waits::ForOperator,
        // A case that cannot be read may be open.
        Some(_) | None => Waits::ForPeople,
    };
    let shown = queue.show(id).await?;
    Ok(shown.filter(|shown| place_of(&shown.mail) == Place::Held).map(|_| waits))
}

/// Whether nobody need look at a mail, as far as its case goes. What is damaged is sent or deleted by who
/// names it, as what waits for people.
fn is_over(file: &CaseFile) -> bool {
    let State::Closed(closing) = &file.case.progress.state else { return false };
    closing.decision != Decision::Damaged || !file.waits_for_operator()
}

/// What the case of a mail says from now on. No server runs: nobody else changes it meanwhile.
async fn at_rest(
    queue: &Queue,
    id: QueueId,
    deed: QueueDeed,
    by: &str,
) -> Result<Annex, StoreError> {
    let Some(Ok(stored)) = queue.case(id).await? else { return Ok(Annex::default()) };
    let Ok(before) = CaseFile::from_bytes(&stored) else { return Ok(Annex::default()) };
    let Ok(after) = before.operated(deed, by, clock::now()) else { return Ok(Annex::default()) };
    let annex = moderation::decision(id, &after, &before.case);
    let mut annex = annex.map_err(|error| StoreError::engine("write the case", error))?;
    if deed == QueueDeed::Released {
        moderation::remember_at_rest(queue, &after, &mut annex).await;
    }
    Ok(annex)
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

fn place_of(listed: &Listed) -> Place {
    match listed {
        Listed::Sound { progress, .. } => progress.state.place(),
        Listed::Corrupt { .. } => Place::Corrupt,
    }
}

impl Waits {
    /// What can be done instead.
    fn advice(self, id: QueueId) -> String {
        match self {
            Self::ForPeople => format!(
                "it waits for people: `mailweir moderation approve {id}` approves it, `mailweir \
                 queue release {id}` sends it past them"
            ),
            Self::ForOperator => format!(
                "what is stored of it is not what was held: `mailweir queue release {id}` sends it as \
                 it is, `mailweir queue delete {id}` deletes it"
            ),
        }
    }
}

/// A mail that cannot be read, and that people need not decide about any more.
const SET_ASIDE: &str =
    "it cannot be read, and is kept aside for `mailweir rescue`; its case is over";
