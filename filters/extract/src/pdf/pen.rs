//! What stands between two texts: nothing, a blank, or the end of a line. PDF says where texts stand,
//! and nothing of words and lines.

use super::matrix::length;
use crate::harvest::Harvest;

/// Where the last text ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pen {
    last: Option<Place>,
}

/// Where a text begins or ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// On the page.
    pub(super) at: (f64, f64),
    /// Which way the text runs.
    pub(super) way: (f64, f64),
    /// How large it is.
    pub(super) size: f64,
}

/// What stands between two texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    None,
    Blank,
    Line,
}

impl Pen {
    /// A text that begins with this character begins here: writes what stands in between.
    pub(super) fn begin(&self, first: char, place: Place, harvest: &mut Harvest<'_>) {
        let (Some(before), Some(last)) = (self.last, harvest.last_char()) else { return };
        match gap(before, place, last, first) {
            Gap::None => {}
            Gap::Blank if last == ' ' || first == ' ' => {}
            Gap::Blank => harvest.push(" "),
            Gap::Line => harvest.end_line(),
        }
    }

    /// A text ended here.
    pub(super) fn end(&mut self, place: Place) {
        self.last = Some(place);
    }
}

/// The words that a hyphen breaks at the end of a line, each as a whole: `manip-` and `ulation`. Nobody
/// can tell such a hyphen from one that is written, so the halves stay where they are.
pub(super) fn broken_words(page: &str) -> Vec<String> {
    let is_letter = |letter: Option<char>| letter.is_some_and(char::is_lowercase);
    let mut words = Vec::new();
    for (line, next) in page.lines().zip(page.lines().skip(1)) {
        let Some(head) = line.strip_suffix(['-', '\u{2010}']) else { continue };
        let head = head.rsplit(char::is_whitespace).next().unwrap_or_default();
        let tail = next.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
        if is_letter(head.chars().next_back()) && is_letter(tail.chars().next()) {
            words.push(format!("{head}{tail}"));
        }
    }
    words
}

fn gap(before: Place, place: Place, last: char, first: char) -> Gap {
    let size = before.size.max(place.size);
    let step = length(place.way);
    let (x, y) = (place.at.0 - before.at.0, place.at.1 - before.at.1);
    let along = (x * place.way.0 + y * place.way.1) / step;
    let across = (x * place.way.1 - y * place.way.0).abs() / step;
    let is_known = along.is_finite() && across.is_finite() && size > 0.0;
    // Characters of East Asia fill their squares: a word goes on in the next line as it is, and
    // blanks between them are characters of their own.
    let is_dense = is_wide(last) && is_wide(first);
    match () {
        () if !is_known => Gap::Blank,
        () if last == '\u{ad}' => Gap::None,
        () if across > size * NEXT_LINE => {
            let goes_on = is_dense && across < size * FAR_LINE && before.size == place.size;
            if goes_on { Gap::None } else { Gap::Line }
        }
        () if along < -size * BACK => Gap::Line,
        () if along > size * if is_dense { WIDE_BLANK } else { BLANK } => Gap::Blank,
        () => Gap::None,
    }
}

/// Han, Kana, Hangul.
fn is_wide(character: char) -> bool {
    matches!(character, '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{9fff}' | '\u{a960}'..='\u{a97f}'
        | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}'
        | '\u{20000}'..='\u{3ffff}')
}

// All in sizes of the font.
/// Footnote marks are nearer than this.
const NEXT_LINE: f64 = 0.6;
const FAR_LINE: f64 = 2.2;
const BACK: f64 = 0.6;
const BLANK: f64 = 0.15;
const WIDE_BLANK: f64 = 0.9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_a_line_breaks_are_there_as_a_whole() {
        let page =
            "for the manip-\nulation, a well-\nknown\n1994-\nto A-\nb\nl'inté-\nrêt - \nx -\ny";
        assert_eq!(broken_words(page), ["manipulation", "wellknown", "l'intérêt"]);
        assert!(broken_words("").is_empty());
    }

    fn between(last: char, first: char, x: f64, y: f64) -> Gap {
        let place = |at| Place { at, way: (1.0, 0.0), size: 10.0 };
        gap(place((100.0, 100.0)), place((100.0 + x, 100.0 + y)), last, first)
    }

    #[test]
    fn words_and_lines_are_told_by_where_they_stand() {
        assert_eq!(between('a', 'b', 0.5, 0.0), Gap::None);
        assert_eq!(between('a', 'b', 2.5, 0.0), Gap::Blank);
        assert_eq!(between('a', '2', 0.0, 4.0), Gap::None);
        assert_eq!(between('a', 'b', -80.0, -12.0), Gap::Line);
        assert_eq!(between('a', 'b', -50.0, 0.0), Gap::Line);
        assert_eq!(between('見', '積', 3.0, 0.0), Gap::None);
        assert_eq!(between('見', '積', 12.0, 0.0), Gap::Blank);
        assert_eq!(between('견', '적', -80.0, -15.0), Gap::None);
        assert_eq!(between('견', '적', -80.0, -40.0), Gap::Line);
        assert_eq!(between('\u{ad}', 'b', -80.0, -12.0), Gap::None);
        assert_eq!(between('a', 'b', f64::NAN, 0.0), Gap::Blank);
    }
}
