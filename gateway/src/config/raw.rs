//! What the file and the environment say, before anything of it is believed.

use std::ops::Range;

use super::{
    problem::Problems,
    section::Schema,
    setting::{Refusal, Setting},
};

/// A value, and where it came from.
#[derive(Clone, Debug)]
pub(super) struct RawValue {
    pub(super) value: Value,
    pub(super) place: Place,
}

/// Where a value or a key stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The file, at these bytes.
    File(Range<usize>),
    /// The environment variable of this name.
    Variable(String),
    /// Nowhere: a default.
    Default,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
}

#[derive(Clone, Debug)]
pub(super) struct RawTable {}

impl RawTable {
    pub(super) fn read<T: Setting>(&self, _: &Schema, _: &str, _: &mut Problems<'_>) -> Option<T> {
        T::absent()
    }
}

impl RawValue {
    pub(super) fn text(&self) -> Result<&str, Vec<Refusal>> {
        match &self.value {
            Value::Text(text) => Ok(text),
        }
    }
    pub(super) fn elements(&self) -> Result<Vec<RawValue>, Vec<Refusal>> {
        Ok(Vec::new())
    }
    pub(super) fn flag(&self) -> Result<bool, Vec<Refusal>> {
        Ok(false)
    }
    pub(super) fn number(&self) -> Result<u64, Vec<Refusal>> {
        Ok(0)
    }
    pub(super) fn one_of<T: Copy>(&self, words: &[(&'static str, T)]) -> Result<T, Vec<Refusal>> {
        Ok(words[0].1)
    }
}
