//! Who may send where: the one decision that keeps strangers from relaying (promise 4).
//!
//! Pure: a peer's standing, an address and whose it is in, permission or a refusal out. Judged for every
//! recipient, before any content is accepted (Postfix `smtpd_relay_restrictions =
//! permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination`).

use mailweir_mail::{Address, Domain};
use mailweir_smtp::replies::Refusal;

/// What entitles a peer to send outward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Anybody: may reach the domains we serve, nothing else.
    Stranger,
    /// In a network the listener trusts (`networks`, Postfix `mynetworks`).
    Trusted,
    /// Logged in.
    LoggedIn,
}

/// Whose mail a recipient's is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Of a domain that we serve, or our own postmaster.
    Served,
    /// Of a domain whose users are aliases (Postfix `virtual_alias_domains`).
    Aliases,
    /// Of others.
    Foreign,
}

/// The domains we accept mail for from anywhere (`[domains] relay`, Postfix `relay_domains`).
#[derive(Clone, Debug, Default)]
pub struct ServedDomains {
    /// Names that match themselves only.
    exact: std::collections::HashSet<Domain>,
    /// Names that match everything below them: written `.example.org`.
    parents: Vec<Domain>,
    postmaster: Option<Postmaster>,
}

/// Our own postmaster: `<postmaster>` alone, which the session reads as `postmaster@hostname`.
#[derive(Clone, Debug)]
struct Postmaster {
    hostname: Domain,
    /// Who gets the mail instead.
    person: Option<Address>,
}

impl ServedDomains {
    /// The set of `exact` names and of all names below `parents`.
    #[must_use]
    pub fn new(
        exact: impl IntoIterator<Item = Domain>,
        parents: impl IntoIterator<Item = Domain>,
    ) -> Self {
        let (exact, parents) = (exact.into_iter().collect(), parents.into_iter().collect());
        Self { exact, parents, postmaster: None }
    }

    /// And the postmaster of `hostname`, who must always be reachable (RFC 5321 section 4.5.1). The
    /// mail goes to `person` if there is one (`[domains] postmaster`).
    #[must_use]
    pub fn and_postmaster(mut self, hostname: Domain, person: Option<Address>) -> Self {
        self.postmaster = Some(Postmaster { hostname, person });
        self
    }

    /// Where mail to `recipient` goes instead, if anywhere.
    #[must_use]
    pub fn instead_of(&self, recipient: &Address) -> Option<&Address> {
        let ours = self.postmaster.as_ref().filter(|ours| ours.is(recipient));
        ours.and_then(|ours| ours.person.as_ref())
    }

    /// Whether mail for `domain` is accepted from anywhere.
    #[must_use]
    pub fn serve(&self, domain: &Domain) -> bool {
        let below = |parent: &Domain| domain != parent && domain.is_within(parent);
        self.exact.contains(domain) || self.parents.iter().any(below)
    }

    /// Whose mail a recipient's is, as far as the configuration itself says.
    #[must_use]
    pub fn destination(&self, recipient: &Address) -> Destination {
        match self.serve(recipient.domain()) || self.has_postmaster(recipient) {
            true => Destination::Served,
            false => Destination::Foreign,
        }
    }

    /// Whether the recipient is our own postmaster.
    #[must_use]
    pub fn has_postmaster(&self, recipient: &Address) -> bool {
        self.postmaster.as_ref().is_some_and(|ours| ours.is(recipient))
    }
}

impl Postmaster {
    fn is(&self, recipient: &Address) -> bool {
        recipient.is_postmaster() && *recipient.domain() == self.hostname
    }
}

/// Whether a peer of this standing may send to `recipient`, whose mail is that of `destination`.
///
/// # Errors
/// The refusal for the peer: `554 5.7.1 <recipient>: Relay access denied`.
pub fn permit(
    standing: Standing,
    recipient: &Address,
    destination: Destination,
) -> Result<(), Refusal> {
    match (standing, destination) {
        (Standing::Trusted | Standing::LoggedIn, _) => Ok(()),
        // `user%other@us` and `"user@other"@us` name a domain of ours and mean another one.
        (Standing::Stranger, _) if recipient.asks_for_routing() => denied(recipient),
        (Standing::Stranger, Destination::Served | Destination::Aliases) => Ok(()),
        (Standing::Stranger, Destination::Foreign) => denied(recipient),
    }
}

fn denied(recipient: &Address) -> Result<(), Refusal> {
    Err(Refusal::RelayDenied(recipient.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served() -> ServedDomains {
        let domain = |text: &str| text.parse::<Domain>().unwrap();
        ServedDomains::new([domain("us.example")], [domain("sub.example")])
    }

    fn permitted(standing: Standing, recipient: &str) -> bool {
        let recipient = recipient.parse().unwrap();
        permit(standing, &recipient, served().destination(&recipient)).is_ok()
    }

    /// Rows D1, D2 and D4 of `attacks.md`: the forms that `nmap smtp-open-relay` tries.
    #[test]
    fn no_form_of_address_makes_us_an_open_relay() {
        for recipient in [
            "user@other.example",
            "user%other.example@us.example",
            "\"user@other.example\"@us.example",
            "\"user%other.example\"@us.example",
            "other.example!user@us.example",
            "\"other.example!user\"@us.example",
            "user@[192.0.2.1]",
            "user@[127.0.0.1]",
            "user@[IPv6:::1]",
            "user%other.example@[127.0.0.1]",
            "user@other.example.",
            "user@notus.example",
            "user@us.example.other.example",
            "user@sub.example",
        ] {
            assert!(!permitted(Standing::Stranger, recipient), "{recipient}");
        }
    }

    #[test]
    fn strangers_reach_the_domains_we_serve_in_any_spelling() {
        for recipient in
            ["user@us.example", "User@US.example.", "user+tag@us.example", "user@a.b.sub.example"]
        {
            assert!(permitted(Standing::Stranger, recipient), "{recipient}");
        }
    }

    #[test]
    fn strangers_reach_our_postmaster_who_may_be_somebody_else() {
        let address = |text: &str| text.parse::<Address>().unwrap();
        let gate: Domain = "gate.example".parse().unwrap();
        let served = served().and_postmaster(gate, Some(address("ann@us.example")));
        let permitted = |to: &str| {
            permit(Standing::Stranger, &address(to), served.destination(&address(to))).is_ok()
        };
        assert!(permitted("Postmaster@Gate.example") && !permitted("ann@gate.example"));
        let instead = served.instead_of(&address("postmaster@gate.example"));
        assert_eq!(instead, Some(&address("ann@us.example")));
        assert_eq!(served.instead_of(&address("postmaster@us.example")), None);
    }

    #[test]
    fn strangers_reach_aliases_and_route_through_nobody() {
        let permitted = |to: &str| {
            permit(Standing::Stranger, &to.parse().unwrap(), Destination::Aliases).is_ok()
        };
        assert!(permitted("joe@alias.example"));
        assert!(!permitted("user%other.example@alias.example"));
        assert!(!permitted("\"user@other.example\"@alias.example"));
    }

    #[test]
    fn trusted_networks_and_logins_reach_everybody() {
        for standing in [Standing::Trusted, Standing::LoggedIn] {
            assert!(permitted(standing, "user@other.example"));
            assert!(permitted(standing, "user%other.example@us.example"));
        }
    }
}
