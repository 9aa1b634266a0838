//! What tables say of a recipient's way: `transport_maps`, `relocated_maps`,
//! `sender_dependent_relayhost_maps`. How they are asked stands in [`super::inquiry`].

use mailweir_mail::Transport;

use super::{replies, transport::End};
use crate::rewriting::ByTable;

/// What a rule says of a recipient's way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Chosen {
    /// Nothing: it goes by its route.
    #[default]
    Nothing,
    /// This way.
    Way(Transport),
    /// Through the filter of other people that has this name.
    Filter(Transport),
    /// No further.
    End(End),
}

/// What a lookup comes to.
pub(super) fn chosen(way: Option<ByTable>) -> Chosen {
    match way {
        None => Chosen::Nothing,
        Some(ByTable::Transport(way) | ByTable::Relay(way)) => Chosen::Way(way.value),
        Some(ByTable::Moved(place)) => Chosen::End(End::Failed(replies::moved(&place.value))),
        Some(ByTable::NoAlias) => Chosen::End(End::Failed(replies::NO_ALIAS)),
    }
}
