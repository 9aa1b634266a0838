//! What can be done at a page.

use mailweir_mail::{Address, Timestamp};

use crate::{
    case::{Actor, By, Case, Command, Kind, Proof, Refused},
    notice::words::Verb,
    token::Purpose,
};

/// Something that the reader of a page can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Choice {
    /// A moderator approves.
    Approve,
    /// The sender lets it go: a confirmation, or a delay that need not be waited for.
    Send,
    /// A moderator refuses.
    Reject,
    /// The sender does not confirm.
    Decline,
    /// The sender takes it back.
    Cancel,
    /// A moderator gives it back to be corrected.
    Return,
    /// A moderator hands the decision on.
    Forward,
    /// A moderator says something.
    Comment,
    /// A moderator throws it away.
    Discard,
}

impl Choice {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 9] = [
        Self::Approve,
        Self::Send,
        Self::Reject,
        Self::Decline,
        Self::Cancel,
        Self::Return,
        Self::Forward,
        Self::Comment,
        Self::Discard,
    ];

    /// Its name in forms.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Send => "send",
            Self::Reject => "reject",
            Self::Decline => "decline",
            Self::Cancel => "cancel",
            Self::Return => "return",
            Self::Forward => "forward",
            Self::Comment => "comment",
            Self::Discard => "discard",
        }
    }

    /// The choice of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.name() == name)
    }

    /// What its button says.
    #[must_use]
    pub const fn verb(self) -> Verb {
        match self {
            Self::Approve => Verb::Approve,
            Self::Send => Verb::Confirm,
            Self::Reject => Verb::Reject,
            Self::Decline => Verb::Decline,
            Self::Cancel => Verb::Cancel,
            Self::Return => Verb::Return,
            Self::Forward => Verb::Forward,
            Self::Comment => Verb::Comment,
            Self::Discard => Verb::Discard,
        }
    }

    /// Whether the links of notices that say `deed` mean it: `?approve` is for whoever decides.
    #[must_use]
    pub fn is_meant_by(self, deed: &str) -> bool {
        match self {
            Self::Approve | Self::Send => deed == "approve",
            Self::Reject | Self::Decline => deed == "reject",
            Self::Cancel => deed == "cancel",
            Self::Return | Self::Forward | Self::Comment | Self::Discard => false,
        }
    }
}

/// What `person` can do now with a link of this purpose, in the order in which it is shown.
#[must_use]
pub fn choices(case: &Case, person: &Address, purpose: Purpose, now: Timestamp) -> Vec<Choice> {
    let is_possible = |choice: &Choice| {
        fits(*choice, case.plan.kind, purpose) && case.take(&trial(*choice, person), now).is_ok()
    };
    Choice::ALL.into_iter().filter(is_possible).collect()
}

/// Why `person` cannot approve now, if so.
pub(crate) fn approval_refused(case: &Case, person: &Address, now: Timestamp) -> Option<Refused> {
    case.take(&trial(Choice::Approve, person), now).err()
}

/// Which choices belong to which kind of waiting, whoever asks.
pub(super) const fn fits(choice: Choice, kind: Kind, purpose: Purpose) -> bool {
    match (purpose, kind, choice) {
        (
            Purpose::Decide,
            Kind::Approval,
            Choice::Approve
            | Choice::Reject
            | Choice::Return
            | Choice::Forward
            | Choice::Comment
            | Choice::Discard,
        )
        | (Purpose::Decide, Kind::Confirmation, Choice::Send | Choice::Decline)
        | (Purpose::Own, _, Choice::Cancel)
        | (Purpose::Own, Kind::Delay, Choice::Send) => true,
        (Purpose::Decide | Purpose::Own, ..) => false,
    }
}

/// The simplest command of a choice, to ask the engine about it. To hand on may who may approve.
fn trial(choice: Choice, person: &Address) -> Command {
    let by = by(choice, person, Proof::Link);
    match choice {
        Choice::Approve | Choice::Send | Choice::Forward => {
            Command::Approve { by, comment: "".into(), only: None, at: None, trust_days: 0 }
        }
        Choice::Reject | Choice::Decline => Command::Reject { by, reason: "".into() },
        Choice::Return => Command::Return { by, reason: "?".into() },
        Choice::Discard => Command::Discard { by, reason: "".into() },
        Choice::Comment => Command::Comment { by, text: "?".into() },
        Choice::Cancel => Command::Cancel { by },
    }
}

/// Who makes a choice. A sender confirms from the seat of the one who decides, and takes back as the
/// sender.
pub(super) fn by(choice: Choice, person: &Address, proof: Proof) -> By {
    let person = person.clone();
    let who = match choice {
        Choice::Cancel => Actor::Sender(person),
        Choice::Approve
        | Choice::Send
        | Choice::Reject
        | Choice::Decline
        | Choice::Return
        | Choice::Forward
        | Choice::Comment
        | Choice::Discard => Actor::Moderator(person),
    };
    By { who, proof, from: None }
}
