//! A list of tables that are asked for an address, key by key in Postfix's order.
//!
//! All tables are asked for a key before the next key is tried, as maps(3) does, so that a full
//! address in the last table comes before `@domain` in the first.

use std::sync::Arc;

use mailweir_mail::Address;
use mailweir_tables::{
    Found, LookupError, Place, Table,
    keys::{self, Key, Parents},
};

use super::{
    Addressing,
    decision::{Decision, Parameter},
    values,
};
use crate::{RemoteMaps, look_up, look_up_first};

/// Tables in the order in which they are asked (Postfix `canonical_maps = hash:a, pcre:b`).
#[derive(Clone, Debug, Default)]
pub struct Maps {
    tables: Vec<Arc<Table>>,
}

impl From<Vec<Arc<Table>>> for Maps {
    fn from(tables: Vec<Arc<Table>>) -> Self {
        Self { tables }
    }
}

/// A value, and what of the address was left out of the key that has it.
pub(crate) struct Hit<'t> {
    pub(crate) found: Found<'t>,
    /// The extension with its delimiter, if the key is the address without it.
    pub(crate) extension: Option<Box<str>>,
}

/// What the tables have for an address, and the rule that did it. No results: nobody, `<>`.
pub(crate) struct Mapped {
    pub(crate) results: Vec<Address>,
    pub(crate) place: Place,
}

impl Maps {
    /// Whether there is no table to ask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// The tables, in order.
    #[must_use]
    pub fn tables(&self) -> &[Arc<Table>] {
        &self.tables
    }

    /// What the tables have for an address: `user+ext@domain`, `user@domain`, and if the domain
    /// is local `user+ext`, `user`, then `@domain` (canonical(5), virtual(5), generic(5)).
    pub(crate) async fn find(
        &self,
        address: &Address,
        addressing: &Addressing,
        remote: &dyn RemoteMaps,
    ) -> Result<Option<Hit<'_>>, LookupError> {
        if self.is_empty() {
            return Ok(None);
        }
        let is_local = addressing.is_local(address.domain(), remote).await?;
        let text = without_root_dot(address);
        self.first(keys::mapping(text, is_local, &addressing.extensions), remote).await
    }

    /// Whether the tables have anything for an address, by the same keys (Postfix
    /// `relay_recipient_maps`).
    ///
    /// # Errors
    /// A table cannot tell.
    pub async fn have(
        &self,
        address: &Address,
        addressing: &Addressing,
        remote: &dyn RemoteMaps,
    ) -> Result<bool, LookupError> {
        Ok(self.find(address, addressing, remote).await?.is_some())
    }

    /// What the tables have for a recipient: the address, the address without extension, the
    /// domain, its parents, `*` (transport(5)).
    pub(crate) async fn find_transport(
        &self,
        address: &Address,
        addressing: &Addressing,
        parents: Parents,
        remote: &dyn RemoteMaps,
    ) -> Result<Option<Found<'_>>, LookupError> {
        if self.is_empty() {
            return Ok(None);
        }
        let text = without_root_dot(address);
        let keys = keys::transport(text, parents, &addressing.extensions);
        Ok(self.first(keys, remote).await?.map(|hit| hit.found))
    }

    /// What the tables make of an address: `None` if they have nothing for it.
    pub(crate) async fn map(
        &self,
        address: &Address,
        addressing: &Addressing,
        propagate: bool,
        remote: &dyn RemoteMaps,
    ) -> Result<Option<Mapped>, LookupError> {
        let Some(Hit { found, extension }) = self.find(address, addressing, remote).await? else {
            return Ok(None);
        };
        let of = values::Of { address, extension: extension.as_deref(), propagate, addressing };
        let results = of.addresses(&found)?;
        Ok(Some(Mapped { results, place: found.place }))
    }

    /// What the tables have for a key that is no address.
    pub(crate) async fn find_whole(
        &self,
        key: &str,
        remote: &dyn RemoteMaps,
    ) -> Result<Option<Found<'_>>, LookupError> {
        look_up_first(&self.tables, key.as_bytes(), remote).await
    }

    /// What the first key that any table has has.
    async fn first(
        &self,
        keys: Vec<Key<'_>>,
        remote: &dyn RemoteMaps,
    ) -> Result<Option<Hit<'_>>, LookupError> {
        for key in keys {
            for table in self.tables.iter().filter(|table| key.suits(table)) {
                if let Some(found) = look_up(table, key.text.as_bytes(), remote).await? {
                    let extension = key.extension.map(|ext| ext.into_owned().into());
                    return Ok(Some(Hit { found, extension }));
                }
            }
        }
        Ok(None)
    }
}

/// The address as tables see it: Postfix strips the dot of the root before.
fn without_root_dot(address: &Address) -> &str {
    address.as_str().strip_suffix('.').unwrap_or(address.as_str())
}

impl Mapped {
    /// The one result of a map that has one for each address; `None` is nobody. What else stands
    /// in the value is left out, as Postfix does.
    pub(crate) fn into_one(self, by: Parameter, before: &Address) -> (Option<Address>, Decision) {
        let after = self.results.into_iter().next();
        let decision = Decision::by(by, self.place, before, after.as_ref());
        (after, decision)
    }
}
