//! What the restrictions of the listener say at each step, and what is done about it.

use mailweir_filters::restrictions::ProtocolState;
use mailweir_mail::Recipient;
use mailweir_smtp::{replies::Refusal, server::Session};

use super::{
    super::{
        client_name::ClientName,
        restrictions::{SessionRestrictions, Wishes},
    },
    Admission,
};

impl Admission {
    /// A client has come, by itself or by the word of a proxy.
    pub(super) fn begin_judging(&mut self, name: ClientName) {
        let begin = |rules| Box::new(SessionRestrictions::new(rules, name));
        self.restrictions = self.listener.restrictions().map(begin);
    }

    /// A mail begins.
    pub(super) fn forget_last_mail(&mut self) {
        if let (Some(session), Some(rules)) = (&mut self.restrictions, self.listener.restrictions())
        {
            session.begin_mail(rules);
        }
    }

    /// Asks the lists that are due at this step.
    pub(super) async fn judge(
        &mut self,
        step: ProtocolState,
        session: &Session,
        recipient: Option<&Recipient>,
    ) -> Result<(), Refusal> {
        let Self { listener, restrictions, .. } = self;
        let Some(restrictions) = restrictions else { return Ok(()) };
        // Boxed, so that a session does not always have room for it.
        Box::pin(restrictions.judge(step, session, recipient, listener)).await
    }

    /// Whether the mail is to be thrown away: then nobody's permission to relay is needed.
    pub(super) fn discards(&self) -> bool {
        self.restrictions.as_ref().is_some_and(|session| session.discards())
    }

    /// The headers that tables put on top, above our own Received as in Postfix.
    pub(super) fn prepended(&self) -> String {
        let effects = self.restrictions.as_ref().map(|session| session.effects());
        let headers = effects.iter().flat_map(|effects| &effects.prepend);
        headers.map(|wish| format!("{}\r\n", wish.text)).collect()
    }

    /// What tables want done with the mail; `None`: it is thrown away. What cannot be done makes
    /// it wait, and the administrator hears why.
    pub(super) fn wishes(&self) -> Result<Option<Wishes>, Refusal> {
        let Some(session) = &self.restrictions else { return Ok(Some(Wishes::default())) };
        if session.discards() {
            return Ok(None);
        }
        Wishes::of(session.effects()).map(Some).map_err(|error| {
            self.listener.warn(format!("the mail is put off: {error}"));
            Refusal::TableUnavailable
        })
    }
}
