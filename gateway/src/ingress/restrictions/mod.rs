//! Postfix's restrictions at work: the lists of one listener, and what a session remembers of them.
//!
//! What the lists mean is decided in [`mailweir_filters::restrictions`]; here they get their tables,
//! the facts that they ask for, and their decisions are told to the log.

mod budget;
mod effects;
mod facts;
mod session;

use std::{collections::HashMap, sync::Arc};

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
    relay_is_written: bool,
    live: Vec<(Spec, Arc<LiveTable>)>,
    snapshot: Derived<Snapshot>,
}

/// The lists, and what their tables say at one moment.
pub(super) struct Snapshot {
    pub(super) lists: Arc<Restrictions>,
    tables: HashMap<Spec, Arc<Table>>,
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
        let snapshot = Derived::new(tables, || Ok(snapshot(&rules.lists, &live)))?;
        Ok(Self {
            lists: Arc::clone(&rules.lists),
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

    /// The lists with their tables as they are now.
    pub(super) fn current(&self) -> Arc<Snapshot> {
        self.snapshot.current(|| Ok(snapshot(&self.lists, &self.live)))
    }
}

impl Snapshot {
    /// A table of the lists.
    pub(super) fn table(&self, spec: &Spec) -> Option<&Table> {
        self.tables.get(spec).map(|table| &**table)
    }
}

fn snapshot(lists: &Arc<Restrictions>, live: &[(Spec, Arc<LiveTable>)]) -> Snapshot {
    let tables = live.iter().map(|(spec, table)| (spec.clone(), table.current())).collect();
    Snapshot { lists: Arc::clone(lists), tables }
}
