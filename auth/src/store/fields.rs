//! The third field of a user's line: `key=value` pairs, divided by `;`.
//!
//! Each pair keeps the text that it was read from. So what this version does not know, or cannot
//! read, is written back as it was; and what is changed stays where it stood.

use std::fmt;

use aws_lc_rs::digest;
use mailweir_mail::hex;
use zeroize::Zeroizing;

use crate::{
    AppLabel, CramMd5Keys, Mechanism, Roles, ScramHash, ScramKeys,
    store::app_password::StoredAppPassword,
};

/// The third field, or none.
#[derive(Default)]
pub(super) struct Fields(Vec<Pair>);

struct Pair {
    text: Zeroizing<Box<str>>,
    meaning: Meaning,
}

enum Meaning {
    Keys(ScramKeys),
    CramMd5(CramMd5Keys),
    /// The check value of the hash that the keys belong to.
    KeysFor(Box<str>),
    Role(Roles),
    Disabled,
    App(StoredAppPassword),
    /// Has a mistake, and so does not count.
    Mistake(Key, &'static str),
    /// Of a later version, or nothing at all.
    Unknown,
}

/// What belongs together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Scram,
    Role,
    Disabled,
    App,
}

impl Fields {
    /// Reads the field, its leading `:` included; empty if there is none. `secret` is the second
    /// field of the line.
    pub(super) fn parse(text: &str, secret: &str) -> Result<Self, &'static str> {
        let pairs = text.strip_prefix(':').into_iter().flat_map(|text| text.split(';'));
        let mut fields = Self(pairs.map(Pair::parse).collect::<Result<_, _>>()?);
        let check = check_value(secret);
        let is_other =
            |pair: &Pair| matches!(&pair.meaning, Meaning::KeysFor(of) if **of != *check);
        if fields.0.iter().any(is_other) {
            fields.drop_keys();
        }
        Ok(fields)
    }

    /// From now on the keys do not count. They stay in the text.
    fn drop_keys(&mut self) {
        let is_key =
            |pair: &&mut Pair| matches!(pair.meaning, Meaning::Keys(_) | Meaning::CramMd5(_));
        for pair in self.0.iter_mut().filter(is_key) {
            pair.meaning = Meaning::Mistake(Key::Scram, OTHER_HASH);
        }
    }

    /// The keys for this hash.
    pub(super) fn keys(&self, hash: ScramHash) -> Option<&ScramKeys> {
        self.0.iter().find_map(|pair| match &pair.meaning {
            Meaning::Keys(keys) if keys.hash() == hash => Some(keys),
            _ => None,
        })
    }

    /// The keys for CRAM-MD5.
    pub(super) fn cram_md5(&self) -> Option<&CramMd5Keys> {
        self.0.iter().find_map(|pair| match &pair.meaning {
            Meaning::CramMd5(keys) => Some(keys),
            _ => None,
        })
    }

    /// Puts these keys in the place of all there are. They are those of `secret`, the second field
    /// of the line.
    pub(super) fn set_keys(
        &mut self,
        keys: Vec<ScramKeys>,
        cram_md5: Option<CramMd5Keys>,
        secret: &str,
    ) {
        let tie = Pair::of_check_value(check_value(secret));
        let keys = keys.into_iter().map(Pair::of_keys).chain(cram_md5.map(Pair::of_cram_md5));
        self.replace(Key::Scram, keys.chain([tie]));
    }

    /// The roles; none if none are written. An error if what is written is not understood to the
    /// last word: whatever it was to be, the user has no role by it, not even that of a sender.
    pub(super) fn roles(&self) -> Result<Roles, &'static str> {
        let mut written = self.0.iter().filter(|pair| pair.key() == Some(Key::Role));
        match (written.next().map(|pair| &pair.meaning), written.next()) {
            (None, _) => Ok(Roles::EMPTY),
            (Some(Meaning::Role(roles)), None) => Ok(*roles),
            (Some(Meaning::Mistake(_, what)), None) => Err(what),
            (Some(_), _) => Err(ROLES_TWICE),
        }
    }

    /// Puts these roles in the place of what is written; no roles: nothing is written.
    pub(super) fn set_roles(&mut self, roles: Roles) {
        let pair = (!roles.is_empty())
            .then(|| Pair { text: text(format!("{ROLE}={roles}")), meaning: Meaning::Role(roles) });
        self.replace(Key::Role, pair);
    }

    /// Whether the user is disabled, since whenever.
    pub(super) fn is_disabled(&self) -> bool {
        self.0.iter().any(|pair| pair.key() == Some(Key::Disabled))
    }

    /// Disables the user, or undoes it.
    pub(super) fn set_disabled(&mut self, disabled: bool) {
        let pair =
            disabled.then(|| Pair { text: text(DISABLED.into()), meaning: Meaning::Disabled });
        self.replace(Key::Disabled, pair);
    }

    /// The app passwords that count.
    pub(super) fn app_passwords(&self) -> impl Iterator<Item = &StoredAppPassword> {
        self.0.iter().filter_map(|pair| match &pair.meaning {
            Meaning::App(stored) => Some(stored),
            _ => None,
        })
    }

    /// Adds an app password.
    pub(super) fn add_app_password(&mut self, stored: StoredAppPassword) -> Result<(), Refused> {
        if self.0.iter().any(|pair| pair.is_app_password(&stored.app.label)) {
            return Err(Refused::Exists);
        }
        let text = text(format!("{APP}={}", stored.to_text().ok_or(Refused::Unwritable)?));
        self.0.retain(|pair| !pair.text.is_empty());
        self.0.push(Pair { text, meaning: Meaning::App(stored) });
        Ok(())
    }

    /// Deletes an app password, be it readable or not; false if there is none of this label.
    #[must_use]
    pub(super) fn delete_app_password(&mut self, label: &AppLabel) -> bool {
        let before = self.0.len();
        self.0.retain(|pair| !pair.is_app_password(label));
        self.0.len() < before
    }

    /// What is written and does not count.
    pub(super) fn problems(&self) -> impl Iterator<Item = &'static str> {
        let app_passwords = self.0.iter().filter_map(|pair| match pair.meaning {
            Meaning::Mistake(Key::App, what) => Some(what),
            _ => None,
        });
        // One for all keys: they have one cause and one cure.
        let keys = self.0.iter().find_map(|pair| match &pair.meaning {
            Meaning::Mistake(Key::Scram, what) => Some(*what),
            Meaning::Keys(keys) if !keys.look_like_decoys() => Some(UNLIKE_DECOYS),
            _ => None,
        });
        self.roles().err().into_iter().chain(app_passwords).chain(keys)
    }

    /// Puts `new` where the first pair of this key stands, or at the end, and takes the others out.
    fn replace(&mut self, key: Key, new: impl IntoIterator<Item = Pair>) {
        let at = self.0.iter().position(|pair| pair.key() == Some(key));
        let behind = at.map_or_else(Vec::new, |at| self.0.split_off(at));
        self.0.extend(new);
        self.0.extend(behind.into_iter().filter(|pair| pair.key() != Some(key)));
        self.0.retain(|pair| !pair.text.is_empty());
    }
}

/// Why an app password is not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// There is one of this label.
    Exists,
    /// The file has no text for it.
    Unwritable,
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, pair) in self.0.iter().enumerate() {
            write!(f, "{}{}", if at == 0 { ':' } else { ';' }, &**pair.text)?;
        }
        Ok(())
    }
}

impl Pair {
    fn parse(pair: &str) -> Result<Self, &'static str> {
        let (key, value) = split(pair);
        let scram = ScramHash::ALL.into_iter().find(|&hash| key_of(hash) == key);
        let meaning = match (scram, key) {
            (Some(hash), _) => Meaning::Keys(ScramKeys::parse(hash, value)?),
            (None, CRAM_MD5) => Meaning::CramMd5(CramMd5Keys::from_text(value)?),
            (None, SCRAM_FOR) => Meaning::KeysFor(value.into()),
            (None, ROLE) => match value.parse() {
                Ok(roles) => Meaning::Role(roles),
                Err(_) => Meaning::Mistake(Key::Role, UNKNOWN_ROLE),
            },
            (None, DISABLED) => Meaning::Disabled,
            (None, APP) => match StoredAppPassword::parse(value) {
                Ok(stored) => Meaning::App(stored),
                Err(what) => Meaning::Mistake(Key::App, what),
            },
            (None, _) => Meaning::Unknown,
        };
        Ok(Self { text: text(pair.into()), meaning })
    }

    fn of_keys(keys: ScramKeys) -> Self {
        let text = text(format!("{}={}", key_of(keys.hash()), keys.to_text()));
        Self { text, meaning: Meaning::Keys(keys) }
    }

    fn of_cram_md5(keys: CramMd5Keys) -> Self {
        let text = text(format!("{CRAM_MD5}={}", *keys.to_text()));
        Self { text, meaning: Meaning::CramMd5(keys) }
    }

    fn of_check_value(value: String) -> Self {
        let text = text(format!("{SCRAM_FOR}={value}"));
        Self { text, meaning: Meaning::KeysFor(value.into()) }
    }

    /// Whether it is an app password of this label, by its text.
    fn is_app_password(&self, label: &AppLabel) -> bool {
        let (key, value) = split(&self.text);
        key == APP && value.split_ascii_whitespace().next() == Some(label.as_str())
    }

    const fn key(&self) -> Option<Key> {
        match self.meaning {
            Meaning::Keys(_) | Meaning::CramMd5(_) | Meaning::KeysFor(_) => Some(Key::Scram),
            Meaning::Role(_) => Some(Key::Role),
            Meaning::Disabled => Some(Key::Disabled),
            Meaning::App(_) => Some(Key::App),
            Meaning::Mistake(key, _) => Some(key),
            Meaning::Unknown => None,
        }
    }
}

/// The key and the value of a pair, without the spaces around them that a person may put there.
fn split(pair: &str) -> (&str, &str) {
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    (key.trim(), value.trim())
}

fn key_of(hash: ScramHash) -> String {
    Mechanism::Scram(hash).as_str().to_ascii_lowercase()
}

/// Which hash keys belong to, so that who changes only the hash by hand does not leave keys of the
/// old password behind. Nobody is kept from anything by it who can write the file.
fn check_value(secret: &str) -> String {
    let digest = digest::digest(&digest::SHA256, secret.as_bytes());
    hex::encode(&digest.as_ref()[..CHECK_BYTES])
}

fn text(text: String) -> Zeroizing<Box<str>> {
    Zeroizing::new(text.into())
}

const ROLE: &str = "role";
const DISABLED: &str = "disabled";
const APP: &str = "app";
const CRAM_MD5: &str = "cram-md5";
const SCRAM_FOR: &str = "scram-for";
const CHECK_BYTES: usize = 8;
const OTHER_HASH: &str = "the SCRAM keys belong to another hash than that of this line and do not \
                          count; set the password anew with `mailweir user passwd`";
const UNLIKE_DECOYS: &str = "the SCRAM keys have other iterations, or a salt of another length, \
                             than those we make: strangers can find out that this user exists; \
                             set the password anew with `mailweir user passwd`";
pub(super) const UNKNOWN_ROLE: &str = "a role is unknown; there are sender, moderator, auditor, administrator \
                            and help-desk: the user can log in by nothing; `mailweir user role \
                            NAME --set ROLES` writes the roles anew";
const ROLES_TWICE: &str = "the roles are written twice: the user can log in by nothing; `mailweir \
                           user role NAME --set ROLES` writes them anew";
