//! The name of a user in its one canonical form.
//!
//! Clients, the users file and the command line all go through [`UserName`], so that `Ann`,
//! `ann` and a name typed with full-width letters are one account everywhere: in the store, in
//! the throttle and in the log.

use std::{fmt, str::FromStr};

use stringprep::saslprep;

/// A valid user name: SASLprep applied (RFC 4013), in lower case, 1 to 255 bytes.
///
/// It contains no white space, no control character and no `:`, does not begin with `#`, and so
/// fits in a line of the users file and in one word of a log line.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserName(Box<str>);

impl UserName {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 255;

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserName {
    type Err = UserNameError;

    /// Prepares and checks a name as it was typed or received.
    ///
    /// # Errors
    /// [`UserNameError`] says what is wrong. It never depends on whether such a user exists.
    fn from_str(text: &str) -> Result<Self, UserNameError> {
        if text.len() > Self::MAX_BYTES {
            return Err(UserNameError::TooLong);
        }
        let prepared = saslprep(text).map_err(|_| UserNameError::Forbidden)?.to_lowercase();
        // Lower case can undo the normal form; a second pass makes the form stable.
        let name = saslprep(&prepared).map_err(|_| UserNameError::Forbidden)?;
        match name.as_ref() {
            "" => Err(UserNameError::Empty),
            name if name.len() > Self::MAX_BYTES => Err(UserNameError::TooLong),
            name if name.starts_with('#') || name.contains(is_forbidden) => {
                Err(UserNameError::Forbidden)
            }
            name => Ok(Self(name.into())),
        }
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UserNameError {
    /// Nothing is left of it.
    #[error("the user name is empty")]
    Empty,
    /// Over [`UserName::MAX_BYTES`].
    #[error("the user name is longer than 255 bytes")]
    TooLong,
    /// It has a character that no user name may have.
    #[error(
        "the user name has white space, a control character, `:`, a leading `#`, or a character \
         that SASLprep forbids"
    )]
    Forbidden,
}

fn is_forbidden(c: char) -> bool {
    c == ':' || c.is_whitespace() || c.is_control()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_person_has_one_name() {
        let ann: UserName = "ann@example.org".parse().unwrap();
        for spelling in ["Ann@Example.ORG", "\u{ff21}nn@example.org", "an\u{ad}n@example.org"] {
            assert_eq!(spelling.parse(), Ok(ann.clone()), "{spelling}");
        }
    }

    #[test]
    fn names_that_could_break_a_file_or_a_log_line_are_refused() {
        let long = "a".repeat(256);
        for (bad, error) in [
            ("", UserNameError::Empty),
            ("\u{ad}", UserNameError::Empty),
            (long.as_str(), UserNameError::TooLong),
            ("a:b", UserNameError::Forbidden),
            ("a b", UserNameError::Forbidden),
            ("a\u{a0}b", UserNameError::Forbidden),
            ("a\nb", UserNameError::Forbidden),
            ("a\0b", UserNameError::Forbidden),
            ("#ann", UserNameError::Forbidden),
            ("a\u{202e}b", UserNameError::Forbidden),
        ] {
            assert_eq!(bad.parse::<UserName>(), Err(error), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn the_canonical_form_is_stable(text in ".{0,40}") {
            if let Ok(name) = text.parse::<UserName>() {
                prop_assert_eq!(name.as_str().parse::<UserName>(), Ok(name.clone()));
                prop_assert!(name.as_str().len() <= UserName::MAX_BYTES);
            }
        }
    }
}
