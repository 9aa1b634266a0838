//! What of an answer its writer wrote: not the mail it answers, and no signature.

/// The lines up to the mail that is answered, or the signature. Lines that are quoted by a sign in
/// front are left out, wherever they stand. No more than a few are looked at.
pub(super) fn own_words<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let lines: Vec<&str> = lines.take(MOST_LINES).collect();
    let ends = |at: &usize| {
        // An attribution may go over several lines.
        let together = |more| lines.get(*at..at + more).is_some_and(attributes);
        lines.get(*at).is_some_and(|line| ends_own_words(line)) || (1..=3).any(together)
    };
    let end = (0..lines.len()).find(ends).unwrap_or(lines.len());
    lines[..end].iter().copied().filter(|line| !is_quoted(line)).collect()
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with(['>', '|', '＞'])
}

/// Mail programs put a line before what they quote, and one under what they add by themselves.
fn ends_own_words(line: &str) -> bool {
    let line = plain(line);
    // Section 4.3 of RFC 3676; the space is often lost.
    line == "--"
        || line.starts_with("-----") && line.ends_with("-----") && line.len() > 10
        || line.starts_with("________________")
        || HEADINGS.iter().any(|heading| line.starts_with(heading))
        || ADDITIONS.iter().any(|(begins, ends)| line.starts_with(begins) && line.ends_with(ends))
}

/// Whether these lines together are an attribution.
fn attributes(lines: &[&str]) -> bool {
    let text = plain(&lines.join(" "));
    // A sentence that only looks like one is not as long, and names nobody.
    ATTRIBUTIONS.iter().any(|(begins, ends)| text.starts_with(begins) && text.ends_with(ends))
        && text.len() <= LONGEST_ATTRIBUTION
}

/// In lower case, with plain blanks and signs.
fn plain(line: &str) -> String {
    let line = line.trim_matches(|c: char| c.is_whitespace() || c == '*').to_lowercase();
    line.replace(['\u{a0}', '\u{202f}'], " ").replace('：', ":")
}

/// The first line of the header that Outlook and its like put before the mail they quote.
const HEADINGS: [&str; 9] =
    ["from:", "von:", "de :", "de:", "보낸 사람:", "보낸사람:", "발신:", "差出人:", "送信者:"];

/// `On Fri, 20 Nov 2026, Ann wrote:` in four languages. Some begin with the date.
const ATTRIBUTIONS: [(&str, &str); 7] = [
    ("on ", "wrote:"),
    ("le ", "a écrit :"),
    ("le ", "a écrit:"),
    ("20", "작성:"),
    ("20", "wrote:"),
    ("20", ">:"),
    ("20", "のメール:"),
];

/// What telephones write by themselves.
const ADDITIONS: [(&str, &str); 7] = [
    ("sent from my ", ""),
    ("get outlook for ", ""),
    ("envoyé de mon ", ""),
    ("envoyé depuis ", ""),
    ("obtenez outlook pour ", ""),
    ("", "에서 보냄"),
    ("", "から送信"),
];

/// Lines of an answer: who writes more first does not answer.
const MOST_LINES: usize = 500;

/// Bytes.
const LONGEST_ATTRIBUTION: usize = 400;
