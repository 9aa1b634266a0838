//! Whether a recipient exists, as far as tables know (Postfix `smtpd_reject_unlisted_recipient`).

use mailweir_filters::{
    RemoteMaps,
    rewriting::{Delivery, Routed},
};
use mailweir_mail::{Address, Enhanced};
use mailweir_tables::LookupError;

use super::Rewriting;

/// What the tables know of a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Existence {
    /// Nothing speaks against it.
    Possible,
    /// Its user has another address now (`relocated_maps`); in the words of the table.
    Moved(Routed<Box<str>>),
    /// It is none of the aliases of its domain (`virtual_alias_domains`).
    NoAlias,
    /// It is none of the users of a relay domain (`relay_recipient_maps`).
    NoRelayRecipient,
    /// Its mail is returned (`error:` in `transport_maps`), with this status and text.
    Undeliverable(Routed<(Enhanced, Box<str>)>),
}

impl Rewriting {
    /// Whether any table knows something of recipients; otherwise all are [`Existence::Possible`].
    #[must_use]
    pub fn knows_recipients(&self) -> bool {
        !(self.relay_recipients.is_empty()
            && self.alias_domains.domains.is_empty()
            && self.routing.relocated.is_empty()
            && self.routing.transport.is_empty())
    }

    /// What the tables know of a recipient. One that is rewritten or an alias exists, whatever else
    /// is said of it (`check_rcpt_maps`); `is_relayed`: its domain is one that we relay for.
    ///
    /// # Errors
    /// A table cannot tell: 451.
    pub async fn existence(
        &self,
        recipient: &Address,
        is_relayed: bool,
        remote: &dyn RemoteMaps,
    ) -> Result<Existence, LookupError> {
        if !self.knows_recipients() || self.incoming.rewrites_recipient(recipient, remote).await? {
            return Ok(Existence::Possible);
        }
        if let Some(moved) = self.routing.moved(recipient, remote).await? {
            return Ok(Existence::Moved(moved));
        }
        if self.alias_domains.contains(recipient.domain(), remote).await? {
            return Ok(Existence::NoAlias);
        }
        if let Some(transport) = self.routing.transport(recipient, remote).await?
            && let Ok(Delivery::Error(status, text)) =
                Delivery::of(&transport.value, recipient.domain())
        {
            let value = (specific(status), text);
            return Ok(Existence::Undeliverable(Routed { value, place: transport.place }));
        }
        let is_unlisted = is_relayed && !self.relay_recipients.is_empty() && {
            let addressing = &self.incoming.addressing;
            !self.relay_recipients.have(recipient, addressing, remote).await?
        };
        Ok(if is_unlisted { Existence::NoRelayRecipient } else { Existence::Possible })
    }
}

/// A text without a status of its own has that of a bad recipient.
const fn specific(status: Enhanced) -> Enhanced {
    match status {
        Enhanced(5, 0, 0) => Enhanced(5, 1, 1),
        status => status,
    }
}
