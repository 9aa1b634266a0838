//! EXTERNAL (RFC 4422 appendix A): the client has proven in TLS who it is, and says as whom it acts.
//!
//! Written out here instead of taken from the SASL library. That is sound and does not panic, but
//! takes a NUL for a part of the name, which the RFC forbids, and has nothing else in it than the
//! reading of UTF-8: its callback would be longer than the mechanism.

use crate::{Credentials, Mechanism, Proof, UserName, exchange::ExchangeError};

/// An EXTERNAL exchange that waits for its one message.
pub(super) struct External {
    /// The name that stands for the client if it asks for none.
    first: UserName,
    others: Vec<UserName>,
}

impl External {
    /// An exchange with a client whose certificate proves these names.
    pub(super) fn new(certified: Vec<UserName>) -> Result<Self, ExchangeError> {
        let mut names = certified.into_iter();
        let first = names.next().ok_or(ExchangeError::Uncertified)?;
        Ok(Self { first, others: names.collect() })
    }

    pub(super) fn claim(self, message: &[u8]) -> Result<Credentials, ExchangeError> {
        let text = str::from_utf8(message).map_err(|_| NOT_EXTERNAL)?;
        let user = match text {
            "" => self.first,
            text if text.contains('\0') => return Err(NOT_EXTERNAL),
            acting_as => self.find(acting_as).ok_or(ExchangeError::OtherIdentity)?,
        };
        Ok(Credentials::new(Mechanism::External, user, Proof::Certificate))
    }

    /// The name of the certificate that this is a way to write.
    fn find(self, acting_as: &str) -> Option<UserName> {
        let wanted = acting_as.parse().ok()?;
        (self.first == wanted || self.others.contains(&wanted)).then_some(wanted)
    }
}

const NOT_EXTERNAL: ExchangeError =
    ExchangeError::Malformed("EXTERNAL is one message, empty or a name in UTF-8 without NUL");
