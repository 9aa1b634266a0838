//! Something made of tables, made anew when one of them has changed.

use std::sync::Arc;

use arc_swap::ArcSwap;
use mailweir_tables::TableError;

use super::Tables;

/// What was made of tables. Whoever takes it keeps that of the moment; the next one gets what was
/// made of the tables as they are then.
pub(crate) struct Derived<T> {
    tables: Arc<Tables>,
    /// What was made, and the version of the tables that was read before: of a change meanwhile it
    /// may know or not, so it is made once too often rather than never.
    made: ArcSwap<(u64, Arc<T>)>,
}

impl<T> Derived<T> {
    /// Makes it for the first time.
    ///
    /// # Errors
    /// Those of `make`.
    pub(crate) fn new(
        tables: &Arc<Tables>,
        make: impl FnOnce() -> Result<T, TableError>,
    ) -> Result<Self, TableError> {
        let version = tables.version();
        let made = ArcSwap::from_pointee((version, Arc::new(make()?)));
        Ok(Self { tables: Arc::clone(tables), made })
    }

    /// What there is, or what `make` makes if a table has changed. If it cannot, what was made
    /// before stays in force.
    pub(crate) fn current(&self, make: impl FnOnce() -> Result<T, TableError>) -> Arc<T> {
        let version = self.tables.version();
        let made = self.made.load();
        if made.0 == version {
            return Arc::clone(&made.1);
        }
        let Ok(new) = make() else { return Arc::clone(&made.1) };
        let new = Arc::new(new);
        self.made.store(Arc::new((version, Arc::clone(&new))));
        new
    }

    /// The tables that it is made of.
    pub(crate) const fn tables(&self) -> &Arc<Tables> {
        &self.tables
    }
}
