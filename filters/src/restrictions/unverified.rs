//! Addresses that are tried out before they are accepted (ADDRESS_VERIFICATION_README,
//! `reject_unverified_address` of smtpd_check.c).

use super::{
    evaluator::{Evaluator, Judgement, Opinion},
    facts::Facts,
    replies::Reason,
    restriction::Party,
};
use crate::verification::{Answer, Status};

impl<F: Facts> Evaluator<'_, F> {
    /// The code alone says whether the refusal is for now or for ever, whatever the next hop said.
    pub(super) async fn reject_unverified(&mut self, party: Party) -> Judgement {
        let in_question = self.address_in_question(party).filter(|who| !who.value.is_empty());
        let Some(who) = in_question else { return Ok(Opinion::Dunno) };
        let Answer { status, text } = self.facts.verified(who.value).await;
        let rules = self.rules;
        let said = match party {
            Party::Sender => &rules.settings.unverified_sender,
            Party::Recipient => &rules.settings.unverified_recipient,
        };
        let code = match status {
            Status::Deliverable => return Ok(Opinion::Dunno),
            Status::InProgress | Status::Deferred => said.defer_code,
            Status::Undeliverable => said.reject_code,
        };
        let why = if said.reason.is_empty() { &*text } else { &*said.reason };
        match code {
            ..400 => Ok(Opinion::Dunno),
            400..500 => self.defer_if_permit(said.waits, Reason::Unverified(code, why), who),
            _ => self.refuse(Reason::Unverified(code, why), who),
        }
    }
}
