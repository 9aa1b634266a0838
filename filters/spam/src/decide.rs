//! What becomes of a mail by what was found about it.
//!
//! Pure, and the only place that decides: the policy of one direction, the score, and a few facts that no score may
//! outweigh. Nothing is ever bounced: a mail is rejected only while its client waits for an answer, since a report
//! would go to whomever a spammer named as sender. What is unclear, because name servers do not answer, is never
//! counted against a mail, and rejects none (`attacks.md` F8).

mod policy;
#[cfg(test)]
mod tests;

use std::fmt;

use mailweir_mail::Domain;

pub use self::policy::{DmarcPolicy, IfUnclear, OnMalware, Policy};
use crate::{
    authentication::{Doubt, Ruling},
    symbols::{Points, Score},
};

/// What counts besides the score.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Whether the client can still be told.
    pub client: Client,
    /// The name of the malware that a scanner knows it as.
    pub malware: Option<&'a str>,
    /// What is to become of it by the word of its author's domain; [`Ruling::Accept`] where nobody asked, as for mail
    /// of our own people.
    pub author: &'a Ruling,
    /// Whether all was learned that was asked.
    pub answers: Answers,
    /// Whether the mail was put off before.
    pub attempt: Attempt,
}

/// Whether the client can still be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// It waits for the answer to the end of its data.
    Waits,
    /// It gave the mail to a relay of ours, such as a Postfix in front that names its clients (XFORWARD). The relay has
    /// taken it and would report a refusal to whomever the mail names as its sender, and who logged in there is often
    /// not known: so nothing is rejected or put off, and no wish of an author's domain is followed. It may be marked or
    /// held for its score, and for malware.
    SpokeToRelay,
}

/// Whether all was learned that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// All that matters.
    Complete,
    /// A name server did not answer about something that might speak for the mail or against it: it is not rejected
    /// for its score. What would speak for it may not have been heard.
    Unclear,
}

/// Whether the mail was put off before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It is here for the first time, as far as is known.
    First,
    /// It came again after it was put off, or is of somebody who need not wait.
    Again,
}

/// What becomes of a mail. As text it is what stands in the log and on a mail that is held:
/// `quarantine: it looks like spam (9.3 points)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It goes on as it is.
    Pass,
    /// It goes on with a mark.
    Tag,
    /// The client is asked to come again (451), to see whether it does.
    Greylist,
    /// The client is asked to come again (451), since name servers do not tell what its author's domain wants.
    Defer,
    /// It is held.
    Quarantine(Reason),
    /// The client is told that it is not wanted (550).
    Reject(Objection),
    /// It is accepted and thrown away. The log has a line.
    Discard {
        /// The malware that it has.
        malware: Box<str>,
    },
}

/// Why a mail is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// For what it could have been rejected for.
    Objection(Objection),
    /// Nobody can tell whom a person is shown as its author, so that no domain can say anything.
    NoAuthor(Doubt),
}

/// What speaks so much against a mail that it may be rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objection {
    /// It scores so much.
    Score(Points),
    /// It fails the DMARC policy of this domain.
    Dmarc(Domain),
    /// It has malware of this name.
    Malware(Box<str>),
}

/// What becomes of a mail. The first of these that applies: malware, rejection, quarantine, waiting for answers,
/// waiting for a second attempt, a mark. What its author's domain asks for comes before what its score does, as it can
/// be told in a sentence.
#[must_use]
pub fn decide(policy: &Policy, score: &Score, facts: &Facts<'_>) -> Action {
    if let Some(name) = facts.malware {
        return on_malware(policy.malware, name, facts.client);
    }
    let total = score.total();
    let reaches = |threshold: Option<Points>| threshold.is_some_and(|threshold| total >= threshold);
    let wish = Wish::of(policy, facts);
    if let Wish::Reject(domain) = wish {
        return reject(facts.client, Objection::Dmarc(domain.clone()));
    }
    if reaches(policy.reject) && facts.answers == Answers::Complete {
        return reject(facts.client, Objection::Score(total));
    }
    if let Wish::Quarantine(reason) = wish {
        return Action::Quarantine(reason);
    }
    if reaches(policy.quarantine) || reaches(policy.reject) {
        return Action::Quarantine(Reason::Objection(Objection::Score(total)));
    }
    match facts.client {
        Client::Waits if matches!(wish, Wish::Defer) => Action::Defer,
        Client::Waits if facts.attempt == Attempt::First && reaches(policy.greylist) => {
            Action::Greylist
        }
        Client::Waits | Client::SpokeToRelay if reaches(policy.tag) => Action::Tag,
        Client::Waits | Client::SpokeToRelay => Action::Pass,
    }
}

/// What the author's domain gets of what it wishes.
#[derive(Debug)]
enum Wish<'a> {
    Nothing,
    /// Nobody knows, and that is no reason to pass.
    Defer,
    Quarantine(Reason),
    Reject(&'a Domain),
}

impl<'a> Wish<'a> {
    fn of(policy: &Policy, facts: &Facts<'a>) -> Self {
        match facts.client {
            Client::SpokeToRelay => return Self::Nothing,
            Client::Waits => {}
        }
        let failed = |author: &Domain| Reason::Objection(Objection::Dmarc(author.clone()));
        match (policy.dmarc, facts.author) {
            (DmarcPolicy::Note, _) | (_, Ruling::Accept | Ruling::Vouched { .. }) => Self::Nothing,
            (DmarcPolicy::Obey, Ruling::Refuse(author)) => Self::Reject(author),
            (_, Ruling::Refuse(author) | Ruling::Quarantine(author)) => {
                Self::Quarantine(failed(author))
            }
            (_, Ruling::NoAuthor(doubt)) => Self::Quarantine(Reason::NoAuthor(*doubt)),
            (_, Ruling::Unclear(_)) => Self::Defer,
            (_, Ruling::Unknown) => match policy.if_unclear {
                IfUnclear::Accept => Self::Nothing,
                IfUnclear::Defer => Self::Defer,
            },
        }
    }
}

fn on_malware(malware: OnMalware, name: &str, client: Client) -> Action {
    let objection = Objection::Malware(name.into());
    match malware {
        OnMalware::Discard => Action::Discard { malware: name.into() },
        OnMalware::Quarantine => Action::Quarantine(Reason::Objection(objection)),
        OnMalware::Reject => reject(client, objection),
    }
}

/// Rejected while somebody is there who can be told, else held: never a report to a forged sender.
const fn reject(client: Client, objection: Objection) -> Action {
    match client {
        Client::Waits => Action::Reject(objection),
        Client::SpokeToRelay => Action::Quarantine(Reason::Objection(objection)),
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("pass"),
            Self::Tag => f.write_str("tag"),
            Self::Greylist => f.write_str("greylist"),
            Self::Defer => {
                f.write_str("defer: name servers do not tell what its author's domain wants")
            }
            Self::Quarantine(reason) => write!(f, "quarantine: {reason}"),
            Self::Reject(objection) => write!(f, "reject: {objection}"),
            Self::Discard { malware } => write!(f, "discard: it has known malware ({malware})"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Objection(objection) => objection.fmt(f),
            Self::NoAuthor(doubt) => doubt.fmt(f),
        }
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Score(points) => write!(f, "it looks like spam ({points} points)"),
            Self::Dmarc(author) => write!(f, "it fails the DMARC policy of {author}"),
            Self::Malware(name) => write!(f, "it has known malware ({name})"),
        }
    }
}
