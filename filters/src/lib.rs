//! Rules at work: what the administrator's tables and lists do to a mail or to who brings it.

pub mod restrictions;
