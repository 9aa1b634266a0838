//! `[[admin.api_token]]`: programs that may use the API as administrators.

use mailweir_mail::hex;

use super::{
    check::{Written, all},
    choice::ApiRights,
    problem::Problems,
    raw::RawConfig,
    schema::ApiTokenSection,
    setting::{Refusal, Setting},
    value::RawValue,
};

/// A token of the API. Of the token itself nothing but its hash is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// The name that decisions are recorded under.
    pub name: Box<str>,
    /// Its SHA-256.
    pub sha256: [u8; 32],
    /// What it may do.
    pub rights: ApiRights,
}

/// A SHA-256 in hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sha256(pub(super) [u8; 32]);

impl Setting for Sha256 {
    const ALLOWED: &'static str = "64 hexadecimal digits";
    const EXAMPLE: &'static str =
        "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        // Somebody may have written the token itself.
        let refused = || {
            Refusal::new(value, "this is no SHA-256; `mailweir api-token` prints the line")
                .secret()
                .alone()
        };
        let hash = hex::decode(text).and_then(|hash| hash.try_into().ok());
        hash.map_or_else(refused, |hash| Ok(Self(hash)))
    }
}

/// Checks the tokens, in order.
pub(super) fn check(raw: &RawConfig, problems: &mut Problems<'_>) -> Vec<ApiToken> {
    let mut tokens: Vec<ApiToken> = Vec::new();
    for Written { table, section } in &all::<ApiTokenSection>(raw, problems) {
        let ApiTokenSection { name, sha256, rights } = section;
        if tokens.iter().any(|other| other.name.eq_ignore_ascii_case(&name.0)) {
            let message = format!("{:?} is the name of another token already", name.0);
            problems.error(table, "name", message);
        }
        if let Some(other) = tokens.iter().find(|other| other.sha256 == sha256.0) {
            let message = format!("this is the token {:?} already", other.name);
            problems.error(table, "sha256", message);
        }
        tokens.push(ApiToken { name: name.0.clone(), sha256: sha256.0, rights: *rights });
    }
    tokens
}
