//! Changes that filters make in a mail: the header and the body that come of them, and what makes one header or envelope of
//! another.
//!
//! What a filter gives as a field stays one field: nothing in it can end the header or begin another field. What it does
//! not change stays byte for byte.

mod between;
mod envelope;
#[cfg(test)]
mod tests;
mod value;

pub use self::{between::between, envelope::EnvelopeChanges};
use crate::verdict::Edit;

/// What cannot be done to a mail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// What should be the name of a field is none.
    #[error("{0:?} is no name of a header field")]
    Name(Box<str>),
    /// The header would be too long.
    #[error("the header would have more than {0} bytes")]
    LongHeader(usize),
}

/// The fields of a mail that are our own. They stay as they are and where they are, are not counted in what a filter says, and
/// no milter is shown them.
///
/// They are known by their bytes, since rules may put others between them, or take them out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnFields(Vec<Box<[u8]>>);

impl OwnFields {
    /// One more: a whole field with its line ends.
    pub fn add(&mut self, field: &[u8]) {
        self.0.push(field.into());
    }

    /// The fields of a header in their order, each with its folded lines, and whether it is our own: the first that is as one of
    /// these.
    fn tell<'h>(&self, header: &'h [u8]) -> impl Iterator<Item = (&'h [u8], bool)> {
        let mut left: Vec<&[u8]> = self.0.iter().map(|own| &**own).collect();
        divide(header).map(move |field| {
            let own = left.iter().position(|own| *own == field);
            (field, own.map(|at| left.swap_remove(at)).is_some())
        })
    }
}

/// The fields of a header that a milter is shown, each with its folded lines, up to the empty line.
pub fn shown<'h>(header: &'h [u8], own: &OwnFields) -> impl Iterator<Item = &'h [u8]> {
    let told = own.tell(&header[..end(header)]);
    told.filter_map(|(field, is_own)| (!is_own).then_some(field))
}

/// Where the body begins in what is there of a mail whose lines end with CRLF: behind the first empty line, which may be the first of
/// all. `from`: so many bytes have been looked at before, without finding it.
#[must_use]
pub fn end_of_header(mail: &[u8], from: usize) -> Option<usize> {
    if mail.starts_with(b"\r\n") {
        return Some(2);
    }
    let from = from.saturating_sub(END.len() - 1);
    memchr::memmem::find(mail.get(from..)?, END).map(|at| from + at + END.len())
}

/// The header after all changes, in their order; those of body and envelope are passed over.
///
/// `header`: fields with the ends of their lines; an empty line and what is behind it stay as they are. `own`: those that no filter
/// changes. `most`: bytes of the new header at most.
///
/// # Errors
/// A name is none, or the header would be too long. The filter has failed then.
pub fn header(
    header: &[u8],
    own: &OwnFields,
    edits: &[Edit],
    most: usize,
) -> Result<Vec<u8>, EditError> {
    let (header, behind) = header.split_at(end(header));
    let told = own.tell(header);
    let mut fields: Vec<Field> = told.map(|(field, is_own)| Field::of(field, is_own)).collect();
    // What comes behind it must not become a part of it.
    if let Some(last) = fields.last_mut().filter(|last| !last.bytes.ends_with(b"\n")) {
        last.bytes.extend_from_slice(b"\r\n");
    }
    let mut bytes: usize = header.len();
    for edit in edits {
        let Some(grown) = change(&mut fields, edit)? else { continue };
        bytes = bytes.saturating_add(grown);
        if bytes > most && length(&fields) > most {
            return Err(EditError::LongHeader(most));
        }
    }
    let mut new: Vec<&[u8]> = fields.iter().map(|field| &*field.bytes).collect();
    new.push(behind);
    Ok(new.concat())
}

/// The header without the fields that are `unwanted`, and with `field` above all that are not our own.
///
/// `header`: as for [`header`]. `field`: a whole field with its line ends.
#[must_use]
pub fn with_field(
    header: &[u8],
    own: &OwnFields,
    unwanted: impl Fn(&[u8]) -> bool,
    field: &[u8],
) -> Vec<u8> {
    let (header, behind) = header.split_at(end(header));
    let mut new = Vec::with_capacity(header.len() + field.len() + behind.len());
    let mut is_written = false;
    for (one, is_own) in own.tell(header) {
        if !is_own && !std::mem::replace(&mut is_written, true) {
            new.extend_from_slice(field);
        }
        if is_own || !unwanted(one) {
            new.extend_from_slice(one);
        }
    }
    // What comes behind it must not become a part of it.
    if !new.is_empty() && !new.ends_with(b"\n") {
        new.extend_from_slice(b"\r\n");
    }
    if !is_written {
        new.extend_from_slice(field);
    }
    new.extend_from_slice(behind);
    new
}

/// The new body, with CRLF at the ends of all lines. `None`: it stays.
#[must_use]
pub fn body(edits: &[Edit]) -> Option<Vec<u8>> {
    let last = edits.iter().rev().find_map(|edit| match edit {
        Edit::Body(bytes) => Some(bytes),
        _ => None,
    })?;
    Some(value::with_crlf(last))
}

/// Whether a header field may have this name: printable ASCII without a colon (RFC 5322 section 2.2), and not too long.
#[must_use]
pub fn is_field_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b':';
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(allowed)
}

/// A field with its folded lines.
struct Field {
    bytes: Vec<u8>,
    is_own: bool,
}

impl Field {
    fn of(bytes: &[u8], is_own: bool) -> Self {
        Self { bytes: bytes.to_vec(), is_own }
    }

    fn is_named(&self, name: &str) -> bool {
        !self.is_own && is_named(&self.bytes, name)
    }
}

/// Postfix allows white space before the colon.
fn is_named(field: &[u8], name: &str) -> bool {
    let end = field.iter().position(|byte| *byte == b':').unwrap_or(0);
    field[..end].trim_ascii_end().eq_ignore_ascii_case(name.as_bytes())
}

/// One change. How many bytes were added, if any were.
fn change(fields: &mut Vec<Field>, edit: &Edit) -> Result<Option<usize>, EditError> {
    let (at, replaces, field) = match edit {
        Edit::Append { name, value } => (fields.len(), false, field(name, value)?),
        Edit::Insert { above, name, value } => (below(fields, *above), false, field(name, value)?),
        Edit::Change { name, nth, value } => {
            let found = find(fields, name, *nth);
            (found.unwrap_or(fields.len()), found.is_some(), field(name, value)?)
        }
        Edit::Remove { name, nth: Some(nth) } => {
            if let Some(at) = find(fields, name, *nth) {
                fields.remove(at);
            }
            return Ok(None);
        }
        Edit::Remove { name, nth: None } => {
            fields.retain(|field| !field.is_named(name));
            return Ok(None);
        }
        Edit::Body(_) | Edit::Sender(_) | Edit::AddRecipient(_) | Edit::RemoveRecipient(_) => {
            return Ok(None);
        }
    };
    let grown = field.len();
    let field = Field { bytes: field, is_own: false };
    if replaces {
        fields[at] = field;
    } else {
        fields.insert(at, field);
    }
    Ok(Some(grown))
}

/// A whole field, with the ends of its lines. `text`: what follows the colon.
///
/// # Errors
/// The name is none.
pub fn field(name: &str, text: &[u8]) -> Result<Vec<u8>, EditError> {
    if !is_field_name(name) {
        return Err(EditError::Name(name.chars().take(LONGEST_NAME).collect()));
    }
    Ok([name.as_bytes(), b":", &value::folded(text), b"\r\n"].concat())
}

/// Where the `nth` field of a name stands, from 1 on; 0 is taken for 1, as Sendmail does.
fn find(fields: &[Field], name: &str, nth: usize) -> Option<usize> {
    let named = fields.iter().enumerate().filter(|(_, field)| field.is_named(name));
    named.map(|(at, _)| at).nth(nth.saturating_sub(1))
}

/// Where a field goes that has `above` others above it, and our own that stand between.
fn below(fields: &[Field], above: usize) -> usize {
    let others = fields.iter().enumerate().filter(|(_, field)| !field.is_own);
    others.map(|(at, _)| at).nth(above).unwrap_or(fields.len())
}

/// Where the empty line begins, if there is one.
fn end(header: &[u8]) -> usize {
    let mut at = 0;
    for line in header.split_inclusive(|byte| *byte == b'\n') {
        if matches!(line, b"\r\n" | b"\n") {
            break;
        }
        at += line.len();
    }
    at
}

/// Each field with its folded lines.
fn divide(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = header;
    std::iter::from_fn(move || {
        let mut end = 0;
        while end == 0 || matches!(rest.get(end), Some(b' ' | b'\t')) {
            end += match rest.get(end..)?.iter().position(|byte| *byte == b'\n') {
                Some(line) => line + 1,
                None if rest.is_empty() => return None,
                None => rest.len() - end,
            };
        }
        let (field, behind) = rest.split_at(end);
        rest = behind;
        Some(field)
    })
}

fn length(fields: &[Field]) -> usize {
    fields.iter().map(|field| field.bytes.len()).sum()
}

/// The end of a header that has fields.
const END: &[u8] = b"\r\n\r\n";

/// Bytes of a name, so that it fits on a line of its own (RFC 5322 section 2.1.1).
const LONGEST_NAME: usize = 900;
