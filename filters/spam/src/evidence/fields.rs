//! Fields of the header: what is missing, what stands there twice, and what is none.

use mailweir_mail::Timestamp;

use super::{Own, date, sender::of_sender, subject};
use crate::symbols::{Finding, Symbol};

/// The fields that tell something here, of all that a mail has.
pub(crate) const TELLING: [&str; 10] = [
    "from",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "reply-to",
    "sender",
    "in-reply-to",
    "references",
];

/// A field of the mail's own header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'m> {
    /// Its name, in any case, without blanks and the colon.
    pub name: &'m str,
    /// What a person reads: unfolded and decoded. Of several readings the likeliest.
    pub value: &'m str,
    /// The value as it stands, folds included.
    pub raw: &'m [u8],
}

/// What the header shows. `received` is when the mail came.
#[must_use]
pub fn of_fields(fields: &[Field<'_>], received: Timestamp, own: &Own) -> Vec<Finding> {
    let header = Header { fields };
    let mut found = header.missing();
    found.extend(header.doubled());
    found.extend(header.date(received));
    found.extend(header.message_id());
    found.extend(header.encoding());
    if let Some(from) = header.first("from") {
        found.extend(of_sender(from.value, header.first("reply-to").map(|field| field.value), own));
    }
    if let Some(subject) = header.first("subject") {
        let is_answer =
            ["in-reply-to", "references"].iter().any(|name| header.first(name).is_some());
        let is_answer =
            if is_answer { subject::IsAnswer::Said } else { subject::IsAnswer::NotSaid };
        found.extend(subject::of_subject(subject.value, is_answer));
    }
    found
}

struct Header<'h, 'm> {
    fields: &'h [Field<'m>],
}

impl<'h, 'm> Header<'h, 'm> {
    fn all(&self, name: &'h str) -> impl Iterator<Item = &'h Field<'m>> {
        let fields = self.fields.iter().take(MOST_FIELDS);
        fields.filter(move |field| field.name.trim().eq_ignore_ascii_case(name))
    }

    fn first(&self, name: &'h str) -> Option<&'h Field<'m>> {
        self.all(name).next()
    }

    fn missing(&self) -> Vec<Finding> {
        let is_there = |names: &[&'h str]| {
            names.iter().any(|name| self.all(name).any(|field| !field.value.trim().is_empty()))
        };
        let wanted: [(Symbol, &[&str]); 5] = [
            (Symbol::MissingFrom, &["from"]),
            (Symbol::MissingDate, &["date"]),
            (Symbol::MissingMessageId, &["message-id"]),
            (Symbol::MissingTo, &["to", "cc"]),
            (Symbol::MissingSubject, &["subject"]),
        ];
        let missing = wanted.into_iter().filter(|(_, names)| !is_there(names));
        missing.map(|(symbol, _)| Finding::new(symbol, "")).collect()
    }

    fn doubled(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        if let Some(second) = self.all("from").nth(1) {
            found.push(Finding::new(Symbol::DoubledFrom, second.value));
        }
        if let Some(name) = ONCE.iter().find(|name| self.all(name).nth(1).is_some()) {
            found.push(Finding::new(Symbol::DoubledField, name));
        }
        found
    }

    fn date(&self, received: Timestamp) -> Option<Finding> {
        let value =
            self.first("date").map(|field| field.value).filter(|value| !value.trim().is_empty())?;
        let symbol = match date::read(value) {
            None => Symbol::DateUnreadable,
            Some(date) if date.since(received).as_secs() > MOST_AHEAD => Symbol::DateFuture,
            Some(date) if received.since(date).as_secs() > MOST_BEHIND => Symbol::DatePast,
            Some(_) => return None,
        };
        Some(Finding::new(symbol, value))
    }

    fn message_id(&self) -> Option<Finding> {
        let value = self.first("message-id")?.value.trim();
        let is_one = || {
            let (left, right) = value.strip_prefix('<')?.strip_suffix('>')?.rsplit_once('@')?;
            let is_odd =
                |character: char| character.is_whitespace() || matches!(character, '<' | '>');
            let is_quoted = left.len() > 1 && left.starts_with('"') && left.ends_with('"');
            let is_left = is_quoted || !left.is_empty() && !left.contains(is_odd);
            (is_left && !right.is_empty() && !right.contains(is_odd)).then_some(())
        };
        (!value.is_empty() && is_one().is_none()).then(|| Finding::new(Symbol::MessageIdOdd, value))
    }

    /// Bytes without a charset, and charsets without a need, in what people read first.
    fn encoding(&self) -> Vec<Finding> {
        let shown = || ["subject", "from"].into_iter().filter_map(|name| self.first(name));
        let raw =
            shown().find(|field| !field.raw.is_ascii() && std::str::from_utf8(field.raw).is_err());
        let needless = shown().find(|field| field.value.is_ascii() && has_base64_word(field.raw));
        let found = [(Symbol::HeaderRaw8bit, raw), (Symbol::HeaderNeedlessEncoding, needless)];
        found
            .into_iter()
            .filter_map(|(symbol, field)| Some(Finding::new(symbol, field?.value)))
            .collect()
    }
}

/// Whether there is an encoded word in base64 (RFC 2047).
fn has_base64_word(raw: &[u8]) -> bool {
    raw.windows(3).any(|part| part.eq_ignore_ascii_case(b"?b?"))
        && raw.windows(2).any(|part| part == b"=?")
}

/// Fields that may stand once besides From (RFC 5322 section 3.6).
const ONCE: [&str; 7] =
    ["subject", "date", "message-id", "to", "reply-to", "sender", "in-reply-to"];
/// Fields that are looked at: Postfix's limits of headers allow more, honest mail has some dozens.
const MOST_FIELDS: usize = 1000;
/// Seconds that a clock may be ahead: a day, since zones are often wrong too.
const MOST_AHEAD: u64 = 24 * 3600;
/// Seconds that a mail may be on its way: two weeks. Queues keep mail for five days, moderators for longer.
const MOST_BEHIND: u64 = 14 * 24 * 3600;
