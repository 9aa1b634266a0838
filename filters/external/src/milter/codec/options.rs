//! OPTNEG, which is the same in both directions.

use super::{
    super::Fault,
    Actions, Steps,
    fields::{Fields, Writer},
};

/// What one end offers, or the other takes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The version of the protocol.
    pub version: u32,
    /// What the filter may do, or will.
    pub actions: Actions,
    /// How the conversation may go, or will.
    pub steps: Steps,
    /// For stages (`SMFIM_*`) which macros the filter wants; of the mail server none.
    pub macros: Vec<(u32, Box<[u8]>)>,
}

impl Options {
    pub(super) fn read(mut fields: Fields<'_>) -> Result<Self, Fault> {
        let (version, actions, steps) = (fields.long()?, fields.long()?, fields.long()?);
        let mut macros = Vec::new();
        while !fields.is_empty() {
            if macros.len() == MOST_LISTS {
                return Err(Fault::MostMacros);
            }
            macros.push((fields.long()?, fields.text()?));
        }
        Ok(Self { version, actions: Actions(actions), steps: Steps(steps), macros })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let writer = Writer::new(b'O', out).long(self.version).long(self.actions.0);
        let lists = |writer: Writer<'_>| {
            self.macros.iter().fold(writer, |w, (stage, list)| w.long(*stage).text(list)).end();
        };
        lists(writer.long(self.steps.0));
    }
}

/// One for each stage, and one more in case of a newer version.
const MOST_LISTS: usize = 8;
