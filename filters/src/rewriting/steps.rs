//! The steps an address goes through on its way in: canonical maps, then masquerading.

use mailweir_mail::Address;

use super::{
    Decision, Decisions, Maps, Parameter, RewriteError, RewritingRules, rules::Class,
    values::nobody,
};
use crate::RemoteMaps;

/// One mail's way through the rules.
pub(crate) struct Steps<'r> {
    pub(crate) rules: &'r RewritingRules,
    pub(crate) remote: &'r dyn RemoteMaps,
    pub(crate) decisions: Decisions,
}

impl<'r> Steps<'r> {
    pub(crate) fn new(rules: &'r RewritingRules, remote: &'r dyn RemoteMaps) -> Self {
        Self { rules, remote, decisions: Decisions::default() }
    }

    /// The address as the canonical maps and masquerading have it. `None` is nobody: a sender
    /// may become that, a recipient not.
    pub(crate) async fn canonical(
        &mut self,
        class: Class,
        mut address: Address,
    ) -> Result<Option<Address>, RewriteError> {
        let rules = self.rules;
        let (own, by) = if class.is_sender() {
            (&rules.sender_canonical, Parameter::SenderCanonical)
        } else {
            (&rules.recipient_canonical, Parameter::RecipientCanonical)
        };
        for (maps, by) in [(own, by), (&rules.canonical, Parameter::Canonical)] {
            if maps.classes.has(class) {
                let Some(mapped) = self.map(by, class, &maps.maps, address).await? else {
                    return Ok(None);
                };
                address = mapped;
            }
        }
        if rules.masquerade.classes.has(class)
            && let Some(shown) = rules.masquerade.apply(&address, self.remote).await?
        {
            self.decisions.add(Decision::without_place(Parameter::Masquerade, &address, &shown));
            address = shown;
        }
        Ok(Some(address))
    }

    /// Maps an address until it stays as it is (`cleanup_map11.c`).
    async fn map(
        &mut self,
        by: Parameter,
        class: Class,
        maps: &Maps,
        address: Address,
    ) -> Result<Option<Address>, RewriteError> {
        let (addressing, propagate) = (&self.rules.addressing, self.rules.propagate_in_canonical);
        let mut current = address.clone();
        for _ in 0..MAX_DEPTH {
            let mapped = maps.map(&current, addressing, propagate, self.remote).await?;
            let Some(mapped) = mapped else { return Ok(Some(current)) };
            if mapped.results.is_empty() && !class.is_sender() {
                return Err(nobody(&mapped.place).into());
            }
            let (after, decision) = mapped.into_one(by, &current);
            self.decisions.add(decision);
            let Some(after) = after else { return Ok(None) };
            let is_settled = after.as_str().eq_ignore_ascii_case(current.as_str());
            current = after;
            if is_settled {
                return Ok(Some(current));
            }
        }
        Err(RewriteError::TooDeep { by, address, limit: MAX_DEPTH })
    }
}

/// How often a canonical map is asked for what it gave itself (`MAX_RECURSION`).
const MAX_DEPTH: usize = 10;
