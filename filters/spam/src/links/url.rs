//! One URL as browsers read it, and how it is written to look otherwise.
//!
//! Browsers drop tabs and line ends wherever they stand, take backslashes for slashes, undo escapes in hosts, and
//! read numbers as addresses (WHATWG URL). The crate `url` does the same; what it was given is compared with what
//! it made of it.

use url::{Host as UrlHost, Url};

use super::{Host, Trick};

/// What a URL leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A host, and how the URL is written to hide that.
    Host(Host, Vec<Trick>),
    /// A script or a page in the URL itself.
    Script,
    /// Nothing outside of the mail that is known here: a place in it, an address, a path.
    Nothing,
}

/// Reads a URL of an attribute or of text.
pub(super) fn read(raw: &str) -> Target {
    let raw = raw.get(..raw.floor_char_boundary(LONGEST)).unwrap_or(raw);
    let raw = raw.trim_matches(|character: char| character <= ' ');
    if let Some(name) = plain_name(raw) {
        return Target::Host(Host::Name(name.to_ascii_lowercase().into()), Vec::new());
    }
    of_any(raw)
}

/// The host of a URL that hides nothing, as nearly all are: a name of letters, digits and hyphens, no user and no port. There
/// all programs read the same.
fn plain_name(raw: &str) -> Option<&str> {
    let (scheme, rest) = raw.split_once(':')?;
    let is_web = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let rest = rest.strip_prefix("//").filter(|_| is_web)?;
    // A number may be an address, and behind two hyphens there may be letters of other scripts.
    let (mut before, mut length, mut top) = (b'.', 0, 0);
    for byte in rest.bytes() {
        match byte {
            b'.' | b'-' if byte == before || length == 0 => return None,
            b'.' => top = length + 1,
            b'-' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => {}
            b'/' | b'?' | b'#' => break,
            _ => return None,
        }
        before = byte;
        length += 1;
    }
    let is_plain = rest.as_bytes().get(top).is_some_and(u8::is_ascii_alphabetic);
    rest.get(..length).filter(|_| is_plain && top < length)
}

fn of_any(raw: &str) -> Target {
    let plain: String = raw.chars().filter(|character| !is_dropped(*character)).collect();
    let Some((scheme, rest)) = plain.split_once(':') else { return without_scheme(raw, &plain) };
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" | "ftp" => host(raw, &plain),
        "javascript" | "vbscript" => Target::Script,
        "data" if is_page(rest) => Target::Script,
        _ => without_scheme(raw, &plain),
    }
}

/// `//host/path` leads to a host, and everything else to a place on it.
fn without_scheme(raw: &str, plain: &str) -> Target {
    match plain.as_bytes() {
        [b'/' | b'\\', b'/' | b'\\', ..] => host(&format!("http:{raw}"), &format!("http:{plain}")),
        _ => Target::Nothing,
    }
}

fn host(raw: &str, plain: &str) -> Target {
    let Ok(url) = Url::parse(plain) else { return Target::Nothing };
    let Some(host) = url.host().as_ref().and_then(in_form) else { return Target::Nothing };
    let written = Authority::of(raw);
    let mut tricks = Vec::new();
    match &host {
        Host::V4(address) if address.to_string() != written.host => {
            tricks.push(Trick::DisguisedAddress)
        }
        private if private.is_private() => {}
        Host::V4(_) | Host::V6(_) => tricks.push(Trick::Address),
        Host::Name(_) if written.is_obfuscated => tricks.push(Trick::Obfuscated),
        Host::Name(_) => {}
    }
    if url.scheme() != "ftp"
        && [url.username(), url.password().unwrap_or_default()]
            .iter()
            .any(|text| is_like_a_host(text))
    {
        tricks.push(Trick::Userinfo);
    }
    let is_odd_port = url.port().is_some_and(|port| !USUAL_PORTS.contains(&port));
    // Names without a dot and private addresses are those of devices, which have all sorts of ports.
    if is_odd_port && host.domain().is_some() {
        tricks.push(Trick::Port);
    }
    Target::Host(host, tricks)
}

fn in_form(host: &UrlHost<&str>) -> Option<Host> {
    match host {
        UrlHost::Domain(name) => {
            let name = name.trim_end_matches('.');
            (!name.is_empty()).then(|| Host::Name(name.to_ascii_lowercase().into()))
        }
        UrlHost::Ipv4(address) => Some(Host::V4(*address)),
        UrlHost::Ipv6(address) => Some(Host::V6(*address)),
    }
}

/// Host and port of a URL as they are written.
struct Authority<'u> {
    host: &'u str,
    is_obfuscated: bool,
}

impl<'u> Authority<'u> {
    fn of(raw: &'u str) -> Self {
        let (_, rest) = raw.split_once(':').unwrap_or(("", raw));
        let begin =
            rest.trim_start_matches(|character| is_slash(character) || is_dropped(character));
        let slashes = rest.strip_suffix(begin).unwrap_or_default();
        let end = begin.find(|character| is_slash(character) || matches!(character, '?' | '#'));
        let authority = end.and_then(|end| begin.get(..end)).unwrap_or(begin);
        let (_, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let host = match host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => host,
        };
        let is_obfuscated = slashes.contains('\\')
            || host.chars().any(is_odd_in_host)
            || slashes.contains(is_dropped);
        Self { host, is_obfuscated }
    }
}

/// What browsers drop from URLs.
fn is_dropped(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r')
}

fn is_slash(character: char) -> bool {
    matches!(character, '/' | '\\')
}

/// What vanishes from a host, or becomes something else: escapes, other dots, full-width letters, zero width.
fn is_odd_in_host(character: char) -> bool {
    is_dropped(character)
        || matches!(character, '%' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}'
            | '\u{3002}' | '\u{ff01}'..='\u{ff61}' | '\u{2460}'..='\u{24ff}' | '\u{1d400}'..='\u{1d7ff}')
}

/// What stands in front of an `@` to be read as the host.
fn is_like_a_host(text: &str) -> bool {
    text.contains('.') || text.contains("%2E") || text.contains("%2e")
}

fn is_page(data: &str) -> bool {
    let kind: String = data.chars().take(PAGE_NAME).flat_map(char::to_lowercase).collect();
    ["text/html", "image/svg", "application/xhtml", "text/xml"]
        .iter()
        .any(|page| kind.trim_start().starts_with(page))
}

/// Ports that web sites have besides 80 and 443, which `url` leaves out.
const USUAL_PORTS: [u16; 6] = [80, 443, 8000, 8080, 8443, 8888];
/// Bytes of a URL: longer ones do not work in all browsers, and the host is at the front.
const LONGEST: usize = 2048;
/// Longer than the names of types that browsers show as pages.
const PAGE_NAME: usize = 32;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_url_that_hides_nothing_leads_where_browsers_go(
            raw in "(http|HTTPS|https|ftp):?//?([a-zA-Z0-9-]{1,6}[.]?){0,4}([:/?#@%][a-z0-9%\t@:/]{0,8})?",
        ) {
            if let Some(name) = plain_name(&raw) {
                let found = Target::Host(Host::Name(name.to_ascii_lowercase().into()), Vec::new());
                prop_assert_eq!(found, of_any(&raw), "{}", raw);
            }
        }
    }
}
