//! Actions of access tables that do something to the mail as a whole.
//!
//! They hold for all recipients, and stay even if the recipient they were found for is refused. A
//! value that is not what the action needs is a warning, and the list goes on.

use super::{
    access::about,
    action,
    evaluator::{Evaluator, Opinion},
    facts::Facts,
    memory::{Effects, Wish},
    outcome::DecisionKind,
    replies::Who,
    transaction::ProtocolState,
};

impl<'a, F: Facts> Evaluator<'a, F> {
    pub(super) fn filter(&mut self, text: &str, who: Who<'_>) -> Opinion {
        if !self.has_mail("FILTER") || !self.needs(text.contains(':'), "transport:destination") {
            return Opinion::Dunno;
        }
        self.log(DecisionKind::Filter, &about(who, format!("triggers FILTER {text}")));
        self.memory.effects.filter = self.wish(text);
        Opinion::Dunno
    }

    pub(super) fn hold(&mut self, text: &str, who: Who<'_>) -> Opinion {
        if !self.has_mail("HOLD") || self.memory.effects.hold.is_some() {
            return Opinion::Dunno;
        }
        let why = if text.is_empty() { "triggers HOLD action" } else { text };
        self.log(DecisionKind::Hold, &about(who, why));
        self.memory.effects.hold = self.wish(why);
        Opinion::Dunno
    }

    /// Ends all checks of the mail: it is accepted and thrown away.
    pub(super) fn discard(&mut self, text: &str, who: Who<'_>) -> Opinion {
        if !self.has_mail("DISCARD") {
            return Opinion::Dunno;
        }
        let why = if text.is_empty() { "triggers DISCARD action" } else { text };
        self.log(DecisionKind::Discard, &about(who, why));
        self.memory.effects.discard = self.wish(why);
        Opinion::Permit
    }

    pub(super) fn redirect(&mut self, text: &str, who: Who<'_>) -> Opinion {
        if !self.has_mail("REDIRECT") || !self.needs(text.contains('@'), "user@domain") {
            return Opinion::Dunno;
        }
        self.log(DecisionKind::Redirect, &about(who, format!("triggers REDIRECT {text}")));
        self.memory.effects.redirect = self.wish(text);
        Opinion::Dunno
    }

    /// Each address once: Postfix drops the others later.
    pub(super) fn bcc(&mut self, text: &str, who: Who<'_>) -> Opinion {
        if !self.has_mail("BCC") || !self.needs(text.contains('@'), "user@domain") {
            return Opinion::Dunno;
        }
        self.log(DecisionKind::Bcc, &about(who, format!("triggers BCC {text}")));
        let known = self.memory.effects.bcc.iter().any(|wish| &*wish.text == text);
        if !known && self.memory.effects.bcc.len() < Effects::MAX_OF_A_KIND {
            let wish = self.wish(text);
            self.memory.effects.bcc.extend(wish);
        }
        Opinion::Dunno
    }

    pub(super) fn prepend(&mut self, text: &str) -> Opinion {
        if !self.has_mail("PREPEND") {
            return Opinion::Dunno;
        }
        if self.state == ProtocolState::EndOfMessage {
            self.entry_trouble("action PREPEND must be used before smtpd_end_of_data_restrictions");
            return Opinion::Dunno;
        }
        if !self.needs(action::is_header(text), "header: text") {
            return Opinion::Dunno;
        }
        self.log(DecisionKind::Prepend, text);
        if self.memory.effects.prepend.len() < Effects::MAX_OF_A_KIND {
            let wish = self.wish(text);
            self.memory.effects.prepend.extend(wish);
        }
        Opinion::Dunno
    }

    /// Whether there is a mail that something can be done to. With `smtpd_delay_reject = no` there
    /// is none yet when the client and HELO lists are evaluated.
    fn has_mail(&mut self, action: &str) -> bool {
        let has = self.transaction.sender.is_some();
        if !has {
            self.entry_trouble(&format!(
                "with smtpd_delay_reject=no, action {action} is always skipped in Client host or \
                 Helo command restrictions"
            ));
        }
        has
    }

    fn needs(&mut self, has: bool, what: &str) -> bool {
        if !has {
            self.entry_trouble(&format!("requires {what}"));
        }
        has
    }

    fn entry_trouble(&mut self, what: &str) {
        let place = self.place.as_ref().map(ToString::to_string).unwrap_or_default();
        self.trouble(&format!("access table {place}: {what}"));
    }

    fn wish(&self, text: &str) -> Option<Wish> {
        let place = self.place.clone()?;
        Some(Wish { text: text.into(), place })
    }
}
