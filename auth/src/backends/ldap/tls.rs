//! TLS to an LDAP server: always verified, by name or address.

use std::{path::Path, sync::Arc};

use rustls::{ClientConfig, crypto::aws_lc_rs};

use crate::backends::{authorities, ldap::settings::LdapSettingsError};

/// A configuration that trusts the authorities in `ca_file`, or the public ones.
pub(super) fn config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, LdapSettingsError> {
    let roots = authorities::read(ca_file).map_err(|what| LdapSettingsError::CaFile {
        path: ca_file.map(Path::to_owned).unwrap_or_default(),
        what: what.into(),
    })?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| LdapSettingsError::Setup(error.to_string().into()))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}
