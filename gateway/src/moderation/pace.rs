//! How many notices people get: which goes out by itself, which together with others, and when.
//!
//! Pure: time is an argument. All of it is in memory. What is owed stands in the cases, so that a
//! restart loses nothing and begins to count anew.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use mailweir_mail::{Address, QueueId, Timestamp};
use mailweir_moderation::{
    case::{Owed, State, To, Word},
    case_file::CaseFile,
    notice::Gathered,
};

/// What was sent of late, and what is being gathered.
#[derive(Debug, Default)]
pub(super) struct Pace {
    meters: HashMap<Key, Meter>,
    /// How many notices each sender got today; beyond what is allowed, how many were wanted.
    senders: HashMap<Address, u32>,
    /// The day that `senders` is about, since the epoch.
    day: u64,
    /// Since when `sent` is counted.
    minute: Option<Timestamp>,
    sent: u32,
    /// Whether it was said that the minute is full.
    told_full: bool,
}

/// What is allowed: `[moderation]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// So many notices of a kind go to one person by themselves...
    pub(super) alone: u32,
    /// ... within this time.
    pub(super) interval: Duration,
    /// So many notices a minute go to everybody together; 0: any number.
    pub(super) a_minute: u32,
    /// So many notices a day go to one sender; 0: any number.
    pub(super) sender_a_day: u32,
}

/// Whose notices of what kind are gathered in one mail.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// Who.
    pub(super) reader: Address,
    /// What.
    pub(super) kind: Gathered,
}

/// What a notice is, as far as it matters how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// To people who decide, or who run the gateway.
    Gathered(Gathered, Urgency),
    /// To a sender.
    Sender {
        /// Whether it says that a mail is not sent: nobody else tells that.
        is_refusal: bool,
    },
}

/// What goes first of what is gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// What its reader knows nothing of yet.
    News,
    /// What they were told before.
    Again,
}

/// What becomes of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It goes out by itself, and is counted.
    Alone,
    /// It goes out together with others.
    Gathered,
    /// It goes out when there is room again ([`Pace::full_until`]).
    Later,
    /// It is left out: its reader got that many today, or would have.
    LeftOut(u32),
}

/// Notices of one kind to one person.
#[derive(Debug)]
struct Meter {
    /// When the interval ends.
    end: Timestamp,
    /// How many went out by themselves in it.
    alone: u32,
    /// What goes out together at its end: cases, and the numbers of the notices.
    basket: BTreeMap<(QueueId, u32), Urgency>,
}

impl Class {
    /// Of a notice that a case owes.
    pub(super) fn of(owed: &Owed, file: &CaseFile) -> Self {
        match (&owed.to, owed.word) {
            (To::Sender, word) => {
                Self::Sender { is_refusal: word == Word::Decided && !is_sent(file) }
            }
            (_, Word::Decided) => Self::Gathered(Gathered::News, Urgency::News),
            (To::Moderator(_), Word::Reminder) => {
                Self::Gathered(Gathered::Requests, Urgency::Again)
            }
            (To::Moderator(_), _) => Self::Gathered(Gathered::Requests, Urgency::News),
            (To::Administrators, _) => Self::Gathered(Gathered::Alerts, Urgency::News),
        }
    }
}

impl Pace {
    /// What becomes of a notice that is owed now.
    pub(super) fn ask(
        &mut self,
        owed: (QueueId, u32),
        reader: &Address,
        class: Class,
        limits: &Limits,
        now: Timestamp,
    ) -> Verdict {
        match class {
            Class::Gathered(kind, urgency) => {
                self.ask_for_decider((owed, urgency), reader, kind, limits, now)
            }
            Class::Sender { is_refusal } => self.ask_for_sender(reader, is_refusal, limits, now),
        }
    }

    /// Puts a notice to those that are being gathered for its reader, if there are any: whoever is behind
    /// others does not overtake them. Says whether there are.
    pub(super) fn join(&mut self, owed: (QueueId, u32), reader: Address, class: Class) -> bool {
        let Class::Gathered(kind, urgency) = class else { return false };
        match self.meters.get_mut(&Key { reader, kind }) {
            Some(meter) if !meter.basket.is_empty() => {
                meter.basket.insert(owed, urgency);
                true
            }
            Some(_) | None => false,
        }
    }

    fn ask_for_decider(
        &mut self,
        (owed, urgency): ((QueueId, u32), Urgency),
        reader: &Address,
        kind: Gathered,
        limits: &Limits,
        now: Timestamp,
    ) -> Verdict {
        let key = Key { reader: reader.clone(), kind };
        let is_full = self.is_full(limits, now);
        let begin = || Meter { end: now.plus(limits.interval), alone: 0, basket: BTreeMap::new() };
        let meter = self.meters.entry(key).or_insert_with(begin);
        if meter.basket.is_empty() && meter.end <= now {
            *meter = begin();
        }
        // Whoever is behind others does not overtake them.
        if !meter.basket.is_empty() || meter.alone >= limits.alone {
            meter.basket.insert(owed, urgency);
            return Verdict::Gathered;
        }
        if is_full {
            return Verdict::Later;
        }
        meter.alone += 1;
        self.count(now);
        Verdict::Alone
    }

    fn ask_for_sender(
        &mut self,
        sender: &Address,
        is_refusal: bool,
        limits: &Limits,
        now: Timestamp,
    ) -> Verdict {
        let today = now.as_secs() / SECONDS_OF_A_DAY;
        if self.day != today {
            self.senders.clear();
            self.day = today;
        }
        let is_full = self.is_full(limits, now);
        let got = self.senders.entry(sender.clone()).or_default();
        let most = if is_refusal {
            limits.sender_a_day.saturating_mul(REFUSALS_FOR_ONE)
        } else {
            limits.sender_a_day
        };
        if most > 0 && *got >= most {
            *got = got.saturating_add(1);
            return Verdict::LeftOut(*got);
        }
        if is_full {
            return Verdict::Later;
        }
        *got = got.saturating_add(1);
        self.count(now);
        Verdict::Alone
    }

    /// A notice that was to go by itself was not sent: it does not count.
    pub(super) fn withdraw(&mut self, reader: &Address, class: Class) {
        self.sent = self.sent.saturating_sub(1);
        match class {
            Class::Gathered(kind, _) => {
                let meter = self.meters.get_mut(&Key { reader: reader.clone(), kind });
                meter.into_iter().for_each(|meter| meter.alone = meter.alone.saturating_sub(1));
            }
            Class::Sender { .. } => {
                let got = self.senders.get_mut(reader);
                got.into_iter().for_each(|got| *got = got.saturating_sub(1));
            }
        }
    }

    /// Until when nothing more is sent; `None`: there is room.
    pub(super) fn full_until(&self, limits: &Limits, now: Timestamp) -> Option<Timestamp> {
        self.is_full(limits, now).then(|| self.minute.map(|since| since.plus(MINUTE)))?
    }

    /// Whether there is no room in this minute, and nobody was told so yet.
    pub(super) fn is_newly_full(&mut self, limits: &Limits, now: Timestamp) -> bool {
        self.is_full(limits, now) && !std::mem::replace(&mut self.told_full, true)
    }

    /// There are other limits, or another time: no interval that has begun is longer than one would be
    /// now, however far the clock was set back.
    pub(super) fn limit(&mut self, limits: &Limits, now: Timestamp) {
        for meter in self.meters.values_mut() {
            meter.end = meter.end.min(now.plus(limits.interval));
        }
        self.minute = self.minute.filter(|since| *since <= now);
    }

    /// Whose baskets are to be sent now.
    pub(super) fn due(&mut self, now: Timestamp) -> Vec<Key> {
        self.meters.retain(|_, meter| meter.end > now || !meter.basket.is_empty());
        let due = self.meters.iter().filter(|(_, meter)| meter.is_due(now));
        due.map(|(key, _)| key.clone()).collect()
    }

    /// When the next basket is to be sent.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let waiting = self.meters.values().filter(|meter| !meter.basket.is_empty());
        waiting.map(|meter| meter.end).min()
    }

    /// All that is in a basket and still owed: first what its reader knows nothing of, oldest case first.
    pub(super) fn basket(
        &mut self,
        key: &Key,
        is_owed: impl Fn(QueueId, u32) -> bool,
    ) -> Vec<(QueueId, u32)> {
        let Some(meter) = self.meters.get_mut(key) else { return Vec::new() };
        meter.basket.retain(|(id, number), _| is_owed(*id, *number));
        let mut all: Vec<_> = meter.basket.iter().map(|(one, urgency)| (*urgency, *one)).collect();
        all.sort_unstable();
        all.into_iter().map(|(_, one)| one).collect()
    }

    /// A mail with what was gathered is begun, and counted, if there is room for it in this minute.
    pub(super) fn begin(&mut self, limits: &Limits, now: Timestamp) -> bool {
        let has_room = !self.is_full(limits, now);
        if has_room {
            self.count(now);
        }
        has_room
    }

    /// A mail that was begun is not sent: it does not count.
    pub(super) const fn abandon(&mut self) {
        self.sent = self.sent.saturating_sub(1);
    }

    /// What was in a basket is sent. What is left goes out after another interval.
    pub(super) fn sent(
        &mut self,
        key: &Key,
        what: impl IntoIterator<Item = (QueueId, u32)>,
        limits: &Limits,
        now: Timestamp,
    ) {
        if let Some(meter) = self.meters.get_mut(key) {
            for one in what {
                meter.basket.remove(&one);
            }
            meter.end = now.plus(limits.interval);
            // The mail that was gathered is one of those that the next interval allows.
            meter.alone = 1;
        }
    }

    /// A basket could not be sent: it is tried again then.
    pub(super) fn put_off(&mut self, key: &Key, again: Timestamp) {
        if let Some(meter) = self.meters.get_mut(key) {
            meter.end = again;
        }
    }

    fn is_full(&self, limits: &Limits, now: Timestamp) -> bool {
        let counts = self.minute.is_some_and(|since| now < since.plus(MINUTE));
        limits.a_minute > 0 && counts && self.sent >= limits.a_minute
    }

    fn count(&mut self, now: Timestamp) {
        if self.minute.is_none_or(|since| now >= since.plus(MINUTE)) {
            self.minute = Some(now);
            self.sent = 0;
            self.told_full = false;
        }
        self.sent = self.sent.saturating_add(1);
    }
}

impl Meter {
    fn is_due(&self, now: Timestamp) -> bool {
        !self.basket.is_empty() && self.end <= now
    }
}

/// Whether the mail of a case goes, if anything was decided.
fn is_sent(file: &CaseFile) -> bool {
    let State::Closed(closing) = &file.case.progress.state else { return true };
    closing.decision.sends()
}

const MINUTE: Duration = Duration::from_secs(60);

const SECONDS_OF_A_DAY: u64 = 86_400;

/// That a mail is not sent is told to its sender so many times as often as anything else.
const REFUSALS_FOR_ONE: u32 = 10;

#[cfg(test)]
mod tests;
