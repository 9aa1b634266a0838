//! What the archive costs: `cargo run --release -p mailweir-archive --example archive_cost [MAILS] [DIRECTORY] [encrypted]`.
//!
//! Text mails in four languages are packed and appended in groups, then the whole archive is verified, and some
//! of it is read.

use std::{
    io::{self, Cursor, Read},
    path::PathBuf,
    time::Instant,
};

use mailweir_archive::{
    About, Archive, Draft, Encryption, MasterKeys, Options, Reader,
    commit::Salt,
    entry::{self, Capture, Direction, Ending, Fared, Note, Outcome, Source},
    frame::Kind,
    hash::Hash,
    payload::{Packed, Packer},
    verify::{Known, verify},
};
use mailweir_mail::{
    Client, Envelope, Login, Origin, Protocol, QueueId, ReversePath, Timestamp, TlsSummary,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mails: u32 = arguments.next().map_or(Ok(100_000), |mails| mails.parse())?;
    let place = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let place = tempfile::tempdir_in(place)?;
    let now = Timestamp::from_secs(1_795_210_205);
    let keys = MasterKeys::parse(&"5a".repeat(32))?;
    let encryption = match arguments.next().as_deref() {
        Some("encrypted") => Encryption::On(keys.clone()),
        _ => Encryption::Never,
    };
    let options = Options { encryption, ..Options::default() };
    let (mut archive, _) = Archive::open(place.path(), options, now)?;
    let mut packer = Packer::new()?;
    let (mut raw, mut stored, mut packing) = (0, 0, 0.0);
    let mut captures = Vec::new();

    let begun = Instant::now();
    for group in 0..mails / GROUP {
        let at = Instant::now();
        let mut drafts = Vec::new();
        for number in group * GROUP..(group + 1) * GROUP {
            let content = content(number);
            raw += content.len();
            let (capture, outcome) = (capture(number, &content), outcome(number));
            let payload = packer.pack(&entry::encode(&capture)?, &content)?;
            drafts.push(Draft::of_capture(&capture, payload));
            let about = About::OfGroup(drafts.len() - 1);
            let payload = packer.pack(&entry::encode(&outcome)?, b"")?;
            drafts.push(Draft::new(Kind::Outcome, about, Some(capture.id), payload));
        }
        packing += at.elapsed().as_secs_f64();
        let written = archive.append(drafts, now)?;
        stored += written.iter().map(|record| record.head.stored).sum::<u64>();
        captures.extend(written.first().map(|record| record.place));
    }
    let took = begun.elapsed().as_secs_f64();
    archive.seal(now)?;
    let per = |seconds: f64| 1e6 * seconds / f64::from(mails);
    println!("{mails} mails of {} bytes", raw / mails as usize);
    println!("making and packing one: {:.1} us; with writing: {:.1} us", per(packing), per(took));

    let begun = Instant::now();
    let report = verify(archive.places(), Known::default(), &mut |_, _| {})?;
    let rate = report.bytes as f64 / begun.elapsed().as_secs_f64() / 1e6;
    println!(
        "payloads {} bytes a mail, archive {}",
        stored / u64::from(mails),
        report.bytes / u64::from(mails)
    );
    println!("stored: {:.1} % of the mails", 100.0 * report.bytes as f64 / raw as f64);
    println!("verified {} records at {rate:.0} MB/s: {}", report.records, report.is_sound());

    let begun = Instant::now();
    let reader = Reader::new(archive.places().clone()).with_keys(Some(keys));
    for place in &captures {
        let mut record = reader.read_sound(*place)?;
        record.payload.summary()?;
        record.payload.content(1 << 20)?;
    }
    let took = 1e6 * begun.elapsed().as_secs_f64() / captures.len() as f64;
    println!("reading one: {took:.0} us");
    large(&mut archive, now)?;
    Ok(())
}

/// A mail that is read piece by piece.
fn large(archive: &mut Archive, now: Timestamp) -> Result<(), Box<dyn std::error::Error>> {
    let before = most_memory()?;
    let pieces = (0..LARGE / 4_000).map(content);
    let begun = Instant::now();
    let payload = Packed::later(b"summary".to_vec(), Pieces { pieces, piece: Cursor::default() })?;
    let draft = Draft::new(Kind::Capture, About::Itself, None, payload);
    let written = archive.append(vec![draft], now)?;
    let head = written.first().ok_or("nothing was written")?.head;
    let megabytes = head.unpacked as f64 / 1e6;
    println!(
        "one of {megabytes:.0} MB: {:.0} MB/s, and {} KiB more of memory",
        megabytes / begun.elapsed().as_secs_f64(),
        most_memory()? - before,
    );
    Ok(())
}

struct Pieces<P> {
    pieces: P,
    piece: Cursor<Vec<u8>>,
}

impl<P: Iterator<Item = Vec<u8>>> Read for Pieces<P> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.piece.read(buffer)?;
            if read > 0 {
                return Ok(read);
            }
            match self.pieces.next() {
                Some(piece) => self.piece = Cursor::new(piece),
                None => return Ok(0),
            }
        }
    }
}

/// The most memory that this process ever had, in KiB.
fn most_memory() -> Result<u64, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

fn capture(number: u32, content: &[u8]) -> Capture {
    let arrival = Timestamp::from_micros(1_795_210_205_000_000 + u64::from(number) * 977);
    let address = |name: &str, domain: &str| format!("{name}{}@{domain}", number % 311).parse();
    let sender = address("user", "own.example").map_or(ReversePath::Null, ReversePath::Mailbox);
    let envelope = Envelope::from_sender(sender);
    let envelope = match address("customer", "far.example") {
        Ok(recipient) => envelope.to(recipient),
        Err(_) => envelope,
    };
    Capture {
        id: QueueId::new(arrival, number % 9),
        envelope,
        origin: Origin {
            listener: "submission".into(),
            client: Client::unnamed(([192, 0, 2, (number % 250) as u8], 1025).into()),
            helo: format!("desk{}.own.example", number % 97).into(),
            protocol: Protocol::Esmtp,
            login: Some(Login { user: "user@own.example".into(), mechanism: "PLAIN".into() }),
            tls: Some(TlsSummary {
                version: "TLSv1.3".into(),
                cipher: "TLS_AES_256_GCM_SHA384".into(),
                bits: 256,
            }),
            forwarded: None,
            arrival,
        },
        note: Note {
            direction: Direction::Outbound,
            rule: Some("all".into()),
            keep_days: Some(3_650),
            held: None,
            source: Source::Accepted,
        },
        content: Hash::of(content),
        // As hard to compress as one that is random.
        salt: Salt::from_bytes(
            *Hash::of(&number.to_le_bytes()).as_bytes().first_chunk().unwrap_or(&[0; 16]),
        ),
        size: content.len() as u64,
    }
}

fn outcome(number: u32) -> Outcome {
    let at = Timestamp::from_micros(1_795_210_206_000_000 + u64::from(number) * 977);
    let fared = Fared {
        delivered: true,
        relay: Some("mx.far.example[198.51.100.7]:25".into()),
        reply: None,
        at: Some(at),
    };
    let id = QueueId::new(at, number % 9);
    Outcome { id, end: Ending::Delivered, recipients: vec![fared], decisions: Vec::new() }
}

/// A mail of some 4 KiB, in one of four languages; no two have the same words in the same order.
fn content(number: u32) -> Vec<u8> {
    let words: &[&str] = match number % 4 {
        0 => &["the", "offer", "weir", "river", "please", "delivery", "until", "invoice", "thank"],
        1 => &[
            "견적서",
            "검토",
            "부탁드립니다",
            "회의",
            "자료",
            "첨부",
            "감사합니다",
            "계약서",
            "내일",
        ],
        2 => &[
            "見積書",
            "確認",
            "お願いします",
            "会議",
            "資料",
            "添付",
            "契約",
            "ありがとう",
            "明日",
        ],
        _ => {
            &["le", "devis", "réunion", "veuillez", "facture", "avant", "merci", "livraison", "été"]
        }
    };
    let mut seed = u64::from(number) * 0x9e37_79b9_7f4a_7c15 + 1;
    let mut next = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    let mut text = format!(
        "Received: from desk.own.example (unknown [192.0.2.9])\r\n\tby gate.own.example (Mailweir) with \
         ESMTPSA id 4j{number:08}\r\n\tfor <customer@far.example>; Sun, 22 Nov 2026 08:00:00 +0000\r\n\
         From: User <user{}@own.example>\r\nTo: customer{}@far.example\r\nSubject: {} {number}\r\n\
         Date: Sun, 22 Nov 2026 08:00:00 +0000\r\nMessage-ID: <{}.{number}@own.example>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n",
        number % 311,
        number % 311,
        words[1],
        next(u64::MAX),
    );
    while text.len() < 4_000 {
        for _ in 0..8 + next(6) {
            match next(3) {
                // Names, numbers and rare words.
                0 => text += &format!("{:x}", next(1 << 24)),
                _ => text += words[next(words.len() as u64) as usize],
            }
            text.push(' ');
        }
        text += ".\r\n";
    }
    text.into_bytes()
}

const GROUP: u32 = 50;

/// Bytes of a large mail.
const LARGE: u32 = 100_000_000;
