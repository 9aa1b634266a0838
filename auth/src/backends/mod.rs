//! The directories that ask somebody else.

pub(crate) mod oauth;
