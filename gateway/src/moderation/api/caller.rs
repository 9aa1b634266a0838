//! Who it is that asks by the API: a token of the configuration, or an account that logs in as it does
//! to hand in mail, with the same back ends, the same pauses and the same lines in the log.

use std::{net::IpAddr, time::Duration};

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use mailweir_admin_ui::api::{Caller, Claim, NoEntry, Who};
use mailweir_auth::{Attempt, AuthFailure, Channel, Identity, Mechanism, Step};
use mailweir_mail::{Address, Client, SessionEvent};
use zeroize::Zeroizing;

use crate::{
    app::App,
    clock,
    config::{ApiRights, ApiToken, Moderator},
};

/// Who it is.
///
/// # Errors
/// Nobody who is let in.
pub(super) async fn log_in(app: &App, claim: Claim<'_>, from: IpAddr) -> Result<Caller, NoEntry> {
    let who = match claim {
        Claim::Bearer(token) => by_token(&app.config().api_tokens, token).inspect_err(|_| {
            log_failure(app, from, "Bearer", "no token of [[admin.api_token]]");
        })?,
        Claim::Basic(basic) => by_password(app, basic, from).await?,
    };
    Ok(Caller { who, from })
}

fn by_token(tokens: &[ApiToken], token: &str) -> Result<Who, NoEntry> {
    let hash = digest(&SHA256, token.as_bytes());
    let is_it = |known: &&ApiToken| verify_slices_are_equal(&known.sha256, hash.as_ref()).is_ok();
    let known = tokens.iter().find(is_it).ok_or(NoEntry::Wrong)?;
    let decides = known.rights == ApiRights::Decide;
    Ok(Who::Token { name: known.name.clone(), decides })
}

async fn by_password(app: &App, basic: &str, from: IpAddr) -> Result<Who, NoEntry> {
    // There is no TLS here: what comes from elsewhere came in clear.
    if !from.is_loopback() {
        return Err(NoEntry::InClear);
    }
    let message = plain(basic).ok_or(NoEntry::Wrong)?;
    let attempt = Attempt {
        client: from,
        listener: LISTENER.into(),
        // The way to the proxy on this machine has an end that nobody else listens to.
        tls: true,
        now: clock::monotonic(),
    };
    let authenticator = &app.shared().authenticator;
    let channel = Channel::default();
    match authenticator.start(Mechanism::Plain, Some(&message), channel, &attempt).await {
        Step::LoggedIn(identity, _) => Ok(account(&app.config().moderation.moderators, &identity)),
        Step::Refused(failure) => {
            log_failure(app, from, "PLAIN", &failure.to_string());
            Err(no_entry(&failure))
        }
        Step::Challenge(_) => Err(NoEntry::Wrong),
    }
}

/// The message of PLAIN (RFC 4616) that says the same.
fn plain(basic: &str) -> Option<Zeroizing<Vec<u8>>> {
    let pair = Zeroizing::new(BASE64_STANDARD.decode(basic).ok()?);
    let colon = pair.iter().position(|&byte| byte == b':')?;
    let (login, password) = (&pair[..colon], &pair[colon + 1..]);
    (!pair.contains(&0)).then(|| Zeroizing::new([b"\0", login, b"\0", password].concat()))
}

/// Which moderator an account is: the one whose log-in it is, or the one whose address it is if that
/// one has no other log-in.
fn account(moderators: &[Moderator], identity: &Identity) -> Who {
    let login = identity.user().as_str();
    let same = |known: &Moderator| known.login.to_lowercase() == login.to_lowercase();
    let address = match moderators.iter().find(|known| same(known)) {
        Some(known) => Some(known.person.address.clone()),
        None => Address::parse(login)
            .ok()
            .filter(|address| !moderators.iter().any(|known| known.person.address == *address)),
    };
    // An app password is for one program, and that is not for deciding.
    let decides = identity.credential().is_none();
    Who::Account { login: login.into(), address, decides }
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

/// The line that fail2ban knows.
fn log_failure(app: &App, from: IpAddr, mechanism: &str, reason: &str) {
    app.shared().observer.session(&SessionEvent::AuthFailed {
        listener: LISTENER.into(),
        client: Client::unnamed((from, 0).into()),
        mechanism: mechanism.into(),
        reason: reason.into(),
    });
}

/// What app passwords that are for some listeners call this one.
const LISTENER: &str = "admin";

const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
