use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use mailweir_moderation::{case::Proof, page::Wish, token::Token};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{
    AdminState, AllowedHosts, Check, CheckResult, ListenerStatus, Observability, Overview, Proxies,
    QueueCounts,
    approval::{ApprovalPages, Approvals, Later, LogInForm, NotDone, NotLoggedIn, Sight},
    serve,
};

#[tokio::test]
async fn the_process_is_alive() {
    let answer = get("/livez", Gateway::default()).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok\n"));
}

#[tokio::test]
async fn it_is_ready_when_all_checks_pass() {
    let answer = get("/readyz", Gateway::default()).await;
    assert_eq!(answer.status, 200);
    let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(body["ready"], true);
    assert_eq!(body["checks"][0]["name"], "store");
}

#[tokio::test]
async fn a_failed_check_is_named_and_no_check_is_not_ready() {
    let failed = CheckResult::Failed("no space left".into());
    let store = Check { name: "store".into(), result: failed };
    let answer = get("/readyz", Gateway { checks: vec![store] }).await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("no space left"), "{}", answer.body);
    assert_eq!(get("/readyz", Gateway { checks: Vec::new() }).await.status, 503);
    let page = get("/", Gateway { checks: Vec::new() }).await;
    assert!(page.body.contains("Not accepting mail"));
}

#[tokio::test]
async fn the_metrics_are_passed_on_as_they_are() {
    let answer = get("/metrics", Gateway::default()).await;
    assert_eq!(answer.body, "postfix_up 1\n");
    assert!(answer.header("content-type").contains("version=0.0.4"));
}

#[tokio::test]
async fn the_page_says_what_this_is_and_what_waits() {
    let answer = get("/", Gateway::default()).await;
    assert_eq!(answer.status, 200);
    for words in
        ["gate.example.org", "Accepting mail", "1\u{202f}234", "0.0.0.0:25", "Version 0.1.0"]
    {
        assert!(answer.body.contains(words), "{words}: {}", answer.body);
    }
}

#[tokio::test]
async fn every_answer_forbids_scripts_frames_caching_and_guessing() {
    for path in ["/", "/livez", "/readyz", "/metrics", "/style.css", "/icon.svg", "/nothing"] {
        let answer = get(path, Gateway::default()).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("script-src") && !policy.contains("unsafe"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.status == 404, path == "/nothing");
    }
}

#[tokio::test]
async fn a_foreign_name_is_not_answered() {
    for request in [
        "GET / HTTP/1.1\r\nHost: attacker.example\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: attacker.example\r\n\r\n",
        "GET http://attacker.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /metrics HTTP/1.1\r\n\r\n",
    ] {
        let answer = ask(request, Gateway::default()).await;
        assert_eq!(answer.status, 421, "{request}");
        assert!(!answer.body.contains("postfix_up"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    let ours = "GET / HTTP/1.1\r\nHost: gate.example.org\r\n\r\n";
    assert_eq!(ask(ours, Gateway::default()).await.status, 200);
}

#[tokio::test]
async fn only_reading_is_possible() {
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"] {
        let request = format!("{method} / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let answer = ask(&request, Gateway::default()).await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), "GET, HEAD");
    }
    let head = ask("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n", Gateway::default()).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[tokio::test]
async fn large_requests_are_refused() {
    let path = "a".repeat(2_000);
    let long = format!("GET /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(ask(&long, Gateway::default()).await.status, 414);
    let body = "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello";
    assert_eq!(ask(body, Gateway::default()).await.status, 413);
    let header = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "a".repeat(40_000));
    assert_eq!(ask(&header, Gateway::default()).await.status, 431);
    let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X: a\r\n".repeat(100));
    assert_eq!(ask(&many, Gateway::default()).await.status, 431);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_sends_its_header_slowly_is_dropped() {
    let mut stream = TcpStream::connect(start(Gateway::default()).await).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: loc").await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
}

pub(crate) struct Gateway {
    checks: Vec<Check>,
}

impl Default for Gateway {
    fn default() -> Self {
        Self { checks: vec![Check { name: "store".into(), result: CheckResult::Passed }] }
    }
}

impl Observability for Gateway {
    fn metrics(&self) -> String {
        "postfix_up 1\n".to_owned()
    }

    fn readiness(&self) -> Vec<Check> {
        self.checks.clone()
    }

    fn overview(&self) -> Overview {
        let listener = |name: &str, mode: &str, tls: &str, address: &str| ListenerStatus {
            name: name.into(),
            mode: mode.into(),
            tls: tls.into(),
            address: address.parse().unwrap(),
        };
        Overview {
            hostname: "gate.example.org".into(),
            version: "0.1.0".into(),
            uptime: Duration::from_secs(273_600),
            listeners: vec![
                listener("mx", "mx", "optional", "0.0.0.0:25"),
                listener("submission", "submission", "required", "0.0.0.0:587"),
                listener("submissions", "submission", "implicit", "[2001:db8::25]:465"),
            ],
            filters: Vec::new(),
            queue: QueueCounts { ready: 12, deferred: 1_234, held: 0 },
        }
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        });
        line.unwrap_or_else(|| panic!("no {name} in {}", self.head))
    }
}

async fn get(path: &str, gateway: Gateway) -> Answer {
    ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"), gateway).await
}

/// Sends one request over a connection of its own and reads until the server closes.
async fn ask(request: &str, gateway: Gateway) -> Answer {
    ask_at(start(gateway).await, request).await
}

pub(crate) async fn ask_at(address: SocketAddr, request: &str) -> Answer {
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

async fn start(gateway: Gateway) -> SocketAddr {
    start_with(state(gateway)).await
}

pub(crate) async fn start_with(state: AdminState) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, crate::router(state), std::future::pending()));
    address
}

pub(crate) fn state(gateway: Gateway) -> AdminState {
    AdminState {
        observability: Arc::new(gateway),
        hosts: Arc::new(AllowedHosts::new(Some("https://gate.example.org"))),
        approval: Arc::new(ApprovalPages::new(Arc::new(Nothing), None).unwrap()),
        proxies: Arc::new(Proxies::none()),
        held: Arc::new(crate::api::tests::Office::default()),
        archive: Arc::new(crate::api::tests::Office::default()),
    }
}

/// Nothing waits.
struct Nothing;

impl Approvals for Nothing {
    fn look(&self, _: &Token) -> Option<Sight> {
        None
    }

    fn visited(&self, _: &Token, _: IpAddr, _: &str) {}

    fn decide<'a>(
        &'a self,
        _: &'a Token,
        _: Wish,
        _: (Proof, Option<IpAddr>),
    ) -> Later<'a, Result<(), NotDone>> {
        Box::pin(async { Err(NotDone::Unknown) })
    }

    fn log_in<'a>(
        &'a self,
        _: &'a Token,
        _: LogInForm,
        _: Option<IpAddr>,
    ) -> Later<'a, Result<(), NotLoggedIn>> {
        Box::pin(async { Err(NotLoggedIn::Denied) })
    }
}
