//! Markup against a tokenizer that follows the standard byte by byte.

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, State, Tokenizer};
use proptest::prelude::*;

use crate::reading::Element;
use crate::reading::markup::{Markup, Piece};

/// What stands in a document, in words.
fn ours(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut markup = Markup::new(source);
    let mut element = Element::default();
    while let Some(piece) = markup.next(&mut element) {
        match piece {
            Piece::Text(text) => found.push(format!("text {text}")),
            Piece::Start => {
                found.push(format!("start {}", element.name()));
                let attributes = element.attributes();
                found.extend(attributes.map(|(name, value)| format!("attribute {name}={value}")));
            }
            Piece::End => found.push(format!("end {}", element.name())),
            Piece::Comment(comment) => found.push(format!("comment {comment}")),
        }
    }
    joined(found)
}

fn theirs(source: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut name = String::new();
    // Attributes of end tags are told, too, and mean nothing.
    let mut is_start = false;
    let take = |event: CallbackEvent<'_>, _: Span<()>| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match event {
            CallbackEvent::OpenStartTag { name: tag } => {
                name = text(tag);
                is_start = true;
                found.push(format!("start {name}"));
            }
            CallbackEvent::AttributeName { .. } | CallbackEvent::AttributeValue { .. }
                if !is_start => {}
            CallbackEvent::AttributeName { name } => {
                found.push(format!("attribute {}=", text(name)));
            }
            CallbackEvent::AttributeValue { value } => {
                found.last_mut().unwrap().push_str(&text(value));
            }
            CallbackEvent::CloseStartTag { .. } => {
                is_start = false;
                return match name.as_str() {
                    "title" | "textarea" => Some(State::RcData),
                    "style" | "iframe" | "xmp" => Some(State::RawText),
                    "plaintext" => Some(State::PlainText),
                    _ => None,
                };
            }
            CallbackEvent::EndTag { name } => found.push(format!("end {}", text(name))),
            CallbackEvent::String { value } => found.push(format!("text {}", text(value))),
            CallbackEvent::Comment { value } => found.push(format!("comment {}", text(value))),
            CallbackEvent::Doctype { .. } | CallbackEvent::Error(_) => {}
        }
        None
    };
    let mut tokenizer = Tokenizer::new_with_emitter(source, CallbackEmitter::new(take));
    while let Some(Ok(state)) = tokenizer.next() {
        tokenizer.set_state(state);
    }
    drop(tokenizer);
    joined(found)
}

/// Texts that follow each other are one, however many times they were told.
fn joined(found: Vec<String>) -> Vec<String> {
    let mut joined: Vec<String> = Vec::new();
    for piece in found {
        match (joined.last_mut(), piece.strip_prefix("text ")) {
            (Some(last), Some(text)) if last.starts_with("text ") => last.push_str(text),
            _ => joined.push(piece),
        }
    }
    joined
}

/// A tag that the end of the document cuts is told by `html5gum` as far as it came; nobody sees it.
fn is_cut(source: &str) -> bool {
    let last = source.rfind('<').map_or("", |at| &source[at..]);
    source.matches('"').count() % 2 == 1
        || source.matches('\'').count() % 2 == 1
        || (!last.is_empty() && !last.contains('>'))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn markup_is_what_a_tokenizer_of_the_standard_finds(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just("<"), Just(">"), Just("</"), Just("/"), Just("a"), Just("B"), Just(" "), Just("="),
                Just("\"x\""), Just("'y'"), Just("<!--"), Just("-->"), Just("--!>"), Just("-"), Just("!"),
                Just("?"), Just("&amp;"), Just("&amp"), Just("&#65;"), Just("&#x80"), Just("&notit;"), Just("&"),
                Just("&copy=1"), Just("<title>"), Just("</title>"), Just("<style>"), Just("</STYLE >"),
                Just("<a href=\"b&ampc=d&lt;\" c>"), Just("é"), Just("<br/>"), Just("<!doctype html>"), Just("\n"),
            ],
            0..14,
        )
    ) {
        let source = pieces.concat();
        if !is_cut(&source) {
            prop_assert_eq!(ours(&source), theirs(&source), "{}", source);
        }
    }

    #[test]
    fn no_markup_panics(source in "\\PC{0,60}|[<>/a!\"'=& -]{0,60}") {
        let _ = ours(&source);
    }
}

#[test]
fn a_tag_that_does_not_end_is_none() {
    assert_eq!(ours("a<b c"), ["text a"]);
    assert_eq!(ours("a<b c=\"d>e"), ["text a"]);
    assert_eq!(ours("1 < 2 <b>"), ["text 1 < 2 ", "start b"]);
}

#[test]
fn a_document_of_brackets_takes_linear_time() {
    for part in ["<", "<a", "</", "<!--", "<a b=\"", "&", "&#", "<title>", "--"] {
        let _ = ours(&part.repeat(200_000));
    }
}
