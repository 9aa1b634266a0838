//! Counters, fed by the same events as the log, in the Prometheus text format.
//!
//! The names that dashboards for Postfix know are kept as they are (`conventions.md`, section 7);
//! our own begin with `mailweir_`. Plain atomics: what can be counted is a closed list, in
//! [`table`], where every counter stands beside its description. The few labels that peers can
//! influence live in [`labelled`], which bounds them. No address or message id is ever a label.

mod filters;
mod histogram;
mod labelled;
mod table;
mod text;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use mailweir_mail::{
    ConnectFailure, Cutoff, DeliveryReport, MailEvent, Received, ReportKind, RuleAction,
    SessionEvent, TlsSummary,
};

pub use self::filters::{FilterHealth, FilterOutcome};
use self::{
    filters::Filters, histogram::Histogram, labelled::Labelled, table::Counter, text::Exposition,
};
use super::OWN_MAIL;

/// All counters of one process.
#[derive(Debug)]
pub(super) struct Metrics {
    counters: [AtomicU64; Counter::COUNT],
    received: Labelled<1>,
    refused: Labelled<2>,
    rejected: Labelled<1>,
    lost: Labelled<1>,
    deferred: Labelled<1>,
    bounced: Labelled<1>,
    tls_in: Labelled<5>,
    tls_out: Labelled<5>,
    warnings: Labelled<1>,
    judged: Labelled<2>,
    rules: Labelled<1>,
    scored: Labelled<1>,
    probes: Labelled<1>,
    /// The filters of other people.
    pub(super) filters: Filters,
    size: Histogram,
    recipients: Histogram,
    delays: [Histogram; 4],
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            counters: [const { AtomicU64::new(0) }; Counter::COUNT],
            received: Labelled::new(["sasl_method"]),
            refused: Labelled::new(["command", "code"]),
            rejected: Labelled::new(["code"]),
            lost: Labelled::new(["after_stage"]),
            deferred: Labelled::new(["dsn"]),
            bounced: Labelled::new(["dsn"]),
            tls_in: Labelled::new(TLS_LABELS),
            tls_out: Labelled::new(TLS_LABELS),
            warnings: Labelled::new(["part"]),
            judged: Labelled::new(["listener", "told"]),
            rules: Labelled::new(["action"]),
            scored: Labelled::new(["action"]),
            probes: Labelled::new(["status"]),
            filters: Filters::default(),
            size: Histogram::new(SIZE_BOUNDS),
            recipients: Histogram::new(RECIPIENT_BOUNDS),
            delays: [const { Histogram::new(DELAY_BOUNDS) }; 4],
        }
    }
}

impl Metrics {
    /// Counts something in the life of a mail.
    pub(super) fn mail(&self, event: &MailEvent) {
        match event {
            MailEvent::Received(mail) => self.received(mail),
            MailEvent::Held { .. } => self.count(Counter::Held),
            MailEvent::RuleApplied(rule) => {
                self.rules.count([rule.action.as_str()]);
                if rule.action == RuleAction::Discard && rule.id.is_some() {
                    self.count(Counter::Discarded);
                }
            }
            MailEvent::Scored(scored) => self.scored.count([scored.action.as_str()]),
            MailEvent::Discarded { .. } => self.count(Counter::Discarded),
            MailEvent::Released { .. } => self.count(Counter::Released),
            MailEvent::Requeued { .. } => self.count(Counter::Requeued),
            MailEvent::Deleted { .. } => self.count(Counter::Deleted),
            MailEvent::Delivered(report) => self.attempt(Counter::Sent, report),
            MailEvent::Deferred(report) => {
                self.attempt(Counter::Deferred, report);
                self.count(Counter::DeferredAlias);
                self.deferred.count([&report.dsn.to_string()]);
            }
            MailEvent::Bounced(report) => {
                self.attempt(Counter::Bounced, report);
                self.bounced.count([&report.dsn.to_string()]);
            }
            MailEvent::Expired(_) => self.count(Counter::Expired),
            MailEvent::Probed { status, .. } => self.probes.count([status.as_str()]),
            MailEvent::AnswerLost { .. } => self.count(Counter::AnswerLost),
            MailEvent::Reported { kind, .. } => self.reported(*kind),
            MailEvent::Removed { .. } => self.count(Counter::Removed),
            MailEvent::Corrupt { .. } => self.count(Counter::Corrupt),
        }
    }

    /// Counts something in an SMTP session.
    pub(super) fn session(&self, event: &SessionEvent) {
        match event {
            SessionEvent::Connected { .. } => self.count(Counter::Connects),
            SessionEvent::Disconnected { .. } => self.count(Counter::Disconnects),
            SessionEvent::Lost { after, cause, .. } => self.cut_off(after, *cause),
            SessionEvent::Refused(refused) => self.refused(refused.command, refused.reply.code),
            SessionEvent::AuthFailed { .. } => self.count(Counter::AuthFailures),
            SessionEvent::NameUnconfirmed { .. } => self.count(Counter::NamesUnconfirmed),
            SessionEvent::ConnectFailed { failure: ConnectFailure::TimedOut, .. } => {
                self.count(Counter::ConnectTimeouts);
            }
            SessionEvent::ConnectFailed { failure: ConnectFailure::Other(_), .. } => {
                self.count(Counter::ConnectFailures);
            }
            SessionEvent::TlsAgreed { inbound: true, trust, summary, .. } => {
                count_tls(&self.tls_in, trust, summary);
            }
            SessionEvent::TlsAgreed { inbound: false, trust, summary, .. } => {
                count_tls(&self.tls_out, trust, summary);
            }
            SessionEvent::TlsFailed { inbound: true, .. } => self.count(Counter::TlsFailuresIn),
            SessionEvent::TlsFailed { inbound: false, .. } => self.count(Counter::TlsFailuresOut),
            SessionEvent::Judged { listener, told, .. } => self.judged.count([listener, told]),
            SessionEvent::Warning { part, .. } => self.warnings.count([part]),
            SessionEvent::Notice { .. } => self.count(Counter::Notices),
        }
    }

    /// Everything as text.
    pub(super) fn render(&self, gauges: &Gauges, log_lost: u64) -> String {
        let mut text = Exposition::default();
        for row in table::ROWS {
            text.counter(row.name, row.help, row.labels, self.value(row.counter));
        }
        self.render_labelled(&mut text);
        self.render_histograms(&mut text);
        self.filters.render(&mut text);
        gauges.render(&mut text);
        text.counter(
            "mailweir_log_lost_total",
            "Events that found no room in the log.",
            "",
            log_lost,
        );
        text.finish()
    }

    fn received(&self, mail: &Received) {
        // As Postfix: every mail passes cleanup and qmgr, only foreign mail passes smtpd.
        if &*mail.listener != OWN_MAIL {
            let method = mail.login.as_ref().map_or("NONE", |login| &login.mechanism);
            self.received.count([method]);
        }
        self.count(Counter::Cleaned);
        self.size.observe(mail.size);
        self.recipients.observe(mail.recipients as u64);
    }

    fn attempt(&self, status: Counter, report: &DeliveryReport) {
        self.count(status);
        let delays = &report.delays;
        let stages = [delays.before_queue, delays.in_queue, delays.setup, delays.transmission];
        for (histogram, delay) in self.delays.iter().zip(stages) {
            histogram.observe(u64::try_from(delay.as_micros()).unwrap_or(u64::MAX));
        }
    }

    fn cut_off(&self, after: &str, cause: Cutoff) {
        match cause {
            Cutoff::LostConnection => self.lost.count([after]),
            Cutoff::Timeout => self.count(Counter::Timeouts),
            Cutoff::TooManyErrors => self.count(Counter::TooManyErrors),
            Cutoff::ImproperPipelining => self.count(Counter::ImproperPipelining),
        }
    }

    fn refused(&self, command: &str, code: u16) {
        let code = code.to_string();
        self.refused.count([command, &code]);
        if command == "END-OF-MESSAGE" {
            self.count(Counter::ContentRejected);
        } else {
            self.rejected.count([&code]);
        }
    }

    fn reported(&self, kind: ReportKind) {
        self.count(match kind {
            ReportKind::Failure => Counter::FailureReports,
            ReportKind::Delay => Counter::DelayReports,
            ReportKind::Success => Counter::SuccessReports,
        });
    }

    fn count(&self, counter: Counter) {
        self.counters[counter as usize].fetch_add(1, Ordering::Relaxed);
    }

    fn value(&self, counter: Counter) -> u64 {
        self.counters[counter as usize].load(Ordering::Relaxed)
    }

    fn render_labelled(&self, text: &mut Exposition) {
        self.received.render(
            text,
            "postfix_smtpd_messages_processed_total",
            "Mails accepted from peers, by log-in mechanism.",
        );
        self.rejected.render(
            text,
            "postfix_smtpd_messages_rejected_total",
            "Commands refused before the content, by reply code.",
        );
        self.refused.render(
            text,
            "mailweir_refused_total",
            "Everything refused to peers, by command and reply code.",
        );
        self.lost.render(
            text,
            "postfix_smtpd_connections_lost_total",
            "Clients that left before QUIT, by their last command.",
        );
        self.deferred.render(
            text,
            "postfix_smtp_deferred_messages_by_dsn_total",
            "Deferred deliveries, by enhanced status code.",
        );
        self.bounced.render(
            text,
            "postfix_smtp_bounced_messages_by_dsn_total",
            "Deliveries refused for good, by enhanced status code.",
        );
        self.tls_in.render(
            text,
            "postfix_smtpd_tls_connections_total",
            "TLS sessions with peers that came to us.",
        );
        self.tls_out.render(
            text,
            "postfix_smtp_tls_connections_total",
            "TLS sessions with next hops.",
        );
        self.rules.render(text, "mailweir_rules_total", "What rules of tables did, by action.");
        let what = "Mails that were scored, by what became of them.";
        self.scored.render(text, "mailweir_spam_scored_total", what);
        let asked = "Recipients that next hops were asked about, by what came of it.";
        self.probes.render(text, "mailweir_probes_total", asked);
        self.warnings.render(text, "mailweir_warnings_total", "Warnings in the log, by part.");
        let judged =
            "Mails that mail servers asked about (milter), by listener and what they were told.";
        self.judged.render(text, "mailweir_judged_total", judged);
    }

    fn render_histograms(&self, text: &mut Exposition) {
        text.family(
            "postfix_qmgr_messages_inserted_size_bytes",
            "histogram",
            "Size of queued mails in bytes.",
        );
        self.size.render(text, "postfix_qmgr_messages_inserted_size_bytes", "", 1.0);
        text.family(
            "postfix_qmgr_messages_inserted_recipients",
            "histogram",
            "Recipients per queued mail.",
        );
        self.recipients.render(text, "postfix_qmgr_messages_inserted_recipients", "", 1.0);
        let name = "postfix_smtp_delivery_delay_seconds";
        text.family(name, "histogram", "Where the time of a delivery went, in seconds.");
        for (stage, histogram) in STAGES.iter().zip(&self.delays) {
            histogram.render(text, name, &format!("stage=\"{stage}\""), 1e6);
        }
    }
}

fn count_tls(family: &Labelled<5>, trust: &str, summary: &TlsSummary) {
    let bits = summary.bits.to_string();
    family.count([trust, &summary.version, &summary.cipher, &bits, &bits]);
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
    /// Log-ins.
    pub logins: LogInGauges,
    /// The archive, if there is one.
    pub archive: Option<ArchiveGauges>,
    /// Time since the start of the process.
    pub uptime: Duration,
}

/// What is true of log-ins at the moment of a scrape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogInGauges {
    /// Addresses that have to wait before the next attempt.
    pub waiting_addresses: u64,
    /// Accounts that have to wait, also where they are familiar.
    pub waiting_accounts: u64,
    /// Attempts that were refused without a look since the start.
    pub throttled: u64,
    /// The back ends by name, and whether each answers.
    pub backends: Vec<(Box<str>, bool)>,
}

/// What is true of the archive at the moment of a scrape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArchiveGauges {
    /// Mails that are done and wait for the archive alone.
    pub waiting: u64,
    /// How long ago the oldest mail came of which it is owed something now.
    pub lag: Duration,
    /// Whether it can be written.
    pub is_writable: bool,
    /// The number of its last record, once that is known.
    pub last_record: Option<u64>,
    /// Records that the index does not know yet, if there is one.
    pub not_indexed: Option<u64>,
}

/// How often the store synced to disk, and how long that took in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FsyncTimes {
    /// Number of syncs since the start.
    pub count: u64,
    /// Time they took together.
    pub total: Duration,
}

impl Gauges {
    fn render(&self, text: &mut Exposition) {
        text.gauge("postfix_up", "Whether this answer is complete.", "", 1);
        let depth = "postfix_showq_queue_depth";
        let queues =
            [("incoming", self.ready), ("active", self.delivering), ("deferred", self.deferred)];
        for (queue, count) in queues.into_iter().chain([("hold", self.held)]) {
            let labels = format!("queue=\"{queue}\"");
            text.gauge(depth, "Mails in the queue, by Postfix's names of queues.", &labels, count);
        }
        text.gauge("mailweir_held_messages", "Mails on hold.", "", self.held);
        text.gauge("mailweir_corrupt_messages", "Mails that cannot be read.", "", self.corrupt);
        text.gauge(
            "mailweir_queue_oldest_seconds",
            "Age of the oldest mail that is not on hold.",
            "",
            self.oldest.as_secs_f64(),
        );
        text.gauge("mailweir_sessions", "Open sessions with clients.", "", self.sessions);
        text.gauge("mailweir_connections", "Open connections to next hops.", "", self.connections);
        self.logins.render(text);
        if let Some(archive) = &self.archive {
            archive.render(text);
        }
        text.gauge(
            "mailweir_uptime_seconds",
            "Time since the start of the process.",
            "",
            self.uptime.as_secs_f64(),
        );
        let fsync = "mailweir_store_fsync_seconds";
        text.family(fsync, "summary", "Syncs of the store to disk.");
        text.sample(fsync, "_sum", "", self.fsync.total.as_secs_f64());
        text.sample(fsync, "_count", "", self.fsync.count);
        let version = concat!("version=\"", env!("CARGO_PKG_VERSION"), "\"");
        text.gauge("mailweir_build_info", "The running version; always 1.", version, 1);
    }
}

impl LogInGauges {
    fn render(&self, text: &mut Exposition) {
        let kinds = [("address", self.waiting_addresses), ("account", self.waiting_accounts)];
        for (kind, count) in kinds {
            let labels = labelled::label("kind", kind);
            let help = "Addresses and accounts that have to wait before the next log-in.";
            text.gauge("mailweir_auth_waiting", help, &labels, count);
        }
        let help = "Log-ins refused without a look, after too many failures.";
        text.counter("mailweir_auth_throttled_total", help, "", self.throttled);
        for (backend, is_up) in &self.backends {
            let labels = labelled::label("backend", backend);
            let help = "Whether a back end of log-ins answers.";
            text.gauge("mailweir_auth_backend_up", help, &labels, u8::from(*is_up));
        }
    }
}

impl ArchiveGauges {
    fn render(&self, text: &mut Exposition) {
        let help = "Mails that are done and wait for the archive alone.";
        text.gauge("mailweir_archive_waiting_messages", help, "", self.waiting);
        let help = "How long ago the oldest mail came of which the archive is owed something now.";
        text.gauge("mailweir_archive_lag_seconds", help, "", self.lag.as_secs_f64());
        let help = "Whether the archive can be written.";
        text.gauge("mailweir_archive_writable", help, "", u8::from(self.is_writable));
        if let Some(last) = self.last_record {
            let help = "The number of the last record in the archive.";
            text.gauge("mailweir_archive_last_record", help, "", last);
        }
        if let Some(behind) = self.not_indexed {
            let help = "Records of the archive that its index does not know yet.";
            text.gauge("mailweir_archive_not_indexed_records", help, "", behind);
        }
    }
}

/// Bounds as in the Postfix exporter, in bytes.
const SIZE_BOUNDS: &[u64] =
    &[1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

/// Bounds as in the Postfix exporter.
const RECIPIENT_BOUNDS: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128];

/// Bounds as in the Postfix exporter, from a millisecond to two days, in microseconds.
const DELAY_BOUNDS: &[u64] = &[
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    60_000_000,
    3_600_000_000,
    86_400_000_000,
    172_800_000_000,
];

/// The four parts of `delays=a/b/c/d`.
const STAGES: [&str; 4] =
    ["before_queue_manager", "queue_manager", "connection_setup", "transmission"];

const TLS_LABELS: [&str; 5] = ["trust", "protocol", "cipher", "secret_bits", "algorithm_bits"];
