//! Who has logged in at the page of a token: in memory, for a quarter of an hour, in one browser.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Browsers that have logged in, by their cookies.
#[derive(Default)]
pub(super) struct Sessions {
    open: Mutex<HashMap<Box<str>, Session>>,
}

struct Session {
    token: Box<str>,
    end: Instant,
}

impl Sessions {
    /// From now on this cookie may see the page of this token. The cookie must be fresh: nobody else
    /// can have put it there before the log-in. `false`: there is no room.
    pub(super) fn begin(&self, cookie: &str, token: &str) -> bool {
        let now = Instant::now();
        let mut open = self.open();
        open.retain(|_, session| now < session.end);
        if open.len() >= MOST {
            return false;
        }
        open.insert(cookie.into(), Session { token: token.into(), end: now + LIFETIME });
        true
    }

    /// Whether this cookie may see the page of this token.
    pub(super) fn is_open(&self, cookie: &str, token: &str) -> bool {
        let open = self.open();
        let session = open.get(cookie);
        session.is_some_and(|session| *session.token == *token && Instant::now() < session.end)
    }

    /// Each change is a single call, so a panic elsewhere leaves it sound.
    fn open(&self) -> MutexGuard<'_, HashMap<Box<str>, Session>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Only a good password makes one.
const MOST: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_session_is_for_one_token_and_one_cookie_and_ends() {
        let sessions = Sessions::default();
        assert!(sessions.begin("cookie", "token"));
        assert!(sessions.is_open("cookie", "token"));
        assert!(!sessions.is_open("cookie", "other") && !sessions.is_open("other", "token"));
        tokio::time::advance(LIFETIME).await;
        assert!(!sessions.is_open("cookie", "token"));
    }
}
