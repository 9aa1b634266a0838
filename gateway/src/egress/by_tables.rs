//! The ways of a mail's recipients where tables have a say: `transport_maps`, `relocated_maps`,
//! `sender_dependent_relayhost_maps`. They are asked at each attempt, so that a change counts for
//! mail that waits.

use mailweir_mail::{Enhanced, Reply, Transport};
use mailweir_queue::Claim;

use super::{Egress, route::LiveRoutes, transport::End};
use crate::rewriting::{ByTable, LiveRewriting, Rewriting};

/// What a rule says of a recipient's way.
#[derive(Clone, Debug, Default)]
pub(super) enum Chosen {
    /// Nothing: it goes by its route.
    #[default]
    Nothing,
    /// This way.
    Way(Transport),
    /// No further.
    End(End),
}

/// What tables say of each pending recipient. One that they cannot tell of waits.
pub(super) async fn ask(
    egress: &Egress,
    routes: &LiveRoutes,
    live: &LiveRewriting,
    rules: &Rewriting,
    claim: &Claim,
) -> Vec<Chosen> {
    let mut all = Vec::with_capacity(claim.pending.len());
    let mut warned = false;
    for index in &claim.pending {
        let Some(recipient) = claim.envelope.recipients.get(index.as_usize()) else {
            all.push(Chosen::Nothing);
            continue;
        };
        let may_relay = routes.is_left_to_relays(recipient.address.domain());
        let sender = &claim.envelope.sender;
        let way = rules.way(sender, &recipient.address, may_relay, live.remote()).await;
        all.push(way.map(chosen).unwrap_or_else(|error| {
            if !std::mem::replace(&mut warned, true) {
                egress.warn(format!("{}: the mail is put off: {error}", claim.id));
            }
            Chosen::End(End::Deferred(UNCLEAR))
        }));
    }
    all
}

pub(super) fn chosen(way: Option<ByTable>) -> Chosen {
    match way {
        None => Chosen::Nothing,
        Some(ByTable::Transport(way) | ByTable::Relay(way)) => Chosen::Way(way.value),
        Some(ByTable::Moved(place)) => {
            let text = format!("User has moved to {}", place.value);
            Chosen::End(End::Failed(Reply::with_text(550, Enhanced(5, 1, 6), text)))
        }
        Some(ByTable::NoAlias) => {
            let words = "User unknown in virtual alias table";
            Chosen::End(End::Failed(Reply::new(550, Enhanced(5, 1, 1), words)))
        }
    }
}

/// A table cannot tell, in Postfix's words; which one is said in the log alone.
pub(super) const UNCLEAR: Reply = Reply::new(451, Enhanced(4, 3, 0), "address resolver failure");
