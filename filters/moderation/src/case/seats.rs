//! Who may decide about a case.

use mailweir_mail::Address;

use super::{Case, Moderator, OwnMail, Refused};
use crate::person::{is_among, is_same};

impl Case {
    /// Whether it waits for somebody's word: they decide at this level, may, and have not yet.
    #[must_use]
    pub fn waits_for(&self, address: &Address) -> bool {
        let seat = self.deciders().iter().find(|one| one.is(address));
        seat.is_some_and(|seat| self.may_decide(seat).is_ok() && self.not_voted(seat).is_ok())
    }

    /// Whether somebody decides about it, at whatever level.
    #[must_use]
    pub fn is_for(&self, address: &Address) -> bool {
        let mut all = self.progress.levels.iter().flat_map(|level| &level.moderators);
        all.any(|one| one.is(address))
    }

    /// Whether it is somebody's own mail, under any name.
    #[must_use]
    pub fn is_from(&self, address: &Address) -> bool {
        is_among(address, &self.plan.senders)
    }

    /// Nobody decides about their own mail, and nobody in the name of its sender.
    pub(super) fn may_decide(&self, one: &Moderator) -> Result<(), Refused> {
        let is_own = self.is_from(&one.address) || self.is_from(one.principal());
        if is_own && self.plan.own_mail == OwnMail::Never {
            return Err(Refused::OwnMail);
        }
        Ok(())
    }

    pub(super) fn not_voted(&self, seat: &Moderator) -> Result<(), Refused> {
        let mut votes = self.progress.votes.iter();
        match votes.find(|vote| is_same(&vote.principal, seat.principal())) {
            Some(vote) => Err(Refused::VotedAlready { at: vote.at }),
            None => Ok(()),
        }
    }
}
