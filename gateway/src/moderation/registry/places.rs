//! Where cases stand in the indices: each in the places that follow from what it says, and from what is
//! kept beside it.

use mailweir_mail::{QueueId, Timestamp};
use mailweir_moderation::{
    case::{Owed, State},
    case_file::CaseFile,
    token::Grant,
};

use super::{Registry, owes};

impl Registry {
    /// What is owed no more goes out with nothing, and is not late.
    pub(super) fn forget_settled(&mut self, id: QueueId, file: &CaseFile) {
        if let Some(gathered) = self.gathered.get_mut(&id) {
            gathered.retain(|number| owes(file, *number));
            if gathered.is_empty() {
                self.gathered.remove(&id);
            }
        }
        if let Some(late) = self.late_notices.get_mut(&id) {
            late.retain(|number, _| owes(file, *number));
            if late.is_empty() {
                self.late_notices.remove(&id);
            }
        }
    }

    /// The notices that a case owes, and not together with others; each from when on.
    pub(super) fn owed_alone<'a>(
        &'a self,
        id: QueueId,
        file: &'a CaseFile,
    ) -> impl Iterator<Item = (&'a Owed, Timestamp)> {
        let (gathered, late) = (self.gathered.get(&id), self.late_notices.get(&id));
        let owed = file.case.progress.owed.iter();
        let alone =
            owed.filter(move |owed| gathered.is_none_or(|numbers| !numbers.contains(&owed.number)));
        alone.map(move |owed| {
            let late = late.and_then(|late| late.get(&owed.number));
            (owed, late.map_or(AT_ONCE, |late| late.again))
        })
    }

    /// Changes what is kept beside a case, and with it where the case stands.
    pub(super) fn shift(&mut self, id: QueueId, change: impl FnOnce(&mut Self)) {
        let Some(file) = self.get(id).cloned() else { return };
        self.take_out(id);
        change(self);
        self.index(id, &file);
    }

    pub(super) fn index(&mut self, id: QueueId, file: &CaseFile) {
        self.know_tokens(id, &file.grants);
        let places = self.places(id, file);
        self.due.extend(places.due.map(|at| (at, id)));
        self.owing.extend(places.owing.map(|at| (at, id)));
        self.decided.extend(places.decided.map(|at| (at, id)));
        self.kept_on.extend(places.kept_on.map(|again| (again, id)));
        if let (Some(trust), Some(login)) = (file.trust, &file.mail.login) {
            let key = (file.case.plan.rule.name.clone(), id);
            self.trusted.entry(login.clone()).or_default().insert(key, trust.until);
        }
    }

    pub(super) fn take_out(&mut self, id: QueueId) {
        let Some(file) = self.get(id).cloned() else { return };
        self.forget_tokens(&file.grants);
        if let Some(login) = &file.mail.login
            && let Some(rules) = self.trusted.get_mut(login)
        {
            rules.remove(&(file.case.plan.rule.name.clone(), id));
            if rules.is_empty() {
                self.trusted.remove(login);
            }
        }
        let places = self.places(id, &file);
        places.due.map(|at| self.due.remove(&(at, id)));
        places.owing.map(|at| self.owing.remove(&(at, id)));
        places.decided.map(|at| self.decided.remove(&(at, id)));
        places.kept_on.map(|again| self.kept_on.remove(&(again, id)));
    }

    pub(super) fn know_tokens(&mut self, id: QueueId, grants: &[Grant]) {
        self.tokens.extend(grants.iter().map(|grant| (grant.token, id)));
        self.answers.extend(grants.iter().filter_map(|grant| Some((grant.answer?, id))));
    }

    pub(super) fn forget_tokens(&mut self, grants: &[Grant]) {
        for grant in grants {
            self.tokens.remove(&grant.token);
            grant.answer.map(|code| self.answers.remove(&code));
        }
    }

    /// Where a case stands in the indices, as long as what is kept beside it is the same.
    fn places(&self, id: QueueId, file: &CaseFile) -> Places {
        let case = &file.case;
        let late = self.late.get(&id).map(|late| late.again);
        let is_ahead = self.ahead.contains(&id);
        let due = case.due().map(|due| if is_ahead { AT_ONCE } else { due });
        let decided = decided(file);
        Places {
            due: due.map(|due| late.map_or(due, |again| again.max(due))),
            owing: self.owed_alone(id, file).map(|(_, at)| at).min(),
            decided: decided.filter(|_| late.is_none()),
            kept_on: decided.and(late),
        }
    }
}

/// Where a case stands in the indices.
struct Places {
    due: Option<Timestamp>,
    owing: Option<Timestamp>,
    decided: Option<Timestamp>,
    kept_on: Option<Timestamp>,
}

/// Since when nothing more comes of a case; `None`: something may, or somebody is waited for.
pub(super) fn decided(file: &CaseFile) -> Option<Timestamp> {
    let progress = &file.case.progress;
    match &progress.state {
        State::Closed(_) if !progress.owed.is_empty() || file.waits_for_operator() => None,
        // Whom it makes trusted is known from nowhere else.
        State::Closed(closing) => {
            Some(file.trust.map_or(closing.at, |trust| trust.until.max(closing.at)))
        }
        State::Pending | State::Scheduled { .. } => None,
    }
}

/// Whatever the clock says, now or when a case was opened.
const AT_ONCE: Timestamp = Timestamp::from_secs(0);
