//! Mailweir: an embedded all-in-one mail gateway.
//!
//! This crate is the shell around the others: sockets, TLS, DNS, tasks, the command line, and the
//! wiring of all parts in one place ([`app`]). Protocol rules stand in `mailweir-smtp`, state rules
//! in `mailweir-queue`. `ARCHITECTURE.md` is the map.

pub mod app;
pub mod archiving;
mod asked;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
mod count;
mod demo;
pub mod egress;
pub mod extraction;
pub mod ingress;
mod interfaces;
mod key_file;
mod login;
mod milter;
pub mod moderation;
pub mod observe;
mod own_mail;
mod places;
mod policy;
mod restart;
pub mod rewriting;
mod signing;
mod slips;
mod sockets;
pub mod spam;
mod starter;
mod status;
pub mod store;
mod strangers;
pub mod tables;
pub mod time_zone;
pub mod tls;
mod verification;
mod ways_back;
mod whole_file;
mod wire;
