//! Who sent it, as far as that can be proven.

use std::net::IpAddr;

use super::{connection::of_reverse_name, dkim};
use crate::{
    arc::{ArcOutcome, ArcResult},
    authentication::{Authentication, Doubt, Ruling, Stranger},
    dmarc::{self, DmarcResult, Policy},
    iprev::Iprev,
    spf::{self, SpfResult},
    symbols::{Finding, Symbol},
};

/// All that was found out about who sent a mail, with the ruling about it.
#[must_use]
pub fn of_authentication(
    found: &Authentication,
    ruling: &Ruling,
    stranger: &Stranger<'_>,
) -> Vec<Finding> {
    let mut findings = of_iprev(&found.iprev, stranger.client);
    findings.push(of_spf(&found.spf, stranger.client));
    dkim::add(found, &mut findings);
    findings.push(of_ruling(&found.dmarc, ruling));
    findings.extend(of_arc(&found.arc));
    findings
}

/// So many fields were taken out of a mail that claimed to be results of ours; nothing if there were none.
#[must_use]
pub fn forged_results(fields: usize) -> Option<Finding> {
    let evidence = match fields {
        0 => return None,
        1 => "1 field".to_owned(),
        more => format!("{more} fields"),
    };
    Some(Finding::new(Symbol::ForgedResults, &evidence))
}

/// Whether the name of a client leads back to it, and what the name looks like if it does.
#[must_use]
pub fn of_iprev(iprev: &Iprev, client: IpAddr) -> Vec<Finding> {
    let client = client.to_canonical();
    let (symbol, evidence) = match iprev {
        Iprev::Pass(name) => (Symbol::IprevPass, format!("{client} is {name}")),
        Iprev::Fail => (Symbol::IprevFail, client.to_string()),
        Iprev::TempError => (Symbol::IprevTemperror, client.to_string()),
        Iprev::PermError => (Symbol::RdnsNone, client.to_string()),
    };
    let look = iprev.name().and_then(|name| of_reverse_name(name, client));
    [Finding::new(symbol, &evidence)].into_iter().chain(look).collect()
}

/// Whether the client may send for the domain of the envelope's sender.
#[must_use]
pub fn of_spf(spf: &spf::Outcome, client: IpAddr) -> Finding {
    let client = client.to_canonical();
    let symbol = match spf.result {
        SpfResult::None => Symbol::SpfNone,
        SpfResult::Neutral => Symbol::SpfNeutral,
        SpfResult::Pass => Symbol::SpfPass,
        SpfResult::Fail => Symbol::SpfFail,
        SpfResult::SoftFail => Symbol::SpfSoftfail,
        SpfResult::TempError => Symbol::SpfTemperror,
        SpfResult::PermError => Symbol::SpfPermerror,
    };
    let spf::Outcome { domain, cause, .. } = spf;
    let evidence = match &**domain {
        "" => cause.to_string(),
        domain => format!("{client} for {domain}: {cause}"),
    };
    Finding::new(symbol, &evidence)
}

/// A trusted host that saw it pass takes the place of a failure: what it failed by is what that host changed.
fn of_ruling(dmarc: &dmarc::Outcome, ruling: &Ruling) -> Finding {
    match ruling {
        Ruling::Vouched { sealer } => {
            Finding::new(Symbol::ArcTrusted, &format!("{sealer} saw it pass"))
        }
        Ruling::NoAuthor(Doubt::Several) => {
            Finding::new(Symbol::DmarcTemperror, &Doubt::Several.to_string())
        }
        Ruling::NoAuthor(
            doubt @ (Doubt::Header | Doubt::Missing | Doubt::Unreadable | Doubt::TooMany),
        ) => Finding::new(Symbol::DmarcPermerror, &doubt.to_string()),
        Ruling::Accept
        | Ruling::Quarantine(_)
        | Ruling::Refuse(_)
        | Ruling::Unclear(_)
        | Ruling::Unknown => of_dmarc(dmarc),
    }
}

fn of_dmarc(dmarc: &dmarc::Outcome) -> Finding {
    let symbol = match (dmarc.result, dmarc.policy) {
        (DmarcResult::None, _) => Symbol::DmarcNone,
        (DmarcResult::Pass, _) => Symbol::DmarcPass,
        (DmarcResult::Fail, Policy::None) => Symbol::DmarcFail,
        (DmarcResult::Fail, Policy::Quarantine) => Symbol::DmarcQuarantine,
        (DmarcResult::Fail, Policy::Reject) => Symbol::DmarcReject,
        (DmarcResult::TempError, _) => Symbol::DmarcTemperror,
        (DmarcResult::PermError, _) => Symbol::DmarcPermerror,
    };
    let evidence = match &dmarc.author {
        Some(author) => format!("{}: {}", author.as_ascii(), dmarc.cause),
        None => dmarc.cause.to_string(),
    };
    Finding::new(symbol, &evidence)
}

/// Nothing of a mail that nobody has sealed.
fn of_arc(arc: &ArcOutcome) -> Option<Finding> {
    let (symbol, evidence) = match &arc.result {
        ArcResult::None => return None,
        ArcResult::Pass => {
            let sealers: Vec<&str> = arc.sealers().map(|sealer| sealer.as_ascii()).collect();
            (Symbol::ArcValid, format!("sealed by {}", sealers.join(", ")))
        }
        ArcResult::Fail(fault) => (Symbol::ArcInvalid, fault.to_string()),
        ArcResult::TempError => (Symbol::ArcTemperror, String::new()),
    };
    Some(Finding::new(symbol, &evidence))
}
