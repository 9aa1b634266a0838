//! TLS to an LDAP server: always verified, by name or address.

use std::{path::Path, sync::Arc};

use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use crate::backends::ldap::settings::LdapSettingsError;

/// A configuration that trusts the authorities in `ca_file`, or the public ones.
pub(super) fn config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, LdapSettingsError> {
    let roots = match ca_file {
        Some(path) => authorities(path)?,
        None => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
    };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| LdapSettingsError::Setup(error.to_string().into()))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

fn authorities(path: &Path) -> Result<RootCertStore, LdapSettingsError> {
    let wrong = |what: String| LdapSettingsError::CaFile { path: path.into(), what: what.into() };
    let mut roots = RootCertStore::empty();
    let found = CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?;
    for certificate in found {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    match roots.is_empty() {
        true => Err(wrong("there is no certificate in it".into())),
        false => Ok(roots),
    }
}
