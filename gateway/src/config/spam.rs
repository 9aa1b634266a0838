//! `[spam]`: what is found out about who sent a mail and what it is, and what becomes of it.

mod setting;

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use mailweir_spam::{
    decide::{self, OnMalware, Policy},
    lists::List,
    results::AuthservId,
    symbols::Weights,
};

pub(super) use self::setting::Threshold;
use super::{
    DomainPattern, Mailbox, Server, Surroundings,
    before_data::{self, BeforeData, Greylisted},
    check::{Written, only, positive, read_file},
    choice::{DmarcPolicy, IfMalware, IfUnclear},
    problem::Problems,
    raw::{RawConfig, RawTable},
    schema::SpamSection,
    section::Section as _,
};

/// How mail is looked at.
#[derive(Clone, Debug)]
pub struct Spam {
    /// The name in our Authentication-Results.
    pub authserv_id: AuthservId,
    /// What becomes of mail of strangers.
    pub inbound: Policy,
    /// What becomes of mail of our own people.
    pub outbound: Policy,
    /// How long name servers may take for one mail.
    pub dns_time_limit: Duration,
    /// How often they are asked about one mail.
    pub dns_lookup_limit: NonZeroU32,
    /// Whose seals count.
    pub trusted_sealers: Vec<DomainPattern>,
    /// What each symbol weighs.
    pub weights: Arc<Weights>,
    /// Lists of what spam links to.
    pub link_lists: Arc<[List]>,
    /// People whose names strangers should not write under.
    pub people: Vec<Mailbox>,
    /// What comes before the content.
    pub before_data: BeforeData,
}

impl Spam {
    /// How long name servers may take for what the sender of a mail may choose; the rest is for its author's domain.
    pub(crate) fn sender_time(&self) -> Duration {
        self.dns_time_limit / 2
    }

    /// For `mailweir check`.
    pub(super) fn describe(&self) -> String {
        let dmarc = match self.inbound.dmarc {
            decide::DmarcPolicy::Quarantine => "what fails DMARC is held",
            decide::DmarcPolicy::Obey => {
                "what fails DMARC is refused or held as its author's domain asks"
            }
            decide::DmarcPolicy::Note => "DMARC is noted",
        };
        let unclear = match self.inbound.if_unclear {
            decide::IfUnclear::Accept => "a policy that cannot be looked up counts as none",
            decide::IfUnclear::Defer => "a policy that cannot be looked up puts mail off",
        };
        let quarantine = match self.inbound.quarantine {
            Some(points) => format!("from {points} points on mail is held"),
            None => "no mail is held for its points".to_owned(),
        };
        let before = self.before_data.describe();
        format!(
            "senders authenticated as {}; {dmarc}; {unclear}; {quarantine}{before}",
            self.authserv_id
        )
    }
}

/// Reads and checks the section. `Some(None)`: nothing is looked at. `None` only if an error was reported.
pub(super) fn check(
    raw: &RawConfig,
    server: &Server,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Option<Option<Spam>> {
    let Written { table, section } = only::<SpamSection>(raw, problems)?;
    positive(&table, &[("dns_time_limit", section.dns_time_limit)], problems);
    let id = section.authserv_id.as_ref().unwrap_or(&server.hostname);
    let authserv_id = AuthservId::parse(id.as_ascii());
    if authserv_id.is_err() && (section.enabled || table.has("authserv_id")) {
        problems.error(&table, "authserv_id", format!("{id} is no name of a host"));
    }
    if !section.enabled {
        let mut others = SpamSection::SCHEMA.keys.iter().filter(|key| key.name != "enabled");
        if others.any(|key| table.has(key.name)) {
            problems.warning(&table, "enabled", "no mail is looked at: spam.enabled is missing");
        }
        return Some(None);
    }
    let before_data = before_data::check(&table, &section, problems);
    let weights = weights(&table, &section, around, problems);
    let (inbound, outbound) = (inbound(&section, &before_data), outbound(&section));
    check_people(&table, &section.people, problems);
    check_order(&table, "", &inbound, problems);
    check_order(&table, "outbound_", &outbound, problems);
    Some(Some(Spam {
        before_data,
        authserv_id: authserv_id.ok()?,
        inbound,
        outbound,
        dns_time_limit: section.dns_time_limit,
        dns_lookup_limit: section.dns_lookup_limit,
        trusted_sealers: section.trusted_sealers,
        weights: Arc::new(weights?),
        link_lists: before_data::lists(&section.uribl_sites).into(),
        people: section.people,
    }))
}

fn inbound(section: &SpamSection, before: &BeforeData) -> Policy {
    Policy {
        greylist: before.greylisting.and_then(|it| match it.whom {
            Greylisted::From(points) => Some(points),
            // They were, before their content came.
            Greylisted::Everybody => None,
        }),
        tag: section.tag_from.0,
        quarantine: section.quarantine_from.0,
        reject: section.reject_from.0,
        malware: on_malware(section.malware),
        dmarc: match section.dmarc {
            DmarcPolicy::Quarantine => decide::DmarcPolicy::Quarantine,
            DmarcPolicy::Obey => decide::DmarcPolicy::Obey,
            DmarcPolicy::Note => decide::DmarcPolicy::Note,
        },
        if_unclear: match section.if_unclear {
            IfUnclear::Accept => decide::IfUnclear::Accept,
            IfUnclear::Defer => decide::IfUnclear::Defer,
        },
    }
}

/// Nobody authenticates our own people by DNS, and a mark is for those who get the mail.
fn outbound(section: &SpamSection) -> Policy {
    Policy {
        quarantine: section.outbound_quarantine_from.0,
        reject: section.outbound_reject_from.0,
        malware: on_malware(section.outbound_malware),
        ..Policy::OUTBOUND
    }
}

const fn on_malware(written: IfMalware) -> OnMalware {
    match written {
        IfMalware::Discard => OnMalware::Discard,
        IfMalware::Quarantine => OnMalware::Quarantine,
        IfMalware::Reject => OnMalware::Reject,
    }
}

/// Too many people share a name of one word.
fn check_people(table: &RawTable, people: &[Mailbox], problems: &mut Problems<'_>) {
    let is_full = |name: &str| name.split_whitespace().nth(1).is_some();
    for mailbox in people {
        if !mailbox.name.as_ref().is_some_and(|name| is_full(&name.0)) {
            problems
                .error(table, "people", format!("{mailbox} has no name of two words or more"))
                .help("\"Ann Lee <ann@example.org>\"");
        }
    }
}

/// A threshold behind one that takes all before it is never reached.
fn check_order(table: &RawTable, prefix: &str, policy: &Policy, problems: &mut Problems<'_>) {
    let named = [("tag", policy.tag), ("quarantine", policy.quarantine), ("reject", policy.reject)];
    for pair in
        named.iter().filter_map(|(name, at)| Some((name, (*at)?))).collect::<Vec<_>>().windows(2)
    {
        if let [(lower, low), (higher, high)] = pair
            && low >= high
        {
            let (lower, higher) =
                (format!("{prefix}{lower}_from"), format!("{prefix}{higher}_from"));
            let key = if table.has(&lower) { &lower } else { &higher };
            let message = format!(
                "{lower} is {low} and {higher} is {high}: the first would never be reached"
            );
            problems
                .error(table, key, message)
                .help(format!("set {lower} below {higher}, or one of the two to \"never\""));
        }
    }
}

/// What symbols weigh, with all mistakes of the file told.
fn weights(
    table: &RawTable,
    section: &SpamSection,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Option<Weights> {
    let Some(path) = &section.weights_file else { return Some(Weights::default()) };
    let content = read_file(table, "weights_file", path, around, problems)?;
    let Ok(text) = std::str::from_utf8(&content) else {
        let message = format!("{} is no text in UTF-8", path.display());
        problems.error(table, "weights_file", message);
        return None;
    };
    match Weights::with_file(text) {
        Ok(weights) => Some(weights),
        Err(mistakes) => {
            for mistake in mistakes {
                problems.error(table, "weights_file", format!("{}: {mistake}", path.display()));
            }
            None
        }
    }
}
