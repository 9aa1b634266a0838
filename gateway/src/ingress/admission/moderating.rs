//! Whether people must approve a mail that is about to be taken.

use std::collections::HashSet;

use mailweir_filters::ForOneMail;
use mailweir_mail::{Address, Domain, Envelope, HoldReason, Login, QueueId, SessionEvent};
use mailweir_moderation::{case::RuleName, case_file::Split, chain::Walk, rule::LogIn};
use mailweir_queue::Annex;
use mailweir_smtp::server::{Answer, Session};

use super::{Admission, accepting::Judged, forwarded_client};
use crate::{
    ingress::{
        incoming::{Incoming, Seen},
        moderation::{Arrival, ListenerModeration, Moderated},
        recipients,
        senders::Submitter,
    },
    moderation::{self, Acquainted},
    observe::Detail,
};

/// What had to be looked up.
struct Asked {
    ours: HashSet<Domain>,
    groups: Vec<Box<str>>,
    acquainted: Acquainted,
}

impl Admission {
    /// Asks the rules about the recipients as they are now.
    ///
    /// # Errors
    /// A table or the store cannot tell: the mail waits at the client.
    pub(super) async fn moderate(
        &self,
        mail: &mut Judged,
        envelope: &Envelope,
        session: &Session,
    ) -> Result<(), Answer> {
        let Some(rules) = self.listener.moderation() else { return Ok(()) };
        let (Some(watch), Some(Seen { content, received, addressees })) =
            (mail.watch.take(), mail.incoming.finish_watch())
        else {
            return Ok(());
        };
        let peer = session.client().ip();
        if let Some(received) = received.filter(|_| rules.asks_for_hosts()) {
            let way = rules.way(peer, &received);
            self.tell_way(mail.incoming.id(), &way);
            if way.is_trusted() {
                return Ok(());
            }
        }
        let detour = mail.detour.take();
        let addressed = mail.take_addressed();
        let final_form = addressed.envelope(envelope.clone(), detour, self.listener.served());
        let from = mail.incoming.scan().from().and_then(|from| from.addresses().ok());
        let (log_in, elsewhere) = self.logged_in_elsewhere(envelope, session);
        if log_in == LogIn::Unknown && rules.asks_for_log_ins() {
            self.listener.warn(format!("{}: {NOT_TOLD}", mail.incoming.id()));
        }
        // Shown to people, and trusted with nothing.
        let shown = session.forwarded().and_then(forwarded_client);
        let named = elsewhere.clone().map(Submitter::named);
        let submitter = self.submitter.as_ref().or(named.as_ref());
        let Asked { ours, groups, acquainted } =
            self.ask(rules, submitter, &final_form.0, &mail.incoming).await?;
        mail.acquainted = acquainted;
        let arrival = Arrival {
            listener: self.listener.name(),
            ours,
            submitter,
            log_in,
            login: session.login().or(elsewhere.as_ref()),
            client: shown.as_ref().unwrap_or(session.client()),
            is_trusted: session.rights().trusted,
            envelope: &final_form.0,
            from: from.unwrap_or_default(),
            addressees,
            groups,
            acquainted: &mail.acquainted,
            size: mail.incoming.size(),
            arrival: mail.incoming.arrival(),
            content,
        };
        let (mut moderated, lifted) = rules.judge(&arrival, watch);
        self.tell_trust(mail.incoming.id(), submitter, &lifted);
        if moderated.as_ref().is_some_and(|moderated| moderated.file.is_some())
            && self.is_signed_by_trusted(mail, &arrival.from).await
        {
            moderated = None;
        }
        mail.moderated = moderated;
        mail.final_form = Some(final_form);
        if let Some(moderated) = &mail.moderated {
            self.listener.shared().observer.detail(Detail::Moderated {
                action: moderated.action,
                rule: &moderated.rule,
                reasons: &moderated.reasons,
            });
        }
        Ok(())
    }

    /// Who logged in at a Postfix that hands over the mail because we told it to, if it does.
    fn logged_in_elsewhere(
        &self,
        envelope: &Envelope,
        session: &Session,
    ) -> (LogIn, Option<Login>) {
        let Some(notes) = self.listener.notes().filter(|_| self.submitter.is_none()) else {
            return (LogIn::Known, None);
        };
        let id = session.forwarded().and_then(|forwarded| forwarded.ident.as_deref());
        match id.and_then(|id| notes.login_of(id, envelope.sender.as_str())) {
            Some(login) => (LogIn::Known, login),
            None => (LogIn::Unknown, None),
        }
    }

    /// Why the hosts that a mail came through make it trusted, or do not.
    fn tell_way(&self, id: QueueId, way: &Walk) {
        let observer = &self.listener.shared().observer;
        observer.detail(Detail::Way(way));
        let addresses = way.hops().iter().map(|hop| match hop.address {
            Some(address) => address.to_string(),
            None => "?".to_owned(),
        });
        let addresses: Vec<String> = addresses.collect();
        let text = format!("{id}: trusted_chain: {}; way: {}", way.why(), addresses.join(" < "));
        observer.session(&SessionEvent::Notice { part: "moderation", text: text.into() });
    }

    /// Which rules would have held a mail, were its log-in not trusted.
    fn tell_trust(&self, id: QueueId, submitter: Option<&Submitter>, lifted: &[RuleName]) {
        let login = submitter.map_or("", Submitter::name);
        for RuleName { name, place } in lifted {
            let text = format!("{id}: passes rule {name:?} ({place}): {login} is trusted for it");
            let notice = SessionEvent::Notice { part: "moderation", text: text.into() };
            self.listener.shared().observer.session(&notice);
        }
    }

    /// Whether a signature lets the mail pass. Asked last, since name servers have to tell.
    async fn is_signed_by_trusted(&self, mail: &Judged, from: &[Address]) -> bool {
        let (Some(rules), Some(signed)) = (self.listener.moderation(), &mail.signed) else {
            return false;
        };
        let resolver = &*self.listener.shared().resolver;
        if !rules.asks_for_signatures() {
            return false;
        }
        let Some(signer) = rules.trusted_signer(signed, from, resolver).await else { return false };
        let id = mail.incoming.id();
        let text = format!("{id}: needs no approval: signed by {signer}").into();
        let notice = SessionEvent::Notice { part: "moderation", text };
        self.listener.shared().observer.session(&notice);
        true
    }

    /// What tables and the store know of those whom a mail is from and for.
    ///
    /// # Errors
    /// One of them cannot tell.
    async fn ask(
        &self,
        rules: &ListenerModeration,
        submitter: Option<&Submitter>,
        envelope: &Envelope,
        incoming: &Incoming,
    ) -> Result<Asked, Answer> {
        let (id, now) = (incoming.id(), incoming.arrival());
        let lookups = ForOneMail { remote: self.listener.remote_maps(), steps: &self.steps };
        let ours = recipients::ours(&self.listener, envelope, &lookups).await;
        let groups = rules.groups(submitter, &envelope.sender, &lookups).await;
        let acquainted = rules.acquainted(envelope, now).await;
        Ok(Asked {
            ours: ours.map_err(|error| self.cannot_tell(id, &error))?,
            groups: groups.map_err(|error| self.cannot_tell(id, &error))?,
            acquainted: acquainted.map_err(|error| self.cannot_tell(id, &error))?,
        })
    }

    /// Mail and case are durable: from now on people may decide about it.
    pub(super) fn begin_case(&self, id: QueueId, moderated: Option<Moderated>) {
        let file = moderated.and_then(|moderated| moderated.file);
        if let (Some(file), Some(moderation)) = (file, self.listener.moderation()) {
            moderation.service.opened(id, *file);
        }
    }
}

impl Moderated {
    /// Why the mail is held, if the rule holds it.
    pub(super) fn hold_reason(&self) -> Option<HoldReason> {
        let RuleName { name, place } = &self.rule;
        self.holds.then(|| HoldReason::new(&format!("moderation rule {name:?} ({place})")))
    }

    /// What is stored with the mail. `also`: why an operator must look at it as well; `split`: the
    /// rest of the mail, if only some recipients wait.
    ///
    /// # Errors
    /// None that is known.
    pub(super) fn annex(
        &mut self,
        id: QueueId,
        also: Option<&HoldReason>,
        split: Option<Split>,
    ) -> Result<Option<Annex>, serde_json::Error> {
        let Some(file) = &mut self.file else { return Ok(None) };
        if self.holds {
            file.also_held = also.map(|reason| reason.as_str().into());
        }
        file.split = split;
        moderation::annex(id, file, None).map(Some)
    }
}

/// Both reasons, if there are two: each is for somebody else.
pub(super) fn together(
    moderation: Option<HoldReason>,
    other: Option<HoldReason>,
) -> Option<HoldReason> {
    match (moderation, other) {
        (Some(one), Some(other)) => {
            Some(HoldReason::new(&format!("{}; {}", one.as_str(), other.as_str())))
        }
        (one, other) => one.or(other),
    }
}

const NOT_TOLD: &str = "who logged in at the Postfix in front is not known (any more): rules that ask \
                        for it hold the mail; xforward_hosts and smtp_send_xforward_command tell it";
