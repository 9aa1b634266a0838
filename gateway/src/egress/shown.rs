//! A mail as other sites see it: `smtp_generic_maps` at work on the envelope and the header.
//!
//! For what leaves by SMTP. Mail to a filter comes back, and mail to a mail store stays at this
//! site: both go as they are.

use std::sync::Arc;

use bytes::Bytes;
use mailweir_filters::rewriting::{Decisions, HeaderRewriter, RewriteError};
use mailweir_mail::{Address, Envelope, ReversePath};
use mailweir_queue::{Content, RecipientIndex};

use super::{connection::Letter, destination::Protocol};
use crate::rewriting::{LiveRewriting, Rewriting};

/// A mail on its way to other sites.
pub(super) struct Shown {
    /// Sender and recipients, each at the place where the mail's own envelope has it.
    pub(super) envelope: Arc<Envelope>,
    generic: Option<Generic>,
}

/// How a mail leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaves {
    /// To another site, or to a mail store.
    ForGood,
    /// To a filter.
    ToComeBack,
}

struct Generic {
    live: Arc<LiveRewriting>,
    rules: Arc<Rewriting>,
}

impl Shown {
    /// The mail as those see it whom `protocol` is spoken with.
    ///
    /// # Errors
    /// A table cannot tell: these recipients wait.
    pub(super) async fn to(
        (protocol, leaves): (Protocol, Leaves),
        envelope: &Arc<Envelope>,
        recipients: &[RecipientIndex],
        live: Arc<LiveRewriting>,
    ) -> Result<Self, RewriteError> {
        let rules = live.current();
        let stays = protocol == Protocol::Lmtp || leaves == Leaves::ToComeBack;
        if stays || rules.generic.maps.is_empty() {
            return Ok(Self { envelope: Arc::clone(envelope), generic: None });
        }
        let generic = Generic { live, rules };
        let envelope = generic.envelope(envelope, recipients).await?;
        Ok(Self { envelope: Arc::new(envelope), generic: Some(generic) })
    }

    /// The content as others see it.
    pub(super) fn letter<'c>(&self, content: &'c Content) -> Letter<'c> {
        let headers = self.generic.as_ref().and_then(|generic| {
            let rewriter = HeaderRewriter::generic(&generic.rules.generic)?;
            Some((rewriter, Arc::clone(&generic.live)))
        });
        Letter { content, top: Bytes::new(), headers }
    }
}

impl Generic {
    async fn envelope(
        &self,
        envelope: &Envelope,
        recipients: &[RecipientIndex],
    ) -> Result<Envelope, RewriteError> {
        let mut shown = envelope.clone();
        if let Some(sender) = envelope.sender.address() {
            let address = self.address(sender).await?;
            shown.sender = address.map_or(ReversePath::Null, ReversePath::Mailbox);
        }
        for index in recipients {
            if let Some(recipient) = shown.recipients.get_mut(index.as_usize()) {
                // A recipient never becomes nobody.
                if let Some(address) = self.address(&recipient.address).await? {
                    recipient.address = address;
                }
                shown.smtputf8 |= recipient.address.needs_smtputf8();
            }
        }
        shown.smtputf8 |= shown.sender.address().is_some_and(Address::needs_smtputf8);
        Ok(shown)
    }

    async fn address(&self, address: &Address) -> Result<Option<Address>, RewriteError> {
        let decisions = &mut Decisions::default();
        self.rules.generic.address(address, self.live.remote(), decisions).await
    }
}
