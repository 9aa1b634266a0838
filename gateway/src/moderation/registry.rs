//! All cases in memory: what is asked of them is answered without the store.
//!
//! Pure but for memory; time is an argument. Every operation costs the logarithm of the number of
//! cases, besides what it gives.

mod late;
mod places;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use mailweir_mail::{QueueId, Timestamp};
use mailweir_moderation::{
    case::{MOST_DAYS, Owed},
    case_file::CaseFile,
    search,
    token::{AnswerCode, Grant, TokenHash},
};

use self::late::Late;

/// Open cases, and decided ones as long as they are kept.
#[derive(Debug, Default)]
pub(super) struct Registry {
    cases: BTreeMap<QueueId, Kept>,
    /// Whose tokens they are.
    tokens: HashMap<TokenHash, QueueId>,
    /// Whose answer codes they are.
    answers: HashMap<TokenHash, QueueId>,
    /// When the clock has something to say about a case.
    due: BTreeSet<(Timestamp, QueueId)>,
    /// When notices are owed: at once, or after a failure later.
    owing: BTreeSet<(Timestamp, QueueId)>,
    /// Decided cases that owe nothing and wait for nobody, by when that was.
    decided: BTreeSet<(Timestamp, QueueId)>,
    /// Those that could not be forgotten, by when that is tried again.
    kept_on: BTreeSet<(Timestamp, QueueId)>,
    /// Failures of late, but for notices.
    late: HashMap<QueueId, Late>,
    /// Notices that could not be sent of late, by their numbers.
    late_notices: HashMap<QueueId, BTreeMap<u32, Late>>,
    /// Cases in which there stands a time that is not there yet: the clock was set back.
    ahead: HashSet<QueueId>,
    /// What the clock showed when it was last looked at.
    now: Option<Timestamp>,
    /// The numbers of notices that go out together with others.
    gathered: HashMap<QueueId, BTreeSet<u32>>,
    /// Cases that somebody changes at this moment.
    under_way: HashSet<QueueId>,
    /// Until when mail of a log-in passes rules, by the case that it comes of.
    trusted: HashMap<Box<str>, Trusts>,
}

/// Until when a rule is passed, by its name and the case that it comes of.
type Trusts = BTreeMap<(Box<str>, QueueId), Timestamp>;

/// A case.
#[derive(Clone, Debug)]
struct Kept {
    file: Arc<CaseFile>,
    /// What words are looked for in; made once.
    text: Arc<str>,
}

impl Registry {
    /// Takes a case as it is from now on.
    pub(super) fn put(&mut self, id: QueueId, file: Arc<CaseFile>) {
        self.take_out(id);
        self.late.remove(&id);
        // Whatever else changes of it, the clock has still to look at what is ahead.
        if !self.now.is_some_and(|now| file.case.is_ahead(now)) {
            self.ahead.remove(&id);
        }
        self.forget_settled(id, &file);
        self.index(id, &file);
        let known = self.cases.get(&id).map(|kept| Arc::clone(&kept.text));
        let text = known.unwrap_or_else(|| search::text(id, &file).into());
        self.cases.insert(id, Kept { file, text });
    }

    /// Takes a new case, of which these notices go out together with others. Says whether something is
    /// to be done for it now, or sooner than for all others.
    pub(super) fn open(&mut self, id: QueueId, file: Arc<CaseFile>, joined: BTreeSet<u32>) -> bool {
        if !joined.is_empty() {
            self.gathered.insert(id, joined);
        }
        self.put(id, file);
        let is_next = self.due.first().is_some_and(|(_, first)| *first == id);
        is_next || self.get(id).is_some_and(|file| self.owed_alone(id, file).next().is_some())
    }

    /// Knows the tokens of a notice before its commit: its reader may be faster than the answer to who
    /// commits it. Nobody has the token of a notice that was never written.
    pub(super) fn foretell(&mut self, id: QueueId, grants: &[Grant]) {
        let Some(mut file) = self.get(id).map(|file| (**file).clone()) else { return };
        self.forget_tokens(&file.grants);
        file.grants = grants.to_vec();
        self.know_tokens(id, &file.grants);
        if let Some(kept) = self.cases.get_mut(&id) {
            kept.file = Arc::new(file);
        }
    }

    /// Forgets a case.
    pub(super) fn remove(&mut self, id: QueueId) {
        self.take_out(id);
        self.late.remove(&id);
        self.late_notices.remove(&id);
        self.ahead.remove(&id);
        self.gathered.remove(&id);
        self.cases.remove(&id);
    }

    pub(super) fn get(&self, id: QueueId) -> Option<&Arc<CaseFile>> {
        self.cases.get(&id).map(|kept| &kept.file)
    }

    /// The case of a notice that is answered, and what the notice is good for at `now`.
    pub(super) fn find_answered(
        &self,
        code: &AnswerCode,
        now: Timestamp,
    ) -> Option<(QueueId, &Arc<CaseFile>, &Grant)> {
        let code = code.hash();
        let id = *self.answers.get(&code)?;
        let file = self.get(id)?;
        let grant = file.grants.iter().find(|grant| grant.answer == Some(code))?;
        grant.is_good(now).then_some((id, file, grant))
    }

    /// The case that a token belongs to, and what the token is good for at `now`.
    pub(super) fn find(
        &self,
        token: TokenHash,
        now: Timestamp,
    ) -> Option<(QueueId, &Arc<CaseFile>, &Grant)> {
        let id = *self.tokens.get(&token)?;
        let file = self.get(id)?;
        let grant = file.grant(token).filter(|grant| grant.is_good(now))?;
        Some((id, file, grant))
    }

    /// Cases behind `after`, in the order in which their mail came, each with what words are looked
    /// for in.
    pub(super) fn all(
        &self,
        after: Option<QueueId>,
    ) -> impl Iterator<Item = (QueueId, &Arc<CaseFile>, &Arc<str>)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        self.cases.range((from, Unbounded)).map(|(id, Kept { file, text })| (*id, file, text))
    }

    /// Whether mail of a log-in passes a rule.
    pub(super) fn trusts(&self, login: &str, rule: &str, now: Timestamp) -> bool {
        let mut trusted = self.trusted.get(login).into_iter().flatten();
        trusted.any(|((name, _), until)| **name == *rule && holds(*until, now))
    }

    /// Every trust that holds, with the case that it comes of.
    pub(super) fn trusted(&self, now: Timestamp) -> impl Iterator<Item = (TrustedLogin, QueueId)> {
        self.trusted.iter().flat_map(move |(login, rules)| {
            let held = rules.iter().filter(move |(_, until)| holds(**until, now));
            held.map(|((rule, id), until)| {
                (TrustedLogin { login: login.clone(), rule: rule.clone(), until: *until }, *id)
            })
        })
    }

    /// At most `most` cases about which the clock has something to say.
    pub(super) fn due(&self, now: Timestamp, most: usize) -> Vec<QueueId> {
        until(&self.due, now, most)
    }

    /// At most `most` cases that owe notices now, and not together with others.
    pub(super) fn owing(&self, now: Timestamp, most: usize) -> Vec<QueueId> {
        until(&self.owing, now, most)
    }

    /// At most `most` cases that were decided longer ago than `keep`, and that wait for nobody.
    pub(super) fn old(&self, now: Timestamp, keep: Duration, most: usize) -> Vec<QueueId> {
        let old = self.decided.iter().take_while(|(at, _)| at.plus(keep) <= now);
        let again = self.kept_on.iter().take_while(|(again, _)| *again <= now);
        old.chain(again).take(most).map(|(_, id)| *id).collect()
    }

    /// Whether a case may be forgotten: it is among [`Self::old`], or would be but for a failure.
    pub(super) fn is_old(&self, id: QueueId, now: Timestamp, keep: Duration) -> bool {
        let decided = self.get(id).and_then(|file| places::decided(file));
        decided.is_some_and(|at| at.plus(keep) <= now)
    }

    /// The first notice that a case owes now, and not together with others.
    pub(super) fn owed(&self, id: QueueId, now: Timestamp) -> Option<&Owed> {
        let mut owed = self.owed_alone(id, self.get(id)?);
        owed.find(|(_, at)| *at <= now).map(|(owed, _)| owed)
    }

    /// A notice that is owed goes out together with others.
    pub(super) fn gather(&mut self, id: QueueId, number: u32) {
        self.shift(id, |registry| {
            registry.gathered.entry(id).or_default().insert(number);
        });
    }

    /// When there is something to do next, but for notices.
    pub(super) fn next(&self, keep: Duration) -> Option<Timestamp> {
        let old = first(&self.decided).map(|at| at.plus(keep));
        first(&self.due).into_iter().chain(old).chain(first(&self.kept_on)).min()
    }

    /// When a notice is owed next.
    pub(super) fn next_owed(&self) -> Option<Timestamp> {
        first(&self.owing)
    }

    /// What failed before need not be done any more, or not yet.
    pub(super) fn calm(&mut self, id: QueueId) {
        if let Some(file) = self.get(id).cloned() {
            self.put(id, file);
        }
    }

    /// Whether it is the caller's turn to change a case; then nobody else may until [`Self::end`].
    pub(super) fn begin(&mut self, id: QueueId) -> bool {
        self.under_way.insert(id)
    }

    pub(super) fn end(&mut self, id: QueueId) {
        self.under_way.remove(&id);
    }
}

/// A log-in whose mail passes a rule for a while.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TrustedLogin {
    /// The log-in.
    pub(crate) login: Box<str>,
    /// The name of the rule.
    pub(crate) rule: Box<str>,
    /// Until then.
    pub(crate) until: Timestamp,
}

/// Whether a notice of this number is still to be sent.
pub(super) fn owes(file: &CaseFile, number: u32) -> bool {
    file.case.progress.owed.iter().any(|owed| owed.number == number)
}

/// Whether trust until a time holds now. What a clock that was ahead has written holds once it is within what
/// anybody may say.
fn holds(until: Timestamp, now: Timestamp) -> bool {
    now < until && until <= now.plus(LONGEST_TRUST)
}

fn first(set: &BTreeSet<(Timestamp, QueueId)>) -> Option<Timestamp> {
    set.first().map(|(at, _)| *at)
}

fn until(set: &BTreeSet<(Timestamp, QueueId)>, now: Timestamp, most: usize) -> Vec<QueueId> {
    set.iter().take_while(|(at, _)| *at <= now).take(most).map(|(_, id)| *id).collect()
}

/// A second more for what is said at the moment in which it is asked.
const LONGEST_TRUST: Duration = Duration::from_secs(MOST_DAYS as u64 * 86_400 + 1);

#[cfg(test)]
pub(super) mod tests;
