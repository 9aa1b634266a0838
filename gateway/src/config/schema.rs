//! The sections of `mailweir.toml`: every key with its meaning, type, default and Postfix name.
//!
//! Sections whose keys are final as read are public types. Where the checked configuration says
//! more than the file ([`Listener`](super::Listener), [`Route`](super::Route), ...), the section
//! here is what the file says, and `check.rs` makes the checked type from it.

mod admin;
mod archive;
mod delivery;
mod filters;
mod listener;
mod log_in;
mod moderation;
mod restrictions;
mod server;
mod spam;
mod tables;

pub(super) use self::{
    admin::ApiTokenSection,
    archive::{ArchiveRuleSection, ArchiveSection},
    delivery::{RouteSection, SmtpSection},
    filters::{FilterSection, MilterServerSection, PolicyServerSection},
    listener::ListenerSection,
    log_in::{AuthSection, BackendSection, QuotasSection, SendersSection, ThrottleSection},
    moderation::{ModerationSection, ModeratorSection, RuleSection},
    restrictions::{AddressVerifySection, ClassSection, RestrictionsSection},
    server::{ServerSection, TlsSection},
    spam::{DkimSection, SpamSection},
};
pub use self::{
    admin::{Admin, Log, Metrics},
    server::{Dns, Domains, Limits, Queue},
    tables::{Checks, Rewriting},
};
use super::section::{Schema, Section};

/// All sections, in the order of the reference.
pub(super) static SCHEMAS: &[Schema] = &[
    ServerSection::SCHEMA,
    Domains::SCHEMA,
    ListenerSection::SCHEMA,
    Limits::SCHEMA,
    TlsSection::SCHEMA,
    RouteSection::SCHEMA,
    SmtpSection::SCHEMA,
    Dns::SCHEMA,
    Queue::SCHEMA,
    AuthSection::SCHEMA,
    BackendSection::SCHEMA,
    ThrottleSection::SCHEMA,
    SendersSection::SCHEMA,
    QuotasSection::SCHEMA,
    RestrictionsSection::SCHEMA,
    ClassSection::SCHEMA,
    AddressVerifySection::SCHEMA,
    Checks::SCHEMA,
    Rewriting::SCHEMA,
    ModerationSection::SCHEMA,
    ModeratorSection::SCHEMA,
    RuleSection::SCHEMA,
    PolicyServerSection::SCHEMA,
    MilterServerSection::SCHEMA,
    FilterSection::SCHEMA,
    ArchiveSection::SCHEMA,
    ArchiveRuleSection::SCHEMA,
    SpamSection::SCHEMA,
    DkimSection::SCHEMA,
    Admin::SCHEMA,
    ApiTokenSection::SCHEMA,
    Log::SCHEMA,
    Metrics::SCHEMA,
];
