//! Where mail ends that nothing refuses: in our queue, or in what is said of it to a mail server that
//! keeps it.

use mailweir_external::verdict::Edit;
use mailweir_filters::checks::{Context, Outcome, Verb};
use mailweir_mail::{Envelope, HoldReason, QueueId};
use mailweir_smtp::server::{Answer, Session};

use super::{
    Admission,
    accepting::{Judged, internal},
    moderating::together,
};
use crate::ingress::moderation::Moderated;

/// Where mail ends that nothing refuses.
pub(in crate::ingress) enum Ends {
    /// In the queue: it is ours.
    InQueue,
    /// In what is said of it: it stays with the mail server that asks. What was said of the last one, until
    /// it is taken.
    InOpinion(Option<Box<Opinion>>),
}

/// What is to become of a mail that another mail server has.
#[derive(Debug)]
pub(crate) struct Opinion {
    /// What our log calls it.
    pub(crate) id: QueueId,
    /// Why it is to wait, if it is.
    pub(crate) hold: Option<HoldReason>,
    /// Its envelope as it came.
    pub(crate) written: Envelope,
    /// Its envelope as it is to be.
    pub(crate) envelope: Envelope,
    /// Its header as it is to be, with the empty line behind it.
    pub(crate) header: Vec<u8>,
}

impl Admission {
    /// What was said of the last mail.
    pub(in crate::ingress) fn take_opinion(&mut self) -> Option<Box<Opinion>> {
        match &mut self.ends {
            Ends::InQueue => None,
            Ends::InOpinion(opinion) => opinion.take(),
        }
    }

    /// The last step for mail of another mail server. Nothing is kept of it.
    ///
    /// # Errors
    /// Its header cannot be read.
    pub(super) async fn opine(
        &mut self,
        mut mail: Box<Judged>,
        session: &Session,
    ) -> Result<Answer, Answer> {
        let id = mail.incoming.id();
        let header = mail.incoming.header().await.map_err(|error| {
            self.take_back(mail.counted.as_ref());
            self.cannot_tell(id, &error)
        })?;
        let written = session.transaction().cloned().ok_or_else(internal)?;
        let form = mail.take_final_form(written.clone(), self.listener.served());
        let envelope = form.envelope;
        let filters = self.listener.filters();
        let was_asked = |name| filters.is_some_and(|it| it.filters.before_queue(name).is_some());
        if envelope.filter.as_ref().is_some_and(|named| !was_asked(named.name())) {
            let text = "FILTER is passed over: the mail stays with the mail server that asks";
            self.listener.warn(format!("{id}: {text}"));
        }
        let excess = mail.counted.as_ref().zip(self.submitter.as_ref());
        let excess = excess.and_then(|(spent, submitter)| spent.excess(submitter));
        let other = mail.hold.or_else(|| excess.map(|text| HoldReason::new(&text)));
        let moderated = mail.considered.and_then(|it| it.moderated);
        let approval = moderated.as_ref().and_then(Moderated::hold_reason);
        let hold = together(approval, other);
        self.ends =
            Ends::InOpinion(Some(Box::new(Opinion { id, hold, written, envelope, header })));
        Ok(Answer::Judged)
    }

    /// What rules would do to a body is not told to a mail server that has it.
    pub(super) fn warn_of_body_rules(&self, checked: &Outcome, id: QueueId) {
        let Ends::InOpinion(_) = self.ends else { return };
        let changes = |verb: &Verb| {
            matches!(verb, Verb::Replace | Verb::Prepend | Verb::Strip | Verb::Ignore)
        };
        let mut decisions = checked.decisions.iter();
        let is_of_body = decisions
            .any(|one| one.context != Context::Header && one.action.as_ref().is_ok_and(changes));
        if is_of_body {
            self.warn_of_body(id, "rules");
        }
    }

    /// The same, of what a filter would do.
    pub(super) fn warn_of_new_body(&self, edits: &[Edit], (id, filter): (QueueId, &str)) {
        let Ends::InOpinion(_) = self.ends else { return };
        if edits.iter().any(|edit| matches!(edit, Edit::Body(_))) {
            self.warn_of_body(id, &format!("the filter {filter}"));
        }
    }

    fn warn_of_body(&self, id: QueueId, who: &str) {
        let text = "the body stays as the mail server has it that asks";
        self.listener.warn(format!("{id}: changes of {who} are passed over: {text}"));
    }
}
