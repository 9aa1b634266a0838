//! What becomes of the envelope of a mail that is accepted: our postmaster is somebody, rules
//! about addresses are followed, and then rules about the mail's way.
//!
//! In Postfix's order: FILTER and REDIRECT come last, so that the address of REDIRECT is no alias.

use std::sync::Arc;

use mailweir_filters::{
    checks::Detour,
    rewriting::{Decisions, RewriteError, Rewritten, rewrite},
};
use mailweir_mail::{Address, Envelope, Recipient};

use super::{
    listener::{Listener, Shared},
    relay::ServedDomains,
    rerouting,
};
use crate::egress::{Expansion, Outbox};

/// What rules about addresses come to, while the session still has the envelope as it was.
pub(super) enum Addressed {
    /// There are none: only these get copies.
    AsWritten(Vec<Address>),
    /// The envelope as they have it.
    Rewritten(Box<Rewritten>),
}

/// An envelope as it is queued.
pub(super) struct FinalForm {
    pub(super) envelope: Envelope,
    /// The recipients who became others, and whose sender is to hear of it.
    pub(super) expanded: Vec<Recipient>,
}

/// Finds out what rules about addresses make of an envelope. `copies`: who else gets the mail.
///
/// # Errors
/// A table cannot tell or leads astray: the mail waits.
pub(super) async fn address(
    listener: &Listener,
    envelope: &Envelope,
    copies: Vec<Address>,
) -> Result<Addressed, RewriteError> {
    let Some(rewriting) = listener.rewriting() else { return Ok(Addressed::AsWritten(copies)) };
    let rules = rewriting.current();
    if !rules.incoming.change_envelopes() {
        return Ok(Addressed::AsWritten(copies));
    }
    let mut envelope = envelope.clone();
    name_postmaster(&mut envelope, listener.served());
    let rewritten = rewrite(&rules.incoming, envelope, &copies, rewriting.remote()).await?;
    Ok(Addressed::Rewritten(Box::new(rewritten)))
}

impl Addressed {
    /// What was done, step by step.
    pub(super) fn decisions(&self) -> Option<&Decisions> {
        match self {
            Self::AsWritten(_) => None,
            Self::Rewritten(rewritten) => Some(&rewritten.decisions),
        }
    }

    /// Who else gets the mail, as long as no envelope has them.
    pub(super) fn take_copies(&mut self) -> Vec<Address> {
        match self {
            Self::AsWritten(copies) => std::mem::take(copies),
            Self::Rewritten(_) => Vec::new(),
        }
    }

    /// The envelope that is queued; `written` is the envelope that the session had.
    pub(super) fn envelope(
        self,
        written: Envelope,
        detour: Option<Detour>,
        served: &ServedDomains,
    ) -> FinalForm {
        let (mut envelope, copies, expanded) = match self {
            Self::AsWritten(copies) => {
                let mut envelope = written;
                name_postmaster(&mut envelope, served);
                (envelope, copies, Vec::new())
            }
            Self::Rewritten(rewritten) => (rewritten.envelope, Vec::new(), rewritten.expanded),
        };
        // Nobody gets it of those that an alias stands for.
        let is_redirected = matches!(detour, Some(Detour::Redirect(_)));
        rerouting::apply(&mut envelope, detour, copies);
        FinalForm { envelope, expanded: if is_redirected { Vec::new() } else { expanded } }
    }
}

impl Default for Addressed {
    fn default() -> Self {
        Self::AsWritten(Vec::new())
    }
}

/// Tells the sender of a mail that recipients became others. The client is not kept waiting for it:
/// the mail is ours already.
pub(super) fn report_later(listener: &Arc<Listener>, expansion: Expansion) {
    let listener = Arc::clone(listener);
    listener.shared().sessions.clone().spawn(async move {
        let Some(rewriting) = listener.rewriting() else { return };
        let Shared { queue, observer, hostname, .. } = listener.shared();
        let own = listener.own_mail();
        let outbox = Outbox { queue, observer, hostname, rewriting, own };
        if let Err(error) = outbox.report(&expansion).await {
            listener.warn(format!("report of an expanded alias not queued: {error}"));
        }
    });
}

/// Mail to our own postmaster goes to the person who is it, and is still known as written to the postmaster.
pub(super) fn name_postmaster(envelope: &mut Envelope, served: &ServedDomains) {
    for recipient in &mut envelope.recipients {
        if let Some(person) = served.instead_of(&recipient.address) {
            rerouting::send_elsewhere(recipient, person);
        }
    }
}
