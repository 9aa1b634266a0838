//! What is needed to look at the mail of a listener, as the configuration has it now.

use std::{net::IpAddr, sync::Arc};

use mailweir_mail::{Domain, Timestamp};
use mailweir_spam::{evidence::Own, examination::Examiner, hello::Ourselves, links::OwnDomains};

use crate::{
    config::{self, Config, DomainPattern, Mailbox},
    spam::Classifier,
};

/// How mail is looked at.
pub(crate) struct Checks {
    /// What the configuration says.
    pub(crate) rules: config::Spam,
    /// What was learned.
    pub(crate) classifier: Arc<Classifier>,
    own: Arc<Own>,
}

impl Checks {
    /// Those of a configuration with these rules.
    pub(crate) fn new(config: &Config, rules: &config::Spam, classifier: &Arc<Classifier>) -> Self {
        let own = Arc::new(own(config, &rules.people));
        Self { rules: rules.clone(), classifier: Arc::clone(classifier), own }
    }

    /// What we are called: by this name, at this address.
    pub(crate) fn ourselves<'a>(&'a self, name: &'a str, address: IpAddr) -> Ourselves<'a> {
        Ourselves { name, address: Some(address), domains: self.own.domains() }
    }

    /// What looks at a mail that comes now.
    pub(crate) fn examiner(&self, arrival: Timestamp) -> Examiner {
        Examiner::new(Arc::clone(&self.own), arrival)
    }

    /// Whether a domain is one of ours or below it.
    pub(crate) fn is_ours(&self, domain: &Domain) -> bool {
        self.own.domains().has(&domain.as_ascii().to_ascii_lowercase())
    }
}

/// Who is ours: domains that are served, the gateway's own name, and people that the configuration names.
pub(super) fn own(config: &Config, people: &[Mailbox]) -> Own {
    let served = config.domains.relay.iter().filter_map(|pattern| match pattern {
        DomainPattern::Exact(domain) | DomainPattern::Below(domain) => Some(domain.as_ascii()),
        DomainPattern::Any => None,
    });
    let hostname = config.server.hostname.as_ascii();
    let domains = OwnDomains::new(served.chain([hostname]));
    let people = people.iter().filter_map(|one| Some((one.name.as_ref()?, &one.address)));
    people
        .fold(Own::new(domains), |own, (name, address)| own.with_person(&name.0, address.as_str()))
}
