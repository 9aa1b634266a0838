//! Macros: what a mail server knows of a connection and a mail, by the names that Sendmail gave it.

use std::collections::BTreeMap;

use super::{Command, Fault, Stage};

/// What is known, by name. Only what a stage's list names is sent, and nothing is sent of what has no value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Macros(BTreeMap<Box<str>, Box<str>>);

impl Macros {
    /// From now on `name`, with braces or without, has this value.
    pub fn set(&mut self, name: &str, value: impl Into<Box<str>>) {
        self.0.insert(bare(name).into(), value.into());
    }

    /// From now on `name` has no value.
    pub fn unset(&mut self, name: &str) {
        self.0.remove(bare(name));
    }

    /// The value of `name`, with braces or without.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(bare(name)).map(|value| &**value)
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Macros {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (bare(name).into(), value.into())).collect())
    }
}

/// Which macros are sent at which stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MacroLists(BTreeMap<u32, Vec<Box<str>>>);

impl Default for MacroLists {
    /// As Postfix sends them (`milter_connect_macros` and the like).
    fn default() -> Self {
        let mut lists = Self(BTreeMap::new());
        for (number, names) in POSTFIX {
            lists.put(number, names);
        }
        lists
    }
}

impl MacroLists {
    /// From now on these are sent at this stage; names are divided by white space or commas. At HEADER, BODY and UNKNOWN
    /// none can be.
    pub fn set(&mut self, stage: Stage, names: &str) {
        if let Some(number) = number_of(stage) {
            self.put(number, names);
        }
    }

    /// A filter's own lists (SETSYMLIST), by the numbers of libmilter.
    pub(super) fn take(&mut self, lists: &[(u32, Box<[u8]>)]) -> Result<(), Fault> {
        for (number, names) in lists {
            if *number > LAST {
                return Err(Fault::Value("SETSYMLIST", "its stage"));
            }
            let names = std::str::from_utf8(names).ok().filter(|names| names.len() <= LONGEST);
            self.put(*number, names.ok_or(Fault::Value("SETSYMLIST", "its names"))?);
        }
        Ok(())
    }

    /// The packet that goes before the command of a stage. Also if it is empty: then nothing remains of the last.
    pub(super) fn packet(&self, stage: Stage, of: u8, macros: &Macros) -> Option<Command> {
        let names = self.0.get(&number_of(stage)?)?;
        let known = names.iter().filter_map(|name| Some((&**name, macros.get(name)?)));
        let pair = |(name, value): (&str, &str)| {
            [braced(name).into_bytes().into(), value.as_bytes().into()]
        };
        Some(Command::Macro { of, values: known.flat_map(pair).collect() })
    }

    fn put(&mut self, number: u32, names: &str) {
        let names = names.split(|c: char| c == ',' || c.is_whitespace());
        let names = names.filter(|name| !bare(name).is_empty()).take(MOST);
        self.0.insert(number, names.map(|name| bare(name).into()).collect());
    }
}

/// `{name}` and `name` are the same.
fn bare(name: &str) -> &str {
    name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name)
}

/// A name of more than one character stands in braces.
fn braced(name: &str) -> String {
    if name.chars().nth(1).is_some() { format!("{{{name}}}") } else { name.to_owned() }
}

/// `SMFIM_*`.
pub(super) const fn number_of(stage: Stage) -> Option<u32> {
    match stage {
        Stage::Connect => Some(0),
        Stage::Helo => Some(1),
        Stage::Mail => Some(2),
        Stage::Rcpt => Some(3),
        Stage::Data => Some(4),
        Stage::EndOfBody => Some(5),
        Stage::EndOfHeader => Some(LAST),
        Stage::Negotiation | Stage::Header | Stage::Body | Stage::Unknown => None,
    }
}

const LAST: u32 = 6;

/// The lists of Postfix 3.10.
const POSTFIX: [(u32, &str); 7] = [
    (0, "j {daemon_name} {daemon_addr} v _"),
    (1, "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}"),
    (2, "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}"),
    (3, "i {rcpt_addr} {rcpt_host} {rcpt_mailer}"),
    (4, "i"),
    (5, "i"),
    (LAST, "i"),
];

/// Names of one list at most.
const MOST: usize = 100;

/// Bytes of a filter's list at most.
const LONGEST: usize = 4 * 1024;
