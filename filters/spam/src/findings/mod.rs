//! What was found out becomes evidence with a name: results of checks on one side, [`Finding`]s on the other.
//!
//! One place, so that those who ask name servers, lists, scanners or a classifier know nothing of symbols, and so that
//! each piece of evidence is written for people once: short, and with what it is about. What a finding weighs is
//! in [`crate::symbols`]; what the mail shows by itself is found in [`crate::evidence`]. What nobody knows becomes a
//! finding that weighs nothing, or none (`attacks.md` F8).

mod authentication;
mod connection;
mod dkim;
mod judges;
mod lists;
#[cfg(test)]
mod tests;

pub use self::{
    authentication::{forged_results, of_authentication, of_iprev, of_spf},
    connection::{greylisted, known_correspondent, of_helo, of_reverse_name},
    judges::{Scanner, malware, of_objecting_scanner, of_opinion, of_scanner},
    lists::{Asked, of_listings},
};

#[cfg(doc)]
use crate::symbols::Finding;
