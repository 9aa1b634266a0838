//! Which login owns which sender address: the text of Postfix's `smtpd_sender_login_maps`, looked
//! up in Postfix's order.
//!
//! Pure; reading the file, and reading it again, is [`LoginMapFile`].

mod file;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, hash_map},
    fmt,
    hash::Hash,
};

use mailweir_mail::{Address, Domain};

pub use self::file::LoginMapFile;
use crate::UserName;

/// Sender addresses and their owners.
///
/// The text has the form of a Postfix table (`texthash`): per line an address, white space, and
/// the logins that own it, divided by commas or spaces. `@domain` stands for all addresses of a
/// domain that have no line of their own. A line that begins with white space goes on with the one
/// above; one that begins with `#` is a comment.
///
/// ```text
/// ann@example.org     ann, bob@example.org
/// @shop.example       shop
/// ```
///
/// Addresses are compared without case, logins as log-ins are ([`UserName`]).
///
/// A mistake must not give an address away: behind a readable address stand the logins that can be
/// read, and if none can, nobody may use it. What stands behind a `#` in a line counts for none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoginMap {
    addresses: HashMap<Key, Owners>,
    domains: HashMap<Domain, Owners>,
}

/// The logins that own an address: none if its line names none that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owners(Box<[UserName]>);

/// What names a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    /// A line for this address.
    Address(&'a Owners),
    /// The line of its domain.
    Domain(&'a Owners),
}

/// A mistake in a line of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct MapProblem {
    /// Which line, counted from 1.
    pub line: usize,
    /// What is wrong, and what of the line counts nevertheless.
    pub reason: Box<str>,
}

impl LoginMap {
    /// Reads the text. Lines without a readable address are skipped; each line with a mistake is
    /// named once.
    #[must_use]
    pub fn parse(text: &str) -> (Self, Vec<MapProblem>) {
        let (mut map, mut problems) = (Self::default(), Vec::new());
        for (line, text) in logical_lines(text) {
            if let Err(reason) = map.add(&text) {
                problems.push(MapProblem { line, reason: reason.into() });
            }
        }
        (map, problems)
    }

    /// What names `sender`: the line of the address itself, else of the address without its
    /// `+extension`, else of its domain (postconf(5), `smtpd_sender_login_maps`, with
    /// `recipient_delimiter = +`).
    #[must_use]
    pub fn find(&self, sender: &Address) -> Option<Entry<'_>> {
        let (local, domain) = key(sender);
        let whole = self.addresses.get(&(local.clone(), domain.clone()));
        let base = || {
            let (base, _) = local.split_once('+').filter(|(base, _)| !base.is_empty())?;
            self.addresses.get(&(base.into(), domain.clone()))
        };
        let address = whole.or_else(base).map(Entry::Address);
        address.or_else(|| self.domains.get(&domain).map(Entry::Domain))
    }

    /// Whether a line names all addresses of `domain`.
    #[must_use]
    pub fn names_domain(&self, domain: &Domain) -> bool {
        self.domains.contains_key(domain)
    }

    /// Takes in what can be read of a line, and says what cannot.
    fn add(&mut self, line: &str) -> Result<(), String> {
        let (pattern, logins) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let (owners, mistake) = owners(logins);
        self.insert(pattern, owners).map_err(|why| format!("{why}; the line is skipped"))?;
        mistake.map_or(Ok(()), Err)
    }

    fn insert(&mut self, pattern: &str, owners: Owners) -> Result<(), String> {
        match pattern.strip_prefix('@') {
            Some(domain) => {
                let domain = Domain::parse(domain).map_err(|why| format!("{pattern:?}: {why}"))?;
                insert(&mut self.domains, domain, owners)
            }
            None => {
                let address = Address::parse(pattern).map_err(|why| {
                    format!("{pattern:?}: {why}; expected user@domain or @domain")
                })?;
                insert(&mut self.addresses, key(&address), owners)
            }
        }
        .map_err(|()| format!("{pattern} stands above already; the first line counts"))
    }
}

impl Owners {
    /// Whether `login` is one of them.
    #[must_use]
    pub fn contain(&self, login: &UserName) -> bool {
        self.0.contains(login)
    }
}

/// Divided by commas, as in the text of a map.
impl fmt::Display for Owners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, login) in self.0.iter().enumerate() {
            f.write_str(if index > 0 { ", " } else { "" })?;
            f.write_str(login.as_str())?;
        }
        Ok(())
    }
}

impl Entry<'_> {
    /// The owners it names.
    #[must_use]
    pub const fn owners(&self) -> &Owners {
        match self {
            Self::Address(owners) | Self::Domain(owners) => owners,
        }
    }
}

/// Local part, in lower case, and domain: Postfix looks fixed strings up without case.
type Key = (Box<str>, Domain);

fn key(address: &Address) -> Key {
    (address.unquoted_local_part().to_lowercase().into(), address.domain().clone())
}

fn insert<K: Eq + Hash>(map: &mut HashMap<K, Owners>, key: K, owners: Owners) -> Result<(), ()> {
    match map.entry(key) {
        hash_map::Entry::Occupied(_) => Err(()),
        hash_map::Entry::Vacant(vacant) => {
            vacant.insert(owners);
            Ok(())
        }
    }
}

/// The logins that can be read, and what is wrong with the others.
fn owners(logins: &str) -> (Owners, Option<String>) {
    let (mut named, mut mistake) = (Vec::new(), None);
    for word in logins.split([',', ' ', '\t']).filter(|word| !word.is_empty()) {
        match word.parse::<UserName>() {
            Ok(login) => named.push(login),
            // Words of a comment are no logins, whatever Postfix makes of them.
            Err(_) if word.starts_with('#') => {
                mistake.get_or_insert_with(|| NO_COMMENT.to_owned());
                break;
            }
            Err(why) => {
                mistake.get_or_insert_with(|| format!("login {word:?}: {why}"));
            }
        }
    }
    let mistake = match (mistake, named.is_empty()) {
        (None, false) => None,
        (Some(what), false) => Some(format!("{what}; only the other logins count")),
        (Some(what), true) => Some(format!("{what}; nobody may use the address")),
        (None, true) => Some("no login stands behind it; nobody may use the address".to_owned()),
    };
    (Owners(named.into()), mistake)
}

/// The lines, each with those that go on with it, and the number of its first one.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        match lines.last_mut() {
            Some((_, above)) if line.starts_with(char::is_whitespace) => {
                above.push(' ');
                above.push_str(content);
            }
            _ => lines.push((index + 1, content.to_owned())),
        }
    }
    lines
}

const NO_COMMENT: &str = "a comment has a line of its own: from \"#\" on nothing counts";
