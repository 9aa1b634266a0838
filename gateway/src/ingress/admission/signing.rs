//! Mail of our own people is signed as it will leave, by all that is known when it comes in.
//!
//! A filter ahead is no reason to wait: some recipients do not pass it, and it may fail and be passed by. Whoever has changed the mail
//! hands it back, and then it is signed anew.

use mailweir_smtp::server::{Answer, Session};

use super::{Admission, Ends, accepting::Judged};
use crate::{clock, config::Mode, signing::NotSigned};

impl Admission {
    /// Signs the mail with the keys of its author's domain, if it is one of ours. Mail of other mail servers is theirs to sign.
    ///
    /// # Errors
    /// It cannot be read, or not be stored.
    pub(super) async fn sign(&self, mail: &mut Judged, session: &Session) -> Result<(), Answer> {
        let (Some(signing), Ends::InQueue) = (self.listener.signing(), &self.ends) else {
            return Ok(());
        };
        let id = mail.incoming.id();
        let arrival = mail.incoming.arrival();
        // What a filter hands back without its slip may have come from anybody.
        let comes_first = matches!(self.listener.mode(), Mode::Mx | Mode::Submission);
        let here = || comes_first.then(|| self.origin(session, arrival));
        let origin = mail.origin_if_queued(here);
        if !origin.is_some_and(|origin| signing.is_ours(&origin)) {
            return Ok(());
        }
        let content = mail.incoming.taken_in().await.map_err(|error| self.not_taken(&error))?;
        let fields = match signing.fields(&content, clock::now()).await {
            Ok(fields) => fields,
            Err(NotSigned::Content(error)) => return Err(self.cannot_tell(id, &error)),
            Err(NotSigned::Addresses(error)) => return Err(self.cannot_tell(id, &error)),
            Err(NotSigned::Unsigned(why)) => {
                self.listener.warn(format!("{id}: goes without a signature: {why}"));
                return Ok(());
            }
        };
        if fields.is_empty() {
            return Ok(());
        }
        let is_former = mail.is_handed_back();
        let is_replaced = |field: &[u8]| is_former && signing.is_signature(field);
        let signed = mail.incoming.mark(is_replaced, &fields).await;
        signed.map_err(|error| self.unmarked(id, &error))
    }
}
