//! Which recipients the alias tables know (Postfix `virtual_alias_domains`,
//! `reject_unlisted_recipient`; virtual(5)).

use mailweir_mail::{Address, Domain};
use mailweir_tables::LookupError;

use super::{MatchList, RewritingRules, addressing::written};
use crate::RemoteMaps;

/// Domains whose recipients are aliases and nothing else (Postfix `virtual_alias_domains`; by
/// default the domains that are themselves keys of `virtual_alias_maps`).
#[derive(Clone, Debug, Default)]
pub struct VirtualAliasDomains {
    /// Names, tables, `.example.org` for the domains below.
    pub domains: MatchList,
    /// Whether `example.org` means the domains below it too (Postfix
    /// `parent_domain_matches_subdomains`, `virtual_alias_domains`; off by default).
    pub bare_parents: bool,
}

/// What the alias tables know of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alias {
    /// A table rewrites the address, so it exists, whatever its domain.
    Known,
    /// The domain has aliases only, and this is none: "User unknown in virtual alias table".
    Unknown,
    /// The domain is no matter of these tables.
    NotOurs,
}

impl VirtualAliasDomains {
    /// What is taken when `virtual_alias_domains` is not set: the tables of `virtual_alias_maps` that
    /// have keys of their own. Postfix takes all of them; but what answers for any key, such as
    /// `static:` or a pattern that catches all, would make every domain ours, and us an open relay.
    #[must_use]
    pub fn of_maps(rules: &RewritingRules) -> Self {
        let tables = rules.virtual_aliases.maps.tables().iter();
        let keyed = tables.filter(|table| table.entries().is_some());
        let domains = keyed.fold(MatchList::default(), |list, table| {
            list.table(std::sync::Arc::clone(table), false)
        });
        Self { domains, bare_parents: false }
    }

    /// Whether mail for the domain is ours because its users are aliases.
    ///
    /// # Errors
    /// A table cannot tell: 451.
    pub async fn contains(
        &self,
        domain: &Domain,
        remote: &dyn RemoteMaps,
    ) -> Result<bool, LookupError> {
        self.domains.has_domain(written(domain), self.bare_parents, remote).await
    }

    /// What the tables know of a recipient.
    ///
    /// # Errors
    /// A table cannot tell: 451.
    pub async fn alias(
        &self,
        recipient: &Address,
        rules: &RewritingRules,
        remote: &dyn RemoteMaps,
    ) -> Result<Alias, LookupError> {
        if rules.rewrites_recipient(recipient, remote).await? {
            return Ok(Alias::Known);
        }
        let is_ours = self.contains(recipient.domain(), remote).await?;
        Ok(if is_ours { Alias::Unknown } else { Alias::NotOurs })
    }
}

impl RewritingRules {
    /// Whether a canonical or alias table has something for the recipient: such a one is known in
    /// any domain (`check_rcpt_maps` in `smtpd_check.c`).
    ///
    /// # Errors
    /// A table cannot tell: 451.
    pub async fn rewrites_recipient(
        &self,
        recipient: &Address,
        remote: &dyn RemoteMaps,
    ) -> Result<bool, LookupError> {
        let maps =
            [&self.recipient_canonical.maps, &self.canonical.maps, &self.virtual_aliases.maps];
        for maps in maps {
            if maps.find(recipient, &self.addressing, remote).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Maps, testing::*},
        *,
    };

    #[test]
    fn a_recipient_of_an_alias_domain_is_an_alias_or_unknown() {
        let mut rules = RewritingRules::default();
        rules.virtual_aliases.maps = map("our.test  anything\njoe@our.test  joe@x.test\n\
                                          jane@else.test jane@x.test\n");
        let domains = VirtualAliasDomains::of_maps(&rules);
        let alias = |text| now(domains.alias(&address(text), &rules, &NoRemote)).unwrap();
        assert_eq!(alias("joe@our.test"), Alias::Known);
        assert_eq!(alias("nobody@our.test"), Alias::Unknown);
        assert_eq!(alias("nobody@sub.our.test"), Alias::NotOurs);
        assert_eq!(alias("jane@else.test"), Alias::Known);
        assert_eq!(alias("nobody@else.test"), Alias::NotOurs);
    }

    #[test]
    fn a_table_without_keys_makes_no_domain_ours() {
        for name in
            ["static:joe@x.test", "regexp:{ {/./ joe@x.test} }", "pcre:{ {/^(.*)@/ $1@x.test} }"]
        {
            let mut rules = RewritingRules::default();
            rules.virtual_aliases.maps = Maps::from(vec![table(name)]);
            let domains = VirtualAliasDomains::of_maps(&rules);
            let foreign = address("u@other.test");
            let is_ours = now(domains.contains(foreign.domain(), &NoRemote)).unwrap();
            assert!(!is_ours, "{name}");
            let alias = now(domains.alias(&foreign, &rules, &NoRemote)).unwrap();
            assert_eq!(alias, Alias::Known, "{name}");
        }
    }

    #[test]
    fn a_table_that_cannot_tell_makes_no_recipient_unknown() {
        let domains = VirtualAliasDomains {
            domains: MatchList::default().table(table("fail:broken"), false),
            bare_parents: false,
        };
        let rules = RewritingRules::default();
        assert!(now(domains.alias(&address("a@our.test"), &rules, &NoRemote)).is_err());
    }
}
