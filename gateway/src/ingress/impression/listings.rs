//! What several lists say of several subjects.

use std::{fmt, net::IpAddr};

use futures_util::future::join_all;
use mailweir_spam::{
    dns::Dns,
    findings::Asked,
    lists::{self, List, Listing, Subject, Trouble, Verdict},
};

/// What lists say.
#[derive(Debug, Default)]
pub(in crate::ingress) struct Listings {
    listed: Vec<Listed>,
    troubled: Vec<Troubled>,
}

/// Something that is on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ingress) struct Listed {
    /// What.
    pub(in crate::ingress) subject: Named,
    /// On which, and what that means.
    pub(in crate::ingress) listing: Listing,
}

/// An address, or a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ingress) enum Named {
    /// An IPv4 address has one form only.
    Address(IpAddr),
    /// In ASCII and lower case.
    Domain(Box<str>),
}

/// A list that does not tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ingress) struct Troubled {
    /// Which.
    pub(in crate::ingress) zone: Box<str>,
    /// Why.
    pub(in crate::ingress) trouble: Trouble,
}

impl Listings {
    /// Asks all lists about all subjects, side by side.
    pub(in crate::ingress) async fn ask(
        lists: &[List],
        subjects: &[Subject<'_>],
        dns: &impl Dns,
    ) -> Self {
        let questions = lists.iter().flat_map(|list| subjects.iter().map(move |one| (list, *one)));
        let asked = questions.map(|(list, subject)| async move {
            (list.zone(), subject, lists::ask(list, subject, dns).await)
        });
        let mut said = Self::default();
        for (zone, subject, verdict) in join_all(asked).await {
            said.note(zone, subject, verdict);
        }
        said
    }

    fn note(&mut self, zone: &str, subject: Subject<'_>, verdict: Verdict) {
        match verdict {
            Verdict::Listed(listings) => {
                let subject = Named::of(subject);
                let listed = |listing| Listed { subject: subject.clone(), listing };
                self.listed.extend(listings.into_iter().map(listed));
            }
            Verdict::NotListed | Verdict::NotAsked(_) => {}
            Verdict::Unclear(trouble) => {
                self.troubled.push(Troubled { zone: zone.into(), trouble });
            }
        }
    }

    pub(in crate::ingress) fn listed(&self) -> impl Iterator<Item = &Listed> {
        self.listed.iter()
    }

    pub(super) fn troubled(&self) -> impl Iterator<Item = &Troubled> {
        self.troubled.iter()
    }

    /// All weights together, in thousandths.
    pub(super) fn weight(&self) -> i64 {
        self.listed.iter().map(|it| i64::from(it.listing.weight.thousandths())).sum()
    }
}

impl Named {
    fn of(subject: Subject<'_>) -> Self {
        match subject {
            Subject::Address(address) => Self::Address(address.to_canonical()),
            Subject::Domain(name) => Self::Domain(name.into()),
        }
    }

    /// What dnsblog(8) calls it.
    pub(in crate::ingress) const fn kind(&self) -> &'static str {
        match self {
            Self::Address(_) => "addr",
            Self::Domain(_) => "domain",
        }
    }

    const fn asked(&self) -> Asked<'_> {
        match self {
            Self::Address(address) => Asked::Client(*address),
            Self::Domain(name) => Asked::Sender(name),
        }
    }
}

impl Listed {
    /// Who was asked about, and what came of it.
    pub(super) const fn told(&self) -> (Asked<'_>, &Listing) {
        (self.subject.asked(), &self.listing)
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.asked().fmt(f)
    }
}
