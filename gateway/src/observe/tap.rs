//! Somebody who hears of everything as it happens, and of what has no line in the log: for
//! `mailweir explain`, where the same parts are at work and nothing is sent.

use std::{io, sync::Arc};

use mailweir_filters::{restrictions::Permission, rewriting::Decision};
use mailweir_mail::{Envelope, HoldReason, MailEvent, SessionEvent};
use mailweir_moderation::{case::RuleName, chain::Walk, rule::Reason};

use super::{Inner, Level, LogFormat, LogOptions, Metrics, Observer, Writer};

/// What is heard.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Heard<'a> {
    Mail(&'a MailEvent),
    Session(&'a SessionEvent),
    Detail(Detail<'a>),
}

/// What only an explanation shows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Detail<'a> {
    /// A rule changed an address of the envelope, or added one.
    Address(&'a Decision),
    /// A rule changed an address in a header.
    Header(&'a Decision),
    /// A restriction permitted, and the rest of its list was not asked.
    Permitted(&'a Permission),
    /// The hosts that the mail came through, and whether they are trusted.
    Way(&'a Walk),
    /// A rule of moderation means the mail, and why.
    Moderated { action: &'static str, rule: &'a RuleName, reasons: &'a [Reason] },
    /// What is queued, and why it is held if it is.
    Queued(&'a Envelope, Option<&'a HoldReason>),
}

pub(super) type Tap = Box<dyn Fn(Heard<'_>) + Send + Sync>;

impl Observer {
    /// An observer that writes no log: `hear` hears everything.
    ///
    /// # Errors
    /// As of [`Observer::start`].
    pub(crate) fn heard_by(hear: impl Fn(Heard<'_>) + Send + Sync + 'static) -> io::Result<Self> {
        let options = LogOptions {
            format: LogFormat::Text,
            level: Level::Warning,
            hostname: "".into(),
            pid: std::process::id(),
        };
        let inner = Inner {
            options,
            clock: Arc::new(crate::clock::now),
            metrics: Metrics::default(),
            writer: Writer::start(Box::new(io::sink()))?,
            tap: Some(Box::new(hear)),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Tells what has no line in the log. Costs nothing where nobody hears it.
    pub(crate) fn detail(&self, detail: Detail<'_>) {
        self.inner.tell(|| Heard::Detail(detail));
    }
}

impl Inner {
    pub(super) fn tell<'a>(&self, heard: impl FnOnce() -> Heard<'a>) {
        if let Some(tap) = &self.tap {
            tap(heard());
        }
    }
}
