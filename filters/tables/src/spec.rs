//! How a table is named: `type:name`, with `inline:{...}`, `unionmap:{...}`, `pipemap:{...}`.

use std::{path::PathBuf, sync::Arc};

/// A table as it is named in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spec {
    name: Arc<str>,
}

/// Why a table's name cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// There is no `type:` in front.
    #[error("a table is written type:name, such as pcre:/etc/mailweir/header_checks")]
    NoType,
}

/// A table that another server has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RemoteMap {
    /// `tcp:host:port` (tcp_table(5)).
    Tcp {
        /// Host name or address.
        host: Box<str>,
        /// Port.
        port: u16,
    },
    /// `socketmap:inet:host:port:map` (socketmap_table(5)).
    SocketmapInet {
        /// Host name or address.
        host: Box<str>,
        /// Port.
        port: u16,
        /// The map's name there.
        map: Box<str>,
    },
    /// `socketmap:unix:path:map`.
    SocketmapUnix {
        /// The socket.
        path: PathBuf,
        /// The map's name there.
        map: Box<str>,
    },
}

impl Spec {
    /// Reads `type:name`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        text.contains(':').then(|| Self { name: text.into() }).ok_or(SpecError::NoType)
    }

    /// The table as it was written.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }
}
