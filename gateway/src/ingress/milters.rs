//! Milters: filters of other people that hear a session from its beginning.
//!
//! The words are in [`mailweir_external::milter`]; here are connections, and how long one waits. A milter that fails is not
//! asked any more in this session, and `if_failed` says what becomes of its mail.

mod about;
mod line;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mailweir_external::{
    edit::OwnFields,
    milter::{Answer, Macros},
    verdict::Verdict,
};
use mailweir_mail::Recipient;
use mailweir_policy::client::Server;
use mailweir_queue::Content;
use mailweir_smtp::{replies::Refusal, server::Session};
use tokio::time::Instant;

use self::line::{Failed, Line, Told};
use super::breaker::{self, Breaker};
use crate::{
    config::{self, FilterKind, Filters, IfFailed, Mode},
    observe::{FilterOutcome, Observer},
};

/// A milter, as the configuration has it.
pub(crate) struct Milter {
    pub(super) name: Box<str>,
    server: Server,
    pub(super) if_failed: IfFailed,
    /// For its answer to a whole mail.
    content_limit: Duration,
    /// Bytes of a body that it may put in place of another.
    body_limit: usize,
    breaker: Arc<Mutex<Breaker>>,
}

/// How each milter fares, on all listeners together.
#[derive(Default)]
pub(crate) struct Breakers(HashMap<Box<str>, Arc<Mutex<Breaker>>>);

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
    /// Whether the log has that it failed.
    is_told: bool,
}

/// How things stand with one.
enum Talk {
    Open(Box<Line>),
    /// It has failed, and how; or it was not asked, as the outcome says.
    Failed(Box<str>, FilterOutcome),
}

/// What a milter says of a whole mail.
pub(super) struct Word {
    pub(super) milter: Arc<Milter>,
    /// Without one it has failed, and how.
    pub(super) said: Result<Verdict, Box<str>>,
    pub(super) outcome: FilterOutcome,
}

/// A milter that has failed so that the client is put off or refused.
pub(super) struct Failure<'f> {
    pub(super) milter: &'f Milter,
    pub(super) why: &'f str,
    pub(super) outcome: FilterOutcome,
}

impl Milter {
    /// Those that hear the sessions of a listener where mail comes in that filters have not had.
    pub(crate) fn of(
        filters: &Filters,
        listener: &config::Listener,
        breakers: &mut Breakers,
    ) -> Vec<Arc<Self>> {
        let size = listener.limits.message_size_limit.bytes();
        let is_first = matches!(listener.mode, Mode::Mx | Mode::Submission);
        let all = filters.all.iter().filter(|_| is_first);
        let all = all.filter_map(|filter| match &filter.kind {
            FilterKind::Milter(milter) if milter.hears(&listener.name) => Some(Arc::new(Self {
                name: filter.name.clone(),
                server: milter.server.clone(),
                if_failed: filter.if_failed,
                content_limit: filter.time_limit,
                body_limit: match usize::try_from(size) {
                    Ok(size @ 1..MOST_BODY) => size,
                    Ok(_) | Err(_) => MOST_BODY,
                },
                breaker: Arc::clone(breakers.0.entry(filter.name.clone()).or_default()),
            })),
            FilterKind::Milter(_)
            | FilterKind::Smtp(_)
            | FilterKind::Proxy(_)
            | FilterKind::Pipe(_)
            | FilterKind::Scan(_) => None,
        });
        all.collect()
    }

    /// Connects to it, unless it is left alone.
    async fn meet(&self) -> Talk {
        if let Some(times) = self.breaker().refuses(Instant::now()) {
            return Talk::Failed(breaker::left_alone(times).into(), FilterOutcome::LeftAlone);
        }
        match Line::open(&self.server, self.body_limit).await {
            Ok(line) => {
                self.breaker().is_back();
                Talk::Open(Box::new(line))
            }
            Err(Failed(why)) => self.has_failed(why),
        }
    }

    fn has_failed(&self, why: Box<str>) -> Talk {
        self.breaker().failed(Instant::now());
        Talk::Failed(why, FilterOutcome::Failed)
    }

    /// Whether it is left alone, since it fails again and again.
    pub(super) fn is_left_alone(&self) -> bool {
        self.breaker().is_open()
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
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
            let talk = milter.meet().await;
            all.push(Hearer { milter: Arc::clone(milter), talk, is_told: false });
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

    /// One that has failed so that the client is put off or refused, once.
    pub(super) fn take_failure(&mut self) -> Option<Failure<'_>> {
        self.all.iter_mut().filter(|hearer| !hearer.is_told).find_map(|hearer| {
            let Hearer { milter, talk: Talk::Failed(why, outcome), is_told } = hearer else {
                return None;
            };
            if matches!(milter.if_failed, IfFailed::Hold | IfFailed::Pass) {
                return None;
            }
            *is_told = true;
            Some(Failure { milter, why, outcome: *outcome })
        })
    }

    /// How many there are.
    pub(super) const fn count(&self) -> usize {
        self.all.len()
    }

    /// Shows the whole mail to one of them. `own`: those of its fields that none is shown.
    ///
    /// # Errors
    /// The mail cannot be read.
    pub(super) async fn show(
        &mut self,
        nth: usize,
        content: &Content,
        own: &OwnFields,
    ) -> Result<Option<Word>, mailweir_queue::BodyError> {
        let Some(hearer) = self.all.get_mut(nth) else { return Ok(None) };
        let (milter, talk) = (Arc::clone(&hearer.milter), &mut hearer.talk);
        if let Talk::Open(line) = talk {
            match line.show((content, own), &self.macros, milter.content_limit).await? {
                Ok(verdict) => {
                    milter.breaker().succeeded();
                    let outcome = FilterOutcome::of(&verdict.decision);
                    return Ok(Some(Word { milter, said: Ok(verdict), outcome }));
                }
                Err(Failed(why)) => *talk = milter.has_failed(why),
            }
        }
        hearer.is_told = true;
        Ok(match talk {
            Talk::Failed(why, outcome) => {
                Some(Word { milter, said: Err(why.clone()), outcome: *outcome })
            }
            Talk::Open(_) => None,
        })
    }

    /// Asks all that have not failed, in their order, until one refuses.
    async fn tell(&mut self, told: Told<'_>) -> Result<(), Refusal> {
        let Self { all, macros, discarded_by } = self;
        for Hearer { milter, talk, .. } in all {
            let said = match talk {
                Talk::Open(line) => line.tell(told, macros, COMMAND_LIMIT).await,
                Talk::Failed(why, _) => Err(Failed(why.clone())),
            };
            match said {
                Ok(Answer::Continue | Answer::Accept) => {}
                Ok(Answer::Refuse(reply) | Answer::Close(reply)) => {
                    return Err(Refusal::Rule(reply));
                }
                Ok(Answer::Discard) => *discarded_by = Some(milter.name.clone()),
                Err(Failed(why)) => {
                    if let Talk::Open(_) = talk {
                        *talk = milter.has_failed(why);
                    }
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

/// Counts how a milter has fared with a mail. `took`: for all of it.
pub(super) fn note(
    observer: &Observer,
    milter: &Milter,
    outcome: FilterOutcome,
    took: Option<Duration>,
) {
    observer.filter_left_alone(&milter.name, milter.is_left_alone());
    let took = took.filter(|_| outcome != FilterOutcome::LeftAlone);
    observer.filter_asked(&milter.name, outcome, took);
}

pub(super) use self::about::Place;

/// Bytes of a body that is held in memory for a milter that replaces it, however large mail may be.
const MOST_BODY: usize = 64 << 20;

/// Postfix `milter_command_timeout`.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);
