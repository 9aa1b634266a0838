//! What others ask of the cases: one of them, page by page, by words, by the token of a link.

use std::sync::Arc;

use mailweir_mail::{Address, QueueId};
use mailweir_moderation::{
    case::Moderator,
    case_file::CaseFile,
    search::Search,
    token::{AnswerCode, Grant, TokenHash},
};

use super::Moderation;
use crate::clock;

/// What a search found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Cases, each with the queue id of its mail.
    pub cases: Vec<(QueueId, Arc<CaseFile>)>,
    /// There are more behind this one; `None`: these are all.
    pub next: Option<QueueId>,
}

impl Moderation {
    /// A case as it is on the disk.
    #[must_use]
    pub fn case(&self, id: QueueId) -> Option<Arc<CaseFile>> {
        self.registry().get(id).cloned()
    }

    /// At most `most` cases behind `after`, in the order in which their mail came.
    #[must_use]
    pub fn cases(&self, after: Option<QueueId>, most: usize) -> Vec<(QueueId, Arc<CaseFile>)> {
        self.registry().all(after).take(most).map(|(id, file, _)| (id, Arc::clone(file))).collect()
    }

    /// At most `most` cases behind `after` that somebody looks for and that `may_see` lets through, in
    /// the order in which their mail came; and behind which one there may be more. Looks at every
    /// case in memory if it must, some at a time, so that nobody else waits for long.
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
            let registry = self.registry();
            let mut last = None;
            for (id, file, text) in registry.all(after).take(AT_A_TIME) {
                last = Some(id);
                if !search.finds(file, text) || !may_see(file) {
                    continue;
                }
                if found.cases.len() == most {
                    found.next = found.cases.last().map(|(id, _)| *id);
                    return found;
                }
                found.cases.push((id, Arc::clone(file)));
            }
            if last.is_none() {
                return found;
            }
            after = last;
        }
    }

    /// The case that a token belongs to, and what the token is good for now.
    #[must_use]
    pub fn find(&self, token: TokenHash) -> Option<(QueueId, Arc<CaseFile>, Grant)> {
        let registry = self.registry();
        let (id, file, grant) = registry.find(token, clock::now())?;
        Some((id, Arc::clone(file), grant.clone()))
    }

    /// The case of a notice that is answered, and what that notice is good for now.
    pub(crate) fn find_answered(
        &self,
        code: &AnswerCode,
    ) -> Option<(QueueId, Arc<CaseFile>, Grant)> {
        let registry = self.registry();
        let (id, file, grant) = registry.find_answered(code, clock::now())?;
        Some((id, Arc::clone(file), grant.clone()))
    }

    /// Whether rules have somebody decide, or they are listed as one who does.
    pub(crate) fn decides_by_rule(&self, address: &Address) -> bool {
        self.settings.load().decides_by_rule(address)
    }

    /// Whether there is any case, open or decided.
    pub(crate) fn has_cases(&self) -> bool {
        self.registry().all(None).next().is_some()
    }

    /// Who decides today for somebody; `None`: they are away, and nobody stands in.
    pub(crate) fn stand_in(&self, to: &Address) -> Option<Moderator> {
        self.settings.load().stand_in(to)
    }
}

/// So many cases are looked at before others.
const AT_A_TIME: usize = 1_000;
