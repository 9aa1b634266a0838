//! Text in braces, and lists whose items may have some (Postfix's `mystrtokq` and `extpar`).

/// The items of a list: white space and commas divide, except inside braces.
pub(super) struct Items<'t> {
    rest: &'t str,
}

impl<'t> Items<'t> {
    pub(super) fn of(list: &'t str) -> Self {
        Self { rest: list }
    }
}

impl<'t> Iterator for Items<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        self.rest = self.rest.trim_start_matches(divides);
        let mut depth = 0_usize;
        let end = self.rest.find(|c| match c {
            '{' => {
                depth += 1;
                false
            }
            '}' => {
                depth = depth.saturating_sub(1);
                false
            }
            _ => depth == 0 && divides(c),
        });
        let (item, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        (!item.is_empty()).then_some(item)
    }
}

/// What stands in the braces that `text` is in.
pub(super) fn inside(text: &str) -> Result<&str, String> {
    if !text.starts_with('{') {
        return Err(format!("no '{{' at start of text in \"{text}\""));
    }
    match balanced(text) {
        None => Err(format!("missing '}}' in \"{text}\"")),
        Some(end) if end < text.len() => Err(format!("syntax error after '}}' in \"{text}\"")),
        Some(end) => Ok(&text[1..end - 1]),
    }
}

/// Where the brace that opens `text` is closed: behind the `}`.
fn balanced(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let braces = text.bytes().enumerate().filter(|(_, byte)| matches!(byte, b'{' | b'}'));
    for (at, byte) in braces {
        depth = if byte == b'{' { depth + 1 } else { depth.checked_sub(1)? };
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// The space that Postfix strips and divides at.
pub(super) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

fn divides(c: char) -> bool {
    matches!(c, ',' | ' ' | '\t' | '\n' | '\r')
}
