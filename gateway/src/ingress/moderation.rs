//! Moderation on one listener: which mail it looks at, and what speaks for a mail that a rule would
//! hold. What the rules say of it is in [`judging`], what they are asked about in [`arrival`].

mod arrival;
mod judging;

use std::{net::IpAddr, sync::Arc};

use mailweir_filters::RemoteMaps;
use mailweir_mail::{Address, Domain, Envelope, ReversePath, Timestamp};
use mailweir_moderation::{
    chain::{OwnReceived, ReceivedHeaders, Walk, WalkOptions, walk},
    reply::address::{self, Meant},
    rule::Watch,
    token::{AnswerCode, Purpose},
};
use mailweir_queue::store::StoreError;
use mailweir_spam::dkim::{self, SignedMail};
use mailweir_tables::LookupError;

pub(super) use self::{
    arrival::{Arrival, Shown},
    judging::{Fate, Moderated},
};
use super::senders::Submitter;
use crate::{
    clock, config,
    egress::resolve::Resolver,
    moderation::{Acquainted, Groups, Moderation},
    spam::Names,
};

/// The rules of moderation that hold for a listener, and the service that keeps what they hold.
#[derive(Clone)]
pub(crate) struct ListenerModeration {
    /// `[moderation]`.
    pub(crate) rules: Arc<config::Moderation>,
    /// Who keeps the cases.
    pub(crate) service: Arc<Moderation>,
    /// Which groups people are in.
    pub(crate) groups: Arc<Groups>,
}

impl ListenerModeration {
    /// Whether there are rules at all. Without any, mail may still answer notices.
    pub(super) fn has_rules(&self) -> bool {
        !self.rules.rules.is_empty()
    }

    /// What is to be watched of a mail that begins; `None`: it needs nobody, whatever is in it.
    pub(super) fn watch(
        &self,
        sender: &ReversePath,
        submitter: Option<&Submitter>,
    ) -> Option<Watch> {
        if !self.has_rules() {
            return None;
        }
        (!self.needs_nobody(sender, submitter)).then(|| self.rules.matching.watch())
    }

    /// Whether mail of this sender goes whatever is in it.
    pub(super) fn needs_nobody(&self, sender: &ReversePath, submitter: Option<&Submitter>) -> bool {
        let bypass = &self.rules.bypass;
        let is_trusted = match sender.address() {
            Some(sender) => bypass.senders.iter().any(|pattern| pattern.matches(sender)),
            // Reports of other systems, and of ours: nobody could be told. Whoever logged in can be.
            None => submitter.is_none(),
        };
        is_trusted
            || submitter.is_some_and(|submitter| {
                let credential = submitter.credential();
                bypass.credentials.iter().any(|trusted| credential == Some(&**trusted))
            })
    }

    /// Whether it matters who logged in.
    pub(super) fn asks_for_log_ins(&self) -> bool {
        self.rules.matching.ask_for_log_ins()
    }

    /// Whether it matters which hosts a mail came through.
    pub(super) fn asks_for_hosts(&self) -> bool {
        self.rules.bypass.chain
    }

    /// Whether a signature may let mail pass that a rule would hold.
    pub(super) fn asks_for_signatures(&self) -> bool {
        !self.rules.bypass.dkim_domains.is_empty()
    }

    /// The domain whose signature lets this mail pass, if one does: it is trusted, signed the mail, and
    /// answers for the one address in From.
    pub(super) async fn trusted_signer(
        &self,
        mail: &SignedMail,
        from: &[Address],
        resolver: &dyn Resolver,
    ) -> Option<Domain> {
        let [author] = from else { return None };
        let trusted = &self.rules.bypass.dkim_domains;
        let wanted = |signer: &Domain| trusted.contains(signer) && dkim::is_aligned(signer, author);
        let checked = mail.prove(wanted, &Names::for_keys(resolver), clock::now()).await;
        let mut proofs = checked.into_iter().filter_map(|one| one.result.ok());
        proofs.next().map(|proof| proof.domain)
    }

    /// What a recipient means, as far as answers to notices go.
    pub(super) fn meant(&self, recipient: &Address) -> Meant {
        if !self.rules.replies {
            return Meant::Other;
        }
        match address::meant(&self.rules.from.address, recipient) {
            // Cases outlive their rules, and so do the answers to them.
            meant if self.has_rules() || meant == Meant::Other || self.service.has_cases() => meant,
            _ => Meant::Other,
        }
    }

    /// Whether a moderator has a notice with this code. Senders answer none.
    pub(super) fn takes_answers(&self, code: &AnswerCode) -> bool {
        let found = self.service.find_answered(code);
        found.is_some_and(|(_, _, grant)| grant.purpose == Purpose::Decide)
    }

    /// The way of a mail, to see whether it came through trusted hosts only. `received` is what the
    /// client sent: our own header is not among it.
    pub(super) fn way(&self, peer: IpAddr, received: &ReceivedHeaders) -> Walk {
        let options = WalkOptions { own: OwnReceived::Absent, ..self.rules.walk };
        walk(peer, received, &self.rules.trusted_hosts, &options)
    }

    /// The groups of a sender, if a rule asks for them.
    ///
    /// # Errors
    /// A table cannot tell.
    pub(super) async fn groups(
        &self,
        submitter: Option<&Submitter>,
        sender: &ReversePath,
        lookups: &dyn RemoteMaps,
    ) -> Result<Vec<Box<str>>, LookupError> {
        if !self.rules.matching.ask_for_groups() {
            return Ok(Vec::new());
        }
        self.groups.of(submitter.map(Submitter::name), sender.address(), lookups).await
    }

    /// Whether it is remembered who writes to whom.
    pub(super) fn remembers(&self) -> bool {
        self.rules.matching.ask_for_correspondents()
    }

    /// Whom of its recipients the sender knows, if a rule asks for that.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) async fn acquainted(
        &self,
        envelope: &Envelope,
        now: Timestamp,
    ) -> Result<Acquainted, StoreError> {
        if !self.remembers() {
            return Ok(Acquainted::default());
        }
        self.service.acquainted(&envelope.sender, &envelope.recipients, now).await
    }
}
