//! The name under which results are ours (authserv-id, RFC 8601 section 2.5).

use std::fmt;

use mailweir_mail::Domain;

/// An id as we write it: a name in ASCII, lower case.
///
/// Two ids are equal if they are the same name (section 5: U-labels and A-labels are compared as one, and case does
/// not matter).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthservId(Box<str>);

/// The text is no id that can be written without quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of authentication results must be a domain name of at most 253 characters")]
pub struct NotAnId;

impl AuthservId {
    /// Reads an id, most likely the name of the host.
    ///
    /// # Errors
    /// The text is no domain name.
    pub fn parse(text: &str) -> Result<Self, NotAnId> {
        let domain = Domain::parse(text).map_err(|_| NotAnId)?;
        let name = domain.as_ascii();
        match domain.literal() {
            None if name.len() <= LONGEST_ID => Ok(Self(name.into())),
            None | Some(_) => Err(NotAnId),
        }
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether somebody else's text is this id.
    pub(super) fn is_meant_by(&self, text: &str) -> bool {
        text.eq_ignore_ascii_case(&self.0) || Self::parse(text).is_ok_and(|id| id == *self)
    }
}

impl fmt::Display for AuthservId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// RFC 1035 section 2.3.4.
const LONGEST_ID: usize = 253;
