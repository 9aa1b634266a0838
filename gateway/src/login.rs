//! Who checks log-ins: the back ends of the configuration as one [`Authenticator`].

use std::sync::Arc;

use anyhow::Context as _;
use mailweir_auth::{
    Authenticator, Backend, Chain, Checks, Decoys, Directory, HashCost, HashLimits, Health,
    HealthChange, PasswordFile, ThrottleLimits, UserStore,
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
        let directory = directory(backend, auth, &checks, &decoys, observer)?;
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
    observer: &Observer,
) -> anyhow::Result<Box<dyn Directory>> {
    match &backend.kind {
        BackendKind::Users => {
            let path = &auth.users_file;
            let store = UserStore::open_with(path, HashCost::default(), Arc::clone(checks));
            let store = store.with_context(|| format!("users file {}", path.display()))?;
            for problem in store.problems() {
                let text = format!("users file {}: {problem}", path.display());
                observer.session(&SessionEvent::Warning { part: "auth", text: text.into() });
            }
            Ok(Box::new(store))
        }
        BackendKind::PasswdFile(settings) => {
            Ok(Box::new(PasswordFile::open(settings.clone(), Arc::clone(checks), decoys.clone())))
        }
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
