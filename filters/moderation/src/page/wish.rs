//! What the reader of a page wants done, with the words and details that belong to it.

use std::net::IpAddr;

use mailweir_mail::{Address, Timestamp};

use super::{Choice, choice};
use crate::{
    case::{By, Case, Command, Moderator, Proof},
    token::Grant,
};

/// What somebody chose at a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What.
    pub choice: Choice,
    /// A comment or a reason; may be empty.
    pub words: Box<str>,
    /// For these recipients only; `None`: for all.
    pub only: Option<Vec<u32>>,
    /// To be sent then; `None`: at once.
    pub at: Option<Timestamp>,
    /// For how many days the sender is trusted.
    pub trust_days: u16,
    /// Who is to decide instead.
    pub to: Option<Address>,
}

impl Wish {
    /// A choice, and nothing besides.
    #[must_use]
    pub fn new(choice: Choice) -> Self {
        Self { choice, words: "".into(), only: None, at: None, trust_days: 0, to: None }
    }

    /// What is to be done; `None`: such a link is not good for it, or nobody is named to hand it on to.
    /// `to` is whoever stands for [`Wish::to`] now. Whether it may be done is for the case to say.
    #[must_use]
    pub fn command(
        &self,
        case: &Case,
        grant: &Grant,
        to: Option<Moderator>,
        proven: (Proof, Option<IpAddr>),
    ) -> Option<Command> {
        if !choice::fits(self.choice, case.plan.kind, grant.purpose) {
            return None;
        }
        let (proof, from) = proven;
        let by = By { from, ..choice::by(self.choice, &grant.person, proof) };
        let words = self.words.clone();
        Some(match self.choice {
            Choice::Approve => Command::Approve {
                by,
                comment: words,
                only: self.only.clone(),
                at: self.at,
                trust_days: self.trust_days,
            },
            Choice::Send => {
                Command::Approve { by, comment: words, only: None, at: None, trust_days: 0 }
            }
            Choice::Reject | Choice::Decline => Command::Reject { by, reason: words },
            Choice::Return => Command::Return { by, reason: words },
            Choice::Discard => Command::Discard { by, reason: words },
            Choice::Comment => Command::Comment { by, text: words },
            Choice::Forward => Command::Forward { by, to: to? },
            Choice::Cancel => Command::Cancel { by },
        })
    }
}
