//! What the `style` of a tag says of whether its text is seen.

use super::{colour::Colour, level::Size};

/// What matters of a style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Property {
    /// It is not displayed.
    Hidden,
    /// The size of its letters.
    Size(Size),
    /// Its colour; none if it is none that is known.
    Colour(Option<Colour>),
    /// Its background; none if it is a picture, or none that is known.
    Background(Option<Colour>),
}

/// Reads the value of a `style`.
pub(super) fn read(style: &str) -> Vec<Property> {
    let lower = style.to_ascii_lowercase();
    let declarations = || lower.split(';').take(MOST).filter_map(|each| each.split_once(':'));
    let mut found: Vec<Property> =
        declarations().filter_map(|(name, value)| property(name.trim(), value.trim())).collect();
    let says = |wanted: &str, test: &dyn Fn(&str) -> bool| {
        declarations().any(|(name, value)| name.trim() == wanted && test(important(value)))
    };
    let is_cut = says("overflow", &|value| value.starts_with("hidden"));
    let has_no_room = ["height", "max-height", "width", "max-width"]
        .iter()
        .any(|side| says(side, &|value| is_zero(value)));
    if is_cut && has_no_room {
        found.push(Property::Hidden);
    }
    found
}

fn property(name: &str, value: &str) -> Option<Property> {
    let value = important(value);
    match name {
        "display" if value == "none" => Some(Property::Hidden),
        "visibility" if matches!(value, "hidden" | "collapse") => Some(Property::Hidden),
        "opacity" if value.parse::<f32>().is_ok_and(|opacity| opacity < FAINT) => {
            Some(Property::Hidden)
        }
        "text-indent" | "left" | "top" if is_far_out(value) => Some(Property::Hidden),
        "font-size" => size(value).map(Property::Size),
        "color" => Some(Property::Colour(Colour::read(value))),
        "background-color" => Some(Property::Background(Colour::read(value))),
        "background" if value.contains("url(") || value.contains("gradient") => {
            Some(Property::Background(None))
        }
        "background" => Some(Property::Background(value.split_whitespace().find_map(Colour::read))),
        "background-image" if value != "none" => Some(Property::Background(None)),
        _ => None,
    }
}

/// Without `!important`.
fn important(value: &str) -> &str {
    value.split('!').next().unwrap_or_default().trim()
}

fn is_zero(value: &str) -> bool {
    let (number, _) = split_number(value);
    number.is_some_and(|number| number == 0.0)
}

/// Letters of a pixel or a point are not read; those relative to others mean what the others are.
fn size(value: &str) -> Option<Size> {
    let (number, unit) = split_number(value);
    let Some(number) = number else { return Some(Size::Readable) };
    match unit.trim() {
        "px" | "pt" | "" => Some(if number <= TINY { Size::Tiny } else { Size::Readable }),
        "em" | "rem" | "ex" if number <= TINY_SHARE => Some(Size::Tiny),
        "%" if number <= TINY_SHARE * 100.0 => Some(Size::Tiny),
        "em" | "ex" | "%" => None,
        _ => Some(Size::Readable),
    }
}

fn is_far_out(value: &str) -> bool {
    let (number, unit) = split_number(value);
    unit.trim() != "%" && number.is_some_and(|number| number <= FAR_OUT)
}

fn split_number(value: &str) -> (Option<f32>, &str) {
    let end = value
        .find(|character: char| !matches!(character, '0'..='9' | '.' | '-' | '+'))
        .unwrap_or(value.len());
    let (number, unit) = value.split_at_checked(end).unwrap_or((value, ""));
    (number.parse().ok(), unit)
}

/// Declarations of a style that are looked at.
const MOST: usize = 64;
/// Pixels or points of letters that nobody reads.
const TINY: f32 = 2.0;
/// Share of the usual size of letters that nobody reads.
const TINY_SHARE: f32 = 0.15;
/// Opacity that nobody sees.
const FAINT: f32 = 0.05;
/// Pixels to the left of the page, or above it.
const FAR_OUT: f32 = -900.0;
