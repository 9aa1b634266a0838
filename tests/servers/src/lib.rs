//! Servers of other people, from Debian's packages, for tests: each is started with a configuration
//! and data of its own in a temporary directory, on loopback or a socket there, and ends when it is
//! dropped.
//!
//! What is needed from the system and not there is said in one place, [`tools`]; only [`wait`]
//! sleeps.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a tool that cannot do its work ends the test that uses it"
)]

mod account;
mod accounts;
mod address;
mod amavis;
mod clamd;
mod daemon;
mod dovecot;
pub mod issuer;
mod mariadb;
mod opendmarc;
pub mod passwords;
pub mod postfix;
mod postgresql;
mod postgrey;
mod rspamd;
mod saslauthd;
mod slapd;
mod spamd;
pub mod tools;
pub mod wait;

pub use address::free_address;
pub use amavis::Amavis;
pub use clamd::Clamd;
pub use daemon::Daemon;
pub use dovecot::Dovecot;
pub use mariadb::MariaDb;
pub use opendmarc::OpenDmarc;
pub use postgresql::PostgreSql;
pub use postgrey::Postgrey;
pub use rspamd::Rspamd;
pub use saslauthd::{Saslauthd, testsaslauthd_accepts};
pub use slapd::{Person, Slapd};
pub use spamd::Spamd;
