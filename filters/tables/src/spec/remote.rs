//! Tables that another server has: `socketmap:` and `tcp:`.

use std::{fmt, path::PathBuf};

/// A table that another server has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemoteMap {
    /// `tcp:host:port` (tcp_table(5)).
    Tcp {
        /// Host name or address, without brackets.
        host: Box<str>,
        /// Port.
        port: u16,
    },
    /// `socketmap:inet:host:port:map` (socketmap_table(5)).
    SocketmapInet {
        /// Host name or address, without brackets.
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

impl RemoteMap {
    /// Reads what stands behind `tcp:`.
    pub(super) fn tcp(name: &str) -> Result<Self, (String, &'static str)> {
        let (host, port) = host_and_port(name).ok_or_else(|| wrong("tcp:host:port"))?;
        Ok(Self::Tcp { host, port })
    }

    /// Reads what stands behind `socketmap:`. The map's name is what follows the last colon.
    pub(super) fn socketmap(name: &str) -> Result<Self, (String, &'static str)> {
        const WANTED: &str = "socketmap:inet:host:port:map or socketmap:unix:path:map";
        let (server, map) = name.rsplit_once(':').ok_or_else(|| wrong(WANTED))?;
        let map = Some(map).filter(|map| !map.is_empty()).ok_or_else(|| wrong(WANTED))?.into();
        if let Some(path) = server.strip_prefix("unix:").filter(|path| !path.is_empty()) {
            return Ok(Self::SocketmapUnix { path: path.into(), map });
        }
        let server = server.strip_prefix("inet:").and_then(host_and_port);
        let (host, port) = server.ok_or_else(|| wrong(WANTED))?;
        Ok(Self::SocketmapInet { host, port, map })
    }
}

impl fmt::Display for RemoteMap {
    /// As the configuration writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bracketed = |host: &str| match host.contains(':') {
            true => format!("[{host}]"),
            false => host.to_owned(),
        };
        match self {
            Self::Tcp { host, port } => write!(f, "tcp:{}:{port}", bracketed(host)),
            Self::SocketmapInet { host, port, map } => {
                write!(f, "socketmap:inet:{}:{port}:{map}", bracketed(host))
            }
            Self::SocketmapUnix { path, map } => {
                write!(f, "socketmap:unix:{}:{map}", path.display())
            }
        }
    }
}

/// `host:port`, where an IPv6 address stands in brackets.
fn host_and_port(text: &str) -> Option<(Box<str>, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let host = match host.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']')?,
        None => host,
    };
    let port = port.parse().ok().filter(|&port| port != 0)?;
    (!host.is_empty()).then(|| (host.into(), port))
}

fn wrong(wanted: &'static str) -> (String, &'static str) {
    ("bad syntax".to_owned(), wanted)
}
