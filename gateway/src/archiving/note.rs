//! What is decided of a mail when it is accepted, for its record in the archive.

use std::sync::Arc;

use mailweir_archive::entry::{Direction, Note, Source};
use mailweir_filters::archiving::{Facts, Fields, Rules};
use mailweir_mail::{Envelope, Recipient};

use super::Archiver;
use crate::ingress::relay::{Destination, ServedDomains};

/// The rules that a listener follows, and who takes the mail.
#[derive(Clone)]
pub(crate) struct ListenerArchive {
    pub(crate) rules: Arc<Rules>,
    pub(crate) archiver: Arc<Archiver>,
    /// Whether it is marked as archived.
    pub(crate) mark: bool,
}

/// A mail, as the archive is asked about it.
pub(crate) struct Mail<'a> {
    /// Which way it goes.
    pub(crate) direction: Direction,
    /// Its envelope as it is queued.
    pub(crate) envelope: &'a Envelope,
    /// Its header, as far as rules ask for it.
    pub(crate) fields: &'a Fields,
    /// Its size in bytes.
    pub(crate) size: u64,
}

impl ListenerArchive {
    /// What is to be read of the header of a mail.
    pub(crate) fn fields(&self) -> Fields {
        self.rules.fields()
    }

    /// What the archive is to know of a mail; `None`: it is left out.
    pub(crate) fn judge(&self, mail: &Mail<'_>) -> Option<Note> {
        judge(&self.rules, mail)
    }
}

/// What rules say of a mail; `None`: it is left out.
pub(crate) fn judge(rules: &Rules, mail: &Mail<'_>) -> Option<Note> {
    let facts = Facts {
        direction: mail.direction,
        sender: &mail.envelope.sender,
        recipients: &mail.envelope.recipients,
        fields: mail.fields,
        size: mail.size,
    };
    let kept = rules.judge(&facts)?;
    Some(Note {
        direction: mail.direction,
        rule: kept.rule.map(Into::into),
        keep_days: kept.term.days(),
        held: None,
        source: Source::Accepted,
    })
}

/// Which way a mail goes. `written`: the envelope as the client wrote it, without the copies that rules add.
/// `is_ours`: somebody of ours hands it in: they logged in, or are in `networks`.
pub(crate) fn direction(written: &Envelope, is_ours: bool, served: &ServedDomains) -> Direction {
    let is_foreign =
        |recipient: &Recipient| served.destination(&recipient.address) == Destination::Foreign;
    match (is_ours, written.recipients.iter().any(is_foreign)) {
        (false, _) => Direction::Inbound,
        (true, true) => Direction::Outbound,
        (true, false) => Direction::Internal,
    }
}
