//! Which fields of a mail are signed.

use super::{super::header::FieldsByName, SignError};

/// The fields that a signature covers.
///
/// A field that is *oversigned* is named once more than the mail has it, so that nobody can add one
/// (RFC 6376 section 8.15). From always is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Names in lower case.
    names: Vec<(Box<str>, Extent)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// Those that are there.
    Present,
    /// And that there are no more.
    Oversigned,
}

/// A name that cannot be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadField {
    /// No field can have it.
    #[error("{0:?} is no name of a field")]
    NoName(Box<str>),
    /// Mail servers write such fields on the way (RFC 6376 section 5.4.1).
    #[error("{0} is not signed: servers add or remove it on the way")]
    NeverSigned(Box<str>),
}

impl Default for Coverage {
    /// Oversigned is what a reader is shown and what says how to read the mail; signed where they are there
    /// are the fields that lists and those who send again may add.
    fn default() -> Self {
        let oversigned = OVERSIGNED.iter().map(|name| ((*name).into(), Extent::Oversigned));
        let present = PRESENT.iter().map(|name| ((*name).into(), Extent::Present));
        Self { names: oversigned.chain(present).collect() }
    }
}

impl Coverage {
    /// These fields, and From. A name that stands in both lists is oversigned.
    ///
    /// # Errors
    /// Names that are none, and fields that change on the way.
    pub fn new(signed: &[&str], oversigned: &[&str]) -> Result<Self, BadField> {
        let mut coverage = Self { names: vec![("from".into(), Extent::Oversigned)] };
        for name in oversigned {
            coverage.add(name, Extent::Oversigned)?;
        }
        for name in signed {
            coverage.add(name, Extent::Present)?;
        }
        Ok(coverage)
    }

    fn add(&mut self, name: &str, extent: Extent) -> Result<(), BadField> {
        let name: Box<str> = name.trim_ascii().to_ascii_lowercase().into();
        // A semicolon would end the tag.
        let is_sound = |byte: u8| byte.is_ascii_graphic() && !b":;".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_sound) {
            return Err(BadField::NoName(name));
        }
        if NEVER.contains(&&*name) || name.starts_with("arc-") {
            return Err(BadField::NeverSigned(name));
        }
        if !self.names.iter().any(|(known, _)| *known == name) {
            self.names.push((name, extent));
        }
        Ok(())
    }

    /// The names for `h=`, each as often as it is signed.
    pub(super) fn names(&self, fields: &FieldsByName<'_>) -> Result<Vec<Box<str>>, SignError> {
        if fields.named("from").is_empty() {
            return Err(SignError::NoFrom);
        }
        let mut names = Vec::new();
        for (name, extent) in &self.names {
            let times = fields.named(name).len() + usize::from(*extent == Extent::Oversigned);
            if names.len() + times > MOST_NAMES {
                return Err(SignError::TooManyFields);
            }
            names.extend(std::iter::repeat_n(name.clone(), times));
        }
        Ok(names)
    }
}

const OVERSIGNED: [&str; 11] = [
    "from",
    "reply-to",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
];

const PRESENT: [&str; 17] = [
    "references",
    "sender",
    "list-id",
    "list-help",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "list-subscribe",
    "list-post",
    "list-owner",
    "list-archive",
    "resent-date",
    "resent-from",
    "resent-sender",
    "resent-to",
    "resent-cc",
    "resent-message-id",
    "auto-submitted",
];

/// Servers add, change or remove them.
const NEVER: [&str; 8] = [
    "received",
    "return-path",
    "delivered-to",
    "authentication-results",
    "received-spf",
    "dkim-signature",
    "bcc",
    "resent-bcc",
];

/// Our own verifier, among others, takes no more than 200.
const MOST_NAMES: usize = 150;
