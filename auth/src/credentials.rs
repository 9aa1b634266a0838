//! What a finished exchange claims, not yet checked: a name and the proof of it.
//!
//! A [`Password`] and a [`Token`] are wiped from memory when dropped and never show themselves in
//! `Debug` output (`attacks.md` C7).

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use stringprep::saslprep;
use zeroize::Zeroizing;

use crate::{Mechanism, UserName};

/// What a client claims: who it is, and the proof. Not checked yet.
#[derive(Clone, Debug)]
pub struct Credentials {
    user: UserName,
    proof: Proof,
    mechanism: Mechanism,
}

/// What shall prove a claim. `Debug` shows no secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Proof {
    /// A password in clear.
    Password(Password),
    /// A bearer token (RFC 6750).
    Token(Token),
    /// The client's certificate, which names the user: an authority that we trust vouches for it,
    /// and the TLS handshake has shown that the client holds its key. Whether that user may log in
    /// is still to be found out.
    Certificate,
}

impl Credentials {
    /// The claim of `user`, made by `mechanism`, with `proof`.
    #[must_use]
    pub const fn new(mechanism: Mechanism, user: UserName, proof: Proof) -> Self {
        Self { user, proof, mechanism }
    }

    /// Who the client says it is.
    #[must_use]
    pub const fn user(&self) -> &UserName {
        &self.user
    }

    /// The password, if that is the proof.
    #[must_use]
    pub const fn password(&self) -> Option<&Password> {
        match &self.proof {
            Proof::Password(password) => Some(password),
            Proof::Token(_) | Proof::Certificate => None,
        }
    }

    /// The proof.
    #[must_use]
    pub const fn proof(&self) -> &Proof {
        &self.proof
    }

    /// How the claim was made.
    #[must_use]
    pub const fn mechanism(&self) -> Mechanism {
        self.mechanism
    }
}

/// A bearer token as it was received: 1 to 8,192 visible ASCII characters. Wiped when dropped.
#[derive(Clone)]
pub struct Token(Zeroizing<Box<str>>);

impl Token {
    /// The longest token, in bytes.
    pub const MAX_BYTES: usize = 8_192;

    /// The token; `None` if it is empty, too long, or not in visible ASCII.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let fits = (1..=Self::MAX_BYTES).contains(&text.len());
        (fits && text.bytes().all(|byte| byte.is_ascii_graphic()))
            .then(|| Self(Zeroizing::new(text.into())))
    }

    /// The token itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

/// A password in clear, SASLprep applied (RFC 4013), 1 to 1,024 bytes.
#[derive(Clone)]
pub struct Password(Zeroizing<Box<str>>);

impl Password {
    /// The longest password, in bytes. Longer ones only make work.
    pub const MAX_BYTES: usize = 1_024;

    /// Prepares and checks a password as it was typed or received.
    ///
    /// # Errors
    /// [`PasswordError`] says what is wrong, without quoting any part of it.
    pub fn new(text: &str) -> Result<Self, PasswordError> {
        if text.len() > Self::MAX_BYTES {
            return Err(PasswordError::TooLong);
        }
        let prepared = saslprep(text).map_err(|_| PasswordError::Forbidden)?.into_owned();
        let prepared = Zeroizing::new(prepared.into_boxed_str());
        match prepared.len() {
            0 => Err(PasswordError::Empty),
            1..=Self::MAX_BYTES => Ok(Self(prepared)),
            _ => Err(PasswordError::TooLong),
        }
    }

    /// The password itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it is the same password. The time shows no more than whether the lengths are equal.
    pub(crate) fn is(&self, other: &Self) -> bool {
        verify_slices_are_equal(self.0.as_bytes(), other.0.as_bytes()).is_ok()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(hidden)")
    }
}

/// Why a text is no password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Nothing is left of it.
    #[error("the password is empty")]
    Empty,
    /// Over [`Password::MAX_BYTES`].
    #[error("the password is longer than 1024 bytes")]
    TooLong,
    /// SASLprep forbids one of its characters.
    #[error("the password has a character that SASLprep forbids, such as a control character")]
    Forbidden,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c7_debug_output_never_shows_the_password() {
        let password = Password::new("correct horse").unwrap();
        let token = Token::new("correct.horse").unwrap();
        let claim = |proof| Credentials::new(Mechanism::Plain, "ann".parse().unwrap(), proof);
        let shown =
            format!("{:?} {:#?}", claim(Proof::Password(password)), claim(Proof::Token(token)));
        assert!(shown.contains("ann") && !shown.contains("correct"), "{shown}");
    }

    #[test]
    fn c5_odd_passwords_are_named_and_never_quoted() {
        let long = "p".repeat(1_025);
        for (bad, error) in [
            ("", PasswordError::Empty),
            ("\u{ad}", PasswordError::Empty),
            (long.as_str(), PasswordError::TooLong),
            ("secret\0", PasswordError::Forbidden),
            ("secret\u{7f}", PasswordError::Forbidden),
        ] {
            let refused = Password::new(bad).unwrap_err();
            assert_eq!(refused, error);
            assert!(!refused.to_string().contains("secret"));
        }
    }

    #[test]
    fn two_ways_to_type_one_password_are_one_password() {
        let composed = Password::new("pass\u{e9}word").unwrap();
        let decomposed = Password::new("passe\u{301}word").unwrap();
        assert_eq!(composed.reveal(), decomposed.reveal());
    }
}
