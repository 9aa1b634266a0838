//! Every mechanism with every back end: programs of other people log in at Mailweir, which asks
//! servers of other people. What is possible, and by whom it is shown, stands in one table.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends")]

mod backends;
mod clients;
mod order;
mod secrets;
mod setting;
mod table;
