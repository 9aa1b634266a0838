//! Why a handshake failed, in words an administrator can act on.
//!
//! "handshake failure" helps nobody whose scanner speaks TLS 1.0; this says so.

use std::{borrow::Cow, io};

use rustls::{
    AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible, PeerMisbehaved,
};

/// A handshake that did not come about. `Display` says why, on one line.
#[derive(Debug, thiserror::Error)]
#[error("{words}")]
pub struct HandshakeError {
    words: Box<str>,
    source: io::Error,
}

impl HandshakeError {
    /// The failure of a client that came to us.
    pub(super) fn inbound(source: io::Error) -> Self {
        Self::new(source, "client", "this server")
    }

    /// The failure of a server that we went to.
    pub(super) fn outbound(source: io::Error) -> Self {
        Self::new(source, "server", "this client")
    }

    /// A host name that no certificate can bear, on a route that checks names.
    pub(super) fn unverifiable_name(host: &str) -> Self {
        let words = format!("{host:?} is no name or address that a certificate can prove");
        let source = io::Error::new(io::ErrorKind::InvalidInput, words.clone());
        Self { words: words.into(), source }
    }

    fn new(source: io::Error, peer: &str, we: &str) -> Self {
        let cause = source.get_ref().and_then(|cause| cause.downcast_ref::<Error>());
        let words = match cause {
            Some(error) => explain(error, peer, we),
            None => match source.kind() {
                io::ErrorKind::UnexpectedEof => {
                    format!("the {peer} closed the connection in the TLS handshake").into()
                }
                _ => format!("the connection broke in the TLS handshake: {source}").into(),
            },
        };
        Self { words: words.into(), source }
    }
}

fn explain(error: &Error, peer: &str, we: &str) -> Cow<'static, str> {
    match error {
        Error::PeerIncompatible(what) => incompatible(what, peer, we),
        Error::AlertReceived(alert) => told(*alert, peer, we),
        Error::InvalidCertificate(what) => certificate(what),
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        ) => format!("the {peer} did not speak TLS where TLS was due").into(),
        Error::NoApplicationProtocol => {
            format!("the {peer} asked for another protocol than SMTP (a web browser?)").into()
        }
        Error::PeerMisbehaved(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme) => {
            format!("the {peer} signed the handshake by a method that {we} did not offer").into()
        }
        other => other.to_string().into(),
    }
}

fn incompatible(what: &PeerIncompatible, peer: &str, we: &str) -> Cow<'static, str> {
    match what {
        PeerIncompatible::Tls12NotOffered
        | PeerIncompatible::Tls12NotOfferedOrEnabled
        | PeerIncompatible::SupportedVersionsExtensionRequired
        | PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig => {
            format!("the {peer} offered TLS 1.0 or 1.1 only; {we} needs TLS 1.2 or 1.3").into()
        }
        PeerIncompatible::NoCipherSuitesInCommon => format!(
            "the {peer} offered no cipher that {we} takes (ECDHE with AES-GCM or ChaCha20-Poly1305)"
        )
        .into(),
        PeerIncompatible::NoKxGroupsInCommon
        | PeerIncompatible::NamedGroupsExtensionRequired
        | PeerIncompatible::NoEcPointFormatsInCommon => {
            format!("the {peer} offered no key exchange that {we} takes (X25519, P-256, P-384)")
                .into()
        }
        // Only clients of TLS 1.2 and later send this extension; it is looked for before the
        // version is.
        PeerIncompatible::SignatureAlgorithmsExtensionRequired => format!(
            "the {peer} offered TLS 1.0 or 1.1 only, or TLS 1.2 with SHA-1 signatures; {we} needs \
             TLS 1.2 or 1.3"
        )
        .into(),
        PeerIncompatible::NoSignatureSchemesInCommon => {
            format!("the {peer} accepts no signature that fits the certificate").into()
        }
        PeerIncompatible::ExtendedMasterSecretExtensionRequired => {
            format!("the {peer} lacks the extended master secret (RFC 7627) that {we} needs").into()
        }
        other => format!("the {peer} is incompatible: {other:?}").into(),
    }
}

fn told(alert: AlertDescription, peer: &str, we: &str) -> Cow<'static, str> {
    match alert {
        AlertDescription::ProtocolVersion => {
            format!("the {peer} knows TLS 1.0 or 1.1 only; {we} needs TLS 1.2 or 1.3").into()
        }
        AlertDescription::UnknownCA
        | AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::CertificateExpired
        | AlertDescription::UnsupportedCertificate => {
            format!("the {peer} does not trust the certificate of {we} ({alert:?})").into()
        }
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            format!("the {peer} found no cipher or key exchange in common with {we}").into()
        }
        other => format!("the {peer} broke the handshake off: {other:?}").into(),
    }
}

fn certificate(what: &CertificateError) -> Cow<'static, str> {
    match what {
        CertificateError::NotValidForName => "the certificate is for another host name".into(),
        CertificateError::NotValidForNameContext { expected, presented } => format!(
            "the certificate is not for {}, but for {}",
            expected.to_str(),
            presented.join(", ")
        )
        .into(),
        CertificateError::UnknownIssuer => {
            "no trusted authority vouches for the certificate (self-signed, or an intermediate is \
             missing)"
                .into()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the certificate has expired".into()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate is not valid yet; is the clock right?".into()
        }
        other => format!("the certificate cannot be used: {other}").into(),
    }
}
