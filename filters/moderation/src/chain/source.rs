//! The address of the client in the from clause of a Received header.
//!
//! What the writer saw stands in parentheses behind the name that the client gave itself:
//! `helo (name [192.0.2.1])`, `helo ([192.0.2.1])`, `name (HELO helo) (192.0.2.1)`; Exim alone puts
//! it in front, `[192.0.2.1] (helo=name)`. Clients choose the name, often the reverse name, the
//! identity that identd tells, and the subject of a certificate. So every address in parentheses
//! counts, at any depth and with whatever around it, and if there are two the clause is ambiguous: who
//! could put one there cannot take the real one away.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::ReceivedError;

/// What stands between `from` and the next clause.
#[derive(Clone, Debug, Default)]
pub(super) struct FromClause<'t> {
    /// The first thing, if it is `[...]`.
    pub(super) leading_literal: Option<&'t [u8]>,
    /// Whether there was `[...]` outside of parentheses later on.
    pub(super) other_literals: Vec<&'t [u8]>,
    /// What stood in parentheses.
    pub(super) comments: Vec<&'t [u8]>,
}

impl FromClause<'_> {
    /// The address of the client. `by_exim`: whether the header names Exim as its writer.
    pub(super) fn address(&self, by_exim: bool) -> Result<IpAddr, ReceivedError> {
        let mut seen = None;
        for comment in self.comments() {
            add_addresses(comment, &mut seen)?;
        }
        let in_exim_form = self.comments.iter().any(|comment| is_labelled(comment));
        match (self.leading_literal, seen) {
            // Where the name is told elsewhere, what stands in front is the address.
            (Some(_), Some(_)) if in_exim_form || self.comments.iter().any(|c| names_helo(c)) => {
                Err(ReceivedError::TwoAddresses)
            }
            (_, Some(seen)) => {
                let is_same = |literal: &&[u8]| read_address(literal) == Ok(seen);
                let others = self.comments().flat_map(words_with_address);
                if self.other_literals.iter().all(is_same) && others.into_iter().all(|o| o == seen)
                {
                    Ok(seen)
                } else {
                    Err(ReceivedError::TwoAddresses)
                }
            }
            (Some(literal), None)
                if (in_exim_form || by_exim) && self.other_literals.is_empty() =>
            {
                read_address(literal)
            }
            (None, None) if self.other_literals.is_empty() => Err(ReceivedError::NoAddress),
            (_, None) => Err(ReceivedError::MaybeName),
        }
    }
}

impl<'t> FromClause<'t> {
    /// What stood in parentheses, but for the client's name for itself: `(HELO name)` behind the first
    /// word and in front of the address.
    fn comments(&self) -> impl Iterator<Item = &'t [u8]> {
        let is_name = match &*self.comments {
            [first, _, ..] => is_helo(first),
            [] | [_] => false,
        };
        self.comments.iter().copied().skip(usize::from(is_name))
    }
}

/// Whether a comment is `HELO name` or `EHLO name`, with nothing in it that could hide another.
fn is_helo(comment: &[u8]) -> bool {
    let mut words = comment.split(u8::is_ascii_whitespace);
    let begins = words.next().is_some_and(|word| word == b"HELO" || word == b"EHLO");
    begins && words.count() <= 1 && !comment.contains(&b'(') && !comment.contains(&b'\\')
}

/// Adds the addresses that a comment tells to the one that is known.
fn add_addresses(comment: &[u8], seen: &mut Option<IpAddr>) -> Result<(), ReceivedError> {
    if comment.contains(&b'\\') {
        return Err(ReceivedError::Stray('\\'));
    }
    let mut add = |address: IpAddr| match *seen {
        Some(other) if other != address => Err(ReceivedError::TwoAddresses),
        _ => {
            *seen = Some(address);
            Ok(())
        }
    };
    if !comment.contains(&b'[') && !comment.contains(&b']') {
        return bare_address(comment).map_or(Ok(()), add);
    }
    if names_helo(comment) {
        return Err(ReceivedError::MaybeName);
    }
    let is_labelled = is_labelled(comment);
    let mut at = 0;
    while let Some(found) = comment[at..].iter().position(|byte| matches!(byte, b'[' | b']')) {
        let start = at + found;
        let behind = &comment[start + 1..];
        let length = behind.iter().position(|byte| matches!(byte, b'[' | b']'));
        // Neither a lone bracket nor one within another tells an address.
        let length = length.filter(|length| comment[start] == b'[' && behind[*length] == b']');
        let length = length.ok_or(ReceivedError::BadAddress)?;
        let before = &comment[..start];
        if !is_given_by_client(before) {
            if is_labelled && !before.trim_ascii().is_empty() {
                return Err(ReceivedError::TwoAddresses);
            }
            add(read_address(&behind[..length])?)?;
        }
        at = start + 1 + length + 1;
    }
    Ok(())
}

/// `(192.0.2.1)` of Exchange and qmail, with what identd said: `(user@192.0.2.1)`.
fn bare_address(comment: &[u8]) -> Option<IpAddr> {
    let address = comment.rsplit(|byte| *byte == b'@').next()?;
    read_address(address).ok()
}

/// The addresses that stand as words in a comment, also within comments and behind `user@`. They tell
/// nothing, but cast doubt on an address elsewhere.
fn words_with_address(comment: &[u8]) -> Vec<IpAddr> {
    let ends_word = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'(' | b')' | b',');
    let words = comment.split(ends_word);
    words.filter_map(|word| word_address(word.rsplit(|byte| *byte == b'@').next()?)).collect()
}

/// An address, maybe with a port as XMail writes it.
fn word_address(word: &[u8]) -> Option<IpAddr> {
    let with_port = || std::str::from_utf8(word).ok()?.parse::<SocketAddr>().ok();
    let address = read_address(word).ok().or_else(|| Some(with_port()?.ip()));
    address.map(|address| address.to_canonical())
}

/// Whether the bracket behind this belongs to `helo=[...]` or `ident=[...]`.
fn is_given_by_client(before: &[u8]) -> bool {
    let label = before.strip_suffix(b"=").and_then(|before| {
        before.rsplit(|byte| byte.is_ascii_whitespace() || *byte == b'(').next()
    });
    label.is_some_and(|l| l.eq_ignore_ascii_case(b"helo") || l.eq_ignore_ascii_case(b"ident"))
}

/// Whether the client's name for itself is part of a comment, as CommuniGate Pro writes it.
fn names_helo(comment: &[u8]) -> bool {
    let mut words = comment.split(|byte| byte.is_ascii_whitespace() || *byte == b'(');
    words.any(|word| word.eq_ignore_ascii_case(b"HELO") || word.eq_ignore_ascii_case(b"EHLO"))
}

/// Whether a comment is of Exim's form: `([192.0.2.1] helo=name)`, `(port=4711 helo=name)`.
fn is_labelled(comment: &[u8]) -> bool {
    comment.split(u8::is_ascii_whitespace).any(|word| {
        let label = word.split(|byte| *byte == b'=').next().unwrap_or_default();
        label.len() < word.len()
            && [&b"helo"[..], b"ident", b"port"].iter().any(|l| label.eq_ignore_ascii_case(l))
    })
}

/// An address literal (RFC 5321 section 4.1.3), also without the tag, and with the zone of a
/// link-local address. IPv4 in IPv6 clothes is IPv4.
fn read_address(text: &[u8]) -> Result<IpAddr, ReceivedError> {
    let text = std::str::from_utf8(text).map_err(|_| ReceivedError::BadAddress)?.trim();
    let tag = text.get(..IPV6_TAG.len()).filter(|tag| tag.eq_ignore_ascii_case(IPV6_TAG));
    let address = match (tag, text.split_once('%')) {
        (Some(tag), _) => text[tag.len()..].split_once('%').map_or_else(
            || text[tag.len()..].parse().ok().map(IpAddr::V6),
            |(address, zone)| link_local(address, zone),
        ),
        (None, Some((address, zone))) => link_local(address, zone),
        (None, None) => text.parse().ok(),
    };
    address.map(|address| address.to_canonical()).ok_or(ReceivedError::BadAddress)
}

/// `fe80::1%11`, as Exchange writes it.
fn link_local(address: &str, zone: &str) -> Option<IpAddr> {
    let address: Ipv6Addr = address.parse().ok()?;
    let is_zone = !zone.is_empty() && zone.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_zone && address.is_unicast_link_local()).then_some(IpAddr::V6(address))
}

const IPV6_TAG: &str = "IPv6:";
