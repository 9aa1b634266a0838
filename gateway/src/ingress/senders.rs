//! Who may send as whom: the decision that keeps one account from writing as another.
//!
//! Pure: a client's standing, the owners of addresses and an address in, permission or a refusal
//! out. Judged for the envelope at RCPT, where Postfix judges it too (`smtpd_delay_reject`), and for
//! every address of the From header at the end of data.

use mailweir_auth::{Identity, LoginMap, LoginMapEntry, Senders, UserName};
use mailweir_mail::{Address, Login, header_from::HeaderFrom};
use mailweir_smtp::replies::Refusal;

use super::relay::Standing;
use crate::{
    config::{SenderPolicy, Senders as Rules, Unauthenticated},
    moderation::LoggedIn,
};

/// What a client has proven, as far as sender addresses go.
#[derive(Clone, Copy, Debug)]
pub(super) enum Claim<'a> {
    /// It logged in, from wherever it comes.
    LoggedIn(&'a Submitter),
    /// It did not, and is in a trusted network: nothing binds it.
    Trusted,
    /// It did not.
    Stranger,
}

impl Claim<'_> {
    /// What it entitles to, as far as relaying goes.
    pub(super) const fn standing(self) -> Standing {
        match self {
            Self::LoggedIn(_) => Standing::LoggedIn,
            Self::Trusted => Standing::Trusted,
            Self::Stranger => Standing::Stranger,
        }
    }
}

/// Somebody who logged in.
#[derive(Clone, Debug)]
pub(super) struct Submitter {
    login: Login,
    /// The name in canonical form. A name that a proxy tells us may be no user name.
    user: Option<UserName>,
    /// The only addresses that the credential is for.
    senders: Option<Senders>,
    /// The label of the credential, if it has one.
    credential: Option<Box<str>>,
}

impl Submitter {
    /// Whom a back end has proven.
    pub(super) fn proven(identity: &Identity, login: Login) -> Self {
        let user = Some(identity.user().clone());
        let credential = identity.credential().map(Into::into);
        Self { login, user, senders: identity.senders().cloned(), credential }
    }

    /// Whom a trusted proxy names (XCLIENT).
    pub(super) fn named(login: Login) -> Self {
        let user = login.user.parse().ok();
        Self { login, user, senders: None, credential: None }
    }

    /// Whether this is who the session says is logged in.
    pub(super) fn is(&self, login: &Login) -> bool {
        self.login == *login
    }

    /// The name that limits are counted by.
    pub(super) fn name(&self) -> &str {
        self.user.as_ref().map_or(&*self.login.user, UserName::as_str)
    }

    /// The label of the credential that was used.
    pub(super) fn credential(&self) -> Option<&str> {
        self.credential.as_deref()
    }

    /// The log-in, and what it is for, as far as answers to notices go.
    pub(super) fn log_in(&self) -> LoggedIn<'_> {
        let own_password = self.credential.is_none();
        LoggedIn { name: self.name(), senders: self.senders.as_ref(), own_password }
    }

    /// Whether the From header is to be looked at.
    pub(super) fn is_held_to_from(&self, rules: &Rules) -> bool {
        rules.header_from && (rules.policy != SenderPolicy::Any || self.senders.is_some())
    }

    /// Whether a policy makes an address theirs. Under [`SenderPolicy::Any`] none is.
    pub(super) fn owns(&self, address: &Address, rules: &Rules, owners: &LoginMap) -> bool {
        rules.policy != SenderPolicy::Any && self.may_use(address, rules, owners)
    }

    fn may_use(&self, address: &Address, rules: &Rules, owners: &LoginMap) -> bool {
        if self.senders.as_ref().is_some_and(|senders| !senders.contains(address)) {
            return false;
        }
        let owns = |entry: LoginMapEntry<'_>| {
            self.user.as_ref().is_some_and(|user| entry.owners().contain(user))
        };
        match (rules.policy, owners.find(address)) {
            (SenderPolicy::Any, _) => true,
            (SenderPolicy::Own | SenderPolicy::Maps, Some(entry)) if owns(entry) => true,
            // A line for a whole domain takes nobody's own address away.
            (SenderPolicy::Own, None | Some(LoginMapEntry::Domain(_))) => self.is_own(address),
            (SenderPolicy::Own | SenderPolicy::Maps, _) => false,
        }
    }

    /// Whether the login is this address, or this address without its `+extension`.
    fn is_own(&self, address: &Address) -> bool {
        let own = self.user.as_ref().and_then(|user| Address::parse(user.as_str()).ok());
        let Some(own) = own.filter(|own| own.domain() == address.domain()) else { return false };
        let local = address.unquoted_local_part().to_lowercase();
        let own = own.unquoted_local_part();
        local == own || local.split_once('+').is_some_and(|(base, _)| base == own)
    }
}

/// Whether a client may use `sender` as the sender of a mail.
///
/// # Errors
/// `553 5.7.1 <sender>: Sender address rejected: not owned by user LOGIN`, or `not logged in`.
pub(super) fn permit(
    claim: Claim<'_>,
    sender: &Address,
    rules: &Rules,
    owners: &LoginMap,
) -> Result<(), Refusal> {
    match claim {
        Claim::Trusted => Ok(()),
        Claim::Stranger => match (rules.unauthenticated, owners.find(sender)) {
            (Unauthenticated::Reject, Some(_)) => {
                Err(Refusal::SenderNotLoggedIn(sender.clone().into()))
            }
            (Unauthenticated::Accept | Unauthenticated::Reject, _) => Ok(()),
        },
        Claim::LoggedIn(submitter) if submitter.may_use(sender, rules, owners) => Ok(()),
        Claim::LoggedIn(submitter) => {
            Err(Refusal::SenderNotOwned(sender.clone().into(), submitter.login.user.clone()))
        }
    }
}

/// Whether `submitter` may write what stands in the From header.
///
/// # Errors
/// `550 5.7.1`, with the address that is not allowed or the reason for doubt.
pub(super) fn permit_from(
    submitter: &Submitter,
    from: &HeaderFrom,
    rules: &Rules,
    owners: &LoginMap,
) -> Result<(), Refusal> {
    let named = from.addresses().map_err(|doubt| Refusal::FromUnclear(doubt.to_string().into()))?;
    match named.into_iter().find(|address| !submitter.may_use(address, rules, owners)) {
        None => Ok(()),
        Some(other) => Err(Refusal::FromNotOwned(other, submitter.login.user.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(policy: SenderPolicy) -> Rules {
        Rules {
            policy,
            login_maps_file: None,
            unauthenticated: Unauthenticated::Reject,
            header_from: true,
        }
    }

    fn owners() -> LoginMap {
        LoginMap::parse(
            "sales@x.example ann@x.example, bob\nbob@x.example carol\n@shop.example bob\n\
             @x.example dave\n",
        )
        .0
    }

    fn proven(user: &str, senders: Option<&str>) -> Submitter {
        let identity = Identity::proven(user.parse().unwrap());
        let identity = match senders {
            Some(senders) => identity.with_senders(senders.parse().unwrap()),
            None => identity,
        };
        let login = Login { user: user.into(), mechanism: "PLAIN".into() };
        Submitter::proven(&identity, login)
    }

    fn may(who: &Submitter, policy: SenderPolicy, sender: &str) -> bool {
        let sender = Address::parse(sender).unwrap();
        permit(Claim::LoggedIn(who), &sender, &rules(policy), &owners()).is_ok()
    }

    #[test]
    fn c6_each_policy_gives_what_it_says() {
        let (any, own, maps) = (SenderPolicy::Any, SenderPolicy::Own, SenderPolicy::Maps);
        for (user, sender, policies) in [
            ("ann@x.example", "ann@x.example", &[any, own][..]),
            ("ann@x.example", "Ann@X.example.", &[any, own]),
            ("ann@x.example", "ann+shop@x.example", &[any, own]),
            ("ann@x.example", "annie@x.example", &[any]),
            ("ann@x.example", "+ann@x.example", &[any]),
            ("ann@x.example", "ann@sub.x.example", &[any]),
            ("ann@x.example", "ann@y.example", &[any]),
            ("ann@x.example", "sales@x.example", &[any, own, maps]),
            ("bob", "sales+x@x.example", &[any, own, maps]),
            ("bob", "all@shop.example", &[any, own, maps]),
            ("bob", "bob@x.example", &[any]),
            // The file gives bob's address to carol, so it is hers.
            ("bob@x.example", "bob@x.example", &[any]),
            ("carol", "bob@x.example", &[any, own, maps]),
            ("dave", "nobody@x.example", &[any, own, maps]),
        ] {
            for policy in [any, own, maps] {
                let expected = policies.contains(&policy);
                assert_eq!(may(&proven(user, None), policy, sender), expected, "{user} {sender}");
            }
        }
    }

    #[test]
    fn c6_a_credential_for_some_addresses_is_for_no_other_under_any_policy() {
        let printer = proven("ann@x.example", Some("printer@x.example,sales@x.example"));
        assert!(may(&printer, SenderPolicy::Any, "printer@x.example"));
        assert!(!may(&printer, SenderPolicy::Any, "ann@x.example"));
        assert!(!may(&printer, SenderPolicy::Own, "ann@x.example"));
        assert!(may(&printer, SenderPolicy::Own, "sales@x.example"));
        assert!(printer.is_held_to_from(&rules(SenderPolicy::Any)));
        assert!(!proven("ann", None).is_held_to_from(&rules(SenderPolicy::Any)));
    }

    #[test]
    fn an_owned_address_is_for_those_who_log_in_and_for_trusted_networks() {
        let owned = Address::parse("sales@x.example").unwrap();
        let (mut rules, owners) = (rules(SenderPolicy::Any), owners());
        let refused = permit(Claim::Stranger, &owned, &rules, &owners);
        assert_eq!(refused, Err(Refusal::SenderNotLoggedIn(owned.clone().into())));
        assert_eq!(permit(Claim::Trusted, &owned, &rules, &owners), Ok(()));
        let free = Address::parse("a@other.example").unwrap();
        assert_eq!(permit(Claim::Stranger, &free, &rules, &owners), Ok(()));
        rules.unauthenticated = Unauthenticated::Accept;
        assert_eq!(permit(Claim::Stranger, &owned, &rules, &owners), Ok(()));
    }

    #[test]
    fn a_name_from_a_proxy_counts_as_that_login_and_brings_no_credential() {
        let login = Login { user: "Ann@X.example".into(), mechanism: "XCLIENT".into() };
        let ann = Submitter::named(login.clone());
        assert!(ann.is(&login) && ann.name() == "ann@x.example");
        assert!(may(&ann, SenderPolicy::Own, "ann@x.example"));
        let other = Login { mechanism: "PLAIN".into(), ..login };
        assert!(!ann.is(&other));
    }
}
