//! Counters.

use std::time::Duration;

use mailweir_mail::{MailEvent, SessionEvent};

/// All counters.
#[derive(Debug, Default)]
pub struct Metrics {}

impl Metrics {
    /// Counts something in the life of a mail.
    pub fn mail(&self, event: &MailEvent) {
        let _ = event;
    }

    /// Counts something in an SMTP session.
    pub fn session(&self, event: &SessionEvent) {
        let _ = event;
    }

    pub(super) fn render(&self, gauges: &Gauges, log_lost: u64) -> String {
        let _ = (gauges, log_lost);
        String::new()
    }
}

/// What is true at the moment of a scrape; whoever answers `/metrics` asks the parts for it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gauges {
    /// Mails that wait for their first attempt or are due again.
    pub ready: u64,
    /// Mails that are being delivered.
    pub delivering: u64,
    /// Mails that wait for another attempt.
    pub deferred: u64,
    /// Mails on hold.
    pub held: u64,
    /// Mails that cannot be read and wait for `mailweir rescue`.
    pub corrupt: u64,
    /// Age of the oldest mail that is not on hold.
    pub oldest: Duration,
    /// Open SMTP sessions with peers that came to us.
    pub sessions: u64,
    /// Open connections to next hops.
    pub connections: u64,
    /// Syncs of the store.
    pub fsync: FsyncTimes,
}

/// How often the store synced to disk, and how long that took in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FsyncTimes {
    /// Number of syncs since the start.
    pub count: u64,
    /// Time they took together.
    pub total: Duration,
}
