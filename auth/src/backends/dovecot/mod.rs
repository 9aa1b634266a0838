//! Users that Dovecot knows, asked for over its authentication protocol, versions 1.1 and 1.2 (the
//! `auth-client` listener; <https://doc.dovecot.org/developer_manual/design/auth_protocol>).
//!
//! All requests share one connection. Dovecot answers in any order and lets a "no" wait (some
//! seconds, to slow guessing down), so on a pool of connections few guessers would keep everybody
//! else waiting; and each connection counts against its `client_limit`. If the connection turns out
//! to be broken, a request is made once more on a new one.
//!
//! Dovecot does not say whether a user is unknown or the password wrong, nor by its time. It
//! sees the address of the client and may slow it down further (auth penalty).

mod link;
mod protocol;

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use zeroize::Zeroizing;

use crate::{
    Attempt, Checks, Credentials, Denial, Directory, DirectoryError, Exchange, Identity, KeySearch,
    Mechanism, RequestLimits, ScramHash, UserName, Verification,
    backends::dovecot::{
        link::{Link, LinkError, Request},
        protocol::Answer,
    },
    directory,
    lock::lock,
};

/// Where a Dovecot listens for authentication clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DovecotServer {
    /// A UNIX socket (`unix_listener` of `service auth`), such as
    /// `/var/spool/postfix/private/auth`.
    Unix(PathBuf),
    /// `host:port` (`inet_listener`). Passwords go there in clear.
    Tcp(Box<str>),
}

impl fmt::Display for DovecotServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => path.display().fmt(f),
            Self::Tcp(address) => f.write_str(address),
        }
    }
}

/// How a Dovecot is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DovecotSettings {
    /// Where it listens (Postfix's `smtpd_sasl_path`).
    pub server: DovecotServer,
    /// The service that is named to it (`%s` in its configuration; Postfix's
    /// `smtpd_sasl_service`). Default: `smtp`.
    pub service: Box<str>,
    /// Whether SCRAM is served. Dovecot then conducts those exchanges itself, for the hashes that
    /// it announces; it binds none to the channel. It denies unknown users at the first message,
    /// by default late, and so shows who exists (`attacks.md` C1). Default: no.
    pub scram: bool,
    /// How many requests there may be. Default: 1,000 at a time, for failures are answered late,
    /// and 1,000 that wait.
    pub limits: RequestLimits,
}

impl DovecotSettings {
    /// The defaults for the Dovecot at `server`.
    #[must_use]
    pub fn new(server: DovecotServer) -> Self {
        let limits = RequestLimits::new(1_000, 1_000);
        Self { server, service: "smtp".into(), scram: false, limits }
    }
}

/// The users of a Dovecot.
#[derive(Debug)]
pub struct Dovecot {
    settings: DovecotSettings,
    questions: Arc<Questions>,
    /// Held while connecting, so that who comes meanwhile waits for the same connection.
    link: tokio::sync::Mutex<Option<Arc<Link>>>,
    /// The mechanisms that were announced when it was last connected to.
    announced: Mutex<Option<Arc<[Box<str>]>>>,
}

impl Dovecot {
    /// A directory that asks by these settings. Nothing is connected yet.
    #[must_use]
    pub fn new(settings: DovecotSettings) -> Self {
        let name = settings.server.to_string().into();
        let questions = Arc::new(Questions { gate: settings.limits.gate(), name });
        Self {
            settings,
            questions,
            link: tokio::sync::Mutex::default(),
            announced: Mutex::default(),
        }
    }

    /// The mechanisms that Dovecot announced when it was last connected to, in capitals and in its
    /// order; `None` before the first connection. Those that it keeps from clients (`private`) and
    /// `ANONYMOUS` are not among them.
    #[must_use]
    pub fn mechanisms(&self) -> Option<Arc<[Box<str>]>> {
        lock(&self.announced).clone()
    }

    /// Whether it conducts SCRAM by this hash; before it was asked, what every Dovecot that has SCRAM
    /// has.
    fn announces(&self, hash: ScramHash) -> bool {
        match self.mechanisms() {
            Some(announced) => find(&announced, Mechanism::Scram(hash).as_str()).is_some(),
            None => hash != ScramHash::Sha512,
        }
    }

    /// Connects, if there is no connection, so that [`Self::mechanisms`] and
    /// [`Directory::serves`] are what this Dovecot says.
    ///
    /// # Errors
    /// [`DirectoryError::Unavailable`] or [`DirectoryError::Busy`].
    pub async fn connect(&self) -> Result<(), DirectoryError> {
        self.link().await.map(|_| ()).map_err(|error| self.questions.failed(&error))
    }

    /// Begins an exchange that Dovecot conducts: any mechanism that it announces, such as
    /// `SCRAM-SHA-256` or `CRAM-MD5`, whether or not it is one of ours.
    ///
    /// `initial` is the client's initial response, decoded: `None` if the AUTH command had none,
    /// empty if it had a single `=` (RFC 4954 section 4).
    ///
    /// # Errors
    /// [`Denial::OtherProof`] if Dovecot does not announce the mechanism or the response is over
    /// [`Exchange::MAX_MESSAGE`]; else as [`Directory::verify`].
    pub async fn converse(
        &self,
        mechanism: &str,
        initial: Option<&[u8]>,
        attempt: &Attempt,
    ) -> Result<ConversationStep, DirectoryError> {
        let (request, answer) = self.begin(mechanism, initial, attempt).await?;
        self.questions.step(request, answer)
    }

    /// Before the client has proven anything, a denial is of the user.
    async fn begin_scram(
        &self,
        mechanism: Mechanism,
        first: &[u8],
        attempt: &Attempt,
    ) -> Result<Conversation, DirectoryError> {
        match self.converse(mechanism.as_str(), Some(first), attempt).await {
            Ok(ConversationStep::Challenge(conversation)) => Ok(conversation),
            Ok(ConversationStep::Proven(_)) => {
                Err(self.questions.unavailable("accepts a user who has proven nothing"))
            }
            Err(DirectoryError::Denied(Denial::WrongPassword)) => Err(Denial::UnknownUser.into()),
            Err(error) => Err(error),
        }
    }

    async fn check(
        &self,
        credentials: &Credentials,
        attempt: &Attempt,
    ) -> Result<Identity, DirectoryError> {
        let password = credentials.password().ok_or(Denial::OtherProof)?.reveal().as_bytes();
        let user = credentials.user().as_str().as_bytes();
        let message = Zeroizing::new([b"\0", user, b"\0", password].concat());
        let step = match self.converse("PLAIN", Some(&message), attempt).await {
            // It is not announced.
            Err(DirectoryError::Denied(Denial::OtherProof)) => {
                self.answer_login(user, password, attempt).await
            }
            step => step,
        };
        match step? {
            ConversationStep::Proven(identity) => Ok(identity),
            ConversationStep::Challenge(_) => {
                Err(self.questions.unavailable("asks for more than a name and a password"))
            }
        }
    }

    async fn answer_login(
        &self,
        user: &[u8],
        password: &[u8],
        attempt: &Attempt,
    ) -> Result<ConversationStep, DirectoryError> {
        let mut step = self.converse("LOGIN", None, attempt).await?;
        for answer in [user, password] {
            let ConversationStep::Challenge(conversation) = step else { break };
            step = conversation.answer(answer).await?;
        }
        Ok(step)
    }

    async fn begin(
        &self,
        mechanism: &str,
        initial: Option<&[u8]>,
        attempt: &Attempt,
    ) -> Result<(Request, Answer), DirectoryError> {
        if initial.is_some_and(|message| message.len() > Exchange::MAX_MESSAGE) {
            return Err(Denial::OtherProof.into());
        }
        let _turn = self.questions.gate.turn().await?;
        let mut may_try_again = true;
        loop {
            let (link, is_new) =
                self.link().await.map_err(|error| self.questions.failed(&error))?;
            // Dovecot ends the whole connection when it is asked for one that it does not have.
            let Some(mechanism) = find(link.mechanisms(), mechanism) else {
                return Err(Denial::OtherProof.into());
            };
            let mut request = Request::new(Arc::clone(&link));
            let message =
                |id| protocol::auth(id, mechanism, &self.settings.service, attempt, initial);
            match request.ask(message).await {
                Ok(answer) => return Ok((request, answer)),
                // Dovecot was restarted, say, since the connection was last used.
                Err(LinkError::Broken(_)) if !is_new && may_try_again => may_try_again = false,
                Err(error) => return Err(self.questions.failed(&error)),
            }
        }
    }

    /// The open connection, or a new one; and whether it is new.
    async fn link(&self) -> Result<(Arc<Link>, bool), LinkError> {
        let mut current = self.link.lock().await;
        if let Some(link) = current.as_ref().filter(|link| link.is_open()) {
            return Ok((Arc::clone(link), false));
        }
        *current = None;
        let link = Arc::new(Link::connect(&self.settings.server).await?);
        *lock(&self.announced) = Some(Arc::clone(link.mechanisms()));
        *current = Some(Arc::clone(&link));
        Ok((link, true))
    }
}

impl Directory for Dovecot {
    fn serves(&self, mechanism: Mechanism) -> bool {
        let by_password = |announced: Arc<[Box<str>]>| {
            find(&announced, "PLAIN").or_else(|| find(&announced, "LOGIN")).is_some()
        };
        match mechanism {
            Mechanism::Plain | Mechanism::Login => self.mechanisms().is_none_or(by_password),
            Mechanism::Scram(hash) => self.settings.scram && self.announces(hash),
            // CRAM-MD5 begins with a challenge, before anybody knows whom to ask for it.
            Mechanism::External
            | Mechanism::ScramPlus(_)
            | Mechanism::OAuthBearer
            | Mechanism::XOAuth2
            | Mechanism::CramMd5 => false,
        }
    }

    fn verify<'a>(
        &'a self,
        credentials: &'a Credentials,
        attempt: &'a Attempt,
    ) -> Verification<'a> {
        Box::pin(self.check(credentials, attempt))
    }

    fn keys<'a>(&'a self, _user: &'a UserName, _hash: ScramHash) -> KeySearch<'a> {
        Box::pin(std::future::ready(Err(Denial::NoKeys.into())))
    }

    fn conducts(&self, mechanism: Mechanism) -> bool {
        matches!(mechanism, Mechanism::Scram(_)) && self.serves(mechanism)
    }

    fn converse<'a>(
        &'a self,
        mechanism: Mechanism,
        first: &'a [u8],
        attempt: &'a Attempt,
    ) -> directory::Answer<'a, Conversation> {
        Box::pin(self.begin_scram(mechanism, first, attempt))
    }
}

/// Where an exchange that Dovecot conducts stands.
#[derive(Debug)]
pub enum ConversationStep {
    /// Send the challenge (`334`) and give the answer to [`Conversation::answer`].
    Challenge(Conversation),
    /// `235`. What the server proves of itself, as in SCRAM, was the challenge before: SMTP has no
    /// place for it here (RFC 4954 section 4).
    Proven(Identity),
}

/// An exchange in which Dovecot waits for the client. Dropping it cancels it.
#[must_use = "the client waits for the challenge"]
pub struct Conversation {
    request: Request,
    challenge: Vec<u8>,
    questions: Arc<Questions>,
}

impl Conversation {
    /// The bytes to send to the client, not yet in base64.
    #[must_use]
    pub fn challenge(&self) -> &[u8] {
        &self.challenge
    }

    /// Goes on with the client's message, decoded from base64.
    ///
    /// # Errors
    /// As [`Dovecot::converse`]. The conversation is over then.
    pub async fn answer(mut self, message: &[u8]) -> Result<ConversationStep, DirectoryError> {
        if message.len() > Exchange::MAX_MESSAGE {
            return Err(Denial::OtherProof.into());
        }
        let _turn = self.questions.gate.turn().await?;
        let answer = self.request.ask(|id| protocol::proceed(id, message)).await;
        let answer = answer.map_err(|error| self.questions.failed(&error))?;
        self.questions.step(self.request, answer)
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation").field("server", &self.questions.name).finish_non_exhaustive()
    }
}

/// What all questions to one Dovecot share.
#[derive(Debug)]
struct Questions {
    name: Box<str>,
    gate: Checks,
}

impl Questions {
    fn step(
        self: &Arc<Self>,
        request: Request,
        answer: Answer,
    ) -> Result<ConversationStep, DirectoryError> {
        match answer {
            Answer::Challenge(challenge) => {
                let questions = Arc::clone(self);
                Ok(ConversationStep::Challenge(Conversation { request, challenge, questions }))
            }
            Answer::Accepted(name) => match name.as_deref().map(str::parse) {
                Some(Ok(user)) => Ok(ConversationStep::Proven(Identity::proven(user))),
                Some(Err(_)) => Err(NAMELESS.into()),
                None => Err(self.unavailable("accepts a user and does not say whom")),
            },
            Answer::Denied => Err(Denial::WrongPassword.into()),
            Answer::NotPermitted => Err(Denial::NotPermitted.into()),
            Answer::Temporary => {
                Err(self.unavailable("cannot check log-ins now; its log says why"))
            }
        }
    }

    fn failed(&self, error: &LinkError) -> DirectoryError {
        match error {
            LinkError::Full => DirectoryError::Busy,
            LinkError::Unreachable(_) | LinkError::NotDovecot(_) | LinkError::Broken(_) => {
                self.unavailable(&error.to_string())
            }
        }
    }

    fn unavailable(&self, what: &str) -> DirectoryError {
        DirectoryError::Unavailable(format!("Dovecot at {} {what}", self.name).into())
    }
}

/// The name as it was announced.
fn find<'a>(announced: &'a [Box<str>], mechanism: &str) -> Option<&'a str> {
    announced.iter().map(|name| &**name).find(|name| name.eq_ignore_ascii_case(mechanism))
}

const NAMELESS: Denial = Denial::OddEntry(
    "Dovecot accepts the user under a name that is none here: empty, over 255 bytes, or with white \
     space, `:`, a leading `#` or the like; correct what its passdb says of it",
);
