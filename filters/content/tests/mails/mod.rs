//! Mails to compare readings by: odd ones made by chance from a seed, and a public corpus.

use std::{fs, path::PathBuf};

use mailweir_content::mime::{MimeLimits, MimeReader, MimeTrouble, Piece};
use mailweir_test_servers::tools;

/// Reproducible chance (splitmix64).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    fn one_in(&mut self, end: usize) -> bool {
        self.below(end) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// A mail with LF line ends: a tree of parts with mistakes, or a heap of lines.
pub(crate) fn odd_mail(seed: u64) -> Vec<u8> {
    let chance = &mut Chance(seed);
    let mut mail = Vec::new();
    if chance.one_in(2) {
        part(chance, &mut mail, 0, &mut Vec::new());
    } else {
        for _ in 0..chance.below(40) {
            let line = if chance.one_in(3) { chance.pick(HEADERS) } else { chance.pick(LINES) };
            push(&mut mail, line);
        }
    }
    if chance.one_in(4) && !mail.is_empty() {
        for _ in 0..=chance.below(5) {
            let at = chance.below(mail.len());
            mail[at] = chance.pick(BYTES).as_bytes()[0];
        }
    }
    if chance.one_in(20) {
        mail.pop();
    }
    mail
}

fn part(chance: &mut Chance, mail: &mut Vec<u8>, depth: usize, around: &mut Vec<&'static str>) {
    for _ in 0..chance.below(5) {
        push(mail, chance.pick(HEADERS));
    }
    let boundary = chance.pick(BOUNDARIES);
    match chance.below(if depth > 5 { 1 } else { 4 }) {
        0 => {}
        1 => {
            push(mail, chance.pick(MAIL_TYPES));
            end_header(chance, mail);
            return part(chance, mail, depth + 1, around);
        }
        _ => {
            let header = chance.pick(MULTIPART_TYPES).replace("BOUNDARY", boundary);
            push(mail, &header);
            end_header(chance, mail);
            return parts(chance, mail, depth, around, boundary);
        }
    }
    end_header(chance, mail);
    body(chance, mail, around);
}

fn parts(
    chance: &mut Chance,
    mail: &mut Vec<u8>,
    depth: usize,
    around: &mut Vec<&'static str>,
    boundary: &'static str,
) {
    body(chance, mail, around);
    around.push(boundary);
    for _ in 0..chance.below(4) {
        push(mail, &format!("--{boundary}{}", chance.pick(&["", "", " ", "-", "more"])));
        part(chance, mail, depth + 1, around);
    }
    if !chance.one_in(3) {
        push(mail, &format!("--{boundary}--"));
    }
    around.pop();
    body(chance, mail, around);
}

fn body(chance: &mut Chance, mail: &mut Vec<u8>, around: &[&'static str]) {
    for _ in 0..chance.below(4) {
        let line = chance.pick(LINES);
        push(mail, line);
    }
    if chance.one_in(8) && !around.is_empty() {
        push(mail, &format!("--{}{}", chance.pick(around), chance.pick(&["", "--"])));
    }
    if chance.one_in(10) {
        push(mail, &"long ".repeat(400 + chance.below(600)));
    }
}

fn end_header(chance: &mut Chance, mail: &mut Vec<u8>) {
    if !chance.one_in(10) {
        push(mail, "");
    }
}

fn push(mail: &mut Vec<u8>, line: &str) {
    mail.extend_from_slice(line.as_bytes());
    mail.push(b'\n');
}

/// The mails of the public corpus beside the repository, with LF line ends; none where it is absent.
pub(crate) fn corpus() -> Vec<(PathBuf, Vec<u8>)> {
    let Some(root) = tools::test_data("mime4j/core/src/test/resources") else { return Vec::new() };
    let folders = ["mimetools-testmsgs", "testmsgs"].map(|folder| root.join(folder));
    let files = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let mut mails: Vec<_> = files
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|end| end == "msg"))
        .map(|path| {
            let mut mail = fs::read(&path).unwrap();
            mail.retain(|&byte| byte != b'\r' && byte != 0);
            (path, mail)
        })
        .collect();
    mails.sort();
    mails
}

/// Reads a mail in pieces of chance sizes up to `largest`, and shows each piece to `show`.
pub(crate) fn read(
    mail: &[u8],
    limits: &MimeLimits,
    largest: usize,
    show: &mut dyn FnMut(Piece<'_>),
) -> MimeTrouble {
    let mut reader = MimeReader::new(limits.clone());
    let chance = &mut Chance(mail.len() as u64);
    let mut rest = mail;
    while !rest.is_empty() {
        let (mut input, later) = rest.split_at((1 + chance.below(largest)).min(rest.len()));
        while let Some(piece) = reader.next(&mut input) {
            show(piece);
        }
        rest = later;
    }
    while let Some(piece) = reader.finish() {
        show(piece);
    }
    reader.trouble()
}

const BOUNDARIES: &[&str] = &["a", "ab", "abc", "x--", "=_b", "a b", "q:(1)", ""];

const MULTIPART_TYPES: &[&str] = &[
    "Content-Type: multipart/mixed; boundary=BOUNDARY",
    "Content-Type: multipart/mixed; boundary=\"BOUNDARY\"",
    "content-type: MULTIPART/Alternative;\n\tcharset=utf-8; Boundary = \"BOUNDARY\"",
    "Content-Type : multipart (a (nested \\) comment)) / digest (;) ; boundary (c) = \"BOUNDARY\" (d)",
    "Content-Type: multipart/digest; boundary=\"BOUNDARY\"; boundary=other",
    "Content-Type: multipart/mixed; x=\"a;boundary=no\"; boundary=\"\\BOUNDARY\"",
    "Content-Type: multipart/related; boundary=\"BOU \n  NDARY\"; boundary=\"BOUNDARY\"",
    "Content-Type: multipart/mixed;; ; boundary=BOUNDARY=; boundary==",
    "Content-Type: multipart/mixed; boundary=\"BOUNDARY",
    "Content-Type: multipart; boundary=BOUNDARY",
    "Content-Type: \"multipart\"/mixed; boundary=BOUNDARY",
    "Content-Type: multipart/mixed; boundary BOUNDARY; =BOUNDARY; \"boundary\"=BOUNDARY",
    "Content-Type: (unclosed multipart/mixed; boundary=BOUNDARY",
];

const MAIL_TYPES: &[&str] = &[
    "Content-Type: message/rfc822",
    "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64",
    "Content-Type: Message/RFC822; name=\"x\"",
    "Content-Type: message/global",
    "Content-Type: message/partial; number=1\nContent-Transfer-Encoding: 8bit",
    "Content-Type: message/external-body",
    "Content-Type: message/delivery-status",
    "Content-Type: message",
];

const HEADERS: &[&str] = &[
    "Subject: hello",
    "Subject : hello",
    "subject\t \t:hello",
    "X-Folded: one\n\ttwo\n  three\n \n\tfour",
    "X-Empty:",
    "Content-Type: text/plain",
    "Content-Type: application/octet-stream; name=x",
    "Content-Type:",
    "Content-Type: ; boundary=a",
    "Content-Typed: multipart/mixed; boundary=a",
    "Content-Type: multipart/mixed; boundary=a",
    "Content-Type: multipart/digest; boundary=\"ab\"",
    "Content-Type: message/rfc822",
    "Content-Disposition: attachment; filename=\"a.exe\"",
    "CONTENT-ID: <a@b>",
    "Content-Description\t: x",
    "Mime-Version: 1.0",
    "Content-Transfer-Encoding: BASE64",
    "Content-Transfer-Encoding: (c) quoted-printable",
    "Content-Transfer-Encoding: 8bit",
    "Content-Transfer-Encoding: \"8bit\"",
    "Content-Transfer-Encoding: none",
    "X-8bit: gr\u{fc}n",
    "X-Many: 1234567890\n\t1234567890\n\t1234567890\n\t1234567890\n\t1234567890\n\t1234567890",
];

const LINES: &[&str] = &[
    "",
    "",
    "a body line",
    " begins with a blank",
    "\tand a tab",
    "Name: value",
    "From someone Thu Jan  1 00:00:00 1970",
    ">From someone",
    ": no name",
    "two words: no header",
    "n\u{e4}me: no header",
    "--",
    "---",
    "--a",
    "--a--",
    "--ab",
    "--ab--",
    "--abc--",
    "-- a",
    "--=",
    "--x--",
    "----",
    ".",
    "\r",
    "a\rb",
    "x\r\r",
    "quite a long line that is cut in pieces where lines are short: it is 80 bytes..",
];

const BYTES: &[&str] =
    &["\n", "\n", ":", " ", "-", "\"", ";", "(", "a", "\t", "\\", "\u{7f}", "\u{1}", "\r"];
