//! What the `style` of an element says of whether its text is seen (CSS: display, visibility, sizes, places, colours).

use super::colour::Colour;
use super::sight::Size;

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
pub(super) fn read(style: &str, tell: &mut dyn FnMut(Property)) {
    let mut room = Room::default();
    for declaration in style.split(';').take(MOST) {
        let Some((name, value)) = declaration.split_once(':') else { continue };
        let mut lower = [0; LONGEST_NAME];
        let Some(name) = lower_case(name.trim(), &mut lower) else { continue };
        let value = important(value);
        if let Some(property) = property(name, value) {
            tell(property);
        }
        room.declare(name, value);
    }
    if room == Room::NoneAndCut {
        tell(Property::Hidden);
    }
}

fn property(name: &[u8], value: &str) -> Option<Property> {
    let is = |wanted: &str| value.eq_ignore_ascii_case(wanted);
    let has = |part: &str| value.to_ascii_lowercase().contains(part);
    match name {
        b"display" if is("none") => Some(Property::Hidden),
        b"visibility" if is("hidden") || is("collapse") => Some(Property::Hidden),
        b"mso-hide" if is("all") => Some(Property::Hidden),
        b"opacity" if is_faint(value) => Some(Property::Hidden),
        b"text-indent" | b"left" | b"top" if is_far_out(value) => Some(Property::Hidden),
        b"font-size" => size(value).map(Property::Size),
        b"color" => Some(Property::Colour(Colour::read(value))),
        b"background-color" => Some(Property::Background(Colour::read(value))),
        b"background" if has("url(") || has("gradient") => Some(Property::Background(None)),
        b"background" => {
            Some(Property::Background(value.split_whitespace().find_map(Colour::read)))
        }
        b"background-image" if !is("none") => Some(Property::Background(None)),
        _ => None,
    }
}

/// Whether there is room for the text of an element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Room {
    /// As much as it needs, as far as is said.
    #[default]
    Enough,
    /// There is none, and text may stand beyond it.
    None,
    /// What has no room is cut.
    Cut,
    /// There is none, and what has no room is cut.
    NoneAndCut,
}

impl Room {
    fn declare(&mut self, name: &[u8], value: &str) {
        let has_none = matches!(name, b"height" | b"max-height" | b"width" | b"max-width")
            && split_number(value).0 == Some(0.0);
        let hidden = "hidden";
        let cuts = name == b"overflow"
            && value.get(..hidden.len()).is_some_and(|start| start.eq_ignore_ascii_case(hidden));
        *self = match (*self, has_none, cuts) {
            (Self::Enough, true, _) => Self::None,
            (Self::Enough, _, true) => Self::Cut,
            (Self::None, _, true) | (Self::Cut, true, _) => Self::NoneAndCut,
            (other, ..) => other,
        };
    }
}

/// Without `!important`.
fn important(value: &str) -> &str {
    value.split('!').next().unwrap_or_default().trim()
}

/// None for what is longer than any name that matters.
fn lower_case<'l>(name: &str, lower: &'l mut [u8; LONGEST_NAME]) -> Option<&'l [u8]> {
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name.as_bytes());
    lower.make_ascii_lowercase();
    Some(lower)
}

/// Letters of a pixel or a point are not read; those relative to others mean what the others are.
fn size(value: &str) -> Option<Size> {
    let (number, unit) = split_number(value);
    let Some(number) = number else { return Some(Size::Readable) };
    let is = |wanted: &str| unit.trim().eq_ignore_ascii_case(wanted);
    let of = |most: f32| if number <= most { Size::Tiny } else { Size::Readable };
    match () {
        () if number == 0.0 => Some(Size::Tiny),
        () if is("px") || is("pt") || is("") => Some(of(TINY)),
        () if is("rem") => Some(of(TINY_SHARE)),
        () if is("em") || is("ex") => Some(of(TINY_SHARE)).filter(|size| *size == Size::Tiny),
        () if is("%") => Some(of(TINY_SHARE * 100.0)).filter(|size| *size == Size::Tiny),
        () => Some(Size::Readable),
    }
}

fn is_faint(value: &str) -> bool {
    let (number, unit) = split_number(value);
    let whole = if unit.trim() == "%" { 100.0 } else { 1.0 };
    number.is_some_and(|number| number < FAINT * whole)
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

/// Bytes of `background-color`.
const LONGEST_NAME: usize = 16;

/// Pixels or points of letters that nobody reads.
const TINY: f32 = 2.0;

/// Share of the usual size of letters that nobody reads.
const TINY_SHARE: f32 = 0.15;

/// Opacity that nobody sees.
const FAINT: f32 = 0.05;

/// Pixels to the left of the page, or above it.
const FAR_OUT: f32 = -900.0;
