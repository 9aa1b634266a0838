//! The checks of content beside those of a real Postfix, with the same tables: what the client
//! hears, what the log says of the rules, who gets the mail, and every byte of it.
//!
//! Postfix runs with an empty `local_header_rewrite_clients`, so that it rewrites no addresses in
//! headers. Where the two differ on purpose, the comparison knows how:
//! - Postfix puts an empty line behind the header of a mail that ends with text, and of no part. We
//!   do the same, and in parts where a rule edits that text, since it could be taken for a header
//!   that nobody has checked.
//! - Postfix writes `Name :` as `Name:`. The rules see the same with us; the mail stays as it came.
//! - Postfix tells the next hop by ORCPT who a recipient was. We pass on what the client said.
//! - Of several recipients that REDIRECT replaces Postfix keeps the NOTIFY of the last, be it one
//!   of BCC. We keep that of the first, which the sender asked for.
//! - Our log names the rule, in parentheses at the end; of a mail that matches more than a hundred
//!   times it says so and no more. What is not shown is `?`, also in the half of a character.
//!
//! Two more are not generated: REJECT with a status code and no text, of which Postfix 3.7 replies
//! spaces and we "message content rejected"; and headers that Postfix drops from every mail (Bcc,
//! Content-Length, Return-Path; `message_drop_headers`), which we leave.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends")]

mod beside;
mod generated;
mod korean;
mod mails;
mod outcome;
mod random;
