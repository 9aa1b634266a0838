//! Bodies of mails: text, HTML with links and pictures, and attachments, until the mail is large enough.

use std::fmt::Write as _;

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::super::sites;
use crate::chance::Chance;

/// What a mail consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Html,
    Both,
    WithAttachment,
}

impl Form {
    /// Of five mails two have both, and one each of the others.
    pub(super) const fn of(number: u64) -> Self {
        match number / 4 % 5 {
            0 => Self::Text,
            1 => Self::Html,
            2 => Self::WithAttachment,
            _ => Self::Both,
        }
    }
}

/// A body that is being written.
pub(super) struct Body<'l> {
    lines: &'l [String],
    is_spam: bool,
    /// The sites that it links to.
    linked: [String; SITES],
    chance: Chance,
}

impl<'l> Body<'l> {
    pub(super) fn new(lines: &'l [String], is_spam: bool, mut chance: Chance) -> Self {
        let linked = [(); SITES].map(|()| sites::linked(is_spam, chance.next()));
        Self { lines, is_spam, linked, chance }
    }

    /// An encoded word, if it is not ASCII.
    pub(super) fn subject(&mut self) -> String {
        let line: String = self.line().chars().take(24).collect();
        let subject = format!("{} {}", self.phrase(), line.trim());
        match subject.is_ascii() {
            true => subject,
            false => format!("=?utf-8?B?{}?=", BASE64_STANDARD.encode(subject)),
        }
    }

    /// The whole mail with this header.
    pub(super) fn behind(mut self, head: String, form: Form) -> String {
        let rest = SIZE - head.len();
        head + &match form {
            Form::Text => self.text(rest),
            Form::Html => self.html(rest),
            Form::Both => self.both(rest),
            Form::WithAttachment => {
                let attachment = self.attachment(rest / 3);
                let both = self.both(rest - attachment.len());
                format!(
                    "Content-Type: multipart/mixed; boundary=\"mixed\"\r\n\r\n--mixed\r\n{both}\r\n\
                     --mixed\r\n{attachment}\r\n--mixed--\r\n"
                )
            }
        }
    }

    fn both(&mut self, size: usize) -> String {
        let (text, html) = (self.text(size / 4), self.html(size / 4 * 3 - 200));
        format!(
            "Content-Type: multipart/alternative; boundary=\"both\"\r\n\r\n\
             --both\r\n{text}\r\n--both\r\n{html}\r\n--both--\r\n"
        )
    }

    /// A part of about this size: as it is if it is ASCII, else in base64.
    fn text(&mut self, size: usize) -> String {
        let is_ascii = self.lines.iter().take(50).all(|line| line.is_ascii());
        let wanted = if is_ascii { size } else { size / 4 * 3 };
        let mut text = String::new();
        while text.len() + 100 < wanted {
            let (line, link) = (self.paragraph(), self.link());
            let _ = write!(text, "{line}\r\n");
            if self.chance.one_in(5) {
                let _ = write!(text, "{link}\r\n\r\n");
            }
        }
        let head = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ";
        match is_ascii {
            true => format!("{head}7bit\r\n\r\n{text}"),
            false => format!("{head}base64\r\n\r\n{}", base64(text.as_bytes())),
        }
    }

    /// A part of about this size, in quoted-printable: a table, as letters of shops have them.
    fn html(&mut self, size: usize) -> String {
        let mut text = String::from(HTML_HEAD);
        let mut written = quoted_printable(&text);
        while written.len() + 900 < size {
            text.clear();
            let (line, link, picture) = (self.paragraph(), self.link(), self.link());
            let _ = write!(
                text,
                "<tr><td style=\"font-family:Arial,sans-serif;font-size:14px;color:#333333\" align=\"left\">\r\n\
                 <p>{line}</p>\r\n"
            );
            if self.chance.one_in(3) {
                let _ = write!(text, "<a href=\"{link}\"><b>{}</b></a>\r\n", self.phrase());
            }
            if self.chance.one_in(6) {
                let _ = write!(text, "<img src=\"{picture}.png\" width=\"200\" alt=\"\">\r\n");
            }
            text.push_str("</td></tr>\r\n");
            written += &quoted_printable(&text);
        }
        format!(
            "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
             {written}</table></body></html>\r\n"
        )
    }

    /// Something that cannot be read, behind the first bytes of a picture.
    fn attachment(&mut self, size: usize) -> String {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        while bytes.len() < size / 4 * 3 {
            bytes.extend(self.chance.next().to_be_bytes());
        }
        format!(
            "Content-Type: image/png; name=\"picture.png\"\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment; filename=\"picture.png\"\r\n\r\n{}",
            base64(&bytes)
        )
    }

    /// A line, with a phrase in some.
    fn paragraph(&mut self) -> String {
        let line = self.line();
        match self.chance.one_in(3) {
            true => format!("{} {line}", self.phrase()),
            false => line.to_owned(),
        }
    }

    fn line(&mut self) -> &'l str {
        let place = self.place(self.lines.len());
        self.lines.get(place).map_or("", |line| line.trim_end())
    }

    fn phrase(&mut self) -> &'static str {
        let phrases = if self.is_spam { SPAM } else { GOOD };
        let place = self.place(phrases.len());
        phrases.get(place).copied().unwrap_or_default()
    }

    fn link(&mut self) -> String {
        let (place, page) = (self.place(SITES), self.chance.below(1 << 20));
        let site = self.linked.get(place).map_or("", String::as_str);
        format!("https://www.{site}/{page:x}/page?id={:x}", self.chance.next())
    }

    fn place(&mut self, end: usize) -> usize {
        usize::try_from(self.chance.below(end.max(1) as u64)).unwrap_or(0)
    }
}

/// Lines of 76 characters, the last one ended.
fn base64(bytes: &[u8]) -> String {
    let lines = bytes.chunks(57).map(|line| BASE64_STANDARD.encode(line) + "\r\n");
    lines.collect()
}

/// RFC 2045 section 6.7. A line that would begin with a dot has it encoded.
fn quoted_printable(text: &str) -> String {
    let mut written = String::with_capacity(text.len() * 5 / 4);
    for line in text.split_inclusive("\r\n") {
        let (line, end) = line.strip_suffix("\r\n").map_or((line, ""), |line| (line, "\r\n"));
        let mut column = 0;
        for byte in line.bytes() {
            if column + 3 > LONGEST {
                written.push_str("=\r\n");
                column = 0;
            }
            let begins_with_dot = byte == b'.' && column == 0;
            match byte == b' ' || byte.is_ascii_graphic() && byte != b'=' && !begins_with_dot {
                true => {
                    written.push(char::from(byte));
                    column += 1;
                }
                false => {
                    let _ = write!(written, "={byte:02X}");
                    column += 3;
                }
            }
        }
        written.push_str(end);
    }
    written
}

/// That a mail links to, as letters of shops do: few, and often.
const SITES: usize = 3;

/// Of a line in quoted-printable, without the mark at its end.
const LONGEST: usize = 75;

/// Bytes of a mail, about.
const SIZE: usize = 20_000;

const HTML_HEAD: &str = "<!DOCTYPE html>\r\n<html><head><meta charset=\"utf-8\"><title>news</title>\r\n\
    <style>td { padding: 4px } a { color: #0055aa } .small { font-size: 11px }</style></head>\r\n\
    <body bgcolor=\"#ffffff\"><table width=\"600\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\">\r\n";

/// What stands in good mail.
const GOOD: &[&str] = &[
    "as discussed in the meeting",
    "please find attached",
    "the minutes of Tuesday",
    "thanks for your review",
    "the build is green again",
    "see you at lunch",
    "the invoice of last month",
    "I moved the date",
    "our next release",
    "could you have a look",
    "the train was late",
    "regards from the team",
    "the patch applies cleanly",
    "your order has been sent",
];

/// What stands in spam.
const SPAM: &[&str] = &[
    "limited time offer",
    "you have been selected",
    "claim your prize now",
    "no prescription needed",
    "work from home",
    "earn extra cash",
    "click here today",
    "100% risk free",
    "lose weight fast",
    "cheap replica watches",
    "your account is suspended",
    "verify your password",
    "dear beneficiary",
    "wire transfer of funds",
];
