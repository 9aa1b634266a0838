//! One SASL exchange: what the server asks, what the client answers, until it has made its claim.
//!
//! An exchange is a value that each answer consumes. There is no handle to use twice and nothing
//! that outlives a failed attempt (CVE-2011-1720, `attacks.md` C5); cancelling is dropping it.
//! Messages are bytes: base64, `*` and line lengths belong to SMTP. Nothing is checked here
//! beyond the form: the claim goes to a [`Directory`](crate::Directory) afterwards.

mod bearer;
mod channel;
mod cram_md5;
mod external;
mod login;
mod plain;
mod scram;
#[cfg(test)]
pub(crate) mod scram_tests;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, fmt};

use crate::{
    Conducted, Credentials, Denial, DirectoryError, Mechanism, Password, PasswordError, ScramKeys,
    UserName, UserNameError,
    exchange::{
        bearer::Bearer, cram_md5::CramMd5, external::External, login::Login, plain::Plain,
        scram::Scram,
    },
};

pub use self::{
    bearer::Scope,
    channel::{Channel, TlsExporter},
    cram_md5::{ChallengeQuery, CramMd5Claim},
    scram::{FoundKeys, KeyQuery, ServerNonce},
};

/// An exchange that waits for the client's next message.
#[must_use = "the client waits for the challenge"]
pub struct Exchange {
    challenge: Cow<'static, [u8]>,
    awaited: Awaited,
}

/// Where an exchange stands after a message of the client.
#[derive(Debug)]
#[non_exhaustive]
pub enum Progress {
    /// Send the challenge (`334`) and give the answer to [`Exchange::respond`].
    Challenge(Exchange),
    /// The exchange goes on once it has something random to ask with.
    NeedChallenge(ChallengeQuery),
    /// The exchange goes on once these keys are found.
    NeedKeys(KeyQuery),
    /// The exchange goes on with the answer of the back end that conducts it.
    PassOn {
        /// Who the client says it is.
        user: UserName,
        /// By what it logs in.
        mechanism: Mechanism,
        /// Who conducts the exchange.
        conducted: Conducted,
        /// The client's message, as it came.
        message: Box<[u8]>,
    },
    /// The client has made its claim; find out whether it is true.
    Verify(Credentials),
    /// The client has made its claim by CRAM-MD5; find out whether its keys fit.
    CramMd5(CramMd5Claim),
    /// The client has proven who it is.
    Proven {
        /// Who it is.
        user: UserName,
        /// By what.
        mechanism: Mechanism,
        /// The keys that the proof fits.
        keys: ScramKeys,
    },
    /// The client's proof does not fit.
    Disproven {
        /// Who it claimed to be.
        user: UserName,
        /// Why.
        error: DirectoryError,
    },
    /// The client has heard why its token was refused; the claim is decided already.
    Denied(Denial),
}

impl Exchange {
    /// The longest message of a client in bytes: what 12,288 bytes of base64 hold, the line that
    /// RFC 4954 section 4 asks a server to take.
    pub const MAX_MESSAGE: usize = 9_216;

    /// Begins an exchange.
    ///
    /// `initial` is the client's initial response, decoded: `None` if the AUTH command had none,
    /// empty if it had a single `=` (RFC 4954 section 4). `channel` is what the TLS connection
    /// below gives to mechanisms that build on it.
    ///
    /// # Errors
    /// As [`Self::respond`].
    pub fn start(
        mechanism: Mechanism,
        initial: Option<&[u8]>,
        channel: Channel,
    ) -> Result<Progress, ExchangeError> {
        let exchange = match mechanism {
            Mechanism::External => Self::wait(Awaited::External(External::new(channel.certified)?)),
            Mechanism::Plain => Self::wait(Awaited::Plain(Plain::new()?)),
            Mechanism::Login => Self::ask(Login::new()),
            Mechanism::CramMd5 => {
                return ChallengeQuery::begin(initial).map(Progress::NeedChallenge);
            }
            Mechanism::OAuthBearer => Self::wait(Awaited::Bearer(Bearer::Rfc7628)),
            Mechanism::XOAuth2 => Self::wait(Awaited::Bearer(Bearer::XOAuth2)),
            Mechanism::ScramPlus(_) | Mechanism::Scram(_) => {
                Self::wait(Awaited::Scram(Scram::begin(mechanism, channel.exporter)?))
            }
        };
        match initial {
            Some(message) => exchange.respond(message),
            None => Ok(Progress::Challenge(exchange)),
        }
    }

    /// The bytes to send to the client, not yet in base64.
    #[must_use]
    pub fn challenge(&self) -> &[u8] {
        &self.challenge
    }

    /// Who says to be proven by the next message, if that is what it is for.
    #[must_use]
    pub const fn claimant(&self) -> Option<&UserName> {
        match &self.awaited {
            Awaited::Scram(scram) => scram.claimant(),
            // Which of its messages is the proof, only the back end knows.
            Awaited::Elsewhere(_, user, _) => Some(user),
            Awaited::External(_)
            | Awaited::Plain(_)
            | Awaited::Login(_)
            | Awaited::Bearer(_)
            | Awaited::CramMd5(_)
            | Awaited::Acknowledgement(..) => None,
        }
    }

    /// An exchange of `user` that a back end conducts, and that has come to its next challenge.
    pub(crate) fn conducted(mechanism: Mechanism, user: UserName, conducted: Conducted) -> Self {
        let challenge = Cow::Owned(conducted.challenge().to_vec());
        Self { challenge, awaited: Awaited::Elsewhere(mechanism, user, conducted) }
    }

    /// Why the claim is false, if the client is only hearing so by this challenge: whatever it
    /// answers, and if it hangs up, it has failed.
    #[must_use]
    pub const fn denial(&self) -> Option<Denial> {
        match &self.awaited {
            Awaited::Acknowledgement(_, denial) => Some(*denial),
            Awaited::External(_)
            | Awaited::Plain(_)
            | Awaited::Login(_)
            | Awaited::Scram(_)
            | Awaited::Bearer(_)
            | Awaited::CramMd5(_)
            | Awaited::Elsewhere(..) => None,
        }
    }

    /// The end of an exchange whose token was refused for `denial`: the client hears so in the
    /// form of its mechanism, and whatever it answers, the denial follows (RFC 7628 section
    /// 3.2.3). `None` for the mechanisms that are refused at once.
    pub(crate) fn denied(
        mechanism: Mechanism,
        denial: Denial,
        scope: Option<&Scope>,
    ) -> Option<Self> {
        let bearer = Bearer::of(mechanism)?;
        let challenge = Cow::Owned(bearer.refusal(scope).into_bytes());
        Some(Self { challenge, awaited: Awaited::Acknowledgement(bearer, denial) })
    }

    /// Goes on with the client's message, decoded from base64.
    ///
    /// # Errors
    /// [`ExchangeError`] says what was wrong with the message. The exchange is over then; the
    /// SMTP session lives on.
    pub fn respond(self, message: &[u8]) -> Result<Progress, ExchangeError> {
        if let Awaited::Acknowledgement(_, denial) = self.awaited {
            return Ok(Progress::Denied(denial));
        }
        if message.len() > Self::MAX_MESSAGE {
            return Err(ExchangeError::TooLong);
        }
        match self.awaited {
            Awaited::External(external) => external.claim(message).map(Progress::Verify),
            Awaited::Plain(plain) => plain.claim(message).map(Progress::Verify),
            Awaited::Login(login) => login.answer(message),
            Awaited::Scram(scram) => scram.answer(message),
            Awaited::Bearer(bearer) => bearer.claim(message).map(Progress::Verify),
            Awaited::CramMd5(cram_md5) => cram_md5.claim(message).map(Progress::CramMd5),
            Awaited::Elsewhere(mechanism, user, conducted) => {
                Ok(Progress::PassOn { user, mechanism, conducted, message: message.into() })
            }
            Awaited::Acknowledgement(_, denial) => Ok(Progress::Denied(denial)),
        }
    }

    /// The client begins.
    const fn wait(awaited: Awaited) -> Self {
        Self { challenge: Cow::Borrowed(b""), awaited }
    }

    const fn ask(login: Login) -> Self {
        Self { challenge: Cow::Borrowed(login.prompt()), awaited: Awaited::Login(login) }
    }

    fn ask_cram_md5(cram_md5: CramMd5) -> Self {
        let challenge = Cow::Owned(cram_md5.challenge().as_bytes().to_vec());
        Self { challenge, awaited: Awaited::CramMd5(cram_md5) }
    }

    const fn ask_scram(challenge: Vec<u8>, scram: Scram) -> Self {
        Self { challenge: Cow::Owned(challenge), awaited: Awaited::Scram(scram) }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mechanism = match &self.awaited {
            Awaited::External(_) => Mechanism::External,
            Awaited::Plain(_) => Mechanism::Plain,
            Awaited::Login(_) => Mechanism::Login,
            Awaited::CramMd5(_) => Mechanism::CramMd5,
            Awaited::Scram(scram) => scram.mechanism(),
            Awaited::Elsewhere(mechanism, ..) => *mechanism,
            Awaited::Bearer(bearer) | Awaited::Acknowledgement(bearer, _) => bearer.mechanism(),
        };
        f.debug_struct("Exchange").field("mechanism", &mechanism).finish_non_exhaustive()
    }
}

/// What was wrong with a client's message. All are the peer's fault, but for `Broken`.
///
/// No variant holds anything that the client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// Over [`Exchange::MAX_MESSAGE`]. Reply as to a wrong password.
    #[error("the SASL message is longer than 9216 bytes")]
    TooLong,
    /// The message is not in the mechanism's form. Reply as to a wrong password: it is no line that
    /// SMTP could not read.
    #[error("malformed SASL message: {0}")]
    Malformed(&'static str),
    /// The name can be nobody's. Reply as to a wrong password.
    #[error(transparent)]
    UserName(#[from] UserNameError),
    /// The password can be nobody's. Reply as to a wrong password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The client wants to act as somebody else (authzid other than authcid, RFC 4616; or other
    /// than what its certificate says). Reply as to a wrong password.
    #[error("the client logs in as one user and asks to act as another; that is not offered")]
    OtherIdentity,
    /// The client has shown no certificate that still proves who it is. Reply as to a wrong
    /// password.
    #[error("the client has no certificate that proves a user name now")]
    Uncertified,
    /// The client believes that we do not offer channel binding, and we do: somebody in between
    /// may have changed what we offered (RFC 5802 section 6). Reply as to a wrong password.
    #[error("the client did not see that channel binding is offered")]
    Downgraded,
    /// Our own fault: the mechanism could not be set up. `454 4.7.0`.
    #[error("the SASL mechanism could not be started; please report this")]
    Broken,
}

enum Awaited {
    External(External),
    Plain(Plain),
    Login(Login),
    Scram(Scram),
    Bearer(Bearer),
    CramMd5(CramMd5),
    /// Whatever the back end waits for.
    Elsewhere(Mechanism, UserName, Conducted),
    /// The client's answer to the refusal of its token.
    Acknowledgement(Bearer, Denial),
}

fn user_name(bytes: &[u8]) -> Result<UserName, ExchangeError> {
    let text =
        str::from_utf8(bytes).map_err(|_| ExchangeError::Malformed("the name is not UTF-8"))?;
    Ok(text.parse()?)
}

fn password(bytes: &[u8]) -> Result<Password, ExchangeError> {
    let text =
        str::from_utf8(bytes).map_err(|_| ExchangeError::Malformed("the password is not UTF-8"))?;
    Ok(Password::new(text)?)
}
