//! Tools of the tests: servers that fail on request, real peers, the program itself as a process,
//! conversations as files, and the bodies of fuzz targets.
//!
//! Everything listens on loopback, lives in a temporary directory, and ends when dropped. Tools
//! are driven by what a scenario says, in words; ports and waiting are their own business. What is
//! needed from the system and not there is said in one place, [`tools`].

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a tool that cannot do its work ends the test that uses it"
)]

pub mod api;
pub mod bench;
pub mod certificates;
mod chance;
pub mod chromium;
pub mod crash;
pub mod dialog;
pub mod dkim;
pub mod dns;
pub mod filter_readme;
pub mod fuzz_address;
pub mod fuzz_archive;
pub mod fuzz_choices;
pub mod fuzz_client;
pub mod fuzz_config;
pub mod fuzz_decode;
pub mod fuzz_extract;
pub mod fuzz_milter;
pub mod fuzz_pair;
pub mod fuzz_policy;
pub mod fuzz_queue;
pub mod fuzz_scanners;
pub mod fuzz_search;
pub mod fuzz_server;
pub mod gateway;
pub mod handing_back;
pub mod installation;
pub mod interop;
pub mod memory;
pub mod page;
pub mod pair;
pub mod pass_through;
pub mod peers;
pub mod person;
pub mod policy_service;
pub mod program;
pub mod rig;
pub mod scanners;
pub mod signers;
pub mod sink;
pub mod small_disk;
pub mod synthetic;

pub use mailweir_test_servers::{free_address, postfix, tools, wait};
