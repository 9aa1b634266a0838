//! Mail that waits for people: which mail, who decides, what they are told, and what comes of it.
//!
//! Pure: this crate opens nothing, asks no clock and makes no random numbers; the gateway gives it
//! facts, times and bytes, stores what it returns, and sends what it composes.

pub mod action;
pub mod case;
pub mod case_file;
pub mod chain;
pub mod deed;
mod digits;
pub mod notice;
pub mod numbers;
pub mod page;
pub mod person;
pub mod reply;
pub mod rule;
pub mod search;
mod sketch;
pub mod token;
pub mod view;

pub use sketch::Sketch;
