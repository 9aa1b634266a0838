//! Notices as people get them: golden mails in four languages, what other programs read in them, and
//! what hostile mail can do to them.

#![expect(clippy::unwrap_used, reason = "a test; the helpers stand outside the test functions")]

mod golden;
mod hostile;
mod read;
mod read_back;
mod sample;
mod travel;
