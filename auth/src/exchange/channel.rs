//! What the TLS connection below an exchange gives to the mechanisms that build on it.

use std::fmt;

use crate::UserName;

/// The connection that a client logs in over. The default is one that gives nothing.
#[derive(Clone, Debug, Default)]
pub struct Channel {
    /// What a mechanism can bind to; the -PLUS mechanisms were offered if and only if it is there.
    pub exporter: Option<TlsExporter>,
    /// The names that the client's certificate proves, the one to prefer first. Whoever fills this
    /// in vouches that the client holds the key of the certificate and that a trusted authority
    /// has issued it. Empty: the client has shown no such certificate.
    pub certified: Vec<UserName>,
}

/// What TLS 1.3 gives both ends of a connection, and nobody else, to bind to: the exporter for the
/// label `EXPORTER-Channel-Binding` with an empty context (RFC 9266).
#[derive(Clone, Copy)]
pub struct TlsExporter(pub [u8; 32]);

impl fmt::Debug for TlsExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsExporter(..)")
    }
}
