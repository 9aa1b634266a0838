//! Every domain that any program could find in a From field: behind each `@`, wherever it stands, in quoted strings,
//! comments and encoded words too.

use mailweir_content::decode::headers::HeaderDecoder;
use mailweir_mail::{Address, Domain, header_from::MOST_BYTES};

use super::MOST_DOMAINS;

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// Each domain once, in the order in which they stand.
    pub(super) domains: Vec<Domain>,
    /// An address, if there is one domain only and no `@` could be read to have another one behind it.
    pub(super) only: Option<Address>,
    /// There is no `@` in any reading.
    pub(super) is_nobody: bool,
}

/// All domains in an unfolded value.
pub(super) fn anywhere(value: &[u8]) -> Named {
    let value = value.get(..MOST_BYTES).unwrap_or(value);
    let mut named = Named { domains: Vec::new(), only: None, is_nobody: true };
    let mut is_clear = true;
    let raw = String::from_utf8_lossy(value).into_owned();
    let field = [b"From: ".as_slice(), value].concat();
    for reading in HeaderDecoder::default().field(&field).into_iter().chain([raw]) {
        is_clear &= find(&reading, &mut named);
    }
    if !is_clear || named.domains.len() != 1 {
        named.only = None;
    }
    named
}

/// Notes what is in one reading: whether all of it is clear.
fn find(text: &str, named: &mut Named) -> bool {
    let mut is_clear = true;
    for (at, c) in text.char_indices().filter(|&(_, c)| is_at_sign(c)) {
        named.is_nobody = false;
        let (before, behind) = text.split_at_checked(at).unwrap_or_default();
        let behind = behind.get(c.len_utf8()..).unwrap_or_default();
        let (name, rest) = behind.split_at_checked(length_of_domain(behind)).unwrap_or_default();
        let Ok(domain) = Domain::parse(name) else {
            is_clear = false;
            continue;
        };
        is_clear &= ends(rest);
        let local = before.rsplit(|c| !is_of_local_part(c)).next().unwrap_or_default();
        if named.only.is_none() {
            named.only = Address::parse(&format!("{local}@{name}")).ok();
        }
        if named.domains.len() < MOST_DOMAINS && !named.domains.contains(&domain) {
            named.domains.push(domain);
        }
    }
    is_clear
}

/// Whether a domain ends here for every program: some drop blanks and comments, and read on.
fn ends(rest: &str) -> bool {
    let next = rest.trim_start_matches([' ', '\t']).chars().next();
    let is_near = rest.starts_with([':', '=', '?']);
    !is_near && !next.is_some_and(|c| is_at_sign(c) || matches!(c, '.' | '(' | '[' | '\\'))
}

fn length_of_domain(text: &str) -> usize {
    if text.starts_with('[') {
        return text.find(']').map_or(text.len(), |end| end + 1);
    }
    text.find(|c: char| !is_of_domain(c)).unwrap_or(text.len())
}

fn is_of_domain(c: char) -> bool {
    match c {
        '.' | '-' | '_' => true,
        _ if c.is_ascii() => c.is_ascii_alphanumeric(),
        _ => !c.is_whitespace() && !c.is_control() && !is_at_sign(c),
    }
}

fn is_of_local_part(c: char) -> bool {
    is_of_domain(c) || (c.is_ascii_graphic() && !"()<>@[]:;,\\\"'".contains(c))
}

fn is_at_sign(c: char) -> bool {
    c == '@' || AT_SIGNS.contains(&c)
}

/// What else may become an `@`: full-width and small commercial at.
pub(super) const AT_SIGNS: [char; 2] = ['\u{ff20}', '\u{fe6b}'];
