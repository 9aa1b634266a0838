//! A log-in at a page: for one account.

use std::net::IpAddr;

use mailweir_admin_ui::approval::{LogInForm, NotLoggedIn};
use mailweir_auth::{AuthFailure, Identity, Mechanism, UserName};
use mailweir_mail::SessionEvent;

use crate::{
    app::App,
    moderation::account::{self, Way},
};

/// Whether name and password are those of `account`.
///
/// # Errors
/// They are not, and why as far as the reader may know; the log knows more.
pub(super) async fn check(
    app: &App,
    account: &str,
    login: &LogInForm,
    from: IpAddr,
) -> Result<(), NotLoggedIn> {
    let public_url = app.config().admin.public_url.clone();
    let has_tls = public_url.is_some_and(|url| url.as_str().starts_with("https://"));
    let way = if has_tls { Way::Private } else { Way::Open };
    let named = (login.name.as_bytes(), login.password.as_bytes());
    let identity =
        account::log_in(app, named, from, way).await.map_err(|failure| match failure {
            AuthFailure::Throttled { .. } => NotLoggedIn::Later,
            AuthFailure::Temporary(_) => NotLoggedIn::Failed,
            _ => NotLoggedIn::Denied,
        })?;
    if let Some(reason) = objection(&identity, account) {
        account::log_failure(app, from, Mechanism::Plain.as_str(), reason);
        return Err(NotLoggedIn::Denied);
    }
    let text = format!("{from}: {} logged in at a page", identity.user());
    let event = SessionEvent::Notice { part: "moderation", text: text.into() };
    app.shared().observer.session(&event);
    Ok(())
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
