//! The seam between "somebody claims to be Ann" and whatever knows Ann's password.

use std::{fmt::Debug, future::Future, net::IpAddr, pin::Pin, time::Instant};

use crate::{
    Conversation, CramMd5Keys, Credentials, Mechanism, Role, Roles, ScramHash, ScramKeys, Senders,
    TokenFault, UserName,
};

/// Something that knows users and can check what they claim.
///
/// The contract:
/// - `verify`, `keys`, `cram_md5` and `converse` answer once, read only, and may be called by many tasks at a time.
/// - `Ok` is a promise: the claim was proven, or the keys are those of the user. Every doubt is an
///   error: a back end that does not answer is [`DirectoryError::Unavailable`], never `Denied`, for
///   a client that hears "denied" asks its user for another password.
/// - An unknown user costs the same time as a wrong password (`attacks.md` C1), as far as the
///   directory decides over that time itself.
/// - The implementation bounds its own work. Whoever asks may stop waiting and drop the future: it
///   may finish in the background, but holds no permit for ever.
/// - Nothing of the credentials but the user name may reach a log or an error.
pub trait Directory: Debug + Send + Sync {
    /// Whether it can serve this mechanism at all, whoever asks.
    fn serves(&self, mechanism: Mechanism) -> bool;

    /// Checks `credentials`, which came in `attempt`.
    fn verify<'a>(&'a self, credentials: &'a Credentials, attempt: &'a Attempt)
    -> Verification<'a>;

    /// Finds the SCRAM keys of `user`, and who that is once a proof fits them. No keys:
    /// [`Denial::UnknownUser`] or [`Denial::NoKeys`].
    fn keys<'a>(&'a self, user: &'a UserName, hash: ScramHash) -> KeySearch<'a>;

    /// Finds what a proof of `user` by CRAM-MD5 must fit, and who that is once it does. No keys:
    /// [`Denial::UnknownUser`] or [`Denial::NoCramMd5Keys`]; by default [`Denial::OtherProof`].
    fn cram_md5<'a>(&'a self, _user: &'a UserName) -> Answer<'a, KeyedIdentity<CramMd5Keys>> {
        Box::pin(std::future::ready(Err(Denial::OtherProof.into())))
    }

    /// Whether it conducts the exchanges of this mechanism itself, by [`Self::converse`], and so
    /// has no keys to give. Only what it serves, and nothing that binds to the channel: it does not
    /// see ours.
    fn conducts(&self, _mechanism: Mechanism) -> bool {
        false
    }

    /// Begins an exchange that it [conducts](Self::conducts) with the client's `first` message,
    /// as it came. A user whom it cannot let in whatever follows is denied at once: others may be
    /// asked then, and who is given a conversation is judged by nobody else.
    ///
    /// By default [`Denial::OtherProof`].
    fn converse<'a>(
        &'a self,
        _mechanism: Mechanism,
        _first: &'a [u8],
        _attempt: &'a Attempt,
    ) -> Answer<'a, Conversation> {
        Box::pin(std::future::ready(Err(Denial::OtherProof.into())))
    }
}

/// The answer of a [`Directory`], to be awaited.
pub type Verification<'a> = Answer<'a, Identity>;

/// The keys that a [`Directory`] finds, to be awaited.
pub type KeySearch<'a> = Answer<'a, KeyedIdentity>;

/// What a [`Directory`] finds, to be awaited.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, DirectoryError>> + Send + 'a>>;

/// The circumstances of one attempt to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Where it comes from.
    pub client: IpAddr,
    /// The label of the listener that it came to.
    pub listener: Box<str>,
    /// Whether the connection is under TLS.
    pub tls: bool,
    /// When it is made.
    pub now: Instant,
}

/// A proven user. Only a [`Directory`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    user: UserName,
    roles: Roles,
    senders: Option<Senders>,
    credential: Option<Box<str>>,
}

impl Identity {
    /// The identity of `user`, whose claim was proven, without roles, for
    /// whatever sender addresses the gateway allows the user.
    #[must_use]
    pub const fn proven(user: UserName) -> Self {
        Self { user, roles: Roles::EMPTY, senders: None, credential: None }
    }

    /// The same user, with these roles.
    #[must_use]
    pub fn with_roles(self, roles: Roles) -> Self {
        Self { roles, ..self }
    }

    /// The same user, who may use these sender addresses at most.
    #[must_use]
    pub fn with_senders(self, senders: Senders) -> Self {
        Self { senders: Some(senders), ..self }
    }

    /// The same user, proven by the credential of this label.
    #[must_use]
    pub fn with_credential(self, label: &str) -> Self {
        Self { credential: Some(label.into()), ..self }
    }

    /// Who it is.
    #[must_use]
    pub const fn user(&self) -> &UserName {
        &self.user
    }

    /// The only sender addresses that this credential is for; `None`: it names none.
    #[must_use]
    pub const fn senders(&self) -> Option<&Senders> {
        self.senders.as_ref()
    }

    /// Which of several credentials of the user it was, by its label, for the log: that of an app
    /// password. `None`: the password of the user, or the directory does not tell.
    #[must_use]
    pub fn credential(&self) -> Option<&str> {
        self.credential.as_deref()
    }

    /// The roles that the directory gave. Who has none is a sender: see [`Self::is`].
    #[must_use]
    pub const fn roles(&self) -> Roles {
        self.roles
    }

    /// Whether the user acts in this role. Who has no roles at all is a [`Role::Sender`].
    #[must_use]
    pub const fn is(&self, role: Role) -> bool {
        self.roles.contains(role) || (self.roles.is_empty() && matches!(role, Role::Sender))
    }
}

/// The keys of a user, of SCRAM or another mechanism, and the identity of whoever proves to have
/// them. Nobody is logged in by finding it: the identity counts when a proof has fitted the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedIdentity<K = ScramKeys> {
    /// Who it will be.
    pub identity: Identity,
    /// What the proof must fit.
    pub keys: K,
}

/// Why a claim was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The claim is false. The peer hears one text for every [`Denial`] (`535 5.7.8`).
    #[error("{0}")]
    Denied(#[from] Denial),
    /// The directory cannot tell now (`454 4.7.0`). The text is for the administrator.
    #[error("{0}")]
    Unavailable(Box<str>),
    /// The directory is well and has too much to do (`454 4.7.0`).
    #[error("too many password checks are waiting")]
    Busy,
}

/// Why a claim is false: for the administrator's log, never for the peer (`attacks.md` C1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denial {
    /// There is no such user.
    #[error("unknown user")]
    UnknownUser,
    /// The user exists; the password is another.
    #[error("wrong password")]
    WrongPassword,
    /// The user exists, but its entry holds no password that can be checked.
    #[error("the user has no usable password (in our own store, `mailweir user passwd` sets one)")]
    NoPassword,
    /// The user exists, but its entry holds no keys for this SCRAM mechanism.
    #[error("the user has no SCRAM keys (in our own store, `mailweir user passwd` makes them)")]
    NoKeys,
    /// The user exists, but its entry holds nothing that CRAM-MD5 could be checked by.
    #[error(
        "the user has no keys for CRAM-MD5, nor a password in clear; set the password anew for it"
    )]
    NoCramMd5Keys,
    /// The user exists and may not log in: disabled, expired, or not authorized. Whether the password
    /// was right is not said.
    #[error("the directory does not let this user log in (disabled, expired or not authorized)")]
    NotPermitted,
    /// The administrator has disabled the user.
    #[error("the user is disabled; `mailweir user enable` lets it log in again")]
    Disabled,
    /// Our own store has roles of the user that cannot be read: what is wrong with them.
    #[error("{0}")]
    UnreadableRoles(&'static str),
    /// An app password that is right, at a listener that it is not for.
    #[error("an app password that is not for this listener")]
    OtherListener,
    /// An app password that is right, from a network that it is not for.
    #[error("an app password that is not for this network")]
    OtherNetwork,
    /// An app password that was right, until its last day was over.
    #[error("an app password that has expired")]
    Expired,
    /// The proof is right, and the user's roles do not include that of a sender.
    #[error("the user has roles, and not sender, which is who hands in mail")]
    NoSender,
    /// Nobody here logs in by this kind of proof.
    #[error("no back end can check this kind of proof")]
    OtherProof,
    /// The access token does not prove the claim.
    #[error("{0}")]
    Token(#[from] TokenFault),
    /// The user exists, and may not log in now, whatever the password: locked, disabled, expired.
    #[error("the directory lets this user not log in now: locked, disabled or expired")]
    Suspended,
    /// Several users of the directory have this name.
    #[error("the name fits several users of the directory; make its filter narrower")]
    SeveralUsers,
    /// The user exists, and its entry holds something that cannot be understood: where, what, and
    /// what to do about it, never the value.
    #[error("the user's entry is odd: {0}")]
    OddEntry(&'static str),
    /// The user exists, and the directory holds no name for it, or several.
    #[error(
        "the attribute or column for the user's name holds none, or several; without one, nobody \
         logs in under a domain that `{{local}}` in a template leaves open"
    )]
    NoName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_no_roles_is_a_sender_and_nothing_more() {
        let ann = Identity::proven("ann".parse().unwrap());
        assert!(ann.roles().is_empty());
        assert!(Role::ALL.into_iter().filter(|&role| ann.is(role)).eq([Role::Sender]));
        let ann = ann.with_roles(Role::Auditor.into());
        assert!(ann.is(Role::Auditor) && !ann.is(Role::Sender));
        assert_eq!(ann.user().as_str(), "ann");
    }
}
