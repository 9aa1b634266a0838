//! Tables that are written out in their name: `inline:`, `static:`, `randmap:`.

use super::{
    Pair,
    braces::{Items, inside, is_space},
};

/// What is wrong, and how it is written.
type Wrong = (String, &'static str);

/// `{key=value, { key = value with spaces }, ...}`.
pub(super) fn pairs(name: &str) -> Result<Box<[Pair]>, Wrong> {
    const WANTED: &str = "inline:{name=value...}";
    let list = inside(name).map_err(|_| ("bad syntax".to_owned(), WANTED))?;
    if list.is_empty() {
        return Err(("bad syntax".to_owned(), WANTED));
    }
    let pairs: Box<[_]> = Items::of(list)
        .map(|item| pair(if item.starts_with('{') { inside(item)? } else { item }))
        .collect::<Result<_, String>>()
        .map_err(|reason| (reason, WANTED))?;
    if pairs.is_empty() { Err(("empty table".to_owned(), WANTED)) } else { Ok(pairs) }
}

/// `value`, or `{ value }`.
pub(super) fn value(name: &str) -> Result<Box<str>, Wrong> {
    if !name.starts_with('{') {
        return Ok(name.into());
    }
    let value = inside(name)
        .map_err(|reason| (format!("bad static:name syntax: {reason}"), "static:{value}"))?;
    Ok(value.trim_matches(is_space).into())
}

/// `{value, value, ...}`.
pub(super) fn values(name: &str) -> Result<Box<[Box<str>]>, Wrong> {
    let wrong = || ("bad syntax".to_owned(), "randmap:{value...}");
    let values: Box<[_]> = Items::of(inside(name).map_err(|_| wrong())?).map(Into::into).collect();
    if values.is_empty() { Err(wrong()) } else { Ok(values) }
}

/// `key = value`, where the key may have quotes.
fn pair(text: &str) -> Result<Pair, String> {
    let text = text.trim_start_matches(is_space);
    if text.is_empty() {
        return Err("no key found; expected format: key = value".to_owned());
    }
    let end = end_of_key(text).ok_or("unbalanced '\"'")?;
    let (key, rest) = text.split_at(end);
    let value = rest.trim_start_matches(is_space).strip_prefix('=');
    let value = value.ok_or("missing '=' after attribute name")?;
    Ok((key.into(), value.trim_matches(is_space).into()))
}

/// Where the key ends: at white space or `=` that no quotes and no backslash protect.
fn end_of_key(text: &str) -> Option<usize> {
    let mut in_quotes = false;
    let mut escaped = false;
    let end = text.find(|c| {
        if std::mem::take(&mut escaped) {
            return false;
        }
        match c {
            '\\' => escaped = true,
            '"' => in_quotes = !in_quotes,
            _ => return !in_quotes && (c == '=' || is_space(c)),
        }
        false
    });
    (!in_quotes).then(|| end.unwrap_or(text.len()))
}
