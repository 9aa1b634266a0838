//! Certificates for both ends of a TLS connection, from an authority of the test's own.
//!
//! All are files, since that is what gateways and other people's programs read.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use mailweir::tls::Authorities;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, SanType,
};
use rustls::{
    ClientConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tempfile::TempDir;

/// An authority and what it has issued; the files are gone when it is dropped.
pub struct Authority {
    directory: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The file of the certificate.
    pub file: PathBuf,
    /// The file of its key.
    pub key: PathBuf,
}

impl Authority {
    /// One that has issued nothing yet.
    #[must_use]
    pub fn new() -> Self {
        let mut wanted = CertificateParams::new(Vec::new()).unwrap();
        wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        wanted.distinguished_name.push(DnType::CommonName, "authority of a test");
        let issuer = CertifiedIssuer::self_signed(wanted, KeyPair::generate().unwrap()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { directory, issuer }
    }

    /// Its own certificate.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// A certificate for a server of this name.
    #[must_use]
    pub fn server(&self, name: &str) -> Certificate {
        self.issue(name, &CertificateParams::new([name.to_owned()]).unwrap())
    }

    /// A certificate for a client, with these mail addresses or names.
    #[must_use]
    pub fn client(&self, names: &[&str]) -> Certificate {
        let mut wanted = CertificateParams::new(Vec::new()).unwrap();
        let names = names.iter().map(|name| SanType::Rfc822Name((*name).try_into().unwrap()));
        wanted.subject_alt_names = names.collect();
        wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue("client", &wanted)
    }

    /// The keys of `[tls]` that make a gateway show a certificate of this authority.
    #[must_use]
    pub fn tls_section(&self, hostname: &str) -> String {
        let Certificate { file, key } = self.server(hostname);
        format!("certificate_file = {file:?}\nkey_file = {key:?}\n")
    }

    fn issue(&self, name: &str, wanted: &CertificateParams) -> Certificate {
        let own = KeyPair::generate().unwrap();
        let made = wanted.signed_by(&own, &self.issuer).unwrap();
        let place = tempfile::Builder::new().prefix(name).tempdir_in(&self.directory).unwrap();
        let place = place.keep();
        let certificate = Certificate { file: place.join("cert.pem"), key: place.join("key.pem") };
        fs::write(&certificate.file, made.pem()).unwrap();
        fs::write(&certificate.key, own.serialize_pem()).unwrap();
        certificate
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Certificate {
    /// SHA-256 of the certificate, as Postfix writes it: `AB:CD:...`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let suite = aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256.tls13().unwrap();
        let certificate = CertificateDer::from_pem_file(&self.file).unwrap();
        let hash = suite.common.hash_provider.hash(&certificate);
        let bytes: Vec<_> = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        bytes.join(":")
    }

    /// TLS of a client that has this certificate to show, and believes the authority in this file
    /// about servers.
    #[must_use]
    pub fn client_tls(&self, authority: &Path) -> Arc<ClientConfig> {
        let chain = CertificateDer::pem_file_iter(&self.file).unwrap();
        let chain = chain.collect::<Result<_, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_file(&self.key).unwrap();
        let roots = Authorities::from_file(authority).unwrap().roots();
        let config = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key);
        Arc::new(config.unwrap())
    }
}
