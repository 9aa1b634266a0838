//! Whether a recipient is taken: relaying first, then whether it exists.
//!
//! What tables say is found out here, by the `lookups` of the session; who may relay is decided in [`relay`], and nowhere else.

use std::collections::HashSet;

use mailweir_filters::RemoteMaps;
use mailweir_mail::{Address, Domain, Envelope};
use mailweir_smtp::replies::{RecipientTable, Refusal};
use mailweir_tables::LookupError;

use super::{
    listener::Listener,
    relay::{self, Destination, Standing},
};
use crate::rewriting::{Existence, LiveRewriting};

/// Whether a peer of this standing may send to a recipient.
pub(super) async fn may_be_reached(
    listener: &Listener,
    standing: Standing,
    recipient: &Address,
    lookups: &dyn RemoteMaps,
) -> Result<(), Refusal> {
    let served = listener.served().destination(recipient);
    let destination = match (standing, served) {
        (Standing::Stranger, Destination::Foreign) => {
            match is_of_aliases(listener, recipient, lookups).await {
                Ok(true) => Destination::Aliases,
                Ok(false) => Destination::Foreign,
                Err(error) => return Err(unclear(listener, &error)),
            }
        }
        (_, served) => served,
    };
    relay::permit(standing, recipient, destination)
}

/// Whether a recipient that may be sent to exists, as far as tables say.
pub(super) async fn exists(
    listener: &Listener,
    recipient: &Address,
    lookups: &dyn RemoteMaps,
) -> Result<(), Refusal> {
    let Some(rewriting) = listener.rewriting() else { return Ok(()) };
    let is_known = || listener.served().has_postmaster(recipient);
    if !rewriting.current().knows_recipients() || !listener.refuses_unlisted() || is_known() {
        return Ok(());
    }
    let served = listener.served().destination(recipient);
    // Boxed, so that a session does not always have room for it.
    let existence = Box::pin(existence(rewriting, recipient, served, lookups)).await;
    existence.map_err(|error| unclear(listener, &error))?
}

/// Whether a recipient's domain is one of aliases only (Postfix `virtual_alias_domains`).
///
/// # Errors
/// A table cannot tell.
pub(super) async fn is_of_aliases(
    listener: &Listener,
    recipient: &Address,
    lookups: &dyn RemoteMaps,
) -> Result<bool, LookupError> {
    let Some(rewriting) = listener.rewriting() else { return Ok(false) };
    let rules = rewriting.current();
    rules.alias_domains.contains(recipient.domain(), lookups).await
}

/// The domains of a mail that are ours: served, or those of aliases.
///
/// # Errors
/// A table cannot tell.
pub(super) async fn ours(
    listener: &Listener,
    envelope: &Envelope,
    lookups: &dyn RemoteMaps,
) -> Result<HashSet<Domain>, LookupError> {
    let recipients = envelope.recipients.iter().map(|recipient| &recipient.address);
    let (mut ours, mut others) = (HashSet::new(), HashSet::new());
    for address in envelope.sender.address().into_iter().chain(recipients) {
        let domain = address.domain();
        if ours.contains(domain) || others.contains(domain) {
            continue;
        }
        let is_ours =
            listener.served().serve(domain) || is_of_aliases(listener, address, lookups).await?;
        let known = if is_ours { &mut ours } else { &mut others };
        known.insert(domain.clone());
    }
    Ok(ours)
}

/// Whether no table says that there is no such address here.
///
/// # Errors
/// A table cannot tell.
pub(super) async fn is_listed(
    listener: &Listener,
    address: &Address,
    lookups: &dyn RemoteMaps,
) -> Result<bool, LookupError> {
    let Some(rewriting) = listener.rewriting() else { return Ok(true) };
    let served = listener.served().destination(address);
    let existence = existence(rewriting, address, served, lookups).await?;
    Ok(!matches!(existence, Err(Refusal::UnknownRecipient(..))))
}

async fn existence(
    rewriting: &LiveRewriting,
    recipient: &Address,
    served: Destination,
    lookups: &dyn RemoteMaps,
) -> Result<Result<(), Refusal>, LookupError> {
    let rules = rewriting.current();
    let is_relayed = served == Destination::Served;
    let to = || recipient.clone();
    Ok(match rules.existence(recipient, is_relayed, lookups).await? {
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
