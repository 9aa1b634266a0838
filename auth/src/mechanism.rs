//! The SASL mechanisms by name.
//!
//! Which of them a listener offers, and under which TLS state, is the gateway's decision.

use std::{fmt, str::FromStr};

use crate::ScramHash;

/// A SASL mechanism that an [`Exchange`](crate::Exchange) can carry out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// The certificate that the client has shown in TLS (RFC 4422 appendix A).
    External,
    /// Proof of a password that the server never sees (RFC 5802, RFC 7677), which holds for this
    /// TLS connection alone (`tls-exporter`, RFC 9266): nobody in between can pass it on.
    ScramPlus(ScramHash),
    /// The same for any connection.
    Scram(ScramHash),
    /// An access token (RFC 7628).
    OAuthBearer,
    /// An access token, in the form that Google and Microsoft had before RFC 7628.
    XOAuth2,
    /// Name and password in one message (RFC 4616).
    Plain,
    /// Name and password, each asked for (draft-murchison-sasl-login); what old clients speak.
    Login,
    /// An answer to a challenge by HMAC-MD5 (RFC 2195), for old clients without TLS. Offered to
    /// nobody unless the administrator names it: what must be kept for it is as good as the
    /// password.
    CramMd5,
}

impl Mechanism {
    /// All of them, in the order in which EHLO lists them: clients that take the first they know
    /// take the strongest.
    pub const ALL: [Self; 12] = [
        Self::External,
        Self::ScramPlus(ScramHash::Sha256),
        Self::ScramPlus(ScramHash::Sha512),
        Self::ScramPlus(ScramHash::Sha1),
        Self::Scram(ScramHash::Sha256),
        Self::Scram(ScramHash::Sha512),
        Self::Scram(ScramHash::Sha1),
        Self::OAuthBearer,
        Self::XOAuth2,
        Self::Plain,
        Self::Login,
        Self::CramMd5,
    ];

    /// The registered name, such as `PLAIN`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::External => "EXTERNAL",
            Self::ScramPlus(ScramHash::Sha1) => "SCRAM-SHA-1-PLUS",
            Self::ScramPlus(ScramHash::Sha256) => "SCRAM-SHA-256-PLUS",
            Self::ScramPlus(ScramHash::Sha512) => "SCRAM-SHA-512-PLUS",
            Self::Scram(ScramHash::Sha1) => "SCRAM-SHA-1",
            Self::Scram(ScramHash::Sha256) => "SCRAM-SHA-256",
            Self::Scram(ScramHash::Sha512) => "SCRAM-SHA-512",
            Self::OAuthBearer => "OAUTHBEARER",
            Self::XOAuth2 => "XOAUTH2",
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::CramMd5 => "CRAM-MD5",
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Mechanism {
    type Err = UnknownMechanism;

    /// Reads a name as clients send it: in any case (RFC 4954 section 4).
    fn from_str(name: &str) -> Result<Self, UnknownMechanism> {
        Self::ALL
            .into_iter()
            .find(|mechanism| mechanism.as_str().eq_ignore_ascii_case(name))
            .ok_or(UnknownMechanism)
    }
}

/// The client named a mechanism that we do not have. RFC 4954: `504 5.5.4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown SASL mechanism")]
pub struct UnknownMechanism;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case() {
        assert_eq!("plain".parse(), Ok(Mechanism::Plain));
        assert_eq!("External".parse(), Ok(Mechanism::External));
        assert_eq!("LOGIN".parse(), Ok(Mechanism::Login));
        assert_eq!("cram-md5".parse(), Ok(Mechanism::CramMd5));
        assert_eq!("XOAuth2".parse(), Ok(Mechanism::XOAuth2));
        assert_eq!("Scram-Sha-1".parse(), Ok(Mechanism::Scram(ScramHash::Sha1)));
        for bad in ["", "PLAIN ", "DIGEST-MD5", "pl\0ain", "SCRAM-SHA-224"] {
            assert_eq!(bad.parse::<Mechanism>(), Err(UnknownMechanism), "{bad:?}");
        }
    }
}
