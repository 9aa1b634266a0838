//! Tables that other servers have: `socketmap:` and `tcp:`.

use mailweir_filters::{RemoteAnswer, RemoteMaps};
use mailweir_tables::{LookupError, RemoteMap};

/// Asks the servers of tables.
#[derive(Debug, Default)]
pub(super) struct RemoteServers {}

impl RemoteMaps for RemoteServers {
    fn ask<'a>(&'a self, map: &'a RemoteMap, _key: &'a [u8]) -> RemoteAnswer<'a> {
        let table = format!("{map:?}").into();
        Box::pin(async { Err(LookupError::Remote { table, reason: "not asked yet".into() }) })
    }
}
