//! Random mails, of all that is allowed and seldom seen: folds, white space anywhere, fields without a value
//! and several times, 8-bit text, the longest lines, bodies that are empty or have no line end at the end.

use std::fmt;

use crate::chance::Chance;

/// Random mails from one seed, without end.
pub struct Mails(Chance);

impl Mails {
    /// The same mails for the same seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Chance::new(seed))
    }

    /// The next mails.
    #[must_use]
    pub fn take(&mut self, count: usize) -> Vec<Vec<u8>> {
        (0..count)
            .map(|_| {
                let is_usual = self.0.one_in(2);
                self.mail(is_usual)
            })
            .collect()
    }

    /// As [`Self::take`], with one blank and nothing else behind each colon.
    #[must_use]
    pub fn take_usual(&mut self, count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|_| self.mail(true)).collect()
    }

    fn mail(&mut self, is_usual: bool) -> Vec<u8> {
        let mut mail = b"Received: from x by y; Fri, 20 Nov 2026 21:30:00 +0000\r\n".to_vec();
        for name in NAMES {
            for _ in 0..self.pick(&[0, 1, 1, 1, 2, 3]) {
                self.field(name, is_usual, &mut mail);
            }
            if name == "To" {
                mail.extend_from_slice(self.pick(AUTHORS));
            }
        }
        mail.extend_from_slice(b"\r\n");
        self.body(&mut mail);
        mail
    }

    fn field(&mut self, name: &str, is_usual: bool, mail: &mut Vec<u8>) {
        let name = match self.0.below(6) {
            0 => name.to_ascii_uppercase(),
            1 => name.to_ascii_lowercase(),
            _ => name.to_owned(),
        };
        mail.extend_from_slice(name.as_bytes());
        mail.extend_from_slice(if is_usual { b": " } else { b":" });
        if !is_usual {
            mail.extend_from_slice(self.pick(SPACE).as_bytes());
        }
        match self.0.below(100) {
            0 => mail.extend(std::iter::repeat_n(b'q', LONGEST - name.len() - 2)),
            1..4 => {}
            _ => self.value(mail),
        }
        mail.extend_from_slice(b"\r\n");
    }

    fn value(&mut self, mail: &mut Vec<u8>) {
        self.word(mail);
        for _ in 0..self.0.below(6) {
            mail.extend_from_slice(self.pick(SPACE).as_bytes());
            self.word(mail);
        }
        mail.extend_from_slice(self.pick(&["", "", " ", "\t", " \t  "]).as_bytes());
    }

    fn word(&mut self, mail: &mut Vec<u8>) {
        for _ in 0..=self.0.below(9) {
            mail.push(b'!' + u8::try_from(self.0.below(94)).unwrap());
        }
        match self.0.below(24) {
            0 => mail.extend_from_slice("한글ü".as_bytes()),
            1 => mail.extend_from_slice(b"\xe9\xff\x80"),
            _ => {}
        }
    }

    fn body(&mut self, mail: &mut Vec<u8>) {
        for _ in 0..self.0.below(8) {
            match self.0.below(14) {
                0 | 4 => {}
                1 => mail.extend(std::iter::repeat_n(b'q', LONGEST)),
                2 => mail.extend_from_slice(b" \t "),
                3 => mail.extend_from_slice(b".leading dot, and white space at the end \t "),
                _ => {
                    for _ in 0..=self.0.below(6) {
                        self.word(mail);
                        mail.extend_from_slice(self.pick(&[" ", "  ", "\t", " \t "]).as_bytes());
                    }
                    self.word(mail);
                }
            }
            mail.extend_from_slice(b"\r\n");
        }
        match self.0.below(4) {
            0 => mail.extend_from_slice(b"no line end at the end"),
            _ => (0..self.0.below(4)).for_each(|_| mail.extend_from_slice(b"\r\n")),
        }
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.0.below(choices.len() as u64)).unwrap()]
    }
}

/// Whether one blank and nothing else stands between the colon of each field and what it says.
pub(super) fn is_spaced_as_usual(mail: &[u8]) -> bool {
    let header = String::from_utf8_lossy(parts(mail).0);
    let header = header.replace("\r\n ", "\n ").replace("\r\n\t", "\n\t");
    let is_usual = |field: &str| {
        let (_, value) = field.split_once(": ").unwrap_or_default();
        field.contains(": ") && !value.starts_with(|c: char| c.is_ascii_whitespace())
    };
    header.split_terminator("\r\n").all(is_usual)
}

/// Header, with its last line end, and body.
pub(super) fn parts(mail: &[u8]) -> (&[u8], &[u8]) {
    let at = mail.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    (&mail[..at + 2], &mail[at + 4..])
}

/// How many of some mails are of which kind. No kind may be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census([usize; KINDS.len()]);

impl Census {
    /// Counts by what the mails have, not by what was meant to be in them.
    #[must_use]
    pub fn of(mails: &[Vec<u8>]) -> Self {
        let mut counts = [0; KINDS.len()];
        for mail in mails {
            for (count, (_, is_one)) in counts.iter_mut().zip(KINDS) {
                *count += usize::from(is_one(mail));
            }
        }
        Self(counts)
    }

    /// Whether there are some of each kind.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.0.iter().all(|count| *count > 0)
    }
}

impl fmt::Display for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = self.0.iter().zip(KINDS).map(|(count, (name, _))| format!("{count} {name}"));
        f.write_str(&kinds.collect::<Vec<_>>().join(", "))
    }
}

type IsOne = fn(&[u8]) -> bool;

const KINDS: [(&str, IsOne); 9] = [
    ("with folds", |mail| has(parts(mail).0, b"\r\n\t")),
    ("with other than one blank behind a colon", |mail| !is_spaced_as_usual(mail)),
    ("with repeated fields", |mail| {
        String::from_utf8_lossy(parts(mail).0).matches("\r\nSubject:").count() > 1
    }),
    ("8-bit", |mail| !mail.is_ascii()),
    ("with lines of 998", |mail| has(mail, &[b'q'; 900])),
    ("with blanks at the end of lines", |mail| has(mail, b" \r\n") || has(mail, b"\t\r\n")),
    ("with empty lines at the end", |mail| parts(mail).1.ends_with(b"\r\n\r\n")),
    ("with an empty body", |mail| parts(mail).1.is_empty()),
    ("without a line end at the end", |mail| !mail.ends_with(b"\r\n")),
];

fn has(mail: &[u8], part: &[u8]) -> bool {
    mail.windows(part.len()).any(|window| window == part)
}

const NAMES: [&str; 12] = [
    "Date",
    "To",
    "Cc",
    "Reply-To",
    "Subject",
    "Message-ID",
    "References",
    "MIME-Version",
    "Content-Type",
    "List-Id",
    "Comments",
    "X-Own",
];

const AUTHORS: &[&[u8]] = &[
    b"From: Ann <ann@a.example>\r\n",
    b"From: ann@a.example\r\n",
    b"FROM: \"Ann\tA.\"  \r\n\t<ann@a.example> \r\n",
    b"from: =?utf-8?q?=C3=84nn?= \r\n  <ann@a.example>\t(one\r\n two)\r\n",
];

const SPACE: &[&str] =
    &["", " ", "  ", "\t", " \t ", "\r\n ", "\r\n\t", " \r\n  ", "\t\r\n\t \r\n "];

/// Without its line end (RFC 5322 section 2.1.1).
const LONGEST: usize = 998;
