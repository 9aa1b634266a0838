//! Foreign text in a header field of ours.
//!
//! Quoting alone would do for programs that read RFC 8601 as it is written. Many look for `dkim=pass` with a pattern,
//! so what could make such a word inside of a value is gone as well: blanks, semicolons, quotes, brackets.

/// A text that stands in a comment or in quotes: harmless in both.
pub(super) fn text(foreign: &str) -> Box<str> {
    let harmless = |c: char| {
        if c.is_ascii_alphanumeric() || " -_.,:/+@'!%*".contains(c) { c } else { REPLACEMENT }
    };
    foreign.chars().take(LONGEST_TEXT).map(harmless).collect()
}

/// A value (RFC 8601 section 2.2, `pvalue`): an address or a domain as it is, a token as it is, and anything else in quotes.
pub(super) fn value(foreign: &str) -> Box<str> {
    let cut: String = foreign.chars().take(LONGEST_VALUE).collect();
    if is_address(&cut) {
        return cut.into();
    }
    let harmless = |c: char| if is_harmless(c) { c } else { REPLACEMENT };
    let harmless: String = cut.chars().map(harmless).collect();
    if !harmless.is_empty() && harmless.chars().all(is_of_token) {
        harmless.into()
    } else {
        format!("\"{harmless}\"").into()
    }
}

/// `[local-part] "@" domain`, without quotes. Equals signs are common in addresses of mailing lists; one that looks like a
/// result is not.
fn is_address(text: &str) -> bool {
    let is_local = |c: char| c.is_ascii_alphanumeric() || "!#$%&*+-/=^_{|}~.".contains(c);
    let is_domain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    text.split_once('@').is_some_and(|(local, domain)| {
        let is_result = local.to_ascii_lowercase().contains("=pass");
        !is_result
            && local.chars().all(is_local)
            && !domain.is_empty()
            && domain.chars().all(is_domain)
    })
}

fn is_harmless(c: char) -> bool {
    is_of_token(c) || "/:@".contains(c)
}

/// A part of what RFC 2045 section 5.1 allows in a token.
fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.+%~".contains(c)
}

/// In place of what cannot be written.
const REPLACEMENT: char = '?';

/// The longest value, in characters: more than an address has (RFC 5321 section 4.5.3.1), far less than a line.
const LONGEST_VALUE: usize = 320;

/// The longest comment or reason.
const LONGEST_TEXT: usize = 120;
