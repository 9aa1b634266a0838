//! A line of HTML: its words, with one blank for all white space in a row, as browsers show it.

/// A line that is being written.
#[derive(Default)]
pub(super) struct Line {
    pub(super) text: String,
    /// A blank stands before the next word.
    pub(super) has_space: bool,
}

impl Line {
    /// Appends text, with one blank for all white space in a row. A blank that does not break is a blank in the form of
    /// `visible`; that it is one already spares most lines of HTML the search for that form.
    pub(super) fn extend(&mut self, text: &str) {
        if memchr::memchr(UNBROKEN[1], text.as_bytes()).is_none() {
            return self.extend_words(text);
        }
        for (place, text) in text.split('\u{a0}').enumerate() {
            self.has_space |= place > 0;
            self.extend_words(text);
        }
    }

    fn extend_words(&mut self, text: &str) {
        let mut rest = self.skip_blanks(text);
        while !rest.is_empty() {
            if self.has_space && !self.text.is_empty() {
                self.text.push(' ');
            }
            self.has_space = false;
            let (words, behind) = rest.split_at_checked(run_length(rest)).unwrap_or((rest, ""));
            self.text.push_str(words);
            rest = self.skip_blanks(behind);
        }
    }

    /// What stands behind the white space at the beginning of a text.
    fn skip_blanks<'t>(&mut self, text: &'t str) -> &'t str {
        let rest = text.trim_ascii_start();
        self.has_space |= rest.len() < text.len();
        rest
    }
}

/// The length of the words at the beginning of a text that stand as they are written: one blank between each other, and none
/// behind the last.
fn run_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_end = |(at, byte): (usize, &u8)| {
        byte.is_ascii_whitespace()
            && (*byte != b' ' || bytes.get(at + 1).is_none_or(u8::is_ascii_whitespace))
    };
    bytes.iter().enumerate().position(is_end).unwrap_or(bytes.len())
}

/// U+00A0 in UTF-8.
const UNBROKEN: [u8; 2] = [0xc2, 0xa0];
