//! Foreign text as people may see it: on one line, bounded, nothing hidden in it, no link that works.
//!
//! Pages need the same. What comes out is text, not HTML.

use unicode_normalization::char::is_combining_mark;

/// Text on one line, of at most `limit` characters. White space and line ends become one space. What is
/// not seen is left out; controls, and what turns the direction of the text around it, become `�`.
#[must_use]
pub fn line(text: &str, limit: usize) -> String {
    let mut shown = String::new();
    let (mut count, mut marks) = (0, 0);
    for c in text.chars() {
        let c = match seen(c) {
            Seen::Space if shown.is_empty() || shown.ends_with(' ') => continue,
            Seen::Space => ' ',
            Seen::Nothing => continue,
            Seen::Warning => char::REPLACEMENT_CHARACTER,
            Seen::Itself => c,
        };
        // A tower of marks would cover the lines above it.
        marks = if is_combining_mark(c) { marks + 1 } else { 0 };
        if marks > MOST_MARKS {
            continue;
        }
        if count == limit {
            let end = shown.trim_end().len();
            shown.truncate(end);
            shown.push('…');
            return shown;
        }
        shown.push(c);
        count += 1;
    }
    shown.truncate(shown.trim_end().len());
    shown
}

/// What is said in several lines: each of them as [`line()`] gives it, empty ones at most one at a time,
/// and at most `lines` of them with `limit` characters in all. Whether something is missing comes second.
#[must_use]
pub fn lines(text: &str, lines: usize, limit: usize) -> (Vec<String>, bool) {
    let mut shown: Vec<String> = Vec::new();
    let mut left = limit;
    for one in text.lines() {
        let one = line(one, left);
        if one.is_empty() && shown.last().is_none_or(String::is_empty) {
            continue;
        }
        if shown.len() == lines || left == 0 {
            return (trimmed(shown), true);
        }
        left = left.saturating_sub(one.chars().count());
        shown.push(one);
    }
    (trimmed(shown), left == 0)
}

/// A name on one line: as [`line()`], and no address of a page. A single dot stays, as in the name of a file.
#[must_use]
pub fn name(text: &str, limit: usize) -> String {
    let name = line(text, limit);
    let lower = name.to_ascii_lowercase();
    let is_link = lower.contains("://") || lower.contains("www.") || lower.contains("mailto:");
    if is_link { defanged(&name) } else { name }
}

fn trimmed(mut lines: Vec<String>) -> Vec<String> {
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// Makes what mail programs would turn into links into plain words: `hxxps://host[.]example/`.
#[must_use]
pub fn defanged(text: &str) -> String {
    text.split(' ').map(defanged_word).collect::<Vec<_>>().join(" ")
}

fn defanged_word(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    let has_scheme = lower.contains("://") || lower.contains("mailto:") || lower.contains("www.");
    if !has_scheme && !word.contains('.') {
        return word.to_owned();
    }
    let mut shown = String::with_capacity(word.len() + 8);
    let mut rest = word;
    while let Some(at) = rest.find('.') {
        let (before, behind) = (&rest[..at], &rest[at + 1..]);
        shown.push_str(before);
        shown.push_str(if has_scheme || joins_names(before, behind) { "[.]" } else { "." });
        rest = behind;
    }
    shown.push_str(rest);
    if has_scheme { without_scheme(&shown) } else { shown }
}

/// Whether the dot stands as in `host.example`: programs make links of that too.
fn joins_names(before: &str, behind: &str) -> bool {
    let letters = behind.chars().take_while(|c| c.is_ascii_alphabetic()).count();
    before.ends_with(|c: char| c.is_alphanumeric()) && letters >= 2
}

/// `http` becomes `hxxp`, and no scheme keeps its `://`.
fn without_scheme(word: &str) -> String {
    let mut shown = String::with_capacity(word.len() + 4);
    let mut rest = word;
    while let Some(c) = rest.chars().next() {
        let begins = |text: &str| {
            rest.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text))
        };
        let (length, written) = if begins("http") {
            (4, "hxxp")
        } else if begins("://") && !shown.ends_with("hxxp") && !shown.ends_with("hxxps") {
            (3, "[:]//")
        } else if begins("mailto:") {
            (7, "mailto[:]")
        } else {
            (c.len_utf8(), &rest[..c.len_utf8()])
        };
        shown.push_str(written);
        rest = &rest[length..];
    }
    shown
}

enum Seen {
    Itself,
    Space,
    Nothing,
    Warning,
}

fn seen(c: char) -> Seen {
    match c {
        _ if c.is_whitespace() => Seen::Space,
        // Soft hyphen, joiners, marks of direction that only help their own text, fillers, and tags.
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2060}'..='\u{2064}'
        | '\u{206a}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}' => Seen::Nothing,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => Seen::Warning,
        _ if c.is_control() => Seen::Warning,
        _ => Seen::Itself,
    }
}

/// Vietnamese and Hebrew need three.
const MOST_MARKS: usize = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_hides_or_turns_text_is_left_out_or_marked() {
        for (text, shown) in [
            ("  a \r\n\tb\u{2028}c\u{3000}d ", "a b c d"),
            ("ann\u{202e}fdp.exe", "ann�fdp.exe"),
            ("in\u{200b}vis\u{ad}ible\u{feff}", "invisible"),
            ("a\0\u{1b}[2J\u{9b}", "a��[2J�"),
            ("e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}", "e\u{301}\u{301}\u{301}\u{301}"),
            ("\u{ff21}한글日本", "Ａ한글日本"),
        ] {
            assert_eq!(line(text, 100), shown, "{text:?}");
        }
        assert_eq!(line("abcdef", 3), "abc…");
        assert_eq!(line("abc", 3), "abc");
        assert_eq!(line("ab  def", 3), "ab…");
    }

    #[test]
    fn an_excerpt_is_bounded_in_lines_and_characters() {
        let text = "\n\none\n\n\ntwo\r\n \nthree\n";
        assert_eq!(
            lines(text, 9, 99),
            (vec!["one".into(), "".into(), "two".into(), "".into(), "three".into()], false)
        );
        assert_eq!(lines(text, 2, 99), (vec!["one".into()], true));
        assert_eq!(lines(&"x".repeat(50), 9, 10), (vec![format!("{}…", "x".repeat(10))], true));
        assert_eq!(lines("", 9, 10), (Vec::new(), false));
    }

    #[test]
    fn no_link_is_left() {
        for (text, shown) in [
            ("see https://evil.example/a.b?c now", "see hxxps://evil[.]example/a[.]b?c now"),
            ("HTTP://X.example", "hxxp://X[.]example"),
            ("(www.evil.example)", "(www[.]evil[.]example)"),
            ("evil.example/login", "evil[.]example/login"),
            ("ftp://x", "ftp[:]//x"),
            ("mailto:a@b.example", "mailto[:]a@b[.]example"),
            ("http:http://x", "hxxp:hxxp://x"),
            ("그림.png 3.14 e.g. 끝.", "그림[.]png 3.14 e.g. 끝."),
            ("plain words", "plain words"),
        ] {
            assert_eq!(defanged(text), shown);
        }
    }

    proptest! {
        #[test]
        fn nothing_harmful_comes_through(text in ".{0,80}|(.|[\r\n\0\u{202e}\u{200b}]){0,80}", limit in 0..60_usize) {
            let shown = line(&text, limit);
            prop_assert!(shown.chars().count() <= limit + 1);
            prop_assert!(!shown.contains(mailweir_mail::compose::is_harmful), "{shown:?}");
            let safe = defanged(&shown).to_lowercase();
            for link in ["http://", "https://", "www."] {
                prop_assert!(!safe.contains(link), "{safe:?}");
            }
        }
    }
}
