//! HTML as tokens, as browsers without scripts see them (`html5gum`).
//!
//! What stands in `script`, `style` and `title` is no text here. Whoever reads a mail anyway may make the tokens
//! itself; this does it for a document at hand. Attributes are bounded, and the work is linear.

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, State, Tokenizer};

/// What comes next in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'t> {
    /// A start tag.
    Start(&'t Tag),
    /// An end tag: the name in lower case.
    End(&'t str),
    /// Text that is shown, with character references resolved; blanks are as written.
    Text(&'t str),
    /// A comment.
    Comment,
}

/// A start tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    /// A tag with its attributes, the names in lower case.
    #[must_use]
    pub fn new(name: &str, attributes: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self { name: name.to_owned(), attributes: attributes.iter().map(own).collect() }
    }

    /// Its name in lower case.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value of an attribute. Of those with the same name browsers take the first.
    #[must_use]
    pub fn get(&self, attribute: &str) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| name == attribute).map(|(_, value)| value.as_str())
    }

    /// The names of its attributes, in lower case.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(|(name, _)| name.as_str())
    }
}

/// Reads a document and hands over its tokens.
pub fn read(source: &str, take: &mut dyn FnMut(Token<'_>)) {
    let mut reader = Reader { take, tag: Tag::default(), attribute: None, hides: Hides::Nothing };
    let emitter =
        CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| reader.event(&event));
    let mut tokenizer = Tokenizer::new_with_emitter(source, emitter);
    while let Some(Ok(state)) = tokenizer.next() {
        tokenizer.set_state(state);
    }
}

struct Reader<'t> {
    take: &'t mut dyn FnMut(Token<'_>),
    tag: Tag,
    /// The name of the attribute whose value comes.
    attribute: Option<String>,
    hides: Hides,
}

/// Whether the element that is open has text that nobody sees.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hides {
    Nothing,
    Text,
}

impl Reader<'_> {
    fn event(&mut self, event: &CallbackEvent<'_>) -> Option<State> {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                self.end_attribute("");
                self.tag.attributes.clear();
                self.tag.name.clear();
                self.tag.name.push_str(&String::from_utf8_lossy(cut(name)));
            }
            CallbackEvent::AttributeName { name } => {
                self.end_attribute("");
                self.attribute = Some(String::from_utf8_lossy(cut(name)).into_owned());
            }
            CallbackEvent::AttributeValue { value } => {
                self.end_attribute(&String::from_utf8_lossy(cut(value)))
            }
            CallbackEvent::CloseStartTag { .. } => return self.start(),
            CallbackEvent::EndTag { name } => {
                // Attributes of end tags mean nothing.
                self.attribute = None;
                self.hides = Hides::Nothing;
                (self.take)(Token::End(&String::from_utf8_lossy(cut(name))));
            }
            CallbackEvent::String { value } if self.hides == Hides::Nothing => {
                (self.take)(Token::Text(&String::from_utf8_lossy(value)));
            }
            CallbackEvent::Comment { .. } => (self.take)(Token::Comment),
            CallbackEvent::String { .. }
            | CallbackEvent::Doctype { .. }
            | CallbackEvent::Error(_) => {}
        }
        None
    }

    fn end_attribute(&mut self, value: &str) {
        if let Some(name) =
            self.attribute.take().filter(|_| self.tag.attributes.len() < MOST_ATTRIBUTES)
        {
            self.tag.attributes.push((name, value.to_owned()));
        }
    }

    /// A start tag is complete. The states are those of browsers without scripts, as mail programs are.
    fn start(&mut self) -> Option<State> {
        self.end_attribute("");
        (self.take)(Token::Start(&self.tag));
        let name = self.tag.name.as_str();
        self.hides =
            if matches!(name, "script" | "style" | "title") { Hides::Text } else { Hides::Nothing };
        match name {
            "textarea" | "title" => Some(State::RcData),
            "plaintext" => Some(State::PlainText),
            "script" => Some(State::ScriptData),
            "style" | "iframe" | "xmp" | "noembed" | "noframes" => Some(State::RawText),
            _ => None,
        }
    }
}

fn cut(bytes: &[u8]) -> &[u8] {
    bytes.get(..LONGEST).unwrap_or(bytes)
}

/// Attributes of a tag; the first ones are those that count.
const MOST_ATTRIBUTES: usize = 64;
/// Bytes of a name or a value; longer links than 2,048 bytes do not work everywhere, styles are shorter.
const LONGEST: usize = 4096;
