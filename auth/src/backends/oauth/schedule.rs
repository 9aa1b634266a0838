//! When the issuer is asked for its keys. Pure: the time is an argument.

use std::time::{Duration, Instant};

use crate::backends::oauth::source::Wanted;

/// When the keys were asked for, and how long they last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Schedule {
    /// The last time, whatever came of it.
    tried: Option<Instant>,
    /// The last time that brought keys, and for how long.
    got: Option<(Instant, Duration)>,
}

impl Schedule {
    /// Whether the keys that are known do not do.
    pub(super) fn is_wanting(self, wanted: Wanted, now: Instant) -> bool {
        match (self.got, wanted) {
            (None, Wanted::Any | Wanted::New) | (Some(_), Wanted::New) => true,
            (Some((then, lifetime)), Wanted::Any) => {
                now.saturating_duration_since(then) >= lifetime
            }
        }
    }

    /// Whether the keys that are known are so old that the new ones are worth a wait: the issuer
    /// may have withdrawn some of them long ago.
    pub(super) fn is_outdated(self, now: Instant) -> bool {
        self.got.is_none_or(|(then, lifetime)| {
            now.saturating_duration_since(then) >= lifetime.saturating_add(GRACE)
        })
    }

    /// Whether to ask now.
    pub(super) fn is_due(self, wanted: Wanted, now: Instant) -> bool {
        let pause = if self.got.is_some() { WITH_KEYS } else { WITHOUT_KEYS };
        let rested = |then| now.saturating_duration_since(then) >= pause;
        self.is_wanting(wanted, now) && self.tried.is_none_or(rested)
    }

    /// The issuer is being asked.
    pub(super) const fn begin(&mut self, now: Instant) {
        self.tried = Some(now);
    }

    /// Its answer of `then` was a key set, to be kept for `max_age` if the answer says so.
    pub(super) fn succeed(&mut self, then: Instant, max_age: Option<Duration>) {
        let lifetime = max_age.unwrap_or(UNSAID).clamp(SHORTEST, LONGEST);
        self.got = Some((then, lifetime));
    }
}

/// How long the keys may be kept, in the words of a `Cache-Control` header (RFC 9111 section
/// 5.2.2). `None` if it does not say.
pub(super) fn max_age(header: &str) -> Option<Duration> {
    let directives = || header.split(',').map(str::trim);
    let forbids =
        |name: &str| ["no-store", "no-cache"].iter().any(|no| no.eq_ignore_ascii_case(name));
    if directives().any(forbids) {
        return Some(Duration::ZERO);
    }
    directives().find_map(|directive| {
        let (name, value) = directive.split_once('=')?;
        let seconds = value.trim().trim_matches('"').parse().ok()?;
        name.trim().eq_ignore_ascii_case("max-age").then(|| Duration::from_secs(seconds))
    })
}

/// Pause between two questions to an issuer whose keys are known: nobody can make us ask more
/// often, whatever key a token names.
const WITH_KEYS: Duration = Duration::from_secs(60);
/// The same while there are no keys at all, and so nobody can log in.
const WITHOUT_KEYS: Duration = Duration::from_secs(5);
/// For so long beyond their time keys count while they are renewed.
const GRACE: Duration = Duration::from_secs(5 * 60);
/// However short the issuer says that its keys last.
const SHORTEST: Duration = Duration::from_secs(5 * 60);
/// However long; a key that the issuer has withdrawn stops counting within this time.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// For issuers that do not say.
const UNSAID: Duration = Duration::from_secs(60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_keys_the_issuer_is_asked_every_five_seconds_at_most() {
        let now = Instant::now();
        let mut schedule = Schedule::default();
        assert!(schedule.is_due(Wanted::Any, now));
        schedule.begin(now);
        for wanted in [Wanted::Any, Wanted::New] {
            assert!(!schedule.is_due(wanted, now + Duration::from_millis(4_999)));
            assert!(schedule.is_due(wanted, now + Duration::from_secs(5)));
        }
    }

    #[test]
    fn keys_last_as_long_as_the_issuer_says_within_bounds() {
        let now = Instant::now();
        for (max_age, lifetime) in [
            (None, UNSAID),
            (Some(Duration::ZERO), SHORTEST),
            (Some(Duration::from_secs(600)), Duration::from_secs(600)),
            (Some(Duration::MAX), LONGEST),
        ] {
            let schedule = fetched(now, max_age);
            assert!(!schedule.is_due(Wanted::Any, now + lifetime - Duration::from_secs(1)));
            assert!(schedule.is_due(Wanted::Any, now + lifetime));
            assert!(!schedule.is_outdated(now + lifetime));
            assert!(schedule.is_outdated(now + lifetime + GRACE));
        }
    }

    #[test]
    fn an_unknown_key_has_the_issuer_asked_once_a_minute() {
        let now = Instant::now();
        let mut schedule = fetched(now, None);
        assert!(!schedule.is_due(Wanted::New, now + Duration::from_secs(59)));
        let later = now + Duration::from_secs(60);
        assert!(schedule.is_due(Wanted::New, later));
        schedule.begin(later);
        assert!(!schedule.is_due(Wanted::New, later + Duration::from_secs(59)));
    }

    #[test]
    fn an_issuer_that_is_down_when_the_keys_are_old_is_asked_once_a_minute() {
        let now = Instant::now();
        let mut schedule = fetched(now, None);
        let old = now + UNSAID;
        schedule.begin(old);
        assert!(!schedule.is_due(Wanted::Any, old + Duration::from_secs(59)));
        assert!(schedule.is_due(Wanted::Any, old + Duration::from_secs(60)));
    }

    #[test]
    fn a_session_whose_time_is_earlier_asks_for_nothing() {
        let now = Instant::now() + Duration::from_secs(100);
        let schedule = fetched(now, None);
        assert!(!schedule.is_due(Wanted::New, now.checked_sub(WITH_KEYS).unwrap()));
    }

    #[test]
    fn the_header_is_read_as_caches_read_it() {
        for (header, seconds) in [
            ("max-age=600", Some(600)),
            ("public, max-age=600, must-revalidate", Some(600)),
            ("public,Max-Age=\"600\"", Some(600)),
            ("no-cache, max-age=600", Some(0)),
            ("No-Store", Some(0)),
            ("s-maxage=600", None),
            ("max-age=-1", None),
            ("max-age=99999999999999999999", None),
            ("max-age", None),
            ("", None),
        ] {
            assert_eq!(max_age(header), seconds.map(Duration::from_secs), "{header:?}");
        }
    }

    fn fetched(now: Instant, max_age: Option<Duration>) -> Schedule {
        let mut schedule = Schedule::default();
        schedule.begin(now);
        schedule.succeed(now, max_age);
        schedule
    }
}
