//! The routes' side: whether any certificate will do, or only one that proves the host's name.
//!
//! Opportunistic TLS takes every certificate, for the alternative is no encryption at all; how far
//! the certificate could have been trusted is found out afterwards and told to the log. The
//! handshake's signatures are verified in every case. Whether to go on in clear where TLS fails is
//! decided by the caller.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use mailweir_mail::{Timestamp, TlsSummary};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    server::ParsedCertificate,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::tls::{
    HandshakeError, TlsError, VERSIONS, certificate::certificates, provider, setup, summarize,
};

/// What a route demands of the peer's certificate (`[[route]] tls`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerCheck {
    /// Any certificate will do: `opportunistic`, `required`.
    Any,
    /// A trusted authority must vouch for the host's name: `verify`.
    Name,
}

/// How far the peer's certificate can be trusted, in Postfix's words (`smtp_tls_loglevel = 1`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// No certificate at all.
    Anonymous,
    /// No trusted authority vouches for it.
    Untrusted,
    /// A trusted authority vouches for it, but not for the name that was asked for.
    Trusted,
    /// A trusted authority vouches for the name that was asked for.
    Verified,
}

impl Trust {
    /// The word that Postfix logs: `Untrusted TLS connection established to ...`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anonymous => "Anonymous",
            Self::Untrusted => "Untrusted",
            Self::Trusted => "Trusted",
            Self::Verified => "Verified",
        }
    }
}

/// The authorities that may vouch for a peer.
#[derive(Clone, Debug)]
pub struct Authorities(Arc<RootCertStore>);

impl Authorities {
    /// Those of the Mozilla root programme, as of the build.
    #[must_use]
    pub fn public() -> Self {
        Self(Arc::new(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()))
    }

    /// Those of a PEM file, and no others (Postfix: `smtp_tls_CAfile`). Blocks on the disk.
    ///
    /// # Errors
    /// The file cannot be read, or one of its certificates is malformed.
    pub fn from_file(path: &Path) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for authority in certificates(path)? {
            let what = "one of its certificates cannot be an authority";
            roots.add(authority).map_err(|_| TlsError::Pem { path: path.to_owned(), what })?;
        }
        Ok(Self(Arc::new(roots)))
    }

    /// The authorities as the TLS library has them.
    #[must_use]
    pub fn roots(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.0)
    }
}

/// TLS as one route speaks it. Sessions are resumed within a route only. Cheap to clone.
#[derive(Clone)]
pub struct ClientTls {
    connector: TlsConnector,
    check: PeerCheck,
    authorities: Authorities,
    provider: Arc<CryptoProvider>,
}

impl ClientTls {
    /// TLS for a route that demands `check`, with `authorities` as the judges.
    ///
    /// # Errors
    /// There is no authority at all, and `check` needs one.
    pub fn new(check: PeerCheck, authorities: Authorities) -> Result<Self, TlsError> {
        let provider = provider();
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(VERSIONS)
            .map_err(setup)?;
        let config = match check {
            PeerCheck::Any => config
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider.clone()))),
            PeerCheck::Name => {
                let roots = Arc::clone(&authorities.0);
                let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone());
                config.with_webpki_verifier(verifier.build().map_err(setup)?)
            }
        };
        let connector = TlsConnector::from(Arc::new(config.with_no_client_auth()));
        Ok(Self { connector, check, authorities, provider })
    }

    /// Makes the handshake with `host`, a DNS name or an IP address, on `stream`. `now` is
    /// wall-clock time. The caller sets the deadline.
    ///
    /// # Errors
    /// [`HandshakeError`] says why in words for the log. The stream is gone.
    pub async fn connect<S>(
        &self,
        host: &str,
        stream: S,
        now: Timestamp,
    ) -> Result<(TlsStream<S>, TlsSummary, Trust), HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = self.server_name(host)?;
        let stream = self.connector.connect(name.clone(), stream).await;
        let stream = stream.map_err(HandshakeError::outbound)?;
        let connection = stream.get_ref().1;
        let summary = summarize(connection);
        let trust = match self.check {
            PeerCheck::Name => Trust::Verified,
            PeerCheck::Any => self.trust(connection.peer_certificates(), &name, now),
        };
        Ok((stream, summary, trust))
    }

    /// A host whose name no certificate can bear is reached all the same where names are not
    /// checked; it then sees no name in our greeting (SNI).
    fn server_name(&self, host: &str) -> Result<ServerName<'static>, HandshakeError> {
        let host = host.strip_suffix('.').unwrap_or(host);
        match (ServerName::try_from(host.to_owned()), self.check) {
            (Ok(name), _) => Ok(name),
            (Err(_), PeerCheck::Any) => Ok(NO_ADDRESS.into()),
            (Err(_), PeerCheck::Name) => Err(HandshakeError::unverifiable_name(host)),
        }
    }

    fn trust(
        &self,
        chain: Option<&[CertificateDer<'_>]>,
        name: &ServerName<'_>,
        now: Timestamp,
    ) -> Trust {
        let Some((own, intermediates)) = chain.and_then(<[_]>::split_first) else {
            return Trust::Anonymous;
        };
        let Ok(own) = ParsedCertificate::try_from(own) else { return Trust::Untrusted };
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs()));
        let algorithms = self.provider.signature_verification_algorithms.all;
        let roots = &self.authorities.0;
        match verify_server_cert_signed_by_trust_anchor(&own, roots, intermediates, now, algorithms)
        {
            Err(_) => Trust::Untrusted,
            Ok(()) if verify_server_name(&own, name).is_err() => Trust::Trusted,
            Ok(()) => Trust::Verified,
        }
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTls").field("check", &self.check).finish_non_exhaustive()
    }
}

/// Takes every certificate, but not a handshake that its key did not sign.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Stands for "no name" where names are not checked: an address is not sent as SNI.
const NO_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
