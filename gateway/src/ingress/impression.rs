//! What is known of a stranger before its content: what it calls itself, what lists in DNS say of its address and of the
//! domains that it names, and whether the sender's domain vouches for it (SPF).
//!
//! Asked at the first recipient that would be taken: of the client once in a session, of the sender once for a mail, all side by
//! side, with a time and a budget of their own. What is not known counts for nothing.

mod listings;

use std::net::IpAddr;

use futures_util::future::{join, join3};
use mailweir_mail::{Domain, Timestamp};
use mailweir_spam::{
    authentication::Stranger,
    dns::Dns,
    findings::{self, of_helo, of_listings, of_reverse_name, of_spf},
    hello::{Hello, Helo, Ourselves},
    lists::Subject,
    spf::{self, Cause, SpfResult},
    symbols::{Finding, Points, Symbol, Weights},
};

pub(super) use self::listings::{Listed, Listings, Troubled};
use crate::{config::BeforeData, egress::resolve::Reach, ingress::client_name::ClientName};

/// What is known of a stranger before its content.
#[derive(Debug, Default)]
pub(super) struct Impression {
    reverse: Reverse,
    of_client: Option<OfClient>,
    of_mail: Option<OfMail>,
}

/// What the address of the client leads to.
#[derive(Debug, Default)]
enum Reverse {
    /// A name that leads back to it.
    Proven(Box<str>),
    /// A name.
    Claimed(Box<str>),
    /// None.
    Nameless,
    /// Nobody knows, or nobody has asked.
    #[default]
    Unknown,
}

/// What a session knows of its client.
#[derive(Debug)]
struct OfClient {
    address: Listings,
    reverse: Listings,
}

/// What is known of the mail under way.
#[derive(Debug)]
struct OfMail {
    domains: Listings,
    /// What its name in HELO shows, if anything.
    helo: Option<Finding>,
    /// Absent where nobody needs it.
    spf: Option<spf::Outcome>,
    /// What our own people have to do with its sender.
    sender: Sender,
    /// What is known of it besides, each symbol once.
    known: Vec<Finding>,
    /// What all of it weighs; absent until somebody asks.
    points: Option<Points>,
}

/// What our own people have to do with a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sender {
    /// One of them has written to this address, whoever uses it now.
    Correspondent,
    /// Nothing.
    Unknown,
}

/// By what is asked.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) rules: &'a BeforeData,
    pub(super) ours: &'a Ourselves<'a>,
    /// The sender, if one of our own people has written to it.
    pub(super) correspondent: Option<&'a str>,
}

/// What was found out just now, for the log.
#[derive(Debug, Default)]
pub(super) struct News {
    pub(super) listed: Vec<Listed>,
    pub(super) troubled: Vec<Troubled>,
}

impl Impression {
    /// Of a client that has just come. `told`: its name by the word of a proxy.
    pub(super) fn new(client: IpAddr, name: &ClientName, told: Option<&str>) -> Self {
        let one = |name: &str| name.to_ascii_lowercase().into();
        let reverse = match (name, told) {
            (ClientName::Verified(name), _) => Reverse::Proven(one(name.as_ascii())),
            (ClientName::Unconfirmed(name) | ClientName::Unclear(name), _) => {
                Reverse::Claimed(one(name.as_ascii()))
            }
            (ClientName::Unknown, Some(told)) => Reverse::Proven(one(told)),
            (ClientName::Unknown, None) if Reach::Public.allows(client) => Reverse::Nameless,
            (ClientName::Unknown | ClientName::Unanswered, _) => Reverse::Unknown,
        };
        Self { reverse, of_client: None, of_mail: None }
    }

    /// Whether all that is to be known of the mail is known.
    pub(super) const fn is_complete(&self) -> bool {
        self.of_client.is_some() && self.of_mail.is_some()
    }

    /// The mail is over.
    pub(super) fn forget_mail(&mut self) {
        self.of_mail = None;
    }

    /// Finds out what is not known yet.
    pub(super) async fn complete(
        &mut self,
        stranger: &Stranger<'_>,
        terms: &Terms<'_>,
        dns: &impl Dns,
        now: Timestamp,
    ) -> News {
        let (mut news, rules) = (News::default(), terms.rules);
        let ask_about_mail = || self.ask_about_mail(stranger, terms, dns, now);
        let (of_client, of_mail) = match (&self.of_client, &self.of_mail) {
            (Some(_), Some(_)) => return news,
            (None, None) => {
                let of_client = self.ask_about_client(stranger.client, rules, dns);
                let both = join(of_client, ask_about_mail()).await;
                (Some(both.0), Some(both.1))
            }
            (None, Some(_)) => {
                (Some(self.ask_about_client(stranger.client, rules, dns).await), None)
            }
            (Some(_), None) => (None, Some(ask_about_mail().await)),
        };
        if let Some(of_client) = of_client {
            news.tell(&of_client.address);
            news.tell(&of_client.reverse);
            self.of_client = Some(of_client);
        }
        if let Some(of_mail) = of_mail {
            news.tell(&of_mail.domains);
            self.of_mail = Some(of_mail);
        }
        news
    }

    async fn ask_about_client(
        &self,
        client: IpAddr,
        rules: &BeforeData,
        dns: &impl Dns,
    ) -> OfClient {
        let address = [Subject::Address(client)];
        let reverse: Vec<_> = self.reverse.name().map(Subject::Domain).into_iter().collect();
        let (address, reverse) = join(
            Listings::ask(&rules.client_lists, &address, dns),
            Listings::ask(&rules.domain_lists, &reverse, dns),
        )
        .await;
        OfClient { address, reverse }
    }

    async fn ask_about_mail(
        &self,
        stranger: &Stranger<'_>,
        terms: &Terms<'_>,
        dns: &impl Dns,
        now: Timestamp,
    ) -> OfMail {
        let Terms { rules, ours, correspondent } = *terms;
        let Stranger { client, helo, mail_from, ours: our_name } = *stranger;
        let sender = mail_from.and_then(|sender| sender.rsplit_once('@')).map(|(_, domain)| domain);
        let mut domains: Vec<Box<str>> = Vec::new();
        for name in [sender, Some(helo)].into_iter().flatten().filter_map(name) {
            // One name is one piece of evidence, wherever it stands.
            if self.reverse.name() != Some(&*name) && !domains.contains(&name) {
                domains.push(name);
            }
        }
        let subjects: Vec<_> = domains.iter().map(|name| Subject::Domain(name)).collect();
        let question = spf::Question { client, helo, mail_from, ours: our_name };
        let spf = async {
            let counts = rules.greylisting.is_some() || rules.sender_rate.is_some();
            // Without the word of its domain anybody could have written the address of a correspondent.
            match counts || correspondent.is_some() {
                true => Some(spf::check(&question, spf::Limits::default(), dns, now).await),
                false => None,
            }
        };
        let domains = Listings::ask(&rules.domain_lists, &subjects, dns);
        let (domains, spf, helo) =
            join3(domains, spf, self.ask_about_helo(client, helo, ours, dns)).await;
        let proven = correspondent.filter(|_| spf.as_ref().is_some_and(vouches));
        let known = proven.map(findings::known_correspondent).into_iter().collect();
        let sender = correspondent.map_or(Sender::Unknown, |_| Sender::Correspondent);
        OfMail { domains, helo, spf, sender, known, points: None }
    }

    /// On private networks names mean what their owners agree on, and nothing can be found out.
    async fn ask_about_helo(
        &self,
        client: IpAddr,
        said: &str,
        ours: &Ourselves<'_>,
        dns: &impl Dns,
    ) -> Option<Finding> {
        if !Reach::Public.allows(client) {
            return None;
        }
        let proven = match &self.reverse {
            Reverse::Proven(name) => Some(&**name),
            Reverse::Claimed(_) | Reverse::Nameless | Reverse::Unknown => None,
        };
        let hello = Hello { client, said, proven };
        of_helo(Helo::check(&hello, ours, dns).await, &hello)
    }

    /// What speaks for or against the mail, in the order in which it was found.
    pub(super) fn evidence(&self) -> impl Iterator<Item = Finding> {
        let of_client = self.of_client.iter().flat_map(|it| [&it.address, &it.reverse]);
        let of_mail = self.of_mail.iter().map(|it| &it.domains);
        let listed = of_client.chain(of_mail).flat_map(Listings::listed);
        let known = self.of_mail.iter().flat_map(|it| it.helo.iter().chain(&it.known));
        of_listings(listed.map(Listed::told)).into_iter().chain(known.cloned())
    }

    /// Something else is known of the mail.
    pub(super) fn note(&mut self, finding: Finding) {
        let Some(of_mail) = &mut self.of_mail else { return };
        if of_mail.known.iter().all(|known| known.symbol() != finding.symbol()) {
            of_mail.known.push(finding);
            of_mail.points = None;
        }
    }

    /// What is known besides, and is asked again by whoever looks at the whole mail: what the sender's domain says of the client,
    /// and the client's name.
    pub(super) fn evidence_to_come(&self, client: IpAddr) -> impl Iterator<Item = Finding> {
        let of_reverse = match &self.reverse {
            Reverse::Proven(name) | Reverse::Claimed(name) => of_reverse_name(name, client),
            Reverse::Nameless => Some(Finding::new(Symbol::RdnsNone, &client.to_string())),
            Reverse::Unknown => None,
        };
        self.spf().map(|spf| of_spf(spf, client)).into_iter().chain(of_reverse)
    }

    /// What all that is known weighs, so far. Weighed once, however many recipients the mail has.
    pub(super) fn points(&mut self, client: IpAddr, weights: &Weights) -> Points {
        if let Some(points) = self.of_mail.as_ref().and_then(|it| it.points) {
            return points;
        }
        let found = self.evidence().chain(self.evidence_to_come(client));
        let points = weights.score(found).total();
        if let Some(of_mail) = &mut self.of_mail {
            of_mail.points = Some(points);
        }
        points
    }

    /// What the sender's domain says of the client, if anybody has asked.
    pub(super) fn spf(&self) -> Option<&spf::Outcome> {
        self.of_mail.as_ref()?.spf.as_ref()
    }

    /// Whether the sender's domain, or that of the client if there is no sender, vouches for the client.
    pub(super) fn is_vouched_for(&self) -> bool {
        self.spf().is_some_and(vouches)
    }

    /// Whether somebody speaks for whoever sends.
    pub(super) fn is_known(&self) -> bool {
        let sender = self.of_mail.as_ref().map(|it| it.sender);
        sender == Some(Sender::Correspondent) || self.is_vouched_for() || self.is_welcome()
    }

    /// Lists that did not tell what they know of the client's address.
    pub(super) fn troubled(&self) -> impl Iterator<Item = &Troubled> {
        self.of_client.iter().flat_map(|it| it.address.troubled())
    }

    /// Whether lists of senders of wanted mail have more to say of the client than others.
    pub(super) fn is_welcome(&self) -> bool {
        self.of_client.as_ref().is_some_and(|it| it.address.weight() < 0)
    }
}

impl Reverse {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Proven(name) | Self::Claimed(name) => Some(name),
            Self::Nameless | Self::Unknown => None,
        }
    }
}

impl News {
    pub(super) fn tell(&mut self, listings: &Listings) {
        self.listed.extend(listings.listed().cloned());
        self.troubled.extend(listings.troubled().cloned());
    }
}

/// Whether a domain vouches for the client.
fn vouches(spf: &spf::Outcome) -> bool {
    spf.result == SpfResult::Pass && !vouches_for_all(&spf.cause)
}

/// Whether a domain says that any host may send for it.
fn vouches_for_all(cause: &Cause) -> bool {
    match cause {
        Cause::Matched { directive, .. } => {
            directive.strip_prefix('+').unwrap_or(directive).eq_ignore_ascii_case("all")
        }
        Cause::NoDomain
        | Cause::NoRecord
        | Cause::NothingMatched
        | Cause::Wrong { .. }
        | Cause::Unclear { .. } => false,
    }
}

/// A name that can be on a list, in one spelling.
fn name(written: &str) -> Option<Box<str>> {
    let domain = Domain::parse(written).ok()?;
    let is_name = domain.literal().is_none() && domain.as_ascii().parse::<IpAddr>().is_err();
    is_name.then(|| domain.as_ascii().to_ascii_lowercase().into())
}

#[cfg(test)]
mod tests;
