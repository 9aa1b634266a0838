//! Tricks of HTML: text that nobody sees, words that only filters see broken, and what mail has no use for.
//!
//! Newsletters hide a line or two for previews, and parts for small screens: only much hidden text counts. Colours
//! are judged only where tags say them; what a style sheet says of them is not known, and is no evidence.

mod colour;
mod elements;
mod level;
mod style;
mod words;

use level::{Level, Sight};
use words::Words;

use crate::{
    links::markup::{Tag, Token},
    symbols::{Finding, Symbol},
};

/// What an HTML part shows, from its tokens.
#[derive(Debug)]
pub struct HtmlEvidence {
    /// The elements that are open; the first one is the document.
    open: Vec<Level>,
    words: Words,
    /// Letters and digits that are seen, hidden, and of the colour of their background.
    seen: usize,
    hidden: usize,
    invisible: usize,
    pictures: usize,
    tricks: Vec<(Symbol, Box<str>)>,
}

impl Default for HtmlEvidence {
    fn default() -> Self {
        Self {
            open: vec![Level::document()],
            words: Words::default(),
            seen: 0,
            hidden: 0,
            invisible: 0,
            pictures: 0,
            tricks: Vec::new(),
        }
    }
}

impl HtmlEvidence {
    /// Takes the next token.
    pub fn token(&mut self, token: &Token<'_>) {
        match token {
            Token::Start(tag) => self.start(tag),
            Token::End(name) => self.end(name),
            Token::Text(text) => self.text(text),
            Token::Comment => self.words.unseen(),
        }
    }

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

    fn start(&mut self, tag: &Tag) {
        self.tricks_of(tag);
        match tag.name() {
            "img" if is_remote_picture(tag) => self.pictures += 1,
            // What a style sheet says of colours is not known here.
            "style" => self.open.iter_mut().for_each(Level::forget_colours),
            "link" if tag.get("rel").is_some_and(|rel| rel.eq_ignore_ascii_case("stylesheet")) => {
                self.open.iter_mut().for_each(Level::forget_colours);
            }
            _ => {}
        }
        self.words.tag(tag.name());
        self.end_implied(tag.name());
        if !elements::is_void(tag.name()) && self.open.len() < DEEPEST {
            let inner = self.open.last().map(|outer| outer.inner(tag));
            self.open.extend(inner);
        } else if let ("body", Some(document)) = (tag.name(), self.open.first_mut()) {
            // There is one body; a second tag changes what it says and ends nothing.
            *document = document.inner(tag);
        }
    }

    /// An end tag ends the innermost element of that name, and what is open in it.
    fn end(&mut self, name: &str) {
        self.words.end_tag(name);
        let near = self.open.iter().enumerate().skip(1).rev().take(FURTHEST);
        let found = near.filter(|(_, level)| level.is(name)).map(|(at, _)| at).next();
        if let Some(at) = found {
            self.open.truncate(at);
        }
    }

    /// Some elements end where another begins, without an end tag.
    fn end_implied(&mut self, name: &str) {
        let (ended, barriers) = elements::ended_by(name);
        let near = self.open.iter().enumerate().skip(1).rev().take(FURTHEST);
        let mut inside =
            near.take_while(|(_, level)| !barriers.iter().any(|barrier| level.is(barrier)));
        let at =
            inside.find(|(_, level)| ended.iter().any(|ended| level.is(ended))).map(|(at, _)| at);
        if let Some(at) = at {
            self.open.truncate(at);
        }
    }

    fn text(&mut self, text: &str) {
        let sight = self.open.last().map_or(Sight::Seen, Level::sight);
        let letters = text.chars().filter(|character| character.is_alphanumeric()).count();
        match sight {
            Sight::Seen => self.seen = self.seen.saturating_add(letters),
            Sight::Hidden => self.hidden = self.hidden.saturating_add(letters),
            Sight::Invisible => self.invisible = self.invisible.saturating_add(letters),
        }
        match sight {
            Sight::Seen => self.words.text(text),
            Sight::Hidden | Sight::Invisible if letters > 0 => self.words.unseen(),
            Sight::Hidden | Sight::Invisible => {}
        }
    }

    fn tricks_of(&mut self, tag: &Tag) {
        let is = |attribute: &str, value: &str| {
            tag.get(attribute).is_some_and(|found| found.trim().eq_ignore_ascii_case(value))
        };
        match tag.name() {
            "form" => self.trick(Symbol::HtmlForm, tag.get("action").unwrap_or_default()),
            "input" if is("type", "password") => {
                self.trick(Symbol::HtmlFormPassword, tag.get("name").unwrap_or_default())
            }
            // What shops tell the programs of their customers about orders is no script (JSON-LD).
            "script" if tag.get("type").is_some_and(|kind| kind.contains("json")) => {}
            "script" => self.trick(Symbol::HtmlScript, tag.get("src").unwrap_or_default()),
            "meta"
                if is("http-equiv", "refresh")
                    && tag.get("content").is_some_and(|content| content.contains('=')) =>
            {
                self.trick(Symbol::HtmlRefresh, tag.get("content").unwrap_or_default());
            }
            name @ ("iframe" | "frame" | "object" | "embed" | "applet") => {
                self.trick(Symbol::HtmlEmbeds, name)
            }
            _ => {}
        }
        if let Some(name) = tag.attributes().find(|name| elements::is_handler(name)) {
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

/// Pictures that are fetched and can be seen: neither attached ones nor the dots that tell who reads.
fn is_remote_picture(tag: &Tag) -> bool {
    let is_dot = |name: &str| {
        tag.get(name)
            .and_then(|size| size.trim().trim_end_matches("px").parse::<u32>().ok())
            .is_some_and(|size| size <= DOT)
    };
    let src = tag.get("src").unwrap_or_default().trim_start();
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
/// Elements that are open at a time; within deeper ones nothing changes any more.
const DEEPEST: usize = 256;
/// Elements that are looked through for the one that ends: bounds the work for end tags of nothing.
const FURTHEST: usize = 32;
/// Width or height of a picture that nobody is meant to see.
const DOT: u32 = 3;
