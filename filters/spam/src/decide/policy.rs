//! What an administrator wants to become of mail, in one direction.

use crate::symbols::Points;

/// What is done from which score on, and about what no score outweighs, in one direction.
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
    /// What becomes of mail that fails the policy of its author's domain.
    pub dmarc: DmarcPolicy,
    /// What becomes of mail if name servers do not tell whether its author's domain has a policy.
    pub if_unclear: IfUnclear,
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

/// What becomes of mail that fails the DMARC policy of its author's domain, or has no author that can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DmarcPolicy {
    /// It is held, be it refusal that the policy asks for or suspicion: what RFC 9989 section 7.4 expects of who has
    /// nothing else to go by.
    Quarantine,
    /// What the policy asks for. That rejects mail of mailing lists too.
    Obey,
    /// Nothing: it counts by the weights of its symbols alone.
    Note,
}

/// What becomes of mail of which name servers do not tell whether its author's domain has a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfUnclear {
    /// It goes on, by all else that is known.
    Accept,
    /// It is put off (451) while its client waits.
    Defer,
}

impl Policy {
    /// For mail that comes in: marked from 5 points on, held from 8, never rejected for its score, known malware
    /// thrown away.
    pub const INBOUND: Self = Self {
        greylist: None,
        tag: Some(Points::from_tenths(50)),
        quarantine: Some(Points::QUARANTINE),
        reject: None,
        malware: OnMalware::Discard,
        dmarc: DmarcPolicy::Quarantine,
        if_unclear: IfUnclear::Accept,
    };

    /// For mail of our own people: held from 10 points on, which the classifier alone does not reach, and not marked; they
    /// are told of malware while they wait, since they do not know that they send it.
    pub const OUTBOUND: Self = Self {
        tag: None,
        quarantine: Some(Points::from_tenths(100)),
        malware: OnMalware::Reject,
        dmarc: DmarcPolicy::Note,
        ..Self::INBOUND
    };
}
