//! Our server and our client meet in memory; only the clock of certificates is real.

mod client;
mod client_certificate;
mod server;

use std::{fs, path::PathBuf, sync::Arc};

use mailweir_mail::{Timestamp, TlsSummary};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::{ClientConfig, HandshakeKind, version::TLS12};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio_rustls::TlsConnector;

use super::*;

/// A directory with certificates, gone at the end of the test.
struct Home {
    directory: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Home {
    fn new() -> Self {
        let mut wanted = CertificateParams::new(Vec::new()).unwrap();
        wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(wanted, KeyPair::generate().unwrap()).unwrap();
        Self { directory: tempfile::tempdir().unwrap(), authority }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// A certificate for `name` that the authority of this home has signed.
    fn certificate(&self, name: &str) -> CertificateSource {
        self.certificate_until(name, 4_000)
    }

    fn certificate_until(&self, name: &str, year: i32) -> CertificateSource {
        let key = KeyPair::generate().unwrap();
        let mut wanted = CertificateParams::new([name.to_owned()]).unwrap();
        wanted.not_after = date_time_ymd(year, 1, 1);
        let certificate = wanted.signed_by(&key, &self.authority).unwrap();
        CertificateSource::Files {
            certificate: self.write(&format!("{name}-{year}.crt"), &certificate.pem()),
            key: self.write(&format!("{name}-{year}.key"), &key.serialize_pem()),
        }
    }

    fn self_signed(&self, hostname: &str) -> CertificateSource {
        let data_dir = self.directory.path().to_owned();
        CertificateSource::SelfSigned { data_dir, hostname: hostname.to_owned() }
    }

    /// The authority of this home, as a route's judge.
    fn authorities(&self) -> Authorities {
        Authorities::from_file(&self.write("ca.crt", &self.authority.pem())).unwrap()
    }
}

fn listener(source: &CertificateSource) -> ListenerTls {
    ServerTls::load(source, NOW).unwrap().listener(OldestVersion::Tls12, None).unwrap()
}

/// What both sides say of one handshake.
struct Meeting {
    server: Result<(TlsSummary, HandshakeKind), String>,
    client: Result<(TlsSummary, Trust), String>,
}

impl Meeting {
    async fn between(listener: &ListenerTls, client: &ClientTls, host: &str) -> Self {
        let (near, far) = duplex(PIPE);
        let server = async {
            let (mut stream, summary) = listener.accept(far).await.map_err(words)?;
            stream.write_all(b"220 hello").await.map_err(words)?;
            stream.shutdown().await.map_err(words)?;
            let kind = stream.get_ref().1.handshake_kind().unwrap();
            Ok((summary, kind))
        };
        let client = async {
            let (mut stream, summary, trust) =
                client.connect(host, near, NOW).await.map_err(words)?;
            let mut greeting = String::new();
            stream.read_to_string(&mut greeting).await.map_err(words)?;
            assert_eq!(greeting, "220 hello");
            Ok((summary, trust))
        };
        let (server, client) = tokio::join!(server, client);
        Self { server, client }
    }

    #[track_caller]
    fn expect_trust(&self, trust: Trust) {
        assert_eq!(self.client.as_ref().map(|(_, trust)| *trust), Ok(trust));
    }

    #[track_caller]
    fn expect_refused(&self, clients_words: &str) {
        let words = self.client.as_ref().unwrap_err();
        assert!(words.contains(clients_words), "{words:?}");
    }
}

/// A bare rustls client, for what our own never asks for; the result is the server's.
async fn meet_bare(listener: &ListenerTls, config: ClientConfig) -> Result<TlsSummary, String> {
    let (near, far) = duplex(PIPE);
    let connector = TlsConnector::from(Arc::new(config));
    let client = connector.connect("mx.example.org".try_into().unwrap(), near);
    let (server, _) = tokio::join!(listener.accept(far), client);
    server.map(|(_, summary)| summary).map_err(words)
}

fn bare_client(home: &Home, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
    ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(home.authorities().roots())
        .with_no_client_auth()
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

const TLS12_ONLY: &[&SupportedProtocolVersion] = &[&TLS12];
const NOW: Timestamp = Timestamp::from_secs(1_795_210_205);
const PIPE: usize = 64 * 1_024;
