//! What mails that were made to be expensive cost the checks: nanoseconds per byte, by size.
//!
//! ```text
//! cargo run --release -p mailweir-filters --example content_worst -- words 1 2 4     (case, MiB)
//! ```
//!
//! What matters is that a mail of twice the size costs no more per byte. Without a case, they are
//! listed. Under `valgrind --tool=callgrind`, the instructions.

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
    checks::{ChecksRules, ContentChecks, Output},
};
use mailweir_tables::{Matching, RemoteMap, Spec, Table};

fn main() {
    let mut words = env::args().skip(1);
    let wanted = words.next().unwrap_or_default();
    let Some(case) = CASES.iter().find(|case| case.name == wanted) else {
        return CASES.iter().for_each(|case| println!("{:14} {}", case.name, case.about));
    };
    let rules = Arc::new(rules(case.rules));
    for size in words.filter_map(|word| word.parse::<usize>().ok()) {
        let mail = (case.mail)(size << 20);
        let began = Instant::now();
        let fate = now(check(Arc::clone(&rules), &mail));
        let took = began.elapsed();
        let each = took.as_nanos() as f64 / mail.len() as f64;
        println!("{wanted}: {size} MiB, {took:.1?}, {each:.1} ns a byte: {fate}");
    }
}

/// A mail and the rules that it is made for.
struct Case {
    name: &'static str,
    about: &'static str,
    /// Of every kind of check.
    rules: &'static str,
    mail: fn(usize) -> Vec<u8>,
}

const PLAIN: &str = "/no such words/ REJECT\n";

const CASES: &[Case] = &[
    Case {
        name: "words",
        about: "headers of encoded words, each in another charset",
        rules: PLAIN,
        mail: |size| {
            let labels = ["iso-2022-jp", "euc-kr", "utf-7", "gb18030", "hz-gb-2312", "x-none"];
            let words = |n: usize| {
                let label = labels[n % labels.len()];
                format!(" =?{label}?Q?=1b$B=a4=a2+AGE-~{{<:~}}?=\r\n").into_bytes()
            };
            header(size, 90_000, words)
        },
    },
    Case {
        name: "unlabelled",
        about: "headers of bytes that every charset takes",
        rules: PLAIN,
        mail: |size| {
            header(size, 90_000, |_| b" \xb1\xb0\xb1\xb0\xb1\xb0\xb1\xb0\xb1\xb0\r\n".into())
        },
    },
    Case {
        name: "text",
        about: "text without a charset, in lines that every charset takes",
        rules: PLAIN,
        mail: |size| {
            let type_of = b"Content-Type: text/plain\r\n\r\n".to_vec();
            filled(type_of, size, |_| {
                b"\xb1\xb0\xb1\xb0\xb1\xb0 \xb1\xb0\xb1\xb0\xb1\xb0\r\n".into()
            })
        },
    },
    Case {
        name: "html",
        about: "parts of HTML without a charset, a megabyte each",
        rules: PLAIN,
        mail: |size| {
            parts(size, 1 << 20, b"text/html", |_| {
                b"<p \xb1=&amp;>\xb1\xb0&#44032;<a href=x>\r\n".into()
            })
        },
    },
    Case {
        name: "parts",
        about: "as many parts as there is room for, each with names in all notations",
        rules: PLAIN,
        mail: |size| {
            parts(
                size,
                1,
                b"text/plain; name*0*=euc-kr''%b1%b0; name*1=\xb1\xb0; name=\"\xb1\xb0\"",
                |_| b"\xb1\xb0\r\n".into(),
            )
        },
    },
    Case {
        name: "readings",
        about: "a part with eight boundaries, types and encodings",
        rules: PLAIN,
        mail: |size| {
            let mut head = Vec::new();
            for n in 0..9 {
                head.extend_from_slice(
                    format!("Content-Type: text/{n}plain; charset=euc-kr\r\n").as_bytes(),
                );
            }
            for encoding in ["base64", "quoted-printable", "x-uuencode", "7bit", "8bit", "binary"] {
                head.extend_from_slice(
                    format!("Content-Transfer-Encoding: {encoding}\r\n").as_bytes(),
                );
            }
            head.extend_from_slice(b"\r\n");
            filled(head, size, |_| b"=b1=b0UEsDBBQAAAAIA=a4=a2 \xb1\xb0\r\n".into())
        },
    },
    Case {
        name: "nested",
        about: "mails in base64 within each other, as deep as they are read",
        rules: PLAIN,
        mail: |size| {
            let head = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n";
            let mut mail =
                filled(b"Subject: x\r\n\r\n".to_vec(), size / 9, |_| b"\xb1\xb0 a\r\n".into());
            for _ in 0..8 {
                mail = [head, base64(&mail).as_slice()].concat();
            }
            mail
        },
    },
    Case {
        name: "names",
        about: "headers of parts that are nothing but parameters",
        rules: PLAIN,
        mail: |size| {
            parts(
                size,
                1,
                &filled(b"text/plain".to_vec(), 90_000, |n| {
                    format!(";\r\n name*{n}*=%b1%b0; name=\"a{n}\"; filename{n}*0=x").into_bytes()
                }),
                |_| b"x\r\n".into(),
            )
        },
    },
    Case {
        name: "delimiters",
        about: "multiparts with eight boundaries each in each other, and lines that begin like them",
        rules: PLAIN,
        mail: |size| {
            let mut mail = Vec::new();
            for level in 0..90 {
                mail.extend_from_slice(b"Content-Type: multipart/mixed");
                for n in 0..8 {
                    mail.extend_from_slice(format!("; boundary=b{level}.{n}").as_bytes());
                }
                mail.extend_from_slice(format!("\r\n\r\n--b{level}.0\r\n").as_bytes());
            }
            filled(mail, size, |n| format!("--b{}.x\r\n--\r\n", n % 90).into_bytes())
        },
    },
    Case {
        name: "exponential",
        about: "lines on which a pattern that backtracks takes for ever",
        rules: "/^(?!c)(a+)+$/ REJECT\n",
        mail: |size| {
            filled(b"Subject: x\r\n\r\n".to_vec(), size, |_| [&[b'a'; 40][..], b"b\r\n"].concat())
        },
    },
    Case {
        name: "costly",
        about: "lines on which a pattern that backtracks takes long, but not for ever",
        rules: "/^(?!c)(a+)+$/ REJECT\n",
        mail: |size| {
            filled(b"Subject: x\r\n\r\n".to_vec(), size, |_| [&[b'a'; 16][..], b"b\r\n"].concat())
        },
    },
    Case {
        name: "quadratic",
        about: "headers of one long word, for a pattern that tries it from every place",
        rules: "/(\\w+)!\\1/ REJECT\n",
        mail: |size| header(size, 90_000, |_| vec![b'a'; 900]),
    },
    Case {
        name: "repeated",
        about: "lines that a pattern with a back-reference finds nothing in",
        rules: "/\\b(\\w+) \\1\\b/ REJECT\n",
        mail: |size| {
            filled(b"Subject: x\r\n\r\n".to_vec(), size, |_| {
                b"Some words, and more of them in a line that is as long as lines are.\r\n".into()
            })
        },
    },
    Case {
        name: "automaton",
        about: "headers for an automaton with thousands of states",
        rules: "/[a-c]{1,100}[^c]{4000}[de]/ REJECT\n",
        mail: |size| {
            header(size, 90_000, |n| if n % 3 == 0 { b"abcab".into() } else { b"bacaabb".into() })
        },
    },
];

/// Headers of `each` bytes up to `size`.
fn header(size: usize, each: usize, fill: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    let mut mail = Vec::new();
    while mail.len() < size {
        let end = mail.len() + each;
        mail.extend_from_slice(b"Subject: x\r\n ");
        mail = filled(mail, end, &fill);
        mail.extend_from_slice(b" !\r\n");
    }
    mail.extend_from_slice(b"\r\n");
    mail
}

/// Parts of `each` bytes up to `size`.
fn parts(size: usize, each: usize, kind: &[u8], fill: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    let mut mail = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec();
    while mail.len() < size {
        mail.extend_from_slice(&[b"--b\r\nContent-Type: ", kind, b"\r\n\r\n"].concat());
        let end = mail.len() + each;
        mail = filled(mail, end, &fill);
    }
    mail
}

fn filled(mut mail: Vec<u8>, size: usize, fill: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    for n in 0.. {
        if mail.len() >= size {
            break;
        }
        mail.extend_from_slice(&fill(n));
    }
    mail
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = Vec::new();
    for line in bytes[..bytes.len() / 3 * 3].chunks(57) {
        for group in line.chunks_exact(3) {
            let bits = group.iter().fold(0_usize, |bits, &byte| bits << 8 | usize::from(byte));
            text.extend([18, 12, 6, 0].map(|shift| SIGNS[bits >> shift & 63]));
        }
        text.extend_from_slice(b"\r\n");
    }
    text
}

/// The same rules for every kind of check.
fn rules(source: &str) -> ChecksRules {
    let list = |matching| {
        let spec = Spec::parse("pcre:/rules").unwrap();
        let loaded = Table::load(&spec, matching, &mut |_| Ok(source.as_bytes().to_vec()));
        vec![Arc::new(loaded.unwrap().table)]
    };
    ChecksRules {
        header: list(Matching::Bytes),
        body: list(Matching::Bytes),
        decoded_header: list(Matching::Text),
        text_body: list(Matching::Text),
        attachment_name: list(Matching::Text),
        attachment_type: list(Matching::Text),
        body_checks_size_limit: 0,
        ..ChecksRules::default()
    }
}

async fn check(rules: Arc<ChecksRules>, mail: &[u8]) -> String {
    let (mut checks, mut out) = (ContentChecks::new(rules).unwrap(), Nowhere);
    for piece in mail.chunks(16 * 1024) {
        checks.feed(piece, &mut out, &Nobody).await;
    }
    format!("{:?}", checks.finish(&mut out, &Nobody).await.fate)
}

struct Nowhere;

impl Output for Nowhere {
    async fn write(&mut self, _bytes: &[u8]) {}
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
