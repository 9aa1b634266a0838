//! Which characters of foreign text must not reach a person's screen as they are.

/// Whether a character can break a line, command a terminal, hide, or change the direction of the
/// text around it: controls (C0, DEL, C1), line and paragraph separators, direction marks and
/// overrides (UAX #9), and characters without width (`attacks.md` H13).
#[must_use]
pub fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}

/// Foreign text on one line, of at most `limit` characters, without anything harmful.
#[must_use]
pub fn one_line(text: &str, limit: usize) -> String {
    let clean = |c: char| if is_harmful(c) { '?' } else { c };
    let words: Vec<_> = text.split([' ', '\t', '\r', '\n']).filter(|w| !w.is_empty()).collect();
    let mut line: String = words.join(" ").chars().map(clean).collect();
    if let Some((end, _)) = line.char_indices().nth(limit) {
        line.truncate(end);
        line.push_str(" [...]");
    }
    line
}
