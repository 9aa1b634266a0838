//! The addresses that stand in a table's value: `joe@x`, `a@x, b@y`, `@other`.
//!
//! A value is an address list as in a header, so comments, names and quotes are understood
//! (virtual(5), `tok822_parse`). One without any address is a mistake in the table: the mail waits.

use mailweir_mail::Address;
use mailweir_tables::{Found, LookupError, Place};

use super::{
    Addressing,
    address_list::{AddrSpec, AddressList, Words},
};

/// The address that a value was found for.
pub(crate) struct Of<'a> {
    pub(crate) address: &'a Address,
    /// What of it is not in the key, with its delimiter.
    pub(crate) extension: Option<&'a str>,
    /// Whether that goes on to the results (Postfix `propagate_unmatched_extensions`).
    pub(crate) propagate: bool,
    pub(crate) addressing: &'a Addressing,
}

impl Of<'_> {
    /// The addresses of a value. An empty list only where the value is `<>`: the address of
    /// nobody, which a sender may become.
    pub(crate) fn addresses(&self, found: &Found<'_>) -> Result<Vec<Address>, LookupError> {
        let text = std::str::from_utf8(&found.value)
            .map_err(|_| unusable(&found.place, "the value is not UTF-8"))?;
        // "@other" keeps the user; what follows the first comma stands for itself.
        let text = match text.strip_prefix('@') {
            Some(_) => format!("{}{text}", super::addressing::quoted(&self.user())),
            None => text.to_owned(),
        };
        let specs = AddressList::new(text.as_bytes(), Words::AreAddresses, MAX_TOKENS);
        let results: Result<Vec<_>, _> =
            specs.map(|spec| self.address(&text, &spec, &found.place)).collect();
        match results? {
            results if results.is_empty() && text.trim() != "<>" => {
                Err(unusable(&found.place, "the value has no address"))
            }
            results => Ok(results),
        }
    }

    /// The local part of the address, without an extension that the key did not have.
    fn user(&self) -> String {
        let local = self.address.unquoted_local_part();
        let cut = self.extension.map_or(0, str::len);
        local.get(..local.len().saturating_sub(cut)).unwrap_or(&local).to_owned()
    }

    fn address(&self, text: &str, spec: &AddrSpec, place: &Place) -> Result<Address, LookupError> {
        let written = spec.read(text.as_bytes());
        let Some((mut local, domain)) = written else {
            return Err(unusable(place, "the value has something that is no address"));
        };
        if self.propagate {
            local.push_str(self.extension.unwrap_or_default());
        }
        self.addressing.join(&local, domain.as_deref()).map_err(|error| {
            unusable(place, &format!("the value has an address that cannot be used: {error}"))
        })
    }
}

/// Of nobody, where somebody is needed.
pub(crate) fn nobody(place: &Place) -> LookupError {
    unusable(place, "the value is the address of nobody")
}

fn unusable(place: &Place, reason: &str) -> LookupError {
    LookupError::Value { place: place.clone(), reason: reason.into() }
}

/// More than the limit of an expansion can use: a value is a table's, and no peer's.
const MAX_TOKENS: usize = 100_000;
