//! Links in lines of text, as mail programs find them: words with a scheme, with `www.`, or like a name.

use super::{Place, host::is_under_known_suffix};

/// A link that a line has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found<'t> {
    pub(super) place: Place,
    /// As it is written, without a scheme if it has none.
    pub(super) written: &'t str,
}

/// The links of a line.
pub(super) fn of_line(line: &str) -> impl Iterator<Item = Found<'_>> {
    Words { rest: line }.filter_map(of_word)
}

/// The words that have a dot or a colon inside: most have none, or one that ends a sentence.
struct Words<'t> {
    /// What stands behind the last one.
    rest: &'t str,
}

impl<'t> Iterator for Words<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        loop {
            let mark = memchr::memchr2(b'.', b':', self.rest.as_bytes())?;
            let (before, behind) = self.rest.split_at_checked(mark)?;
            let inside = behind.get(1..)?;
            if inside.is_empty() || inside.starts_with([' ', '\r', '\n']) {
                self.rest = inside;
                continue;
            }
            let start = before.rfind(ends_word).map_or(0, |at| before.ceil_char_boundary(at + 1));
            let end = mark + behind.find(ends_word).unwrap_or(behind.len());
            let word = self.rest.get(start..end);
            self.rest = self.rest.get(end..)?;
            return word;
        }
    }
}

fn of_word(word: &str) -> Option<Found<'_>> {
    let word = word.get(..word.floor_char_boundary(LONGEST)).unwrap_or(word);
    if let Some(written) = with_scheme(word) {
        return Some(Found { place: Place::Text, written });
    }
    let word = trim(word.trim_start_matches(opens));
    if word.contains('@') {
        return None;
    }
    let is_www = word.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("www."));
    if is_www && (is_name(host_of(word)) || !word.is_ascii()) {
        return Some(Found { place: Place::Text, written: word });
    }
    is_bare(word).then_some(Found { place: Place::Bare, written: word })
}

/// From a scheme on. What stands in front of it may be anything: `see:http://...`.
fn with_scheme(word: &str) -> Option<&str> {
    word.match_indices(':').take(MOST_SCHEMES).find_map(|(colon, _)| {
        let (before, behind) = word.split_at_checked(colon)?;
        let start = before.rfind(|letter: char| !letter.is_ascii_alphabetic());
        let start = start.map_or(0, |at| before.ceil_char_boundary(at + 1));
        let scheme = before.get(start..)?;
        let is_known =
            ["http", "https", "ftp"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        let has_slashes = matches!(behind.as_bytes(), [b':', b'/' | b'\\', b'/' | b'\\', _, ..]);
        if is_known && has_slashes { word.get(start..).map(trim) } else { None }
    })
}

/// A name under a suffix that exists. Sentences without a blank behind their dot, and files, look like names too.
fn is_bare(word: &str) -> bool {
    let host = host_of(word);
    if !is_name(host) || host.len() > LONGEST_NAME {
        return false;
    }
    let lower = host.to_ascii_lowercase();
    let has_path = word.len() > host.len();
    let top = lower.rsplit('.').next().unwrap_or_default();
    (has_path || !FILE_ENDINGS.contains(&top)) && is_under_known_suffix(&lower)
}

fn host_of(word: &str) -> &str {
    word.split(['/', ':', '?', '#', '\\']).next().unwrap_or_default()
}

/// Labels of letters, digits and hyphens with a dot between them, the last of letters alone.
fn is_name(host: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let mut labels = host.split('.');
    let top = labels.next_back().unwrap_or_default();
    let has_more = host.len() > top.len();
    has_more
        && top.len() > 1
        && (top.bytes().all(|byte| byte.is_ascii_alphabetic()) || top.starts_with("xn--"))
        && labels.all(|label| !label.is_empty() && label.bytes().all(is_letter))
}

/// Without the punctuation of the sentence around it. A bracket that closes one of the word belongs to the word.
fn trim(word: &str) -> &str {
    let count = |brackets: [char; 2]| word.matches(brackets).count();
    let mut unopened = count([')', ']']).saturating_sub(count(['(', '[']));
    let mut word = word.trim_end_matches(ends_sentence);
    while let Some(inner) = word.strip_suffix([')', ']']).filter(|_| unopened > 0) {
        unopened -= 1;
        word = inner.trim_end_matches(ends_sentence);
    }
    word
}

fn ends_sentence(character: char) -> bool {
    matches!(character, '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '}' | '|')
}

fn opens(character: char) -> bool {
    matches!(character, '(' | '[' | '{' | '*' | '_' | '\'' | '|' | '-' | '.' | ',' | ':' | '=')
}

/// What never stands in a link in text. Quotes and brackets of East Asian writing have no blanks around them.
fn ends_word(character: char) -> bool {
    character.is_whitespace()
        || matches!(
            character,
            '<' | '>' | '"' | '\u{201c}' | '\u{201d}' | '\u{300a}'
                ..='\u{300f}' | '\u{ff08}' | '\u{ff09}'
        )
}

/// Bytes of a word that are looked at.
const LONGEST: usize = 2048;
/// Bytes of a name (RFC 1035 section 2.3.4).
const LONGEST_NAME: usize = 253;
/// Colons of a word that may end a scheme: the first ones.
const MOST_SCHEMES: usize = 4;
/// Top domains that stand in text for files far more often than for sites.
const FILE_ENDINGS: [&str; 14] =
    ["ai", "cc", "mm", "md", "mov", "pl", "pm", "ps", "py", "rs", "sh", "so", "st", "zip"];
