//! Mails of which the catalogue does not know how they stand: what says so is encrypted, and the key file did not have
//! the key when their rows were made. A start that has it reads them.

use std::{collections::BTreeMap, io, mem};

use super::{Catalogue, Changes, Facts, MOST_CHANGES, Row, Standing};
use crate::{keys::KeyId, read::KeysOf};

/// A key that is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeededKey {
    /// Its name.
    pub id: KeyId,
    /// How many records need it.
    pub records: u64,
}

impl Catalogue {
    /// Reads what could not be read before, as far as its keys are there now. Gives those that are needed still.
    pub(super) fn read_keyless(&mut self) -> io::Result<Vec<NeededKey>> {
        self.rows.forget();
        let mut needed = BTreeMap::<KeyId, u64>::new();
        let mut changes = Changes::default();
        let mut keys = (0, KeysOf::Missing);
        for row in self.rows.from(1) {
            let row = row?;
            if row.mail.noted.is_some() || row.erased.is_some() {
                continue;
            }
            let segment = row.place.segment;
            if keys.0 != segment {
                keys = (segment, self.reader.keys_of(segment)?);
            }
            match keys.1 {
                KeysOf::Missing => {}
                KeysOf::Other(id) => *needed.entry(id).or_default() += 1,
                KeysOf::There => self.read_again(&row, &mut changes)?,
            }
            if changes.0.len() as u64 >= MOST_CHANGES {
                mem::take(&mut changes).write(&self.file)?;
            }
        }
        changes.write(&self.file)?;
        Ok(needed.into_iter().map(|(id, records)| NeededKey { id, records }).collect())
    }

    fn read_again(&self, row: &Row, changes: &mut Changes) -> io::Result<()> {
        let facts = match self.facts((row.kind, row.at), row.place) {
            // Its segment is not there now: another start may have it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            facts => facts?,
        };
        if facts == Facts::NoKey {
            return Ok(());
        }
        if let Some(row) = changes.of(row.seq, &self.rows)? {
            row.mail = Standing { ended: row.mail.ended, ..Standing::of(facts) };
        }
        if let Facts::Outcome(ending) = facts
            && let Some(capture) = changes.of(row.about, &self.rows)?
        {
            capture.mail.ended = Some((row.seq, ending));
        }
        Ok(())
    }
}
