//! Mail addresses, and the one place that says when two of them are the same.
//!
//! The text of an address is kept as its sender wrote it. Comparison folds what RFC 5321 says
//! does not matter: the case and the encoding of the domain (RFC 5891), a trailing dot, and
//! quotes around a local part that needs none. The case of the local part does matter
//! (RFC 5321 section 2.4).

use std::{
    borrow::Cow,
    fmt,
    hash::{Hash, Hasher},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A mailbox, `local-part@domain` (RFC 5321 section 4.1.2, RFC 6531 section 3.3).
///
/// Accepts what Postfix accepts with `strict_rfc821_envelopes = no`, as far as it is
/// unambiguous: two dots in a row are let through since Japanese carriers gave such names out.
#[derive(Clone)]
pub struct Address {
    text: Box<str>,
    /// Where the `@` stands that divides local part and domain.
    at: usize,
    domain: Domain,
}

impl Address {
    /// Reads `local-part@domain`, without angle brackets and without a source route.
    ///
    /// # Errors
    /// Says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.len() > MAX_ADDRESS {
            return Err(AddressError::TooLong);
        }
        let at = end_of_local_part(text)?;
        let domain = Domain::parse(&text[at + 1..])?;
        Ok(Self { text: text.into(), at, domain })
    }

    /// The address as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The local part as it was written, quotes included.
    #[must_use]
    pub fn local_part(&self) -> &str {
        &self.text[..self.at]
    }

    /// The local part that is meant: without quotes and backslashes.
    #[must_use]
    pub fn unquoted_local_part(&self) -> Cow<'_, str> {
        unquote(self.local_part())
    }

    /// The domain.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Whether the local part asks a relay to route further: `user%other`, `other!user`,
    /// `"user@other"`. Such a mail is relayed for trusted clients only (Postfix
    /// `allow_untrusted_routing = no`, `resolve_dequoted_address = yes`).
    #[must_use]
    pub fn asks_for_routing(&self) -> bool {
        self.unquoted_local_part().contains(['@', '%', '!'])
    }

    /// Whether this is `postmaster` of its domain, who must always be reachable
    /// (RFC 5321 section 4.5.1).
    #[must_use]
    pub fn is_postmaster(&self) -> bool {
        self.unquoted_local_part().eq_ignore_ascii_case("postmaster")
    }

    /// Whether the address can only be sent to a peer that announced SMTPUTF8 (RFC 6531).
    #[must_use]
    pub fn needs_smtputf8(&self) -> bool {
        !self.text.is_ascii()
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.domain == other.domain && self.unquoted_local_part() == other.unquoted_local_part()
    }
}

impl Eq for Address {}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.unquoted_local_part().hash(state);
        self.domain.hash(state);
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.text)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// The domain of an address, a route or a client: a name, or an address literal
/// (RFC 5321 section 4.1.3).
///
/// Two domains are equal if their names are equal in ASCII form, lower case, without a trailing
/// dot: `Bücher.example.` equals `xn--bcher-kva.EXAMPLE`.
#[derive(Clone)]
pub struct Domain {
    written: Box<str>,
    /// The comparable form, when it differs from `written`.
    folded: Option<Box<str>>,
}

impl Domain {
    /// Reads a domain name or an address literal.
    ///
    /// # Errors
    /// Says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.is_empty() {
            return Err(AddressError::NoDomain);
        }
        if text.len() > MAX_DOMAIN {
            return Err(AddressError::TooLong);
        }
        let folded = if text.starts_with('[') {
            literal(text).ok_or(AddressError::BadLiteral)?;
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            fold_name(text)?
        };
        let folded = (folded != text).then(|| folded.into());
        Ok(Self { written: text.into(), folded })
    }

    /// Reads a name that is only asked for in the DNS, where labels may have more than those of hosts have (RFC 2181 section 11):
    /// SPF makes such names of local parts. Printable ASCII and blanks, labels of 1 to 63 bytes.
    ///
    /// # Errors
    /// No name server can know it.
    pub fn in_dns(text: &str) -> Result<Self, AddressError> {
        if let Ok(domain) = Self::parse(text) {
            return Ok(domain);
        }
        let is_asked_for = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
        let is_label =
            |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(is_asked_for);
        if text.len() > MAX_DOMAIN || !text.split('.').all(is_label) {
            return Err(AddressError::BadDomain);
        }
        let folded = text.to_ascii_lowercase();
        let folded = (folded != text).then(|| folded.into());
        Ok(Self { written: text.into(), folded })
    }

    /// The domain as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The comparable form: ASCII, lower case, no trailing dot. What tables and DNS are asked for.
    #[must_use]
    pub fn as_ascii(&self) -> &str {
        self.folded.as_deref().unwrap_or(&self.written)
    }

    /// The IP address, if the domain is an address literal.
    #[must_use]
    pub fn literal(&self) -> Option<IpAddr> {
        literal(&self.written)
    }

    /// Whether the name has at least two labels, or is a literal (Postfix
    /// `reject_non_fqdn_hostname`).
    #[must_use]
    pub fn is_qualified(&self) -> bool {
        self.as_ascii().contains('.') || self.literal().is_some()
    }

    /// Whether this is `parent` itself or a name below it.
    #[must_use]
    pub fn is_within(&self, parent: &Domain) -> bool {
        let (name, parent) = (self.as_ascii(), parent.as_ascii());
        name.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

impl PartialEq for Domain {
    fn eq(&self, other: &Self) -> bool {
        self.as_ascii() == other.as_ascii()
    }
}

impl Eq for Domain {}

impl PartialOrd for Domain {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Domain {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_ascii().cmp(other.as_ascii())
    }
}

impl Hash for Domain {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_ascii().hash(state);
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl FromStr for Domain {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

impl Serialize for Domain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written)
    }
}

impl<'de> Deserialize<'de> for Domain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Where reports about a mail go: a mailbox, or nowhere (`MAIL FROM:<>`, RFC 5321 section 4.5.5).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReversePath {
    /// The null sender: reports and notices. Never answered by a report.
    Null,
    /// Somebody who hears about non-delivery.
    Mailbox(Address),
}

impl ReversePath {
    /// The address, unless it is the null sender.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Null => None,
            Self::Mailbox(address) => Some(address),
        }
    }

    /// The address as written; empty for the null sender, as logs and SMTP write it inside `<>`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.address().map_or("", Address::as_str)
    }
}

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Address> for ReversePath {
    fn from(address: Address) -> Self {
        Self::Mailbox(address)
    }
}

impl Serialize for ReversePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ReversePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(Self::Null);
        }
        Address::parse(&text).map(Self::Mailbox).map_err(serde::de::Error::custom)
    }
}

/// What is wrong with the text of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Longer than [`MAX_ADDRESS`], or a part of it longer than its limit.
    #[error("the address is too long")]
    TooLong,
    /// Nothing stands before the `@`.
    #[error("the address has no local part")]
    NoLocalPart,
    /// There is no `@`, or nothing stands after it.
    #[error("the address has no domain")]
    NoDomain,
    /// A character that a local part may hold only in quotes, or not at all.
    #[error("the local part has a character that is not allowed there")]
    BadLocalPart,
    /// The domain is no host name in ASCII or Unicode.
    #[error("the domain is not a valid name")]
    BadDomain,
    /// Square brackets hold no IP address.
    #[error("the address literal is not an IP address")]
    BadLiteral,
}

/// Where the `@` after the local part stands.
fn end_of_local_part(text: &str) -> Result<usize, AddressError> {
    let end = if text.starts_with('"') { end_of_quoted(text)? } else { end_of_dot_string(text)? };
    match text.as_bytes().get(end) {
        Some(b'@') if end > MAX_LOCAL_PART => Err(AddressError::TooLong),
        Some(b'@') => Ok(end),
        Some(_) => Err(AddressError::BadLocalPart),
        None => Err(AddressError::NoDomain),
    }
}

fn end_of_dot_string(text: &str) -> Result<usize, AddressError> {
    let end = text.find('@').unwrap_or(text.len());
    let local = &text[..end];
    match local.chars().all(|c| is_atext(c) || c == '.') {
        _ if local.is_empty() => Err(AddressError::NoLocalPart),
        true => Ok(end),
        false => Err(AddressError::BadLocalPart),
    }
}

fn end_of_quoted(text: &str) -> Result<usize, AddressError> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if c.is_control() => return Err(AddressError::BadLocalPart),
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Ok(at + 1),
            _ => {}
        }
    }
    Err(AddressError::BadLocalPart)
}

/// RFC 5322 `atext`, widened by RFC 6531 to all of Unicode that is no control and no space.
fn is_atext(c: char) -> bool {
    match c {
        _ if c.is_ascii_alphanumeric() => true,
        _ if c.is_ascii() => "!#$%&'*+-/=?^_`{|}~".contains(c),
        _ => !c.is_control() && !c.is_whitespace(),
    }
}

fn unquote(local: &str) -> Cow<'_, str> {
    let Some(inner) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Cow::Borrowed(local);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    Cow::Owned(plain)
}

fn fold_name(text: &str) -> Result<Cow<'_, str>, AddressError> {
    let mut name = if !text.is_ascii() {
        Cow::Owned(idna::domain_to_ascii(text).map_err(|_| AddressError::BadDomain)?)
    } else if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    };
    if let Some(without_dot) = name.strip_suffix('.') {
        name = Cow::Owned(without_dot.to_owned());
    }
    let is_name = name.as_bytes().split(|&byte| byte == b'.').all(is_label);
    if is_name { Ok(name) } else { Err(AddressError::BadDomain) }
}

/// A label of a host name. Underscores are let through: they exist in the wild.
fn is_label(label: &[u8]) -> bool {
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=63).contains(&label.len())
        && label.iter().all(is_inner)
        && !label.starts_with(b"-")
        && !label.ends_with(b"-")
}

fn literal(text: &str) -> Option<IpAddr> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    match inner.split_at_checked(IPV6_TAG.len()) {
        Some((tag, rest)) if tag.eq_ignore_ascii_case(IPV6_TAG) => {
            rest.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
        }
        _ => inner.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

const IPV6_TAG: &str = "IPv6:";

/// The longest address that is accepted, in bytes: local part, `@` and domain.
pub const MAX_ADDRESS: usize = MAX_LOCAL_PART + 1 + MAX_DOMAIN;

/// RFC 5321 section 4.5.3.1.1 asks for at least 64; bounce addresses of mailing lists need more.
const MAX_LOCAL_PART: usize = 255;

/// RFC 5321 section 4.5.3.1.2.
const MAX_DOMAIN: usize = 255;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn the_domain_is_compared_without_case_encoding_and_trailing_dot() {
        assert_eq!(address("a@Example.ORG"), address("a@example.org."));
        assert_eq!(address("a@bücher.example"), address("a@XN--BCHER-KVA.example"));
        assert_eq!(address("a@한국.example"), address("a@xn--3e0b707e.example"));
        assert_eq!(address("a@example\u{ff0e}org"), address("a@example.org"));
    }

    #[test]
    fn names_in_the_dns_have_more_than_those_of_hosts() {
        let name = Domain::in_dns("Ann+tag=x._spf.Example").unwrap();
        assert_eq!(name.as_ascii(), "ann+tag=x._spf.example");
        assert!(Domain::parse("Ann+tag=x._spf.Example").is_err());
        assert_eq!(Domain::in_dns("x.example"), Domain::parse("x.example"));
        let long = format!("{}.example", "+".repeat(64));
        for no_name in ["", "+..example", "\u{1}.example", "\u{fc}+.example", &long] {
            assert!(Domain::in_dns(no_name).is_err(), "{no_name:?}");
        }
    }

    #[test]
    fn the_local_part_is_compared_as_meant_and_keeps_its_case() {
        assert_eq!(address("\"john\"@x.example"), address("john@x.example"));
        assert_eq!(address("\"jo\\hn\"@x.example"), address("john@x.example"));
        assert_ne!(address("John@x.example"), address("john@x.example"));
        assert_eq!(address("\"John D\"@x.example").as_str(), "\"John D\"@x.example");
    }

    #[test]
    fn routing_hidden_in_the_local_part_is_seen_also_inside_quotes() {
        for text in ["u%o.example@us.example", "o!u@us.example", "\"u@o.example\"@us.example"] {
            assert!(address(text).asks_for_routing(), "{text}");
        }
        assert!(!address("plain+tag@us.example").asks_for_routing());
    }

    #[test]
    fn literals_are_ip_addresses_or_refused() {
        assert_eq!(address("a@[127.0.0.1]").domain().literal(), Some([127, 0, 0, 1].into()));
        assert_eq!(
            address("a@[ipv6:::1]").domain().literal(),
            Some(IpAddr::V6(Ipv6Addr::LOCALHOST))
        );
        assert_eq!(Address::parse("a@[999.0.0.1]"), Err(AddressError::BadLiteral));
        assert_eq!(Address::parse("a@[::1]"), Err(AddressError::BadLiteral));
    }

    #[test]
    fn each_rule_has_its_error() {
        let long = format!("{}@x.example", "a".repeat(256));
        for (text, error) in [
            ("", AddressError::NoLocalPart),
            ("@x.example", AddressError::NoLocalPart),
            ("a", AddressError::NoDomain),
            ("a@", AddressError::NoDomain),
            ("a b@x.example", AddressError::BadLocalPart),
            ("a@b@x.example", AddressError::BadDomain),
            ("\"a@x.example", AddressError::BadLocalPart),
            ("\"a\"b@x.example", AddressError::BadLocalPart),
            ("\"a\r\nb\"@x.example", AddressError::BadLocalPart),
            ("a@x..example", AddressError::BadDomain),
            ("a@-x.example", AddressError::BadDomain),
            (&long, AddressError::TooLong),
        ] {
            assert_eq!(Address::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_name_is_within_itself_and_its_parents_only() {
        let domain = |text: &str| text.parse::<Domain>().unwrap();
        assert!(domain("a.b.example").is_within(&domain("B.example")));
        assert!(domain("b.example").is_within(&domain("b.example")));
        assert!(!domain("ab.example").is_within(&domain("b.example")));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,80}|[\"\\\\@a.\\[\\]:%]{0,20}") {
            if let Ok(address) = Address::parse(&text) {
                prop_assert_eq!(address.as_str(), text.as_str());
                prop_assert_eq!(&address, &address.clone());
            }
        }
    }
}
