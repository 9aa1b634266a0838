//! One GET of the issuer's keys, by HTTP/1.1, bounded in time and size. Redirects are not followed.

use std::{fmt::Display, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, Response, StatusCode, body::Incoming, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, crypto::aws_lc_rs, version};
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::backends::{
    authorities,
    oauth::{OAuthError, keys::KeySet, schedule, url::JwksUrl},
};

/// Fetches the keys of one place.
pub(super) struct Fetcher {
    url: JwksUrl,
    tls: TlsConnector,
}

/// Keys, and how long they may be kept, if the answer says so.
pub(super) type Fetched = (KeySet, Option<Duration>);

impl Fetcher {
    /// Reads the file of authorities, if there is one.
    pub(super) fn new(url: JwksUrl, ca_file: Option<&Path>) -> Result<Self, OAuthError> {
        let roots = authorities::read(ca_file).map_err(|reason| OAuthError::Authorities {
            path: ca_file.map(Path::to_owned).unwrap_or_default(),
            reason: reason.into(),
        })?;
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .map_err(|error| OAuthError::Tls(error.to_string().into()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { url, tls: TlsConnector::from(Arc::new(config)) })
    }

    /// Asks once. The error is a text for the administrator.
    pub(super) async fn fetch(&self) -> Result<Fetched, Box<str>> {
        let fetched = match timeout(PATIENCE, Box::pin(self.ask())).await {
            Ok(fetched) => fetched,
            Err(_) => Err(format!("no answer within {} seconds", PATIENCE.as_secs())),
        };
        fetched.map_err(|why| {
            format!("cannot fetch the issuer's keys from {}: {why}", self.url).into()
        })
    }

    async fn ask(&self) -> Result<Fetched, String> {
        let stream = TcpStream::connect((self.url.host(), self.url.port())).await.map_err(text)?;
        if !self.url.is_secure() {
            return self.talk(stream).await;
        }
        let name = ServerName::try_from(self.url.host().to_owned()).map_err(text)?;
        self.talk(self.tls.connect(name, stream).await.map_err(text)?).await
    }

    async fn talk(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<Fetched, String> {
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEADER)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(text)?;
        // Ends with this future, whether it is awaited to its end or dropped.
        let mut connections = JoinSet::new();
        connections.spawn(connection);
        let response = sender.send_request(self.request()?).await.map_err(text)?;
        read(response).await
    }

    fn request(&self) -> Result<Request<Empty<Bytes>>, String> {
        let uri = self.url.uri();
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let host = uri.authority().map_or("", |authority| authority.as_str());
        Request::get(path)
            .header(header::HOST, host)
            .header(header::ACCEPT, "application/jwk-set+json, application/json")
            .header(header::USER_AGENT, "mailweir")
            .header(header::CONNECTION, "close")
            .body(Empty::new())
            .map_err(text)
    }
}

async fn read(response: Response<Incoming>) -> Result<Fetched, String> {
    if response.status() != StatusCode::OK {
        return Err(format!("the answer is {}", response.status()));
    }
    let kept = response.headers().get(header::CACHE_CONTROL);
    let max_age = kept.and_then(|value| value.to_str().ok()).and_then(schedule::max_age);
    let body = Limited::new(response.into_body(), MAX_BODY).collect().await.map_err(text)?;
    let keys = KeySet::read(&body.to_bytes()).map_err(text)?;
    Ok((keys, max_age))
}

fn text(error: impl Display) -> String {
    error.to_string()
}

/// For all of it, from the look-up of the name to the last byte: sessions wait for it, and should
/// hear what came of it well before their own patience ends.
const PATIENCE: Duration = Duration::from_secs(4);
/// For the header of the answer.
const MAX_HEADER: usize = 64 * 1_024;
/// For the keys.
pub(super) const MAX_BODY: usize = 1_024 * 1_024;
