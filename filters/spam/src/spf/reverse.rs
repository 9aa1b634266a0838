//! The names of the client's address, and which of them lead back to it (RFC 7208 section 5.5).
//!
//! They are asked for once in a check and proven when one is needed. Both the names and where they lead are in the
//! hands of whoever has the address. So none of it counts as a look-up that led nowhere, which would make the records
//! of others look wrong; and a name that nobody tells does not match (section 5.5). But then nobody knows whether it would have:
//! a check that does not end with a pass all the same is a temporary error.

use std::net::IpAddr;

use crate::dns::{Answer, Dns};

/// The names that an address says it has.
#[derive(Debug, Default)]
pub(super) struct Reverse {
    /// The first names of the answer, none twice; none if nobody knows. Absent before somebody asks.
    claims: Option<Vec<Claim>>,
    is_unclear: bool,
}

/// A name that an address says it has.
#[derive(Debug)]
pub(super) struct Claim {
    name: Box<str>,
    standing: Standing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Unasked,
    /// The name has the address.
    Proven,
    Unproven,
    /// Nobody tells.
    Unclear,
}

impl Reverse {
    /// Whether a name server did not tell something that was asked for.
    pub(super) const fn is_unclear(&self) -> bool {
        self.is_unclear
    }

    /// The first name that is wished for and leads back to the client.
    pub(super) async fn find(
        &mut self,
        client: IpAddr,
        is_wished: impl Fn(&str) -> bool + Send,
        dns: &impl Dns,
    ) -> Option<Box<str>> {
        self.ask(client, dns).await;
        for claim in self.claims.iter_mut().flatten().filter(|claim| is_wished(&claim.name)) {
            match claim.check(client, dns).await {
                Standing::Proven => return Some(claim.name.clone()),
                Standing::Unclear => self.is_unclear = true,
                Standing::Unproven | Standing::Unasked => {}
            }
        }
        None
    }

    /// What `%{p}` stands for: the domain itself rather than a name below it, and that rather than another
    /// (RFC 7208 section 7.3).
    pub(super) async fn name_for(
        &mut self,
        domain: &str,
        client: IpAddr,
        dns: &impl Dns,
    ) -> Option<Box<str>> {
        let itself = |name: &str| name.eq_ignore_ascii_case(domain);
        let within = |name: &str| is_within(name, domain);
        for wish in [&itself as &(dyn Fn(&str) -> bool + Sync), &within, &|_: &str| true] {
            if let Some(name) = self.find(client, wish, dns).await {
                return Some(name);
            }
        }
        None
    }

    async fn ask(&mut self, client: IpAddr, dns: &impl Dns) {
        if self.claims.is_some() {
            return;
        }
        let names = match dns.ptr(client).await {
            Answer::Found(names) => names,
            Answer::NoSuchName | Answer::NoRecords | Answer::NotAsked => Vec::new(),
            Answer::Unclear => {
                self.is_unclear = true;
                Vec::new()
            }
        };
        self.claims = Some(first_of(names));
    }
}

impl Claim {
    async fn check(&mut self, client: IpAddr, dns: &impl Dns) -> Standing {
        if self.standing == Standing::Unasked {
            self.standing = match client {
                IpAddr::V4(address) => standing(&dns.a(&self.name).await, &address),
                IpAddr::V6(address) => standing(&dns.aaaa(&self.name).await, &address),
            };
        }
        self.standing
    }
}

fn standing<T: PartialEq>(answer: &Answer<T>, address: &T) -> Standing {
    match answer {
        Answer::Found(addresses) if addresses.contains(address) => Standing::Proven,
        Answer::Found(_) | Answer::NoSuchName | Answer::NoRecords | Answer::NotAsked => {
            Standing::Unproven
        }
        Answer::Unclear => Standing::Unclear,
    }
}

/// The rest is not looked at (RFC 7208 section 4.6.4): who sends chooses how many there are.
fn first_of(names: Vec<Box<str>>) -> Vec<Claim> {
    let mut claims: Vec<Claim> = Vec::new();
    for name in names.into_iter().take(MOST_NAMES) {
        let is_new = !claims.iter().any(|claim| claim.name.eq_ignore_ascii_case(&name));
        if is_new && crate::dns::is_name(&name) {
            claims.push(Claim { name, standing: Standing::Unasked });
        }
    }
    claims
}

/// Whether a name is a domain or stands below it.
pub(super) fn is_within(name: &str, domain: &str) -> bool {
    let Some(before) = name.len().checked_sub(domain.len()) else {
        return false;
    };
    let Some((front, end)) = name.split_at_checked(before) else {
        return false;
    };
    end.eq_ignore_ascii_case(domain) && (front.is_empty() || front.ends_with('.'))
}

/// RFC 7208 section 4.6.4.
const MOST_NAMES: usize = 10;
