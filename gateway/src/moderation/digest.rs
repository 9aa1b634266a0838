//! Sends what was gathered: many notices to one person in one mail, and all their cases in one commit.

use std::{collections::HashMap, sync::Arc, time::Duration};

use mailweir_mail::{QueueId, Timestamp};
use mailweir_moderation::{
    case::{Command, Owed},
    case_file::CaseFile,
    notice::{
        self, About, Attached, Composed, Gathered, Letter, Links, MOST_IN_DIGEST, MessageId,
        Notice, Waiting,
    },
    token::{Purpose, Token},
};
use mailweir_queue::Annex;

use super::{
    Moderation, Settings,
    outbox::{NotSent, grant},
    pace::Key,
    reader::{Pages, Reader},
    registry, take,
};
use crate::{clock, egress};

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
    /// Sends what was gathered and is due at `now`.
    pub(super) async fn send_digests(self: &Arc<Self>, now: Timestamp) {
        let due = self.pace().due(now);
        for key in due {
            if self.full_until(now).is_some() {
                return;
            }
            let this = Arc::clone(self);
            let (one, key) = (key.clone(), key);
            // On its own, so that it comes to its end if the gateway stops meanwhile.
            let sent = self.tasks.spawn(async move { this.send_digest(&one).await }).await;
            let reason = match sent {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            };
            let again = clock::now().plus(PAUSE);
            self.pace().put_off(&key, again);
            let reader = &key.reader;
            self.warn(format!(
                "notices to <{reader}> not sent: {reason}; tried again {}",
                again.rfc5322()
            ));
        }
    }

    /// As many as one mail shows; the others wait for the next.
    async fn send_digest(&self, key: &Key) -> Result<(), NotSent> {
        let mut gathered = self.gathered(key);
        // All of it may be decided.
        if gathered.is_empty() {
            return Ok(());
        }
        let others = gathered.len().saturating_sub(MOST_IN_DIGEST);
        gathered.truncate(MOST_IN_DIGEST);
        gathered.sort_unstable_by_key(|(id, _)| *id);
        let mut turns = Vec::new();
        // In the order of their ids, so that no two wait for each other.
        for (id, _) in &gathered {
            turns.push(self.turn(*id).await);
        }
        let settings = self.settings.load_full();
        let reader = settings.known(key.reader.clone());
        match &gathered[..] {
            [(id, numbers)] if numbers.len() == 1 => {
                self.send_last(*id, numbers, &settings, reader).await?;
            }
            _ => self.send_together(key, &settings, &reader, &gathered, others).await?,
        }
        let sent = gathered.iter();
        let sent = sent.flat_map(|(id, numbers)| numbers.iter().map(|number| (*id, *number)));
        self.pace().sent(key, sent, &settings.limits(), clock::now());
        Ok(())
    }

    /// One that nothing was gathered with is told like any other.
    async fn send_last(
        &self,
        id: QueueId,
        numbers: &[u32],
        settings: &Settings,
        reader: Reader,
    ) -> Result<(), NotSent> {
        let Some(before) = self.case(id) else { return Ok(()) };
        let mut owed = before.case.progress.owed.iter();
        let Some(owed) = owed.find(|owed| numbers.contains(&owed.number)) else { return Ok(()) };
        self.send_alone(settings, reader, id, &before, owed).await
    }

    async fn send_together(
        &self,
        key: &Key,
        settings: &Settings,
        reader: &Reader,
        gathered: &[(QueueId, Vec<u32>)],
        others: usize,
    ) -> Result<(), NotSent> {
        let now = clock::now();
        let mut told = Vec::new();
        for (id, numbers) in gathered {
            told.extend(self.settle(*id, numbers, settings, reader, now)?);
        }
        let Some(composed) = compose(key.kind, &told, others, settings, reader) else {
            return Ok(());
        };
        let mut annex = Annex::default();
        for one in &told {
            take::add_to(&mut annex, one.id, &one.after, Some(&one.before.case))?;
        }
        let notice = self.post(settings, reader, &composed, &[], annex).await?;
        for one in told {
            one.owed.iter().for_each(|owed| self.told(one.id, owed.word, reader, notice));
            self.keep(one.id, one.after);
        }
        Ok(())
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
        settings: &Settings,
        reader: &Reader,
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
        let token = grant(settings, last, reader, &mut after, now)?;
        Ok(Some(Told { id, before, after, owed, token }))
    }
}

impl Told {
    fn pages(&self, settings: &Settings) -> Pages {
        settings.pages(self.token.as_ref().map(|(token, purpose)| (token, *purpose)))
    }

    fn shown<'a>(&'a self, pages: &'a Pages) -> Waiting<'a> {
        let about = About { id: self.id, case: &self.before.case, mail: &self.before.mail };
        Waiting { about, open: pages.links().open }
    }
}

/// The mail; `None`: nobody is to be told anything any more.
fn compose(
    kind: Gathered,
    told: &[Told],
    others: usize,
    settings: &Settings,
    reader: &Reader,
) -> Option<Composed> {
    let first = told.first()?;
    let number = first.owed.first()?.number;
    let pages: Vec<Pages> = told.iter().map(|one| one.pages(settings)).collect();
    let shown = told.iter().zip(&pages);
    let shown: Vec<Waiting<'_>> = shown.map(|(one, pages)| one.shown(pages)).collect();
    let from = &settings.rules.from;
    let letter = Letter {
        language: reader.language,
        zone: reader.zone,
        from_name: from.name.as_ref().map_or("", |name| &name.0),
        from: &from.address,
        to: &reader.address,
        // An answer would have to say which of them it means.
        reply_to: None,
        links: Links::default(),
        date: clock::now(),
        id: MessageId::of(first.id, &reader.address, number, &settings.hostname),
        thread: &[],
        seed: egress::seed(),
        attached: Attached::Nothing,
    };
    let count = told.len() + others;
    Some(notice::compose(&Notice::Digest { kind, shown: &shown, count }, &letter))
}

/// What could not be sent is tried again then.
const PAUSE: Duration = Duration::from_secs(30);
