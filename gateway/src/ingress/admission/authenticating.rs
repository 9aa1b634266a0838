//! Who really sent the mail of a stranger.

use std::{borrow::Cow, time::Duration};

use mailweir_mail::{Address, Client, Domain, Envelope, QueueId, SessionEvent};
use mailweir_smtp::{
    replies::Refusal,
    server::{Answer, Session},
};
use mailweir_spam::{
    authentication::{Authentication, Ruling, Stranger},
    author::Author,
    dkim::SignedMail,
    dns::Budget,
    findings,
    results::{AuthservId, Claim},
};
use tokio::time::Instant;

use super::{
    Admission,
    accepting::{Judged, internal},
    scoring::{OWN_NAMES, Way},
};
use crate::{
    clock,
    config::Mode,
    ingress::incoming::NotRewritten,
    spam::{self, Names},
};

/// Whose mail a mail is looked at as.
pub(super) enum LookedAtAs<'s> {
    /// That of a stranger.
    Strange(Unproven<'s>),
    /// That of somebody of ours: they logged in, or are in `networks`.
    Ours(Comes),
}

/// A stranger who hands a mail in.
pub(super) struct Unproven<'s> {
    client: Cow<'s, Client>,
    helo: &'s str,
    comes: Comes,
}

/// How somebody comes here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comes {
    /// By itself: it hears what becomes of the mail.
    Here,
    /// By way of a relay of ours, which has taken the mail: a refusal would become a report to whomever the mail names as its
    /// sender, and who logged in there is often not known.
    ByRelay,
}

impl LookedAtAs<'_> {
    pub(super) const fn is_strange(&self) -> bool {
        matches!(self, Self::Strange(_))
    }
}

impl Unproven<'_> {
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) const fn helo(&self) -> &str {
        self.helo
    }
}

impl Admission {
    /// Who hands the mail in, if that is a stranger who talks to us itself.
    pub(super) fn stranger_here<'s>(&self, session: &'s Session) -> Option<Unproven<'s>> {
        match self.looked_at_as(session)? {
            LookedAtAs::Strange(unproven) => (unproven.comes == Comes::Here).then_some(unproven),
            LookedAtAs::Ours(_) => None,
        }
    }

    /// Whose mail it is looked at as; `None`: nobody looks.
    pub(super) fn looked_at_as<'s>(&self, session: &'s Session) -> Option<LookedAtAs<'s>> {
        self.listener.spam()?;
        let is_mx = self.listener.mode() == Mode::Mx;
        let rights = session.rights();
        // Only a relay of ours may say for whom it speaks; if somebody logged in, it was the relay.
        if let Some(forwarded) = session.forwarded() {
            let client = forwarded.client()?;
            if self.listener.rights(client.ip()).trusted {
                return Some(LookedAtAs::Ours(Comes::ByRelay));
            }
            return is_mx.then_some(LookedAtAs::Strange(Unproven {
                client: Cow::Owned(client),
                helo: forwarded.helo.as_deref().unwrap_or_default(),
                comes: Comes::ByRelay,
            }));
        }
        if self.submitter.is_some() {
            return Some(LookedAtAs::Ours(Comes::Here));
        }
        if rights.trusted {
            let comes = if rights.xforward { Comes::ByRelay } else { Comes::Here };
            return Some(LookedAtAs::Ours(comes));
        }
        // A relay that tells nothing speaks for nobody knows whom.
        (is_mx && !rights.xforward).then_some(LookedAtAs::Strange(Unproven {
            client: Cow::Borrowed(session.client()),
            helo: session.helo().unwrap_or_default(),
            comes: Comes::Here,
        }))
    }

    /// Finds out who sent the mail, to be written on top of it. From mail of others what they have written under our name is
    /// taken out.
    ///
    /// # Errors
    /// It cannot be stored.
    pub(super) async fn authenticate(
        &self,
        mail: &mut Judged,
        envelope: &Envelope,
        session: &Session,
    ) -> Result<(), Answer> {
        let Some(checks) = self.listener.spam() else { return Ok(()) };
        let logged_in_there =
            || self.submitter.is_none() && self.sent_by(envelope, session).submitter.is_some();
        match self.looked_at_as(session) {
            Some(LookedAtAs::Strange(unproven)) if !logged_in_there() => {
                mail.suspicion.way = Some(Way::In(unproven.comes));
                self.prove(&unproven, mail, envelope, checks).await
            }
            // Whoever logged in elsewhere came by way of the relay where they did.
            Some(LookedAtAs::Strange(_)) => {
                mail.suspicion.way = Some(Way::Out(Comes::ByRelay));
                self.disown(mail, &checks.rules.authserv_id).await
            }
            Some(LookedAtAs::Ours(comes)) => {
                mail.suspicion.way = Some(Way::Out(comes));
                self.disown(mail, &checks.rules.authserv_id).await
            }
            None => self.disown(mail, &checks.rules.authserv_id).await,
        }
    }

    async fn prove(
        &self,
        Unproven { client, helo, comes }: &Unproven<'_>,
        mail: &mut Judged,
        envelope: &Envelope,
        checks: &spam::Checks,
    ) -> Result<(), Answer> {
        let rules = &checks.rules;
        // It was read for this alone.
        let signed = mail.clues.signed.as_ref().ok_or_else(internal)?;
        let shared = self.listener.shared();
        let stranger = Stranger {
            client: client.ip(),
            helo,
            mail_from: envelope.sender.address().map(|address| address.as_str()),
            ours: shared.hostname.as_ascii(),
        };
        let now = Instant::now();
        let until = |time: Duration| Names::new(&*shared.resolver, now + time);
        let (sender, author) = (until(rules.sender_time()), until(rules.dns_time_limit));
        let sender = Budget::new(&sender, rules.dns_lookup_limit.get());
        let author = Budget::new(&author, AUTHOR_LOOKUPS);
        // Asked for already where that decided whether the content was taken.
        let spf = match comes {
            Comes::Here => self.impression.as_ref().and_then(|it| it.spf()).cloned(),
            Comes::ByRelay => None,
        };
        let found =
            Authentication::of(&stranger, signed, spf, &sender, &author, clock::now()).await;
        let trusted = |sealer: &Domain| rules.trusted_sealers.iter().any(|one| one.matches(sealer));
        let ruling = found.ruling(trusted);
        self.tell_authentication(mail.incoming.id(), &found, &ruling);
        let results = found.results(rules.authserv_id.clone(), &stranger).field();
        let forged = count_forged(signed, &rules.authserv_id);
        let is_ours = |domain: &Domain| checks.is_ours(domain);
        if *comes == Comes::Here || !is_in_name_of(is_ours, &found, envelope) {
            let counts = findings::of_authentication(&found, &ruling, &stranger);
            mail.suspicion.findings.extend(counts);
        }
        mail.suspicion.findings.extend(findings::forged_results(forged));
        if *comes == Comes::Here {
            mail.suspicion.findings.extend(self.evidence_of_stranger());
        }
        mail.suspicion.ruling = Some(ruling);
        mail.suspicion.marks = Some(results.into_bytes());
        Ok(())
    }

    /// Takes out what others have written under our name (`attacks.md` F6).
    async fn disown(&self, mail: &mut Judged, ours: &AuthservId) -> Result<(), Answer> {
        let disowned = mail.incoming.disown(|field| is_forged(field, ours)).await;
        disowned.map_err(|error| self.unmarked(mail.incoming.id(), &error))
    }

    /// Writes on top of the mail what was found out, and takes out what others have written under our name, once.
    ///
    /// # Errors
    /// It cannot be stored.
    pub(super) async fn write_marks(&self, mail: &mut Judged) -> Result<(), Answer> {
        let Some((checks, marks)) = self.listener.spam().zip(mail.suspicion.marks.take()) else {
            return Ok(());
        };
        let ours = &checks.rules.authserv_id;
        let marked = mail.incoming.mark(|field| is_forged(field, ours), &marks).await;
        marked.map_err(|error| self.unmarked(mail.incoming.id(), &error))
    }

    pub(super) fn unmarked(&self, id: QueueId, error: &NotRewritten) -> Answer {
        match error {
            NotRewritten::Store(error) => self.not_taken(error),
            NotRewritten::Content(error) => self.cannot_tell(id, error),
            // It is too long.
            NotRewritten::Edit(_) => Answer::Refuse(Refusal::MessageTooLarge),
        }
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

/// Whether a mail names somebody of ours as its author or sender. Whom a relay brings may have logged in there: then it proves
/// nothing against them that their own host may not send for the domain, and has no name of its own.
fn is_in_name_of(
    is_ours: impl Fn(&Domain) -> bool,
    found: &Authentication,
    envelope: &Envelope,
) -> bool {
    let authors = found.author.iter().flat_map(Author::domains);
    let sender = envelope.sender.address().map(Address::domain);
    authors.chain(sender).any(is_ours)
}

/// How many fields claim to be ours.
fn count_forged(signed: &SignedMail, ours: &AuthservId) -> usize {
    let fields = signed.header().fields();
    let ours = std::slice::from_ref(ours);
    fields.filter(|field| Claim::of(field.raw(), ours) == Claim::Ours).count()
}

/// Whether a field has a name that only we may use for what we say, or claims to be ours, or nobody can tell.
fn is_forged(field: &[u8], ours: &AuthservId) -> bool {
    let name = field.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii();
    OWN_NAMES.iter().any(|own| own.as_bytes().eq_ignore_ascii_case(name))
        || matches!(Claim::of(field, std::slice::from_ref(ours)), Claim::Ours | Claim::Unreadable)
}

/// Two walks of eight, the existence of a name, and room for several authors.
const AUTHOR_LOOKUPS: u32 = 50;
