//! What those who logged in may send: as whom, and how much.

use std::{num::NonZeroU32, path::PathBuf};

use mailweir_auth::{LoginMap, Quota, Quotas};

use super::{
    SenderPolicy, Surroundings, Unauthenticated,
    check::{Written, read_file},
    problem::Problems,
    raw::RawTable,
    schema::{QuotasSection, SendersSection},
};

/// `[auth.senders]`: which sender addresses may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Senders {
    /// By whom who logged in.
    pub policy: SenderPolicy,
    /// Who owns which address (Postfix `smtpd_sender_login_maps`). It was readable when the
    /// configuration was checked.
    pub login_maps_file: Option<PathBuf>,
    /// By strangers.
    pub unauthenticated: Unauthenticated,
    /// Whether the From header is held to the same.
    pub header_from: bool,
}

/// Checks `[auth.senders]`.
pub(super) fn senders(
    written: &Written<SendersSection>,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Senders {
    let Written { table, section } = written;
    if section.login_maps_file.is_some() {
        check_maps(written, around, problems);
    } else if !problems.blame(table, "login_maps_file") {
        if section.policy == SenderPolicy::Maps {
            problems
                .error(table, "policy", "login_maps_file is missing: nobody could send anything")
                .help("login_maps_file = \"/etc/mailweir/sender_logins\"");
        }
        if section.unauthenticated == Unauthenticated::Reject {
            let message = "login_maps_file is missing: this refuses nothing";
            problems.warning(table, "unauthenticated", message);
        }
    }
    Senders {
        policy: section.policy,
        login_maps_file: section.login_maps_file.clone(),
        unauthenticated: section.unauthenticated,
        header_from: section.header_from,
    }
}

fn check_maps(
    Written { table, section }: &Written<SendersSection>,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) {
    const KEY: &str = "login_maps_file";
    let Some(path) = &section.login_maps_file else { return };
    let Some(content) = read_file(table, KEY, path, around, problems) else { return };
    let shown = path.display();
    let Ok(text) = String::from_utf8(content) else {
        problems.error(table, KEY, format!("{shown} is not text in UTF-8"));
        return;
    };
    let (_, skipped) = LoginMap::parse(&text);
    for problem in skipped.iter().take(MOST_NAMED) {
        problems.warning(table, KEY, format!("{shown}: {problem}"));
    }
    if skipped.len() > MOST_NAMED {
        let more = skipped.len() - MOST_NAMED;
        problems.warning(table, KEY, format!("{shown}: {more} more lines have mistakes"));
    }
}

/// Checks `[auth.limits]`.
pub(super) fn quotas(
    Written { table, section }: &Written<QuotasSection>,
    problems: &mut Problems<'_>,
) -> Quotas {
    let mut check = |key, soft, hard| quota(table, key, soft, hard, problems);
    Quotas {
        messages_per_hour: check(
            "messages_per_hour_soft",
            section.messages_per_hour_soft,
            section.messages_per_hour_hard,
        ),
        messages_per_day: check(
            "messages_per_day_soft",
            section.messages_per_day_soft,
            section.messages_per_day_hard,
        ),
        recipients_per_hour: check(
            "recipients_per_hour_soft",
            section.recipients_per_hour_soft,
            section.recipients_per_hour_hard,
        ),
        recipients_per_day: check(
            "recipients_per_day_soft",
            section.recipients_per_day_soft,
            section.recipients_per_day_hard,
        ),
    }
}

fn quota(
    table: &RawTable,
    key: &str,
    soft: Option<NonZeroU32>,
    hard: Option<NonZeroU32>,
    problems: &mut Problems<'_>,
) -> Quota {
    if let (Some(soft), Some(hard)) = (soft, hard)
        && soft >= hard
    {
        let message = format!("{soft} holds nothing: mail is put off beyond {hard} already");
        problems.error(table, key, message).help("a soft limit is below its hard limit");
    }
    Quota { soft, hard }
}

/// Of a file that is no table at all, not every line is named.
const MOST_NAMED: usize = 20;
