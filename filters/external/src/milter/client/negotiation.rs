//! What is offered to a filter, and what it takes.

use super::super::{Actions, Fault, Options, Stage, Steps};

/// What is offered to a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    version: u32,
    actions: Actions,
    steps: Steps,
}

impl Default for Offer {
    /// Version 6, with all that it has.
    fn default() -> Self {
        Self { version: 6, actions: Actions::ALL, steps: Steps::of_version(6) }
    }
}

impl Offer {
    /// Another version, from 2 to 6 but 5, and its steps (Postfix `milter_protocol`). `None`: there is no such.
    #[must_use]
    pub const fn of_version(version: u32) -> Option<Self> {
        match version {
            2..=4 | 6 => {}
            _ => return None,
        }
        // As Sendmail's versions had them.
        let actions = if version == 6 { Actions::ALL } else { Actions(0x3f) };
        Some(Self { version, actions, steps: Steps::of_version(version) })
    }

    /// Only these actions.
    #[must_use]
    pub const fn with_actions(self, actions: Actions) -> Self {
        Self { actions: Actions(self.actions.0 & actions.0), ..self }
    }

    /// No answers to header fields, whatever the version (Postfix `milter_protocol = 3, no_header_reply`).
    #[must_use]
    pub const fn without_header_replies(self) -> Self {
        Self { steps: self.steps.and(Steps::NR_HDR), ..self }
    }

    pub(super) const fn options(self) -> Options {
        let Self { version, actions, steps } = self;
        Options { version, actions, steps, macros: Vec::new() }
    }

    /// What the filter takes must have been offered.
    pub(super) fn agree(self, taken: &Options) -> Result<Agreed, Fault> {
        if !(2..=self.version).contains(&taken.version) {
            return Err(Fault::Version(taken.version));
        }
        if !self.actions.contain(taken.actions) {
            return Err(Fault::Actions(taken.actions.0));
        }
        if taken.steps.of(self.steps) != taken.steps {
            return Err(Fault::Steps(taken.steps.0));
        }
        if !taken.macros.is_empty() && !self.actions.contain(Actions::SETSYMLIST) {
            return Err(Fault::NotNegotiated("SETSYMLIST"));
        }
        let known = Steps::of_version(taken.version).of(self.steps);
        Ok(Agreed { actions: taken.actions, steps: taken.steps, known })
    }
}

/// What both ends hold to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Agreed {
    pub(super) actions: Actions,
    pub(super) steps: Steps,
    /// The steps of the filter's version: of a stage that cannot be left out there it knows nothing.
    known: Steps,
}

impl Agreed {
    pub(super) const fn knows(&self, stage: Stage) -> bool {
        matches!(stage, Stage::EndOfBody) || self.known.contain(stage.left_out_by())
    }
}
