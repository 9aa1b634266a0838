//! Milters: filters of other people that hear a session from its beginning.
//!
//! The words are in [`mailweir_external::milter`]; here are connections, and how long one waits. A milter that fails is not
//! asked any more in this session, and `if_failed` says what becomes of its mail.

mod about;
mod line;

use std::{sync::Arc, time::Duration};

use mailweir_external::{
    milter::{Answer, Macros},
    verdict::Verdict,
};
use mailweir_mail::Recipient;
use mailweir_policy::client::Server;
use mailweir_queue::Content;
use mailweir_smtp::{replies::Refusal, server::Session};

use self::line::{Failed, Line, Told};
use crate::config::{self, FilterKind, Filters, IfFailed, Mode};

/// A milter, as the configuration has it.
pub(crate) struct Milter {
    pub(super) name: Box<str>,
    server: Server,
    pub(super) if_failed: IfFailed,
    /// For its answer to a whole mail.
    content_limit: Duration,
    /// Bytes of a body that it may put in place of another.
    body_limit: usize,
}

/// The milters of one session, in their order.
pub(super) struct Milters {
    all: Vec<Hearer>,
    macros: Macros,
    /// One of them wants the mail thrown away.
    discarded_by: Option<Box<str>>,
}

/// One of them.
struct Hearer {
    milter: Arc<Milter>,
    talk: Talk,
}

/// How things stand with one.
enum Talk {
    Open(Box<Line>),
    /// It has failed, and how.
    Failed(Box<str>),
}

/// What a milter says of a whole mail.
pub(super) struct Word {
    pub(super) milter: Arc<Milter>,
    /// Without one it has failed, and how.
    pub(super) said: Result<Verdict, Box<str>>,
}

impl Milter {
    /// Those that hear the sessions of a listener where mail comes in that filters have not had.
    pub(crate) fn of(filters: &Filters, listener: &config::Listener) -> Vec<Arc<Self>> {
        let size = listener.limits.message_size_limit.bytes();
        let is_first = matches!(listener.mode, Mode::Mx | Mode::Submission);
        let all = filters.all.iter().filter(|_| is_first);
        let all = all.filter_map(|filter| match &filter.kind {
            FilterKind::Milter(milter) if milter.hears(&listener.name) => Some(Arc::new(Self {
                name: filter.name.clone(),
                server: milter.server.clone(),
                if_failed: filter.if_failed,
                content_limit: filter.time_limit,
                body_limit: usize::try_from(size).unwrap_or(usize::MAX),
            })),
            FilterKind::Milter(_)
            | FilterKind::Smtp(_)
            | FilterKind::Proxy(_)
            | FilterKind::Pipe(_)
            | FilterKind::Scan(_) => None,
        });
        all.collect()
    }
}

impl Milters {
    /// Connects to them, and tells them of the client.
    ///
    /// # Errors
    /// One refuses the client, or has failed where that is refused.
    pub(super) async fn meet(
        milters: &[Arc<Milter>],
        session: &Session,
        listener: &about::Place<'_>,
    ) -> (Self, Result<(), Refusal>) {
        let mut macros = Macros::default();
        about::connection(&mut macros, session, listener);
        let mut all = Vec::with_capacity(milters.len());
        for milter in milters {
            let talk = match Line::open(&milter.server, milter.body_limit).await {
                Ok(line) => Talk::Open(Box::new(line)),
                Err(Failed(why)) => Talk::Failed(why),
            };
            all.push(Hearer { milter: Arc::clone(milter), talk });
        }
        let mut met = Self { all, macros, discarded_by: None };
        let peer = about::peer(session);
        let said = met.tell(Told::Connect(&peer)).await;
        (met, said)
    }

    /// Tells them of HELO or EHLO.
    ///
    /// # Errors
    /// As [`Self::meet`].
    pub(super) async fn helo(&mut self, session: &Session) -> Result<(), Refusal> {
        about::encryption(&mut self.macros, session);
        self.discarded_by = None;
        let name = session.helo().unwrap_or_default();
        self.tell(Told::Helo(name)).await
    }

    /// Tells them of a sender.
    ///
    /// # Errors
    /// One refuses it, or has failed where that is refused.
    pub(super) async fn sender(&mut self, session: &Session) -> Result<(), Refusal> {
        let Some(envelope) = session.transaction() else { return Ok(()) };
        about::sender(&mut self.macros, session, envelope);
        self.discarded_by = None;
        let words = about::mail_words(session, envelope);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.tell(Told::Mail(&words)).await
    }

    /// Tells them of a recipient.
    ///
    /// # Errors
    /// One refuses it, or has failed where that is refused.
    pub(super) async fn recipient(&mut self, recipient: &Recipient) -> Result<(), Refusal> {
        about::recipient(&mut self.macros, recipient);
        let words = [format!("<{}>", recipient.address)];
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.tell(Told::Rcpt(&words)).await
    }

    /// Tells them of DATA. `id`: the name that the mail will have.
    ///
    /// # Errors
    /// One refuses the mail, or has failed where that is refused.
    pub(super) async fn data(&mut self, id: &str) -> Result<(), Refusal> {
        self.macros.set("i", id);
        self.tell(Told::Data).await
    }

    /// Who has wanted the mail thrown away, before its content came.
    pub(super) fn discarded_by(&self) -> Option<&str> {
        self.discarded_by.as_deref()
    }

    /// How many there are.
    pub(super) const fn count(&self) -> usize {
        self.all.len()
    }

    /// Shows the whole mail to one of them. `own`: how many of its first fields are our own, which none is shown.
    ///
    /// # Errors
    /// The mail cannot be read.
    pub(super) async fn show(
        &mut self,
        nth: usize,
        content: &Content,
        own: usize,
    ) -> Result<Option<Word>, mailweir_queue::BodyError> {
        let Some(Hearer { milter, talk }) = self.all.get_mut(nth) else { return Ok(None) };
        let milter = Arc::clone(milter);
        let said = match talk {
            Talk::Failed(why) => Err(why.clone()),
            Talk::Open(line) => {
                let shown = line.show((content, own), &self.macros, milter.content_limit).await?;
                shown.map_err(|Failed(why)| why)
            }
        };
        if let (Talk::Open(_), Err(why)) = (&*talk, &said) {
            *talk = Talk::Failed(why.clone());
        }
        Ok(Some(Word { milter, said }))
    }

    /// Asks all that have not failed, in their order, until one refuses.
    async fn tell(&mut self, told: Told<'_>) -> Result<(), Refusal> {
        let Self { all, macros, discarded_by } = self;
        for Hearer { milter, talk } in all {
            let said = match talk {
                Talk::Open(line) => line.tell(told, macros, COMMAND_LIMIT).await,
                Talk::Failed(why) => Err(Failed(why.clone())),
            };
            match said {
                Ok(Answer::Continue | Answer::Accept) => {}
                Ok(Answer::Refuse(reply) | Answer::Close(reply)) => {
                    return Err(Refusal::Rule(reply));
                }
                Ok(Answer::Discard) => *discarded_by = Some(milter.name.clone()),
                Err(Failed(why)) => {
                    *talk = Talk::Failed(why);
                    match milter.if_failed {
                        IfFailed::Defer => return Err(Refusal::FilterUnavailable),
                        IfFailed::Reject => return Err(Refusal::FilterFailed),
                        // It is heard of when the mail is complete.
                        IfFailed::Hold | IfFailed::Pass => {}
                    }
                }
            }
        }
        Ok(())
    }
}

pub(super) use self::about::Place;

/// Postfix `milter_command_timeout`.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);
