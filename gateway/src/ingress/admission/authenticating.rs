//! Who really sent the mail of a stranger, and what becomes of it by the word of its author's domain.

use std::time::Duration;

use mailweir_mail::{Client, Domain, Envelope, HoldReason, QueueId, SessionEvent};
use mailweir_smtp::{
    replies::{NotAuthorised, Refusal},
    server::{Answer, Session},
};
use mailweir_spam::{
    authentication::{Authentication, Ruling, Stranger},
    dns::Budget,
    results::Claim,
};
use tokio::time::Instant;

use super::{
    Admission,
    accepting::{Judged, internal},
};
use crate::{
    clock,
    config::{self, DmarcPolicy, IfUnclear, Mode},
    ingress::incoming::NotRewritten,
    spam::Names,
};

/// A stranger who hands a mail in.
pub(super) struct Unproven {
    client: Client,
    helo: Box<str>,
    comes: Comes,
}

/// How a stranger comes here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comes {
    /// By itself: it hears what becomes of the mail.
    Here,
    /// By way of a relay of ours, which has taken the mail: a refusal would become a report to whomever the mail names as its
    /// sender, and who logged in there is not known.
    ByRelay,
}

impl Admission {
    /// Who hands the mail in, if that is a stranger and somebody wants to know who really sends.
    pub(super) fn sender_to_authenticate(&self, session: &Session) -> Option<Unproven> {
        self.listener.spam()?;
        if self.listener.mode() != Mode::Mx {
            return None;
        }
        // Only a relay of ours may say for whom it speaks; if somebody logged in, it was the relay.
        if let Some(forwarded) = session.forwarded() {
            let client = forwarded.client()?;
            let helo = forwarded.helo.clone().unwrap_or_default();
            let is_stranger = !self.listener.rights(client.ip()).trusted;
            return is_stranger.then_some(Unproven { client, helo, comes: Comes::ByRelay });
        }
        if self.submitter.is_some() {
            return None;
        }
        let (client, rights) = (session.client().clone(), session.rights());
        let helo = session.helo().unwrap_or_default().into();
        // A relay that tells nothing speaks for nobody knows whom.
        (!rights.trusted && !rights.xforward).then_some(Unproven {
            client,
            helo,
            comes: Comes::Here,
        })
    }

    /// Finds out who sent the mail, writes it on top of it, and does what the author's domain asks for. From mail of others what
    /// they have written under our name is taken out.
    ///
    /// # Errors
    /// The mail is refused or put off; or it cannot be stored.
    pub(super) async fn authenticate(
        &self,
        mail: &mut Judged,
        envelope: &Envelope,
        session: &Session,
    ) -> Result<(), Answer> {
        let Some(rules) = self.listener.spam() else { return Ok(()) };
        let logged_in_there =
            || self.submitter.is_none() && self.sent_by(envelope, session).submitter.is_some();
        let unproven = self.sender_to_authenticate(session).filter(|_| !logged_in_there());
        let Some(Unproven { client, helo, comes }) = unproven else {
            return self.disown(mail, rules).await;
        };
        // It was read for this alone.
        let signed = mail.clues.signed.as_ref().ok_or_else(internal)?;
        let shared = self.listener.shared();
        let stranger = Stranger {
            client: client.ip(),
            helo: &helo,
            mail_from: envelope.sender.address().map(|address| address.as_str()),
            ours: shared.hostname.as_ascii(),
        };
        let (now, half) = (Instant::now(), rules.dns_time_limit / 2);
        let until = |time: Duration| Names::new(&*shared.resolver, now + time);
        let (sender, author) = (until(half), until(rules.dns_time_limit));
        let sender = Budget::new(&sender, rules.dns_lookup_limit.get());
        let author = Budget::new(&author, AUTHOR_LOOKUPS);
        let found = Authentication::of(&stranger, signed, &sender, &author, clock::now()).await;
        let trusted = |sealer: &Domain| rules.trusted_sealers.iter().any(|one| one.matches(sealer));
        let ruling = found.ruling(trusted);
        self.tell_authentication(mail.incoming.id(), &found, &ruling);
        let results = found.results(rules.authserv_id.clone(), &stranger).field();
        let marked = mail.incoming.mark(is_forged(rules), results.as_bytes()).await;
        marked.map_err(|error| self.unmarked(mail.incoming.id(), &error))?;
        match (comes, rules.dmarc) {
            (Comes::ByRelay, _) | (_, DmarcPolicy::Note) => Ok(()),
            (Comes::Here, DmarcPolicy::Quarantine | DmarcPolicy::Obey) => {
                self.follow(ruling, rules, mail)
            }
        }
    }

    /// Takes out what others have written under our name (`attacks.md` F6).
    async fn disown(&self, mail: &mut Judged, rules: &config::Spam) -> Result<(), Answer> {
        let disowned = mail.incoming.disown(is_forged(rules)).await;
        disowned.map_err(|error| self.unmarked(mail.incoming.id(), &error))
    }

    pub(super) fn unmarked(&self, id: QueueId, error: &NotRewritten) -> Answer {
        match error {
            NotRewritten::Store(error) => self.not_taken(error),
            NotRewritten::Content(error) => self.cannot_tell(id, error),
            // It is too long.
            NotRewritten::Edit(_) => Answer::Refuse(Refusal::MessageTooLarge),
        }
    }

    fn follow(
        &self,
        ruling: Ruling,
        rules: &config::Spam,
        mail: &mut Judged,
    ) -> Result<(), Answer> {
        let refuse = |why| Err(Answer::Refuse(Refusal::NotAuthorised(why)));
        let because = match (ruling, rules.dmarc, rules.if_unclear) {
            (Ruling::Accept | Ruling::Vouched { .. }, ..)
            | (Ruling::Unknown, _, IfUnclear::Accept) => return Ok(()),
            (Ruling::Unclear(_), ..) | (Ruling::Unknown, _, IfUnclear::Defer) => {
                return refuse(NotAuthorised::Unclear);
            }
            (Ruling::Refuse(author), DmarcPolicy::Obey, _) => {
                return refuse(NotAuthorised::Fails(author));
            }
            (Ruling::Refuse(author) | Ruling::Quarantine(author), ..) => {
                format!("quarantine: it fails the DMARC policy of {author}")
            }
            (Ruling::NoAuthor(doubt), ..) => format!("quarantine: {doubt}"),
        };
        mail.hold.get_or_insert_with(|| HoldReason::new(&because));
        Ok(())
    }

    /// One line for each mail: what was found out, in a word each.
    fn tell_authentication(&self, id: QueueId, found: &Authentication, ruling: &Ruling) {
        let more = match ruling {
            Ruling::Vouched { sealer } => format!(", vouched for by {sealer}"),
            Ruling::NoAuthor(doubt) => format!(", {doubt}"),
            Ruling::Accept
            | Ruling::Quarantine(_)
            | Ruling::Refuse(_)
            | Ruling::Unclear(_)
            | Ruling::Unknown => String::new(),
        };
        let text = format!("{id}: {}{more}", found.summary()).into();
        let notice = SessionEvent::Notice { part: "authentication", text };
        self.listener.shared().observer.session(&notice);
    }
}

/// Whether a field claims to be ours, or nobody can tell.
fn is_forged(rules: &config::Spam) -> impl Fn(&[u8]) -> bool {
    let ours = std::slice::from_ref(&rules.authserv_id);
    move |field| matches!(Claim::of(field, ours), Claim::Ours | Claim::Unreadable)
}

/// Two walks of eight, the existence of a name, and room for several authors.
const AUTHOR_LOOKUPS: u32 = 50;
