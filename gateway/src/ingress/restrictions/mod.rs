//! Postfix's restrictions at work: the lists of one listener, and what a session remembers of them.
//!
//! What the lists mean is decided in [`mailweir_filters::restrictions`]; here they get their tables,
//! the facts that they ask for, and their decisions are told to the log.

mod budget;
mod effects;
mod facts;
mod session;

use std::sync::Arc;

use mailweir_filters::restrictions::Restrictions;
use mailweir_tables::{Matching, Spec, Table, TableError};

pub(super) use self::{effects::Wishes, session::SessionRestrictions};
use crate::{
    config,
    tables::{Derived, LiveTable, Tables},
};

/// The lists of one listener and their tables. A mail keeps the tables that it began with.
pub struct ListenerRestrictions {
    lists: Arc<Restrictions>,
    /// For mail that another mail server relays: a relay list that stands in for our own decision is not
    /// among them.
    elsewhere: Arc<Restrictions>,
    relay_is_written: bool,
    live: Vec<(Spec, Arc<LiveTable>)>,
    snapshot: Derived<Snapshot>,
}

/// What the tables of the lists say at one moment.
pub(super) struct Snapshot {
    /// A few: the place of a name is found sooner than its hash.
    tables: Box<[(Spec, Arc<Table>)]>,
}

impl ListenerRestrictions {
    /// Opens the tables of the lists. Reads files that are not in use yet, and blocks meanwhile.
    ///
    /// # Errors
    /// A table cannot be used.
    pub fn open(
        rules: &config::ListenerRestrictions,
        tables: &Arc<Tables>,
    ) -> Result<Self, TableError> {
        let mut live: Vec<(Spec, Arc<LiveTable>)> = Vec::new();
        for spec in rules.lists.tables() {
            if live.iter().all(|(known, _)| known != spec) {
                live.push((spec.clone(), tables.open(spec, Matching::Bytes)?));
            }
        }
        let snapshot = Derived::new(tables, || Ok(snapshot(&live)))?;
        let elsewhere = match rules.relay_is_written {
            true => Arc::clone(&rules.lists),
            false => Arc::new(rules.lists.without_relay_list()),
        };
        Ok(Self {
            lists: Arc::clone(&rules.lists),
            elsewhere,
            relay_is_written: rules.relay_is_written,
            live,
            snapshot,
        })
    }

    /// Whether the lists decide who may relay.
    pub(super) const fn decide_relaying(&self) -> bool {
        self.relay_is_written
    }

    /// Whether a list asks what certificate a client has.
    pub(super) fn ask_for_certificates(&self) -> bool {
        self.lists.ask_for_certificates()
    }

    /// The lists.
    pub(super) fn lists(&self) -> Arc<Restrictions> {
        Arc::clone(&self.lists)
    }

    /// Those for mail that another mail server has, which decides who may relay: a relay list counts if it
    /// was written.
    pub(super) fn lists_elsewhere(&self) -> Arc<Restrictions> {
        Arc::clone(&self.elsewhere)
    }

    /// The tables of the lists as they are now.
    pub(super) fn current(&self) -> Arc<Snapshot> {
        self.snapshot.current(|| Ok(snapshot(&self.live)))
    }
}

impl Snapshot {
    /// A table of the lists.
    pub(super) fn table(&self, spec: &Spec) -> Option<&Table> {
        let is_it = |(known, _): &&(Spec, _)| Arc::ptr_eq(known.name(), spec.name());
        let by_place = self.tables.iter().find(is_it);
        let found = by_place.or_else(|| self.tables.iter().find(|(known, _)| known == spec));
        found.map(|(_, table)| &**table)
    }
}

fn snapshot(live: &[(Spec, Arc<LiveTable>)]) -> Snapshot {
    let tables = live.iter().map(|(spec, table)| (spec.clone(), table.current())).collect();
    Snapshot { tables }
}
