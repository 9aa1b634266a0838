//! Who has had mail of whom: what makes a correspondent new.
//!
//! A pair of addresses is remembered by a hash of both, whoever of them wrote, and by the last day
//! on which one did. It is written in the commit of the mail, and read from the store: nothing is
//! kept in memory, however many there are. Pairs that have been silent for too long are forgotten; what
//! the clock says is not believed for that ([`Moderation::forget_silent`]).

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
    time::Duration,
};

use aws_lc_rs::digest;
use mailweir_mail::{Address, QueueId, Recipient, ReversePath, Timestamp};
use mailweir_moderation::{case_file::CaseFile, rule::Reason};
use mailweir_queue::{Annex, Day, Listed, Page, Pair, Queue, store::StoreError};

use super::Moderation;
use crate::clock;

/// Which recipients of a mail its sender knows.
#[derive(Debug, Default)]
pub(crate) struct Acquainted {
    known: HashSet<Address>,
    /// Those of them with whom there was mail today already, or later, if the clock was set back: nothing
    /// new is to be written.
    today: HashSet<Address>,
}

impl Acquainted {
    /// Which of these recipients a sender has had mail of or has written to, not before the day `oldest`.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn read(
        queue: &Queue,
        sender: &ReversePath,
        recipients: &[Recipient],
        (oldest, today): (Day, Day),
    ) -> Result<Self, StoreError> {
        let Some(sender) = sender.address() else { return Ok(Self::default()) };
        let pairs = names(recipients).map(|name| pair(sender, name)).collect();
        let days = queue.acquaintances(pairs).await?;
        let mut acquainted = Self::default();
        for (name, last) in names(recipients).zip(days) {
            let Some(last) = last.filter(|last| *last >= oldest) else { continue };
            acquainted.known.insert(name.clone());
            if last >= today {
                acquainted.today.insert(name.clone());
            }
        }
        Ok(acquainted)
    }

    pub(crate) fn knows(&self, recipient: &Address) -> bool {
        self.known.contains(recipient)
    }

    /// Writes that the sender has written to these recipients, under their names of now and of the
    /// time when they were written to.
    pub(crate) fn remember(
        &self,
        sender: &ReversePath,
        recipients: &[Recipient],
        annex: &mut Annex,
        now: Timestamp,
    ) {
        let Some(sender) = sender.address() else { return };
        for name in names(recipients).filter(|name| !self.today.contains(name)) {
            annex.put_acquaintance(pair(sender, name), day(now));
        }
    }
}

impl Moderation {
    /// Which of these recipients a sender has had mail of or has written to.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(crate) async fn acquainted(
        &self,
        sender: &ReversePath,
        recipients: &[Recipient],
        now: Timestamp,
    ) -> Result<Acquainted, StoreError> {
        let days = (self.oldest(day(now)), day(now));
        Acquainted::read(&self.queue, sender, recipients, days).await
    }

    /// With whom the sender of a mail has mail now that it is released, if a rule asks for that.
    pub(super) async fn remember(&self, file: &CaseFile, only: Option<&[u32]>, annex: &mut Annex) {
        if self.remembers() {
            remember(&self.queue, &file.mail.sender, &recipients(file, only), annex).await;
        }
    }

    /// As [`Self::remember`], of a mail that waited for no people: what the queue knows of it.
    pub(super) async fn remember_queued(&self, id: QueueId, annex: &mut Annex) {
        if !self.remembers() {
            return;
        }
        match self.queue.find(id).await {
            Ok(Some(Listed::Sound { envelope, .. })) => {
                remember(&self.queue, &envelope.sender, &envelope.recipients, annex).await;
            }
            Ok(Some(Listed::Corrupt { .. }) | None) => {}
            Err(error) => self.warn(format!("{id}: correspondents not remembered: {error}")),
        }
    }

    /// Whether a rule asks who has had mail of whom.
    fn remembers(&self) -> bool {
        self.settings.load().rules.matching.ask_for_correspondents()
    }

    /// Forgets who has been silent for too long, once a day, until the end.
    pub(crate) async fn forget_correspondents(self: Arc<Self>) {
        let daily = async {
            loop {
                if let Err(error) = self.forget_silent(clock::now()).await {
                    self.warn(format!("silent correspondents not forgotten: {error}"));
                }
                tokio::time::sleep(A_DAY).await;
            }
        };
        let _ = self.end.run_until_cancelled(daily).await;
    }

    /// Forgets who has been silent for too long, counted not to today but to the seventh last day on which
    /// anybody wrote to anybody. So a clock that stands years ahead, for a boot or for some days, makes
    /// nobody forgotten: there must have been mail on seven days of that time first. While there are
    /// fewer days in the store than that, nobody is.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub(super) async fn forget_silent(&self, now: Timestamp) -> Result<(), StoreError> {
        let Some(sure) = self.sure_day(day(now)).await? else { return Ok(()) };
        let oldest = self.oldest(sure);
        let mut first = Some(Pair::default());
        while let Some(from) = first {
            let page = self.page(from).await?;
            // What cannot be read is never deleted.
            let is_old = |last: &Result<Day, _>| last.as_ref().is_ok_and(|last| *last < oldest);
            let old = page.pairs.into_iter().filter(|(_, last)| is_old(last));
            self.forget_pairs(old.map(|(pair, _)| pair).collect(), oldest).await?;
            first = page.next;
        }
        Ok(())
    }

    /// Forgets those of these pairs that are silent still: a mail may have come since they were read.
    pub(super) async fn forget_pairs(
        &self,
        pairs: Vec<Pair>,
        oldest: Day,
    ) -> Result<(), StoreError> {
        if pairs.is_empty() {
            return Ok(());
        }
        let days = self.queue.acquaintances(pairs.clone()).await?;
        let mut annex = Annex::default();
        let silent =
            pairs.into_iter().zip(days).filter(|(_, last)| last.is_some_and(|it| it < oldest));
        silent.for_each(|(pair, _)| annex.remove_acquaintance(pair));
        if !annex.is_empty() {
            self.queue.write(annex).await?;
        }
        Ok(())
    }

    /// The last day but six, until `today`, on which there was mail.
    async fn sure_day(&self, today: Day) -> Result<Option<Day>, StoreError> {
        let mut days = BTreeSet::new();
        let mut first = Some(Pair::default());
        while let Some(from) = first {
            let page = self.page(from).await?;
            let read = page.pairs.into_iter().filter_map(|(_, last)| last.ok());
            for last in read.filter(|last| *last <= today) {
                days.insert(last);
                if days.len() > SURE_DAYS {
                    days.pop_first();
                }
            }
            first = page.next;
        }
        Ok(days.first().copied().filter(|_| days.len() == SURE_DAYS))
    }

    async fn page(&self, from: Pair) -> Result<Page, StoreError> {
        let queue = self.queue.clone();
        let page = tokio::task::spawn_blocking(move || queue.all_acquaintances(from, PAGE));
        page.await.map_err(|error| StoreError::engine("read", error))?
    }

    /// The first day that is remembered on a day.
    fn oldest(&self, today: Day) -> Day {
        let keep = self.settings.load().rules.forget_correspondents;
        let days = u32::try_from(keep.as_secs() / SECONDS_OF_A_DAY).unwrap_or(Day::MAX);
        today.saturating_sub(days)
    }
}

/// As [`Moderation::remember`], of a mail that an operator releases while no server runs, and so nobody
/// knows what rules ask for: a rule did if it held this mail for that.
pub(crate) async fn remember_at_rest(queue: &Queue, file: &CaseFile, annex: &mut Annex) {
    let is_new = |reason: &Reason| matches!(reason, Reason::NewCorrespondent(_));
    if file.mail.reasons.iter().any(is_new) {
        let recipients = recipients(file, file.case.progress.only.as_deref());
        remember(queue, &file.mail.sender, &recipients, annex).await;
    }
}

/// No day that is remembered becomes an earlier one. If it cannot be read, it is written.
async fn remember(
    queue: &Queue,
    sender: &ReversePath,
    recipients: &[Recipient],
    annex: &mut Annex,
) {
    let now = clock::now();
    let known = Acquainted::read(queue, sender, recipients, (0, day(now))).await;
    known.unwrap_or_default().remember(sender, recipients, annex, now);
}

/// Those who get the mail of a case.
fn recipients(file: &CaseFile, only: Option<&[u32]>) -> Vec<Recipient> {
    let all = (0..).zip(&file.mail.recipients);
    let meant = all.filter(|(index, _)| only.is_none_or(|only| only.contains(index)));
    meant.map(|(_, one)| Recipient::new(one.address.clone())).collect()
}

/// The names of recipients, of now and of the time when they were written to.
fn names(recipients: &[Recipient]) -> impl Iterator<Item = &Address> {
    recipients
        .iter()
        .flat_map(|one| [Some(&one.address), one.original.as_ref()].into_iter().flatten())
}

/// Both in one key, whoever wrote. The case of letters does not matter: an address that is written
/// in another way is nobody new.
pub(super) fn pair(one: &Address, other: &Address) -> Pair {
    let folded = |address: &Address| {
        let domain = address.domain().as_ascii().to_lowercase();
        format!("{}@{domain}", address.unquoted_local_part().to_lowercase())
    };
    let mut both = [folded(one), folded(other)];
    both.sort_unstable();
    // No address has this character in it.
    let hash = digest::digest(&digest::SHA256, both.join("\0").as_bytes());
    let mut pair = Pair::default();
    pair.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
    pair
}

pub(super) fn day(at: Timestamp) -> Day {
    Day::try_from(at.as_secs() / SECONDS_OF_A_DAY).unwrap_or(Day::MAX)
}

const SECONDS_OF_A_DAY: u64 = 86_400;

const A_DAY: Duration = Duration::from_secs(SECONDS_OF_A_DAY);

/// Days with mail by which a clock is believed.
const SURE_DAYS: usize = 7;

/// Pairs that are looked at, and forgotten, in one go.
const PAGE: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn a_pair_is_the_same_from_both_sides_and_in_any_case_and_no_other() {
        let (ann, them) = (address("ann@own.example"), address("them@far.example"));
        assert_eq!(pair(&ann, &them), pair(&them, &ann));
        assert_eq!(pair(&address("Ann@OWN.example"), &them), pair(&ann, &them));
        assert_ne!(pair(&ann, &address("then@far.example")), pair(&ann, &them));
        assert_ne!(pair(&ann, &ann), pair(&them, &them));
    }

    #[test]
    fn what_was_written_today_is_not_written_again() {
        let now = Timestamp::from_secs(1_795_210_205);
        let sender = ReversePath::Mailbox(address("ann@own.example"));
        let recipients = [
            Recipient::new(address("one@far.example")),
            Recipient {
                original: Some(address("list@own.example")),
                ..Recipient::new(address("two@far.example"))
            },
        ];
        let written = |acquainted: &Acquainted, sender| {
            let mut annex = Annex::default();
            acquainted.remember(sender, &recipients, &mut annex, now);
            !annex.is_empty()
        };
        assert!(written(&Acquainted::default(), &sender));
        assert!(!written(&Acquainted::default(), &ReversePath::Null));
        let all = ["one@far.example", "two@far.example", "list@own.example"].map(address);
        let mut met = Acquainted { known: HashSet::new(), today: all.into_iter().collect() };
        assert!(!written(&met, &sender));
        met.today.remove(&recipients[1].address);
        assert!(written(&met, &sender));
    }
}
