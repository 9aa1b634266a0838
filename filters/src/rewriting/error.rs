//! Why a mail's addresses cannot be rewritten now.

use mailweir_mail::Address;
use mailweir_tables::LookupError;

use super::Parameter;

/// Why a mail's addresses cannot be rewritten. All of them are the administrator's to mend, so
/// the mail waits (Postfix: 451 4.6.0 Alias expansion error, or 4.3.0).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RewriteError {
    /// A table cannot tell, or has a value that is no address.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// An address leads to another one again and again (Postfix `virtual_alias_recursion_limit`;
    /// ten for canonical maps).
    #[error("{by}: {address} leads to more than {limit} addresses, one after the other")]
    TooDeep {
        /// The maps.
        by: Parameter,
        /// The address as it was before.
        address: Address,
        /// The limit.
        limit: usize,
    },
    /// An alias has too many addresses (Postfix `virtual_alias_expansion_limit`).
    #[error("virtual_alias_maps: {address} has more than {limit} addresses")]
    TooMany {
        /// The alias.
        address: Address,
        /// The limit.
        limit: usize,
    },
    /// An alias has an address that is too long (Postfix `virtual_alias_address_length_limit`).
    #[error("virtual_alias_maps: {address} has an address longer than {limit} bytes")]
    TooLong {
        /// The alias.
        address: Address,
        /// The limit.
        limit: usize,
    },
    /// With all aliases written out the mail has too many recipients.
    #[error("the mail has more than {limit} recipients with all aliases written out")]
    TooManyRecipients {
        /// The limit.
        limit: usize,
    },
}

impl RewriteError {
    /// Whether asking again may go better without anybody mending a table: somebody did not answer,
    /// or a `fail:` table stands where a maintained one will. Everything else is in the rules, and
    /// the same for the same address every time.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Lookup(error) => !matches!(
                error,
                LookupError::Value { .. }
                    | LookupError::TooManySteps { .. }
                    | LookupError::NoStepsLeft { .. }
            ),
            Self::TooDeep { .. }
            | Self::TooMany { .. }
            | Self::TooLong { .. }
            | Self::TooManyRecipients { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mailweir_tables::Place;

    use super::{super::testing::address, *};

    #[test]
    fn only_a_lookup_without_an_answer_may_pass() {
        let table = || Arc::from("tcp:a:1");
        let place = Place { table: table(), line: None };
        for (error, may_pass) in [
            (LookupError::Remote { table: table(), reason: "silent".into() }, true),
            (LookupError::Fails { table: table() }, true),
            (LookupError::Value { place: place.clone(), reason: "no address".into() }, false),
            (LookupError::TooManySteps { place: place.clone() }, false),
            (LookupError::NoStepsLeft { place }, false),
        ] {
            assert_eq!(RewriteError::from(error.clone()).may_pass(), may_pass, "{error}");
        }
        assert!(!RewriteError::TooMany { address: address("a@b.test"), limit: 1 }.may_pass());
    }
}
