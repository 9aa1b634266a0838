//! Directories that somebody else keeps: each file here is one [`Directory`](crate::Directory).

pub(crate) mod ldap;
pub(crate) mod password_file;
