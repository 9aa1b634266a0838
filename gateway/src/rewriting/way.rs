//! Where a recipient's mail goes by tables (Postfix's `resolve.c`).

use mailweir_filters::{RemoteMaps, rewriting::Routed};
use mailweir_mail::{Address, ReversePath, Transport};
use mailweir_tables::{LookupError, Place};

use super::Rewriting;

/// What tables say of a recipient's way. Nothing: its route decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ByTable {
    /// Nowhere: its user has moved (`relocated_maps`); where to, in the words of the table.
    Moved(Routed<Box<str>>),
    /// Nowhere: its domain has aliases only, and this is none (`virtual_alias_domains`).
    NoAlias,
    /// This way (`transport_maps`).
    Transport(Routed<Transport>),
    /// By the relay of the sender (`sender_dependent_relayhost_maps`).
    Relay(Routed<Transport>),
}

impl Rewriting {
    /// What tables say of the way of `sender`'s mail to `recipient`. A relay is asked for only if
    /// `may_relay`: the recipient's domain has no route of its own.
    ///
    /// # Errors
    /// A table cannot tell: the mail waits.
    pub async fn way(
        &self,
        sender: &ReversePath,
        recipient: &Address,
        may_relay: bool,
        remote: &dyn RemoteMaps,
    ) -> Result<Option<ByTable>, LookupError> {
        let routing = &self.routing;
        if let Some(moved) = routing.moved(recipient, remote).await? {
            return Ok(Some(ByTable::Moved(moved)));
        }
        if self.alias_domains.contains(recipient.domain(), remote).await? {
            return Ok(Some(ByTable::NoAlias));
        }
        let transport = routing.transport(recipient, remote).await?;
        if let Some(transport) = transport.filter(|found| !is_empty(&found.value)) {
            return Ok(Some(ByTable::Transport(transport)));
        }
        if !may_relay {
            return Ok(None);
        }
        let relay = routing.relayhost(sender, remote).await?;
        relay.map(next_hop).transpose().map(|relay| relay.map(ByTable::Relay))
    }
}

/// `:` in a table leaves the way to what would be without it.
fn is_empty(transport: &Transport) -> bool {
    transport.name().is_empty() && transport.next_hop().is_empty()
}

/// A relay, written as a next hop of the usual transport.
fn next_hop(relay: Routed<Box<str>>) -> Result<Routed<Transport>, LookupError> {
    let Routed { value, place } = relay;
    match Transport::parse(&format!(":{value}")) {
        Some(value) => Ok(Routed { value, place }),
        None => Err(unusable(place)),
    }
}

fn unusable(place: Place) -> LookupError {
    LookupError::Value { place, reason: "the value names no relay".into() }
}
