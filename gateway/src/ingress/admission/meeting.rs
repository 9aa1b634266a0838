//! What is found out about a stranger before its content is taken, and what becomes of its mail by that.

use std::{net::IpAddr, time::Duration};

use mailweir_mail::{Address, Envelope, ReversePath, SessionEvent};
use mailweir_smtp::{
    replies::{NotYet, Refusal},
    server::Session,
};
use mailweir_spam::{
    authentication::Stranger,
    dns::Budget,
    findings,
    greylist::{Answer, Key},
    lists::Trouble,
    symbols::Finding,
};
use tokio::time::Instant;

use super::{Admission, authenticating::Unproven};
use crate::{
    clock,
    config::{BeforeData, Greylisted, Greylisting, Mode},
    ingress::{
        client_name::ClientName,
        impression::{Impression, Listed, News, Terms, Troubled},
        listener::Listener,
        relay::Destination,
    },
    spam::Names,
    strangers::{Excess, Rate},
};

/// Who writes to whom.
pub(super) struct Correspondence {
    /// Who is logged in, or the sender if nobody is.
    by: Box<str>,
    /// Nobody of our own.
    recipients: Vec<Address>,
}

impl Admission {
    /// A client has come, by itself or by the word of a proxy.
    pub(super) fn begin_meeting(&mut self, name: &ClientName, session: &Session) {
        let is_asked = self.listener.spam().is_some() && self.listener.mode() == Mode::Mx;
        let client = session.client();
        let begin = || Box::new(Impression::new(client.ip(), name, client.name.as_deref()));
        self.impression = is_asked.then(begin);
    }

    /// How long the client has to wait for its greeting; `None`: not at all.
    pub(in crate::ingress) fn greet_wait(&self, session: &Session) -> Option<Duration> {
        let wait = self.listener.spam()?.rules.before_data.greet_wait;
        let client = self.stranger_here(session)?.client().ip();
        // A proxy that speaks for others waits for none of them. And whoever waits shall keep nobody out.
        let is_asked = !wait.is_zero() && !session.rights().xclient && self.permit.is_calm();
        let has_waited = || self.listener.shared().strangers.has_waited(client);
        (is_asked && !has_waited()).then_some(wait)
    }

    /// The client has waited for its greeting.
    pub(in crate::ingress) fn note_patience(&self, session: &Session) {
        self.listener.shared().strangers.note_patience(session.client().ip());
    }

    /// A recipient would be taken: whether it is, from a stranger.
    ///
    /// # Errors
    /// It is put off.
    pub(super) async fn meet(
        &mut self,
        recipient: &Address,
        session: &Session,
    ) -> Result<(), Refusal> {
        let Some(stranger) = self.look_closer(session).await else { return Ok(()) };
        let envelope = session.transaction().ok_or(Refusal::Internal)?;
        self.check_rates(&stranger, envelope)?;
        // Whoever tries an address out comes as the null sender, as a rule, and never says DATA. It shall not hear that a good
        // address has to wait: bounces wait at DATA.
        if envelope.sender.address().is_none() {
            return Ok(());
        }
        let wait = self.has_to_wait(&stranger, &envelope.sender, recipient);
        wait.map_or(Ok(()), |wait| Err(Refusal::NotYet(NotYet::Recipient(recipient.clone(), wait))))
    }

    /// The content would be taken: whether it is, from a stranger. It counts from now on.
    ///
    /// # Errors
    /// It is put off.
    pub(super) fn meet_mail(&mut self, session: &Session) -> Result<(), Refusal> {
        let is_looked_at = self.impression.as_ref().is_some_and(|it| it.is_complete());
        let (Some(stranger), Some(envelope)) =
            (self.stranger_here(session).filter(|_| is_looked_at), session.transaction())
        else {
            return Ok(());
        };
        if envelope.sender.address().is_none() {
            let recipients = envelope.recipients.iter();
            let waits = recipients
                .filter_map(|one| self.has_to_wait(&stranger, &envelope.sender, &one.address));
            if let Some(wait) = waits.max() {
                return Err(Refusal::NotYet(NotYet::Mail(wait)));
            }
        }
        let rates = self.rates(&stranger, envelope);
        self.listener.shared().strangers.count(&rates).map_err(too_much)
    }

    fn check_rates(&self, stranger: &Unproven<'_>, envelope: &Envelope) -> Result<(), Refusal> {
        let rates = self.rates(stranger, envelope);
        self.listener.shared().strangers.check(&rates).map_err(too_much)
    }

    /// What a mail counts for.
    fn rates(&self, stranger: &Unproven<'_>, envelope: &Envelope) -> Vec<Rate> {
        let (Some(checks), Some(impression)) = (self.listener.spam(), &self.impression) else {
            return Vec::new();
        };
        let BeforeData { network_rate, sender_rate, .. } = checks.rules.before_data;
        let of_network = network_rate.map(|most| Rate::of_network(stranger.client().ip(), most));
        let domain = envelope.sender.address().map(Address::domain);
        let of_domain = sender_rate.zip(domain).map(|(most, domain)| {
            Rate::of_domain(domain.as_ascii(), impression.is_vouched_for(), most)
        });
        of_network.into_iter().chain(of_domain).collect()
    }

    /// How long a mail to this recipient still has to stay away, if it has to.
    fn has_to_wait(
        &mut self,
        stranger: &Unproven<'_>,
        sender: &ReversePath,
        recipient: &Address,
    ) -> Option<Duration> {
        let Greylisting { whom, .. } = self.listener.spam()?.rules.before_data.greylisting?;
        if !self.is_meant(whom, stranger.client().ip()) {
            None
        } else {
            self.asks_to_wait(stranger, sender, recipient)
        }
    }

    /// How long a mail to this recipient that is suspicious by all that is known of it still has to stay away; `None`: not at all.
    pub(super) fn suspicious_has_to_wait(&mut self, session: &Session) -> Option<Duration> {
        let stranger = self.stranger_here(session)?;
        let envelope = session.transaction()?;
        let recipients = envelope.recipients.iter();
        recipients
            .filter_map(|one| self.asks_to_wait(&stranger, &envelope.sender, &one.address))
            .max()
    }

    /// Asks the greylist, unless somebody speaks for whoever sends.
    fn asks_to_wait(
        &mut self,
        stranger: &Unproven<'_>,
        sender: &ReversePath,
        recipient: &Address,
    ) -> Option<Duration> {
        let address = sender.address().map(Address::as_str);
        let is_known = self.impression.as_ref().is_some_and(|it| it.is_known());
        if is_known || is_always_reached(recipient) {
            return None;
        }
        let (client, now) = (stranger.client().ip(), clock::now());
        let (from, to) = (address.unwrap_or_default(), recipient.as_str());
        let strangers = &self.listener.shared().strangers;
        match strangers.ask(&Key { client, sender: from, recipient: to }, now) {
            Answer::Wait { until, .. } => Some(until.since(now)),
            Answer::Pass { after: None } => None,
            Answer::Pass { after: Some(after) } => {
                let delay = after.as_secs();
                let what = format!("client_address={client}, sender={from}, recipient={to}");
                let text = format!("action=pass, reason=triplet found, delay={delay}, {what}");
                self.listener.notice("greylist", text);
                self.note(findings::greylisted(after));
                None
            }
        }
    }

    /// Whether the greylist is meant for the stranger, by what is known of it.
    fn is_meant(&mut self, whom: Greylisted, client: IpAddr) -> bool {
        let Greylisted::From(points) = whom else { return true };
        let (Some(checks), Some(impression)) = (self.listener.spam(), &mut self.impression) else {
            return false;
        };
        impression.points(client, &checks.rules.weights) >= points
    }

    fn note(&mut self, finding: Finding) {
        if let Some(impression) = &mut self.impression {
            impression.note(finding);
        }
    }

    /// To whom one of our own people writes in this mail, if that is to be remembered.
    pub(super) fn correspondence(
        &self,
        written: &Envelope,
        session: &Session,
    ) -> Option<Correspondence> {
        self.listener.spam()?;
        // A report writes to nobody, and anybody may have brought it about.
        let sender = written.sender.address().filter(|_| self.is_of_our_own(session))?;
        let served = self.listener.served();
        let is_foreign = |one: &&Address| served.destination(one) == Destination::Foreign;
        let recipients = written.recipients.iter().map(|one| &one.address).filter(is_foreign);
        let by = session.login().map_or(sender.as_str(), |login| &login.user);
        Some(Correspondence {
            by: by.into(),
            recipients: recipients.take(MOST_CORRESPONDENTS).cloned().collect(),
        })
    }

    /// The mail goes on to those who are meant: they are no strangers from now on.
    pub(super) fn note_correspondence(
        &self,
        correspondence: Option<Correspondence>,
        is_meant: impl Fn(&Address) -> bool,
    ) {
        let Some(Correspondence { by, recipients }) = correspondence else { return };
        let recipients = recipients.iter().filter(|one| is_meant(one)).map(Address::as_str);
        self.listener.shared().strangers.note_correspondents(recipients, &by, clock::now());
    }

    /// Whether whoever hands the mail in is one of our own people. For whom a relay speaks that names nobody, nobody knows.
    fn is_of_our_own(&self, session: &Session) -> bool {
        let Some(forwarded) = session.forwarded() else {
            return self.submitter.is_some() || session.rights().trusted;
        };
        let client = forwarded.client();
        client.is_some_and(|client| self.listener.rights(client.ip()).trusted)
    }

    /// Finds out what is not known yet of a stranger who talks to us itself; `None`: it is nobody whom that is about.
    async fn look_closer<'s>(&mut self, session: &'s Session) -> Option<Unproven<'s>> {
        if self.impression.is_none() || self.discards() {
            return None;
        }
        let unproven = self.stranger_here(session)?;
        let (checks, envelope) = (self.listener.spam()?, session.transaction()?);
        let rules = &checks.rules;
        let shared = self.listener.shared();
        let stranger = Stranger {
            client: unproven.client().ip(),
            helo: unproven.helo(),
            mail_from: envelope.sender.address().map(|address| address.as_str()),
            ours: shared.hostname.as_ascii(),
        };
        let names = Names::new(&*shared.resolver, Instant::now() + rules.sender_time());
        let budget = Budget::new(&names, rules.dns_lookup_limit.get());
        let (strangers, now) = (&shared.strangers, clock::now());
        let terms = Terms {
            rules: &rules.before_data,
            ours: &checks.ourselves(shared.hostname.as_ascii(), session.local().ip()),
            correspondent: stranger.mail_from.filter(|one| strangers.is_correspondent(one, now)),
        };
        let impression = self.impression.as_mut()?;
        // Boxed, so that a session does not always have room for it.
        let news = Box::pin(impression.complete(&stranger, &terms, &budget, now)).await;
        tell(&news, &self.listener);
        Some(unproven)
    }

    /// What was found out before its content about the stranger who hands a mail in.
    pub(super) fn evidence_of_stranger(&self) -> Vec<Finding> {
        self.impression.as_ref().map(|it| it.evidence().collect()).unwrap_or_default()
    }
}

fn too_much(Excess { whose, most }: Excess) -> Refusal {
    Refusal::NotYet(NotYet::TooMuchMail(whose, most))
}

/// Whoever has trouble with us must be able to say so (RFC 2142). Postgrey has the same two.
fn is_always_reached(recipient: &Address) -> bool {
    let name = recipient.local_part();
    name.eq_ignore_ascii_case("postmaster") || name.eq_ignore_ascii_case("abuse")
}

/// One line for each listing, as dnsblog(8) has it. A list that does not tell is named once an hour.
pub(super) fn tell(news: &News, listener: &Listener) {
    let shared = listener.shared();
    for Listed { subject, listing } in &news.listed {
        let (kind, code) = (subject.kind(), listing.code);
        let zone = listing.list.split(['=', '*']).next().unwrap_or_default();
        let text = format!("{kind} {subject} listed by domain {zone} as {code}");
        listener.notice("dnsblog", text);
    }
    for Troubled { zone, trouble } in &news.troubled {
        if !shared.strangers.is_news(zone) {
            continue;
        }
        let why = match trouble {
            Trouble::NoAnswer => "it does not answer".to_owned(),
            Trouble::Refused(code) => format!("it answers with the error code {code}"),
            Trouble::Foreign(address) => {
                format!("it answers with {address}, which is no code of a list")
            }
        };
        let text = format!("{zone} lists nobody for now: {why}").into();
        shared.observer.session(&SessionEvent::Warning { part: "dnsblog", text });
    }
}

/// Of one mail, so that no list of customers fills the memory.
const MOST_CORRESPONDENTS: usize = 100;
