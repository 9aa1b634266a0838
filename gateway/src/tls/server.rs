//! The listeners' side: one certificate for all, ticket keys for each.
//!
//! A session ticket of one listener is worth nothing at another (`attacks.md` B7): what was
//! agreed under one policy must not be resumed under a second one.

use std::sync::Arc;

use mailweir_mail::{Timestamp, TlsSummary};
use mailweir_smtp::server::ShownCertificate;
use rustls::{
    ServerConfig, ServerConnection, SupportedProtocolVersion,
    crypto::{CryptoProvider, aws_lc_rs::Ticketer},
    server::{NoServerSessionStorage, WebPkiClientVerifier},
    sign::CertifiedKey,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::tls::{
    ClientAuthorities, ClientCertificate, HandshakeError, TlsError, VERSIONS,
    certificate::{CertificateSource, CurrentCertificate},
    fingerprint, provider, setup, summarize,
};

/// Our certificate, and the maker of listeners' TLS.
#[derive(Debug)]
pub struct ServerTls {
    provider: Arc<CryptoProvider>,
    certificate: Arc<CurrentCertificate>,
}

impl ServerTls {
    /// Loads the certificate; makes the self-signed one if that is the source and none is there.
    /// `now` is wall-clock time. Blocks on the disk.
    ///
    /// # Errors
    /// [`TlsError`] names the file and what is wrong with it.
    pub fn load(source: &CertificateSource, now: Timestamp) -> Result<Self, TlsError> {
        let provider = provider();
        let certificate = CurrentCertificate::new(source.load(&provider, now)?);
        Ok(Self { certificate: Arc::new(certificate), provider })
    }

    /// Loads the certificate again, maybe from another source. Blocks on the disk. Nothing changes
    /// before [`Self::install`].
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn prepare(
        &self,
        source: &CertificateSource,
        now: Timestamp,
    ) -> Result<Prepared, TlsError> {
        Ok(Prepared(source.load(&self.provider, now)?))
    }

    /// Shows this certificate in all handshakes that begin from now on. Sessions that run are not
    /// touched.
    pub fn install(&self, prepared: Prepared) {
        self.certificate.replace(prepared.0);
    }

    /// The certificate that new handshakes get.
    #[cfg(test)]
    pub(crate) fn shown(&self) -> Arc<CertifiedKey> {
        self.certificate.current()
    }

    /// TLS for one listener, with ticket keys of its own (`attacks.md` B7), in no version before
    /// `oldest`. Clients are asked for a certificate if there are `authorities` to judge it.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn listener(
        &self,
        oldest: OldestVersion,
        authorities: Option<ClientAuthorities>,
    ) -> Result<ListenerTls, TlsError> {
        let verifier = match &authorities {
            Some(authorities) => authorities.verifier(),
            None => WebPkiClientVerifier::no_client_auth(),
        };
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(oldest.and_newer())
            .map_err(setup)?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(self.certificate.clone());
        config.ticketer = Ticketer::new().map_err(setup)?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        // A client opens its next connection with one ticket; the second would be waste.
        config.send_tls13_tickets = 1;
        // A browser that was lured here asks for "h2" or "http/1.1" and is turned away (B8);
        // clients that ask for no protocol, as mail programs do, are welcome.
        config.alpn_protocols = vec![b"smtp".to_vec()];
        Ok(ListenerTls { acceptor: TlsAcceptor::from(Arc::new(config)), authorities })
    }
}

/// The oldest version of TLS that a listener speaks: `[tls] min_version`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldestVersion {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

impl OldestVersion {
    const fn and_newer(self) -> &'static [&'static SupportedProtocolVersion] {
        match self {
            Self::Tls12 => VERSIONS,
            Self::Tls13 => TLS13_ONLY,
        }
    }
}

/// A certificate that was loaded and proved, and is not in use yet.
#[derive(Debug)]
pub struct Prepared(CertifiedKey);

/// TLS as one listener speaks it. Cheap to clone; clones share their ticket keys.
#[derive(Clone)]
pub struct ListenerTls {
    acceptor: TlsAcceptor,
    authorities: Option<ClientAuthorities>,
}

impl ListenerTls {
    /// Makes the handshake on `stream`, which must be at its first byte of TLS. The caller sets
    /// the deadline.
    ///
    /// # Errors
    /// [`HandshakeError`] says why in words for the log. The stream is gone.
    pub async fn accept<S>(&self, stream: S) -> Result<(TlsStream<S>, TlsSummary), HandshakeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let stream = self.acceptor.accept(stream).await.map_err(HandshakeError::inbound)?;
        let summary = summarize(stream.get_ref().1);
        Ok((stream, summary))
    }

    /// What the client's certificate is worth at `now`, wall-clock time, on a connection that
    /// [`Self::accept`] has made. A resumed session has the certificate of the first.
    #[must_use]
    pub fn judge(&self, connection: &ServerConnection, now: Timestamp) -> ClientCertificate {
        let chain = connection.peer_certificates().unwrap_or_default();
        match &self.authorities {
            Some(authorities) => authorities.judge(chain, now),
            None => ClientCertificate::None,
        }
    }

    /// What rules may ask of the client's certificate, which was judged as `judged`; `None` if it has
    /// shown none.
    #[must_use]
    pub fn shown_by(
        &self,
        connection: &ServerConnection,
        judged: &ClientCertificate,
    ) -> Option<ShownCertificate> {
        let own = connection.peer_certificates()?.first()?;
        Some(fingerprint::shown(own, matches!(judged, ClientCertificate::Trusted(_))))
    }

    /// The configuration itself, for drivers that make handshakes on their own.
    #[must_use]
    pub fn config(&self) -> &Arc<ServerConfig> {
        self.acceptor.config()
    }
}

impl std::fmt::Debug for ListenerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ListenerTls").finish_non_exhaustive()
    }
}

const TLS13_ONLY: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];
