//! What a rule does with the mail that it means, as the administrator wrote it, and the plan that is
//! frozen from it when such a mail comes ([`Hold::plan`]).

mod freeze;
mod need;
mod people;

pub use freeze::{HeldMail, notice};
pub use need::{Need, need};
pub use people::{Absence, BadAbsence, Calendar, Circle, People, Person, Today};

use std::time::Duration;

use mailweir_mail::Address;

use crate::{
    case::{AtExpiry, Kind, OwnMail, TellsSender},
    person::is_among,
};

/// What a rule does with the mail that it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The mail goes, and needs nobody. The rules behind that match are recorded and do nothing.
    Accept,
    /// The mail goes, and these people hear of it.
    Notice(Vec<Address>),
    /// The mail waits.
    Hold(Hold),
}

/// How a mail waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// For what.
    pub wait: Wait,
    /// What its sender hears of it.
    pub tells_sender: TellsSender,
}

/// What a mail waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// For people to approve it.
    Approval(Approval),
    /// For time to pass, in which its sender may take it back or send it at once.
    Delay(Duration),
    /// For its sender to confirm it.
    Confirmation(Patience),
}

/// Whose approval a mail needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// One level after the other; at least one.
    pub levels: Vec<ApprovalLevel>,
    /// Whether a sender may decide about their own mail.
    pub own_mail: OwnMail,
    /// Who else is asked if nobody decides.
    pub escalation: Option<EscalateTo>,
    /// How long it waits.
    pub patience: Patience,
}

/// Some people, of whom enough must approve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalLevel {
    /// They, nobody twice.
    pub moderators: Vec<Address>,
    /// How many of them; from 1 to their number.
    pub needed: u8,
}

/// Who else is asked, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscalateTo {
    /// So long after the mail came.
    pub after: Duration,
    /// They.
    pub people: Vec<Address>,
}

/// How long a mail waits for people, and what happens meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How much time passes between reminders. `None`: nobody is reminded.
    pub remind_every: Option<Duration>,
    /// The end. `None`: it waits for ever.
    pub end: Option<End>,
}

/// The end of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// So long after the mail came.
    pub after: Duration,
    /// So long before the end everybody is told that it is near. `None`: nobody is.
    pub warn_before: Option<Duration>,
    /// What happens then.
    pub action: AtExpiry,
}

impl Action {
    /// Whether somebody decides by it, at any level or if nobody else does.
    #[must_use]
    pub fn names(&self, address: &Address) -> bool {
        let Self::Hold(Hold { wait: Wait::Approval(approval), .. }) = self else { return false };
        let escalated = approval.escalation.iter().flat_map(|escalation| &escalation.people);
        let levels = approval.levels.iter().flat_map(|level| &level.moderators);
        is_among(address, levels.chain(escalated))
    }
}

impl Wait {
    /// What kind of waiting it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Approval(_) => Kind::Approval,
            Self::Delay(_) => Kind::Delay,
            Self::Confirmation(_) => Kind::Confirmation,
        }
    }
}

#[cfg(test)]
mod tests;
