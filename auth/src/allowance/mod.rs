//! How much each login has sent lately, and whether it may send more.
//!
//! Pure: time is an argument. What was sent is counted per login in the buckets of two sliding
//! windows, an hour and a day, each divided by 60. A mail counts for at least the whole window and
//! at most a sixtieth longer, so no window of that length ever holds more than a hard limit allows.
//! Memory is bounded: by the buckets of a login, and by the number of logins.

mod quota;
#[cfg(test)]
mod tests;
mod window;

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

pub use self::quota::{Exceeded, Measure, Quota, Quotas};
use self::window::{Sent, Window};

/// What every login has sent lately. A restart forgets it.
#[derive(Debug)]
pub struct Allowances {
    origin: Instant,
    logins: HashMap<Box<str>, Recent>,
}

/// What one login has sent lately.
#[derive(Clone, Debug)]
struct Recent {
    hour: Window,
    day: Window,
    last: Instant,
}

impl Allowances {
    /// Nobody has sent anything. `now` is not after any later time.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { origin: now, logins: HashMap::new() }
    }

    /// Whether `login` may begin, or go on with, a mail to so many recipients in all (0 at MAIL).
    /// Counts nothing.
    ///
    /// # Errors
    /// The hard limit that the mail would exceed.
    pub fn check(
        &self,
        login: &str,
        quotas: &Quotas,
        recipients: u32,
        now: Instant,
    ) -> Result<(), Exceeded> {
        let mail = Sent { messages: 1, recipients };
        let [hour, day] = self.with(login, mail, now);
        quotas.hard(hour, day).map_or(Ok(()), Err)
    }

    /// Counts a mail to so many recipients. If it goes over a soft limit it counts too, and the
    /// limit is said. What is not accepted after all is taken back: [`Self::take_back`].
    ///
    /// # Errors
    /// The hard limit that it would exceed. Nothing is counted then.
    pub fn spend(
        &mut self,
        login: &str,
        quotas: &Quotas,
        recipients: u32,
        now: Instant,
    ) -> Result<Option<Exceeded>, Exceeded> {
        if quotas.are_empty() {
            return Ok(None);
        }
        let mail = Sent { messages: 1, recipients };
        let [hour, day] = self.with(login, mail, now);
        if let Some(exceeded) = quotas.hard(hour, day) {
            return Err(exceeded);
        }
        let origin = self.origin;
        let recent = self.of(login, now);
        recent.last = now;
        recent.hour.add(HOUR.bucket(origin, now), mail);
        recent.day.add(DAY.bucket(origin, now), mail);
        Ok(quotas.soft(hour, day))
    }

    /// Takes back what was counted at the time `at`, for a mail that was not accepted.
    pub fn take_back(&mut self, login: &str, recipients: u32, at: Instant) {
        let mail = Sent { messages: 1, recipients };
        let origin = self.origin;
        if let Some(recent) = self.logins.get_mut(login) {
            recent.hour.remove(HOUR.bucket(origin, at), mail);
            recent.day.remove(DAY.bucket(origin, at), mail);
        }
    }

    /// What the last hour and the last day hold of `login`, and `mail` besides.
    fn with(&self, login: &str, mail: Sent, now: Instant) -> [Sent; 2] {
        let recent = self.logins.get(login);
        let sent = |window: Option<&Window>, span: Span| {
            window.map_or(mail, |window| window.sum(span.bucket(self.origin, now)).and(mail))
        };
        [sent(recent.map(|recent| &recent.hour), HOUR), sent(recent.map(|recent| &recent.day), DAY)]
    }

    fn of(&mut self, login: &str, now: Instant) -> &mut Recent {
        if !self.logins.contains_key(login) {
            self.make_room(now);
        }
        let nothing = || Recent { hour: Window::default(), day: Window::default(), last: now };
        self.logins.entry(login.into()).or_insert_with(nothing)
    }

    /// Forgets those who have sent nothing for longest, a quarter at a time. Where only logins are counted that were
    /// proven, this is not for strangers to bring about; where strangers are counted, by network or domain, whoever has
    /// so many names could send as much under each of them.
    fn make_room(&mut self, now: Instant) {
        if self.logins.len() < MOST_LOGINS {
            return;
        }
        self.logins.retain(|_, recent| now.saturating_duration_since(recent.last) <= DAY.longest());
        if self.logins.len() < MOST_LOGINS {
            return;
        }
        let mut times: Vec<Instant> = self.logins.values().map(|recent| recent.last).collect();
        let (_, &mut bar, _) = times.select_nth_unstable(MOST_LOGINS / 4);
        self.logins.retain(|_, recent| recent.last > bar);
    }
}

/// The length of a window.
#[derive(Clone, Copy, Debug)]
struct Span {
    bucket_seconds: u64,
}

impl Span {
    /// The number of the bucket that a time falls in.
    fn bucket(self, origin: Instant, time: Instant) -> u64 {
        time.saturating_duration_since(origin).as_secs() / self.bucket_seconds
    }

    /// The longest time that a mail counts for.
    const fn longest(self) -> Duration {
        Duration::from_secs(self.bucket_seconds * (window::BUCKETS + 1))
    }
}

const HOUR: Span = Span { bucket_seconds: 3_600 / window::BUCKETS };
const DAY: Span = Span { bucket_seconds: 86_400 / window::BUCKETS };

/// Some 200 MB if every one of them sends mail in every minute of a day; usually a few.
const MOST_LOGINS: usize = 65_536;
