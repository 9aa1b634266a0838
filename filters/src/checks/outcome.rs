//! What the checks come to for a mail, and which rules brought it about.

use mailweir_mail::{Address, HoldReason, Transport};
use mailweir_moderation::rule::Watch;
use mailweir_tables::{LookupError, Place};

use super::{ActionError, Context, Refusal, Verb};

/// What the checks come to.
#[derive(Debug)]
pub struct Outcome {
    /// What becomes of the mail.
    pub fate: Fate,
    /// Where it goes instead of where its recipients are. None for mail that is not kept.
    pub detour: Option<Detour>,
    /// Who gets it too, with NOTIFY=NONE; nobody twice. REDIRECT replaces them as well. None for
    /// mail that is not kept.
    pub bcc: Vec<Address>,
    /// The rules that matched.
    pub decisions: Decisions,
    /// What moderation has seen of the mail, if it watched.
    pub watch: Option<Watch>,
}

/// What becomes of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is accepted, as edited.
    Accept,
    /// It is accepted, as edited, and waits for a person.
    Hold(HoldReason),
    /// It is refused, for good or for now.
    Reject(Refusal),
    /// Success is claimed and nothing kept, whatever else is wrong with it.
    Discard,
    /// Nobody can say: 451, and nothing kept.
    Trouble(Trouble),
}

/// Why nobody can say what becomes of a mail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// A table cannot tell.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// BCC found more addresses than a mail may get.
    #[error("more than {0} addresses from BCC")]
    TooManyBcc(usize),
}

/// Where a mail goes instead of where its recipients are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detour {
    /// To this address alone.
    Redirect(Address),
    /// Through this content filter, instead of `content_filter`.
    Filter(Transport),
}

/// The rules that matched a mail, in order. Bounded: of a mail that matches in every line, the first
/// are kept and what decided its fate; the rest is counted.
#[derive(Debug, Default)]
pub struct Decisions {
    kept: Vec<Decision>,
    /// How many of them are IGNORE or DUNNO, which must not take the room of others.
    silent: usize,
    left_out: u64,
}

/// A rule that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What was looked at.
    pub context: Context,
    /// The rule.
    pub place: Place,
    /// What matched, printable, cut after 200 bytes.
    pub line: Box<str>,
    /// What was done; or why nothing was, which is worth a warning.
    pub action: Result<Verb, ActionError>,
    /// The text of the action, printable and cut; of REJECT with the status code. May be empty.
    pub text: Box<str>,
}

impl Decisions {
    /// Those that are kept, in the order they were made.
    pub fn iter(&self) -> impl Iterator<Item = &Decision> {
        self.kept.iter()
    }

    /// How many more there were, but for IGNORE and DUNNO.
    #[must_use]
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Keeps a decision while there is room; one that decides the fate of the mail always.
    pub(super) fn record(&mut self, weight: Weight, decision: impl FnOnce() -> Decision) {
        let has_room = match weight {
            Weight::Decides => true,
            Weight::Told => self.kept.len() - self.silent < MAX_DECISIONS,
            Weight::Silent => self.silent < MAX_DECISIONS,
        };
        self.silent += usize::from(has_room && weight == Weight::Silent);
        self.left_out += u64::from(!has_room && weight == Weight::Told);
        if has_room {
            self.kept.push(decision());
        }
    }
}

/// How much it would be missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// It decided the fate of the mail.
    Decides,
    /// It has a line in the log.
    Told,
    /// It has none (IGNORE, DUNNO).
    Silent,
}

/// Enough for a person to see what a table does to a mail.
const MAX_DECISIONS: usize = 100;
