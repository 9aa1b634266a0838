//! Lists in DNS: which addresses and domains somebody else thinks well or badly of (RFC 5782).
//!
//! One list is asked about one subject: a client's address (DNSBL, DNSWL), the domain of a HELO, a sender or a reverse
//! name (RHSBL), the host of a link (URIBL). Who asks several side by side, and adds the weights up, is the caller.
//! A list that is out of order lists nobody: see [`Trouble`].

mod pattern;
mod site;
mod subject;
mod weight;

use std::net::Ipv4Addr;

use mailweir_mail::Domain;

pub use self::{
    pattern::{Pattern, PatternError},
    site::{is_error_code, name_in, split},
    subject::{Subject, Unasked},
    weight::{Weight, WeightError},
};
use crate::dns::{Answer, Dns};

/// A list, and what its answers mean to the administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    zone: Box<str>,
    /// Never empty.
    entries: Vec<Entry>,
}

/// Some answers of a list, and what they weigh.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// As it was written.
    written: Box<str>,
    /// Which answers are meant; without, each is.
    pattern: Option<Pattern>,
    weight: Weight,
}

/// What a list says of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is listed; one for each entry of the setting that an answer matches. Never empty.
    Listed(Vec<Listing>),
    /// It is not, or with answers that no entry matches.
    NotListed,
    /// Nobody asked.
    NotAsked(Unasked),
    /// Nobody knows.
    Unclear(Trouble),
}

/// An entry of the setting that an answer matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The entry, as it was written.
    pub list: Box<str>,
    /// The first of the answers that matches it.
    pub code: Ipv4Addr,
    /// What it weighs: more than zero speaks against the subject, less for it.
    pub weight: Weight,
}

/// Why nobody knows whether a subject is listed. To take these for listings, as Postfix does, refuses all mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There was no answer.
    NoAnswer,
    /// The list says that it does not answer us: too many questions, asked through an open resolver, or a zone that
    /// is written wrong.
    Refused(Ipv4Addr),
    /// An address outside 127.0.0.0/8: the zone is not a list any more, or somebody answers for all names.
    Foreign(Ipv4Addr),
}

/// What is wrong with a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// There is no zone, or it is no name.
    #[error("the list has no name of a zone")]
    Zone,
    /// What stands behind `=`.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// What stands behind `*`.
    #[error(transparent)]
    Weight(#[from] WeightError),
}

/// Asks one list about one subject.
pub async fn ask(list: &List, subject: Subject<'_>, dns: &impl Dns) -> Verdict {
    match list.name_of(subject) {
        Ok(name) => list.judge(&dns.a(&name).await),
        Err(why) => Verdict::NotAsked(why),
    }
}

impl List {
    /// Reads `zone`, `zone=127.0.0.[2..11]`, `zone*2` or `zone=127.0.[0..255].[1..3]*-2` (postconf(5)
    /// `postscreen_dnsbl_sites`). Without a weight it is 1.
    ///
    /// # Errors
    /// Says which part is wrong.
    pub fn parse(text: &str) -> Result<Self, ListError> {
        let (site, weight) = match text.split_once('*') {
            Some((site, weight)) => (site, Weight::parse(weight)?),
            None => (text, Weight::ONE),
        };
        let (zone, pattern) = split(site);
        let pattern = pattern.map(Pattern::parse).transpose()?;
        let domain = Domain::parse(zone).map_err(|_| ListError::Zone)?;
        if domain.literal().is_some() {
            return Err(ListError::Zone);
        }
        let entries = vec![Entry { written: text.into(), pattern, weight }];
        Ok(Self { zone: domain.as_ascii().into(), entries })
    }

    /// The lists of all settings. Those of one zone become one list, since one question serves them all.
    ///
    /// # Errors
    /// The first setting that is wrong, and how.
    pub fn all<'t>(
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Result<Vec<Self>, (&'t str, ListError)> {
        let mut lists: Vec<Self> = Vec::new();
        for text in texts {
            let list = Self::parse(text).map_err(|error| (text, error))?;
            match lists.iter_mut().find(|known| known.zone == list.zone) {
                Some(known) => known.entries.extend(list.entries),
                None => lists.push(list),
            }
        }
        Ok(lists)
    }

    /// The zone, in ASCII and lower case.
    #[must_use]
    pub fn zone(&self) -> &str {
        &self.zone
    }

    /// Whether being listed can speak for somebody: a list of senders of wanted mail.
    #[must_use]
    pub fn can_speak_for(&self) -> bool {
        self.entries.iter().any(|entry| entry.weight.thousandths() < 0)
    }

    /// The name to ask for.
    ///
    /// # Errors
    /// If nobody can be listed by this.
    pub fn name_of(&self, subject: Subject<'_>) -> Result<String, Unasked> {
        let name = format!("{}.{}", subject.key()?, self.zone);
        if crate::dns::is_name(&name) { Ok(name) } else { Err(Unasked::TooLong) }
    }

    /// What the addresses of that name mean. One that says that the list is out of order counts for all.
    #[must_use]
    pub fn judge(&self, answer: &Answer<Ipv4Addr>) -> Verdict {
        let codes = match answer {
            Answer::Found(codes) => codes,
            Answer::NoSuchName | Answer::NoRecords => return Verdict::NotListed,
            Answer::Unclear => return Verdict::Unclear(Trouble::NoAnswer),
            Answer::NotAsked => return Verdict::NotAsked(Unasked::TooMany),
        };
        if let Some(trouble) = codes.iter().find_map(|code| self.trouble(*code)) {
            return Verdict::Unclear(trouble);
        }
        let listings: Vec<_> =
            self.entries.iter().filter_map(|entry| entry.listing(codes)).collect();
        if listings.is_empty() { Verdict::NotListed } else { Verdict::Listed(listings) }
    }

    fn trouble(&self, code: Ipv4Addr) -> Option<Trouble> {
        match code.octets() {
            _ if is_error_code(code) => Some(Trouble::Refused(code)),
            [127, ..] if !REFUSALS.contains(&code) || self.is_wanted(code) => None,
            [127, ..] => Some(Trouble::Refused(code)),
            _ => Some(Trouble::Foreign(code)),
        }
    }

    /// Whether a pattern asks for this answer by name.
    fn is_wanted(&self, code: Ipv4Addr) -> bool {
        self.entries.iter().filter_map(|entry| entry.pattern.as_ref()).any(|of| of.matches(code))
    }
}

impl Entry {
    fn listing(&self, codes: &[Ipv4Addr]) -> Option<Listing> {
        let is_meant = |code: &Ipv4Addr| self.pattern.as_ref().is_none_or(|of| of.matches(*code));
        let code = codes.iter().copied().find(is_meant)?;
        Some(Listing { list: self.written.clone(), code, weight: self.weight })
    }
}

/// Answers by which single lists refuse, besides 127.255.255.0/24 which many share: URIBL and SURBL, the list of
/// domains of Spamhaus, dnswl.org. A pattern that has them means them as listings.
const REFUSALS: [Ipv4Addr; 3] =
    [Ipv4Addr::new(127, 0, 0, 1), Ipv4Addr::new(127, 0, 1, 255), Ipv4Addr::new(127, 0, 0, 255)];

#[cfg(test)]
mod tests;
