//! `[spam]`: what is found out about the mail of strangers.

use std::{num::NonZeroU32, time::Duration};

use mailweir_spam::results::AuthservId;

use super::{
    DomainPattern, Server,
    check::{Written, only, positive},
    choice::{DmarcPolicy, IfUnclear},
    problem::Problems,
    raw::RawConfig,
    schema::SpamSection,
    section::Section as _,
};

/// How mail of strangers is looked at.
#[derive(Clone, Debug)]
pub struct Spam {
    /// The name in our Authentication-Results.
    pub authserv_id: AuthservId,
    /// What becomes of mail that fails DMARC.
    pub dmarc: DmarcPolicy,
    /// What becomes of mail of which that is not known.
    pub if_unclear: IfUnclear,
    /// How long name servers may take for one mail.
    pub dns_time_limit: Duration,
    /// How often they are asked about one mail.
    pub dns_lookup_limit: NonZeroU32,
    /// Whose seals count.
    pub trusted_sealers: Vec<DomainPattern>,
}

impl Spam {
    /// For `mailweir check`.
    pub(super) fn describe(&self) -> String {
        let dmarc = match self.dmarc {
            DmarcPolicy::Quarantine => "what fails DMARC is held",
            DmarcPolicy::Obey => "what fails DMARC is refused or held as its author's domain asks",
            DmarcPolicy::Note => "DMARC is noted",
        };
        let unclear = match self.if_unclear {
            IfUnclear::Accept => "a policy that cannot be looked up counts as none",
            IfUnclear::Defer => "a policy that cannot be looked up puts mail off",
        };
        format!("senders authenticated as {}; {dmarc}; {unclear}", self.authserv_id)
    }
}

/// Reads and checks the section. `Some(None)`: nothing is looked at. `None` only if an error was reported.
pub(super) fn check(
    raw: &RawConfig,
    server: &Server,
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
    Some(Some(Spam {
        authserv_id: authserv_id.ok()?,
        dmarc: section.dmarc,
        if_unclear: section.if_unclear,
        dns_time_limit: section.dns_time_limit,
        dns_lookup_limit: section.dns_lookup_limit,
        trusted_sealers: section.trusted_sealers,
    }))
}
