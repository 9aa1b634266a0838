//! The mailboxes of a From field that is in form (mailbox-list of RFC 5322 section 3.4), without the obsolete forms:
//!
//! ```text
//! ann@example.org
//! ann@example.org (Ann)
//! Ann <ann@example.org>, "Bob" <bob@example.org>
//! ```
//!
//! Routes, groups, comments between words and blanks within addresses are where programs differ: those are not
//! read here. Display names may hold anything that hides no second address from a simple program.

use mailweir_content::decode::headers::HeaderDecoder;
use mailweir_mail::Address;

use super::{MOST_MAILBOXES, Mailbox, domains::AT_SIGNS};

/// All mailboxes, or nothing if the value has another form.
pub(super) fn read(text: &str) -> Option<Vec<Mailbox>> {
    let mut mailboxes = Vec::new();
    let mut rest = text;
    while mailboxes.len() < MOST_MAILBOXES {
        let (found, behind) = mailbox(rest)?;
        mailboxes.push(found);
        match behind.strip_prefix(',') {
            Some(next) => rest = next,
            None if behind.is_empty() => return Some(mailboxes),
            None => return None,
        }
    }
    None
}

/// The display name of a value out of form, as good as it can be told: what stands before the first angle bracket.
pub(super) fn shown_name(text: &str) -> Box<str> {
    text.split_once('<').map_or_else(Box::default, |(before, _)| shown(before.trim_matches(BLANKS)))
}

/// The first mailbox, and what stands behind it: a comma or nothing, if all is in form.
fn mailbox(text: &str) -> Option<(Mailbox, &str)> {
    let (phrase, behind) = split_phrase(text)?;
    let phrase = phrase.trim_matches(BLANKS);
    let Some(angle) = behind.strip_prefix('<') else {
        // Without angle brackets the phrase itself is the address.
        let address = address(phrase)?;
        let (comment, behind) = after(behind)?;
        return Some((Mailbox { address, display_name: shown(comment) }, behind));
    };
    let (inner, behind) = angle.split_once('>')?;
    let address = address(inner.trim_matches(BLANKS))?;
    let (comment, behind) = after(behind)?;
    let display_name = shown(if phrase.is_empty() { comment } else { phrase });
    if has_at_sign_unquoted(phrase) || hides_an_address(&display_name) {
        return None;
    }
    Some((Mailbox { address, display_name }, behind))
}

/// What stands before a `<`, a comment, a comma or the end.
fn split_phrase(text: &str) -> Option<(&str, &str)> {
    let mut quotes = Quotes::default();
    for (at, c) in text.char_indices() {
        match c {
            _ if quotes.take(c) => {}
            '<' | '(' | ',' => return text.split_at_checked(at),
            ':' | ';' | '>' | ')' | '\\' => return None,
            _ => {}
        }
    }
    (!quotes.is_open()).then_some((text, ""))
}

/// One word with one `@` in it, which is no encoded word.
fn address(text: &str) -> Option<Address> {
    let is_one = text.matches('@').count() == 1 && !text.contains("=?") && !text.contains(AT_SIGNS);
    Address::parse(text).ok().filter(|_| is_one)
}

/// The comment behind an address, and what stands behind it.
fn after(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches(BLANKS);
    let Some(comment) = text.strip_prefix('(') else { return Some(("", text)) };
    let (inner, behind) = comment.split_once(')')?;
    if inner.contains(['(', '\\', '<']) {
        return None;
    }
    Some((inner, behind.trim_start_matches(BLANKS)))
}

/// A display name without quotes and encoding.
fn shown(phrase: &str) -> Box<str> {
    let mut plain = String::with_capacity(phrase.len());
    let mut quotes = Quotes::default();
    for c in phrase.chars() {
        let was_escape = quotes.is_escape();
        let is_quoted = quotes.take(c);
        if !is_quoted || was_escape || !matches!(c, '"' | '\\') {
            plain.push(c);
        }
    }
    let field = format!(": {plain}");
    let readings = HeaderDecoder::default().field(field.as_bytes());
    let first = readings.first().map_or("", String::as_str);
    first.trim_start_matches(':').trim_matches(BLANKS).into()
}

/// Some programs take the first angle brackets that they find, quoted, encoded or not.
fn hides_an_address(display_name: &str) -> bool {
    display_name.split_once('<').is_some_and(|(_, behind)| behind.contains('@'))
}

fn has_at_sign_unquoted(phrase: &str) -> bool {
    let mut quotes = Quotes::default();
    phrase.chars().any(|c| !quotes.take(c) && (c == '@' || AT_SIGNS.contains(&c)))
}

/// Follows quoted strings (RFC 5322 section 3.2.4).
#[derive(Default)]
enum Quotes {
    #[default]
    Closed,
    Open,
    Escape,
}

impl Quotes {
    /// Takes the next character: whether it is a part of a quoted string, its quotes included.
    fn take(&mut self, c: char) -> bool {
        let (next, is_part) = match (&self, c) {
            (Self::Closed, '"') => (Self::Open, true),
            (Self::Closed, _) => (Self::Closed, false),
            (Self::Open, '"') => (Self::Closed, true),
            (Self::Open, '\\') => (Self::Escape, true),
            (Self::Open | Self::Escape, _) => (Self::Open, true),
        };
        *self = next;
        is_part
    }

    const fn is_open(&self) -> bool {
        matches!(self, Self::Open | Self::Escape)
    }

    const fn is_escape(&self) -> bool {
        matches!(self, Self::Escape)
    }
}

const BLANKS: [char; 2] = [' ', '\t'];
