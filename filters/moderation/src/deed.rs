//! What a person wants done about a mail that waits: one list for pages, programs, control socket and
//! command line, and one way from it to what the case understands.
//!
//! The names are those of the control socket, where programs of two versions may meet: they stay.

use mailweir_mail::{Address, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    case::{By, Command, Moderator},
    case_file::CaseFile,
};

/// Something that a person wants done about a mail that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// It is sent.
    Approve {
        /// For others to read; may be empty.
        comment: Box<str>,
        /// For these recipients only. `None`: for all.
        only: Option<Vec<Address>>,
        /// It is sent then. `None`: at once.
        at: Option<Timestamp>,
        /// For so many days further mail of the log-in passes the rule.
        trust_days: u16,
    },
    /// It is not sent, and the sender hears it.
    Reject {
        /// For the sender; may be empty.
        reason: Box<str>,
    },
    /// It is given back to be corrected.
    Return {
        /// What is to be corrected.
        reason: Box<str>,
    },
    /// It is thrown away; its sender hears nothing.
    Discard {
        /// For the record; may be empty.
        reason: Box<str>,
    },
    /// Something is said, and nothing decided.
    Comment {
        /// What others are to read.
        text: Box<str>,
    },
    /// Somebody else decides: instead of a moderator who hands it on, besides those whom an administrator
    /// leaves alone.
    Forward {
        /// Who.
        to: Address,
    },
    /// Its sender takes it back, or an administrator in their name.
    Cancel,
}

/// Why nothing can be made of a deed. Whether it may be done is for the case to say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The link is not good for it.
    #[error("this link is not good for it")]
    NotOffered,
    /// The mail is not to that one.
    #[error("the mail is not to <{0}>")]
    NoSuchRecipient(Box<str>),
    /// That one cannot decide today.
    #[error("{0} is away, and nobody stands in for them")]
    Away(Address),
}

impl Deed {
    /// The command for the case. `stand_in` says who decides today for somebody.
    ///
    /// # Errors
    /// It names somebody who has nothing to do with the mail, or who is away.
    pub fn into_command(
        self,
        by: By,
        file: &CaseFile,
        stand_in: &dyn Fn(&Address) -> Option<Moderator>,
    ) -> Result<Command, Unfit> {
        Ok(match self {
            Self::Approve { comment, only, at, trust_days } => {
                let only = only.map(|only| numbers_of(&only, file)).transpose()?;
                Command::Approve { by, comment, only, at, trust_days }
            }
            Self::Reject { reason } => Command::Reject { by, reason },
            Self::Return { reason } => Command::Return { by, reason },
            Self::Discard { reason } => Command::Discard { by, reason },
            Self::Comment { text } => Command::Comment { by, text },
            Self::Forward { to } => {
                let to = stand_in(&to).ok_or(Unfit::Away(to))?;
                Command::Forward { by, to }
            }
            Self::Cancel => Command::Cancel { by },
        })
    }
}

/// The numbers of all recipients that have one of these addresses.
fn numbers_of(only: &[Address], file: &CaseFile) -> Result<Vec<u32>, Unfit> {
    let mut numbers = Vec::new();
    for wanted in only {
        let before = numbers.len();
        let all = (0..).zip(&file.mail.recipients);
        numbers.extend(all.filter(|(_, one)| one.address == *wanted).map(|(number, _)| number));
        if numbers.len() == before {
            return Err(Unfit::NoSuchRecipient(wanted.as_str().into()));
        }
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        case::{Actor, Proof},
        case_file::tests::file,
    };

    fn by() -> By {
        By { who: Actor::Administrator("root".into()), proof: Proof::Api, from: None }
    }

    #[test]
    fn the_words_of_the_control_socket_stay_what_they_are() {
        let at = Timestamp::from_secs(7);
        let only = Some(vec!["a@b.example".parse().unwrap()]);
        let approve = |only, at| Deed::Approve { comment: "c".into(), only, at, trust_days: 3 };
        for (deed, words) in [
            (
                approve(None, None),
                r#"{"approve":{"comment":"c","only":null,"at":null,"trust_days":3}}"#,
            ),
            (
                approve(only, Some(at)),
                r#"{"approve":{"comment":"c","only":["a@b.example"],"at":7000000,"trust_days":3}}"#,
            ),
            (Deed::Reject { reason: "r".into() }, r#"{"reject":{"reason":"r"}}"#),
            (Deed::Return { reason: "r".into() }, r#"{"return":{"reason":"r"}}"#),
            (Deed::Discard { reason: "r".into() }, r#"{"discard":{"reason":"r"}}"#),
            (Deed::Comment { text: "t".into() }, r#"{"comment":{"text":"t"}}"#),
            (
                Deed::Forward { to: "a@b.example".parse().unwrap() },
                r#"{"forward":{"to":"a@b.example"}}"#,
            ),
            (Deed::Cancel, r#""cancel""#),
        ] {
            assert_eq!(serde_json::to_string(&deed).unwrap(), words);
            assert_eq!(serde_json::from_str::<Deed>(words).unwrap(), deed);
        }
    }

    #[test]
    fn recipients_are_those_of_the_mail_and_whoever_is_away_is_replaced() {
        let file = file();
        let to = file.mail.recipients[0].address.clone();
        let lee: Address = "lee@own.example".parse().unwrap();
        let nobody = |_: &Address| None;
        let approve =
            |only| Deed::Approve { comment: "".into(), only: Some(only), at: None, trust_days: 0 };
        let made = approve(vec![to.clone(), to]).into_command(by(), &file, &nobody);
        let Ok(Command::Approve { only: Some(only), .. }) = made else { panic!("{made:?}") };
        assert_eq!(only, [0, 0]);
        let made = approve(vec![lee.clone()]).into_command(by(), &file, &nobody);
        assert_eq!(made, Err(Unfit::NoSuchRecipient("lee@own.example".into())));

        let forward = || Deed::Forward { to: lee.clone() };
        let made = forward().into_command(by(), &file, &nobody);
        assert_eq!(made, Err(Unfit::Away(lee.clone())));
        let deputy = Moderator::new("park@own.example".parse().unwrap());
        let made = forward().into_command(by(), &file, &|_| Some(deputy.clone()));
        assert_eq!(made, Ok(Command::Forward { by: by(), to: deputy }));
    }
}
