//! One slot per recipient, from the start of a transaction to its end.
//!
//! A slot is settled once, with one exception: where nobody knows any more which command a reply
//! answered, what the peer said of a recipient counts no more.

use mailweir_mail::{Enhanced, Reply};

use super::Terms;
use crate::client::{
    fit,
    outcome::{Attempt, Cause, Reports},
    outgoing::Outgoing,
};

/// A mail and what is known about its recipients.
#[derive(Debug)]
pub(in crate::client) struct Ledger {
    mail: Outgoing,
    slots: Vec<Slot>,
}

#[derive(Debug)]
enum Slot {
    /// RCPT was not answered.
    Open,
    /// RCPT was accepted.
    Accepted,
    Settled(Attempt),
}

impl Ledger {
    /// Settles at once who cannot get the mail over this connection.
    pub(in crate::client) fn new(mail: Outgoing, terms: &Terms) -> Self {
        let offered = &terms.capabilities;
        let misfit = fit::mail_misfit(&mail, offered, &terms.peer);
        let slots = mail.recipients().map(|recipient| {
            let own = || fit::recipient_misfit(recipient, offered, &terms.peer);
            misfit.clone().or_else(own).map_or(Slot::Open, |reply| {
                Slot::Settled(Attempt::Failed { reply, cause: Cause::Local })
            })
        });
        let slots = slots.collect();
        let mut ledger = Self { mail, slots };
        ledger.postpone_beyond(offered.rcptmax);
        ledger
    }

    pub(super) const fn mail(&self) -> &Outgoing {
        &self.mail
    }

    /// The places that RCPT has to be asked for.
    pub(super) fn open(&self) -> Vec<usize> {
        self.places(|slot| matches!(slot, Slot::Open))
    }

    /// The places that the content is for.
    pub(super) fn accepted(&self) -> Vec<usize> {
        self.places(|slot| matches!(slot, Slot::Accepted))
    }

    pub(super) fn has_accepted(&self) -> bool {
        self.slots.iter().any(|slot| matches!(slot, Slot::Accepted))
    }

    /// Whether everybody was accepted.
    pub(super) fn is_for_all(&self) -> bool {
        self.slots.iter().all(|slot| matches!(slot, Slot::Accepted))
    }

    pub(in crate::client) fn is_settled(&self) -> bool {
        self.slots.iter().all(|slot| matches!(slot, Slot::Settled(_)))
    }

    pub(super) fn accept(&mut self, place: usize) {
        self.replace(place, Slot::Accepted);
    }

    pub(super) fn settle(&mut self, place: usize, attempt: Attempt) {
        self.replace(place, Slot::Settled(attempt));
    }

    /// Settles all that are not.
    pub(super) fn settle_rest(&mut self, attempt: &Attempt) {
        for slot in &mut self.slots {
            if !matches!(slot, Slot::Settled(_)) {
                *slot = Slot::Settled(attempt.clone());
            }
        }
    }

    /// Settles all anew but those that fail or wait for reasons of our own, or for the next
    /// transaction.
    pub(super) fn unsettle(&mut self, attempt: &Attempt) {
        for slot in &mut self.slots {
            if !slot.is_firm() {
                *slot = Slot::Settled(attempt.clone());
            }
        }
    }

    /// One outcome per recipient, in the order of [`Outgoing::indices`].
    pub(in crate::client) fn finish(self) -> Vec<Attempt> {
        self.slots.into_iter().map(Slot::into_attempt).collect()
    }

    fn postpone_beyond(&mut self, rcptmax: Option<usize>) {
        let Some(most) = rcptmax else { return };
        for place in self.open().into_iter().skip(most.max(1)) {
            self.settle(place, Attempt::Postponed { reply: BEYOND_RCPTMAX });
        }
    }

    fn places(&self, wanted: impl Fn(&Slot) -> bool) -> Vec<usize> {
        self.slots.iter().enumerate().filter(|(_, slot)| wanted(slot)).map(|(at, _)| at).collect()
    }

    fn replace(&mut self, place: usize, slot: Slot) {
        if let Some(old) = self.slots.get_mut(place) {
            *old = slot;
        }
    }
}

impl Slot {
    /// Whether it stays so whatever the peer meant: a misfit, or somebody who is sent a further
    /// transaction in any case.
    const fn is_firm(&self) -> bool {
        match self {
            Self::Settled(Attempt::Failed { cause, .. }) => matches!(cause, Cause::Local),
            Self::Settled(Attempt::Postponed { .. }) => true,
            Self::Settled(_) | Self::Open | Self::Accepted => false,
        }
    }

    fn into_attempt(self) -> Attempt {
        match self {
            Self::Settled(attempt) => attempt,
            Self::Open | Self::Accepted => {
                Attempt::Deferred { reply: UNANSWERED, cause: Cause::Local }
            }
        }
    }
}

/// Who owes the reports of a mail that the peer took.
pub(super) const fn reports(terms: &Terms) -> Reports {
    if terms.capabilities.dsn { Reports::PassedOn } else { Reports::Ours }
}

const BEYOND_RCPTMAX: Reply =
    Reply::new(452, Enhanced(4, 5, 3), "the server takes no more recipients per transaction");
const UNANSWERED: Reply = Reply::new(451, Enhanced(4, 5, 0), "the server did not answer");
