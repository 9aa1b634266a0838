//! Whether the domain that a mail shows as its author has authorised it: DMARC (RFC 9989, which replaced RFC 7489).
//!
//! Records and organizational domains are found by the DNS tree walk of section 4.10, never by a list of public
//! suffixes. What cannot be known is told as a temporary error, and only then if it could have changed the result
//! (section 5.3.6): a pass by one identifier stands although nobody knows about another one. What becomes of a mail
//! that fails is not decided here, and reports are not sent.

mod alignment;
mod judge;
mod outcome;
mod record;
mod reports;
#[cfg(test)]
mod tests;
mod walk;

pub use judge::{Identifier, MOST_AUTHORS, MOST_IDENTIFIERS, Mechanism, Standing, evaluate};
pub use outcome::{Cause, DmarcResult, Outcome, Published, Source};
pub use record::{Alignment, AuthorIs, Policy, Psd, Record, TestMode, Usable};
pub use reports::{DmarcFailure, FailureOptions, MOST_URIS, ReportUri};
