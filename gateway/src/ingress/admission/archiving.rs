//! Whether the archive keeps a mail, by all who get it together.

use mailweir_mail::{Envelope, QueueId};
use mailweir_smtp::{
    replies::Refusal,
    server::{Answer, Session},
};

use super::{Admission, Ends, accepting::Judged};
use crate::archiving::{self, ListenerArchive, Mail};

impl Admission {
    /// Asks the rules of the archive, and whether it can take what they have it keep. What it does not keep
    /// loses its mark.
    ///
    /// # Errors
    /// It cannot take the mail now, or the disk of the queue failed.
    pub(super) async fn judge_for_archive(
        &self,
        mail: &mut Judged,
        written: &Envelope,
        session: &Session,
    ) -> Result<(), Answer> {
        let Some(archive) = self.archive() else { return Ok(()) };
        let served = self.listener.served();
        let is_ours = self.submitter.is_some() || session.rights().trusted;
        let form = mail.take_final_form(written.clone(), served);
        let note = archive.judge(&Mail {
            direction: archiving::direction(written, is_ours, served),
            envelope: &form.envelope,
            fields: &mail.incoming.finish_fields(),
            size: mail.incoming.size(),
        });
        mail.settle(form);
        match note {
            Some(note) => {
                let ready = archive.archiver.ready();
                ready.map_err(|reason| self.not_archived(mail.incoming.id(), &reason))?;
                mail.note = Some(note);
            }
            None => {
                let left_out = mail.incoming.leave_out_mark().await;
                left_out.map_err(|error| self.not_taken(&error))?;
            }
        }
        Ok(())
    }

    /// Where what is taken is archived.
    pub(super) fn archive(&self) -> Option<&ListenerArchive> {
        match self.ends {
            Ends::InQueue => self.listener.archive(),
            Ends::InOpinion(_) => None,
        }
    }

    fn not_archived(&self, id: QueueId, reason: &str) -> Answer {
        self.listener.warn(format!("{id}: not taken, the archive is not ready: {reason}"));
        Answer::Refuse(Refusal::ArchiveUnavailable)
    }
}
