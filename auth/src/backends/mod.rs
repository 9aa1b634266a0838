//! Directories that ask somebody else: one module for each kind of server or file.

mod sql;

pub use sql::{Sql, SqlQueryError, SqlSettings, SqlSettingsError};
