//! One evaluation: lists in their order, and what they leave for each other.
//!
//! The order and the rules by which earlier doubts change later rulings are Postfix's
//! (smtpd_check.c): a doubt that may have kept a restriction from refusing makes a permit wait
//! (`defer_if_permit`), one that may have kept it from permitting makes a refusal wait
//! (`defer_if_reject`).

use std::{borrow::Cow, pin::Pin, sync::Arc};

use mailweir_mail::{Reply, ReplyClass};
use mailweir_tables::Place;

use super::{
    facts::Facts,
    lists::Restrictions,
    memory::{Deferral, Memory},
    outcome::{Decision, DecisionKind, Outcome, Permission, Refusal, Ruling},
    replies::{Reason, Who},
    restriction::{Restriction, Rule},
    subject::Subject,
    transaction::{ProtocolState, Transaction},
};

/// An evaluation at work.
pub(super) struct Evaluator<'a, F> {
    pub(super) rules: &'a Restrictions,
    pub(super) state: ProtocolState,
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) memory: &'a mut Memory,
    pub(super) facts: &'a F,
    /// How many lists we are in: a list, a class in it, the value of a table in that, ...
    depth: usize,
    /// The depth at which `warn_if_reject` was met, until the restriction after it is done; or 0.
    warns_at: usize,
    if_permit: Option<Deferral>,
    if_reject: Option<Deferral>,
    /// The restriction that is being applied, and the rule of a table that brought it.
    rule: Arc<str>,
    pub(super) place: Option<Place>,
    /// Whether `reject_unlisted_recipient` was already applied.
    pub(super) recipient_checked: bool,
    decisions: Vec<Decision>,
    permissions: Vec<Permission>,
    /// The rule of a table that permits, until the list is over.
    pub(super) permitted_by: Option<Place>,
    pub(super) delay: u64,
    /// Whether what is being done is what is done without an answer of a policy server.
    pub(super) lacks_answer: bool,
}

/// What a restriction thinks of a command. A refusal ends everything, so it is the error.
pub(super) type Judgement = Result<Opinion, Box<Refusal>>;

/// A restriction or list that is still being asked.
pub(super) type Judging<'s> = Pin<Box<dyn Future<Output = Judgement> + Send + 's>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opinion {
    /// The list is over.
    Permit,
    /// The next restriction decides.
    Dunno,
}

/// What a list is about: what `reject` names, and what a table alone looks up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'c> {
    pub(super) who: Who<'c>,
    pub(super) bare: Option<Subject>,
}

impl Context<'_> {
    /// The client's name and address: mostly the list is about that.
    pub(super) fn client(&self, transaction: &Transaction<'_>) -> Cow<'_, str> {
        match self.who.subject {
            Subject::Client => self.who.value.into(),
            _ => transaction.client().into(),
        }
    }
}

impl<'a, F: Facts> Evaluator<'a, F> {
    pub(super) fn new(
        rules: &'a Restrictions,
        state: ProtocolState,
        transaction: &'a Transaction<'a>,
        memory: &'a mut Memory,
        facts: &'a F,
    ) -> Self {
        Self {
            rules,
            state,
            transaction,
            memory,
            facts,
            depth: 0,
            warns_at: 0,
            if_permit: None,
            if_reject: None,
            rule: Arc::from(""),
            place: None,
            recipient_checked: false,
            decisions: Vec::new(),
            permissions: Vec::new(),
            permitted_by: None,
            delay: 0,
            lacks_answer: false,
        }
    }

    pub(super) async fn evaluate(mut self) -> Outcome {
        let judged = self.lists().await;
        let ruling = match judged {
            Ok(_) => Ruling::Permit,
            Err(refusal) if refusal.reply.class() == ReplyClass::Permanent => {
                Ruling::Reject(*refusal)
            }
            Err(refusal) => Ruling::Defer(*refusal),
        };
        Outcome {
            ruling,
            decisions: self.decisions,
            permissions: self.permissions,
            delay: self.delay,
        }
    }

    async fn lists(&mut self) -> Judgement {
        if !self.rules.ask_at(self.state) {
            return Ok(Opinion::Dunno);
        }
        match self.state {
            ProtocolState::Connect => self.client().await,
            ProtocolState::Helo => self.helo().await,
            ProtocolState::Mail => self.sender().await,
            ProtocolState::Rcpt => self.at_rcpt().await,
            ProtocolState::Data => self.at_data(DATA, &self.rules.data).await,
            ProtocolState::EndOfMessage => {
                self.at_data(END_OF_MESSAGE, &self.rules.end_of_data).await
            }
        }
    }

    async fn client(&mut self) -> Judgement {
        self.if_permit = None;
        let client = self.transaction.client();
        let judged = self.list(&self.rules.client, &client, Subject::Client).await;
        self.memory.after_client.clone_from(&self.if_permit);
        judged
    }

    async fn helo(&mut self) -> Judgement {
        let Some(helo) = self.transaction.helo else { return Ok(Opinion::Dunno) };
        self.if_permit.clone_from(&self.memory.after_client);
        let judged = self.list(&self.rules.helo, helo, Subject::Helo).await;
        self.memory.after_helo.clone_from(&self.if_permit);
        judged
    }

    async fn sender(&mut self) -> Judgement {
        let Some(sender) = self.transaction.sender else { return Ok(Opinion::Dunno) };
        let memory = &mut *self.memory;
        self.if_permit = memory.after_client.as_ref().or(memory.after_helo.as_ref()).cloned();
        memory.sender_checked = false;
        let judged = self.list(&self.rules.sender, sender, Subject::Sender).await;
        self.memory.after_sender.clone_from(&self.if_permit);
        judged?;
        if self.rules.settings.reject_unlisted_sender
            && self.memory.effects.discard.is_none()
            && !sender.is_empty()
        {
            self.rule = Arc::from(UNLISTED_SENDER);
            return self.reject_unlisted_sender(sender).await;
        }
        Ok(Opinion::Dunno)
    }

    async fn at_rcpt(&mut self) -> Judgement {
        let Some(recipient) = self.transaction.recipient else { return Ok(Opinion::Dunno) };
        // RFC 5321 section 4.5.1: whatever the lists say.
        if recipient.eq_ignore_ascii_case("postmaster") {
            return Ok(Opinion::Permit);
        }
        if self.rules.settings.delay_reject {
            self.client().await?;
            self.helo().await?;
            self.sender().await?;
        }
        self.if_permit.clone_from(&self.memory.after_sender);
        let (relay, other) = (&self.rules.relay, &self.rules.recipient);
        let relay_first = self.rules.settings.relay_before_recipient;
        let lists = if relay_first { [relay, other] } else { [other, relay] };
        self.reset();
        for list in lists {
            self.run_top(list, recipient, Subject::Recipient, true).await?;
        }
        self.refuse_what_waits()?;
        if self.rules.settings.reject_unlisted_recipient && self.memory.effects.discard.is_none() {
            self.rule = Arc::from(UNLISTED_RECIPIENT);
            return self.reject_unlisted_recipient(recipient).await;
        }
        Ok(Opinion::Dunno)
    }

    async fn at_data(&mut self, (name, subject): (&str, Subject), list: &'a [Rule]) -> Judgement {
        self.reset();
        self.run_top(list, name, subject, false).await?;
        self.refuse_what_waits()
    }

    /// A list that stands for itself: doubts about refusals end with it.
    async fn list(&mut self, list: &'a [Rule], value: &str, subject: Subject) -> Judgement {
        self.reset();
        self.run_top(list, value, subject, true).await
    }

    fn reset(&mut self) {
        self.depth = 0;
        self.warns_at = 0;
        self.if_reject = None;
        self.place = None;
    }

    async fn run_top(
        &mut self,
        list: &'a [Rule],
        value: &str,
        subject: Subject,
        takes_bare_tables: bool,
    ) -> Judgement {
        let bare = takes_bare_tables.then_some(subject);
        let who = Who { subject, value };
        self.permitted_by = None;
        let judged = self.run(list, Context { who, bare }).await;
        if judged == Ok(Opinion::Permit) {
            let (restriction, place) = (Arc::clone(&self.rule), self.permitted_by.take());
            self.permissions.push(Permission { restriction, place });
        }
        judged
    }

    /// The restrictions of a list, until one permits or refuses.
    pub(super) fn run<'s>(&'s mut self, list: &'s [Rule], context: Context<'s>) -> Judging<'s> {
        Box::pin(async move {
            self.depth += 1;
            let judged = self.run_rules(list, context).await;
            self.depth -= 1;
            self.stop_warning_from(self.depth);
            judged
        })
    }

    async fn run_rules(&mut self, list: &[Rule], context: Context<'_>) -> Judgement {
        if self.depth > DEEPEST {
            return self.give_up("restrictions contain each other without end", context.who);
        }
        for rule in list {
            if self.memory.effects.discard.is_some() {
                break;
            }
            if matches!(rule.restriction, Restriction::WarnIfReject) {
                if self.warns_at == 0 {
                    self.warns_at = self.depth;
                }
                continue;
            }
            self.rule = Arc::clone(&rule.name);
            if self.apply(rule, context).await? == Opinion::Permit {
                return Ok(Opinion::Permit);
            }
            self.stop_warning_from(self.depth);
            // Whatever comes, the mail waits.
            if self.if_permit.is_some() && self.if_reject.is_some() {
                break;
            }
        }
        Ok(Opinion::Dunno)
    }

    fn stop_warning_from(&mut self, depth: usize) {
        if self.warns_at >= depth {
            self.warns_at = 0;
        }
    }

    /// Refuses, unless the list was told to warn only.
    pub(super) fn refuse(&mut self, reason: Reason<'_>, who: Who<'_>) -> Judgement {
        let refused = self.deferral(reason, who);
        if self.warns_at != 0 && !reason.is_ours() {
            let Deferral { reply, restriction, place } = refused;
            self.log_as(DecisionKind::RejectWarning, &reply.to_string(), &restriction, place);
            return Ok(Opinion::Dunno);
        }
        Err(self.refusal(refused))
    }

    /// Refuses, whatever the list was told: the trouble is ours.
    pub(super) fn refuse_for_good(&mut self, reason: Reason<'_>, who: Who<'_>) -> Box<Refusal> {
        let refused = self.deferral(reason, who);
        self.refusal(refused)
    }

    /// A refusal for good that an earlier doubt may have prevented becomes a deferral.
    fn refusal(&mut self, mut refused: Deferral) -> Box<Refusal> {
        if refused.reply.class() == ReplyClass::Permanent
            && let Some(doubt) = self.if_reject.take()
        {
            refused = doubt;
        }
        let Deferral { reply, restriction, place } = refused;
        self.log_as(DecisionKind::Reject, &reply.to_string(), &restriction, place.clone());
        Box::new(Refusal { reply, restriction, place })
    }

    /// Lets a permit wait, if the administrator wants it (`waits`); else refuses.
    pub(super) fn defer_if_permit(
        &mut self,
        waits: bool,
        reason: Reason<'_>,
        who: Who<'_>,
    ) -> Judgement {
        if self.warns_at != 0 || !waits {
            return self.refuse(reason, who);
        }
        if self.if_permit.is_none() {
            self.if_permit = Some(self.deferral(reason, who));
        }
        Ok(Opinion::Dunno)
    }

    /// Lets a refusal wait.
    pub(super) fn defer_if_reject(&mut self, reason: Reason<'_>, who: Who<'_>) -> Judgement {
        if self.if_reject.is_none() {
            self.if_reject = Some(self.deferral(reason, who));
        }
        Ok(Opinion::Dunno)
    }

    fn refuse_what_waits(&mut self) -> Judgement {
        match self.if_permit.clone() {
            Some(doubt) => Err(self.refusal(doubt)),
            None => Ok(Opinion::Dunno),
        }
    }

    fn deferral(&self, reason: Reason<'_>, who: Who<'_>) -> Deferral {
        let reply: Reply = reason.reply(who, &self.rules.settings);
        Deferral { reply, restriction: Arc::clone(&self.rule), place: self.place.clone() }
    }

    /// Whether rules only warn now.
    pub(super) const fn warns(&self) -> bool {
        self.warns_at != 0
    }

    /// The restriction that is being applied.
    pub(super) fn rule_name(&self) -> &str {
        &self.rule
    }

    /// Notes what was done.
    pub(super) fn log(&mut self, kind: DecisionKind, text: &str) {
        let rule = Arc::clone(&self.rule);
        self.log_as(kind, text, &rule, self.place.clone());
    }

    /// Notes that something is wrong with our configuration or a server that we ask.
    pub(super) fn trouble(&mut self, text: &str) {
        self.log(DecisionKind::Trouble, text);
    }

    fn log_as(&mut self, kind: DecisionKind, text: &str, rule: &Arc<str>, place: Option<Place>) {
        if self.decisions.len() < Outcome::MAX_DECISIONS {
            let (text, restriction) = (text.replace(char::is_control, " "), Arc::clone(rule));
            self.decisions.push(Decision { kind, text: text.into(), restriction, place });
        }
    }
}

const DATA: (&str, Subject) = ("DATA", Subject::Data);
const END_OF_MESSAGE: (&str, Subject) = ("END-OF-MESSAGE", Subject::EndOfData);
const UNLISTED_SENDER: &str = "reject_unlisted_sender";
const UNLISTED_RECIPIENT: &str = "reject_unlisted_recipient";
/// Lists within lists. Postfix counts those that tables bring; a class that contains itself would
/// end it.
pub(super) const DEEPEST: usize = 100;
