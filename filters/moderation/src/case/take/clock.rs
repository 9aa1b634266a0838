//! What happens as time passes.

use mailweir_mail::Timestamp;

use super::{Act, Fate};
use crate::case::{
    AtExpiry, By, Case, Decision, Moderator, State, Step, To, Word,
    timetable::{self, Due},
};

impl Act {
    pub(super) fn clock(&mut self) -> Fate {
        self.come_back();
        while let Some((at, due)) = timetable::next(&self.case) {
            if at > self.now {
                break;
            }
            match due {
                Due::Release => {
                    let State::Scheduled { by, .. } = self.case.progress.state.clone() else {
                        break;
                    };
                    return self.close(&by, Decision::Released, "");
                }
                Due::Expiry(action) => return self.expire(action),
                Due::Warning => self.warn(),
                Due::Escalation => self.escalate(),
                Due::Reminder => self.remind(),
            }
        }
        Fate::Stays
    }

    /// What happened at a time that is not there yet happened now: nobody waits until the clock is where it
    /// was when that was written.
    fn come_back(&mut self) {
        if !timetable::is_ahead(&self.case, self.now) {
            return;
        }
        let (now, Case { plan, progress }) = (self.now, &mut self.case);
        if progress.opened > now {
            // The plan counts from the arrival of the mail.
            let opened = std::mem::replace(&mut progress.opened, now);
            let moved = |at: Timestamp| now.plus(at.since(opened));
            if let Some(expiry) = &mut plan.expiry {
                expiry.at = moved(expiry.at);
                expiry.warning = expiry.warning.map(moved);
            }
            if let Some(escalation) = &mut plan.escalation {
                escalation.at = moved(escalation.at);
            }
        }
        progress.asked = progress.asked.min(now);
        progress.warned = progress.warned.map(|warned| warned.min(now));
    }

    /// Nobody decided. What is sent then goes to those, and not before the time, that who approved it said.
    fn expire(&mut self, action: AtExpiry) -> Fate {
        match (action, self.case.progress.not_before) {
            (AtExpiry::Release, Some(at)) if at > self.now => {
                self.drop_questions();
                self.note(&By::clock(), Step::Scheduled(at), "");
                self.case.progress.state = State::Scheduled { at, by: By::clock() };
                Fate::Stays
            }
            _ => self.close(&By::clock(), Decision::Expired(action), ""),
        }
    }

    fn warn(&mut self) {
        self.case.progress.warned = Some(self.now);
        self.note(&By::clock(), Step::Warned, "");
        self.owe_deciders(Word::ExpiryWarning);
        if self.case.plan.tells_sender.of_waiting() {
            self.owe(To::Sender, Word::ExpiryWarning);
        }
    }

    fn escalate(&mut self) {
        let Case { plan, progress } = &mut self.case;
        progress.escalated = true;
        let Some(escalation) = &plan.escalation else { return };
        let Some(level) = progress.levels.get_mut(usize::from(progress.at_level)) else { return };
        let known = |to: &Moderator| level.moderators.iter().any(|one| one.is(&to.address));
        let others: Vec<Moderator> =
            escalation.to.iter().filter(|to| !known(to)).cloned().collect();
        level.moderators.extend(others.iter().cloned());
        self.note(&By::clock(), Step::Escalated, "");
        for one in others {
            if self.case.may_decide(&one).is_ok() {
                self.owe(To::Moderator(one.address), Word::Escalation);
            }
        }
    }

    fn remind(&mut self) {
        self.case.progress.asked = self.now;
        self.note(&By::clock(), Step::Reminded, "");
        self.fold_reminders();
        self.owe_deciders(Word::Reminder);
    }

    /// A mail may wait for years: of its reminders the first and the last stand in the history, and
    /// between them how many others there were.
    fn fold_reminders(&mut self) {
        let history = &mut self.case.progress.history;
        let reminders = (0..).zip(history.iter()).filter(|(_, one)| one.step == Step::Reminded);
        let places: Vec<usize> = reminders.map(|(place, _)| place).collect();
        if places.len() <= FIRST_REMINDERS + LAST_REMINDERS {
            return;
        }
        let folded = (0..).zip(history.iter()).find_map(|(place, one)| match one.step {
            Step::RemindedTimes(times) => Some((place, times)),
            _ => None,
        });
        let times = folded.map_or(0, |(_, times)| times);
        let next = places.get(FIRST_REMINDERS).and_then(|place| history.get_mut(*place));
        next.into_iter().for_each(|one| one.step = Step::RemindedTimes(times.saturating_add(1)));
        // It stands in front of the one that was changed, and so nothing else has moved.
        folded.into_iter().for_each(|(place, _)| drop(history.remove(place)));
    }
}

/// Reminders that stand in the history before the others are counted.
const FIRST_REMINDERS: usize = 2;

/// And behind.
const LAST_REMINDERS: usize = 3;
