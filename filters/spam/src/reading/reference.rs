//! What character references of HTML stand for.
//!
//! Those that nearly all mails have are known here. Of the more than two thousand others `html5gum` is asked, each by itself.

use html5gum::Tokenizer;
use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, State};

/// Where a reference stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    Text,
    /// In the value of an attribute what looks like a parameter of a query is none.
    Attribute,
}

/// Appends a text with its references decoded.
pub(super) fn decode(text: &str, context: Context, decoded: &mut String) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        let (before, reference) = rest.split_at_checked(at).unwrap_or((rest, ""));
        decoded.push_str(before);
        let length = length(reference);
        let (reference, behind) = reference.split_at_checked(length).unwrap_or((reference, ""));
        push(reference, context, decoded);
        rest = behind;
    }
    decoded.push_str(rest);
}

/// The length of all that may belong to a reference, of at least one byte.
fn length(text: &str) -> usize {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'#';
    let body = text.bytes().skip(1).take(LONGEST).take_while(is_part).count();
    // What stands behind decides: a semicolon, or in an attribute an equals sign.
    let has_end = matches!(text.as_bytes().get(1 + body), Some(b';' | b'='));
    1 + body + usize::from(has_end)
}

fn push(reference: &str, context: Context, decoded: &mut String) {
    let known = match reference {
        "&" => "&",
        "&nbsp;" => "\u{a0}",
        "&amp;" => "&",
        "&lt;" => "<",
        "&gt;" => ">",
        "&quot;" => "\"",
        "&#39;" => "'",
        "&#160;" => "\u{a0}",
        "&copy;" => "\u{a9}",
        "&reg;" => "\u{ae}",
        "&bull;" => "\u{2022}",
        "&ndash;" => "\u{2013}",
        "&mdash;" => "\u{2014}",
        "&rsquo;" => "\u{2019}",
        "&zwnj;" => "\u{200c}",
        "&#149;" => "\u{2022}",
        "&#150;" => "\u{2013}",
        "&#151;" => "\u{2014}",
        "&#146;" => "\u{2019}",
        "&#10;" => "\n",
        "&#13;" => "\r",
        "&euro;" => "\u{20ac}",
        "&eacute;" => "\u{e9}",
        _ => {
            return match number(reference) {
                Some(character) => decoded.push(character),
                None => ask(reference, context, decoded),
            };
        }
    };
    decoded.push_str(known);
}

/// The character of a decimal number with a semicolon, if it stands for itself.
fn number(reference: &str) -> Option<char> {
    let digits = reference.strip_prefix("&#")?.strip_suffix(';')?;
    let is_number = digits.len() <= 7 && digits.bytes().all(|digit| digit.is_ascii_digit());
    let number: u32 = digits.parse().ok().filter(|_| is_number)?;
    // The numbers of control characters are read as those of windows-1252.
    char::from_u32(number).filter(|character| !character.is_control())
}

fn ask(reference: &str, context: Context, decoded: &mut String) {
    let take = |event: CallbackEvent<'_>, _: Span<()>| -> Option<Vec<u8>> {
        match event {
            CallbackEvent::String { value } | CallbackEvent::AttributeValue { value } => {
                Some(value.to_vec())
            }
            CallbackEvent::OpenStartTag { .. }
            | CallbackEvent::AttributeName { .. }
            | CallbackEvent::CloseStartTag { .. }
            | CallbackEvent::EndTag { .. }
            | CallbackEvent::Comment { .. }
            | CallbackEvent::Doctype { .. }
            | CallbackEvent::Error(_) => None,
        }
    };
    let source = match context {
        Context::Text => reference.to_owned(),
        Context::Attribute => format!("<a a=\"{reference}\">"),
    };
    let mut tokenizer = Tokenizer::new_with_emitter(source.as_str(), CallbackEmitter::new(take));
    tokenizer.set_state(State::Data);
    for Ok(text) in tokenizer {
        decoded.push_str(&String::from_utf8_lossy(&text));
    }
}

/// The longest name has 32 bytes; of a number no more digits mean anything.
const LONGEST: usize = 40;
