//! Filters of other people: what they are told, what they answer, and what that means.
//!
//! Pure: bytes and the ends of processes come in by call. Who runs a program, opens a connection or keeps time is
//! the caller.

pub mod edit;
pub mod milter;
pub mod pipe;
pub mod scanners;
pub mod slip;
pub mod verdict;
