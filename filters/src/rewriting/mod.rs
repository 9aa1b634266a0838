//! Addresses rewritten by Postfix's maps, in Postfix's order (ADDRESS_REWRITING_README).
//!
//! On the way in: canonical maps, masquerading, automatic copies, virtual aliases ([`rewrite`],
//! [`rewrite_header`]). On the way out: generic maps ([`GenericRules`]), and where a mail goes
//! ([`RoutingRules`]: transport, relocated, sender-dependent relays).
//!
//! A table that cannot tell makes the mail wait (451): no address goes on half rewritten. Nothing
//! is rewritten that no rule has: where Postfix writes a header anew, only the bytes of the
//! addresses that change are replaced here, and an address without domain is completed only to be
//! looked up.

mod address_list;
mod addressing;
mod decision;
mod envelope;
mod error;
mod generic;
mod header;
mod header_rewriter;
mod maps;
mod masquerade;
mod match_list;
mod next_hop;
mod routing;
mod rules;
mod steps;
mod transport;
mod unlisted;
mod values;
mod virtual_aliases;

pub use address_list::{AddrSpec, AddressList, Words};
pub use addressing::Addressing;
pub use decision::{Decision, Decisions, Parameter};
pub use envelope::{Rewritten, rewrite};
pub use error::RewriteError;
pub use generic::GenericRules;
pub use header::rewrite_header;
pub use header_rewriter::HeaderRewriter;
pub use maps::Maps;
pub use masquerade::Masquerade;
pub use match_list::MatchList;
pub use next_hop::{NextHop, NextHost, TransportError};
pub use routing::{Routed, RoutingRules};
pub use rules::{AddressMaps, Classes, RewritingRules};
pub use transport::{Delivery, filter_complaint, relay_complaint, transport_complaint};
pub use unlisted::{Alias, VirtualAliasDomains};
pub use virtual_aliases::VirtualAliases;

#[cfg(test)]
mod testing;
