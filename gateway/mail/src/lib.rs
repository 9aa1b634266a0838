//! The vocabulary that all parts of Mailweir share.
//!
//! Everything here is a plain value: addresses, envelopes, queue ids, replies, verdicts and the
//! events of a mail's life. Nothing here opens a socket or a file, asks a clock, or waits.
//! Equality of addresses is decided in one place, [`address`].

pub mod address;
pub mod compose;
mod date;
mod envelope;
mod event;
pub mod header_from;
pub mod hex;
mod ip_text;
mod nearest;
mod network;
mod origin;
mod points;
mod queue_id;
mod reply;
mod time;
mod transport;
mod verdict;

pub use address::{Address, AddressError, Domain, ReversePath};
pub use date::{Date, NotADate};
pub use envelope::{BodyType, Envelope, EnvelopeId, Notify, OriginalRecipient, Recipient, Return};
pub use event::{
    ConnectFailure, Cutoff, Delays, DeliveryReport, HeldBy, MailEvent, ProbeStatus, Received,
    Refused, ReportKind, RuleAction, RuleApplied, Scored, ScoredBy, SessionEvent, SpamAction,
    TransactionSummary,
};
pub use ip_text::IpText;
pub use nearest::nearest;
pub use network::{Network, NetworkError};
pub use origin::{Client, Forwarded, Login, Origin, Protocol, TlsSummary};
pub use points::Points;
pub use queue_id::{QueueId, QueueIdError};
pub use reply::{Enhanced, Reply, ReplyClass};
pub use time::{Civil, NotATime, Timestamp};
pub use transport::Transport;
pub use verdict::{HoldReason, Stage, Verdict};
