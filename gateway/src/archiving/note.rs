//! What is decided of a mail when it is accepted, for its record in the archive.

use std::sync::Arc;

use bytes::Bytes;
use mailweir_archive::entry::{self, Direction, Note, Source, SummaryError};
use mailweir_filters::archiving::{Facts, Fields, Rules};
use mailweir_mail::{Envelope, HoldReason, Recipient};

use super::Archiver;
use crate::ingress::relay::{Destination, ServedDomains};

/// The rules that a listener follows, and who takes the mail.
#[derive(Clone)]
pub(crate) struct ListenerArchive {
    pub(crate) rules: Arc<Rules>,
    pub(crate) archiver: Arc<Archiver>,
}

/// What the archive asks of a mail besides its envelope.
pub(crate) struct Seen {
    /// Whether somebody of ours hands it in: they logged in, or are in `networks`.
    pub(crate) is_ours: bool,
    /// Its header, as far as rules ask for it.
    pub(crate) fields: Fields,
    /// Its size in bytes.
    pub(crate) size: u64,
}

impl ListenerArchive {
    /// What is to be read of the header of a mail.
    pub(crate) fn fields(&self) -> Fields {
        self.rules.fields()
    }

    /// What the queue keeps for the archive of this mail; `None`: it is left out.
    ///
    /// # Errors
    /// None that is known: there is nothing in it but words and numbers.
    pub(crate) fn note(
        &self,
        envelope: &Envelope,
        hold: Option<&HoldReason>,
        (seen, served): (&Seen, &ServedDomains),
    ) -> Result<Option<Bytes>, SummaryError> {
        let direction = direction(envelope, seen.is_ours, served);
        let facts = Facts {
            direction,
            sender: &envelope.sender,
            recipients: &envelope.recipients,
            fields: &seen.fields,
            size: seen.size,
        };
        let Some(kept) = self.rules.judge(&facts) else { return Ok(None) };
        let note = Note {
            direction,
            rule: kept.rule.map(Into::into),
            keep_days: kept.term.days(),
            held: hold.map(|reason| reason.as_str().into()),
            source: Source::Accepted,
        };
        Ok(Some(entry::encode(&note)?.into()))
    }
}

fn direction(envelope: &Envelope, is_ours: bool, served: &ServedDomains) -> Direction {
    let is_foreign = |recipient: &Recipient| {
        let written = recipient.original.as_ref().unwrap_or(&recipient.address);
        served.destination(written) == Destination::Foreign
    };
    match (is_ours, envelope.recipients.iter().any(is_foreign)) {
        (false, _) => Direction::Inbound,
        (true, true) => Direction::Outbound,
        (true, false) => Direction::Internal,
    }
}
