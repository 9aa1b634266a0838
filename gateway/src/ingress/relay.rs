//! Who may send where: the one decision that keeps strangers from relaying (promise 4).
//!
//! Pure: a peer's standing and an address in, permission or a refusal out. Judged for every
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

/// The domains we accept mail for from anywhere (`[domains] relay`, Postfix `relay_domains`).
#[derive(Clone, Debug, Default)]
pub struct ServedDomains {
    /// Names that match themselves only.
    exact: std::collections::HashSet<Domain>,
    /// Names that match everything below them: written `.example.org`.
    parents: Vec<Domain>,
}

impl ServedDomains {
    /// The set of `exact` names and of all names below `parents`.
    #[must_use]
    pub fn new(
        exact: impl IntoIterator<Item = Domain>,
        parents: impl IntoIterator<Item = Domain>,
    ) -> Self {
        Self { exact: exact.into_iter().collect(), parents: parents.into_iter().collect() }
    }

    /// Whether mail for `domain` is accepted from anywhere.
    #[must_use]
    pub fn serve(&self, domain: &Domain) -> bool {
        let below = |parent: &Domain| domain != parent && domain.is_within(parent);
        self.exact.contains(domain) || self.parents.iter().any(below)
    }
}

/// Whether a peer of this standing may send to `recipient`.
///
/// # Errors
/// The refusal for the peer: `554 5.7.1 <recipient>: Relay access denied`.
pub fn permit(
    standing: Standing,
    recipient: &Address,
    served: &ServedDomains,
) -> Result<(), Refusal> {
    match standing {
        Standing::Trusted | Standing::LoggedIn => Ok(()),
        // `user%other@us` and `"user@other"@us` name a domain of ours and mean another one.
        Standing::Stranger if recipient.asks_for_routing() => denied(recipient),
        Standing::Stranger if served.serve(recipient.domain()) => Ok(()),
        Standing::Stranger => denied(recipient),
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
        permit(standing, &recipient.parse().unwrap(), &served()).is_ok()
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
    fn trusted_networks_and_logins_reach_everybody() {
        for standing in [Standing::Trusted, Standing::LoggedIn] {
            assert!(permitted(standing, "user@other.example"));
            assert!(permitted(standing, "user%other.example@us.example"));
        }
    }
}
