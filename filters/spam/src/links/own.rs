//! The domains that are ours, and what looks like them.

use std::collections::{BTreeMap, BTreeSet};

use super::{registrable, skeleton::skeleton};

/// The domains that are ours.
#[derive(Clone, Debug, Default)]
pub struct OwnDomains {
    domains: BTreeSet<Box<str>>,
    /// The skeletons of those that somebody registered, and what they are of.
    skeletons: BTreeMap<String, Box<str>>,
}

impl OwnDomains {
    /// Our domains, in any case, as letters or in ASCII (IDNA). What is no name is left out.
    #[must_use]
    pub fn new<'d>(domains: impl IntoIterator<Item = &'d str>) -> Self {
        let ascii = |domain: &str| idna::domain_to_ascii(domain.trim_end_matches('.')).ok();
        let mut own = Self::default();
        for domain in domains.into_iter().filter_map(ascii).filter(|domain| domain.contains('.')) {
            let registered = registrable(&domain).unwrap_or(&domain);
            own.skeletons.insert(shape(registered), registered.into());
            own.domains.insert(domain.into());
        }
        own
    }

    /// Whether a name in lower case and in ASCII is one of ours or below it.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let mut rest = name;
        loop {
            if self.domains.contains(rest) {
                return true;
            }
            match rest.split_once('.') {
                Some((_, parent)) => rest = parent,
                None => return false,
            }
        }
    }

    /// The domain of ours that a foreign name looks like.
    #[must_use]
    pub fn looked_like(&self, name: &str) -> Option<&str> {
        if self.domains.is_empty() || self.has(name) {
            return None;
        }
        let registered = registrable(name)?;
        let own = self.skeletons.get(&shape(registered))?;
        (**own != *registered).then_some(own)
    }

    /// The domain of ours that stands in a foreign name with more behind it: `bank.example` in
    /// `www.bank.example.evil.test`.
    #[must_use]
    pub fn inside_of(&self, name: &str) -> Option<&str> {
        if self.domains.is_empty() || self.has(name) {
            return None;
        }
        let foreign = registrable(name)?;
        let front = name.strip_suffix(foreign)?.strip_suffix('.')?;
        let is_inside = |own: &&str| {
            front
                .strip_suffix(*own)
                .is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        self.domains.iter().take(MOST_COMPARED).map(|own| &**own).find(is_inside)
    }
}

/// How a domain looks, as people read it.
fn shape(domain: &str) -> String {
    skeleton(&idna::domain_to_unicode(domain).0)
}

/// Domains that each foreign name is compared with; who has more of them cannot have each link cost that much.
const MOST_COMPARED: usize = 1000;
