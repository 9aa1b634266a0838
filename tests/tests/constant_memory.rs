//! What a peer sends without end costs a session no memory (`attacks.md` A6, A10, A13, A17).
//!
//! The session is pure, so nothing but it and this file can grow. What counts is the most memory
//! that this process ever had (`VmHWM` of proc(5)); therefore this is one test in a file of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::{fs, sync::Arc, time::Instant};

use mailweir_mail::{Client, Domain, QueueId, Timestamp};
use mailweir_smtp::{
    client::{self, Loss, TlsPolicy},
    server::{Answer, Peer, Question, Rights, Session, Settings, Step},
};

#[test]
fn what_comes_without_end_costs_no_memory() {
    let block = vec![b'x'; BLOCK];
    let floods: [(&str, Torrent); 7] = [
        ("A13: a command of 64 MB", endless_command),
        ("A13: content of 64 MB without a line end", endless_content_line),
        ("A10: content of 64 MB over the limit", oversized_content),
        ("A6: 200,000 chunks of one byte", tiny_chunks),
        ("A9: chunks of 64 MB that nobody wants", unwanted_chunk),
        ("A17: as many commands as are taken", many_commands),
        ("the other side: a reply of 64 MB", endless_reply),
    ];
    // What the allocator and the first use of everything take.
    floods.iter().for_each(|(_, flood)| flood(&block[..100]));
    for (name, flood) in floods {
        let before = peak_memory();
        flood(&block);
        let grown = peak_memory().saturating_sub(before);
        assert!(grown <= ALLOWED, "{name}: {grown} bytes");
    }
}

fn endless_command(block: &[u8]) {
    let mut flood = Flood::new(0);
    flood.send(b"EHLO c\r\n");
    flood.send_often(block, ROUNDS);
    flood.send(b"\r\nNOOP\r\n");
    let tail = "500 5.2.3 Error: line too long\r\n250 2.0.0 Ok\r\n";
    assert!(flood.said.ends_with(tail), "{}", flood.said);
}

fn endless_content_line(block: &[u8]) {
    let mut flood = Flood::new(0);
    flood.begin_mail();
    flood.send(b"DATA\r\n");
    flood.send_often(block, ROUNDS);
    flood.send(b"\r\n.\r\n");
    assert_eq!(flood.content, block.len() * ROUNDS + 2);
    assert_eq!(flood.queued, 1);
}

fn oversized_content(block: &[u8]) {
    let mut flood = Flood::new(1_000);
    flood.begin_mail();
    flood.send(b"DATA\r\n");
    flood.send_often(block, ROUNDS);
    flood.send(b"\r\n.\r\n");
    assert!(flood.said.ends_with("552 5.3.4 Message file too big\r\n"), "{}", flood.said);
    assert_eq!(flood.queued, 0);
}

fn tiny_chunks(block: &[u8]) {
    let mut flood = Flood::new(0);
    flood.begin_mail();
    let chunks = if block.len() < BLOCK { 10 } else { 200_000 };
    for _ in 0..chunks {
        flood.send(b"BDAT 1\r\nx");
        flood.said.clear();
    }
    flood.send(b"BDAT 0 LAST\r\n");
    assert_eq!((flood.content, flood.queued), (chunks + 2, 1));
}

fn unwanted_chunk(block: &[u8]) {
    let mut flood = Flood::new(1_000);
    flood.begin_mail();
    let size = block.len() * ROUNDS;
    flood.send(format!("BDAT {size} LAST\r\n").as_bytes());
    flood.send_often(block, ROUNDS);
    flood.send(b"NOOP\r\n");
    assert!(flood.said.ends_with("250 2.0.0 Ok\r\n"), "{}", flood.said);
    assert_eq!(flood.queued, 0);
}

fn many_commands(_: &[u8]) {
    for command in ["NOOP\r\n", "RSET\r\n", "RCPT TO:<b@x.example>\r\n", "VRFY x\r\n", "FROB\r\n"] {
        let mut flood = Flood::new(0);
        flood.begin_mail();
        let taken = (0..10_000).take_while(|_| flood.send(command.as_bytes())).count();
        assert!(taken < 10_000 && flood.said.contains("421 4.7.0"), "{command}: {taken}");
        assert!(flood.recipients <= 1000);
    }
}

fn endless_reply(block: &[u8]) {
    let mut settings = client::Settings::new(Domain::parse("mail.example").unwrap());
    settings.tls = TlsPolicy::None;
    let mut client = client::Client::new(Arc::new(settings), "mx", Instant::now());
    for _ in 0..ROUNDS {
        client.receive(block);
    }
    client.input_closed(Loss::Closed);
}

/// Sends a flood made of blocks like this one.
type Torrent = fn(&[u8]);

/// A session whose mails and replies are not kept.
struct Flood {
    session: Session,
    now: Instant,
    said: String,
    content: usize,
    queued: usize,
    recipients: usize,
}

impl Flood {
    fn new(message_size: u64) -> Self {
        let mut settings = Settings::new(Domain::parse("gate.example").unwrap());
        settings.limits.message_size = message_size;
        let peer = Peer {
            client: Client::unnamed(([192, 0, 2, 1], 4711).into()),
            local: ([192, 0, 2, 25], 25).into(),
            rights: Rights::NONE,
        };
        let now = Instant::now();
        let session = Session::new(Arc::new(settings), peer, now);
        let mut flood =
            Self { session, now, said: String::new(), content: 0, queued: 0, recipients: 0 };
        flood.send(b"");
        flood.said.clear();
        flood
    }

    fn begin_mail(&mut self) {
        self.send(b"EHLO c\r\n");
        self.send(b"MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\n");
        self.said.clear();
    }

    fn send_often(&mut self, bytes: &[u8], times: usize) {
        for _ in 0..times {
            self.send(bytes);
        }
    }

    /// `false` if the session has closed.
    fn send(&mut self, bytes: &[u8]) -> bool {
        let mut input = bytes;
        loop {
            let question = match self.session.next(&mut input, self.now) {
                Step::Read | Step::StartTls => return true,
                Step::Close => return false,
                Step::Write(bytes) => {
                    self.said.push_str(std::str::from_utf8(bytes).unwrap());
                    continue;
                }
                Step::Content(piece) => {
                    self.content += piece.len();
                    continue;
                }
                Step::Abandoned(_) => continue,
                Step::Ask(question) => question,
            };
            let answer = match question {
                Question::EndOfData => {
                    self.queued += 1;
                    Answer::Accepted(QueueId::new(Timestamp::from_secs(1), 1))
                }
                Question::Recipient(_) => {
                    self.recipients += 1;
                    Answer::Proceed
                }
                _ => Answer::Proceed,
            };
            self.session.answer(answer);
            while self.session.take_refusal().is_some() {}
        }
    }
}

fn peak_memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<usize>().unwrap() * 1024
}

/// 64 MB in blocks of 64 KB.
const BLOCK: usize = 64 * 1024;
const ROUNDS: usize = 1_000;

/// Far below what is sent, and above what an allocator takes at a time.
const ALLOWED: usize = 1024 * 1024;
