//! How often each symbol is shown by good mail and by spam, and that good mail shows next to nothing.
//!
//! The mails are public ones and no part of this repository: `spam/train.tar.xz` of the test data, found beside the
//! checkout or by MAILWEIR_TESTDATA, and unpacked by `tar`. Without them there is nothing to count. MAILWEIR_SHOW may
//! name a symbol whose evidence is printed for each mail.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use mailweir_content::{
    attachment::{Budget, Inspector, Limits},
    decode::{
        charset::{Charset, Fallbacks},
        headers::HeaderDecoder,
        parts::{Event, Part, PartId, PartLimits, PartReader},
    },
};
use mailweir_mail::Timestamp;

use super::super::*;
use crate::{
    links::{Links, OwnDomains, markup},
    symbols::{Finding, Points, Symbol, Weights},
};

#[test]
#[expect(clippy::disallowed_macros, reason = "its figures are what it is for")]
fn good_mail_shows_next_to_nothing() {
    let Some(folder) = unpacked() else {
        println!("skipped: there is no spam/train.tar.xz, or no tar");
        return;
    };
    let (ham, spam) = (read_all(&folder.path().join("ham")), read_all(&folder.path().join("spam")));
    let weights = Weights::default();
    println!("{} good mails, {} spam", ham.len(), spam.len());
    for symbol in Symbol::ALL {
        let with =
            |mails: &[Vec<Finding>]| mails.iter().filter(|found| has(found, *symbol)).count();
        let (good, bad) = (with(&ham), with(&spam));
        if good + bad > 0 {
            let share = |count: usize, all: usize| 100.0 * count as f64 / all as f64;
            let (good_share, bad_share) = (share(good, ham.len()), share(bad, spam.len()));
            let weight = weights.of(*symbol).weight;
            println!(
                "{symbol:28} {weight:>5} ham {good:4} {good_share:5.1} %  spam {bad:4} {bad_share:5.1} %"
            );
        }
    }
    let scores = |mails: &[Vec<Finding>]| -> Vec<Points> {
        mails.iter().map(|found| weights.score(found.clone()).total()).collect()
    };
    let (good, bad) = (scores(&ham), scores(&spam));
    let from =
        |scores: &[Points], tenths| scores.iter().filter(|score| score.tenths() >= tenths).count();
    for tenths in [1, 5, 10, 20, 30, 40, 50, 60, 70, 80] {
        let least = Points::from_tenths(tenths);
        println!("from {least:>4}: ham {:4} spam {:4}", from(&good, tenths), from(&bad, tenths));
    }
    assert!(good.len() > 1000 && bad.len() > 1000, "{} {}", good.len(), bad.len());
    let marked = from(&good, 50);
    assert!(
        marked * 500 <= good.len(),
        "{marked} good mails would be marked by what they show alone"
    );
    let strange = from(&good, 20);
    assert!(strange * 100 <= good.len(), "{strange} good mails show more than little");
    assert!(from(&bad, 20) * 4 >= bad.len(), "less than a quarter of spam shows anything");
}

fn has(found: &[Finding], symbol: Symbol) -> bool {
    found.iter().any(|finding| finding.symbol() == symbol)
}

#[expect(clippy::disallowed_methods, reason = "a test that unpacks mails, if they are there")]
#[expect(clippy::disallowed_types, reason = "a test that unpacks mails, if they are there")]
fn unpacked() -> Option<tempfile::TempDir> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/testdata"));
    let folders = env::var_os("MAILWEIR_TESTDATA").map(PathBuf::from).into_iter().chain(beside);
    let mut archives = folders.map(|folder| folder.join("spam/train.tar.xz"));
    let archive = archives.find(|path| path.exists())?;
    let folder = tempfile::tempdir().ok()?;
    let status = std::process::Command::new("tar")
        .arg("xJf")
        .arg(archive)
        .arg("-C")
        .arg(folder.path())
        .status();
    status.ok()?.success().then_some(folder)
}

#[expect(clippy::disallowed_methods, reason = "a test that reads mails where they are")]
#[expect(clippy::disallowed_macros, reason = "on demand, to look at single mails")]
fn read_all(folder: &Path) -> Vec<Vec<Finding>> {
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let wanted = env::var("MAILWEIR_SHOW").unwrap_or_default();
    let mails = paths.iter().map(|path| {
        let found = examine(&fs::read(path).unwrap());
        for finding in found.iter().filter(|finding| finding.symbol().name() == wanted) {
            println!("{}: {wanted} {}", path.display(), finding.evidence());
        }
        found
    });
    mails.collect()
}

/// All evidence of one mail, as a gateway gathers it.
fn examine(mail: &[u8]) -> Vec<Finding> {
    let own = Own::new(OwnDomains::new(["own.example"]));
    let mut gathering = Gathering {
        header: Vec::new(),
        raw_header: Vec::new(),
        mime: MimeEvidence::default(),
        texts: TextEvidence::default(),
        links: Links::new(own.domains()),
        budget: Budget::new(Limits::default(), Fallbacks::default()),
        open: Vec::new(),
        found: Vec::new(),
    };
    let is_mbox = mail.starts_with(b"From ");
    let mail = if is_mbox { mail.splitn(2, |byte| *byte == b'\n').nth(1).unwrap() } else { mail };
    let mut reader = PartReader::new(PartLimits::default(), HeaderDecoder::default());
    reader.feed(mail, &mut |event| gathering.event(event));
    reader.finish(&mut |event| gathering.event(event));
    let mut found = gathering.found;
    found.extend(gathering.mime.findings());
    found.extend(gathering.texts.findings());
    found.extend(of_links(&gathering.links));
    found.extend(of_header(&gathering.header, &own));
    found
}

struct Gathering<'o> {
    header: Vec<Vec<u8>>,
    /// The header of the part that comes.
    raw_header: Vec<u8>,
    mime: MimeEvidence,
    texts: TextEvidence,
    links: Links<'o>,
    budget: Budget,
    open: Vec<OpenPart>,
    found: Vec<Finding>,
}

struct OpenPart {
    id: PartId,
    content_type: String,
    charset: Option<Charset>,
    label: Option<String>,
    bytes: Vec<u8>,
    inspector: Inspector,
    attachment: AttachmentEvidence,
}

impl Gathering<'_> {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Header { depth, text } => {
                if depth == 0 {
                    self.header.push(text.to_vec());
                }
                self.raw_header.extend_from_slice(text);
                self.raw_header.push(b'\n');
            }
            Event::Start(part) => self.start(part),
            Event::Data { part, bytes } => {
                let Some(open) = self.open.iter_mut().find(|open| open.id == part) else { return };
                open.bytes.extend_from_slice(bytes);
                let attachment = &mut open.attachment;
                open.inspector.feed(bytes, &mut self.budget, &mut |seen| attachment.seen(&seen));
            }
            Event::End(part) => {
                let Some(at) = self.open.iter().position(|open| open.id == part) else { return };
                let open = self.open.swap_remove(at);
                self.end(open);
            }
            Event::Ambiguous(ambiguity) => self.mime.ambiguous(ambiguity),
        }
    }

    fn start(&mut self, part: &Part) {
        self.mime.part(part);
        let raw_header = std::mem::take(&mut self.raw_header);
        if !part.is_container {
            self.open.push(OpenPart {
                id: part.id,
                content_type: part.content_type.clone(),
                charset: part.charset,
                label: label(&raw_header),
                bytes: Vec::new(),
                inspector: Inspector::default(),
                attachment: AttachmentEvidence::new(part, &raw_header),
            });
        }
    }

    fn end(&mut self, mut open: OpenPart) {
        open.inspector.finish(&mut self.budget, &mut |seen| open.attachment.seen(&seen));
        self.found.extend(open.attachment.findings());
        if !open.content_type.starts_with("text/") {
            return;
        }
        let guess = || Fallbacks::default().best(&open.bytes, None);
        let text = open.charset.map_or_else(guess, |charset| charset.decode(&open.bytes));
        self.found.extend(open.label.and_then(|label| of_charset(&label, &text)));
        if open.content_type == "text/html" {
            return self.html(&text);
        }
        for line in text.lines() {
            self.texts.line(line);
            self.links.line(line);
        }
    }

    fn html(&mut self, text: &str) {
        let mut html = HtmlEvidence::default();
        markup::read(text, &mut |token| {
            html.token(&token);
            self.links.token(&token);
            if let markup::Token::Text(text) = token {
                self.texts.line(text);
            }
        });
        self.links.end_of_part();
        self.found.extend(html.findings());
    }
}

fn label(header: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(header).to_ascii_lowercase();
    let (_, rest) = text.split_once("charset=")?;
    let ends = |character: char| character.is_whitespace() || character == ';' || character == '"';
    rest.trim_start_matches('"').split(ends).next().map(str::to_owned)
}

fn of_header(header: &[Vec<u8>], own: &Own) -> Vec<Finding> {
    let decoder = HeaderDecoder::default();
    let read = |field: &'_ Vec<u8>| {
        let colon = field.iter().position(|byte| *byte == b':')?;
        let reading = decoder.field(field).swap_remove(0);
        let value = reading.split_once(':').map_or("", |(_, value)| value).trim().to_owned();
        Some((
            String::from_utf8_lossy(&field[..colon]).into_owned(),
            value,
            field[colon + 1..].to_vec(),
        ))
    };
    let parts: Vec<_> = header.iter().filter_map(read).collect();
    // The topmost Received that ends in a date says when the mail came.
    let came = parts.iter().filter(|(name, ..)| name.eq_ignore_ascii_case("received"));
    let received = came.filter_map(|(_, value, _)| date::read(value.rsplit_once(';')?.1)).next();
    let fields: Vec<_> =
        parts.iter().map(|(name, value, raw)| Field { name, value, raw }).collect();
    let mut found = of_fields(&fields, received.unwrap_or(Timestamp::from_secs(0)), own);
    // Nobody knows when a mail without it came.
    let of_dates = [Symbol::DateFuture, Symbol::DatePast];
    found.retain(|finding| received.is_some() || !of_dates.contains(&finding.symbol()));
    found
}
