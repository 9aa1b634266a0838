//! Who checks log-ins: the back ends of the configuration as one [`Authenticator`].

use std::sync::Arc;

use anyhow::Context as _;
use mailweir_auth::{
    Authenticator, Backend, CertificateHolders, Chain, Checks, Counted, Decoys, Directory, Dovecot,
    HashCost, HashLimits, Health, HealthChange, Ldap, LdapSettings, OAuth, OAuthSettings,
    PasswordFile, Saslauthd, Sql, UserStore,
};
use mailweir_mail::SessionEvent;

use crate::{
    clock,
    config::{Auth, AuthBackend, BackendKind},
    observe::Observer,
};

/// Opens all back ends. Those that are servers are not asked yet: mail from trusted peers comes in
/// without them.
///
/// # Errors
/// A file cannot be read, or the system gives no random numbers.
pub(crate) fn authenticator(auth: &Auth, observer: &Observer) -> anyhow::Result<Authenticator> {
    let hears = observer.clone();
    let warn = |text: String| {
        observer.session(&SessionEvent::Warning { part: "auth", text: text.into() });
    };
    let decoys = Decoys::open(&auth.users_file).context(NO_RANDOM)?;
    let chain = chain(auth, &decoys, &warn, move |change| tell(&hears, change))?;
    let observer = observer.clone();
    let scope = auth.backends.iter().find_map(|backend| match &backend.kind {
        BackendKind::OAuth(settings) => settings.required_scope.clone(),
        _ => None,
    });
    Ok(Authenticator::new(chain, decoys, auth.throttle.clone())
        .naming_scope(scope)
        .telling(move |counted| warn_of_pause(&observer, counted)))
}

/// The back ends alone, for a look at them: nobody is logged in, and nothing is written. `warn`
/// hears of what does not count in files.
///
/// # Errors
/// As of [`authenticator`].
pub(crate) fn look(auth: &Auth, warn: &dyn Fn(String)) -> anyhow::Result<Chain> {
    chain(auth, &Decoys::fresh().context(NO_RANDOM)?, warn, |_| {})
}

fn chain(
    auth: &Auth,
    decoys: &Decoys,
    warn: &dyn Fn(String),
    on_change: impl Fn(HealthChange) + Send + Sync + 'static,
) -> anyhow::Result<Chain> {
    let checks = Arc::new(Checks::new(HashLimits::default()));
    let backends = auth.backends.iter().map(|backend| {
        let directory = directory(backend, auth, &checks, decoys, warn)
            .with_context(|| format!("[[auth.backend]] {}", backend.name))?;
        let AuthBackend { name, timeout, cache_ttl, .. } = backend.clone();
        Ok(Backend { name, directory, timeout, cache_ttl })
    });
    let backends = backends.collect::<anyhow::Result<Vec<_>>>()?;
    Chain::new(backends, on_change).context(NO_RANDOM)
}

fn directory(
    backend: &AuthBackend,
    auth: &Auth,
    checks: &Arc<Checks>,
    decoys: &Decoys,
    warn: &dyn Fn(String),
) -> anyhow::Result<Box<dyn Directory>> {
    match &backend.kind {
        BackendKind::Certificate => Ok(Box::new(CertificateHolders)),
        BackendKind::Users => {
            let path = &auth.users_file;
            let store = UserStore::open_with(path, HashCost::default(), Arc::clone(checks));
            let store = store.with_context(|| format!("users file {}", path.display()))?;
            for problem in store.problems() {
                warn(format!("users file {}: {problem}", path.display()));
            }
            Ok(Box::new(store))
        }
        BackendKind::PasswdFile(settings) => {
            let file = PasswordFile::open(settings.clone(), Arc::clone(checks), decoys.clone());
            match file.check() {
                Ok(problems) => problems.iter().for_each(|problem| {
                    warn(format!("password file {}: {problem}", settings.path.display()));
                }),
                // It may be there when somebody logs in.
                Err(error) => warn(error.to_string()),
            }
            Ok(Box::new(file))
        }
        BackendKind::Saslauthd(settings) => Ok(Box::new(Saslauthd::new(settings.clone())?)),
        BackendKind::Dovecot(settings) => Ok(Box::new(Dovecot::new(settings.clone()))),
        BackendKind::Ldap(settings) => {
            let settings = LdapSettings::clone(settings);
            Ok(Box::new(Ldap::new(settings, Arc::clone(checks), decoys.clone())?))
        }
        BackendKind::Sql(settings) => {
            let sql = Sql::new(settings, Arc::clone(checks), decoys.clone());
            // Its text has that of its cause.
            Ok(Box::new(sql.map_err(|error| anyhow::anyhow!("{error}"))?))
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

fn warn_of_pause(observer: &Observer, counted: &Counted) {
    let pause = counted.pause.unwrap_or_default();
    let until = clock::now().plus(pause).rfc5322();
    let (who, failures, seconds) = (&counted.who, counted.failures, pause.as_secs_f64().ceil());
    let text = format!("{who} has to wait {seconds} s, until {until}: {failures} failed log-ins");
    observer.session(&SessionEvent::Warning { part: "auth", text: text.into() });
}

const NO_RANDOM: &str = "the system gives no random numbers";
