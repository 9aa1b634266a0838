//! Postfix's smtpd restrictions, by their names, in ordered lists: who may connect, greet, send,
//! and to whom (postconf(5), access(5), SMTPD_ACCESS_README).
//!
//! [`Restrictions::read`] takes the lists as an administrator wrote them for Postfix, and
//! [`evaluate`] says at each step of a session what comes of them. What is asked of the world goes
//! through [`Facts`]; nothing here opens a table, a socket or a clock. What the session knows is a
//! [`Transaction`]; what one step leaves for the next is a [`Memory`].

mod access;
mod action;
mod apply;
mod block_lists;
mod complaint;
mod dns_list;
mod effects;
mod evaluator;
mod facts;
mod hostname;
mod hosts;
mod lists;
mod memory;
mod names;
mod outcome;
mod parse;
mod policy_service;
mod rbl_reply;
mod relay;
mod replies;
mod restriction;
mod servers;
mod settings;
mod strangers;
mod subject;
#[cfg(test)]
mod tests;
mod transaction;
mod unverified;

use self::evaluator::Evaluator;
pub use self::{
    complaint::complaint,
    dns_list::{DnsList, PatternError},
    facts::{AddressClass, Destination, DnsError, Facts, Record, RecordKind},
    lists::{ListError, ListTexts, Read, Restrictions},
    memory::{Effects, Memory, Wish},
    outcome::{Decision, DecisionKind, Outcome, Permission, Refusal, Ruling},
    parse::RestrictionError,
    restriction::{LoginMismatch, Party, Restriction, Rule, Servers},
    settings::{Codes, Settings, Unverified},
    subject::Subject,
    transaction::{Certificate, HostName, Instance, ProtocolState, Transaction},
};

/// What the lists say of a command.
///
/// To be called at every [`ProtocolState`], of each recipient at `Rcpt`; with `smtpd_delay_reject`
/// (the default), the client, HELO and sender lists are evaluated there. What tables ask for
/// besides is in [`Memory::effects`].
pub async fn evaluate(
    rules: &Restrictions,
    state: ProtocolState,
    transaction: &Transaction<'_>,
    memory: &mut Memory,
    facts: &impl Facts,
) -> Outcome {
    let mut seen = *transaction;
    let is_about_all = matches!(state, ProtocolState::Data | ProtocolState::EndOfMessage);
    if is_about_all && seen.recipients > 1 {
        // What is decided holds for all of them alike.
        seen.recipient = None;
    }
    Evaluator::new(rules, state, &seen, memory, facts).evaluate().await
}
