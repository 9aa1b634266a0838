//! Virtual aliases: one recipient becomes others, again and again (virtual(5), `cleanup_map1n.c`).

use std::collections::HashSet;

use mailweir_mail::Address;

use super::{
    Decision, Maps, Parameter, RewriteError, addressing::written, steps::Steps, values::nobody,
};

/// Aliases of recipients, whatever their domain.
#[derive(Clone, Debug)]
pub struct VirtualAliases {
    /// Postfix `virtual_alias_maps`.
    pub maps: Maps,
    /// Whether an extension that an alias does not have goes on to its addresses (Postfix
    /// `propagate_unmatched_extensions`, `virtual`).
    pub propagate: bool,
    /// How many addresses a recipient may have in the end (Postfix
    /// `virtual_alias_expansion_limit`).
    pub expansion_limit: usize,
    /// How often an alias may lead to an alias (Postfix `virtual_alias_recursion_limit`).
    pub recursion_limit: usize,
    /// How long an address may be, in bytes (Postfix `virtual_alias_address_length_limit`).
    pub address_length_limit: usize,
}

impl Default for VirtualAliases {
    fn default() -> Self {
        Self {
            maps: Maps::default(),
            propagate: true,
            expansion_limit: 1000,
            recursion_limit: 1000,
            address_length_limit: 1000,
        }
    }
}

/// The addresses of one recipient while its aliases are written out.
struct Expansion<'a> {
    recipient: &'a Address,
    addresses: Vec<Address>,
    /// Those that have themselves among their addresses: they are aliases once and no more.
    settled: HashSet<String>,
}

impl Steps<'_> {
    /// The addresses that a recipient stands for; itself, if it is no alias.
    pub(crate) async fn expand(
        &mut self,
        recipient: &Address,
    ) -> Result<Vec<Address>, RewriteError> {
        let addresses = vec![recipient.clone()];
        let mut expansion = Expansion { recipient, addresses, settled: HashSet::new() };
        let mut at = 0;
        while at < expansion.addresses.len() {
            self.settle(&mut expansion, at).await?;
            at += 1;
        }
        Ok(expansion.addresses)
    }

    /// Follows one of the addresses until it is no alias. Its first result takes its place, the
    /// others go to the end and have their turn.
    async fn settle(
        &mut self,
        expansion: &mut Expansion<'_>,
        at: usize,
    ) -> Result<(), RewriteError> {
        let (aliases, addressing) = (&self.rules.virtual_aliases, &self.rules.addressing);
        let mut depth = 0;
        while let Some(before) = expansion.addresses.get(at).cloned()
            && !expansion.settled.contains(&folded(&before))
        {
            if depth >= aliases.recursion_limit {
                let (by, address) = (Parameter::VirtualAlias, expansion.recipient.clone());
                return Err(RewriteError::TooDeep { by, address, limit: aliases.recursion_limit });
            }
            depth += 1;
            let propagate = aliases.propagate;
            let Some(mapped) =
                aliases.maps.map(&before, addressing, propagate, self.remote).await?
            else {
                return Ok(());
            };
            if mapped.results.is_empty() {
                return Err(nobody(&mapped.place).into());
            }
            self.decisions.add(Decision::of_many(mapped.place, &before, &mapped.results));
            expansion.replace(at, &before, mapped.results, aliases)?;
        }
        Ok(())
    }
}

impl Expansion<'_> {
    fn replace(
        &mut self,
        at: usize,
        before: &Address,
        results: Vec<Address>,
        limits: &VirtualAliases,
    ) -> Result<(), RewriteError> {
        let itself = folded(before);
        for (nth, result) in results.into_iter().enumerate() {
            if result.as_str().len() > limits.address_length_limit {
                let (address, limit) = (self.recipient.clone(), limits.address_length_limit);
                return Err(RewriteError::TooLong { address, limit });
            }
            if folded(&result) == itself {
                self.settled.insert(itself.clone());
            }
            match self.addresses.get_mut(at) {
                Some(place) if nth == 0 => *place = result,
                _ => self.addresses.push(result),
            }
        }
        if self.addresses.len() > limits.expansion_limit {
            let (address, limit) = (self.recipient.clone(), limits.expansion_limit);
            return Err(RewriteError::TooMany { address, limit });
        }
        Ok(())
    }
}

/// An address as the alias tables see it: without quotes and without case (`been_here(3)`).
pub(crate) fn folded(address: &Address) -> String {
    let mut text = address.unquoted_local_part().into_owned();
    text.push('@');
    text.push_str(written(address.domain()));
    text.to_lowercase()
}
