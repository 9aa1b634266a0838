//! Lookups that may need another server.
//!
//! Tables are pure: one that lives on another server hands out a question. Here the question is
//! put and the answer taken back, as often as a table asks; one in memory answers at once.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::Poll,
};

use mailweir_tables::{Found, LookupError, PatternSteps, RemoteMap, Step, Table};

/// Those who can ask the maps of other servers (`socketmap:`, `tcp:`).
///
/// One question gets one answer, in bounded time: the implementation has the time limit, keeps
/// connections, and bounds how many questions are open at once. "No value" is `Ok(None)`; silence,
/// nonsense and "try later" are [`LookupError::Remote`] or [`LookupError::Declined`], and the mail waits. Nothing is remembered
/// between questions. A caller may give up and drop the future.
pub trait RemoteMaps: Send + Sync {
    /// The value that `map` has for `key`.
    fn ask<'a>(&'a self, map: &'a RemoteMap, key: &'a [u8]) -> RemoteAnswer<'a>;

    /// The steps that all lookups share; without, each has its own.
    fn steps(&self) -> Option<&PatternSteps> {
        None
    }
}

/// The answer of another server, to be awaited.
pub type RemoteAnswer<'a> =
    Pin<Box<dyn Future<Output = Result<Option<Vec<u8>>, LookupError>> + Send + 'a>>;

/// The same, for one mail: what patterns take beyond the usual is taken from `steps`, whatever is
/// looked up (`attacks.md` I1).
pub struct ForOneMail<'a> {
    /// Who asks other servers.
    pub remote: &'a dyn RemoteMaps,
    /// What the mail has left.
    pub steps: &'a PatternSteps,
}

impl RemoteMaps for ForOneMail<'_> {
    fn ask<'a>(&'a self, map: &'a RemoteMap, key: &'a [u8]) -> RemoteAnswer<'a> {
        self.remote.ask(map, key)
    }

    fn steps(&self) -> Option<&PatternSteps> {
        Some(self.steps)
    }
}

/// What `table` has for `key`. A table in memory answers without waiting and without allocation.
///
/// # Errors
/// The table cannot tell: the mail waits (451).
pub async fn look_up<'t>(
    table: &'t Table,
    key: &[u8],
    remote: &dyn RemoteMaps,
) -> Result<Option<Found<'t>>, LookupError> {
    let own = PatternSteps::limited(PatternSteps::ALONE);
    let steps = remote.steps().unwrap_or(&own);
    if table.backtracks() {
        give_way().await;
    }
    let mut step = table.lookup_within(key, steps);
    loop {
        match step {
            Step::Done(answer) => return answer,
            Step::Ask(question) => {
                let answer = remote.ask(question.map(), question.key()).await;
                step = question.answer(answer, steps);
            }
        }
    }
}

/// Lets others on this thread go first, once: a mail with a thousand lines that a pattern takes long
/// over must not keep all other sessions waiting (`attacks.md` I1).
async fn give_way() {
    let mut has_waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// What the first of `tables` that has anything has for `key`. An empty key is looked up nowhere
/// (Postfix `maps_find`).
///
/// # Errors
/// A table on the way cannot tell: those behind it are not asked.
pub async fn look_up_first<'t>(
    tables: &'t [Arc<Table>],
    key: &[u8],
    remote: &dyn RemoteMaps,
) -> Result<Option<Found<'t>>, LookupError> {
    Ok(look_up_any(tables, &[key], remote).await?.map(|(_, found)| found))
}

/// What the first of `tables` that has anything has for any of `readings`: of what a table has for
/// several of them, what stands first in it. With it the reading that it was found for.
///
/// # Errors
/// As [`look_up_first`].
pub async fn look_up_any<'t, 'k, K: AsRef<[u8]>>(
    tables: &'t [Arc<Table>],
    readings: &'k [K],
    remote: &dyn RemoteMaps,
) -> Result<Option<(&'k [u8], Found<'t>)>, LookupError> {
    for table in tables {
        let mut first: Option<(&[u8], Found<'t>)> = None;
        for key in readings.iter().map(AsRef::as_ref).filter(|key| !key.is_empty()) {
            if let Some(found) = look_up(table, key, remote).await?
                && first.as_ref().is_none_or(|(_, first)| found.place.line < first.place.line)
            {
                first = Some((key, found));
            }
        }
        if first.is_some() {
            return Ok(first);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Waker},
    };

    use mailweir_tables::{Matching, Spec};

    use super::*;

    struct Nobody;

    impl RemoteMaps for Nobody {
        fn ask<'a>(&'a self, _map: &'a RemoteMap, _key: &'a [u8]) -> RemoteAnswer<'a> {
            Box::pin(async { Ok(None) })
        }
    }

    fn table(source: &str) -> Table {
        let spec = Spec::parse("pcre:/t").unwrap();
        let mut read = |_: &std::path::Path| Ok(source.as_bytes().to_vec());
        Table::load(&spec, Matching::Bytes, &mut read).unwrap().table
    }

    #[test]
    fn i1_only_patterns_that_backtrack_let_others_go_first() {
        let context = &mut Context::from_waker(Waker::noop());
        for (source, waits) in [("/a+b/ OK", false), ("/(a+)\\1b/ OK", true)] {
            let table = table(source);
            let mut asking = pin!(look_up(&table, b"aab", &Nobody));
            assert_eq!(asking.as_mut().poll(context).is_pending(), waits, "{source}");
            if waits {
                assert!(asking.as_mut().poll(context).is_ready(), "{source}");
            }
        }
    }
}
