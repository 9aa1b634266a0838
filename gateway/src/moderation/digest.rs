//! Sends what was gathered: many notices to one person in one mail, and all their cases in one commit.

use std::{collections::HashMap, sync::Arc, time::Duration};

use mailweir_mail::{QueueId, Timestamp};
use mailweir_moderation::{
    case::{Command, Owed},
    case_file::CaseFile,
    notice::{Composed, Gathered, MOST_IN_DIGEST, Notice, Waiting},
    token::{Purpose, Token},
};
use mailweir_queue::Annex;

use super::{
    Moderation, Settings,
    letter::{Addressee, Enclosed},
    outbox::{NotSent, grant},
    pace::Key,
    reader::Pages,
    registry, take,
};
use crate::clock;

/// A case in a digest: before, after, and how its reader gets to it.
struct Told {
    id: QueueId,
    before: Arc<CaseFile>,
    after: CaseFile,
    /// What is settled.
    owed: Vec<Owed>,
    token: Option<(Token, Purpose)>,
}

impl Moderation {
    /// Sends what was gathered for somebody, and tries again later if that cannot be.
    pub(super) async fn pay_together(self: &Arc<Self>, key: &Key) {
        let (this, one) = (Arc::clone(self), key.clone());
        // On its own, so that it comes to its end if the gateway stops meanwhile.
        let sent = self.tasks.spawn(async move { this.send_digest(&one).await }).await;
        let reason = match sent {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        let again = clock::now().plus(PAUSE);
        self.pace().put_off(key, again);
        let (reader, again) = (&key.reader, again.rfc5322());
        self.warn(format!("notices to <{reader}> not sent: {reason}; tried again {again}"));
    }

    /// If there is room for one more in this minute; otherwise it stays due.
    async fn send_digest(&self, key: &Key) -> Result<(), NotSent> {
        let settings = self.settings.load_full();
        if !self.pace().begin(&settings.limits(), clock::now()) {
            return Ok(());
        }
        let sent = self.send_gathered(&settings, key).await;
        if !matches!(sent, Ok(true)) {
            self.pace().abandon();
        }
        sent.map(drop)
    }

    /// As many as one mail shows; the others wait for the next. Says whether a mail was sent.
    async fn send_gathered(&self, settings: &Settings, key: &Key) -> Result<bool, NotSent> {
        // All of it may be decided.
        if self.gathered(key).is_empty() {
            return Ok(false);
        }
        let to = self.addressee(settings, settings.reader_of(key)).await?;
        let mut gathered = self.gathered(key);
        let others = gathered.len().saturating_sub(MOST_IN_DIGEST);
        gathered.truncate(MOST_IN_DIGEST);
        gathered.sort_unstable_by_key(|(id, _)| *id);
        let mut turns = Vec::new();
        // In the order of their ids, so that no two wait for each other.
        for (id, _) in &gathered {
            turns.push(self.turn(*id).await);
        }
        let is_sent = match &gathered[..] {
            // One that nothing was gathered with is told like any other.
            [(id, numbers)] if numbers.len() == 1 => self.send_in_turn(to, *id, numbers).await?,
            _ => self.send_together(key, to, &gathered, others).await?,
        };
        let sent = gathered.iter();
        let sent = sent.flat_map(|(id, numbers)| numbers.iter().map(|number| (*id, *number)));
        self.pace().sent(key, sent, &settings.limits(), clock::now());
        Ok(is_sent)
    }

    async fn send_together(
        &self,
        key: &Key,
        to: Addressee<'_>,
        gathered: &[(QueueId, Vec<u32>)],
        others: usize,
    ) -> Result<bool, NotSent> {
        let now = clock::now();
        let mut told = Vec::new();
        for (id, numbers) in gathered {
            told.extend(self.settle(*id, numbers, &to, now)?);
        }
        let Some(composed) = compose(key.kind, &told, others, &to) else { return Ok(false) };
        let mut annex = Annex::default();
        for one in &told {
            take::add_to(&mut annex, one.id, &one.after, Some(&one.before.case))?;
        }
        let reader = to.reader.clone();
        self.foretell(told.iter().map(|one| (one.id, &one.after)));
        let posted = self.post(to, &composed, &[], annex).await;
        let notice = posted.inspect_err(|_| {
            self.foretell(told.iter().map(|one| (one.id, &*one.before)));
        })?;
        for one in told {
            one.owed.iter().for_each(|owed| self.told(one.id, owed.word, &reader, notice));
            self.keep(one.id, one.after);
        }
        Ok(true)
    }

    fn foretell<'f>(&self, files: impl Iterator<Item = (QueueId, &'f CaseFile)>) {
        let mut registry = self.registry();
        files.for_each(|(id, file)| registry.foretell(id, &file.grants));
    }

    /// What waits in a basket, by case.
    fn gathered(&self, key: &Key) -> Vec<(QueueId, Vec<u32>)> {
        let mut cases: Vec<(QueueId, Vec<u32>)> = Vec::new();
        let mut places: HashMap<QueueId, usize> = HashMap::new();
        let registry = self.registry();
        let is_owed =
            |id, number| registry.get(id).is_some_and(|file| registry::owes(file, number));
        for (id, number) in self.pace().basket(key, is_owed) {
            let place = *places.entry(id).or_insert(cases.len());
            match cases.get_mut(place) {
                Some((_, numbers)) => numbers.push(number),
                None => cases.push((id, vec![number])),
            }
        }
        cases
    }

    /// A case that does not owe these notices any more; `None`: it does not already.
    fn settle(
        &self,
        id: QueueId,
        numbers: &[u32],
        to: &Addressee<'_>,
        now: Timestamp,
    ) -> Result<Option<Told>, NotSent> {
        let Some(before) = self.case(id) else { return Ok(None) };
        let owed = before.case.progress.owed.iter();
        let owed: Vec<Owed> = owed.filter(|owed| numbers.contains(&owed.number)).cloned().collect();
        let Some(last) = owed.last() else { return Ok(None) };
        let mut after = (*before).clone();
        for one in &owed {
            after.case = after.case.take(&Command::Settle { owed: one.number }, now)?.case;
        }
        let token = grant(to, last, &mut after, now)?;
        Ok(Some(Told { id, before, after, owed, token }))
    }
}

impl Told {
    fn pages(&self, settings: &Settings) -> Pages {
        settings.pages(self.token.as_ref().map(|(token, purpose)| (token, *purpose)))
    }

    fn shown<'a>(&'a self, pages: &'a Pages) -> Waiting<'a> {
        let about = self.before.about(self.id);
        Waiting { about, open: pages.links().open }
    }
}

/// The mail; `None`: nobody is to be told anything any more. Nobody can answer it: an answer would have
/// to say which of them it means.
fn compose(kind: Gathered, told: &[Told], others: usize, to: &Addressee<'_>) -> Option<Composed> {
    let first = told.first()?;
    let number = first.owed.first()?.number;
    let pages: Vec<Pages> = told.iter().map(|one| one.pages(to.settings)).collect();
    let shown = told.iter().zip(&pages);
    let shown: Vec<Waiting<'_>> = shown.map(|(one, pages)| one.shown(pages)).collect();
    let count = told.len() + others;
    let notice = Notice::Digest { kind, shown: &shown, count };
    Some(to.compose(&notice, (first.id, number), &[], &Enclosed::NOTHING))
}

/// What could not be sent is tried again then.
const PAUSE: Duration = Duration::from_secs(30);
