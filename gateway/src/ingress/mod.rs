//! Mail coming in: sockets and admission around [`mailweir_smtp::server::Session`].
//!
//! The protocol is the session's, the storage the queue's. Here bytes are moved and questions are
//! answered: who may connect, log in, relay, and what becomes of the mail.

mod addressees;
mod addressing;
mod admission;
mod breaker;
mod checks;
mod client_name;
mod connection;
mod content_scan;
mod evidence;
pub(crate) mod filters;
pub(crate) mod foresight;
mod impression;
mod incoming;
pub(crate) mod inspection;
mod listener;
pub(crate) mod milters;
mod moderation;
mod permits;
mod policy;
mod policy_services;
mod proxy;
mod recipients;
mod refusals;
mod rehearsal;
pub mod relay;
mod rerouting;
mod restrictions;
mod rules;
mod senders;
mod trace;
pub(crate) mod waiting;

pub(crate) use admission::Opinion;
pub use checks::ListenerChecks;
pub(crate) use listener::listen_to_programs;
pub use listener::{Listener, ListenerRules, Shared, listen};
pub(crate) use moderation::ListenerModeration;
pub use permits::Permits;
pub use policy::SubmissionPolicy;
pub(crate) use policy_services::PolicyServices;
pub(crate) use rehearsal::{Outcome, Rehearsal, Visitor};
pub use restrictions::ListenerRestrictions;
