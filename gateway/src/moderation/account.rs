//! Log-ins at the admin listener: the back ends, the brake and the lines in the log of SMTP AUTH.

use std::net::{IpAddr, SocketAddr};

use mailweir_auth::{Attempt, AuthFailure, Channel, Identity, Mechanism, Step};
use mailweir_mail::{Client, SessionEvent};
use zeroize::Zeroizing;

use crate::{app::App, clock};

/// Who has this name and password. A failure counts and is logged.
///
/// # Errors
/// Nobody, too many failures before, or it cannot be told now.
pub(super) async fn log_in(
    app: &App,
    (name, password): (&[u8], &[u8]),
    from: IpAddr,
    way: Way,
) -> Result<Identity, AuthFailure> {
    let attempt = Attempt {
        client: from,
        listener: LISTENER.into(),
        tls: way == Way::Private,
        now: clock::monotonic(),
    };
    // The message of PLAIN (RFC 4616). A NUL would end a part of it, and so none is proven with one.
    let message = Zeroizing::new([b"\0", name, b"\0", password].concat());
    let channel = Channel::default();
    let authenticator = &app.shared().authenticator;
    let step = authenticator.start(Mechanism::Plain, Some(&message), channel, &attempt).await;
    let failure = match step {
        Step::LoggedIn(identity, _) => return Ok(identity),
        Step::Refused(failure) => failure,
        // PLAIN has no second step.
        Step::Challenge(_) => AuthFailure::Temporary("the exchange did not end".into()),
    };
    log_failure(app, from, Mechanism::Plain.as_str(), &failure.to_string());
    Err(failure)
}

/// Whether others can listen on the way of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Nobody can.
    Private,
    /// Anybody may.
    Open,
}

/// The line that fail2ban knows.
pub(super) fn log_failure(app: &App, from: IpAddr, mechanism: &str, reason: &str) {
    app.shared().observer.session(&SessionEvent::AuthFailed {
        listener: LISTENER.into(),
        client: Client::unnamed(SocketAddr::new(from, 0)),
        mechanism: mechanism.into(),
        reason: reason.into(),
    });
}

/// The admin listener: in the log, for the brake, and for app passwords that are for some listeners.
const LISTENER: &str = "admin";
