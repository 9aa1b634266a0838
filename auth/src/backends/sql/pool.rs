//! Connections, made when they are needed, as many as questions are put at a time: the gate before
//! it bounds them.
//!
//! Why not sqlx's own pool: while a database is down it tries again until its time is up, says
//! only that the time is up, and lets every log-in wait that long; and a question that is given up
//! keeps its connection until the database answers. Here the first failure is the answer, with its
//! cause, and a question that is dropped takes its connection with it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::ConnectOptions;
use tokio::time::{Duration, Instant};

use crate::backends::sql::{
    entry::Row,
    link::{ENOUGH, Link},
    query::Query,
    trouble::is_of_the_question,
};

/// Connections of one kind. Has the password, and so no `Debug`.
pub(super) struct Pool<L, O> {
    options: O,
    limit: Duration,
    idle: Mutex<Vec<(L, Instant)>>,
}

impl<L: Link, O: ConnectOptions<Connection = L>> Pool<L, O> {
    /// A pool without a connection yet. The database gives a statement up after `limit`.
    pub(super) fn new(options: O, limit: Duration) -> Self {
        Self { options, limit, idle: Mutex::default() }
    }

    /// The first rows of the answer, [`ENOUGH`] at most.
    pub(super) async fn ask(&self, query: &Query, values: &[&str]) -> sqlx::Result<Vec<Row>> {
        if let Some(link) = self.take() {
            match self.ask_over(link, query, values).await {
                // The database was started again, say; then the others are as dead.
                Err(error) if !is_of_the_question(&error) => self.idle().clear(),
                answer => return answer,
            }
        }
        let mut link = self.options.connect().await?;
        link.restrict(self.limit).await?;
        self.ask_over(link, query, values).await
    }

    async fn ask_over(
        &self,
        mut link: L,
        query: &Query,
        values: &[&str],
    ) -> sqlx::Result<Vec<Row>> {
        let rows = link.ask(query, values).await?;
        if rows.len() < ENOUGH {
            self.idle().push((link, Instant::now()));
        }
        Ok(rows)
    }

    /// A connection that was used lately: something in between may have forgotten an older one,
    /// and no word of that ever comes.
    fn take(&self) -> Option<L> {
        let mut idle = self.idle();
        idle.retain(|(_, since)| since.elapsed() < LONGEST_IDLE);
        idle.pop().map(|(link, _)| link)
    }

    /// The list is whole at every step, so a panic elsewhere leaves it sound.
    fn idle(&self) -> MutexGuard<'_, Vec<(L, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Below the half hour after which usual firewalls forget a connection.
const LONGEST_IDLE: Duration = Duration::from_secs(10 * 60);
