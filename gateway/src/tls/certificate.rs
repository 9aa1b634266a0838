//! Where our certificate comes from, and how it is exchanged while sessions run.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use mailweir_mail::Timestamp;
use rustls::{
    crypto::CryptoProvider,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject},
};

use crate::tls::{TlsError, self_signed};

/// Where the certificate of all listeners comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateSource {
    /// PEM files of the administrator: `[tls] certificate_file` and `key_file`.
    Files {
        /// The certificate, then its intermediates.
        certificate: PathBuf,
        /// The private key; may be the same file.
        key: PathBuf,
    },
    /// A self-signed certificate in `<data_dir>/tls/`, made when it is missing, nearly expired,
    /// unreadable, or for another host name.
    SelfSigned {
        /// `[server] data_dir`.
        data_dir: PathBuf,
        /// `[server] hostname`.
        hostname: String,
    },
}

impl CertificateSource {
    pub(super) fn load(
        &self,
        provider: &CryptoProvider,
        now: Timestamp,
    ) -> Result<CertifiedKey, TlsError> {
        match self {
            Self::Files { certificate, key } => read(provider, certificate, key),
            Self::SelfSigned { data_dir, hostname } => {
                self_signed::load_or_make(provider, data_dir, hostname, now)
            }
        }
    }
}

/// The certificate in use. New handshakes get the one that was set last.
pub(super) struct CurrentCertificate(ArcSwap<CertifiedKey>);

impl CurrentCertificate {
    pub(super) fn new(certificate: CertifiedKey) -> Self {
        Self(ArcSwap::from_pointee(certificate))
    }

    pub(super) fn replace(&self, certificate: CertifiedKey) {
        self.0.store(Arc::new(certificate));
    }

    pub(super) fn current(&self) -> Arc<CertifiedKey> {
        self.0.load_full()
    }
}

impl ResolvesServerCert for CurrentCertificate {
    /// One certificate for every name a client asks for: an MX is reached by many names.
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl fmt::Debug for CurrentCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CurrentCertificate").finish_non_exhaustive()
    }
}

/// Reads a certificate chain and its key, and proves that they belong together.
pub(super) fn read(
    provider: &CryptoProvider,
    certificate: &Path,
    key: &Path,
) -> Result<CertifiedKey, TlsError> {
    let chain = certificates(certificate)?;
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| pem_error(key, error, "it holds no private key in PEM format"))?;
    CertifiedKey::from_der(chain, private, provider)
        .map_err(|source| TlsError::Unusable { path: certificate.to_owned(), source })
}

/// Reads all certificates of a PEM file; at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    const NONE: &str = "it holds no certificate in PEM format";
    let chain: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| pem_error(path, error, NONE))?;
    match chain.is_empty() {
        true => Err(TlsError::Pem { path: path.to_owned(), what: NONE }),
        false => Ok(chain),
    }
}

fn pem_error(path: &Path, error: pem::Error, missing: &'static str) -> TlsError {
    let path = path.to_owned();
    match error {
        pem::Error::Io(source) if source.kind() == io::ErrorKind::InvalidData => {
            TlsError::Pem { path, what: "it is not PEM text" }
        }
        pem::Error::Io(source) => TlsError::Read { path, source },
        pem::Error::NoItemsFound => TlsError::Pem { path, what: missing },
        _ => TlsError::Pem { path, what: "its PEM text is malformed" },
    }
}
