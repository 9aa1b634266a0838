//! Rules at work: what tables, content and envelope together mean for a mail.
//!
//! [`rewriting`] changes addresses as Postfix's address maps say.

pub mod rewriting;
