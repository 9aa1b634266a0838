//! Directories that somebody else keeps: one module for each kind of server or file.

pub(crate) mod oauth;
pub(crate) mod password_file;
