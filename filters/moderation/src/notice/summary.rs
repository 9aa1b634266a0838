//! What a notice or a page shows of a mail. All of it is what its sender chose to write: it is kept as it
//! is, and cleaned, bounded and escaped wherever it is shown.

use mailweir_mail::{Address, Client, ReversePath, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Sketch, rule::Reason};

/// A mail, as far as people must know it to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The envelope sender.
    pub sender: ReversePath,
    /// The From field as a person reads it; may be empty.
    pub from: Box<str>,
    /// The login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Box<str>>,
    /// Whence it came; `None`: from this host itself.
    pub client: Option<Client>,
    /// The recipients, in the order by which the case numbers them.
    pub recipients: Vec<Recipient>,
    /// How many others the mail went to at once, since the rule does not mean them.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub sent_to: u32,
    /// The Subject field as a person reads it; may be empty.
    pub subject: Box<str>,
    /// Its size in bytes.
    pub size: u64,
    /// When it arrived.
    pub arrival: Timestamp,
    /// Its attachments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// How many more there are.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub more_attachments: u32,
    /// Why the rule holds it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// The first lines of its text, somewhat more than a notice shows.
    pub text: Box<str>,
}

/// A recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Who.
    pub address: Address,
    /// Not of our domains.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_outside: bool,
    /// Named in the envelope alone, as by Bcc.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_hidden: bool,
}

/// An attachment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its name; may be empty.
    pub name: Box<str>,
    /// What its content is, as a media type, if that is known.
    pub kind: Option<Box<str>>,
    /// Its size in bytes, decoded, if that is known.
    pub size: Option<u64>,
}

/// Lines up to the one that goes beyond [`MOST_TEXT`].
fn beginning(lines: &[Box<str>]) -> String {
    let mut text = String::with_capacity(MOST_TEXT);
    let mut left = MOST_TEXT;
    for line in lines {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(line);
        let Some(rest) = left.checked_sub(line.chars().count()) else { break };
        left = rest;
    }
    text
}

/// Characters of the first lines of a mail that a notice shows.
pub(super) const MOST_TEXT: usize = 800;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
const fn is_nothing(count: &u32) -> bool {
    *count == 0
}

impl Summary {
    /// Takes what was kept of the content: subject, first lines, and names of attachments.
    #[must_use]
    pub fn with(mut self, sketch: &Sketch) -> Self {
        let named = |name: &str| Attachment { name: name.into(), kind: None, size: None };
        self.subject = sketch.subject.clone();
        self.text = beginning(&sketch.text).into();
        self.attachments = sketch.attachments.iter().map(|name| named(name)).collect();
        self.more_attachments = sketch.more_attachments;
        self
    }

    /// How many recipients are not ours.
    #[must_use]
    pub fn outside(&self) -> usize {
        self.recipients.iter().filter(|one| one.is_outside).count()
    }

    /// Who sent it, in one word: the envelope sender, or whoever the From field names.
    pub(super) fn sender_name(&self) -> &str {
        self.sender.address().map_or(&self.from, Address::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_long_lines_no_more_is_kept_than_is_shown() {
        let lines = |length, count| vec!["각".repeat(length).into_boxed_str(); count];
        assert_eq!(beginning(&[]), "");
        assert_eq!(beginning(&lines(2, 3)), "각각\n각각\n각각");
        let kept = beginning(&lines(200, 12));
        assert_eq!(kept.lines().count(), 5, "so that it is seen to go on");
        assert_eq!(beginning(&lines(66, 12)).lines().count(), 12);
    }
}
