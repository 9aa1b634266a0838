//! One row of the query's answer, and what it says of a user.

use zeroize::Zeroizing;

use crate::{Denial, Identity, Mechanism, Record, Roles, Scheme, ScramHash, UserName};

/// The columns of a row by name.
pub(super) type Row = Vec<(Box<str>, Value)>;

/// A value of a column, as far as it can mean something here.
#[derive(Debug)]
pub(super) enum Value {
    /// NULL.
    Null,
    /// Characters, or bytes that are UTF-8.
    Text(Zeroizing<String>),
    /// A boolean, or a number that is zero or not.
    Truth(bool),
    /// Anything else.
    Other,
}

/// What the database knows of one user.
#[derive(Debug)]
pub(super) struct Entry {
    password: Option<Value>,
    keys: Vec<(ScramHash, Value)>,
    enabled: Option<Value>,
    name: Option<Value>,
    roles: Option<Value>,
}

/// An answer that is like this for everybody: the query is wrong. What is the matter with one user
/// is a [`Denial`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Oddity {
    #[error("the query gives no column `password`; name one so, by `AS password` if need be")]
    NoPassword,
    #[error("the query gives the column `{0}` twice; name each column that it shall give")]
    Twice(Box<str>),
}

impl Entry {
    /// Reads a row. Names of columns count in any case; others than those of [`super::Sql`] are
    /// left alone.
    pub(super) fn read(row: Row) -> Result<Self, Oddity> {
        let mut entry =
            Self { password: None, keys: Vec::new(), enabled: None, name: None, roles: None };
        for (column, value) in row {
            let place = match column.to_ascii_lowercase().as_str() {
                "password" => &mut entry.password,
                "enabled" => &mut entry.enabled,
                "name" => &mut entry.name,
                "roles" => &mut entry.roles,
                other => {
                    let Some(hash) = scram_hash(other) else { continue };
                    if entry.keys.iter().any(|&(known, _)| known == hash) {
                        return Err(Oddity::Twice(column));
                    }
                    entry.keys.push((hash, value));
                    continue;
                }
            };
            if place.replace(value).is_some() {
                return Err(Oddity::Twice(column));
            }
        }
        match entry.password.is_none() && entry.keys.is_empty() {
            true => Err(Oddity::NoPassword),
            false => Ok(entry),
        }
    }

    /// The secrets; none, if the password is NULL, empty, or nothing that can be read. Who takes the
    /// password out of a row means that nobody logs in by it, by keys neither.
    pub(super) fn record(&self, default_scheme: Option<Scheme>) -> Record {
        let mut texts = Vec::new();
        match &self.password {
            None => {}
            Some(Value::Text(text)) if !text.is_empty() => texts.push(text.clone()),
            Some(Value::Null | Value::Text(_) | Value::Truth(_) | Value::Other) => {
                return Record::default();
            }
        }
        for (hash, value) in &self.keys {
            if let Value::Text(text) = value
                && !text.is_empty()
            {
                texts.push(with_scheme(text, Mechanism::Scram(*hash)));
            }
        }
        Record::parse(texts.iter().map(|text| text.as_str()), default_scheme).unwrap_or_default()
    }

    /// Who logs in, once that is proven: by its name in the row, or `unnamed`.
    ///
    /// # Errors
    /// [`Denial::Suspended`], that of `unnamed`, or [`Denial::OddEntry`].
    pub(super) fn identity(&self, unnamed: Result<&UserName, Denial>) -> Result<Identity, Denial> {
        if !self.is_enabled()? {
            return Err(Denial::Suspended);
        }
        let name = match text(&self.name).ok_or(ODD_NAME)? {
            Some(name) => name.parse().map_err(|_| ODD_NAME)?,
            None => unnamed?.clone(),
        };
        let roles = match text(&self.roles).ok_or(ODD_ROLES)? {
            Some(roles) => roles.parse().map_err(|_| ODD_ROLES)?,
            None => Roles::EMPTY,
        };
        Ok(Identity::proven(name).with_roles(roles))
    }

    /// NULL is no yes.
    fn is_enabled(&self) -> Result<bool, Denial> {
        match &self.enabled {
            None => Ok(true),
            Some(Value::Null) => Ok(false),
            Some(Value::Truth(truth)) => Ok(*truth),
            Some(Value::Text(text)) => match text.trim().to_ascii_lowercase().as_str() {
                "1" | "t" | "true" | "y" | "yes" | "on" => Ok(true),
                "0" | "f" | "false" | "n" | "no" | "off" | "" => Ok(false),
                _ => Err(ODD_ENABLED),
            },
            Some(Value::Other) => Err(ODD_ENABLED),
        }
    }
}

/// The text of a column; nothing if there is no such column, or it is NULL or empty. `None` if it
/// holds no text.
#[expect(clippy::option_option, reason = "a text, none, or something else")]
fn text(value: &Option<Value>) -> Option<Option<&str>> {
    match value {
        None | Some(Value::Null) => Some(None),
        Some(Value::Text(text)) => Some(Some(text.trim()).filter(|text| !text.is_empty())),
        Some(Value::Truth(_) | Value::Other) => None,
    }
}

/// `scram_sha_256` is for SCRAM-SHA-256.
fn scram_hash(column: &str) -> Option<ScramHash> {
    let name = column.replace('_', "-");
    let is_it = |hash: &ScramHash| Mechanism::Scram(*hash).as_str().eq_ignore_ascii_case(&name);
    ScramHash::ALL.into_iter().find(is_it)
}

fn with_scheme(text: &str, scheme: Mechanism) -> Zeroizing<String> {
    Zeroizing::new(match text.starts_with('{') {
        true => text.to_owned(),
        false => format!("{{{scheme}}}{text}"),
    })
}

const ODD_ENABLED: Denial = Denial::OddEntry(
    "the column `enabled` holds something that is neither yes nor no; correct it in the database",
);
const ODD_NAME: Denial = Denial::OddEntry(
    "the column `name` holds something that is no user name; correct it in the database",
);
const ODD_ROLES: Denial = Denial::OddEntry(
    "the column `roles` holds a role that is not known, or no names divided by commas; correct it \
     in the database",
);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Checks, Decoys, DirectoryError, HashLimits, Password, Role, ScramKeys, Verifier};

    async fn keys_of(record: &Record, hash: ScramHash) -> Result<ScramKeys, DirectoryError> {
        let home = tempfile::tempdir().unwrap();
        let decoys = Decoys::open(&home.path().join("users")).unwrap();
        let verifier = Verifier::new(Arc::new(Checks::new(HashLimits::default())), decoys);
        verifier.keys(Some(record), &ann(), hash).await
    }

    #[tokio::test]
    async fn keys_have_a_column_of_their_own_or_the_password_column() {
        let keys = sha256_keys();
        let braced = format!("{{SCRAM-SHA-256}}{keys}");
        for row in [
            vec![("password", text(&braced))],
            vec![("SCRAM_SHA_256", text(&keys))],
            vec![("scram-sha-256", text(&braced)), ("scram_sha_1", Value::Null)],
        ] {
            let record = read(row).unwrap().record(None);
            assert!(keys_of(&record, ScramHash::Sha256).await.is_ok());
            assert!(keys_of(&record, ScramHash::Sha1).await.is_err());
        }
        let defaulted = read(vec![("password", text(&keys))]).unwrap();
        let scheme = "SCRAM-SHA-256".parse().ok();
        assert!(keys_of(&defaulted.record(scheme), ScramHash::Sha256).await.is_ok());
        assert!(defaulted.record(None).is_empty());
    }

    #[test]
    fn who_has_no_password_has_no_keys() {
        for nothing in [Value::Null, text(""), text("secret"), Value::Truth(true), Value::Other] {
            let row = vec![("password", nothing), ("scram_sha_256", text(&sha256_keys()))];
            assert!(read(row).unwrap().record(None).is_empty());
        }
    }

    #[test]
    fn rows_that_cannot_be_understood_are_named() {
        assert_eq!(read(vec![("hash", text("a"))]).unwrap_err(), Oddity::NoPassword);
        for column in ["password", "name", "scram_sha_256"] {
            let row = vec![("password", Value::Null), (column, Value::Null), (column, Value::Null)];
            assert_eq!(read(row).unwrap_err(), Oddity::Twice(column.into()));
        }
    }

    #[test]
    fn a_user_is_enabled_unless_the_column_says_no() {
        let identity = |value| with("enabled", value).identity(Ok(&ann()));
        for yes in [Value::Truth(true), text("1"), text("Y"), text("t"), text("yes ")] {
            assert!(identity(yes).is_ok());
        }
        for no in [Value::Truth(false), Value::Null, text("0"), text("N"), text(""), text("off")] {
            assert_eq!(identity(no).unwrap_err(), Denial::Suspended);
        }
        for odd in [text("maybe"), Value::Other] {
            assert_eq!(identity(odd).unwrap_err(), ODD_ENABLED);
        }
    }

    #[test]
    fn name_and_roles_are_those_of_the_row() {
        let named = with("name", text("Ann@Example.org")).identity(Ok(&ann())).unwrap();
        assert_eq!(named.user().as_str(), "ann@example.org");
        for claimed in [Value::Null, text(" ")] {
            assert_eq!(with("name", claimed).identity(Ok(&ann())).unwrap().user(), &ann());
        }
        let roles = with("roles", text("auditor, sender")).identity(Ok(&ann())).unwrap().roles();
        assert!(roles.contains(Role::Auditor) && roles.contains(Role::Sender));
        assert_eq!(with("roles", Value::Null).identity(Ok(&ann())).unwrap().roles(), Roles::EMPTY);
        for (column, odd) in
            [("name", text("a b")), ("name", Value::Other), ("roles", text("auditor,king"))]
        {
            let error = with(column, odd).identity(Ok(&ann())).unwrap_err();
            assert!(matches!(error, Denial::OddEntry(_)));
            let error = error.to_string();
            assert!(error.contains(column) && !error.contains("king"), "{error}");
        }
    }

    fn with(column: &str, value: Value) -> Entry {
        read(vec![("password", Value::Null), (column, value)]).unwrap()
    }

    fn read(row: Vec<(&str, Value)>) -> Result<Entry, Oddity> {
        Entry::read(row.into_iter().map(|(column, value)| (column.into(), value)).collect())
    }

    fn text(text: &str) -> Value {
        Value::Text(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn who_may_not_go_by_the_claimed_name_needs_one_in_the_row() {
        let named = with("name", text("ann@example.org")).identity(Err(Denial::NoName)).unwrap();
        assert_eq!(named.user().as_str(), "ann@example.org");
        for nothing in [Value::Null, text(" ")] {
            let unnamed = with("name", nothing).identity(Err(Denial::NoName));
            assert_eq!(unnamed.unwrap_err(), Denial::NoName);
        }
    }

    fn ann() -> UserName {
        "ann".parse().unwrap()
    }

    fn sha256_keys() -> String {
        let password = Password::new("pencil").unwrap();
        ScramKeys::derive(ScramHash::Sha256, &password, b"salt", 4_096).to_text()
    }
}
