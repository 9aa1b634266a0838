//! Text in paragraphs: one reader for all formats, and for each a list of what its elements mean.

use crate::harvest::Harvest;
use crate::xml::{Token, Xml};

/// What the elements of a format mean, by their names without prefixes. All others are passed
/// through.
#[derive(Debug)]
pub(super) struct Dialect {
    /// Text counts inside of these alone.
    text: &'static [&'static str],
    /// The end of one ends the line.
    paragraph: &'static [&'static str],
    /// A line break in the text.
    line: &'static [&'static str],
    /// A space in the text.
    space: &'static [&'static str],
    /// What is in these is no text, or stands elsewhere once more.
    skipped: &'static [&'static str],
    /// What stands in the midst of a line and is no part of it: it follows as lines of its own.
    aside: &'static [&'static str],
}

/// Word and PowerPoint, and drawings in Excel. `rt` is how a word is spoken, `Fallback` the same
/// drawing for old programs.
pub(super) const OFFICE: Dialect = Dialect {
    text: &["t", "delText"],
    paragraph: &["p", "tc"],
    line: &["br", "cr"],
    space: &["tab", "ptab"],
    skipped: &["rt", "Fallback", "tabs"],
    aside: &["txbxContent"],
};

/// Numbers and names in charts.
pub(super) const CHART: Dialect = Dialect {
    text: &["t", "v"],
    paragraph: &["p", "pt"],
    line: &["br"],
    space: &[],
    skipped: &["Fallback"],
    aside: &[],
};

/// The texts that cells of Excel share, and its comments.
pub(super) const STRINGS: Dialect = Dialect {
    text: &["t"],
    paragraph: &["si", "comment"],
    line: &[],
    space: &[],
    skipped: &["rPh", "authors"],
    aside: &[],
};

/// Comments of newer programs.
pub(super) const COMMENTS: Dialect = Dialect {
    text: &["text", "t"],
    paragraph: &["text", "p", "cm", "threadedComment"],
    line: &["br"],
    space: &[],
    skipped: &[],
    aside: &[],
};

/// OpenDocument.
pub(super) const OPEN_DOCUMENT: Dialect = Dialect {
    text: &["p", "h"],
    paragraph: &["p", "h"],
    line: &["line-break"],
    space: &["s", "tab"],
    skipped: &["ruby-text", "note-citation", "script", "binary-data"],
    aside: &["note", "annotation", "frame", "custom-shape"],
};

/// HWPX.
pub(super) const HANCOM: Dialect = Dialect {
    text: &["t"],
    paragraph: &["p"],
    line: &["lineBreak"],
    space: &["tab", "nbSpace", "fwSpace"],
    skipped: &["subText", "script"],
    aside: &["footNote", "endNote", "header", "footer", "drawText"],
};

/// What is said about a document: title, subject, who made it.
pub(super) const PROPERTIES: Dialect = Dialect {
    text: PROPERTY,
    paragraph: PROPERTY,
    line: &[],
    space: &[],
    skipped: &[],
    aside: &[],
};

const PROPERTY: &[&str] =
    &["title", "subject", "description", "keywords", "keyword", "creator", "category"];

/// Writes the text of a document.
pub(super) fn read(document: &[u8], dialect: &Dialect, harvest: &mut Harvest<'_>) {
    let mut reading = Reading { dialect, open: Open::default(), aside: String::new() };
    let mut xml = Xml::new(document);
    while let Some(token) = xml.next(harvest) {
        match token {
            Token::Open(tag) if tag.is_empty => reading.empty(tag.name, harvest),
            Token::Open(tag) => reading.begin(tag.name, harvest),
            Token::Close(name) => reading.end(name, harvest),
            Token::Text(text) if reading.open.text > 0 && reading.open.skipped == 0 => {
                reading.push(&text.decoded(), harvest);
            }
            Token::Text(_) => {}
        }
        if !harvest.has_room() {
            return;
        }
    }
    reading.end_line(harvest);
    reading.end_aside(harvest);
}

struct Reading<'d> {
    dialect: &'d Dialect,
    open: Open,
    /// What stands aside of the line that is open.
    aside: String,
}

/// How many elements of each kind are open. Nothing else is remembered of where the reader is, so
/// that nesting costs nothing.
#[derive(Default)]
struct Open {
    text: u64,
    skipped: u64,
    aside: u64,
}

impl Reading<'_> {
    fn begin(&mut self, name: &[u8], harvest: &mut Harvest<'_>) {
        let open = &mut self.open;
        open.text += u64::from(is_one(name, self.dialect.text));
        open.skipped += u64::from(is_one(name, self.dialect.skipped));
        open.aside += u64::from(is_one(name, self.dialect.aside));
        self.mark(name, harvest);
    }

    fn end(&mut self, name: &[u8], harvest: &mut Harvest<'_>) {
        let open = &mut self.open;
        let less = |count: &mut u64, is_one: bool| *count = count.saturating_sub(u64::from(is_one));
        less(&mut open.text, is_one(name, self.dialect.text));
        less(&mut open.skipped, is_one(name, self.dialect.skipped));
        less(&mut open.aside, is_one(name, self.dialect.aside));
        if self.open.skipped == 0 && is_one(name, self.dialect.paragraph) {
            self.end_line(harvest);
        }
    }

    fn empty(&mut self, name: &[u8], harvest: &mut Harvest<'_>) {
        self.mark(name, harvest);
        if self.open.skipped == 0 && is_one(name, self.dialect.paragraph) {
            self.end_line(harvest);
        }
    }

    /// Breaks and blanks.
    fn mark(&mut self, name: &[u8], harvest: &mut Harvest<'_>) {
        if self.open.skipped > 0 {
            return;
        }
        if is_one(name, self.dialect.line) {
            self.break_line(harvest);
        } else if is_one(name, self.dialect.space) {
            self.push(" ", harvest);
        }
    }

    fn push(&mut self, text: &str, harvest: &mut Harvest<'_>) {
        // Line ends in the markup are blanks; those that are meant have elements.
        let text = text.replace(['\n', '\r'], " ");
        if self.open.aside == 0 {
            return harvest.push(&text);
        }
        let room = harvest.text_room().saturating_sub(self.aside.len());
        self.aside.push_str(text.get(..text.floor_char_boundary(room)).unwrap_or(&text));
    }

    fn break_line(&mut self, harvest: &mut Harvest<'_>) {
        match self.open.aside {
            0 => harvest.end_line(),
            _ => self.aside.push('\n'),
        }
    }

    /// The paragraph is over: what stood aside of it follows.
    fn end_line(&mut self, harvest: &mut Harvest<'_>) {
        self.break_line(harvest);
        if self.open.aside == 0 {
            self.end_aside(harvest);
        }
    }

    fn end_aside(&mut self, harvest: &mut Harvest<'_>) {
        if !self.aside.is_empty() {
            harvest.push(&std::mem::take(&mut self.aside));
            harvest.end_line();
        }
    }
}

fn is_one(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|known| known.as_bytes() == name)
}
