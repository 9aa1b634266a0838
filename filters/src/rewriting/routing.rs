//! Where a mail goes by tables: transport(5), relocated(5), sender-dependent relays
//! (`resolve.c`). The administrator's routes are the gateway's; this only asks the tables.

use mailweir_mail::{Address, ReversePath, Transport};
use mailweir_tables::{Found, LookupError, Place, keys::Parents};

use super::{Addressing, Maps, transport};
use crate::RemoteMaps;

/// The tables that say where mail goes.
#[derive(Clone, Debug, Default)]
pub struct RoutingRules {
    /// What an address means here.
    pub addressing: Addressing,
    /// Postfix `transport_maps`. Comes before all other routes.
    pub transport: Maps,
    /// Whether `example.org` in `transport_maps` means the domains below it too, and `.example.org`
    /// nothing (Postfix `parent_domain_matches_subdomains`, `transport_maps`; off by default).
    pub bare_parents: bool,
    /// Postfix `relocated_maps`. Comes before `transport_maps`: the mail goes back.
    pub relocated: Maps,
    /// Postfix `sender_dependent_relayhost_maps`. Comes before `relayhost`.
    pub sender_relayhost: Maps,
    /// Postfix `sender_dependent_default_transport_maps`. Comes before `default_transport`.
    pub sender_transport: Maps,
}

/// What a table says, and which rule of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed<T> {
    /// What it says.
    pub value: T,
    /// The rule.
    pub place: Place,
}

impl RoutingRules {
    /// The transport of a recipient, if a table has one.
    ///
    /// # Errors
    /// A table cannot tell: the mail waits.
    pub async fn transport(
        &self,
        recipient: &Address,
        remote: &dyn RemoteMaps,
    ) -> Result<Option<Routed<Transport>>, LookupError> {
        let Self { transport, addressing, .. } = self;
        let parents = if self.bare_parents { Parents::Bare } else { Parents::Dotted };
        let found = transport.find_transport(recipient, addressing, parents, remote).await?;
        found.map(|found| routed(&found, transport::read)).transpose()
    }

    /// The new address of a recipient who has moved, in words (5.1.6).
    ///
    /// # Errors
    /// A table cannot tell: the mail waits.
    pub async fn moved(
        &self,
        recipient: &Address,
        remote: &dyn RemoteMaps,
    ) -> Result<Option<Routed<Box<str>>>, LookupError> {
        let hit = self.relocated.find(recipient, &self.addressing, remote).await?;
        hit.map(|hit| routed(&hit.found, |text| Some(text.into()))).transpose()
    }

    /// The relay for a sender's mail, written as a next hop. `DUNNO` in a table leaves it to
    /// `relayhost`.
    ///
    /// # Errors
    /// A table cannot tell: the mail waits.
    pub async fn relayhost(
        &self,
        sender: &ReversePath,
        remote: &dyn RemoteMaps,
    ) -> Result<Option<Routed<Box<str>>>, LookupError> {
        let found = self.of_sender(&self.sender_relayhost, sender, remote).await?;
        found.map(|found| routed(&found, |text| Some(text.into()))).transpose()
    }

    /// The transport for a sender's mail, where the recipient's domain has none of its own.
    /// `DUNNO` in a table leaves it to `default_transport`.
    ///
    /// # Errors
    /// A table cannot tell: the mail waits.
    pub async fn default_transport(
        &self,
        sender: &ReversePath,
        remote: &dyn RemoteMaps,
    ) -> Result<Option<Routed<Transport>>, LookupError> {
        let found = self.of_sender(&self.sender_transport, sender, remote).await?;
        found.map(|found| routed(&found, transport::read)).transpose()
    }

    async fn of_sender<'t>(
        &self,
        maps: &'t Maps,
        sender: &ReversePath,
        remote: &dyn RemoteMaps,
    ) -> Result<Option<Found<'t>>, LookupError> {
        let found = match sender {
            ReversePath::Mailbox(address) => {
                maps.find(address, &self.addressing, remote).await?.map(|hit| hit.found)
            }
            ReversePath::Null => maps.find_whole(NULL_SENDER, remote).await?,
        };
        Ok(found.filter(|found| !found.value.eq_ignore_ascii_case(b"DUNNO")))
    }
}

fn routed<T>(
    found: &Found<'_>,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Routed<T>, LookupError> {
    let place = found.place.clone();
    match std::str::from_utf8(&found.value).ok().and_then(read) {
        Some(value) => Ok(Routed { value, place }),
        None => Err(LookupError::Value { place, reason: "the value says no place".into() }),
    }
}

/// Postfix `empty_address_relayhost_maps_lookup_key` and
/// `empty_address_default_transport_maps_lookup_key`, as they are by default.
const NULL_SENDER: &str = "<>";

#[cfg(test)]
mod tests;
