//! A case in words for logs, command lines and programs. What moderators and senders read is in their
//! language, and stands in [`crate::notice`].

use std::fmt;

use mailweir_mail::Timestamp;

use super::{Actor, AtExpiry, Case, Closing, Decision, Entry, Kind, Proof, QueueDeed, State, Step};

/// `moderator kim@own.example`, `sender ann@own.example`, `administrator root`, `nobody`.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Moderator(address) => write!(f, "moderator {address}"),
            Self::Sender(address) => write!(f, "sender {address}"),
            Self::Administrator(name) => write!(f, "administrator {name}"),
            Self::Clock => f.write_str("nobody"),
        }
    }
}

impl Proof {
    /// How it is known, in one word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Reply => "reply",
            Self::Login => "login",
            Self::Api => "api",
            Self::CommandLine => "command_line",
            Self::Gateway => "gateway",
        }
    }
}

impl Decision {
    /// Whether the mail goes, to some at least.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Self::Released | Self::Expired(AtExpiry::Release))
    }

    /// Whether its words are for the sender: what is said about a refusal is, what moderators say to each
    /// other is not.
    #[must_use]
    pub const fn tells_why(self) -> bool {
        matches!(self, Self::Rejected | Self::Returned)
    }

    /// What was decided, in one word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Released | Self::Expired(AtExpiry::Release) => "released",
            Self::Rejected => "rejected",
            Self::Returned => "returned",
            Self::Discarded => "discarded",
            Self::Cancelled => "cancelled",
            Self::Expired(AtExpiry::Reject | AtExpiry::Discard) => "expired",
            Self::Gone | Self::Damaged => "gone",
        }
    }
}

impl State {
    /// Where it stands, in one word: `waiting`, `scheduled`, or what was decided.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pending => "waiting",
            Self::Scheduled { .. } => "scheduled",
            Self::Closed(closing) => closing.decision.as_str(),
        }
    }
}

/// `rejected by moderator kim@own.example`, `expired: nobody decided, rejected`, `released: its time
/// had come`.
impl fmt::Display for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.decision, &self.by.who) {
            (Decision::Expired(action), _) => f.write_str(at_expiry(action)),
            (Decision::Gone, _) => f.write_str(GONE),
            (Decision::Damaged, _) => f.write_str(DAMAGED),
            (decision, Actor::Clock) => write!(f, "{}: its time had come", decision.as_str()),
            (decision, who) => write!(f, "{} by {who}", decision.as_str()),
        }
    }
}

impl Case {
    /// How it stands, on one line: `waits for an approval`, `released by moderator kim@own.example`.
    #[must_use]
    pub fn standing(&self) -> String {
        if let Some(Entry { step: step @ Step::Passed(_), by, .. }) = self.progress.history.first()
        {
            return step.by(&by.who);
        }
        match &self.progress.state {
            State::Pending => match self.plan.kind {
                Kind::Approval => "waits for an approval".to_owned(),
                Kind::Delay => "waits for its time".to_owned(),
                Kind::Confirmation => "waits for its sender".to_owned(),
            },
            State::Scheduled { at, by } => {
                format!("approved by {}, sent {}", by.who, minute(*at))
            }
            State::Closed(closing) => match (self.plan.kind, closing.decision) {
                (Kind::Approval | Kind::Confirmation, Decision::Expired(AtExpiry::Release)) => {
                    "released: nobody decided in time".to_owned()
                }
                _ => closing.to_string(),
            },
        }
    }
}

/// What happened, and by whom, without time and words: `approved by moderator kim@own.example`.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        step(f, &self.step, &self.by.who)
    }
}

impl Step {
    /// The step in words, as [`Entry`] shows it.
    #[must_use]
    pub fn by(&self, who: &Actor) -> String {
        struct Told<'a>(&'a Step, &'a Actor);
        impl fmt::Display for Told<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                step(f, self.0, self.1)
            }
        }
        Told(self, who).to_string()
    }
}

fn step(f: &mut fmt::Formatter<'_>, step: &Step, who: &Actor) -> fmt::Result {
    match step {
        Step::Opened => f.write_str("held"),
        Step::Approved => write!(f, "approved by {who}"),
        Step::NextLevel => f.write_str("the next level decides"),
        Step::Scheduled(at) => write!(f, "approved by {who}, to be sent {}", minute(*at)),
        Step::Commented => write!(f, "comment by {who}"),
        Step::Forwarded(to) => write!(f, "forwarded to {to} by {who}"),
        Step::Reminded => f.write_str("people were reminded"),
        Step::RemindedTimes(1) => f.write_str("people were reminded once more"),
        Step::RemindedTimes(times) => write!(f, "people were reminded {times} times more"),
        Step::Escalated => f.write_str("others were asked too"),
        Step::Warned => f.write_str("people were warned that it expires"),
        Step::Closed(Decision::Expired(action)) => f.write_str(at_expiry(*action)),
        Step::InQueue(QueueDeed::Released) => write!(f, "released in the queue by {who}"),
        Step::InQueue(QueueDeed::Deleted) => write!(f, "deleted in the queue by {who}"),
        Step::Closed(Decision::Gone) => f.write_str(GONE),
        Step::Closed(Decision::Damaged) => f.write_str(DAMAGED),
        Step::Closed(decision) => write!(f, "{} by {who}", decision.as_str()),
        Step::Passed(1) => f.write_str("sent at once, 1 was told"),
        Step::Passed(told) => write!(f, "sent at once, {told} were told"),
        Step::Trusted(until) => write!(f, "log-in trusted until {} by {who}", minute(*until)),
        Step::Distrusted => write!(f, "trust ended by {who}"),
    }
}

const GONE: &str = "gone: it has left the queue, and how is not known here";

const DAMAGED: &str = "gone: what is stored of it is not what was held, and is not released";

/// `2026-11-20 21:30 UTC`.
fn minute(time: Timestamp) -> String {
    let text = time.rfc3339();
    let minute = text.get(..16).unwrap_or(&text).replacen('T', " ", 1);
    format!("{minute} UTC")
}

const fn at_expiry(action: AtExpiry) -> &'static str {
    match action {
        AtExpiry::Reject => "expired: nobody decided, rejected",
        AtExpiry::Release => "released: its time had come",
        AtExpiry::Discard => "expired: nobody decided, discarded",
    }
}
