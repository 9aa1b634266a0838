//! Whether people must approve a mail that is about to be taken.

use std::collections::HashSet;

use mailweir_filters::{ForOneMail, RemoteMaps};
use mailweir_mail::{Domain, Envelope, HoldReason, QueueId};
use mailweir_moderation::{case::RuleName, case_file::Split};
use mailweir_queue::Annex;
use mailweir_smtp::server::{Answer, Session};
use mailweir_tables::LookupError;

use super::{Admission, accepting::Judged};
use crate::{
    ingress::{
        incoming::{Incoming, Seen},
        moderation::{Arrival, ListenerModeration, Moderated},
        recipients,
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
        if received.is_some_and(|received| rules.trusts_way(peer, &received)) {
            return Ok(());
        }
        let detour = mail.detour.take();
        let addressed = mail.take_addressed();
        let final_form = addressed.envelope(envelope.clone(), detour, self.listener.served());
        let Asked { ours, groups, acquainted } =
            self.ask(rules, &final_form.0, &mail.incoming).await?;
        mail.acquainted = acquainted;
        let from = mail.incoming.scan().from().and_then(|from| from.addresses().ok());
        let arrival = Arrival {
            listener: self.listener.name(),
            ours,
            submitter: self.submitter.as_ref(),
            login: session.login(),
            client: session.client(),
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
        mail.moderated = rules.judge(&arrival, watch);
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

    /// What tables and the store know of those whom a mail is from and for.
    ///
    /// # Errors
    /// One of them cannot tell.
    async fn ask(
        &self,
        rules: &ListenerModeration,
        envelope: &Envelope,
        incoming: &Incoming,
    ) -> Result<Asked, Answer> {
        let (id, now) = (incoming.id(), incoming.arrival());
        let lookups = ForOneMail { remote: self.listener.remote_maps(), steps: &self.steps };
        let ours = self.ours(envelope, &lookups).await;
        let groups = rules.groups(self.submitter.as_ref(), &envelope.sender, &lookups).await;
        let acquainted = rules.acquainted(envelope, now).await;
        Ok(Asked {
            ours: ours.map_err(|error| self.cannot_tell(id, &error))?,
            groups: groups.map_err(|error| self.cannot_tell(id, &error))?,
            acquainted: acquainted.map_err(|error| self.cannot_tell(id, &error))?,
        })
    }

    /// The domains of a mail that are ours: served, or those of aliases.
    async fn ours(
        &self,
        envelope: &Envelope,
        lookups: &dyn RemoteMaps,
    ) -> Result<HashSet<Domain>, LookupError> {
        let recipients = envelope.recipients.iter().map(|recipient| &recipient.address);
        let mut ours = HashSet::new();
        let mut others = HashSet::new();
        for address in envelope.sender.address().into_iter().chain(recipients) {
            let domain = address.domain();
            if ours.contains(domain) || others.contains(domain) {
                continue;
            }
            let is_ours = self.listener.served().serve(domain)
                || recipients::is_of_aliases(&self.listener, address, lookups).await?;
            let known = if is_ours { &mut ours } else { &mut others };
            known.insert(domain.clone());
        }
        Ok(ours)
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
