//! Colours of tags and styles.

/// Red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colour(u8, u8, u8);

impl Colour {
    pub(super) const BLACK: Self = Self(0, 0, 0);
    pub(super) const WHITE: Self = Self(255, 255, 255);

    /// `#ffffff`, `ffffff`, `#fff`, `rgb(255, 255, 255)`, or one of the basic names. None of others, such as
    /// `transparent`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some((_, parts)) = text.split_once('(').filter(|(name, _)| is_function(name.trim()))
        {
            return functional(parts);
        }
        let digits = text.strip_prefix('#').unwrap_or(text);
        hex(digits).or_else(|| named(text))
    }

    /// Whether letters of one colour on the other are not seen.
    pub(super) fn is_near(self, other: Self) -> bool {
        let near = |one: u8, other: u8| one.abs_diff(other) <= NEAR;
        near(self.0, other.0) && near(self.1, other.1) && near(self.2, other.2)
    }
}

fn is_function(name: &str) -> bool {
    ["rgb", "rgba"].iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// What stands in the brackets of `rgb(...)`. What can be seen through is not known.
fn functional(parts: &str) -> Option<Colour> {
    let mut numbers =
        parts.trim_end_matches(')').split([',', ' ', '/']).filter(|part| !part.is_empty());
    let mut next = || numbers.next()?.parse::<u8>().ok();
    let colour = Colour(next()?, next()?, next()?);
    let is_opaque =
        numbers.next().is_none_or(|alpha| alpha.parse::<f32>().is_ok_and(|alpha| alpha >= 1.0));
    is_opaque.then_some(colour)
}

fn hex(digits: &str) -> Option<Colour> {
    let value = |at: usize, width: usize| u8::from_str_radix(digits.get(at..at + width)?, 16).ok();
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    match digits.len() {
        6 => Some(Colour(value(0, 2)?, value(2, 2)?, value(4, 2)?)),
        3 => Some(Colour(value(0, 1)? * 17, value(1, 1)? * 17, value(2, 1)? * 17)),
        _ => None,
    }
}

fn named(name: &str) -> Option<Colour> {
    NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, colour)| *colour)
}

/// How much each of the three may differ.
const NEAR: u8 = 12;

const NAMES: [(&str, Colour); 20] = [
    ("black", Colour::BLACK),
    ("white", Colour::WHITE),
    ("silver", Colour(192, 192, 192)),
    ("gray", Colour(128, 128, 128)),
    ("grey", Colour(128, 128, 128)),
    ("lightgrey", Colour(211, 211, 211)),
    ("whitesmoke", Colour(245, 245, 245)),
    ("snow", Colour(255, 250, 250)),
    ("ivory", Colour(255, 255, 240)),
    ("maroon", Colour(128, 0, 0)),
    ("red", Colour(255, 0, 0)),
    ("purple", Colour(128, 0, 128)),
    ("green", Colour(0, 128, 0)),
    ("lime", Colour(0, 255, 0)),
    ("olive", Colour(128, 128, 0)),
    ("yellow", Colour(255, 255, 0)),
    ("navy", Colour(0, 0, 128)),
    ("blue", Colour(0, 0, 255)),
    ("teal", Colour(0, 128, 128)),
    ("aqua", Colour(0, 255, 255)),
];
