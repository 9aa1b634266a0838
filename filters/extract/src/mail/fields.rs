//! The header fields of the mail itself that are asked for by name.

use mailweir_content::decode::{charset::Charset, headers::HeaderDecoder};

use super::{address, date, fallbacks, message_id};
use crate::harvest::Harvest;
use crate::{Mailbox, Reason};

/// The fields as they came. They are decoded when the mail is over, since the text of the mail may
/// say in which charset they are.
#[derive(Default)]
pub(super) struct Fields {
    raw: Vec<(Name, Vec<u8>)>,
    /// What the first text of the mail says it is in.
    pub(super) declared: Option<Charset>,
}

/// A field that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Subject,
    From,
    To,
    Cc,
    Date,
    MessageId,
}

impl Name {
    /// The name of a field, and where its value begins.
    pub(super) fn of(field: &[u8]) -> Option<(Self, &[u8])> {
        let colon = memchr::memchr(b':', field)?;
        let (name, value) = (field.get(..colon)?.trim_ascii(), field.get(colon + 1..)?);
        let known = KNOWN.iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()))?;
        Some((known.1, value))
    }
}

impl Fields {
    pub(super) fn take(&mut self, field: &[u8]) {
        let Some((name, value)) = Name::of(field) else { return };
        let alike = self.raw.iter().filter(|(known, _)| *known == name).count();
        if alike < MOST_ALIKE {
            self.raw.push((name, value.to_vec()));
        }
    }

    /// Decodes the fields.
    pub(super) fn tell(&self, harvest: &mut Harvest<'_>) {
        let decoder = HeaderDecoder::new(fallbacks()).with_declared(self.declared);
        let subject = subject(self.all(Name::Subject), &decoder);
        let most = harvest.limits().mailboxes;
        let lists = [Name::From, Name::To, Name::Cc]
            .map(|name| mailboxes(self.all(name), &decoder, most, harvest));
        let found = harvest.fields();
        found.subject = subject;
        [found.from, found.to, found.cc] = lists;
        found.date = self.all(Name::Date).find_map(date::parse);
        found.message_id = self.all(Name::MessageId).find_map(message_id::parse);
    }

    fn all(&self, name: Name) -> impl Iterator<Item = &[u8]> {
        self.raw.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value.as_slice())
    }
}

/// The readings of a value, without its name. At least one.
pub(super) fn readings(value: &[u8], decoder: &HeaderDecoder) -> Vec<String> {
    let field = [b"X:", value].concat();
    let readings = decoder.field(&field).into_iter();
    readings.map(|text| text.get(2..).unwrap_or_default().trim().to_owned()).collect()
}

fn subject<'a>(values: impl Iterator<Item = &'a [u8]>, decoder: &HeaderDecoder) -> String {
    let mut lines: Vec<String> = Vec::new();
    for reading in values.flat_map(|value| readings(value, decoder)) {
        if !reading.is_empty() && !lines.contains(&reading) && lines.len() < MOST_READINGS {
            lines.push(reading);
        }
    }
    lines.join("\n")
}

fn mailboxes<'a>(
    values: impl Iterator<Item = &'a [u8]>,
    decoder: &HeaderDecoder,
    most: usize,
    harvest: &mut Harvest<'_>,
) -> Vec<Mailbox> {
    let mut mailboxes = Vec::new();
    for mailbox in values.flat_map(|value| address::mailboxes(value, decoder)) {
        let size = mailbox.name.len() + mailbox.address.len();
        if mailboxes.len() >= most || !harvest.take_names(size) {
            harvest.mark(Reason::TooLarge);
            break;
        }
        mailboxes.push(mailbox);
    }
    mailboxes
}

const KNOWN: [(&str, Name); 6] = [
    ("Subject", Name::Subject),
    ("From", Name::From),
    ("To", Name::To),
    ("Cc", Name::Cc),
    ("Date", Name::Date),
    ("Message-ID", Name::MessageId),
];
/// Fields of one name; programs show one of them, nobody knows which.
const MOST_ALIKE: usize = 8;
const MOST_READINGS: usize = 16;
