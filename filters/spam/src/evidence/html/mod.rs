//! Tricks of HTML: text that nobody sees, words that only filters see broken, and what mail has no use for.
//!
//! Newsletters hide a line or two for previews, and parts for small screens: only much hidden text counts. Colours
//! are judged only where tags say them; what a style sheet says of them is not known, and is no evidence.

mod count;
mod words;

use count::count;
use words::Words;

use crate::{
    reading::{Element, Listener, Run, Sight},
    symbols::{Finding, Symbol},
};

/// What an HTML part shows. Listens to one part.
#[derive(Debug, Default)]
pub struct HtmlEvidence {
    words: Words,
    /// Letters and digits that are seen, hidden, and of the colour of their background.
    seen: usize,
    hidden: usize,
    invisible: usize,
    pictures: usize,
    tricks: Vec<(Symbol, Box<str>)>,
}

impl HtmlEvidence {
    /// What was found in the part, which is over.
    #[must_use]
    pub fn findings(self) -> Vec<Finding> {
        let mut found: Vec<Finding> =
            self.tricks.iter().map(|(symbol, evidence)| Finding::new(*symbol, evidence)).collect();
        if self.hidden >= MUCH_HIDDEN && self.hidden.saturating_mul(2) >= self.seen {
            let shown = format!("{} letters hidden, {} seen", self.hidden, self.seen);
            found.push(Finding::new(Symbol::HtmlHiddenText, &shown));
        }
        if self.invisible >= MUCH_INVISIBLE && self.invisible.saturating_mul(10) >= self.seen {
            let shown = format!(
                "{} letters in the colour of their background, {} seen",
                self.invisible, self.seen
            );
            found.push(Finding::new(Symbol::HtmlInvisibleColour, &shown));
        }
        if let Some(broken) = self.words.broken() {
            found.push(Finding::new(Symbol::HtmlBrokenWords, &format!("{broken} words")));
        }
        if self.pictures > 0 && self.seen < LITTLE_TEXT {
            let symbol =
                if self.seen < NO_TEXT { Symbol::HtmlOnlyImage } else { Symbol::HtmlMostlyImage };
            let shown = format!("{} pictures and {} letters", self.pictures, self.seen);
            found.push(Finding::new(symbol, &shown));
        }
        found
    }

    fn tricks_of(&mut self, tag: &Element) {
        let is = |attribute: &str, value: &str| {
            tag.attribute(attribute).is_some_and(|found| found.trim().eq_ignore_ascii_case(value))
        };
        match tag.name() {
            "form" => self.trick(Symbol::HtmlForm, tag.attribute("action").unwrap_or_default()),
            "input" if is("type", "password") => {
                self.trick(Symbol::HtmlFormPassword, tag.attribute("name").unwrap_or_default())
            }
            // What shops tell the programs of their customers about orders is no script (JSON-LD).
            "script" if tag.attribute("type").is_some_and(|kind| kind.contains("json")) => {}
            "script" => self.trick(Symbol::HtmlScript, tag.attribute("src").unwrap_or_default()),
            "meta"
                if is("http-equiv", "refresh")
                    && tag.attribute("content").is_some_and(|content| content.contains('=')) =>
            {
                self.trick(Symbol::HtmlRefresh, tag.attribute("content").unwrap_or_default());
            }
            name @ ("iframe" | "frame" | "object" | "embed" | "applet") => {
                self.trick(Symbol::HtmlEmbeds, name)
            }
            _ => {}
        }
        if let Some((name, _)) = tag.attributes().find(|(name, _)| is_handler(name)) {
            self.trick(Symbol::HtmlScript, name);
        }
    }

    /// Each once.
    fn trick(&mut self, symbol: Symbol, evidence: &str) {
        if !self.tricks.iter().any(|(known, _)| *known == symbol) {
            self.tricks.push((symbol, evidence.into()));
        }
    }
}

impl Listener for HtmlEvidence {
    fn element(&mut self, element: &Element) {
        self.tricks_of(element);
        if element.name() == "img" && is_remote_picture(element) {
            self.pictures += 1;
        }
        self.words.tag(element.name());
    }

    fn end_element(&mut self, name: &str) {
        self.words.end_tag(name);
    }

    fn run(&mut self, run: &Run<'_>) {
        let letters = letters(run.text);
        match run.sight {
            Sight::Seen => self.seen = self.seen.saturating_add(letters),
            Sight::Hidden => self.hidden = self.hidden.saturating_add(letters),
            Sight::Invisible => self.invisible = self.invisible.saturating_add(letters),
        }
        match run.sight {
            Sight::Seen => self.words.text(run.text),
            Sight::Hidden | Sight::Invisible if letters > 0 => self.words.unseen(),
            Sight::Hidden | Sight::Invisible => {}
        }
    }

    fn comment(&mut self, _: &str) {
        self.words.unseen();
    }
}

/// How many letters and digits a text has.
fn letters(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_letter =
        |byte: u8, _| ((byte | 0x20).wrapping_sub(b'a') < 26) | (byte.wrapping_sub(b'0') < 10);
    let ascii = count(bytes, bytes, is_letter);
    if text.is_ascii() {
        return ascii;
    }
    ascii + text.chars().filter(|letter| !letter.is_ascii() && letter.is_alphanumeric()).count()
}

/// Attributes that hold scripts: `onload`, `onclick` and their kin.
fn is_handler(attribute: &str) -> bool {
    attribute
        .strip_prefix("on")
        .is_some_and(|event| HANDLERS.iter().any(|known| event.starts_with(known)))
}

/// Pictures that are fetched and can be seen: neither attached ones nor the dots that tell who reads.
fn is_remote_picture(tag: &Element) -> bool {
    let is_dot = |name: &str| {
        tag.attribute(name)
            .and_then(|size| size.trim().trim_end_matches("px").parse::<u32>().ok())
            .is_some_and(|size| size <= DOT)
    };
    let src = tag.attribute("src").unwrap_or_default().trim_start();
    let is_remote = src.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http"))
        || src.starts_with("//");
    is_remote && !is_dot("width") && !is_dot("height")
}

/// Letters: previews hide up to some 150, and are not half of a mail.
const MUCH_HIDDEN: usize = 300;
/// Letters in the colour of their background: a line for previews, of mails that have little else. In mails of usual
/// length a tenth is more than such a line.
const MUCH_INVISIBLE: usize = 60;
/// Letters beside pictures: a link for leaving a list, and an address.
const LITTLE_TEXT: usize = 300;
/// Letters beside a picture that say nothing.
const NO_TEXT: usize = 50;
/// Width or height of a picture that nobody is meant to see.
const DOT: u32 = 3;
/// What the events begin with whose scripts stand in attributes.
const HANDLERS: [&str; 12] = [
    "load", "unload", "click", "dblclick", "mouse", "key", "error", "focus", "blur", "submit",
    "change", "pointer",
];
