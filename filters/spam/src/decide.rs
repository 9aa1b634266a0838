//! What becomes of a mail by what was found about it.
//!
//! Pure, and the only place that decides: thresholds of one direction, the score, and a few facts that no score may
//! outweigh. Nothing is ever bounced: a mail is rejected only while its client waits for an answer, since a report
//! would go to whomever a spammer named as sender. What is unclear, because name servers do not answer, is never
//! held for a mail, and rejects none (`attacks.md` F8).

#[cfg(test)]
mod tests;

use std::fmt;

use crate::symbols::{Points, Score};

/// What is done from which score on, in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// From here on a mail is put off once, to see whether its sender tries again.
    pub greylist: Option<Points>,
    /// From here on a mail is marked and delivered.
    pub tag: Option<Points>,
    /// From here on a mail is held.
    pub quarantine: Option<Points>,
    /// From here on a mail is rejected, if its client waits for the answer, and held if not.
    pub reject: Option<Points>,
    /// What becomes of known malware.
    pub malware: OnMalware,
    /// How much the wish of the author's domain counts (DMARC).
    pub author: OnAuthorsWish,
    /// What becomes of a mail about which name servers gave no answer.
    pub unclear: OnUnclear,
}

/// What becomes of known malware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnMalware {
    /// Accepted and thrown away: the log has a line, and nobody is told.
    Discard,
    /// Held.
    Quarantine,
    /// Rejected while the client waits for the answer, else held.
    Reject,
}

/// How much the wish of the author's domain counts for mail that is not proven to be from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnAuthorsWish {
    /// Rejected or quarantined as the domain wishes. It rejects mail of mailing lists too.
    Obey,
    /// Quarantined, whichever of both it wishes: what RFC 9989 section 7.4 expects of who has nothing else to go by.
    Quarantine,
    /// It counts by the weights of its symbols alone.
    Score,
}

/// What becomes of a mail about which name servers gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnUnclear {
    /// It goes by what is known. It is not rejected for its score: what would speak for it may not have been heard.
    Neutral,
    /// It is put off (451) while its client waits, unless what is known is enough to hold it.
    Defer,
}

/// What counts besides the score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Whether the client can still be told.
    pub client: Client,
    /// What scanners for malware say.
    pub malware: Malware,
    /// What the author's domain wishes.
    pub author: AuthorsWish,
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
    /// The mail is ours already: whatever is said now would go to its alleged sender.
    IsGone,
}

/// What scanners for malware say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malware {
    /// None was found.
    NoneKnown,
    /// The mail is or has known malware.
    Known,
}

/// What the author's domain wishes to be done with this mail (DMARC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorsWish {
    /// Nothing: it is proven to be from there, there is no policy, or the policy asks for nothing.
    Nothing,
    /// It is not proven to be from there, and shall be quarantined.
    Quarantine,
    /// It is not proven to be from there, and shall be rejected.
    Reject,
}

/// Whether all was learned that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// All that matters.
    Complete,
    /// A name server did not answer about something that might speak for the mail or against it.
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

/// What becomes of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It goes on as it is.
    Pass,
    /// It goes on with a mark.
    Tag,
    /// The client is asked to come again (451).
    Greylist,
    /// The client is asked to come again (451), since name servers did not answer.
    Defer,
    /// It is held.
    Quarantine {
        /// Why.
        reason: Reason,
    },
    /// The client is told that it is not wanted (550).
    Reject {
        /// Why.
        reason: Reason,
    },
    /// It is accepted and thrown away. The log has a line.
    Discard,
}

/// Why a mail is held or rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It scores too much.
    Score,
    /// The author's domain wishes it.
    AuthorsWish,
    /// It has known malware.
    Malware,
}

impl Policy {
    /// For mail that comes in: marked from 5 points on, held from 8, never rejected for its score, known malware
    /// thrown away.
    pub const INBOUND: Self = Self {
        greylist: Some(Points::from_tenths(40)),
        tag: Some(Points::from_tenths(50)),
        quarantine: Some(Points::from_tenths(80)),
        reject: None,
        malware: OnMalware::Discard,
        author: OnAuthorsWish::Quarantine,
        unclear: OnUnclear::Neutral,
    };

    /// For mail of our own people: held from 8 points on and not marked; they are told of malware while they wait,
    /// since they do not know that they send it.
    pub const OUTBOUND: Self = Self {
        greylist: None,
        tag: None,
        malware: OnMalware::Reject,
        author: OnAuthorsWish::Score,
        ..Self::INBOUND
    };

    /// What is wrong with the thresholds, if something is: one sentence for each.
    #[must_use]
    pub fn mistakes(&self) -> Vec<String> {
        let named = [
            ("greylist", self.greylist),
            ("tag", self.tag),
            ("quarantine", self.quarantine),
            ("reject", self.reject),
        ];
        let set = || named.iter().filter_map(|(name, at)| Some((*name, (*at)?)));
        let mut mistakes = Vec::new();
        for (name, at) in set().filter(|(_, at)| *at <= Points::ZERO) {
            mistakes.push(format!("{name} is {at}, but a mail of which nothing is known scores 0.0: expected more than 0.0"));
        }
        for (index, (name, at)) in set().enumerate() {
            let later = set().skip(index + 1).filter(|(other, _)| !is_free_order(name, other));
            for (other, other_at) in later.filter(|(_, other_at)| *other_at <= at) {
                mistakes.push(format!("{name} is {at} and {other} is {other_at}: expected {name} below {other}, else it is never reached"));
            }
        }
        mistakes
    }
}

/// A mail may be put off before or after it would be marked.
fn is_free_order(name: &str, other: &str) -> bool {
    name == "greylist" && other == "tag"
}

/// What becomes of a mail. The first of these that applies: malware, rejection, quarantine, waiting for answers,
/// waiting for a second attempt, a mark.
#[must_use]
pub fn decide(policy: &Policy, score: &Score, facts: &Facts) -> Action {
    if facts.malware == Malware::Known {
        return on_malware(policy.malware, facts.client);
    }
    let total = score.total();
    let reaches = |threshold: Option<Points>| threshold.is_some_and(|threshold| total >= threshold);
    let wish = wished(policy.author, facts.author);
    if wish == AuthorsWish::Reject {
        return reject(facts.client, Reason::AuthorsWish);
    }
    if reaches(policy.reject) {
        return match facts.answers {
            Answers::Complete => reject(facts.client, Reason::Score),
            Answers::Unclear => Action::Quarantine { reason: Reason::Score },
        };
    }
    if reaches(policy.quarantine) {
        return Action::Quarantine { reason: Reason::Score };
    }
    if wish == AuthorsWish::Quarantine {
        return Action::Quarantine { reason: Reason::AuthorsWish };
    }
    let waits = facts.client == Client::Waits;
    if waits && facts.answers == Answers::Unclear && policy.unclear == OnUnclear::Defer {
        return Action::Defer;
    }
    if waits && facts.attempt == Attempt::First && reaches(policy.greylist) {
        return Action::Greylist;
    }
    if reaches(policy.tag) { Action::Tag } else { Action::Pass }
}

fn on_malware(malware: OnMalware, client: Client) -> Action {
    match malware {
        OnMalware::Discard => Action::Discard,
        OnMalware::Quarantine => Action::Quarantine { reason: Reason::Malware },
        OnMalware::Reject => reject(client, Reason::Malware),
    }
}

/// What the author's domain gets of what it wishes.
fn wished(policy: OnAuthorsWish, wish: AuthorsWish) -> AuthorsWish {
    match (policy, wish) {
        (OnAuthorsWish::Score, _) | (_, AuthorsWish::Nothing) => AuthorsWish::Nothing,
        (OnAuthorsWish::Obey, wish) => wish,
        (OnAuthorsWish::Quarantine, AuthorsWish::Quarantine | AuthorsWish::Reject) => {
            AuthorsWish::Quarantine
        }
    }
}

/// Rejected while somebody is there who can be told, else held: never a report to a forged sender.
const fn reject(client: Client, reason: Reason) -> Action {
    match client {
        Client::Waits => Action::Reject { reason },
        Client::IsGone => Action::Quarantine { reason },
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Score => "it looks like spam",
            Self::AuthorsWish => {
                "it is not proven to be from its author's domain, which asks for that (DMARC)"
            }
            Self::Malware => "it has known malware",
        })
    }
}
