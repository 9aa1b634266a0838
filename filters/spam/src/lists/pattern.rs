//! Which answers of a list count, as Postfix writes it: four fields, each a number, or numbers and ranges in brackets
//! (postconf(5) `postscreen_dnsbl_sites`, `reject_rbl_client`).

use std::{net::Ipv4Addr, ops::RangeInclusive};

/// A pattern of addresses: `127.0.0.[2..4;10]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern([Vec<RangeInclusive<u8>>; 4]);

/// What is wrong with a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// It is not written as Postfix does.
    #[error(
        "behind = must stand four fields divided by dots, each a number up to 255 or numbers and \
         ranges in brackets, such as 127.0.0.[2..4;10]"
    )]
    Fields,
    /// No answer of a list matches it: they begin with 127.
    #[error("what stands behind = matches no answer of a list: they begin with 127")]
    Unreachable,
}

impl Pattern {
    /// Reads a pattern that an answer of a list can match. Brackets around the whole are dropped.
    ///
    /// # Errors
    /// If it is not written as Postfix does, or begins with anything but 127.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let pattern = Self::of_any_address(text)?;
        let is_reachable = pattern.matches_first(127);
        if is_reachable { Ok(pattern) } else { Err(PatternError::Unreachable) }
    }

    /// Reads a pattern of any addresses: restrictions take it, since lists of one's own may answer anything.
    ///
    /// # Errors
    /// If it is not written as Postfix does.
    pub fn of_any_address(text: &str) -> Result<Self, PatternError> {
        // `[127.0.0.1]` reads to its end only without the outer brackets, `[1;2].0.0.[3]` only with them.
        let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        Self::fields(text).or_else(|| Self::fields(inner?)).ok_or(PatternError::Fields)
    }

    /// Whether an address is meant.
    #[must_use]
    pub fn matches(&self, address: Ipv4Addr) -> bool {
        let mut fields = self.0.iter().zip(address.octets());
        fields.all(|(ranges, octet)| ranges.iter().any(|range| range.contains(&octet)))
    }

    fn matches_first(&self, octet: u8) -> bool {
        self.0.first().is_some_and(|ranges| ranges.iter().any(|range| range.contains(&octet)))
    }

    fn fields(mut text: &str) -> Option<Self> {
        let mut all = [const { Vec::new() }; 4];
        let last = all.len() - 1;
        for (place, ranges) in all.iter_mut().enumerate() {
            let field;
            (field, text) = first_field(text, place == last)?;
            *ranges = match field.strip_prefix('[') {
                Some(members) => {
                    members.strip_suffix(']')?.split(';').map(range).collect::<Option<_>>()?
                }
                None => vec![octet(field).map(|octet| octet..=octet)?],
            };
        }
        Some(Self(all))
    }
}

/// The text up to a dot that stands in no brackets, and what follows it; the last field is all there is.
fn first_field(text: &str, is_last: bool) -> Option<(&str, &str)> {
    if is_last {
        return Some((text, ""));
    }
    let after = if text.starts_with('[') { text.find(']')? } else { 0 };
    let (before, rest) = text.split_at_checked(after)?;
    let dot = before.len().checked_add(rest.find('.')?)?;
    Some((text.get(..dot)?, text.get(dot + 1..)?))
}

fn range(text: &str) -> Option<RangeInclusive<u8>> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let (first, last) = (octet(first)?, octet(last)?);
    (first <= last).then_some(first..=last)
}

fn octet(text: &str) -> Option<u8> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}
