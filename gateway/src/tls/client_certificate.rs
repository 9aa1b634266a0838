//! Certificates of clients: asked for, let through whatever they are, and judged afterwards.
//!
//! A certificate that we do not trust must not keep mail out, so no handshake fails for want of
//! trust; but each is signed with the certificate's key, or it fails. Whether an authority of ours
//! vouches for the certificate, and for which user names, is found out when somebody asks: at the
//! moment it counts, for new sessions and resumed ones alike. Only certificates that the TLS
//! library cannot use at all end a handshake: those of X.509 version 1, and keys that are too weak
//! to sign with (RSA under 2,048 bits).

use std::{fmt, path::Path, sync::Arc, time::Duration};

use mailweir_auth::UserName;
use mailweir_mail::Timestamp;
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use rustls_pki_types::{CertificateDer, UnixTime};
use x509_parser::{
    certificate::X509Certificate, error::X509Error, extensions::GeneralName, prelude::FromDer,
    x509::AttributeTypeAndValue,
};

use crate::tls::{Authorities, TlsError, Trust, provider, setup};

/// Who may vouch for the clients of a listener: `[[listener]] client_ca_file`.
#[derive(Clone)]
pub struct ClientAuthorities(Arc<dyn ClientCertVerifier>);

/// What a client's certificate is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientCertificate {
    /// It has shown none.
    None,
    /// No authority of ours vouches for it now: unknown, expired, or not for clients.
    Untrusted,
    /// An authority of ours vouches for it, and so for these names, the one to prefer first. There
    /// may be none that is a user name.
    Trusted(Vec<UserName>),
}

impl ClientAuthorities {
    /// Those of a PEM file, and no others (Postfix: `smtpd_tls_CAfile`). Blocks on the disk.
    ///
    /// # Errors
    /// The file cannot be read, or one of its certificates is malformed.
    pub fn from_file(path: &Path) -> Result<Self, TlsError> {
        let roots = Authorities::from_file(path)?.roots();
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider()).build();
        Ok(Self(verifier.map_err(setup)?))
    }

    /// What to make handshakes with.
    pub(super) fn verifier(&self) -> Arc<dyn ClientCertVerifier> {
        Arc::new(AnyClient(Arc::clone(&self.0)))
    }

    /// What a chain of certificates, the client's own first, is worth at `now`. That the client
    /// holds the key is what the handshake has shown.
    pub(super) fn judge(&self, chain: &[CertificateDer<'_>], now: Timestamp) -> ClientCertificate {
        let Some((own, intermediates)) = chain.split_first() else {
            return ClientCertificate::None;
        };
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs()));
        match self.0.verify_client_cert(own, intermediates, now) {
            Ok(_) => ClientCertificate::Trusted(names(own)),
            Err(_) => ClientCertificate::Untrusted,
        }
    }
}

impl fmt::Debug for ClientAuthorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientAuthorities").finish_non_exhaustive()
    }
}

impl ClientCertificate {
    /// How far the client can be trusted, in Postfix's words.
    #[must_use]
    pub const fn trust(&self) -> Trust {
        match self {
            Self::None => Trust::Anonymous,
            Self::Untrusted => Trust::Untrusted,
            Self::Trusted(_) => Trust::Trusted,
        }
    }

    /// The user names that it proves.
    #[must_use]
    pub fn into_names(self) -> Vec<UserName> {
        match self {
            Self::None | Self::Untrusted => Vec::new(),
            Self::Trusted(names) => names,
        }
    }
}

/// Lets every certificate through, but not a handshake that its key did not sign.
#[derive(Debug)]
struct AnyClient(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// Clients that have several certificates choose by the authorities that we name.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// The user names in a certificate: its mail addresses (RFC 5280 section 4.2.1.6), else the
/// `emailAddress` of its subject, else the `CN`. What comes first decides, even if it is no user
/// name: an authority that fills several in may not have looked at all of them alike.
fn names(certificate: &CertificateDer<'_>) -> Vec<UserName> {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return Vec::new() };
    let Ok(addresses) = mail_addresses(&certificate) else { return Vec::new() };
    let subject = certificate.subject();
    let text =
        |attribute: &AttributeTypeAndValue<'_>| attribute.as_str().unwrap_or_default().to_owned();
    let kinds = [
        addresses,
        subject.iter_email().map(text).collect(),
        subject.iter_common_name().map(text).collect(),
    ];
    let first = kinds.into_iter().find(|names| !names.is_empty()).unwrap_or_default();
    first.iter().filter_map(|name| name.parse().ok()).collect()
}

/// The alternative names of the kind rfc822Name.
fn mail_addresses(certificate: &X509Certificate<'_>) -> Result<Vec<String>, X509Error> {
    let found = certificate.subject_alternative_name()?;
    let all = found.iter().flat_map(|extension| &extension.value.general_names);
    Ok(all
        .filter_map(|name| match name {
            GeneralName::RFC822Name(address) => Some((*address).to_owned()),
            _ => None,
        })
        .collect())
}
