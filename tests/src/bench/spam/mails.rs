//! The load: mails of 20 kB as people, shops and spammers write them, the same every time but for the day and the key.
//!
//! Words are of languages that nobody speaks ([`crate::synthetic`]), as often as Zipf says, with phrases of good mail or of spam
//! between them, so that a classifier has something to learn. Every second mail is spam, and half of each kind is signed.

mod parts;

use std::{fs, io, net::Ipv4Addr, path::Path};

use self::parts::{Body, Form};
use super::sites::{self, Key, Site};
use crate::{
    chance::Chance,
    synthetic::{Language, Mails},
};

/// A mail with its envelope.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) sender: String,
    pub(super) client: Ipv4Addr,
    /// The name of the client, which it says in EHLO as well.
    pub(super) host: String,
    pub(super) is_signed: bool,
    pub(super) content: Vec<u8>,
}

/// What mails are made of.
pub(super) struct Writer {
    /// Lines of each language.
    lines: Vec<Vec<String>>,
    date: String,
    key: Key,
}

impl Writer {
    pub(super) fn new() -> io::Result<Self> {
        let mut lines = vec![Vec::new(); Language::ALL.len()];
        let mails = Mails::new();
        for mail in (0..TEXTS).map(|number| mails.get(number)) {
            let place = Language::ALL.iter().position(|language| *language == mail.language);
            let of_language = place.and_then(|place| lines.get_mut(place));
            let text = mail.texts().flat_map(str::lines).map(str::to_owned);
            if let Some(of_language) = of_language {
                of_language.extend(text);
            }
        }
        Ok(Self { lines, date: sites::now().rfc5322(), key: Key::new()? })
    }

    /// What the name server of the run has to know.
    pub(super) fn zone(&self) -> io::Result<String> {
        self.key.zone()
    }

    /// The mails that are sent.
    pub(super) fn letters(&self) -> io::Result<Vec<Letter>> {
        (0..LETTERS).map(|number| self.letter(number)).collect()
    }

    /// Writes mails that are not sent into these folders, so many into each.
    pub(super) fn train(&self, ham: &Path, spam: &Path, each: u64) -> io::Result<()> {
        for number in LETTERS..LETTERS + 2 * each {
            let folder = if is_spam(number) { spam } else { ham };
            let content = self.unsigned(number).1;
            fs::write(folder.join(format!("{number}.eml")), content)?;
        }
        Ok(())
    }

    fn letter(&self, number: u64) -> io::Result<Letter> {
        let (site, content) = self.unsigned(number);
        let is_signed = number % 4 < 2;
        let content = match is_signed {
            true => self.key.sign(site, content.as_bytes())?,
            false => content.into_bytes(),
        };
        let sender = format!("person{}@{}", number % 7, site.domain());
        Ok(Letter { sender, client: site.address(), host: site.host(), is_signed, content })
    }

    fn unsigned(&self, number: u64) -> (Site, String) {
        let mut chance = Chance::new(number);
        let is_spam = is_spam(number);
        let site = Site::of(is_spam, chance.next());
        let lines = self.lines.get(language(&mut chance)).map_or(&[][..], Vec::as_slice);
        let mut body = Body::new(lines, is_spam, chance);
        let subject = body.subject();
        let domain = site.domain();
        let head = format!(
            "Received: from desk{number}.{domain} (desk{number}.{domain} [192.0.2.250])\r\n\
             \tby {host} with ESMTPSA id {number:08x}; {date}\r\n\
             Date: {date}\r\nFrom: Person {person} <person{person}@{domain}>\r\n\
             To: User <user@{RECIPIENT_DOMAIN}>\r\nSubject: {subject}\r\n\
             Message-ID: <{number:x}.bench@{host}>\r\n\
             List-Unsubscribe: <https://{domain}/leave?id={number}>\r\nMIME-Version: 1.0\r\n",
            host = site.host(),
            date = self.date,
            person = number % 7,
        );
        (site, body.behind(head, Form::of(number)))
    }
}

/// Mails that nobody sent are of both kinds as well.
const fn is_spam(number: u64) -> bool {
    number % 2 == 1
}

/// Of ten mails six in the first language, two in the last, and one in each of the others.
fn language(chance: &mut Chance) -> usize {
    match chance.below(10) {
        0 => 1,
        1 => 2,
        2 | 3 => 3,
        _ => 0,
    }
}

/// Whom all mail is for.
pub(super) const RECIPIENT_DOMAIN: &str = "recipient.example";

/// Different mails. No server has seen one of them a moment ago when it comes again.
const LETTERS: u64 = 400;

/// Texts whose lines are used.
const TEXTS: u64 = 400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mail_has_20_kb_and_can_be_sent_as_it_is() {
        let writer = Writer::new().unwrap();
        for number in 0..60 {
            let letter = writer.letter(number).unwrap();
            let text = str::from_utf8(&letter.content).unwrap();
            assert!((19_000..=21_500).contains(&text.len()), "{number}: {}", text.len());
            assert!(text.is_ascii() && text.ends_with("\r\n"), "{number}");
            for line in text.split("\r\n") {
                assert!(line.len() <= 998 && !line.starts_with('.'), "{number}: {line}");
                assert!(!line.contains(['\r', '\n']), "{number}: {line}");
            }
            assert_eq!(text.starts_with("DKIM-Signature:"), letter.is_signed, "{number}");
        }
    }

    #[test]
    fn mails_differ_and_are_the_same_every_time() {
        let writer = Writer::new().unwrap();
        let all: Vec<String> = (0..60).map(|number| writer.unsigned(number).1).collect();
        let again: Vec<String> = (0..60).map(|number| writer.unsigned(number).1).collect();
        assert_eq!(all, again);
        let bodies: std::collections::HashSet<&str> =
            all.iter().filter_map(|mail| Some(mail.split_once("\r\n\r\n")?.1)).collect();
        assert_eq!(bodies.len(), all.len());
    }
}
