//! The bodies of the fuzz targets for the receiving side: plain functions, so that a short run is
//! part of every test run (`tests/tests/fuzz_smoke.rs`), and a long one needs only a stub
//! (`tests/fuzz/fuzz_targets`). A finding is a panic.

use std::time::Instant;

use mailweir_mail::Domain;
use mailweir_smtp::{
    proxy::{self, Proxy},
    server::{BareNewline, Mode, Rights, Settings, TlsMode},
};

use crate::rig::{Link, Rig};

/// Bytes from a peer, of which the first choose the listener. Whatever they are: no panic, whole
/// reply lines only, bounded replies, and the same conversation however the bytes are divided.
pub fn smtp_server_bytes(data: &[u8]) {
    let Some((&[kind, rights, size], bytes)) = data.split_first_chunk::<3>() else {
        return;
    };
    let whole = converse(kind, rights, [bytes]);
    let single = converse(kind, rights, bytes.chunks(1));
    let pieces = converse(kind, rights, bytes.chunks(usize::from(size).max(1)));
    for other in [single, pieces] {
        // That bytes come too early can only be seen when they come together.
        let too_early = [&whole, &other].iter().any(|said| said.output.contains("\n554 5.5.0"));
        assert!(too_early || whole == other, "{whole:?}\n{other:?}");
    }
}

/// Commands and pieces of commands, chosen by the bytes: gets deeper than bytes alone.
pub fn smtp_server_commands(data: &[u8]) {
    let Some((head, choices)) = data.split_first_chunk::<3>() else {
        return;
    };
    let mut bytes = head.to_vec();
    for &choice in choices.iter().take(200) {
        bytes.extend_from_slice(FRAGMENTS[usize::from(choice) % FRAGMENTS.len()].as_bytes());
    }
    smtp_server_bytes(&bytes);
}

/// The header of a proxy: no panic, and nothing is taken that is not there.
pub fn proxy_header(data: &[u8]) {
    if let Proxy::Header { consumed, .. } = proxy::parse(data) {
        assert!(consumed <= data.len() && consumed <= proxy::MAX_HEADER);
        assert_eq!(proxy::parse(&data[..consumed]), proxy::parse(data));
    }
}

/// What came of a conversation.
#[derive(Debug, PartialEq)]
struct Outcome {
    output: String,
    queued: usize,
    link: Link,
}

fn converse<'a>(kind: u8, rights: u8, pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut rig = Rig::new(settings(kind), rights_of(rights), Instant::now());
    rig.receive(b"");
    for piece in pieces {
        match rig.link {
            Link::Open => rig.receive(piece),
            // Plaintext after STARTTLS is lost with the packet it came in.
            Link::Handshake | Link::Closed => break,
        }
    }
    let link = rig.link;
    rig.hang_up();
    assert!(!rig.has_open_intake());
    let output = String::from_utf8_lossy(&rig.output).into_owned();
    assert!(output.split_inclusive("\r\n").all(|line| line.ends_with("\r\n") && line.len() <= 520));
    assert!(rig.queued.iter().all(|mail| has_whole_lines(&mail.content)));
    Outcome { output, queued: rig.queued.len(), link }
}

/// Whether every CR and LF is part of a CRLF, and the last line has one.
fn has_whole_lines(content: &[u8]) -> bool {
    let ends = content.windows(2).filter(|pair| pair == b"\r\n").count();
    let marks = content.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
    marks == 2 * ends && (content.is_empty() || content.ends_with(b"\r\n"))
}

fn settings(kind: u8) -> Settings {
    let mut settings = Settings::new(Domain::parse("gate.example").expect("a name"));
    settings.mode = [Mode::Mx, Mode::Submission, Mode::Filter, Mode::Lmtp][usize::from(kind & 3)];
    settings.tls = [TlsMode::None, TlsMode::Optional, TlsMode::Required, TlsMode::Implicit]
        [usize::from(kind >> 2 & 3)];
    settings.bare_newline =
        [BareNewline::Normalize, BareNewline::Note, BareNewline::Reject, BareNewline::No]
            [usize::from(kind >> 4 & 3)];
    settings.auth_in_clear = kind & 64 != 0;
    settings.mechanisms = vec!["PLAIN".into(), "LOGIN".into()];
    settings.limits.message_size = if kind & 128 == 0 { 200 } else { 0 };
    settings
}

fn rights_of(bits: u8) -> Rights {
    Rights {
        trusted: bits & 1 != 0,
        xclient: bits & 2 != 0,
        xforward: bits & 4 != 0,
        bare_newline: bits & 8 != 0,
    }
}

const FRAGMENTS: [&str; 48] = [
    "EHLO client.example\r\n",
    "HELO client.example\r\n",
    "LHLO client.example\r\n",
    "MAIL FROM:<a@client.example>\r\n",
    "MAIL FROM:<>\r\n",
    "MAIL FROM:<a@full.example> SIZE=10\r\n",
    "MAIL FROM:<a@refused.example>\r\n",
    "RCPT TO:<b@local.example>\r\n",
    "RCPT TO:<unknown@local.example>\r\n",
    "RCPT TO:<@x.example:c@local.example> NOTIFY=NEVER\r\n",
    "DATA\r\n",
    "BDAT 5\r\n",
    "BDAT 5 LAST\r\n",
    "BDAT 0 LAST\r\n",
    "BDAT 300\r\n",
    "BDAT x\r\n",
    "RSET\r\n",
    "NOOP\r\n",
    "QUIT\r\n",
    "HELP\r\n",
    "VRFY x\r\n",
    "STARTTLS\r\n",
    "AUTH PLAIN\r\n",
    "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n",
    "AUTH LOGIN\r\n",
    "YWxpY2U=\r\n",
    "c2VjcmV0\r\n",
    "*\r\n",
    "XCLIENT ADDR=10.0.0.1 LOGIN=alice\r\n",
    "XCLIENT NAME=[UNAVAILABLE]\r\n",
    "XFORWARD NAME=x HELO=y\r\n",
    "Subject: x\r\n",
    "X-Test: reject\r\n",
    "GET / HTTP/1.1\r\n",
    "FROB\r\n",
    ".\r\n",
    "\r\n.\r\n",
    "\n.\n",
    "\r.\r",
    "\r\n",
    "\n",
    "\r",
    ".",
    "..",
    "text",
    "\0",
    "<\"@>",
    "ü",
];
