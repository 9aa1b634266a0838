//! Shows the journal of moderation, and whether it is what was written: entry by entry, and against the
//! steps that each case knows of itself. So an end that was cut off is noticed as long as a
//! case is kept whose steps stood there.

use std::collections::BTreeMap;

use mailweir_mail::{QueueId, hex};
use mailweir_moderation::case_file::{CaseFile, Recorded};
use mailweir_queue::{
    Queue, StoredCases,
    journal::{Entry, Hash},
    store::StoreError,
};

use super::{
    operation::{Answer, JournalEntry, JournalVerdict},
    perform::{Answers, Gone, tell},
};

/// Tells of all entries, or of those of one case, and at last whether the journal is whole. If only
/// the `verdict` is wanted, of that alone.
pub(super) async fn read(
    queue: &Queue,
    id: Option<QueueId>,
    verdict: bool,
    answers: &Answers,
) -> Result<(), Gone> {
    let (queue, way) = (queue.clone(), answers.clone());
    let read = tokio::task::spawn_blocking(move || {
        let mut reading =
            Reading { id, verdict, way, seen: BTreeMap::new(), last: None, gone: false };
        // First: what is added meanwhile is only more in the journal.
        let cases = steps_of_cases(&queue)?;
        let broken = queue.read_journal(1, &mut |entry| reading.take(&entry)).err();
        Ok(reading.verdict(&cases, broken.map(|broken| broken.to_string().into())))
    });
    let read: Result<Result<_, StoreError>, _> = read.await;
    match read {
        Ok(Ok(Some(verdict))) => tell(answers, Answer::JournalVerdict(verdict)).await,
        Ok(Ok(None)) => Err(Gone),
        Ok(Err(error)) => {
            let reason = format!("what cases know of the journal cannot be read: {error}");
            tell(answers, Answer::Failed { reason: reason.into() }).await
        }
        Err(error) => tell(answers, Answer::Failed { reason: error.to_string().into() }).await,
    }
}

/// How many steps each case knows of. What is missing here could be missing in the journal, too.
fn steps_of_cases(queue: &Queue) -> Result<BTreeMap<QueueId, usize>, StoreError> {
    let StoredCases { cases, failures } = queue.cases();
    if let Some(failure) = failures.into_iter().next() {
        return Err(failure);
    }
    let cases = cases.into_iter().filter_map(|(id, stored)| {
        let file = CaseFile::from_bytes(&stored.ok()?).ok()?;
        Some((id, file.case.progress.all_steps()))
    });
    Ok(cases.collect())
}

struct Reading {
    id: Option<QueueId>,
    verdict: bool,
    way: Answers,
    /// How many steps of each case stand in it.
    seen: BTreeMap<QueueId, usize>,
    last: Option<(u64, Hash)>,
    gone: bool,
}

impl Reading {
    /// Whether to go on.
    fn take(&mut self, entry: &Entry) -> bool {
        self.last = Some((entry.number, entry.hash()));
        let recorded: Option<Recorded> = serde_json::from_slice(&entry.content).ok();
        if let Some(recorded) = &recorded {
            *self.seen.entry(recorded.case).or_default() += 1;
        }
        let of_case = recorded.as_ref().map(|recorded| recorded.case);
        if self.verdict || self.id.is_some_and(|id| of_case != Some(id)) {
            return true;
        }
        let shown = JournalEntry {
            number: entry.number,
            hash: hex::encode(&entry.hash()).into(),
            before: hex::encode(&entry.before).into(),
            // A newer version may write what this one cannot read.
            text: String::from_utf8_lossy(&entry.content).into(),
        };
        self.gone = self.way.blocking_send(Answer::JournalEntry(Box::new(shown))).is_err();
        !self.gone
    }

    fn verdict(
        self,
        cases: &BTreeMap<QueueId, usize>,
        broken: Option<Box<str>>,
    ) -> Option<JournalVerdict> {
        let has_less = |(id, known): (&QueueId, &usize)| {
            (self.seen.get(id).copied().unwrap_or(0) < *known).then_some(*id)
        };
        // Behind a break nothing was read: the cases could say nothing.
        let missing = match broken {
            Some(_) => Vec::new(),
            None => cases.iter().filter_map(has_less).collect(),
        };
        let (entries, last) = match &self.last {
            Some((number, hash)) => (*number, Some(hex::encode(hash).into())),
            None => (0, None),
        };
        (!self.gone).then_some(JournalVerdict { entries, last, broken, missing })
    }
}
