//! What the reader of a page wants done, with the words and details that belong to it.

use std::net::IpAddr;

use mailweir_mail::{Address, Timestamp};

use super::{Choice, choice};
use crate::{
    case::{By, Command, Moderator, Proof},
    case_file::CaseFile,
    deed::{Deed, Unfit},
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

    /// The command for the case. `stand_in` says who decides today for somebody.
    ///
    /// # Errors
    /// Such a link is not good for it, or it names somebody who has nothing to do with the mail, or who
    /// is away.
    pub fn command(
        &self,
        file: &CaseFile,
        grant: &Grant,
        (proof, from): (Proof, Option<IpAddr>),
        stand_in: &dyn Fn(&Address) -> Option<Moderator>,
    ) -> Result<Command, Unfit> {
        if !choice::fits(self.choice, file.case.plan.kind, grant.purpose) {
            return Err(Unfit::NotOffered);
        }
        let by = By { from, ..choice::by(self.choice, &grant.person, proof) };
        self.deed(file)?.into_command(by, file, stand_in)
    }

    fn deed(&self, file: &CaseFile) -> Result<Deed, Unfit> {
        let words = self.words.clone();
        Ok(match self.choice {
            Choice::Approve => Deed::Approve {
                comment: words,
                only: self.only.as_deref().map(|only| addresses(only, file)).transpose()?,
                at: self.at,
                trust_days: self.trust_days,
            },
            Choice::Send => Deed::Approve { comment: words, only: None, at: None, trust_days: 0 },
            Choice::Reject | Choice::Decline => Deed::Reject { reason: words },
            Choice::Return => Deed::Return { reason: words },
            Choice::Discard => Deed::Discard { reason: words },
            Choice::Comment => Deed::Comment { text: words },
            Choice::Forward => Deed::Forward { to: self.to.clone().ok_or(Unfit::NotOffered)? },
            Choice::Cancel => Deed::Cancel,
        })
    }
}

/// The recipients of these numbers.
fn addresses(numbers: &[u32], file: &CaseFile) -> Result<Vec<Address>, Unfit> {
    let address = |number: &u32| {
        let place = usize::try_from(*number).ok();
        let recipient = place.and_then(|place| file.mail.recipients.get(place));
        let recipient = recipient.map(|one| one.address.clone());
        recipient.ok_or_else(|| Unfit::NoSuchRecipient(number.to_string().into()))
    };
    numbers.iter().map(address).collect()
}
