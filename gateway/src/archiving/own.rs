//! Mail of the gateway itself: reports to senders, notices of moderation, the roots of the archive.

use std::sync::Arc;

use bytes::Bytes;
use mailweir_archive::entry::{self, Direction};
use mailweir_filters::archiving::{MARK, Rules};
use mailweir_mail::Envelope;

use super::note::{Mail, judge};
use crate::config;

/// Which of it is kept. It is never put off: what the archive cannot take now it is owed.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnMail {
    /// Absent: none.
    rules: Option<Arc<Rules>>,
    /// Whether it is marked.
    mark: bool,
}

/// What becomes of a mail.
#[derive(Default)]
pub(crate) struct Kept {
    /// What the archive is to know of it; absent: it is left out.
    pub(crate) note: Option<Bytes>,
    /// What is to stand above its header.
    pub(crate) top: &'static [u8],
}

impl OwnMail {
    pub(crate) fn of(archive: Option<&config::Archive>) -> Self {
        let Some(archive) = archive.filter(|archive| archive.own) else { return Self::default() };
        Self { rules: Some(Arc::new(archive.rules.clone())), mark: archive.mark }
    }

    /// What becomes of a mail with this content.
    pub(crate) fn judge(&self, envelope: &Envelope, content: &[&[u8]]) -> Kept {
        let note = self.note(envelope, content);
        let top = if self.mark && note.is_some() { MARK } else { b"" };
        Kept { note, top }
    }

    fn note(&self, envelope: &Envelope, content: &[&[u8]]) -> Option<Bytes> {
        let rules = self.rules.as_ref()?;
        let mut fields = rules.fields();
        content.iter().for_each(|part| fields.feed(part));
        fields.finish();
        let size = content.iter().map(|part| part.len() as u64).sum();
        let mail = Mail { direction: Direction::Own, envelope, fields: &fields, size };
        // There is nothing in it but words and numbers: it can always be written.
        entry::encode(&judge(rules, &mail)?).ok().map(Bytes::from)
    }
}
