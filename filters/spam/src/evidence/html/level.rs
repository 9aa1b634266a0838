//! What is known of the text in an element: whether it is displayed, its size, its colours.

use super::{colour::Colour, style};
use crate::links::markup::Tag;

/// An open element with what its text inherits.
#[derive(Clone, Debug)]
pub(super) struct Level {
    name: Box<str>,
    display: Display,
    size: Size,
    /// None: not known.
    colour: Option<Colour>,
    background: Option<Colour>,
}

/// Whether text is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// It is.
    Seen,
    /// It is not displayed, or too small.
    Hidden,
    /// It has the colour of its background.
    Invisible,
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

impl Level {
    /// The document: black on white until something else is said.
    pub(super) fn document() -> Self {
        let (colour, background) = (Some(Colour::BLACK), Some(Colour::WHITE));
        Self {
            name: Box::default(),
            display: Display::Shown,
            size: Size::Readable,
            colour,
            background,
        }
    }

    /// An element in this one.
    pub(super) fn inner(&self, tag: &Tag) -> Self {
        let mut inner = Self { name: tag.name().into(), ..self.clone() };
        if tag.get("hidden").is_some() {
            inner.display = Display::None;
        }
        let colour = if tag.name() == "body" { tag.get("text") } else { tag.get("color") };
        inner.colour = colour.map_or(inner.colour, Colour::read);
        inner.background = tag.get("bgcolor").map_or(inner.background, Colour::read);
        if tag.get("background").is_some() {
            inner.background = None;
        }
        for property in tag.get("style").map(style::read).unwrap_or_default() {
            match property {
                style::Property::Hidden => inner.display = Display::None,
                style::Property::Size(size) => inner.size = size,
                style::Property::Colour(colour) => inner.colour = colour,
                style::Property::Background(background) => inner.background = background,
            }
        }
        inner
    }

    /// Its colours may be others than were said.
    pub(super) fn forget_colours(&mut self) {
        (self.colour, self.background) = (None, None);
    }

    pub(super) fn is(&self, name: &str) -> bool {
        *self.name == *name
    }

    pub(super) fn sight(&self) -> Sight {
        if self.display == Display::None || self.size == Size::Tiny {
            return Sight::Hidden;
        }
        match (self.colour, self.background) {
            (Some(colour), Some(background)) if colour.is_near(background) => Sight::Invisible,
            _ => Sight::Seen,
        }
    }
}
