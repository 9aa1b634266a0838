//! An archive of made-up mail, the same every time: for measuring what is done with archives.
//!
//! ```text
//! cargo run --release -p mailweir-archive --example archive_fill -- 20000 DIRECTORY
//! time mailweir archive reindex --config CONFIG
//! ```
//!
//! Four languages, about 4 KB each; words as often as Zipf says; every fourth mail in base64 with an attached text.

use std::{error::Error, path::Path, time::Instant};

use mailweir_archive::{
    Archive, Draft, Options,
    commit::Salt,
    entry::{self, Capture, Direction, Note, Source},
    hash::Hash,
    payload::Packer,
};
use mailweir_mail::{Client, Envelope, Origin, Protocol, QueueId, ReversePath, Timestamp};

const TEXT: usize = 3_400;
const GROUP: u64 = 64;
const BEGIN: u64 = 1_767_225_600;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mails: u64 = arguments.next().ok_or("how many mails?")?.parse()?;
    let directory = arguments.next().ok_or("where?")?;
    let now = Timestamp::from_secs(BEGIN);
    let (mut archive, _) = Archive::open(Path::new(&directory), Options::default(), now)?;
    let (mut packer, languages) = (Packer::new()?, languages());
    let (start, mut bytes) = (Instant::now(), 0);
    for first in (0..mails).step_by(usize::try_from(GROUP)?) {
        let mut group = Vec::new();
        for number in first..(first + GROUP).min(mails) {
            let content = content(&languages, number);
            bytes += content.len();
            let id = QueueId::new(Timestamp::from_secs(BEGIN + number), 1);
            let capture = capture(id, number, content.as_bytes())?;
            let payload = packer.pack(&entry::encode(&capture)?, content.as_bytes())?;
            group.push(Draft::of_capture(&capture, payload));
        }
        archive.append(group, now)?;
    }
    archive.seal(now)?;
    println!("{mails} mails of {} bytes in {:.1?}", bytes as u64 / mails.max(1), start.elapsed());
    Ok(())
}

fn capture(id: QueueId, number: u64, content: &[u8]) -> Result<Capture, Box<dyn Error>> {
    let address = |part: u64| format!("user{part}@dept{}.example.com", part % 17).parse();
    let sender = ReversePath::Mailbox(address(number % 1_999)?);
    let envelope = Envelope::from_sender(sender).to(address(number % 1_777)?).to(address(7)?);
    let origin = Origin {
        listener: "mx".into(),
        client: Client::unnamed("192.0.2.1:25".parse()?),
        helo: "client.example".into(),
        protocol: Protocol::Esmtp,
        login: None,
        tls: None,
        arrival: Timestamp::from_secs(BEGIN + number),
    };
    let note = Note {
        direction: Direction::Inbound,
        rule: None,
        keep_days: None,
        held: None,
        source: Source::Accepted,
    };
    Ok(Capture {
        id,
        envelope,
        origin,
        note,
        content: Hash::of(content),
        salt: Salt::random()?,
        size: content.len() as u64,
    })
}

fn content(languages: &[Language], number: u64) -> String {
    let mut random = Random(number.wrapping_mul(0x9E37_79B9).wrapping_add(11));
    let language = &languages[random.below(languages.len())];
    let mut text = String::with_capacity(TEXT + 64);
    while text.len() < TEXT {
        for _ in 0..5 + random.below(12) {
            text.push_str(language.word(&mut random));
            text.push_str(language.space);
        }
        text.push_str("\r\n");
    }
    let subject: Vec<&str> = (0..5).map(|_| language.word(&mut random)).collect();
    let (from, to) = (number % 1_999, number % 1_777);
    let head = format!(
        "From: User {from} <user{from}@dept{}.example.com>\r\nTo: user{to}@dept{}.example.com\r\n\
         Subject: {}\r\nMessage-ID: <{number:x}@mail.example.com>\r\nMIME-Version: 1.0\r\n",
        from % 17,
        to % 17,
        subject.join(language.space)
    );
    if !number.is_multiple_of(4) {
        return format!("{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}");
    }
    let half = text.floor_char_boundary(text.len() / 2);
    let (text, attached) = text.split_at(half);
    format!(
        "{head}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--b\r\nContent-Type: text/plain; charset=utf-8; name=a.txt\r\n\
         Content-Disposition: attachment; filename=a.txt\r\n\r\n{attached}\r\n--b--\r\n",
        base64(text.as_bytes())
    )
}

struct Language {
    words: Vec<String>,
    space: &'static str,
}

impl Language {
    /// The word of rank n about n times more seldom than the first.
    fn word(&self, random: &mut Random) -> &str {
        let exponent = random.below(1 << 20) as f64 / f64::from(1 << 20);
        let rank = (self.words.len() as f64).powf(exponent) as usize - 1;
        &self.words[rank.min(self.words.len() - 1)]
    }
}

fn languages() -> Vec<Language> {
    let latin = |vowels: &str| -> Vec<String> {
        let pairs = "bcdfghlmnprstvw".chars();
        pairs.flat_map(|c| vowels.chars().map(move |v| format!("{c}{v}"))).collect()
    };
    let run = |first: char, step: u32, count: u32| -> Vec<String> {
        let chars = (0..count).filter_map(|i| char::from_u32(u32::from(first) + i * step));
        chars.map(String::from).collect()
    };
    let japanese = [run('\u{3042}', 1, 80), run('\u{4E00}', 13, 900)].concat();
    let sources = [
        (latin("aeiou"), " "),
        (run('\u{AC00}', 28, 399), " "),
        (japanese, ""),
        (latin("aeiou\u{E9}\u{E8}\u{E0}"), " "),
    ];
    let mut random = Random(1);
    let mut made = |(syllables, space): (Vec<String>, &'static str)| {
        let mut syllable = || {
            let pick = random.below(syllables.len()).min(random.below(syllables.len()));
            syllables[pick].clone()
        };
        let words = (0..8_000).map(|rank| (0..2 + rank % 3).map(|_| syllable()).collect());
        Language { words: words.collect(), space }
    };
    sources.map(&mut made).into()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for (line, piece) in bytes.chunks(57).enumerate() {
        out.push_str(if line > 0 { "\r\n" } else { "" });
        for three in piece.chunks(3) {
            let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            for place in 0..4usize {
                let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
                out.push(if place > three.len() { '=' } else { char::from(digit) });
            }
        }
    }
    out
}

/// Numbers without any meaning.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }
}
