//! Looks for cases. They are all in memory, and everybody else needs them meanwhile: the lock is held to
//! take a few out, and never while they are looked at, however long their text is.

use std::sync::Arc;

use mailweir_mail::QueueId;
use mailweir_moderation::{case_file::CaseFile, search::Search};

use super::Moderation;

/// What a search found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Cases, each with the queue id of its mail.
    pub cases: Vec<(QueueId, Arc<CaseFile>)>,
    /// There are more behind this one; `None`: these are all.
    pub next: Option<QueueId>,
}

impl Moderation {
    /// At most `most` cases behind `after` that somebody looks for and that `may_see` lets through, in
    /// the order in which their mail came; and behind which one there may be more. Looks at every
    /// case if it must, so it is for a thread that may be busy for a while; nobody else waits for it.
    #[must_use]
    pub fn search(
        &self,
        search: &Search,
        after: Option<QueueId>,
        most: usize,
        may_see: &dyn Fn(&CaseFile) -> bool,
    ) -> Found {
        let mut found = Found { cases: Vec::new(), next: None };
        let mut after = after;
        loop {
            let some = self.behind(after);
            let Some(last) = some.last() else { return found };
            after = Some(last.id);
            for Candidate { id, file, text } in some {
                if !search.finds(&file, &text) || !may_see(&file) {
                    continue;
                }
                if found.cases.len() == most {
                    found.next = found.cases.last().map(|(id, _)| *id);
                    return found;
                }
                found.cases.push((id, file));
            }
        }
    }

    fn behind(&self, after: Option<QueueId>) -> Vec<Candidate> {
        let registry = self.registry();
        let some = registry.all(after).take(AT_A_TIME);
        some.map(|(id, file, text)| Candidate {
            id,
            file: Arc::clone(file),
            text: Arc::clone(text),
        })
        .collect()
    }
}

/// A case that may be what is looked for.
struct Candidate {
    id: QueueId,
    file: Arc<CaseFile>,
    /// What words are looked for in.
    text: Arc<str>,
}

/// So many are taken out before others have their turn.
const AT_A_TIME: usize = 250;
