//! Everything that watches: one log line and one counter for every event.
//!
//! [`Observer`] is handed to every task. It turns [`MailEvent`] and [`SessionEvent`] into lines
//! in Postfix's shape or in JSON and counts them for `/metrics`. A thread of its own writes the
//! lines, many in one system call, so that a log that is read slowly, or not at all, never holds
//! up mail (`attacks.md` J5): lines that find no room are dropped and counted. It reads no clock
//! and no configuration itself, and it never logs content or credentials.

mod json;
mod line;
mod metrics;
mod postfix;
mod tap;
mod writer;

#[cfg(test)]
mod tests;

use std::{fmt, io, str::FromStr, sync::Arc, time::Duration};

use mailweir_mail::{MailEvent, SessionEvent, Timestamp};

pub use self::metrics::{
    ArchiveGauges, FilterHealth, FilterOutcome, FsyncTimes, Gauges, LogInGauges,
};
pub(crate) use self::tap::{Detail, Heard};
use self::{metrics::Metrics, tap::Tap, writer::Writer};

/// Where events go. Cheap to clone; all clones write to the same log and the same counters.
#[derive(Clone)]
pub struct Observer {
    inner: Arc<Inner>,
}

struct Inner {
    options: LogOptions,
    clock: Clock,
    metrics: Metrics,
    writer: Writer,
    /// Who hears everything besides, while a mail is explained.
    tap: Option<Tap>,
}

impl Observer {
    /// Starts the thread that writes to `sink`, usually standard output. `clock` gives the time
    /// that lines are stamped with. The thread ends when the last clone is dropped.
    ///
    /// # Errors
    /// The operating system has no thread to give.
    pub fn start(
        options: LogOptions,
        sink: Box<dyn io::Write + Send>,
        clock: Clock,
    ) -> io::Result<Self> {
        let writer = Writer::start(sink)?;
        let inner = Inner { options, clock, metrics: Metrics::default(), writer, tap: None };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Logs and counts something in the life of a mail.
    pub fn mail(&self, event: &MailEvent) {
        self.inner.tell(|| Heard::Mail(event));
        self.inner.metrics.mail(event);
        if let Some(level) = mail_level(event) {
            self.inner.log(level, |stamp, out| write_mail(event, stamp, out));
        }
    }

    /// Logs and counts something in an SMTP session.
    pub fn session(&self, event: &SessionEvent) {
        self.inner.tell(|| Heard::Session(event));
        self.inner.metrics.session(event);
        self.inner.log(session_level(event), |stamp, out| write_session(event, stamp, out));
    }

    /// Counts what a filter of other people has come to with a mail, and how long it took. One that is not among
    /// [`Self::watch_filters`] is not counted.
    pub fn filter_asked(&self, name: &str, outcome: FilterOutcome, took: Option<Duration>) {
        self.inner.metrics.filters.asked(name, outcome, took);
    }

    /// Whether a filter is left alone from now on, since it fails again and again.
    pub fn filter_left_alone(&self, name: &str, is_left_alone: bool) {
        self.inner.metrics.filters.left_alone(name, is_left_alone);
    }

    /// The filters there are from now on. Those that were there before keep what they have come to; the others are forgotten.
    pub fn watch_filters<'n>(&self, names: impl IntoIterator<Item = &'n str>) {
        self.inner.metrics.filters.watch(names);
    }

    /// How the filters fare, in their order.
    #[must_use]
    pub fn filters(&self) -> Vec<FilterHealth> {
        self.inner.metrics.filters.health()
    }

    /// Waits until everything logged so far is written, at most for `patience`. Says whether it
    /// is. For the end of the process; blocks the calling thread.
    #[must_use]
    pub fn flush(&self, patience: Duration) -> bool {
        self.inner.writer.flush(patience)
    }

    /// All counters and the given gauges in the Prometheus text format, version 0.0.4.
    #[must_use]
    pub fn render(&self, gauges: &Gauges) -> String {
        self.inner.metrics.render(gauges, self.inner.writer.lost())
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer").field("options", &self.inner.options).finish_non_exhaustive()
    }
}

impl Inner {
    fn log(&self, level: Level, write: impl FnOnce(&Stamp<'_>, &mut Vec<u8>)) {
        if level > self.options.level {
            return;
        }
        self.writer.append((self.clock)(), self.options.format, |time, lost, out| {
            let stamp = |level| Stamp { time, level, options: &self.options };
            if let Some(lost) = lost {
                let text = format!("{lost} log events were lost since the start").into();
                let event = SessionEvent::Warning { part: "postlogd", text };
                write_session(&event, &stamp(Level::Warning), out);
            }
            write(&stamp(level), out);
        });
    }
}

fn write_mail(event: &MailEvent, stamp: &Stamp<'_>, out: &mut Vec<u8>) {
    match stamp.options.format {
        LogFormat::Text => postfix::mail(event, stamp, out),
        LogFormat::Json => json::mail(event, stamp, out),
    }
}

fn write_session(event: &SessionEvent, stamp: &Stamp<'_>, out: &mut Vec<u8>) {
    match stamp.options.format {
        LogFormat::Text => postfix::session(event, stamp, out),
        LogFormat::Json => json::session(event, stamp, out),
    }
}

/// Gives the current wall-clock time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How the log looks.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// Text or JSON.
    pub format: LogFormat,
    /// The least important level that is still written.
    pub level: Level,
    /// The host name in every text line.
    pub hostname: Box<str>,
    /// The process id in every text line.
    pub pid: u32,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Postfix's lines behind a classic syslog time stamp in UTC: `Nov 20 21:30:00 host
    /// postfix/smtpd[7]: ...`. What pflogsumm, fail2ban and Postfix exporters read.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = UnknownWord;

    /// Reads `text` (or `plain`, as the container images of others call it) or `json`.
    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        match word {
            "text" | "plain" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(UnknownWord { expected: "text, json" }),
        }
    }
}

/// How much an event matters, most important first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Mail is at risk: somebody must act.
    Error,
    /// Somebody should look.
    Warning,
    /// The ordinary life of mail.
    #[default]
    Info,
}

impl Level {
    /// The word for it in configuration and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

impl FromStr for Level {
    type Err = UnknownWord;

    /// Reads `error`, `warning` or `info`.
    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        [Self::Error, Self::Warning, Self::Info]
            .into_iter()
            .find(|level| level.as_str() == word)
            .ok_or(UnknownWord { expected: "error, warning, info" })
    }
}

/// A word of the configuration that is none of the known ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected one of: {expected}")]
pub struct UnknownWord {
    expected: &'static str,
}

/// What a line starts from.
struct Stamp<'a> {
    time: &'a writer::TimeText,
    level: Level,
    options: &'a LogOptions,
}

/// The listener label of mail that we wrote ourselves ([`mailweir_mail::Origin::listener`]).
const OWN_MAIL: &str = "report";

/// None: it has no line.
fn mail_level(event: &MailEvent) -> Option<Level> {
    Some(match event {
        MailEvent::RuleApplied(rule) if rule.action.is_silent() => return None,
        MailEvent::Corrupt { .. } => Level::Error,
        MailEvent::AnswerLost { .. } => Level::Warning,
        MailEvent::Received(_)
        | MailEvent::Held { .. }
        | MailEvent::RuleApplied(_)
        | MailEvent::Scored(_)
        | MailEvent::Discarded { .. }
        | MailEvent::Released { .. }
        | MailEvent::Requeued { .. }
        | MailEvent::Deleted { .. }
        | MailEvent::Delivered(_)
        | MailEvent::Deferred(_)
        | MailEvent::Bounced(_)
        | MailEvent::Expired(_)
        | MailEvent::Probed { .. }
        | MailEvent::Reported { .. }
        | MailEvent::Removed { .. } => Level::Info,
    })
}

fn session_level(event: &SessionEvent) -> Level {
    match event {
        SessionEvent::AuthFailed { .. }
        | SessionEvent::NameUnconfirmed { .. }
        | SessionEvent::TlsFailed { .. }
        | SessionEvent::Warning { .. } => Level::Warning,
        SessionEvent::Connected { .. }
        | SessionEvent::Disconnected { .. }
        | SessionEvent::Lost { .. }
        | SessionEvent::Refused(_)
        | SessionEvent::ConnectFailed { .. }
        | SessionEvent::TlsAgreed { .. }
        | SessionEvent::Judged { .. }
        | SessionEvent::Notice { .. } => Level::Info,
    }
}
