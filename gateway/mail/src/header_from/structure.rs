//! The plain forms of a From header, and no others:
//!
//! ```text
//! ann@example.org
//! ann@example.org (Ann)
//! Ann <ann@example.org>, "Bob" <bob@example.org>
//! ```
//!
//! What obsolete syntax allows besides, such as routes, groups, comments between words and spaces
//! within addresses, is where readers differ. Display names may hold what RFC 5322 asks quotes for,
//! as many programs write it, where no reader can be misled by it.

use super::{FromDoubt, is_atom};

/// Whether the value of a From header has a plain form.
pub(super) fn check(text: &str) -> Result<(), FromDoubt> {
    let mut rest = mailbox(text)?;
    while let Some(next) = rest.strip_prefix(',') {
        rest = mailbox(next)?;
    }
    if rest.is_empty() { Ok(()) } else { Err(FromDoubt::Unclear) }
}

/// Reads a mailbox and gives what stands behind it.
fn mailbox(text: &str) -> Result<&str, FromDoubt> {
    let text = trimmed(text);
    let (phrase, behind) = split_phrase(text)?;
    if let Some(angle) = behind.strip_prefix('<') {
        let (inner, behind) = angle.split_once('>').ok_or(FromDoubt::Unclear)?;
        address(inner.trim_matches([' ', '\t']))?;
        return after(behind);
    }
    // Without angle brackets the phrase itself is the address.
    let phrase = phrase.trim_end_matches([' ', '\t']);
    match phrase {
        "" => Err(FromDoubt::NoAddress),
        phrase => address(phrase).and_then(|()| after(behind)),
    }
}

/// The words before a `<`, a comment, a comma or the end.
fn split_phrase(text: &str) -> Result<(&str, &str), FromDoubt> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '<' | '(' | ',' => return Ok(text.split_at(at)),
            ' ' | '\t' | '@' | '[' | ']' => {}
            _ if is_atom(c) => {}
            _ => return Err(FromDoubt::Unclear),
        }
    }
    if quoted { Err(FromDoubt::Unclear) } else { Ok((text, "")) }
}

/// One word with one `@` in it.
fn address(text: &str) -> Result<(), FromDoubt> {
    let plain = text.chars().all(|c| is_atom(c) || c == '@');
    match text.matches('@').count() {
        _ if !plain => Err(FromDoubt::Unclear),
        0 => Err(FromDoubt::NoAddress),
        1 => Ok(()),
        _ => Err(FromDoubt::Unclear),
    }
}

/// Behind an address: white space, and one comment that has none in it.
fn after(text: &str) -> Result<&str, FromDoubt> {
    let text = trimmed(text);
    let Some(comment) = text.strip_prefix('(') else { return Ok(text) };
    let (inner, behind) = comment.split_once(')').ok_or(FromDoubt::Unclear)?;
    if inner.contains(['(', '\\']) {
        return Err(FromDoubt::Unclear);
    }
    Ok(trimmed(behind))
}

fn trimmed(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}
