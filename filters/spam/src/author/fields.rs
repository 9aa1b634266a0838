//! The fields of a header that some program may take for the From field.
//!
//! Whether the header is in form is for `mailweir_mail::header_from` to say. This finds whom it could name if it is not,
//! and so it takes rather too much for a From field than too little.

use mailweir_mail::header_from::MOST_BYTES;

/// A field that may be read as From.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FromField {
    pub(super) form: Form,
    /// What stands behind the colon, without line ends; bounded.
    pub(super) value: Vec<u8>,
}

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `From:`.
    Plain,
    /// With blanks, line ends or other bytes in its name, or hidden in the fold of another field: some programs
    /// see it, and some do not.
    Odd,
}

/// All fields that may be read as From, as they stand; no more than [`MOST_FIELDS`].
pub(super) fn like_from(header: &[u8]) -> Vec<FromField> {
    let mut found = Vec::new();
    let mut field: Vec<u8> = Vec::new();
    for line in header.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || found.len() >= MOST_FIELDS {
            break;
        }
        if line.first().is_some_and(|&byte| is_blank(byte)) {
            found.extend(in_fold(line).filter(|_| !is_from(&field)));
        } else {
            found.extend(in_full(&field));
            field.clear();
        }
        let room = LONGEST_FIELD.saturating_sub(field.len());
        field.extend_from_slice(line.get(..room).unwrap_or(line));
    }
    found.extend(in_full(&field));
    found.truncate(MOST_FIELDS);
    found
}

/// The header without the line that stands above each mail in a mailbox file: `From ann@own.example Mon Nov 23 22:44:00 2026`.
/// Mail out of such files still begins with it, and every program passes it over.
pub(super) fn without_mailbox_line(header: &[u8]) -> &[u8] {
    let Some(end) = header.iter().position(|&byte| byte == b'\n') else { return header };
    let (line, rest) = header.split_at_checked(end.saturating_add(1)).unwrap_or((header, &[]));
    let mut words =
        line.trim_ascii_end().split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    let is_from = line.starts_with(b"From ") && words.next().is_some();
    let has_sender = words.next().is_some_and(|sender| !sender.contains(&b':'));
    let has_year = words
        .next_back()
        .is_some_and(|year| year.len() == 4 && year.iter().all(u8::is_ascii_digit));
    if is_from && has_sender && has_year { rest } else { header }
}

/// The From field, if this is one: a field with its folds, without line ends.
fn in_full(field: &[u8]) -> Option<FromField> {
    let (name, value) = at_colon(field)?;
    let visible: Vec<u8> =
        name.iter().copied().filter(u8::is_ascii_graphic).take(FROM.len() + 1).collect();
    if !visible.eq_ignore_ascii_case(FROM) {
        return None;
    }
    let form = if name.len() == FROM.len() { Form::Plain } else { Form::Odd };
    Some(FromField { form, value: value.to_vec() })
}

/// A folded line that would be a From field if it were none. Only one that names an address: lists of field names in
/// signatures are folded anywhere.
fn in_fold(line: &[u8]) -> Option<FromField> {
    let field = in_full(line)?;
    field.value.contains(&b'@').then_some(field)
}

fn is_from(field: &[u8]) -> bool {
    in_full(field).is_some()
}

fn at_colon(field: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = field.iter().position(|&byte| byte == b':')?;
    let (name, rest) = field.split_at_checked(at)?;
    Some((name, rest.get(1..)?))
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

const FROM: &[u8] = b"from";

/// As much of a field is kept: enough for every From field that is read at all.
const LONGEST_FIELD: usize = MOST_BYTES + 256;

/// More than one is a trick; of more than these nobody needs the domains.
pub(super) const MOST_FIELDS: usize = 8;
