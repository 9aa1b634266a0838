//! What the crate `mailweir-spam` needs of the world: name servers, and a place for what is learned.

mod checks;
mod classifier;
mod dns;
pub(crate) mod preview;
pub mod quarantine;
mod scale;
pub mod words;

use std::path::{Path, PathBuf};

use mailweir_mail::SpamAction;
use mailweir_spam::decide::Action;

pub(crate) use self::{checks::Checks, dns::Names};
pub use self::{
    classifier::{Classifier, Trouble},
    scale::Scale,
};

/// Where what is learned lies in a data directory.
pub(crate) fn place(data_dir: &Path) -> PathBuf {
    data_dir.join("spam")
}

/// What becomes of a mail, in a word.
pub(crate) const fn word_of(action: &Action) -> SpamAction {
    match action {
        Action::Pass => SpamAction::Pass,
        Action::Tag => SpamAction::Tag,
        Action::Greylist => SpamAction::Greylist,
        Action::Defer => SpamAction::Defer,
        Action::Quarantine(_) => SpamAction::Quarantine,
        Action::Reject(_) => SpamAction::Reject,
        Action::Discard { .. } => SpamAction::Discard,
    }
}
