//! How one value of the file becomes a typed value: text, numbers, sizes, durations, networks,
//! lists.
//!
//! Each type says which values it takes in words ([`Setting::ALLOWED`]), so that the answer to a
//! wrong value and the reference never differ from what the parser does.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use mailweir_mail::{Address, Domain, Network, NetworkError};

use super::raw::{Place, RawValue};

/// A type that a key of the file may have.
pub(super) trait Setting: Sized {
    /// Which values are allowed, in words.
    const ALLOWED: &'static str;
    /// A value in TOML that shows the form.
    const EXAMPLE: &'static str;
    /// Whether a key of this type may be absent without a default.
    const OPTIONAL: bool = false;

    /// Reads a value.
    ///
    /// # Errors
    /// Everything that is wrong with it, at least one refusal.
    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>>;

    /// What stands in for an absent key that has no default.
    fn absent() -> Option<Self> {
        None
    }
}

/// Why a value, or one element of a list, is not taken.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    /// Where it stands.
    pub(super) place: Place,
    /// What is wrong with it; names the value.
    pub(super) message: String,
    /// What was probably meant.
    pub(super) hint: Option<String>,
}

impl Refusal {
    /// A refusal without a hint.
    pub(super) fn new(value: &RawValue, message: impl fmt::Display) -> Self {
        Self { place: value.place.clone(), message: message.to_string(), hint: None }
    }

    /// Adds what was probably meant.
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The same, where a list of refusals is wanted.
    pub(super) fn alone<T>(self) -> Result<T, Vec<Self>> {
        Err(vec![self])
    }
}

impl<T: Setting> Setting for Option<T> {
    const ALLOWED: &'static str = T::ALLOWED;
    const EXAMPLE: &'static str = T::EXAMPLE;
    const OPTIONAL: bool = true;

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        T::from_value(value).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

/// A type that may stand in a list.
pub(super) trait Element: Setting {
    /// Which values a list of these takes, in words.
    const LIST_ALLOWED: &'static str;
    /// A list in TOML that shows the form.
    const LIST_EXAMPLE: &'static str;
}

impl<T: Element> Setting for Vec<T> {
    const ALLOWED: &'static str = T::LIST_ALLOWED;
    const EXAMPLE: &'static str = T::LIST_EXAMPLE;

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let mut taken = Self::new();
        let mut refused = Vec::new();
        for element in value.elements()? {
            match T::from_value(&element) {
                Ok(element) => taken.push(element),
                Err(refusals) => refused.extend(refusals),
            }
        }
        if refused.is_empty() { Ok(taken) } else { Err(refused) }
    }
}

impl Setting for bool {
    const ALLOWED: &'static str = "true | false";
    const EXAMPLE: &'static str = "true";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        value.flag()
    }
}

impl Setting for u32 {
    const ALLOWED: &'static str = "a whole number from 0 to 4294967295";
    const EXAMPLE: &'static str = "50";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let number = value.number()?;
        Self::try_from(number)
            .or_else(|_| Refusal::new(value, format_args!("{number} is out of range")).alone())
    }
}

impl Setting for String {
    const ALLOWED: &'static str = "text in quotes, not empty";
    const EXAMPLE: &'static str = "\"gate\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        value.text().map(str::to_owned)
    }
}

impl Setting for PathBuf {
    const ALLOWED: &'static str = "the path of a file or directory, in quotes";
    const EXAMPLE: &'static str = "\"/etc/mailweir/file\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        value.text().map(Self::from)
    }
}

impl Setting for Domain {
    const ALLOWED: &'static str = "a domain name, such as \"gate.example.org\"";
    const EXAMPLE: &'static str = "\"gate.example.org\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        match Self::parse(text) {
            Ok(domain) if domain.literal().is_none() => Ok(domain),
            Ok(_) => Refusal::new(value, format_args!("{text:?} is no name")).alone(),
            Err(error) => Refusal::new(value, format_args!("{text:?}: {error}")).alone(),
        }
    }
}

impl Setting for Address {
    const ALLOWED: &'static str = "a mail address, such as \"postmaster@example.org\"";
    const EXAMPLE: &'static str = "\"postmaster@example.org\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        Self::parse(text)
            .or_else(|error| Refusal::new(value, format_args!("{text:?}: {error}")).alone())
    }
}

impl Setting for SocketAddr {
    const ALLOWED: &'static str =
        "an IP address and a port, such as \"0.0.0.0:25\" or \"[::1]:25\"";
    const EXAMPLE: &'static str = "\"127.0.0.1:25\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        text.parse().or_else(|_| {
            let refusal = Refusal::new(value, format_args!("{text:?} is no address with a port"));
            match nearest_socket_address(text) {
                Some(hint) => refusal.hint(hint),
                None => refusal,
            }
            .alone()
        })
    }
}

impl Element for SocketAddr {
    const LIST_ALLOWED: &'static str =
        "a list of IP addresses with ports, such as [\"0.0.0.0:25\", \"[::]:25\"]";
    const LIST_EXAMPLE: &'static str = "[\"0.0.0.0:25\"]";
}

impl Setting for Ipv4Addr {
    const ALLOWED: &'static str = "an IPv4 address, such as \"192.0.2.1\"";
    const EXAMPLE: &'static str = "\"192.0.2.1\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        text.parse()
            .or_else(|_| Refusal::new(value, format_args!("{text:?} is no IPv4 address")).alone())
    }
}

impl Setting for Ipv6Addr {
    const ALLOWED: &'static str = "an IPv6 address, such as \"2001:db8::1\"";
    const EXAMPLE: &'static str = "\"2001:db8::1\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        text.parse()
            .or_else(|_| Refusal::new(value, format_args!("{text:?} is no IPv6 address")).alone())
    }
}

impl Setting for Network {
    const ALLOWED: &'static str =
        "an IP address or a network, such as \"192.0.2.7\" or \"10.0.0.0/8\"";
    const EXAMPLE: &'static str = "\"10.0.0.0/8\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        Self::parse(text).or_else(|error| {
            let refusal = Refusal::new(value, format_args!("{text:?}: {error}"));
            match error {
                NetworkError::HostBitsSet => refusal.hint(nearest_networks(text)),
                _ => refusal,
            }
            .alone()
        })
    }
}

impl Element for Network {
    const LIST_ALLOWED: &'static str = "a list of IP addresses and networks, such as [\"192.0.2.7\", \"10.0.0.0/8\", \"fd00::/8\"]";
    const LIST_EXAMPLE: &'static str = "[\"10.0.0.0/8\"]";
}

/// A number of bytes; in the file a whole number, or `"25 MiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// The number of bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo_units(f, self.0)
    }
}

fn todo_units(f: &mut fmt::Formatter<'_>, bytes: u64) -> fmt::Result {
    write!(f, "{bytes}")
}

impl Setting for ByteSize {
    const ALLOWED: &'static str = "a size: a number of bytes, or a number with B, kB, MB, GB, KiB, MiB or GiB, such as \"25 MiB\"";
    const EXAMPLE: &'static str = "\"25 MiB\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        value.number().map(Self)
    }
}

impl Setting for Duration {
    const ALLOWED: &'static str = "a duration: a number with ms, s, min, h, d or w, such as \"5 min\"; as in Postfix, \"5m\" is minutes";
    const EXAMPLE: &'static str = "\"5 min\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        value.number().map(Self::from_secs)
    }
}

/// A short name made of letters, digits, `-`, `_` and `.`, that fits into logs and variables.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Label(pub(super) Box<str>);

impl Setting for Label {
    const ALLOWED: &'static str = "1 to 32 letters, digits, \"-\", \"_\" or \".\"";
    const EXAMPLE: &'static str = "\"mx\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if (1..=32).contains(&text.len()) && text.bytes().all(fits) {
            return Ok(Self(text.into()));
        }
        Refusal::new(value, format_args!("{text:?} is no label")).alone()
    }
}

/// The address of a web site, `https://host[:port][/path]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpUrl(Box<str>);

impl HttpUrl {
    /// The URL, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for HttpUrl {
    const ALLOWED: &'static str = "a URL, such as \"https://gate.example.org\"";
    const EXAMPLE: &'static str = "\"https://gate.example.org\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        Ok(Self(text.into()))
    }
}

/// A password. Never shown: not in logs, not in problems, not by `{:?}`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// A secret with this text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Setting for Secret {
    const ALLOWED: &'static str = "any text, in the environment only";
    const EXAMPLE: &'static str = "";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        match value.place {
            Place::Variable(_) => value.text().map(Self::new),
            _ => Refusal::new(value, "a password must not stand in the file").alone(),
        }
    }
}

fn nearest_socket_address(text: &str) -> Option<String> {
    if let Some(port) = text.strip_prefix(':') {
        return Some(format!("\"0.0.0.0:{port}\" or \"[::]:{port}\""));
    }
    match text.parse::<IpAddr>().ok()? {
        IpAddr::V4(ip) => Some(format!("\"{ip}:25\"")),
        IpAddr::V6(ip) => Some(format!("\"[{ip}]:25\"")),
    }
}

fn nearest_networks(text: &str) -> String {
    text.to_owned()
}
