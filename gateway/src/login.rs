//! Who checks log-ins: the back ends of the configuration as one [`Authenticator`].

use std::sync::Arc;

use anyhow::Context as _;
use mailweir_auth::{
    Authenticator, Backend, Chain, Checks, Decoys, Directory, Dovecot, HashCost, HashLimits,
    Health, HealthChange, Ldap, LdapSettings, OAuth, OAuthSettings, PasswordFile, Saslauthd, Sql,
    ThrottleLimits, UserStore,
};
use mailweir_mail::SessionEvent;

use crate::{
    config::{Auth, AuthBackend, BackendKind},
    observe::Observer,
};

/// Opens all back ends. Those that are servers are not asked yet: mail from trusted peers comes in
/// without them.
///
/// # Errors
/// A file cannot be read, or the system gives no random numbers.
pub(crate) fn authenticator(auth: &Auth, observer: &Observer) -> anyhow::Result<Authenticator> {
    let checks = Arc::new(Checks::new(HashLimits::default()));
    let decoys = Decoys::open(&auth.users_file).context("the system gives no random numbers")?;
    let backends = auth.backends.iter().map(|backend| {
        let directory = directory(backend, auth, &checks, &decoys)
            .with_context(|| format!("[[auth.backend]] {}", backend.name))?;
        let AuthBackend { name, timeout, cache_ttl, .. } = backend.clone();
        Ok(Backend { name, directory, timeout, cache_ttl })
    });
    let backends = backends.collect::<anyhow::Result<Vec<_>>>()?;
    let observer = observer.clone();
    let chain = Chain::new(backends, move |change| tell(&observer, change))
        .context("the system gives no random numbers")?;
    Ok(Authenticator::new(chain, decoys, ThrottleLimits::default()))
}

fn directory(
    backend: &AuthBackend,
    auth: &Auth,
    checks: &Arc<Checks>,
    decoys: &Decoys,
) -> anyhow::Result<Box<dyn Directory>> {
    match &backend.kind {
        BackendKind::Users => {
            let path = &auth.users_file;
            let store = UserStore::open_with(path, HashCost::default(), Arc::clone(checks));
            Ok(Box::new(store.with_context(|| format!("users file {}", path.display()))?))
        }
        BackendKind::PasswdFile(settings) => {
            Ok(Box::new(PasswordFile::open(settings.clone(), Arc::clone(checks), decoys.clone())))
        }
        BackendKind::Saslauthd(settings) => Ok(Box::new(Saslauthd::new(settings.clone())?)),
        BackendKind::Dovecot(settings) => Ok(Box::new(Dovecot::new(settings.clone()))),
        BackendKind::Ldap(settings) => {
            let settings = LdapSettings::clone(settings);
            Ok(Box::new(Ldap::new(settings, Arc::clone(checks), decoys.clone())?))
        }
        BackendKind::Sql(settings) => {
            Ok(Box::new(Sql::new(settings, Arc::clone(checks), decoys.clone())?))
        }
        BackendKind::OAuth(settings) => Ok(Box::new(OAuth::open(OAuthSettings::clone(settings))?)),
    }
}

fn tell(observer: &Observer, change: HealthChange) {
    let backend = change.backend;
    observer.session(&match change.health {
        Health::Up => {
            let text = format!("back end {backend} answers again");
            SessionEvent::Notice { part: "auth", text: text.into() }
        }
        Health::Down { reason } => {
            let text =
                format!("back end {backend} does not answer and is not waited for: {reason}");
            SessionEvent::Warning { part: "auth", text: text.into() }
        }
    });
}
