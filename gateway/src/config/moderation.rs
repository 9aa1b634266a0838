//! `[moderation]`: whom we trust to have looked at a mail before us.

use mailweir_moderation::chain::{self, TrustedEntry, TrustedHosts, WalkOptions};

use super::{
    check::Written,
    choice::{InnerHops, Origin},
    problem::Problems,
    schema::ModerationSection,
    setting::{Element, Refusal, Setting},
    value::RawValue,
};

/// `[moderation]`: which mail is trusted by the way it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moderation {
    /// The hosts that a mail may have come through.
    pub trusted_hosts: TrustedHosts,
    /// How strictly its Received headers are read. Whether our own is among them is not for the
    /// configuration to say.
    pub walk: WalkOptions,
}

/// Checks the section; warns of entries that mean more than they seem.
pub(super) fn check(
    written: &Written<ModerationSection>,
    problems: &mut Problems<'_>,
) -> Moderation {
    let Written { table, section } = written;
    for (index, entry) in section.trusted_hosts.iter().enumerate() {
        let place = table.place_of_element("trusted_hosts", index);
        for warning in entry.warnings() {
            let message = format!("{:?}: {warning}", entry.as_str());
            problems.warning_at(place, table.path_of("trusted_hosts"), message);
        }
    }
    Moderation {
        trusted_hosts: section.trusted_hosts.iter().cloned().collect(),
        walk: WalkOptions {
            local_origin: section.local_origin.into(),
            authenticated_origin: section.authenticated_origin.into(),
            inner_hops: section.inner_hops.into(),
            ..WalkOptions::default()
        },
    }
}

impl From<Origin> for chain::Origin {
    fn from(written: Origin) -> Self {
        match written {
            Origin::Strict => Self::Strict,
            Origin::Accept => Self::Accept,
        }
    }
}

impl From<InnerHops> for chain::InnerHops {
    fn from(written: InnerHops) -> Self {
        match written {
            InnerHops::Listed => Self::Listed,
            InnerHops::SameHost => Self::SameHost,
        }
    }
}

impl Setting for TrustedEntry {
    const ALLOWED: &'static str = "an IP address, a network, or a regular expression that begins with ^, such as '^192\\.0\\.2\\.[12]$'";
    const EXAMPLE: &'static str = "\"192.0.2.7\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        Self::parse(value.text()?).or_else(|error| Refusal::new(value, error).alone())
    }
}

impl Element for TrustedEntry {
    const LIST_ALLOWED: &'static str = "a list of IP addresses, networks, and regular expressions that begin with ^, such as [\"192.0.2.7\", \"10.0.0.0/8\", '^192\\.0\\.2\\.(1|2)$']";
    const LIST_EXAMPLE: &'static str = "[\"127.0.0.1\", \"10.0.0.0/8\", '^192\\.0\\.2\\.(1|2)$']";
}
