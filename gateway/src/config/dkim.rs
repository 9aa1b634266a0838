//! `[[dkim]]`: the keys that mail of our own people is signed with.

use std::{fmt, sync::Arc};

use mailweir_mail::{Date, Domain};
use mailweir_spam::dkim::sign::{Coverage, KeyError, Signer, SigningKey};

use super::{
    Surroundings,
    check::{Written, all, read_file},
    problem::Problems,
    raw::RawConfig,
    schema::DkimSection,
    setting::{Refusal, Setting},
    value::{RawValue, Value},
};

/// A key, and when it signs.
#[derive(Clone)]
pub struct DkimKey {
    /// The domain that signs.
    pub domain: Domain,
    /// The name of the key in the domain.
    pub selector: Box<str>,
    /// What signs with this key alone.
    pub signer: Arc<Signer>,
    /// The first day on which it signs; `None`: always.
    pub from: Option<Date>,
    /// The first day on which it signs no more.
    pub until: Option<Date>,
}

impl DkimKey {
    /// Whether it signs on this day.
    #[must_use]
    pub fn is_in_force(&self, today: Date) -> bool {
        self.from.is_none_or(|from| from <= today) && self.until.is_none_or(|until| today < until)
    }

    /// For `mailweir check`.
    pub(super) fn describe(&self) -> String {
        let from = self.from.map(|from| format!(", from {from}")).unwrap_or_default();
        let until = self.until.map(|until| format!(", until {until}")).unwrap_or_default();
        let Self { domain, selector, .. } = self;
        format!("mail of {domain} by the key {selector}{from}{until}")
    }
}

impl fmt::Debug for DkimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

impl Setting for Date {
    const ALLOWED: &'static str = "a day, as \"2026-12-31\"";
    const EXAMPLE: &'static str = "\"2026-12-31\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let day = match &value.value {
            Value::Text(text) | Value::Loose(text) => text.parse().ok(),
            Value::Number(_)
            | Value::Fraction(_)
            | Value::Flag(_)
            | Value::List(_)
            | Value::Table(_)
            | Value::Other(_) => None,
        };
        day.map_or_else(|| Refusal::new(value, "no day of the calendar").alone(), Ok)
    }
}

/// Reads and checks the sections; keys that cannot be used are left out, and reported.
pub(super) fn check(
    raw: &RawConfig,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Vec<DkimKey> {
    let mut keys: Vec<DkimKey> = Vec::new();
    for written in all::<DkimSection>(raw, problems) {
        let Some(key) = check_one(&written, around, problems) else { continue };
        let is_same =
            |other: &DkimKey| other.domain == key.domain && other.selector == key.selector;
        if keys.iter().any(is_same) {
            let message = format!("{} is the name of a key of {} above", key.selector, key.domain);
            problems.error(&written.table, "selector", message);
        }
        keys.push(key);
    }
    keys
}

fn check_one(
    Written { table, section }: &Written<DkimSection>,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Option<DkimKey> {
    let DkimSection { domain, selector, key_file, from, until } = section;
    if from.zip(*until).is_some_and(|(from, until)| until <= from) {
        problems.error(table, "until", "it would never sign: it ends before it begins");
    }
    let pem = read_file(table, "key_file", key_file, around, problems)?;
    let key = match SigningKey::from_pem(domain, &selector.0, &pem) {
        Ok(key) => key,
        Err(error) => {
            problems
                .error(table, key_of(error), error.to_string())
                .help("`mailweir dkim new` makes a key");
            return None;
        }
    };
    let (domain, selector) = (key.domain().clone(), key.selector().into());
    let signer = Arc::new(Signer::new(vec![key], Coverage::default()));
    Some(DkimKey { domain, selector, signer, from: *from, until: *until })
}

/// The key of the section that is to blame.
const fn key_of(error: KeyError) -> &'static str {
    match error {
        KeyError::Domain => "domain",
        KeyError::Selector => "selector",
        KeyError::NoKey
        | KeyError::Encrypted
        | KeyError::OtherKind
        | KeyError::TooShort
        | KeyError::TooLong => "key_file",
    }
}
