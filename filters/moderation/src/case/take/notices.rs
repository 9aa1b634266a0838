//! Who is owed which notice.

use mailweir_mail::Address;

use super::Act;
use crate::{
    case::{Actor, AtExpiry, By, Decision, Kind, Moderator, Owed, To, Word},
    person,
};

impl Act {
    /// Asks those of the level that is due now. If too few of them may decide, somebody must hear
    /// of it: the mail would wait for ever.
    pub(super) fn ask_level(&mut self) {
        self.case.progress.asked = self.now;
        self.owe_deciders(Word::Request);
        let level = self.case.progress.level();
        let mut able: Vec<Box<str>> = level
            .into_iter()
            .flat_map(|level| &level.moderators)
            .filter(|one| self.case.may_decide(one).is_ok())
            .map(|one| person::key(one.principal()))
            .collect();
        able.sort_unstable();
        able.dedup();
        // A mail that goes by itself needs nobody.
        let waits = self.case.plan.kind != Kind::Delay;
        if waits && level.is_none_or(|level| able.len() < usize::from(level.needed)) {
            self.owe(To::Administrators, Word::NoModerator);
        }
    }

    /// Tells those who may still decide at this level.
    pub(super) fn owe_deciders(&mut self, word: Word) {
        if self.case.plan.kind == Kind::Delay {
            return;
        }
        let deciders: Vec<Moderator> =
            self.case.progress.level().map_or_else(Vec::new, |level| level.moderators.clone());
        for one in deciders {
            let to = To::Moderator(one.address.clone());
            // What could not be sent yet is not owed twice, however long that takes.
            let is_owed = self.is_owed(&to, word);
            if !is_owed && self.case.may_decide(&one).is_ok() && self.case.not_voted(&one).is_ok() {
                self.owe(to, word);
            }
        }
    }

    /// Whoever was asked hears that it is over, but for the one who ended it.
    pub(super) fn tell_of_end(&mut self, by: &By, decision: Decision) {
        let is_silent =
            matches!(decision, Decision::Discarded | Decision::Expired(AtExpiry::Discard));
        if self.case.plan.tells_sender.of_outcome()
            && !is_silent
            && !matches!(by.who, Actor::Sender(_))
        {
            self.owe(To::Sender, Word::Decided);
        }
        if self.case.plan.kind != Kind::Approval {
            return;
        }
        let asked = usize::from(self.case.progress.at_level) + 1;
        let levels = self.case.progress.levels.iter().take(asked);
        let mut told: Vec<Address> = Vec::new();
        for one in levels.flat_map(|level| &level.moderators) {
            let ended = matches!(&by.who, Actor::Moderator(address) if one.is(address));
            if !ended && self.case.may_decide(one).is_ok() && !person::is_among(&one.address, &told)
            {
                told.push(one.address.clone());
            }
        }
        told.into_iter().for_each(|address| self.owe(To::Moderator(address), Word::Decided));
    }

    /// Questions that were not asked yet need not be: nothing is left to decide.
    pub(super) fn drop_questions(&mut self) {
        self.case.progress.owed.retain(|owed| match owed.word {
            Word::Request
            | Word::Reminder
            | Word::Escalation
            | Word::Forwarded
            | Word::ExpiryWarning
            | Word::NoModerator => false,
            Word::Held | Word::Decided => true,
        });
    }

    fn is_owed(&self, to: &To, word: Word) -> bool {
        self.case.progress.owed.iter().any(|owed| owed.word == word && owed.to == *to)
    }

    pub(super) fn owe(&mut self, to: To, word: Word) {
        let number = self.case.progress.next_owed;
        self.case.progress.next_owed = number.wrapping_add(1);
        self.case.progress.owed.push(Owed { number, to, word });
    }
}
