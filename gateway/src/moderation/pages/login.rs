//! A log-in at a page: the back ends and the brake of SMTP AUTH, for one account.

use std::net::{IpAddr, SocketAddr};

use mailweir_admin_ui::approval::{LogIn, NotLoggedIn};
use mailweir_auth::{Attempt, AuthFailure, Channel, Identity, Mechanism, Step, UserName};
use mailweir_mail::{Client, SessionEvent};

use crate::{app::App, clock};

/// Whether name and password are those of `account`.
///
/// # Errors
/// They are not, and why as far as the reader may know; the log knows more.
pub(super) async fn check(
    app: &App,
    account: &str,
    login: &LogIn,
    from: IpAddr,
) -> Result<(), NotLoggedIn> {
    let authenticator = &app.shared().authenticator;
    let attempt = Attempt {
        client: from,
        listener: LISTENER.into(),
        tls: app
            .config()
            .admin
            .public_url
            .as_ref()
            .is_some_and(|url| url.as_str().starts_with("https://")),
        now: clock::monotonic(),
    };
    let message = format!("\0{}\0{}", login.name, login.password);
    let channel = Channel::default();
    let step =
        authenticator.start(Mechanism::Plain, Some(message.as_bytes()), channel, &attempt).await;
    let (why, reason) = match step {
        Step::LoggedIn(identity, _) => match objection(&identity, account) {
            None => {
                let text = format!("{from}: {} logged in at a page", identity.user());
                let event = SessionEvent::Notice { part: "moderation", text: text.into() };
                app.shared().observer.session(&event);
                return Ok(());
            }
            Some(reason) => (NotLoggedIn::Denied, reason.to_owned()),
        },
        Step::Refused(failure) => {
            let why = match &failure {
                AuthFailure::Throttled { .. } => NotLoggedIn::Later,
                AuthFailure::Temporary(_) => NotLoggedIn::Failed,
                _ => NotLoggedIn::Denied,
            };
            (why, failure.to_string())
        }
        Step::Challenge(_) => (NotLoggedIn::Denied, "the exchange did not end".to_owned()),
    };
    app.shared().observer.session(&SessionEvent::AuthFailed {
        listener: LISTENER.into(),
        client: Client::unnamed(SocketAddr::new(from, 0)),
        mechanism: Mechanism::Plain.as_str().into(),
        reason: reason.into(),
    });
    Err(why)
}

/// Why somebody who is proven may still not see this page.
fn objection(identity: &Identity, account: &str) -> Option<&'static str> {
    if identity.credential().is_some() {
        return Some("an app password is for handing in mail");
    }
    let account = account.parse::<UserName>();
    let is_theirs = account.is_ok_and(|account| account == *identity.user());
    (!is_theirs).then_some("the account is not that of the reader of the page")
}

/// The admin listener, in the log and for the brake.
const LISTENER: &str = "admin";
