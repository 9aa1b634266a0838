//! How one value of the file becomes a typed value; here the plain ones, options and lists.
//!
//! Each type says which values it takes in words ([`Setting::ALLOWED`]), so that the answer to a
//! wrong value and the reference never differ from what the parser does.

use std::{fmt, num::NonZeroU32, path::PathBuf};

use mailweir_mail::{Address, Domain};

use super::value::{Place, RawValue};

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
    /// Whether the value holds a secret, so that its line must not be shown.
    pub(super) secret: bool,
}

impl Refusal {
    /// A refusal without a hint.
    pub(super) fn new(value: &RawValue, message: impl fmt::Display) -> Self {
        Self { place: value.place.clone(), message: message.to_string(), hint: None, secret: false }
    }

    /// Adds what was probably meant.
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Adds what was probably meant, if that is known.
    pub(super) fn maybe(self, hint: Option<String>) -> Self {
        Self { hint, ..self }
    }

    /// The same, of a value that holds a secret.
    pub(super) fn secret(self) -> Self {
        Self { secret: true, ..self }
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

impl Setting for NonZeroU32 {
    const ALLOWED: &'static str = "a whole number from 1 to 4294967295";
    const EXAMPLE: &'static str = "50";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        Self::new(u32::from_value(value)?)
            .map_or_else(|| Refusal::new(value, "0 would let nothing through").alone(), Ok)
    }
}

impl Setting for String {
    const ALLOWED: &'static str = "text in quotes, not empty";
    const EXAMPLE: &'static str = "\"gate\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        value.text().map(str::to_owned)
    }
}

impl Element for String {
    const LIST_ALLOWED: &'static str = "a list of texts";
    const LIST_EXAMPLE: &'static str = "[\"mailweir\"]";
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

impl Element for Domain {
    const LIST_ALLOWED: &'static str = "a list of domain names, such as [\"example.org\"]";
    const LIST_EXAMPLE: &'static str = "[\"example.org\"]";
}

impl Element for Address {
    const LIST_ALLOWED: &'static str = "a list of mail addresses, such as [\"boss@example.org\"]";
    const LIST_EXAMPLE: &'static str = "[\"boss@example.org\"]";
}
