//! From hop to hop: who is trusted, and why the walk ends where it does.

use std::net::IpAddr;

use super::{
    HeaderHash, LocalForm, Received, ReceivedError, ReceivedHeaders, Source, TrustedHosts,
    headers::Field,
};

/// Follows the Received headers from the peer down, as far as they can be believed.
///
/// The chain is trusted if every hop is. Without any Received header the peer is where the mail
/// began; a trusted host that removes Received headers thus makes all of its clients trusted.
#[must_use]
pub fn walk(
    peer: IpAddr,
    received: &ReceivedHeaders,
    hosts: &TrustedHosts,
    options: &WalkOptions,
) -> Walk {
    let peer = peer.to_canonical();
    let at_peer = hosts.find(peer).map_or(Finding::Untrusted(Doubt::NotListed), |entry| {
        Finding::Trusted(Ground::Listed(entry.as_str().into()))
    });
    let hop = Hop { number: 0, address: Some(peer), finding: at_peer, sha256: None };
    let mut walk = Walk { hops: vec![hop], received: received.count() };
    let road = Road { received, hosts, options };
    let mut at = 0;
    if options.own == OwnReceived::OnTop && walk.is_trusted() {
        match road.own_header(peer) {
            Ok(()) => at = 1,
            Err(hop) => walk.hops.push(hop),
        }
    }
    while walk.goes_on() && at < received.count() {
        let hop = road.hop(walk.hops.len() as u32, at);
        walk.hops.push(hop);
        at += 1;
    }
    walk
}

/// How strict a walk is. By default nothing is trusted but listed addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WalkOptions {
    /// Mail that began at a trusted host itself, or of which that host does not tell more.
    pub local_origin: Origin,
    /// Mail of somebody who logged in at a trusted host, from wherever (roaming users). Such a hop
    /// ends the chain, unless its address is listed: then it is a relay like others, and what stands
    /// below it counts.
    pub authenticated_origin: Origin,
    /// Mail that a trusted host handed to itself, such as for a content filter.
    pub inner_hops: InnerHops,
    /// Whether our own Received header is there.
    pub own: OwnReceived,
}

/// Whether a chain may begin in a way that shows no listed address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Origin {
    /// It may not.
    #[default]
    Strict,
    /// It may, where a trusted host says so.
    Accept,
}

/// How hops within a trusted host are recognised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum InnerHops {
    /// By loopback addresses being listed, as all others are.
    #[default]
    Listed,
    /// Also by a loopback address between two headers that the same host wrote, by its name; and by
    /// qmail's `invoked from network`. Programs on a trusted host that take text from strangers,
    /// such as web forms, must then not let them write headers.
    SameHost,
}

/// Whether the Received header that this gateway writes is on top.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OwnReceived {
    /// The first header is that of the peer.
    #[default]
    Absent,
    /// The first header is our own, and tells the peer: it is left out.
    OnTop,
}

/// The way of a mail as far as it can be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    hops: Vec<Hop>,
    received: usize,
}

impl Walk {
    /// Every hop that was looked at, the peer first. All are trusted, but maybe the last.
    #[must_use]
    pub fn hops(&self) -> &[Hop] {
        &self.hops
    }

    /// How many Received headers the mail has, also those that were not looked at.
    #[must_use]
    pub const fn received(&self) -> usize {
        self.received
    }

    /// What comes of all hops.
    #[must_use]
    pub fn verdict(&self) -> Verdict<'_> {
        // The peer is always there; without any hop there would be nobody to trust.
        match self.hops.last().map(|hop| (hop.number, &hop.finding)) {
            Some((_, Finding::Trusted(_))) => Verdict::Trusted,
            Some((hop, Finding::Untrusted(why))) => Verdict::Untrusted { hop, why },
            None => Verdict::Untrusted { hop: 0, why: &Doubt::NotListed },
        }
    }

    /// Whether the mail passed through trusted hosts only.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        self.verdict() == Verdict::Trusted
    }

    /// Whether the next header counts.
    fn goes_on(&self) -> bool {
        match self.hops.last().map(|hop| &hop.finding) {
            Some(Finding::Trusted(ground)) => !ground.is_origin(),
            Some(Finding::Untrusted(_)) | None => false,
        }
    }
}

/// What comes of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'w> {
    /// Every hop is trusted.
    Trusted,
    /// One is not; what stands below was not looked at.
    Untrusted {
        /// Its number.
        hop: u32,
        /// Why it is not.
        why: &'w Doubt,
    },
}

/// One host that the mail came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// 0 is the peer; hop 1 is told by the first Received header, our own left out.
    pub number: u32,
    /// Where the mail came from; `None` if the header tells no address, or cannot be read.
    pub address: Option<IpAddr>,
    /// Whether it is trusted.
    pub finding: Finding,
    /// Which header told it; `None` for the peer, and for a header that is too long to be kept.
    pub sha256: Option<HeaderHash>,
}

/// Whether a hop is trusted, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It is.
    Trusted(Ground),
    /// It is not.
    Untrusted(Doubt),
}

/// Why a hop is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ground {
    /// By this entry of the trusted hosts.
    Listed(Box<str>),
    /// The host of this name handed the mail to itself ([`InnerHops::SameHost`]).
    SameHost(Box<str>),
    /// The mail began at the host that tells so ([`WalkOptions::local_origin`]).
    LocalOrigin(LocalForm),
    /// Somebody logged in, by this protocol ([`WalkOptions::authenticated_origin`]).
    Authenticated(Box<str>),
}

impl Ground {
    /// Whether the mail began here: nothing below counts.
    const fn is_origin(&self) -> bool {
        match self {
            Self::LocalOrigin(_) | Self::Authenticated(_) => true,
            Self::Listed(_) | Self::SameHost(_) => false,
        }
    }
}

/// Why a hop is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Its address is not one of the trusted hosts.
    NotListed,
    /// A loopback address that is not listed.
    Loopback,
    /// Somebody logged in from an address that is not listed.
    Authenticated(Box<str>),
    /// The mail began at the host, or it hides from where it came.
    LocalOrigin(LocalForm),
    /// The same, though there are Received headers below.
    LocalOriginAbove(LocalForm),
    /// The host handed the mail to itself, in a form without an address.
    InnerHop,
    /// The header cannot be read for certain.
    Unreadable(ReceivedError),
    /// The first header should be our own, and is not: it does not tell the peer's address.
    NotOurs,
    /// There are more hops than 50.
    TooManyHops,
}

struct Road<'w> {
    received: &'w ReceivedHeaders,
    hosts: &'w TrustedHosts,
    options: &'w WalkOptions,
}

impl Road<'_> {
    /// Whether the first header is our own, as the options say.
    fn own_header(&self, peer: IpAddr) -> Result<(), Hop> {
        let field = self.received.get(0);
        let source = field.and_then(|field| field.read().ok()).map(|received| received.source);
        match source {
            Some(Source::Address(address)) if address == peer => Ok(()),
            other => Err(Hop {
                number: 1,
                address: other.and_then(Source::address),
                finding: Finding::Untrusted(Doubt::NotOurs),
                sha256: field.and_then(Field::hash),
            }),
        }
    }

    /// The hop that the header at this place tells.
    fn hop(&self, number: u32, at: usize) -> Hop {
        let doubt = |doubt, sha256| {
            let finding = Finding::Untrusted(doubt);
            Hop { number, address: None, finding, sha256 }
        };
        let field = match self.received.get(at) {
            Some(field) if number <= MAX_HOPS => field,
            field => return doubt(Doubt::TooManyHops, field.and_then(Field::hash)),
        };
        match field.read() {
            Err(error) => doubt(Doubt::Unreadable(error), field.hash()),
            Ok(received) => Hop {
                number,
                address: received.source.address(),
                finding: self.judge(&received, at),
                sha256: field.hash(),
            },
        }
    }

    fn judge(&self, received: &Received, at: usize) -> Finding {
        let address = received.source.address();
        if let Some(entry) = address.and_then(|address| self.hosts.find(address)) {
            return Finding::Trusted(Ground::Listed(entry.as_str().into()));
        }
        if let Some(protocol) = received.with.as_ref().filter(|_| received.is_authenticated()) {
            return match self.options.authenticated_origin {
                Origin::Accept => Finding::Trusted(Ground::Authenticated(protocol.clone())),
                Origin::Strict => Finding::Untrusted(Doubt::Authenticated(protocol.clone())),
            };
        }
        match received.source {
            Source::Local(form) => self.judge_local(form, at),
            Source::Address(_) if received.is_mapi() => self.judge_local(LocalForm::Mapi, at),
            Source::SameHost => match self.options.inner_hops {
                InnerHops::SameHost if at + 1 < self.received.count() => {
                    Finding::Trusted(Ground::SameHost("qmail".into()))
                }
                InnerHops::SameHost | InnerHops::Listed => Finding::Untrusted(Doubt::InnerHop),
            },
            Source::Address(address) if address.is_loopback() => {
                match self.same_host(received, at) {
                    Some(host) => Finding::Trusted(Ground::SameHost(host)),
                    None => Finding::Untrusted(Doubt::Loopback),
                }
            }
            Source::Address(_) => Finding::Untrusted(Doubt::NotListed),
        }
    }

    fn judge_local(&self, form: LocalForm, at: usize) -> Finding {
        let is_last = at + 1 == self.received.count();
        match self.options.local_origin {
            _ if !is_last => Finding::Untrusted(Doubt::LocalOriginAbove(form)),
            Origin::Accept => Finding::Trusted(Ground::LocalOrigin(form)),
            Origin::Strict => Finding::Untrusted(Doubt::LocalOrigin(form)),
        }
    }

    /// The host that wrote this header and the one below it, where that is looked at.
    fn same_host(&self, received: &Received, at: usize) -> Option<Box<str>> {
        if self.options.inner_hops == InnerHops::Listed {
            return None;
        }
        let host = received.by.as_deref().filter(|host| *host != "localhost")?;
        let below = self.received.get(at + 1)?.read().ok()?;
        (below.by.as_deref() == Some(host)).then(|| host.into())
    }
}

/// The most hops that are looked at, the peer left out.
pub(super) const MAX_HOPS: u32 = 50;
