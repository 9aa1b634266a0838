//! Who it is that asks by the API: a token of the configuration, or an account that logs in as it does
//! to hand in mail, with the same back ends, the same pauses and the same lines in the log.

use std::time::Duration;

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use mailweir_admin_ui::{
    Source,
    api::{ArchiveSight, Caller, Claim, NoEntry, Who},
};
use mailweir_auth::{AuthFailure, Identity, Role};
use mailweir_mail::Address;
use mailweir_moderation::person::is_same;
use zeroize::Zeroizing;

use crate::{
    app::App,
    clock,
    config::{ApiRights, ApiToken, Moderator},
    moderation::account::{self, Way},
};

/// Who it is.
///
/// # Errors
/// Nobody who is let in.
pub(super) async fn log_in(app: &App, claim: Claim<'_>, from: Source) -> Result<Caller, NoEntry> {
    let (who, archive) = match claim {
        Claim::Bearer(token) => by_token(&app.config().api_tokens, token).inspect_err(|_| {
            account::log_failure(app, from.address, "Bearer", "no token of [[admin.api_token]]");
        })?,
        Claim::Basic(basic) => by_password(app, basic, from).await?,
    };
    Ok(Caller { who, from: from.address, archive })
}

fn by_token(tokens: &[ApiToken], token: &str) -> Result<(Who, ArchiveSight), NoEntry> {
    let hash = digest(&SHA256, token.as_bytes());
    let is_it = |known: &&ApiToken| verify_slices_are_equal(&known.sha256, hash.as_ref()).is_ok();
    let known = tokens.iter().find(is_it).ok_or(NoEntry::Wrong)?;
    let decides = known.rights == ApiRights::Decide;
    let archive = match known.rights {
        ApiRights::Audit => ArchiveSight::Everything,
        ApiRights::Read | ApiRights::Decide => ArchiveSight::Nothing,
    };
    Ok((Who::Token { name: known.name.clone(), decides }, archive))
}

async fn by_password(app: &App, basic: &str, from: Source) -> Result<(Who, ArchiveSight), NoEntry> {
    // There is no TLS here: what comes from elsewhere came in clear.
    if !from.is_local {
        return Err(NoEntry::InClear);
    }
    let pair = Zeroizing::new(BASE64_STANDARD.decode(basic).map_err(|_| NoEntry::Wrong)?);
    let colon = pair.iter().position(|&byte| byte == b':').ok_or(NoEntry::Wrong)?;
    let named = (&pair[..colon], &pair[colon + 1..]);
    let identity = account::log_in(app, named, from.address, Way::Private).await;
    let identity = identity.map_err(|failure| no_entry(&failure))?;
    Ok((owner(&app.config().moderation.moderators, &identity), archive_sight(&identity)))
}

/// Which moderator an account is: the one whose log-in it is, or the one whose address it is if that
/// one has no other log-in.
fn owner(moderators: &[Moderator], identity: &Identity) -> Who {
    let login = identity.user().as_str();
    let same = |known: &Moderator| known.login.to_lowercase() == login.to_lowercase();
    let address = match moderators.iter().find(|known| same(known)) {
        Some(known) => Some(known.person.address.clone()),
        None => Address::parse(login).ok().filter(|address| {
            !moderators.iter().any(|known| is_same(&known.person.address, address))
        }),
    };
    // An app password is for one program, and that is not for deciding.
    let decides = identity.credential().is_none();
    Who::Account { login: login.into(), address, decides }
}

/// What an account may see of the archive: with the role, and its own password, all of it.
fn archive_sight(identity: &Identity) -> ArchiveSight {
    let roles = identity.roles();
    let is_auditor = roles.contains(Role::Auditor) || roles.contains(Role::Administrator);
    // An app password is for one program, which sees what its owner has in their mailbox anyhow.
    match is_auditor && identity.credential().is_none() {
        true => ArchiveSight::Everything,
        false => ArchiveSight::Own,
    }
}

fn no_entry(failure: &AuthFailure) -> NoEntry {
    match failure {
        AuthFailure::Throttled { until } => {
            let pause = until.saturating_duration_since(clock::monotonic());
            NoEntry::Throttled(pause.max(SHORTEST_PAUSE))
        }
        AuthFailure::Temporary(_) => NoEntry::Unavailable,
        _ => NoEntry::Wrong,
    }
}

const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
