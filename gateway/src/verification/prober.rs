//! Who asks a next hop whether it takes mail for an address.

use std::{pin::Pin, sync::Arc};

use mailweir_filters::verification::{Answer, Status};
use mailweir_mail::{Address, ReversePath};

use crate::egress::{
    Egress,
    probe::{ProbeStatus, Probed},
};

/// Asks next hops. What one call comes to takes a bounded time, and is never a mail.
pub(crate) trait Prober: Send + Sync {
    /// Asks about `recipient` as a mail from `sender` would. `None`: nobody could be asked for want
    /// of room, and nothing is known.
    fn probe<'a>(&'a self, sender: &'a ReversePath, recipient: &'a Address) -> Probing<'a>;
}

/// A probe under way.
pub(crate) type Probing<'a> = Pin<Box<dyn Future<Output = Option<Probed>> + Send + 'a>>;

impl Prober for Arc<Egress> {
    fn probe<'a>(&'a self, sender: &'a ReversePath, recipient: &'a Address) -> Probing<'a> {
        Box::pin(Egress::probe(self, sender, recipient))
    }
}

impl From<Probed> for Answer {
    fn from(Probed { status, text }: Probed) -> Self {
        let status = match status {
            ProbeStatus::Deliverable => Status::Deliverable,
            ProbeStatus::Undeliverable => Status::Undeliverable,
            ProbeStatus::Deferred => Status::Deferred,
        };
        Self { status, text }
    }
}
