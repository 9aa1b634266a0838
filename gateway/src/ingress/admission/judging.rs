//! What the restrictions of the listener say at each step, and what is done about it.

use mailweir_filters::{checks::header_line, restrictions::ProtocolState};
use mailweir_mail::{QueueId, Recipient};
use mailweir_smtp::{replies::Refusal, server::Session};

use super::{
    super::{
        client_name::ClientName,
        restrictions::{SessionRestrictions, Wishes},
    },
    Admission, Ends,
};

impl Admission {
    /// A client has come, by itself or by the word of a proxy.
    pub(super) fn begin_judging(&mut self, name: ClientName) {
        let services = &self.listener.shared().policy_services;
        self.restrictions = self.listener.restrictions().map(|rules| {
            let lists = match self.ends {
                Ends::InQueue => rules.lists(),
                Ends::InOpinion(_) => rules.lists_elsewhere(),
            };
            Box::new(SessionRestrictions::new(rules, lists, name, services))
        });
    }

    /// A mail begins.
    pub(super) fn forget_last_mail(&mut self) {
        if let Some(impression) = &mut self.impression {
            impression.forget_mail();
        }
        if let (Some(session), Some(rules)) = (&mut self.restrictions, self.listener.restrictions())
        {
            session.begin_mail(rules, &self.listener.shared().policy_services);
        }
    }

    /// Asks the lists that are due at this step, before the mail has a name.
    pub(super) async fn judge(
        &mut self,
        step: ProtocolState,
        session: &Session,
        recipient: Option<&Recipient>,
    ) -> Result<(), Refusal> {
        self.judge_named(step, session, recipient, None).await
    }

    /// Asks the lists for the end of data about the mail of this name.
    pub(super) async fn judge_whole(
        &mut self,
        id: QueueId,
        session: &Session,
    ) -> Result<(), Refusal> {
        self.judge_named(ProtocolState::EndOfMessage, session, None, Some(id)).await
    }

    async fn judge_named(
        &mut self,
        step: ProtocolState,
        session: &Session,
        recipient: Option<&Recipient>,
        id: Option<QueueId>,
    ) -> Result<(), Refusal> {
        let Self { listener, restrictions, steps, .. } = self;
        let Some(restrictions) = restrictions.as_mut().filter(|rules| rules.ask_at(step)) else {
            return Ok(());
        };
        // Boxed, so that a session does not always have room for it.
        Box::pin(restrictions.judge(step, session, recipient, id, (listener, steps))).await
    }

    /// Whether the mail is to be thrown away: then nobody's permission to relay is needed.
    pub(super) fn discards(&self) -> bool {
        self.restrictions.as_ref().is_some_and(|session| session.discards())
    }

    /// The rule that has the mail thrown away.
    pub(super) fn discarded_by(&self) -> Option<String> {
        let session = self.restrictions.as_ref()?;
        session.effects().discard.as_ref().map(|wish| wish.place.to_string())
    }

    /// The headers that tables put on top, above our own Received as in Postfix. More than a header
    /// may have makes the mail wait: a table that gives so much is not what it was meant to be.
    pub(super) fn prepended(&self) -> Result<Vec<Vec<u8>>, Refusal> {
        let Some(session) = &self.restrictions else { return Ok(Vec::new()) };
        let wishes = &session.effects().prepend;
        if wishes.iter().map(|wish| wish.text.len()).sum::<usize>() > MOST_PREPENDED {
            self.listener.warn("the mail is put off: PREPEND gives more than 100 KiB".to_owned());
            return Err(Refusal::TableUnavailable);
        }
        Ok(wishes.iter().map(|wish| header_line(wish.text.as_bytes())).collect())
    }

    /// What tables want done with the mail. What cannot be done makes it wait, and the administrator
    /// hears why.
    pub(super) fn wishes(&self) -> Result<Wishes, Refusal> {
        let Some(session) = &self.restrictions else { return Ok(Wishes::default()) };
        Wishes::of(session.effects()).map_err(|error| {
            self.listener.warn(format!("the mail is put off: {error}"));
            Refusal::TableUnavailable
        })
    }
}

/// As long as one header may be by default (`header_size_limit`), for all of them.
const MOST_PREPENDED: usize = 102_400;
