//! Stories of mail through the real gateway: one file, one story. The rows are those of
//! `attacks.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends")]

mod accepted_mail_is_relayed_as_it_came;
