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
        let mut rest = text.trim_ascii_start();
        while let Some(behind) = rest.strip_prefix('\u{a0}') {
            rest = behind.trim_ascii_start();
        }
        self.has_space |= rest.len() < text.len();
        rest
    }
}

/// The length of the words at the beginning of a text that stand as they are written: one blank between each other, and none
/// behind the last. Many bytes at a time where there is no other white space.
fn run_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let (next_blocks, _) = bytes.get(1..).unwrap_or_default().as_chunks::<BLOCK>();
    let is_plain = |(block, next): &(&[u8; BLOCK], &[u8; BLOCK])| {
        let pairs = block.iter().zip(*next);
        let is_word = |one: u8, next: u8| {
            (one > b' ') & (one != UNBROKEN[0])
                | (one == b' ') & (next > b' ') & (next != UNBROKEN[0])
        };
        pairs.fold(true, |all, (&one, &next)| all & is_word(one, next))
    };
    let plain = blocks.iter().zip(next_blocks).take_while(is_plain).count() * BLOCK;
    let rest = bytes.get(plain..).unwrap_or_default();
    let is_blank = |at: usize| match rest.get(at) {
        Some(&byte) if byte == UNBROKEN[0] => rest.get(at + 1) == Some(&UNBROKEN[1]),
        next => next.is_none_or(u8::is_ascii_whitespace),
    };
    let is_end = |(at, &byte): (usize, &u8)| {
        (byte <= b' ' || byte == UNBROKEN[0]) && is_blank(at) && (byte != b' ' || is_blank(at + 1))
    };
    plain + rest.iter().enumerate().position(is_end).unwrap_or(rest.len())
}

/// Bytes that are looked at together.
const BLOCK: usize = 16;

/// U+00A0 in UTF-8.
const UNBROKEN: [u8; 2] = [0xc2, 0xa0];
