//! A list of tables that are asked for an address, key by key in Postfix's order.
//!
//! All tables are asked for a key before the next key is tried, as maps(3) does, so that a full
//! address in the last table comes before `@domain` in the first.

use std::{borrow::Cow, sync::Arc};

use mailweir_mail::Address;
use mailweir_tables::{Found, LookupError, Place, Table};

use super::{
    Addressing,
    addressing::{quoted, written},
    decision::{Decision, Parameter},
    match_list::parents,
    seam::{RemoteMaps, look_up},
    values,
};

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

/// An address as it was, as the tables have it, and the rule that did it.
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
        let parts = Parts::of(address, addressing);
        let domain = parts.domain;
        if let Some(hit) = self.find_user(&parts, Some(domain), remote).await? {
            return Ok(Some(hit));
        }
        if addressing.is_local(address.domain(), remote).await?
            && let Some(hit) = self.find_user(&parts, None, remote).await?
        {
            return Ok(Some(hit));
        }
        let found = self.first(&format!("@{domain}"), false, remote).await?;
        Ok(found.map(|found| Hit { found, extension: None }))
    }

    /// What the tables have for a recipient: the address, the address without extension, the
    /// domain, its parents, `*` (transport(5)).
    pub(crate) async fn find_transport(
        &self,
        address: &Address,
        addressing: &Addressing,
        bare_parents: bool,
        remote: &dyn RemoteMaps,
    ) -> Result<Option<Found<'_>>, LookupError> {
        if self.is_empty() {
            return Ok(None);
        }
        let parts = Parts::of(address, addressing);
        if let Some(hit) = self.find_user(&parts, Some(parts.domain), remote).await? {
            return Ok(Some(hit.found));
        }
        for key in std::iter::once(parts.domain).chain(parents(parts.domain, bare_parents)) {
            if let Some(found) = self.first(key, false, remote).await? {
                return Ok(Some(found));
            }
        }
        // Tables of patterns see the `*` too: Postfix asks for it as for a whole key.
        self.first("*", true, remote).await
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

    /// The local part with and without extension, at `domain` or alone.
    async fn find_user(
        &self,
        parts: &Parts<'_>,
        domain: Option<&str>,
        remote: &dyn RemoteMaps,
    ) -> Result<Option<Hit<'_>>, LookupError> {
        let whole = domain.is_some();
        if let Some(found) = self.first_form(&parts.local, domain, whole, remote).await? {
            return Ok(Some(Hit { found, extension: None }));
        }
        let Some((name, extension)) = &parts.divided else { return Ok(None) };
        let found = self.first_form(name, domain, false, remote).await?;
        Ok(found.map(|found| Hit { found, extension: Some(extension.clone()) }))
    }

    /// Asks with quotes where the address needs them, then without (Postfix since 3.2).
    async fn first_form(
        &self,
        local: &str,
        domain: Option<&str>,
        whole: bool,
        remote: &dyn RemoteMaps,
    ) -> Result<Option<Found<'_>>, LookupError> {
        let key = |local: &str| domain.map_or_else(|| local.into(), |d| format!("{local}@{d}"));
        let external = quoted(local);
        match self.first(&key(&external), whole, remote).await? {
            None if matches!(external, Cow::Owned(_)) => {
                self.first(&key(local), whole, remote).await
            }
            found => Ok(found),
        }
    }

    /// The first table that has something for `key`; `whole`: patterns are asked too.
    pub(crate) async fn first(
        &self,
        key: &str,
        whole: bool,
        remote: &dyn RemoteMaps,
    ) -> Result<Option<Found<'_>>, LookupError> {
        for table in &self.tables {
            if let Some(found) = hit(table, key, whole, remote).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// What a table has for a key; tables of patterns are not asked for parts of an address.
pub(crate) async fn hit<'t>(
    table: &'t Table,
    key: &str,
    whole: bool,
    remote: &dyn RemoteMaps,
) -> Result<Option<Found<'t>>, LookupError> {
    // Postfix asks no table for nothing: an empty local part, a mail without sender.
    if key.is_empty() || !(whole || table.takes_partial_keys()) {
        return Ok(None);
    }
    look_up(table, key.as_bytes(), remote).await
}

impl Mapped {
    /// The one result of a map that has one for each address. What else stands in the value is
    /// left out, as Postfix does.
    pub(crate) fn into_one(self, by: Parameter, before: &Address) -> (Address, Decision) {
        let Self { mut results, place } = self;
        // `values` gives an error rather than an empty list.
        let after = if results.is_empty() { before.clone() } else { results.swap_remove(0) };
        let decision = Decision::by(by, place, before, &after);
        (after, decision)
    }
}

/// An address divided into what keys are made of.
struct Parts<'a> {
    local: Cow<'a, str>,
    /// Name and extension.
    divided: Option<(Box<str>, Box<str>)>,
    domain: &'a str,
}

impl<'a> Parts<'a> {
    fn of(address: &'a Address, addressing: &Addressing) -> Self {
        let local = address.unquoted_local_part();
        let divided = addressing.split(&local).map(|(name, ext)| (name.into(), ext.into()));
        Self { divided, local, domain: written(address.domain()) }
    }
}
