//! Which characters of foreign text must not reach a person's screen as they are.

/// Whether a character can break a line, command a terminal, hide, or change the direction of the
/// text around it: controls (C0, DEL, C1), line and paragraph separators, direction marks and
/// overrides, and characters without width (`attacks.md` H13).
pub(crate) fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}
