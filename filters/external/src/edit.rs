//! Changes that filters make in a mail: the header and the body that come of them.
//!
//! What a filter gives as a field stays one field: nothing in it can end the header or begin another field. What it does
//! not change stays byte for byte.

mod between;
#[cfg(test)]
mod tests;
mod value;

pub use self::between::between;
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

/// The header after all changes, in their order; those of body and envelope are passed over.
///
/// `header`: fields with the ends of their lines; an empty line and what is behind it stay as they are. `own`: how many of its first fields are
/// our own and were not shown to the filter; they stay where they are and are not counted. `most`: bytes of the new header at
/// most.
///
/// # Errors
/// A name is none, or the header would be too long. The filter has failed then.
pub fn header(
    header: &[u8],
    own: usize,
    edits: &[Edit],
    most: usize,
) -> Result<Vec<u8>, EditError> {
    let (header, behind) = header.split_at(end(header));
    let mut fields = divide(header);
    let mut below = fields.split_off(own.min(fields.len()));
    let mut bytes: usize = header.len();
    for edit in edits {
        let Some(grown) = change(&mut below, edit)? else { continue };
        bytes = bytes.saturating_add(grown);
        if bytes > most && length(&fields) + length(&below) > most {
            return Err(EditError::LongHeader(most));
        }
    }
    fields.append(&mut below);
    fields.push(behind.to_vec());
    Ok(fields.concat())
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

/// One change. How many bytes were added, if any were.
fn change(fields: &mut Vec<Vec<u8>>, edit: &Edit) -> Result<Option<usize>, EditError> {
    let (at, replaces, field) = match edit {
        Edit::Append { name, value } => (fields.len(), false, field(name, value)?),
        Edit::Insert { above, name, value } => {
            ((*above).min(fields.len()), false, field(name, value)?)
        }
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
            fields.retain(|field| !is_named(field, name));
            return Ok(None);
        }
        Edit::Body(_) | Edit::Sender(_) | Edit::AddRecipient(_) | Edit::RemoveRecipient(_) => {
            return Ok(None);
        }
    };
    let grown = field.len();
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
fn find(fields: &[Vec<u8>], name: &str, nth: usize) -> Option<usize> {
    let named = fields.iter().enumerate().filter(|(_, field)| is_named(field, name));
    named.map(|(at, _)| at).nth(nth.saturating_sub(1))
}

/// Postfix allows white space before the colon.
fn is_named(field: &[u8], name: &str) -> bool {
    let end = field.iter().position(|byte| *byte == b':').unwrap_or(0);
    field[..end].trim_ascii_end().eq_ignore_ascii_case(name.as_bytes())
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
fn divide(header: &[u8]) -> Vec<Vec<u8>> {
    let mut fields: Vec<Vec<u8>> = Vec::new();
    for line in header.split_inclusive(|byte| *byte == b'\n') {
        match fields.last_mut() {
            Some(field) if matches!(line.first(), Some(b' ' | b'\t')) => {
                field.extend_from_slice(line);
            }
            _ => fields.push(line.to_vec()),
        }
    }
    // What comes behind it must not become a part of it.
    if let Some(last) = fields.last_mut().filter(|last| !last.ends_with(b"\n")) {
        last.extend_from_slice(b"\r\n");
    }
    fields
}

fn length(fields: &[Vec<u8>]) -> usize {
    fields.iter().map(Vec::len).sum()
}

/// Bytes of a name, so that it fits on a line of its own (RFC 5322 section 2.1.1).
const LONGEST_NAME: usize = 900;
