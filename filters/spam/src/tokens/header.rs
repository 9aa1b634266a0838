//! The header of the mail: what programs and people who write mail put there, and what they leave out.

use super::address::{Mailbox, is_numeric, owner, top};
use super::bag::Tokens;
use super::kind::Kind;
use super::text::Phrase;
use crate::reading::Field;

/// The header so far.
#[derive(Default)]
pub(super) struct Header {
    phrase: Phrase,
    /// Which of `EXPECTED` there are, a bit for each.
    expected: u16,
    from: String,
    from_domain: String,
    to: String,
    reply_domain: String,
    id_domain: String,
}

impl Header {
    pub(super) fn field(&mut self, field: &Field<'_>, tokens: &mut Tokens) {
        let value = field.value;
        for (place, expected) in EXPECTED.iter().enumerate() {
            if field.is(expected) {
                self.expected |= 1 << place;
            }
        }
        match TOLD.iter().find(|(known, _)| field.is(known)) {
            Some((name, Tell::Presence)) => {
                tokens.add(Kind::Field, name);
            }
            Some((name, Tell::Value)) => tell_value(name, value, tokens),
            Some((_, Tell::From)) => self.from(value, tokens),
            Some((_, Tell::ReplyTo)) => self.reply_to(value, tokens),
            Some((name, Tell::Recipients)) => self.recipients(name, value, tokens),
            Some((_, Tell::Id)) => self.id(value, tokens),
            Some((_, Tell::Date)) => {
                tokens.add_joined(Kind::Field, ["date ", &shape(value, Runs::Apart), ""]);
            }
            Some((_, Tell::Mailer)) => {
                self.phrase.part();
                self.phrase.add(cut(value, 120), Kind::Mailer, tokens);
            }
            None => {}
        }
    }

    pub(super) fn finish(&self, tokens: &mut Tokens) {
        for (place, name) in EXPECTED.iter().enumerate() {
            if self.expected & (1 << place) == 0 {
                tokens.add_joined(Kind::Field, ["no ", name, ""]);
            }
        }
        let mut compare = |kind, one: &str, other: &str, like: &str, unlike: &str| {
            if !one.is_empty() && !other.is_empty() {
                tokens.add(kind, if one.eq_ignore_ascii_case(other) { like } else { unlike });
            }
        };
        let from = owner(&self.from_domain);
        compare(Kind::To, &self.from, &self.to, "is who it is from", "is another");
        compare(Kind::ReplyTo, from, owner(&self.reply_domain), "same domain", "other domain");
        compare(Kind::Id, from, owner(&self.id_domain), "domain of From", "other domain");
    }

    fn from(&mut self, value: &str, tokens: &mut Tokens) {
        let mailbox = Mailbox::of(cut(value, LONGEST_ADDRESS));
        let domain = mailbox.domain.to_ascii_lowercase();
        tell_domain(Kind::FromHost, &domain, tokens);
        self.phrase.part();
        self.phrase.add(mailbox.name, Kind::FromName, tokens);
        if mailbox.name.is_empty() {
            tokens.add(Kind::FromName, "no name");
        }
        let digits = mailbox.local.bytes().filter(u8::is_ascii_digit).count();
        if digits > 2 {
            tokens.add(Kind::FromName, "digits in the address");
        }
        self.from = format!("{}@{domain}", mailbox.local);
        self.from_domain = domain;
    }

    fn reply_to(&mut self, value: &str, tokens: &mut Tokens) {
        let mailbox = Mailbox::of(cut(value, LONGEST_ADDRESS));
        self.reply_domain = mailbox.domain.to_ascii_lowercase();
        tell_domain(Kind::ReplyTo, &self.reply_domain, tokens);
        tokens.add(Kind::Field, "reply-to");
    }

    /// Who gets it says nothing that is true elsewhere: only how many there are, and how they are written.
    fn recipients(&mut self, name: &str, value: &str, tokens: &mut Tokens) {
        let value = cut(value, LONGEST_LIST);
        let count = match value.bytes().filter(|byte| *byte == b'@').count() {
            0 => "nobody",
            1 => "one",
            2..4 => "few",
            4..10 => "some",
            10.. => "many",
        };
        tokens.add_joined(Kind::To, [name, " ", count]);
        let mailbox = Mailbox::of(value);
        if mailbox.name.is_empty() {
            tokens.add_joined(Kind::To, [name, " without a name", ""]);
        }
        if name == "to" {
            self.to = format!("{}@{}", mailbox.local, mailbox.domain);
        }
    }

    fn id(&mut self, value: &str, tokens: &mut Tokens) {
        let value = cut(value, LONGEST_ADDRESS);
        let mailbox = Mailbox::of(value);
        tokens.add(Kind::Id, &shape(mailbox.local, Runs::Mixed));
        let domain = match mailbox.domain {
            "" => Some("no domain"),
            domain if is_numeric(domain) => Some("domain is a number"),
            domain if !domain.contains('.') => Some("domain without a dot"),
            _ => None,
        };
        if let Some(domain) = domain {
            tokens.add(Kind::Id, domain);
        }
        self.id_domain = mailbox.domain.to_ascii_lowercase();
    }
}

/// What is told of a field.
#[derive(Clone, Copy)]
enum Tell {
    /// That it is there.
    Presence,
    /// Its first word.
    Value,
    From,
    ReplyTo,
    Recipients,
    Id,
    Date,
    Mailer,
}

fn tell_value(name: &str, value: &str, tokens: &mut Tokens) {
    let word = value.split([' ', ';', ',', '(']).next().unwrap_or_default();
    tokens.add_joined(Kind::Field, [name, "=", &cut(word, 24).to_ascii_lowercase()]);
}

fn tell_domain(kind: Kind, domain: &str, tokens: &mut Tokens) {
    tokens.add(kind, owner(domain));
    tokens.add(kind, top(domain));
}

/// What letters and digits in a row are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Runs {
    /// Letters and digits are runs of their own.
    Apart,
    /// Letters and digits together are one run.
    Mixed,
}

/// How a text is made: each run of letters (`a`), digits (`9`) or both (`x`) as one sign, marks as they stand.
fn shape(text: &str, runs: Runs) -> String {
    let mut shape = String::new();
    for character in cut(text, 64).chars() {
        let sign = match character {
            '0'..='9' => '9',
            'a'..='z' | 'A'..='Z' => 'a',
            other => other,
        };
        let is_mixed = |sign| runs == Runs::Mixed && matches!(sign, 'a' | '9' | 'x');
        match shape.chars().next_back() {
            Some(run) if run == sign && matches!(sign, 'a' | '9') => {}
            Some(run) if is_mixed(run) && is_mixed(sign) => {
                shape.pop();
                shape.push('x');
            }
            _ => shape.push(sign),
        }
    }
    cut(&shape, 32).to_owned()
}

/// The first so many bytes of a text, or a little less.
fn cut(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text)
}

/// Fields that people's mail has: that one is missing is told.
const EXPECTED: [&str; 8] =
    ["from", "to", "date", "subject", "message-id", "mime-version", "x-mailer", "user-agent"];

/// The fields that are looked at. Those that filters, mail stores and the path add are not among them, nor those that only
/// one list or provider has.
const TOLD: [(&str, Tell); 42] = [
    ("from", Tell::From),
    ("reply-to", Tell::ReplyTo),
    ("to", Tell::Recipients),
    ("cc", Tell::Recipients),
    ("message-id", Tell::Id),
    ("date", Tell::Date),
    ("x-mailer", Tell::Mailer),
    ("user-agent", Tell::Mailer),
    ("precedence", Tell::Value),
    ("x-priority", Tell::Value),
    ("x-msmail-priority", Tell::Value),
    ("importance", Tell::Value),
    ("priority", Tell::Value),
    ("content-transfer-encoding", Tell::Value),
    ("mime-version", Tell::Value),
    ("auto-submitted", Tell::Value),
    ("list-unsubscribe-post", Tell::Value),
    ("list-id", Tell::Presence),
    ("list-unsubscribe", Tell::Presence),
    ("list-subscribe", Tell::Presence),
    ("list-post", Tell::Presence),
    ("list-help", Tell::Presence),
    ("list-archive", Tell::Presence),
    ("in-reply-to", Tell::Presence),
    ("references", Tell::Presence),
    ("sender", Tell::Presence),
    ("errors-to", Tell::Presence),
    ("organization", Tell::Presence),
    ("x-mimeole", Tell::Presence),
    ("x-originating-ip", Tell::Presence),
    ("x-accept-language", Tell::Presence),
    ("accept-language", Tell::Presence),
    ("content-language", Tell::Presence),
    ("content-class", Tell::Presence),
    ("thread-index", Tell::Presence),
    ("thread-topic", Tell::Presence),
    ("feedback-id", Tell::Presence),
    ("x-auto-response-suppress", Tell::Presence),
    ("disposition-notification-to", Tell::Presence),
    ("mail-followup-to", Tell::Presence),
    ("bcc", Tell::Presence),
    ("comments", Tell::Presence),
];

/// Bytes of a field with one address.
const LONGEST_ADDRESS: usize = 1_000;

/// Bytes of a field with many.
const LONGEST_LIST: usize = 4_000;
