//! A browser, as far as these pages need one: it keeps a cookie, and sends forms as they are.

use std::{collections::HashMap, net::SocketAddr, sync::Arc};

use mailweir_admin_ui::{
    AdminState, AllowedHosts, Check, Observability, Overview, Proxies, QueueCounts,
    approval::ApprovalPages, router, serve,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::sample::{Desk, NoPrograms};

/// The pages at work.
pub(crate) struct Site {
    pub(crate) desk: Arc<Desk>,
    address: SocketAddr,
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::at(Some("https://gate.example.org")).await
    }

    pub(crate) async fn at(public_url: Option<&str>) -> Self {
        let desk = Arc::new(Desk::default());
        let proxies = Proxies::new(|address| address.is_loopback());
        let approval = ApprovalPages::new(Arc::clone(&desk) as _, public_url).unwrap();
        let state = AdminState {
            observability: Arc::new(Quiet),
            hosts: Arc::new(AllowedHosts::new(public_url)),
            proxies: Arc::new(proxies),
            approval: Arc::new(approval),
            held: Arc::new(NoPrograms),
            archive: Arc::new(NoPrograms),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, router(state), std::future::pending()));
        Self { desk, address }
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser { address: self.address, cookies: HashMap::new() }
    }

    /// Sends bytes as they are, over a connection of their own.
    pub(crate) async fn ask(&self, request: &str) -> Answer {
        ask(self.address, request).await
    }
}

/// One browser: a cookie for each page.
#[derive(Clone)]
pub(crate) struct Browser {
    address: SocketAddr,
    pub(crate) cookies: HashMap<String, String>,
}

impl Browser {
    pub(crate) async fn get(&mut self, token: &str) -> Answer {
        self.get_ready(token, "").await
    }

    /// With what stands behind the token, such as `?approve`.
    pub(crate) async fn get_ready(&mut self, token: &str, query: &str) -> Answer {
        let cookie = self.cookie(token);
        let request = format!("GET /m/{token}{query} HTTP/1.1\r\nHost: localhost\r\n{cookie}\r\n");
        self.keep(token, ask(self.address, &request).await)
    }

    /// Opens the page and sends the form of a choice.
    pub(crate) async fn choose(&mut self, token: &str, fields: &str) -> Answer {
        let nonce = self.get(token).await.nonce();
        self.post(token, &format!("nonce={nonce}&{fields}")).await
    }

    pub(crate) async fn post(&mut self, token: &str, body: &str) -> Answer {
        self.post_saying(token, body, "Sec-Fetch-Site: same-origin\r\nOrigin: null\r\n").await
    }

    /// With these header lines besides.
    pub(crate) async fn post_saying(&mut self, token: &str, body: &str, lines: &str) -> Answer {
        let cookie = self.cookie(token);
        let request = format!(
            "POST /m/{token} HTTP/1.1\r\nHost: localhost\r\n{cookie}{lines}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.keep(token, ask(self.address, &request).await)
    }

    fn cookie(&self, token: &str) -> String {
        let cookie = self.cookies.get(token);
        cookie.map_or_else(String::new, |value| format!("Cookie: a=b; {value}\r\n"))
    }

    fn keep(&mut self, token: &str, answer: Answer) -> Answer {
        if let Some(field) = answer.header("set-cookie") {
            let pair = field.split(';').next().unwrap().to_owned();
            self.cookies.insert(token.to_owned(), pair);
        }
        answer
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The nonce that stands in all forms of the page.
    pub(crate) fn nonce(&self) -> String {
        let (_, rest) = self.body.split_once("name=\"nonce\" value=\"").expect("a form");
        rest.split('"').next().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn expect(&self, status: u16, words: &str) {
        assert_eq!(self.status, status, "{}\n{}", self.head, self.body);
        assert!(self.body.contains(words), "{words:?} is not in\n{}", self.body);
    }

    #[track_caller]
    pub(crate) fn expect_done(&self, token: &str) {
        assert_eq!(self.status, 303, "{}\n{}", self.head, self.body);
        assert_eq!(self.header("location"), Some(token));
    }
}

async fn ask(address: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = request.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

struct Quiet;

impl Observability for Quiet {
    fn metrics(&self) -> String {
        String::new()
    }

    fn readiness(&self) -> Vec<Check> {
        Vec::new()
    }

    fn overview(&self) -> Overview {
        Overview {
            hostname: "gate.example.org".into(),
            version: "0".into(),
            uptime: std::time::Duration::ZERO,
            listeners: Vec::new(),
            filters: Vec::new(),
            queue: QueueCounts::default(),
        }
    }
}
