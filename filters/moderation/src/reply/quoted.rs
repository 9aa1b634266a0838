//! What of an answer its writer wrote: not the mail it answers, and no signature.

/// The lines up to the mail that is answered, or the signature. Lines that are quoted by a sign in
/// front are left out, wherever they stand.
pub(super) fn own_words<'a>(lines: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    lines.take_while(|line| !ends_own_words(line)).filter(|line| !is_quoted(line))
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with(['>', '|', '＞'])
}

/// Mail programs put a line before what they quote.
fn ends_own_words(line: &str) -> bool {
    let line = line.trim();
    let lower = line.to_lowercase();
    // Section 4.3 of RFC 3676; the space is often lost.
    line == "--"
        || line.starts_with("-----") && line.ends_with("-----") && line.len() > 10
        || line.starts_with("________________")
        || HEADINGS.iter().any(|heading| lower.starts_with(heading))
        || ATTRIBUTIONS
            .iter()
            .any(|(begins, ends)| lower.starts_with(begins) && lower.ends_with(ends))
}

/// The first line of the header that Outlook and its like put before the mail they quote.
const HEADINGS: [&str; 7] = ["from:", "von:", "de :", "de:", "보낸 사람:", "差出人:", "보낸사람:"];

/// `On Fri, 20 Nov 2026, Ann wrote:` in four languages. Some begin with the date.
const ATTRIBUTIONS: [(&str, &str); 6] = [
    ("on ", "wrote:"),
    ("le ", "a écrit :"),
    ("le ", "a écrit:"),
    ("20", "작성:"),
    ("20", "wrote:"),
    ("20", ":"),
];
