//! Directories that other software keeps.

pub(crate) mod sql;
