//! Programs that use the API (`/api/v1`) over HTTP.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The API of a gateway.
#[derive(Clone, Copy, Debug)]
pub struct Api {
    /// The address of its admin listener.
    pub address: SocketAddr,
}

/// What the API answers.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The header.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Api {
    /// Asks for a path. `claim`: of [`basic`], or `Bearer` and a token.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn get(self, claim: &str, path: &str) -> Reply {
        self.ask(&format!("GET {path} HTTP/1.1\r\n{}\r\n", headers(claim))).await
    }

    /// Sends JSON to a path.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn post(self, claim: &str, path: &str, body: &Value) -> Reply {
        let (body, headers) = (body.to_string(), headers(claim));
        let request = format!(
            "POST {path} HTTP/1.1\r\n{headers}Content-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.ask(&request).await
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn ask(self, request: &str) -> Reply {
        let mut stream = TcpStream::connect(self.address).await.expect("the admin listener");
        stream.write_all(request.as_bytes()).await.expect("a listener that reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).await.expect("an answer in UTF-8");
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Reply { status: status.expect("a status"), head: head.to_owned(), body: body.to_owned() }
    }
}

impl Reply {
    /// The body, where the status is this one.
    ///
    /// # Panics
    /// If it is another one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        serde_json::from_str(&self.body).expect("JSON")
    }
}

/// A log-in and its password, as a claim.
#[must_use]
pub fn basic(login: &str, password: &str) -> String {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    format!("Basic {}", BASE64_STANDARD.encode(format!("{login}:{password}")))
}

fn headers(claim: &str) -> String {
    format!("Host: localhost\r\nConnection: close\r\nAuthorization: {claim}\r\n")
}
