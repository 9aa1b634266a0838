//! Whether the text of a document is seen: whether it is displayed, and the sizes and colours that it inherits.
//!
//! Only what tags say counts. A style sheet may say anything else of colours, so that behind one they are not known; what it
//! hides counts as seen, since nobody but a browser can tell.

use super::Element;
use super::colour::Colour;
use super::elements::{AROUND_PARAGRAPHS, Name, Nesting, PARAGRAPH};
use super::style::{self, Property};

/// Whether text is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// It is, as far as tags say.
    Seen,
    /// It is not displayed, or too small.
    Hidden,
    /// It has the colour of its background.
    Invisible,
}

/// The elements that are open, and how their text looks.
pub(super) struct Page {
    document: Look,
    open: Vec<Open>,
    /// How many style sheets came.
    sheets: u32,
    /// Whether text that stands here is seen.
    sight: Sight,
}

struct Open {
    name: Name,
    look: Look,
}

impl Page {
    pub(super) const fn new() -> Self {
        Self { document: Look::DOCUMENT, open: Vec::new(), sheets: 0, sight: Sight::Seen }
    }

    /// Whether text that stands here is seen.
    pub(super) const fn sight(&self) -> Sight {
        self.sight
    }

    pub(super) fn start(&mut self, element: &Element) {
        match Nesting::of(element.name()) {
            Nesting::Open => self.open(element),
            Nesting::Ends { names, barriers } => {
                self.end_implied(names, barriers);
                self.open(element);
            }
            Nesting::Void => {}
            Nesting::Rule => self.end_implied(&PARAGRAPH, &AROUND_PARAGRAPHS),
            Nesting::Document => {
                self.document = self.document.inner(element, self.sheets);
                self.look_again();
            }
        }
        if is_style_sheet(element) {
            self.sheets = self.sheets.saturating_add(1);
            self.look_again();
        }
    }

    /// An end tag ends the innermost element of that name, and what is open in it.
    pub(super) fn end(&mut self, name: &str) {
        let name = Name::of(name);
        let near = self.open.iter().rev().take(FURTHEST);
        if let Some(depth) = near.into_iter().position(|open| open.name == name) {
            self.close(depth);
        }
    }

    fn open(&mut self, element: &Element) {
        if self.open.len() >= DEEPEST {
            return;
        }
        let mut look = self.look();
        let changes = element.may_have_looks();
        if changes {
            look = look.inner(element, self.sheets);
        }
        self.open.push(Open { name: Name::of(element.name()), look });
        if changes {
            self.look_again();
        }
    }

    /// Some elements end where another begins, without an end tag.
    fn end_implied(&mut self, names: &[Name], barriers: &[Name]) {
        let near = self.open.iter().rev().take(FURTHEST);
        let mut inside = near.take_while(|open| !barriers.contains(&open.name));
        if let Some(depth) = inside.position(|open| names.contains(&open.name)) {
            self.close(depth);
        }
    }

    /// Ends the element that is so deep below the innermost one, and what is open in it.
    fn close(&mut self, depth: usize) {
        self.open.truncate(self.open.len().saturating_sub(depth + 1));
        self.look_again();
    }

    fn look_again(&mut self) {
        self.sight = self.look().sight(self.sheets);
    }

    fn look(&self) -> Look {
        self.open.last().map_or(self.document, |open| open.look)
    }
}

fn is_style_sheet(element: &Element) -> bool {
    match element.name() {
        "style" => true,
        "link" => {
            element.attribute("rel").is_some_and(|rel| rel.eq_ignore_ascii_case("stylesheet"))
        }
        _ => false,
    }
}

/// How the text of an element looks.
#[derive(Clone, Copy)]
struct Look {
    display: Display,
    size: Size,
    /// None: not known.
    colour: Option<Colour>,
    background: Option<Colour>,
    /// How many style sheets there were when the colours were known.
    sheets: u32,
}

/// Whether an element is displayed at all. What is in one that is not, is not either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Display {
    Shown,
    None,
}

/// Whether letters can be read. An element in one with tiny letters may have large ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// It can be read.
    Readable,
    /// It cannot.
    Tiny,
}

impl Look {
    /// Black on white until something else is said.
    const DOCUMENT: Self = Self {
        display: Display::Shown,
        size: Size::Readable,
        colour: Some(Colour::BLACK),
        background: Some(Colour::WHITE),
        sheets: 0,
    };

    fn sight(self, sheets: u32) -> Sight {
        if self.display == Display::None || self.size == Size::Tiny {
            return Sight::Hidden;
        }
        match (self.colour, self.background) {
            (Some(colour), Some(background))
                if self.sheets == sheets && colour.is_near(background) =>
            {
                Sight::Invisible
            }
            _ => Sight::Seen,
        }
    }

    /// Of an element in this one. Of two attributes with one name browsers take the first.
    fn inner(mut self, element: &Element, sheets: u32) -> Self {
        let (mut colour, mut background, mut style) = (None, None, None);
        let mut has_picture = false;
        let colour_name = if element.name() == "body" { "text" } else { "color" };
        for (name, value) in element.attributes() {
            match name.as_bytes() {
                b"hidden" => self.display = Display::None,
                b"bgcolor" => background = background.or(Some(value)),
                b"background" => has_picture = true,
                b"style" => style = style.or(Some(value)),
                _ if name == colour_name => colour = colour.or(Some(value)),
                _ => {}
            }
        }
        if self.sheets != sheets {
            (self.colour, self.background, self.sheets) = (None, None, sheets);
        }
        self.colour = colour.map_or(self.colour, Colour::read);
        self.background = background.map_or(self.background, Colour::read);
        if has_picture {
            self.background = None;
        }
        if let Some(style) = style {
            style::read(style, &mut |property| self.change(property));
        }
        self
    }

    fn change(&mut self, property: Property) {
        match property {
            Property::Hidden => self.display = Display::None,
            Property::Size(size) => self.size = size,
            Property::Colour(colour) => self.colour = colour,
            Property::Background(background) => self.background = background,
        }
    }
}

/// Elements that are open at a time; within deeper ones nothing changes any more.
const DEEPEST: usize = 256;

/// Elements that are looked through for the one that ends: bounds the work for end tags of nothing.
const FURTHEST: usize = 32;
