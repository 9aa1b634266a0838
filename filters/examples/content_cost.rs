//! What all checks of content together cost: nanoseconds per byte of a mail, by its size.
//!
//! ```text
//! cargo run --release -p mailweir-filters --example content_cost -- 1 2 4 8     (MiB)
//! ```
//!
//! With one size under `valgrind --tool=callgrind`, the instructions.

#![expect(clippy::unwrap_used, reason = "a tool of the benches")]

use std::{
    env,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Instant,
};

use mailweir_filters::{
    RemoteAnswer, RemoteMaps,
    checks::{ChecksRules, ContentChecks, Fate, Output},
};
use mailweir_tables::{Matching, RemoteMap, Spec, Table};

fn main() {
    let rules = Arc::new(rules());
    for size in env::args().skip(1).filter_map(|word| word.parse::<usize>().ok()) {
        let mail = mail(size << 20);
        let began = Instant::now();
        let written = now(check(Arc::clone(&rules), &mail));
        let each = began.elapsed().as_nanos() as f64 / mail.len() as f64;
        assert_eq!(written, mail.len(), "no rule matches this mail");
        println!("{size:4} MiB  {each:6.2} ns a byte");
    }
}

/// A thousand rules of each kind; none matches.
fn rules() -> ChecksRules {
    let list = |matching, pattern: &str| {
        let source: String = (0..1000).map(|n| format!("/{pattern} {n} no/ REJECT\n")).collect();
        let spec = Spec::parse("pcre:/rules").unwrap();
        let loaded = Table::load(&spec, matching, &mut |_| Ok(source.clone().into_bytes()));
        vec![Arc::new(loaded.unwrap().table)]
    };
    ChecksRules {
        header: list(Matching::Bytes, "^Subject: .*offer"),
        body: list(Matching::Bytes, "cheap word"),
        decoded_header: list(Matching::Text, "^Subject: .*광고"),
        text_body: list(Matching::Text, "싼 것"),
        attachment_name: list(Matching::Text, "file"),
        attachment_type: list(Matching::Text, "type"),
        body_checks_size_limit: 0,
        ..ChecksRules::default()
    }
}

/// Half text, half an attachment in base64.
fn mail(size: usize) -> Vec<u8> {
    let mut mail = b"Subject: hello\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
        Content-Type: text/html; charset=utf-8\r\n\r\n"
        .to_vec();
    while mail.len() < size / 2 {
        mail.extend_from_slice(
            "<p>Some words, 그리고 &amp; more of them in a line.</p>\r\n".as_bytes(),
        );
    }
    mail.extend_from_slice(
        b"--b\r\nContent-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n",
    );
    while mail.len() < size {
        mail.extend_from_slice(
            b"UEsDBBQAAAAIAGhlbGxvIHdvcmxkIGFuZCBhbGwgdGhhdCBzb21lIG1vcmUgYnl0ZXMgaGVy\r\n",
        );
    }
    mail.extend_from_slice(b"--b--\r\n");
    mail
}

async fn check(rules: Arc<ChecksRules>, mail: &[u8]) -> usize {
    let (mut checks, mut out) = (ContentChecks::new(rules).unwrap(), Count(0));
    for piece in mail.chunks(16 * 1024) {
        checks.feed(piece, &mut out, &Nobody).await;
    }
    let outcome = checks.finish(&mut out, &Nobody).await;
    assert_eq!(outcome.fate, Fate::Accept);
    out.0
}

struct Count(usize);

impl Output for Count {
    async fn write(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }
}

struct Nobody;

impl RemoteMaps for Nobody {
    fn ask<'a>(&'a self, _map: &'a RemoteMap, _key: &'a [u8]) -> RemoteAnswer<'a> {
        Box::pin(async { Ok(None) })
    }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}
