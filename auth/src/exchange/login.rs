//! LOGIN: the server asks for the name, then for the password (draft-murchison-sasl-login).
//!
//! Written out here instead of taken from the SASL library, whose LOGIN drops the name that
//! clients such as Python's smtplib send with the AUTH command, and whose prompts are not the
//! `Username:` and `Password:` that old clients look for.

use crate::{
    Credentials, Mechanism, Proof, UserName,
    exchange::{self, Exchange, ExchangeError, Progress},
};

/// What a LOGIN exchange waits for.
pub(super) enum Login {
    /// The name.
    Name,
    /// The password of this user.
    PasswordOf(UserName),
}

impl Login {
    pub(super) const fn new() -> Self {
        Self::Name
    }

    pub(super) const fn prompt(&self) -> &'static [u8] {
        match self {
            Self::Name => b"Username:",
            Self::PasswordOf(_) => b"Password:",
        }
    }

    pub(super) fn answer(self, message: &[u8]) -> Result<Progress, ExchangeError> {
        match self {
            Self::Name => {
                let user = exchange::user_name(message)?;
                Ok(Progress::Challenge(Exchange::ask(Self::PasswordOf(user))))
            }
            Self::PasswordOf(user) => {
                let password = exchange::password(message)?;
                Ok(Progress::Verify(Credentials::new(
                    Mechanism::Login,
                    user,
                    Proof::Password(password),
                )))
            }
        }
    }
}
