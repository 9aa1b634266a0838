//! An ARC-Seal field (RFC 8617 section 4.1.3).

use mailweir_mail::Domain;

use crate::dkim::{Algorithm, Field, Tags, base64, domain, key_name, number, selector};

/// A seal that was read. Whether it holds is not known yet.
pub(super) struct Seal {
    pub(super) algorithm: Algorithm,
    pub(super) domain: Domain,
    selector: Box<str>,
    pub(super) value: ChainValue,
    pub(super) signature: Vec<u8>,
}

/// What a host found of the chain before it (`cv=`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChainValue {
    None,
    Pass,
    Fail,
}

impl Seal {
    /// Reads a field, or tells which rule it breaks.
    pub(super) fn read(tags: &Tags<'_>) -> Result<Self, &'static str> {
        // It is made over all fields of the chain and over nothing else.
        if tags.get("h").is_some() || tags.get("bh").is_some() {
            return Err("h= or bh= says what it covers");
        }
        let value = match tags.get("cv").ok_or("cv= is missing")?.to_ascii_lowercase().as_str() {
            "none" => ChainValue::None,
            "pass" => ChainValue::Pass,
            "fail" => ChainValue::Fail,
            _ => return Err("cv= is no state of a chain"),
        };
        let algorithm = tags.get("a").ok_or("a= is missing")?;
        if tags.get("t").is_some_and(|made| number(made).is_none()) {
            return Err("t= is no number");
        }
        Ok(Self {
            algorithm: Algorithm::read(algorithm).map_err(|_| "a= is not accepted")?,
            domain: tags.get("d").and_then(domain).ok_or("d= is no domain")?,
            selector: tags.get("s").and_then(selector).ok_or("s= is no name")?,
            value,
            signature: tags.get("b").and_then(base64).ok_or("b= is no base64")?,
        })
    }

    /// Where its key is published.
    pub(super) fn key_name(&self) -> String {
        key_name(&self.selector, &self.domain)
    }
}

/// The tags of a field, if they can be read.
pub(super) fn tags(field: Field<'_>) -> Option<Tags<'_>> {
    Tags::read(std::str::from_utf8(field.value()).ok()?)
}

/// The instance of an ARC-Authentication-Results field, which stands first, and what stands behind it.
pub(super) fn results(field: Field<'_>) -> Option<(u64, Box<str>)> {
    let value = field.value();
    let end = memchr::memchr(b';', value)?;
    let (tag, rest) = value.split_at_checked(end)?;
    let (name, number_text) = std::str::from_utf8(tag).ok()?.split_once('=')?;
    let instance = number(number_text.trim_ascii()).filter(|_| name.trim_ascii() == "i")?;
    let results = String::from_utf8_lossy(rest.get(1..)?.trim_ascii());
    Some((instance, results.into()))
}
