//! What others ask: for a case, by its mail, page by page, by the token of a link or the code of an
//! answer; and who decides.

use std::sync::Arc;

use mailweir_mail::{Address, QueueId};
use mailweir_moderation::{
    case::Moderator,
    case_file::CaseFile,
    token::{AnswerCode, Grant, TokenHash},
};

use super::Moderation;
use crate::clock;

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
