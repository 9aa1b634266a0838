//! Tools of the tests: a name server that lies on request, a mail server that fails on request,
//! real peers, and the targets of fuzzing.
//!
//! Servers listen on loopback, record what they saw, and stop when dropped. They are driven by
//! what a scenario says, in words; ports and waiting are their own business.
//! Tools of the tests: real peers to talk to, the program itself as a process, and the two
//! programs that put it under load, `kill9` and `bench`.
//!
//! Everything listens on loopback, lives in a temporary directory, and ends when dropped. What is
//! needed from the system and not there is said in one place, [`tools`].

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a tool that cannot do its work ends the test that uses it"
)]

pub mod dns;
pub mod fuzz_client;
pub mod interop;
pub mod sink;
//! What the tests of Mailweir share.
//!
//! [`dialog`] reads conversations from files, [`rig`] has them with a pure session, [`fuzz_server`] holds
//! the bodies of the fuzz targets.

pub mod dialog;
pub mod fuzz_server;
pub mod rig;
pub mod bench;
pub mod crash;
pub mod peers;
pub mod postfix;
pub mod program;
pub mod tools;
pub mod wait;
