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
        let is_space = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
        self.has_space |= is_space(text.as_bytes().first());
        for word in text.split_ascii_whitespace() {
            if std::mem::replace(&mut self.has_space, true) && !self.text.is_empty() {
                self.text.push(' ');
            }
            self.text.push_str(word);
        }
        if !text.is_empty() {
            self.has_space = is_space(text.as_bytes().last());
        }
    }
}

/// U+00A0 in UTF-8.
const UNBROKEN: [u8; 2] = [0xc2, 0xa0];
