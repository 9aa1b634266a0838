//! Whether a recipient is taken: relaying first, then whether it exists.
//!
//! What tables say is found out here; who may relay is decided in [`relay`], and nowhere else.

use mailweir_mail::Address;
use mailweir_smtp::replies::{RecipientTable, Refusal};
use mailweir_tables::LookupError;

use super::{
    listener::Listener,
    relay::{self, Destination, Standing},
};
use crate::rewriting::{Existence, LiveRewriting};

/// Whether a peer of this standing may send to a recipient.
pub(super) async fn permit(
    listener: &Listener,
    standing: Standing,
    recipient: &Address,
) -> Result<(), Refusal> {
    let served = listener.served().destination(recipient);
    let Some(rewriting) = listener.rewriting() else {
        return relay::permit(standing, recipient, served);
    };
    let destination = match (standing, served) {
        (Standing::Stranger, Destination::Foreign) => {
            of_aliases(rewriting, recipient).await.map_err(|error| unclear(listener, &error))?
        }
        (_, served) => served,
    };
    relay::permit(standing, recipient, destination)?;
    if listener.served().has_postmaster(recipient) {
        return Ok(());
    }
    // Boxed, so that a session does not always have room for it.
    let exists = Box::pin(exists(rewriting, recipient, served)).await;
    exists.map_err(|error| unclear(listener, &error))?
}

async fn of_aliases(
    rewriting: &LiveRewriting,
    recipient: &Address,
) -> Result<Destination, LookupError> {
    let rules = rewriting.current();
    let ours = rules.alias_domains.contains(recipient.domain(), rewriting.remote()).await?;
    Ok(if ours { Destination::Aliases } else { Destination::Foreign })
}

async fn exists(
    rewriting: &LiveRewriting,
    recipient: &Address,
    served: Destination,
) -> Result<Result<(), Refusal>, LookupError> {
    let rules = rewriting.current();
    let is_relayed = served == Destination::Served;
    let to = || recipient.clone();
    Ok(match rules.existence(recipient, is_relayed, rewriting.remote()).await? {
        Existence::Possible => Ok(()),
        Existence::Moved(place) => Err(Refusal::RecipientMoved(to(), place.value)),
        Existence::NoAlias => Err(Refusal::UnknownRecipient(to(), RecipientTable::VirtualAlias)),
        Existence::NoRelayRecipient => Err(Refusal::UnknownRecipient(to(), RecipientTable::Relay)),
        Existence::Undeliverable(said) => {
            let (status, text) = said.value;
            Err(Refusal::RecipientUndeliverable(to(), status, text))
        }
    })
}

/// The peer hears that it may try again; the administrator hears why.
fn unclear(listener: &Listener, error: &LookupError) -> Refusal {
    listener.warn(format!("a recipient is put off: {error}"));
    Refusal::TableUnavailable
}
