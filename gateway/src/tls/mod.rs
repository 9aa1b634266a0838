//! TLS: our certificate, what listeners and routes demand, and what was agreed, in Postfix's words.
//!
//! Everything is built on rustls with the aws-lc-rs provider, which is passed explicitly: no
//! process-wide default is set or needed. Only TLS 1.2 and 1.3 exist here (`attacks.md` B10).
//! When to start TLS, and what to forget then, is decided by the SMTP sessions.

mod certificate;
mod client;
mod client_certificate;
mod fingerprint;
mod handshake;
mod self_signed;
mod server;
mod summary;
#[cfg(test)]
mod tests;

use std::{io, path::PathBuf, sync::Arc};

use rustls::{
    SupportedProtocolVersion,
    crypto::{CryptoProvider, aws_lc_rs},
};

pub use self::{
    certificate::CertificateSource,
    client::{Authorities, ClientTls, PeerCheck, Trust},
    client_certificate::{ClientAuthorities, ClientCertificate},
    handshake::HandshakeError,
    server::{ListenerTls, OldestVersion, Prepared, ServerTls},
    summary::summarize,
};

/// Why a certificate, key or list of authorities cannot be used. All are for the administrator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{}: {what}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is missing or malformed.
        what: &'static str,
    },
    /// The certificate and the key do not belong together, or one of them is of an unknown kind.
    #[error("the certificate in {} cannot be used with its key: {source}", path.display())]
    Unusable {
        /// The file of the certificate.
        path: PathBuf,
        /// What the TLS library said.
        source: rustls::Error,
    },
    /// `[server] hostname` is no name that a certificate can be made for.
    #[error("cannot make a certificate for the host name {0:?}")]
    Hostname(Box<str>),
    /// The cryptographic library failed.
    #[error("TLS cannot be set up: {0}")]
    Setup(Box<str>),
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn setup(error: impl std::fmt::Display) -> TlsError {
    TlsError::Setup(error.to_string().into())
}

const VERSIONS: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];
