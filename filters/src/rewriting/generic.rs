//! Addresses as other sites know them, put on when a mail leaves (generic(5), `smtp_map11.c`).

use mailweir_mail::Address;

use super::{
    Addressing, Decisions, Maps, Parameter, RewriteError,
    header::{Chain, is_address_header, rewrite_addresses},
};
use crate::RemoteMaps;

/// Postfix `smtp_generic_maps`: the envelope and the header of what is sent to other servers.
#[derive(Clone, Debug)]
pub struct GenericRules {
    /// What an address means here.
    pub addressing: Addressing,
    /// The tables.
    pub maps: Maps,
    /// Whether an extension that the maps do not have is kept (Postfix
    /// `propagate_unmatched_extensions`, `generic`; off by default).
    pub propagate: bool,
    /// As in [`super::RewritingRules`].
    pub header_address_token_limit: usize,
}

impl Default for GenericRules {
    fn default() -> Self {
        Self {
            addressing: Addressing::default(),
            maps: Maps::default(),
            propagate: false,
            header_address_token_limit: 10_240,
        }
    }
}

impl GenericRules {
    /// The address as other sites know it; `None` is nobody, `<>`. Asked once: what comes out is
    /// not looked up again.
    ///
    /// # Errors
    /// A table cannot tell: the delivery waits.
    pub async fn address(
        &self,
        address: &Address,
        remote: &dyn RemoteMaps,
        decisions: &mut Decisions,
    ) -> Result<Option<Address>, RewriteError> {
        let mapped = self.maps.map(address, &self.addressing, self.propagate, remote).await?;
        let Some(mapped) = mapped else { return Ok(Some(address.clone())) };
        let (after, decision) = mapped.into_one(Parameter::Generic, address);
        decisions.add(decision);
        Ok(after)
    }

    /// A field of the primary header with the addresses as other sites know them; `None` if it
    /// stays as it is. `raw` is the whole field, folding and line ends included.
    ///
    /// # Errors
    /// A table cannot tell: the delivery waits.
    pub async fn header(
        &self,
        raw: &[u8],
        remote: &dyn RemoteMaps,
        decisions: &mut Decisions,
    ) -> Result<Option<Vec<u8>>, RewriteError> {
        if self.maps.is_empty() || !is_address_header(raw) {
            return Ok(None);
        }
        let mut chain = Chain::Generic { rules: self, remote, decisions };
        rewrite_addresses(raw, &mut chain).await
    }
}
