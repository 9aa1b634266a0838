//! Mail of the gateway itself: reports to senders, notices of moderation, the roots of the archive.
//!
//! Says what the archive keeps of it, and signs it as mail of our own people is signed. Who writes it and queues it stands elsewhere.

use std::sync::Arc;

use bytes::Bytes;
use mailweir_archive::entry::{self, Direction};
use mailweir_filters::{
    archiving::{MARK, Rules},
    rewriting::RewriteError,
};
use mailweir_mail::Envelope;

use crate::{
    archiving::{Mail, judge},
    clock,
    config::Config,
    rewriting::LiveRewriting,
    signing::{NotSigned, Signing},
};

/// What becomes of it. It is never put off: what the archive cannot take now it is owed.
#[derive(Clone, Default)]
pub(crate) struct OwnMail {
    /// What of it is archived; absent: nothing.
    rules: Option<Arc<Rules>>,
    /// Whether that is marked.
    mark: bool,
    /// What signs it; absent: nothing.
    signing: Option<Arc<Signing>>,
}

/// What becomes of a mail.
#[derive(Default)]
pub(crate) struct Prepared {
    /// What the archive is to know of it; absent: it is left out.
    pub(crate) note: Option<Bytes>,
    /// What is to stand above its header.
    pub(crate) top: Vec<u8>,
}

impl OwnMail {
    pub(crate) fn of(config: &Config, rewriting: &Arc<LiveRewriting>) -> Self {
        let archive = config.archive.as_ref().filter(|archive| archive.own);
        Self {
            rules: archive.map(|archive| Arc::new(archive.rules.clone())),
            mark: archive.is_some_and(|archive| archive.mark),
            signing: Signing::of(config, rewriting).map(Arc::new),
        }
    }

    /// What becomes of a mail with this content. What cannot be signed goes without, and `warn` hears why.
    ///
    /// # Errors
    /// A table cannot tell how its addresses look to others: it waits.
    pub(crate) async fn prepare(
        &self,
        envelope: &Envelope,
        content: &[&[u8]],
        warn: impl Fn(String) + Send,
    ) -> Result<Prepared, RewriteError> {
        let note = self.note(envelope, content);
        let mut top = if self.mark && note.is_some() { MARK.to_vec() } else { Vec::new() };
        if let Some(signing) = &self.signing {
            match Box::pin(signing.fields_of(content, clock::now())).await {
                Ok(fields) => top.extend_from_slice(&fields),
                Err(NotSigned::Addresses(error)) if !error.may_pass() => {
                    warn(format!("goes without a signature: {error}"));
                }
                Err(NotSigned::Addresses(error)) => return Err(error),
                Err(error @ (NotSigned::Content(_) | NotSigned::Unsigned(_))) => {
                    warn(format!("goes without a signature: {error}"));
                }
            }
        }
        Ok(Prepared { note, top })
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
