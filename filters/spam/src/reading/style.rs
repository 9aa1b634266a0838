//! What a style says of whether text is seen.

use super::Element;

/// Whether the mail itself says of an element that nobody is to see its text.
pub(super) fn hides(element: &Element) -> bool {
    element.attributes().any(|(name, value)| match name {
        "hidden" => true,
        "style" => is_hiding(value),
        _ => false,
    })
}

/// Whether one of the declarations of a style takes the text from sight (CSS: display, visibility, opacity, font-size).
fn is_hiding(style: &str) -> bool {
    style.split(';').any(|declaration| {
        // Most properties have nothing to do with it.
        let first = declaration.trim_ascii_start().as_bytes().first().map(u8::to_ascii_lowercase);
        let may_hide = first.is_some_and(|first| b"dfmov".contains(&first) || !first.is_ascii());
        may_hide
            && declaration
                .split_once(':')
                .is_some_and(|(property, value)| does_hide(property.trim(), value.trim()))
    })
}

fn does_hide(property: &str, value: &str) -> bool {
    let value = match value.contains('!') {
        true => value.trim_end_matches("!important").trim_end(),
        false => value,
    };
    let is = |wanted: &str| value.eq_ignore_ascii_case(wanted);
    match () {
        () if property.eq_ignore_ascii_case("display") => is("none"),
        () if property.eq_ignore_ascii_case("visibility") => is("hidden") || is("collapse"),
        () if property.eq_ignore_ascii_case("mso-hide") => is("all"),
        () if property.eq_ignore_ascii_case("opacity") => is_nothing(value),
        () if property.eq_ignore_ascii_case("font-size") => is_nothing(value),
        () => false,
    }
}

/// Zero, of whatever unit.
fn is_nothing(value: &str) -> bool {
    let number = value.trim_end_matches(|unit: char| unit.is_ascii_alphabetic() || unit == '%');
    number.parse::<f32>().is_ok_and(|number| number == 0.0)
}
