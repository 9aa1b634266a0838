//! Labels, URLs and passwords as settings.

use std::fmt;

use super::{
    setting::{Refusal, Setting},
    value::{Place, RawValue},
};

/// A short name made of letters, digits, `-`, `_` and `.`, that fits into logs and variables.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Label(pub(super) Box<str>);

/// Words that may be none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words(pub(super) Box<str>);

impl Setting for Words {
    const ALLOWED: &'static str = "text in quotes";
    const EXAMPLE: &'static str = "\"\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        Ok(Self(value.text_or_nothing()?.unwrap_or_default().into()))
    }
}

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
    /// The host name or address, without a port.
    #[must_use]
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or(&*self.0, |(_, rest)| rest);
        let authority = rest.split('/').next().unwrap_or(rest);
        match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => authority,
        }
    }

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
        let text = value.text()?.trim_end_matches('/');
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let plain = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{|}?#@".contains(c);
        match rest {
            Some(rest) if !rest.is_empty() && !rest.starts_with('/') && rest.chars().all(plain) => {
                Ok(Self(text.into()))
            }
            Some(_) => Refusal::new(value, format_args!("{text:?} is no URL")).alone(),
            None => Refusal::new(value, format_args!("{text:?} is no URL"))
                .hint(format!("\"https://{text}\""))
                .alone(),
        }
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
            Place::File(_) | Place::Default => {
                let message = "a password must not stand in the file; write it into a file of its \
                               own and name that in password_file";
                Refusal::new(value, message).secret().alone()
            }
        }
    }
}
