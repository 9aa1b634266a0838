//! Who is ours: the domains and people that strangers pretend to be.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::links::{OwnDomains, skeleton::skeleton};

/// The domains and people that are ours.
#[derive(Clone, Debug, Default)]
pub struct Own {
    domains: Arc<OwnDomains>,
    /// What the names of our people look like, and the addresses each of them has.
    people: BTreeMap<String, BTreeSet<Box<str>>>,
}

impl Own {
    /// Ours are these domains, and nobody yet.
    #[must_use]
    pub fn new(domains: OwnDomains) -> Self {
        Self { domains: Arc::new(domains), people: BTreeMap::new() }
    }

    /// Somebody of ours, who writes from this address and from any address of our domains. A name of one word is not
    /// looked for: too many people have it.
    #[must_use]
    pub fn with_person(mut self, name: &str, address: &str) -> Self {
        if self.people.len() < MOST_PEOPLE && name.split_whitespace().nth(1).is_some() {
            self.people.entry(look(name)).or_default().insert(address.to_lowercase().into());
        }
        self
    }

    /// The domains that are ours.
    #[must_use]
    pub const fn domains(&self) -> &Arc<OwnDomains> {
        &self.domains
    }

    /// Whether a name is that of somebody of ours who does not write from this address, as far as is known.
    pub(super) fn is_spoofed(&self, name: &str, address: &str) -> bool {
        let addresses = if self.people.is_empty() { None } else { self.people.get(&look(name)) };
        addresses.is_some_and(|addresses| !addresses.contains(&*address.to_lowercase()))
    }
}

/// What a name looks like, whichever of its words comes first: `Kim, Anna` is `Anna Kim`.
fn look(name: &str) -> String {
    let separators = |character: char| {
        character.is_whitespace() || matches!(character, ',' | '"' | '\'' | '(' | ')')
    };
    let looks = skeleton(name);
    let mut words: Vec<&str> = looks.split(separators).filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words.join(" ")
}

/// People that are remembered: more are no list of people who are worth imitating.
const MOST_PEOPLE: usize = 100_000;
