//! The one question a session asks: may these credentials in?
//!
//! Puts the throttle before the directory and keeps both consistent. What a failure means for the
//! peer is three cases; why it failed is a text for the log, never for the peer (`attacks.md` C1).

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use mailweir_mail::Login;

use crate::{Check, Credentials, Denial, Directory, DirectoryError, Throttle, ThrottleLimits};

/// Checks credentials: throttle first, then the directory. One for the whole gateway.
#[derive(Debug)]
pub struct Authenticator {
    directory: Arc<dyn Directory>,
    throttle: Mutex<Throttle>,
}

impl Authenticator {
    /// An authenticator that asks `directory` and brakes guessing by `limits`.
    #[must_use]
    pub fn new(directory: Arc<dyn Directory>, limits: ThrottleLimits) -> Self {
        Self { directory, throttle: Mutex::new(Throttle::new(limits)) }
    }

    /// Checks `credentials` that came from `client` at `now`.
    ///
    /// # Errors
    /// [`AuthFailure`] says which reply the client gets, and holds the reason for the log.
    pub async fn verify(
        &self,
        credentials: &Credentials,
        client: IpAddr,
        now: Instant,
    ) -> Result<Login, AuthFailure> {
        let user = credentials.user();
        if let Check::Refused { until } = self.throttle().check(now, client, user) {
            return Err(AuthFailure::Throttled { until });
        }
        match self.directory.verify(credentials).await {
            Ok(identity) => {
                self.throttle().succeeded(now, client, user);
                Ok(Login {
                    user: identity.user().as_str().into(),
                    mechanism: credentials.mechanism().as_str().into(),
                })
            }
            Err(DirectoryError::Denied(denial)) => {
                self.throttle().failed(now, client, user);
                Err(AuthFailure::Denied(denial))
            }
            Err(DirectoryError::Unavailable(reason)) => Err(AuthFailure::Temporary(reason)),
        }
    }

    /// Counts are numbers that are complete at every step, so a panic elsewhere leaves them sound.
    fn throttle(&self) -> MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why nobody is logged in. `Display` is the reason for the log; it never quotes a credential.
///
/// To the peer, `Denied` has one text whatever its reason (`535 5.7.8`); the other two are
/// `454 4.7.0`, and depend on nothing that tells whether a user exists.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthFailure {
    /// The claim is false.
    #[error("{0}")]
    Denied(Denial),
    /// Too many failures before; the credentials were not looked at.
    #[error("too many failures from this address or for this account")]
    Throttled {
        /// When the next attempt will be looked at.
        until: Instant,
    },
    /// We cannot tell now.
    #[error("{0}")]
    Temporary(Box<str>),
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU32, Ordering},
        time::Duration,
    };

    use super::*;
    use crate::{Identity, Mechanism, Password, Verification};

    #[tokio::test]
    async fn a_proven_user_is_logged_in_by_name_and_mechanism() {
        let authenticator = authenticator();
        let login = authenticator.verify(&claim("Ann", "right"), CLIENT, Instant::now()).await;
        assert_eq!(login, Ok(Login { user: "ann".into(), mechanism: "LOGIN".into() }));
    }

    #[tokio::test]
    async fn c1_an_unknown_user_and_a_wrong_password_are_one_kind_of_failure() {
        let authenticator = authenticator();
        let now = Instant::now();
        let unknown = authenticator.verify(&claim("nobody", "right"), CLIENT, now).await;
        let wrong = authenticator.verify(&claim("ann", "wrong"), CLIENT, now).await;
        assert_eq!(unknown, Err(AuthFailure::Denied(Denial::UnknownUser)));
        assert_eq!(wrong, Err(AuthFailure::Denied(Denial::WrongPassword)));
    }

    #[tokio::test]
    async fn c2_after_too_many_failures_the_directory_is_not_even_asked() {
        let directory = Arc::new(OnlyAnn::default());
        let authenticator = Authenticator::new(directory.clone(), ThrottleLimits::default());
        let now = Instant::now();
        for _ in 0..21 {
            let failure = authenticator.verify(&claim("ann", "wrong"), CLIENT, now).await;
            assert_eq!(failure, Err(AuthFailure::Denied(Denial::WrongPassword)));
        }
        let refused = authenticator.verify(&claim("ann", "right"), CLIENT, now).await;
        let until = now + Duration::from_secs(30);
        assert_eq!(refused, Err(AuthFailure::Throttled { until }));
        assert_eq!(directory.asked.load(Ordering::Relaxed), 21);
        assert!(authenticator.verify(&claim("ann", "right"), CLIENT, until).await.is_ok());
    }

    #[tokio::test]
    async fn a_back_end_that_is_down_is_temporary_and_nobody_is_to_blame() {
        let authenticator = authenticator();
        let now = Instant::now();
        for _ in 0..30 {
            let failure = authenticator.verify(&claim("down", "x"), CLIENT, now).await;
            assert_eq!(failure, Err(AuthFailure::Temporary("the back end is down".into())));
        }
    }

    #[derive(Debug, Default)]
    struct OnlyAnn {
        asked: AtomicU32,
    }

    impl Directory for OnlyAnn {
        fn verify<'a>(&'a self, credentials: &'a Credentials) -> Verification<'a> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let user = credentials.user();
            let answer = match (user.as_str(), credentials.password().reveal()) {
                ("down", _) => Err(DirectoryError::Unavailable("the back end is down".into())),
                ("ann", "right") => Ok(Identity::proven(user.clone())),
                ("ann", _) => Err(Denial::WrongPassword.into()),
                (_, _) => Err(Denial::UnknownUser.into()),
            };
            Box::pin(std::future::ready(answer))
        }
    }

    fn authenticator() -> Authenticator {
        Authenticator::new(Arc::new(OnlyAnn::default()), ThrottleLimits::default())
    }

    fn claim(user: &str, password: &str) -> Credentials {
        let password = Password::new(password).unwrap();
        Credentials::new(Mechanism::Login, user.parse().unwrap(), password)
    }

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
}
