//! Mail on its way out: where a recipient's mail goes, and how many may go there at once.
//!
//! [`resolve`] turns a [`destination::Destination`] into addresses, [`concurrency`] says whether
//! one more delivery may start, [`failover`] which address is tried next. The conversation itself
//! is `mailweir_smtp::client`; none of these opens a connection to a mail server.

pub mod concurrency;
pub mod destination;
pub mod failover;
pub mod resolve;
//! The way out: next hops, delivery, and the reports to senders.

pub mod report;
