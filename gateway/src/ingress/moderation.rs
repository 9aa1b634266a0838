//! Moderation on one listener: which mail it looks at, and what the rules say of it.
//!
//! What a rule means stands in [`mailweir_moderation::rule`]; here is what it is asked about.

use std::{collections::HashSet, net::IpAddr, sync::Arc};

use mailweir_filters::RemoteMaps;
use mailweir_mail::{Address, Client, Domain, Envelope, ReversePath, Timestamp};
use mailweir_moderation::{
    action::{self, Action, HeldMail, Hold},
    case::{Case, RuleName},
    case_file::{Attach, CaseFile},
    chain::{OwnReceived, ReceivedHeaders, Walk, WalkOptions, walk},
    notice::{Recipient, Summary},
    reply::address::{self, Meant},
    rule::{Judgement, LogIn, MailFacts, Match, Reason, Watch},
    token::{AnswerCode, Purpose},
};

use mailweir_queue::store::StoreError;
use mailweir_tables::LookupError;

use super::{addressees::Addressees, senders::Submitter};
use crate::{
    clock,
    config::{self, ModerationRule},
    dkim::{self, SignedMail},
    egress::resolve::Resolver,
    moderation::{Acquainted, Groups, Moderation},
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

/// A mail that the rules are asked about.
pub(super) struct Arrival<'a> {
    pub(super) listener: &'a str,
    /// The domains of recipients and senders that are ours.
    pub(super) ours: HashSet<Domain>,
    pub(super) submitter: Option<&'a Submitter>,
    /// Whether `submitter` says all that there is to say of it.
    pub(super) log_in: LogIn,
    pub(super) client: &'a Client,
    /// Whether the mail comes from one of `networks`, by the word of whom we believe.
    pub(super) is_from_ours: bool,
    /// Aliases written out.
    pub(super) envelope: &'a Envelope,
    /// Whom the header says it is from.
    pub(super) from: Vec<Address>,
    /// Whom it names as recipients.
    pub(super) addressees: Addressees,
    /// The groups that its sender is in.
    pub(super) groups: Vec<Box<str>>,
    /// Which recipients are nobody new.
    pub(super) acquainted: Acquainted,
    pub(super) size: u64,
    pub(super) arrival: Timestamp,
    /// SHA-256 of the content as stored.
    pub(super) content: [u8; 32],
}

/// What a rule does with a mail.
pub(super) struct Moderated {
    /// What becomes of it.
    pub(super) fate: Fate,
    /// The recipients whose mail waits, by their places in the envelope; absent: all.
    pub(super) only: Option<Vec<u32>>,
    /// The rule that decides.
    pub(super) rule: RuleName,
    /// Why it matches.
    pub(super) reasons: Vec<Reason>,
}

/// What becomes of a mail that a rule means.
pub(super) enum Fate {
    /// It needs nobody.
    Accept,
    /// It goes, and people hear of it.
    Notice(Box<CaseFile>),
    /// It waits for people.
    Hold(Box<CaseFile>),
}

impl Fate {
    /// The case; `None`: the mail needs nobody.
    pub(super) const fn file(&self) -> Option<&CaseFile> {
        match self {
            Self::Accept => None,
            Self::Notice(file) | Self::Hold(file) => Some(file),
        }
    }

    /// The case, to keep.
    pub(super) fn into_file(self) -> Option<Box<CaseFile>> {
        match self {
            Self::Accept => None,
            Self::Notice(file) | Self::Hold(file) => Some(file),
        }
    }

    /// In one word.
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Notice(_) => "notice",
            Self::Hold(_) => "hold",
        }
    }
}

impl ListenerModeration {
    /// What is to be watched of a mail that begins; `None`: it needs nobody, whatever is in it.
    pub(super) fn watch(
        &self,
        sender: &ReversePath,
        submitter: Option<&Submitter>,
    ) -> Option<Watch> {
        if self.rules.rules.is_empty() {
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
        let checked = mail.verify(wanted, resolver, clock::now()).await;
        let mut proofs = checked.into_iter().filter_map(|one| one.result.ok());
        proofs.next().map(|proof| proof.domain)
    }

    /// What a recipient means, as far as answers to notices go.
    pub(super) fn meant(&self, recipient: &Address) -> Meant {
        match self.rules.replies {
            true => address::meant(&self.rules.from.address, recipient),
            false => Meant::Other,
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

    fn ask(&self, mail: &Arrival<'_>, watch: &Watch) -> Judgement {
        let recipients = mail.envelope.recipients.iter().map(|one| one.address.clone());
        let recipients: Vec<Address> = recipients.collect();
        let facts = MailFacts {
            listener: mail.listener,
            login: mail.submitter.map(Submitter::name),
            groups: &mail.groups,
            credential: mail.submitter.and_then(Submitter::credential),
            sender: &mail.envelope.sender,
            recipients: &recipients,
            is_ours: &|domain| mail.ours.contains(domain),
            is_known: &|recipient| mail.acquainted.knows(recipient),
            size: mail.size,
            time: self.rules.time_zone.local(mail.arrival),
        };
        let judgement = self.rules.matching.judge(&facts, watch);
        match mail.log_in {
            LogIn::Known => judgement,
            LogIn::Unknown => {
                let mut whoever = self.rules.matching.judge_whoever(&facts, watch);
                // In doubt a mail is held, and not let go.
                whoever.matches.retain(|one| {
                    let rule = self.rules.rules.get(one.rule);
                    rule.is_some_and(|rule| matches!(rule.action, Action::Hold(_)))
                        || judgement.matches.iter().any(|sure| sure.rule == one.rule)
                });
                whoever
            }
        }
    }

    /// What the first rule that matches does with the mail, but for those that the log-in is let out
    /// of for a while; these are given as well.
    pub(super) fn judge(
        &self,
        mail: &Arrival<'_>,
        watch: Watch,
    ) -> (Option<Moderated>, Vec<RuleName>) {
        let Judgement { matches } = self.ask(mail, &watch);
        let (lifted, matches): (Vec<Match>, Vec<Match>) =
            matches.into_iter().partition(|one| self.is_lifted(one, mail.submitter));
        let names = lifted.iter().filter_map(|one| self.name(one)).collect();
        (self.carry_out(mail, watch, &matches), names)
    }

    /// Whether those who approved earlier mail of this log-in said that the rule is not to hold it.
    fn is_lifted(&self, meant: &Match, submitter: Option<&Submitter>) -> bool {
        let (Some(rule), Some(submitter)) = (self.rules.rules.get(meant.rule), submitter) else {
            return false;
        };
        matches!(rule.action, Action::Hold(_))
            && self.service.trusts(submitter.name(), &rule.rule.name.name)
    }

    fn name(&self, meant: &Match) -> Option<RuleName> {
        self.rules.rules.get(meant.rule).map(|rule| rule.rule.name.clone())
    }

    fn carry_out(&self, mail: &Arrival<'_>, watch: Watch, matches: &[Match]) -> Option<Moderated> {
        let (first, others) = matches.split_first()?;
        let rule = self.rules.rules.get(first.rule)?;
        let only = rule.splits(first, &mail.envelope.recipients);
        let waiting = mail.recipients(only.as_deref());
        let held = HeldMail {
            rule: rule.rule.name.clone(),
            also: others.iter().filter_map(|one| self.name(one)).collect(),
            senders: self.senders(mail),
            recipients: u32::try_from(waiting.len()).unwrap_or(u32::MAX),
            content: mail.content,
        };
        let file = |case| {
            let summary = mail.summary(waiting, first.reasons.clone());
            Box::new(file(case, summary.with(&watch.into_sketch()), rule))
        };
        let fate = match &rule.action {
            Action::Accept => Fate::Accept,
            Action::Notice(readers) => {
                Fate::Notice(file(Case::passed(action::notice(held), readers, mail.arrival)))
            }
            Action::Hold(hold) => Fate::Hold(file(self.hold(hold, held, mail))),
        };
        Some(Moderated { fate, only, rule: rule.rule.name.clone(), reasons: first.reasons.clone() })
    }

    /// Who sent it, under every name: those of the mail, and those under which they decide.
    fn senders(&self, mail: &Arrival<'_>) -> Vec<Address> {
        let mut senders = mail.senders();
        let login = mail.submitter.map_or("", Submitter::name);
        for address in self.rules.moderators_by_login(login) {
            if !senders.contains(address) {
                senders.push(address.clone());
            }
        }
        senders
    }

    fn hold(&self, hold: &Hold, held: HeldMail, mail: &Arrival<'_>) -> Case {
        let calendar = |person: &Address, at| self.rules.zone_of(person).date(at);
        let people = (&self.rules.people, &calendar as _);
        let plan = hold.plan(held, people, mail.arrival);
        let plan = if mail.may_be_told() { plan } else { plan.of_uncertain_sender() };
        Case::open(plan, mail.arrival)
    }
}

impl Arrival<'_> {
    /// Who sent it, under every name. First the one that is proven best: that is where notices go.
    fn senders(&self) -> Vec<Address> {
        let login = self.submitter.and_then(|submitter| Address::parse(submitter.name()).ok());
        let envelope = self.envelope.sender.address().cloned();
        let mut senders: Vec<Address> = Vec::with_capacity(1);
        for one in login.into_iter().chain(envelope).chain(self.from.iter().cloned()) {
            if !senders.contains(&one) {
                senders.push(one);
            }
        }
        senders
    }

    /// Whether it is certain enough who sent it that they may be written to. Whoever writes under
    /// somebody's name, which they can under ours from outside and under any from a relay of ours, makes
    /// us write to nobody.
    fn may_be_told(&self) -> bool {
        let is_ours = |sender: &Address| self.ours.contains(sender.domain());
        self.submitter.is_some()
            || self.is_from_ours && self.envelope.sender.address().is_some_and(is_ours)
    }

    /// Those who are in question, as people are shown them.
    fn recipients(&self, only: Option<&[u32]>) -> Vec<Recipient> {
        let named = self.addressees.names();
        let all = (0..).zip(&self.envelope.recipients);
        let meant =
            all.filter(|(index, _)| only.is_none_or(|only| only.binary_search(index).is_ok()));
        let mut shown =
            Vec::with_capacity(only.map_or(self.envelope.recipients.len(), <[u32]>::len));
        shown.extend(meant.map(|(_, one)| Recipient {
            address: one.address.clone(),
            is_outside: !self.ours.contains(one.address.domain()),
            is_hidden: named.hide(one),
        }));
        shown
    }

    fn summary(&self, recipients: Vec<Recipient>, reasons: Vec<Reason>) -> Summary {
        let sent_to = self.envelope.recipients.len().saturating_sub(recipients.len());
        let from: Vec<&str> = self.from.iter().map(Address::as_str).collect();
        Summary {
            sender: self.envelope.sender.clone(),
            from: from.join(", ").into(),
            login: self.submitter.map(|submitter| submitter.name().into()),
            client: Some(self.client.clone()),
            recipients,
            sent_to: u32::try_from(sent_to).unwrap_or(u32::MAX),
            subject: "".into(),
            size: self.size,
            arrival: self.arrival,
            attachments: Vec::new(),
            more_attachments: 0,
            reasons,
            text: "".into(),
        }
    }
}

impl ModerationRule {
    /// The recipients who wait where the others do not: those whom the rule means, unless it means
    /// all.
    fn splits(&self, meant: &Match, all: &[mailweir_mail::Recipient]) -> Option<Vec<u32>> {
        let holds = matches!(self.action, Action::Hold(_));
        let splits = self.split && holds && meant.recipients.len() < all.len();
        splits.then(|| meant.recipients.clone())
    }
}

fn file(case: Case, mail: Summary, rule: &ModerationRule) -> CaseFile {
    let attach = match rule.attach {
        config::Attach::Original => Attach::Original,
        config::Attach::Header => Attach::Header,
        config::Attach::None => Attach::Nothing,
    };
    CaseFile { sensitive: rule.sensitive, ..CaseFile::new(case, mail, attach) }
}
