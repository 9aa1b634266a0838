//! The DNS tree walk (RFC 9989 section 4.10): which records stand at a domain and above it, and what its
//! organizational domain is. At most eight look-ups for each walk; what one has learned the next does not ask again.

use std::sync::Arc;

use super::record::{Psd, Record};
use crate::dns::{Answer, Dns, is_name};

/// Walks for one mail.
pub(super) struct Walker<'d, D> {
    dns: &'d D,
    known: Vec<(Box<str>, Lookup)>,
}

/// What stands at one name.
#[derive(Clone, Debug)]
pub(super) enum Lookup {
    Record(Arc<Record>),
    /// No record, or several, which is the same (section 4.10 step 2).
    Nothing,
    /// Nobody knows.
    Unclear,
}

/// What one walk has found: records by the names that have them, the longest first.
#[derive(Debug)]
pub(super) struct Walk<'n> {
    start: &'n str,
    found: Vec<(&'n str, Arc<Record>)>,
}

/// A name server did not tell what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unclear;

impl<'d, D: Dns> Walker<'d, D> {
    pub(super) const fn new(dns: &'d D) -> Self {
        Self { dns, known: Vec::new() }
    }

    pub(super) const fn dns(&self) -> &'d D {
        self.dns
    }

    /// The record at this name. Names are in lower case.
    pub(super) async fn record_at(&mut self, name: &str) -> Lookup {
        if let Some((_, lookup)) = self.known.iter().find(|(known, _)| **known == *name) {
            return lookup.clone();
        }
        let lookup = self.ask(name).await;
        self.known.push((name.into(), lookup.clone()));
        lookup
    }

    /// All records from this domain upwards, until one says where the organization ends.
    pub(super) async fn walk<'n>(&mut self, start: &'n str) -> Result<Walk<'n>, Unclear> {
        let mut walk = Walk { start, found: Vec::new() };
        for name in targets(start) {
            match self.record_at(name).await {
                Lookup::Unclear => return Err(Unclear),
                Lookup::Nothing => {}
                Lookup::Record(record) => {
                    let is_last = record.psd != Psd::Unspecified;
                    walk.found.push((name, record));
                    if is_last {
                        break;
                    }
                }
            }
        }
        Ok(walk)
    }

    async fn ask(&self, name: &str) -> Lookup {
        let full = format!("_dmarc.{name}");
        // No such name can exist.
        if !is_name(&full) {
            return Lookup::Nothing;
        }
        match self.dns.txt(&full).await {
            Answer::Unclear | Answer::NotAsked => Lookup::Unclear,
            Answer::NoSuchName | Answer::NoRecords => Lookup::Nothing,
            Answer::Found(texts) => {
                let mut records = texts.iter().filter_map(|text| Record::parse(text));
                match (records.next(), records.next()) {
                    (Some(only), None) => Lookup::Record(Arc::new(only)),
                    _ => Lookup::Nothing,
                }
            }
        }
    }
}

impl<'n> Walk<'n> {
    /// The organizational domain of where the walk began (section 4.10.2).
    pub(super) fn organizational_domain(&self) -> &'n str {
        for (name, record) in &self.found {
            match record.psd {
                Psd::Organizational => return name,
                Psd::Suffix => return one_label_below(name, self.start),
                Psd::Unspecified => {}
            }
        }
        self.found.last().map_or(self.start, |(name, _)| name)
    }

    /// The record at one of the names that were asked for.
    pub(super) fn record_of(&self, name: &str) -> Option<&Arc<Record>> {
        self.found.iter().find(|(found, _)| *found == name).map(|(_, record)| record)
    }

    /// The public suffix above, if it has a record.
    pub(super) fn suffix(&self) -> Option<(&'n str, &Arc<Record>)> {
        let found = self.found.iter().find(|(_, record)| record.psd == Psd::Suffix);
        found.map(|(name, record)| (*name, record))
    }
}

/// The names that a walk asks for: the domain, what is above it with at most seven labels, and so on to the last label.
fn targets(start: &str) -> impl Iterator<Item = &str> {
    let labels = start.split('.').count();
    let above = std::iter::successors(parent(start), |name| parent(name));
    let too_long = labels.saturating_sub(1).saturating_sub(MOST_LABELS_ABOVE);
    std::iter::once(start).chain(above.skip(too_long))
}

fn parent(name: &str) -> Option<&str> {
    name.split_once('.').map(|(_, parent)| parent)
}

/// The name with one label more than `name` on the way down to `start`, or `start`, which is the organization of a suffix
/// that writes itself.
fn one_label_below<'n>(name: &str, start: &'n str) -> &'n str {
    let below = std::iter::successors(Some(start), |name| parent(name));
    below.take_while(|candidate| candidate.len() > name.len()).last().unwrap_or(start)
}

/// Section 4.10 step 4: from a domain of eight labels or more the walk goes on at seven.
const MOST_LABELS_ABOVE: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_asks_for_the_names_that_the_rfc_lists() {
        let names: Vec<_> = targets("a.b.c.d.e.f.g.h.i.j.mail.example.com").collect();
        assert_eq!(
            names,
            [
                "a.b.c.d.e.f.g.h.i.j.mail.example.com",
                "g.h.i.j.mail.example.com",
                "h.i.j.mail.example.com",
                "i.j.mail.example.com",
                "j.mail.example.com",
                "mail.example.com",
                "example.com",
                "com",
            ]
        );
    }

    #[test]
    fn a_walk_from_any_depth_asks_for_eight_names_at_most() {
        for labels in 1..=120 {
            let name = vec!["a"; labels].join(".");
            let asked = targets(&name).count();
            assert_eq!(asked, labels.min(8), "{labels}");
            assert_eq!(targets(&name).last(), Some("a"));
        }
    }
}
