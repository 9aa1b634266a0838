//! All that is found out about who sent a mail, and what its author's domain wants to become of it.
//!
//! SPF, DKIM, ARC and the reverse name of the client are asked about side by side; DMARC stands on the first two. Nothing
//! here knows what else speaks for or against a mail.

mod methods;
mod sealed;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use futures_util::future::join4;
use mailweir_mail::{Domain, Timestamp};

pub(crate) use self::methods::is_worthless;
use self::sealed::Sealed;
use crate::{
    arc::{self, ArcOutcome, ArcResult},
    author::Author,
    dkim::{DkimResult, SignedMail, Verified},
    dmarc::{self, DmarcResult, Identifier, Mechanism, Policy, Standing},
    dns::Dns,
    iprev::Iprev,
    results::{AuthservId, Results},
    spf::{self, SpfResult},
};

/// Who hands a mail in.
#[derive(Clone, Copy, Debug)]
pub struct Stranger<'a> {
    /// Its address.
    pub client: IpAddr,
    /// What it said in HELO or EHLO.
    pub helo: &'a str,
    /// The sender's address; `None`: the null sender.
    pub mail_from: Option<&'a str>,
    /// Our own name.
    pub ours: &'a str,
}

/// What was found out.
#[derive(Clone, Debug)]
pub struct Authentication {
    /// Whether the name of the client leads back to it.
    pub iprev: Iprev,
    /// Whether the client may send for the domain of the sender, or of the HELO if there is none.
    pub spf: spf::Outcome,
    /// Who signed.
    pub dkim: Verified,
    /// What the hosts on the way have sealed.
    pub arc: ArcOutcome,
    /// Whom a person is shown as the author; `None`: the header is longer than is looked at.
    pub author: Option<Author>,
    /// Whether the author's domain has authorised the mail.
    pub dmarc: dmarc::Outcome,
}

/// What is to become of a mail by the word of its author's domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// Nothing: it is authorised, or the domain asks for nothing.
    Accept,
    /// It fails, and the domain asks for suspicion (`p=quarantine`).
    Quarantine(Domain),
    /// It fails, and the domain asks for refusal (`p=reject`).
    Refuse(Domain),
    /// It fails, but a host that is trusted saw it pass and has sealed that (ARC).
    Vouched {
        /// The trusted host.
        sealer: Domain,
    },
    /// The domain asks for something, and name servers do not tell whether the mail fails, or whether a trusted host saw it
    /// pass.
    Unclear(Domain),
    /// Name servers do not tell what the domain asks for.
    Unknown,
    /// Nobody can tell for certain whom a person is shown as its author, or it is nobody: then no domain can say anything.
    NoAuthor(Doubt),
}

/// Why an author is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// The header is longer than is looked at.
    #[error("its header is too long to be read")]
    Header,
    /// There is no From field, or it names nobody.
    #[error("it has no From field that names anybody")]
    Missing,
    /// Programs may show different authors.
    #[error("its From field cannot be read in one way only")]
    Unreadable,
    /// Of more domains than are asked.
    #[error("its From field names too many domains")]
    TooMany,
    /// Of several domains, and name servers do not tell about all of them.
    #[error("its From field names several domains, and not all of them can be looked up")]
    Several,
}

impl Doubt {
    /// Why it is not known whose mail it is, if no domain that may be shown is known to ask for something.
    fn about(author: &Author, result: DmarcResult) -> Option<Self> {
        match author {
            Author::One(_) => None,
            Author::Missing => Some(Self::Missing),
            Author::Unreadable { .. } => Some(Self::Unreadable),
            Author::Several(domains) if domains.is_empty() => Some(Self::Missing),
            Author::Several(domains) if domains.len() > dmarc::MOST_AUTHORS => Some(Self::TooMany),
            Author::Several(_) => (result == DmarcResult::TempError).then_some(Self::Several),
        }
    }
}

impl Authentication {
    /// Finds out. What is asked of the name servers of a sender's choice has a [`Budget`](crate::dns::Budget) and a time of its
    /// own (`sender`), so that nothing that a forger publishes keeps the author's domain (`author`) from being asked. `spf`: what
    /// was said of the stranger and the sender before, if anybody has asked; an error is asked about again.
    pub async fn of(
        stranger: &Stranger<'_>,
        mail: &SignedMail,
        spf: Option<spf::Outcome>,
        sender: &impl Dns,
        author: &impl Dns,
        now: Timestamp,
    ) -> Self {
        let Stranger { client, helo, mail_from, ours } = *stranger;
        let question = spf::Question { client, helo, mail_from, ours };
        let spf = async {
            match spf.filter(is_definite) {
                Some(known) => known,
                None => spf::check(&question, spf::Limits::default(), sender, now).await,
            }
        };
        let (iprev, spf, dkim, arc) = join4(
            Iprev::check(client, sender),
            spf,
            mail.verify(sender, now),
            arc::verify(mail, sender, now),
        )
        .await;
        let shown = Author::read(mail.header().as_bytes());
        let dmarc = dmarc::evaluate(&shown, &identifiers(&spf, &dkim), author).await;
        let is_whole = !mail.header().is_cut();
        let author = is_whole.then_some(shown);
        Self { iprev, spf, dkim, arc, author, dmarc }
    }

    /// What is to become of the mail. `is_trusted`: whose seals count.
    #[must_use]
    pub fn ruling(&self, is_trusted: impl Fn(&Domain) -> bool) -> Ruling {
        let Some(author) = &self.author else { return Ruling::NoAuthor(Doubt::Header) };
        let (asked, domain) = match (self.dmarc.result, self.dmarc.policy, &self.dmarc.author) {
            (DmarcResult::Fail, Policy::Quarantine, Some(domain)) => {
                (Ruling::Quarantine(domain.clone()), domain)
            }
            (DmarcResult::Fail, Policy::Reject, Some(domain)) => {
                (Ruling::Refuse(domain.clone()), domain)
            }
            // Of several domains, or of one that nobody is certainly shown, the others may ask for more.
            (result, ..) => match Doubt::about(author, result) {
                Some(doubt) => return Ruling::NoAuthor(doubt),
                None => return self.of_one_author(),
            },
        };
        // What was sealed was said of one author. If there is another by now, nobody has vouched for that one.
        let Author::One(mailbox) = author else { return asked };
        match sealed::vouching(&self.arc, mailbox.domain(), is_trusted) {
            Sealed::Vouched(sealer) => Ruling::Vouched { sealer: sealer.clone() },
            Sealed::Unclear => Ruling::Unclear(domain.clone()),
            Sealed::Nothing => asked,
        }
    }

    /// What is to become of mail whose author's domain asks for nothing, or of which it is not known what it asks for.
    fn of_one_author(&self) -> Ruling {
        match (self.dmarc.result, &self.dmarc.author, &self.dmarc.published) {
            (DmarcResult::TempError, Some(domain), Some(published)) => {
                if published.asks_for_nothing() {
                    return Ruling::Accept;
                }
                Ruling::Unclear(domain.clone())
            }
            (DmarcResult::TempError, ..) => Ruling::Unknown,
            (
                DmarcResult::None | DmarcResult::Pass | DmarcResult::Fail | DmarcResult::PermError,
                ..,
            ) => Ruling::Accept,
        }
    }

    /// What was found out, in a line for the log: `iprev=pass spf=pass dkim=pass (example.org) dmarc=pass`.
    #[must_use]
    pub fn summary(&self) -> String {
        let (iprev, spf) = (self.iprev.result().as_str(), &self.spf);
        let mut words = vec![format!("iprev={iprev} spf={} ({})", spf.result, spf.domain)];
        if self.dkim.outcomes.is_empty() {
            words.push("dkim=none".to_owned());
        }
        words.extend(self.dkim.outcomes.iter().map(|outcome| {
            let domain = outcome.claims.domain.as_ref().map_or("?", |domain| domain.as_ascii());
            format!("dkim={} ({domain})", outcome.result().as_str())
        }));
        if self.arc.result != ArcResult::None {
            words.push(format!("arc={}", self.arc.result.as_str()));
        }
        let author = self.dmarc.author.as_ref().map_or("?", |author| author.as_ascii());
        words.push(format!("dmarc={} ({author})", self.dmarc.result.name().as_str()));
        words.join(" ")
    }

    /// What is written on top of the mail (RFC 8601).
    #[must_use]
    pub fn results(&self, id: AuthservId, stranger: &Stranger<'_>) -> Results {
        let mut results = Results::new(id);
        results.add(self.iprev.method(stranger.client));
        results.add(methods::spf(&self.spf, stranger));
        methods::dkim(&self.dkim).for_each(|method| results.add(method));
        if let Some(method) = methods::arc(&self.arc) {
            results.add(method);
        }
        results.add(self.dmarc.method());
        results
    }
}

/// Whether it would be the same again.
fn is_definite(spf: &spf::Outcome) -> bool {
    match spf.result {
        SpfResult::None
        | SpfResult::Neutral
        | SpfResult::Pass
        | SpfResult::Fail
        | SpfResult::SoftFail => true,
        SpfResult::TempError | SpfResult::PermError => false,
    }
}

/// What SPF and DKIM say of domains, as far as it can matter to DMARC.
fn identifiers<'a>(spf: &'a spf::Outcome, dkim: &'a Verified) -> Vec<Identifier<'a>> {
    let standing = match spf.result {
        SpfResult::Pass => Some(Standing::Pass),
        SpfResult::TempError => Some(Standing::TempError),
        SpfResult::None
        | SpfResult::Neutral
        | SpfResult::Fail
        | SpfResult::SoftFail
        | SpfResult::PermError => None,
    };
    let by_spf = standing.map(|standing| Identifier {
        mechanism: Mechanism::Spf,
        domain: &spf.domain,
        standing,
    });
    let by_dkim = dkim.outcomes.iter().filter_map(|outcome| {
        let standing = match outcome.result() {
            // Mail that is signed by a key under test counts as unsigned (RFC 6376 section 3.6.1).
            DkimResult::Pass if !is_worthless(outcome) => Standing::Pass,
            DkimResult::TempError => Standing::TempError,
            DkimResult::Pass
            | DkimResult::Fail
            | DkimResult::Neutral
            | DkimResult::Policy
            | DkimResult::PermError => return None,
        };
        let domain = outcome.claims.domain.as_ref()?.as_ascii();
        Some(Identifier { mechanism: Mechanism::Dkim, domain, standing })
    });
    by_spf.into_iter().chain(by_dkim).collect()
}
