//! Lookups of tables, until `lookup.rs` has them for all rules.

use std::{future::Future, pin::Pin};

use mailweir_tables::{Found, LookupError, RemoteMap, Step, Table};

/// Those who can ask the maps of other servers (`socketmap:`, `tcp:`).
pub trait RemoteMaps: Send + Sync {
    /// The value that `map` has for `key`.
    fn ask<'a>(&'a self, map: &'a RemoteMap, key: &'a [u8]) -> RemoteAnswer<'a>;
}

/// The answer of another server, to be awaited.
pub type RemoteAnswer<'a> =
    Pin<Box<dyn Future<Output = Result<Option<Vec<u8>>, LookupError>> + Send + 'a>>;

/// What `table` has for `key`.
pub(crate) async fn look_up<'t>(
    table: &'t Table,
    key: &[u8],
    remote: &dyn RemoteMaps,
) -> Result<Option<Found<'t>>, LookupError> {
    let _ = remote;
    match table.lookup(key) {
        Step::Done(answer) => answer,
        Step::Ask(_) => Err(LookupError::Remote {
            table: table.name().clone(),
            reason: "cannot be asked yet".into(),
        }),
    }
}
