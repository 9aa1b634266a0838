//! mailweir

pub mod tls;
//! The gateway: sockets, TLS, DNS and tasks around the pure parts, wired in one place.

pub mod egress;
//! The gateway: sockets, TLS, DNS, tasks, and the wiring of all parts in one place.

pub mod egress;
pub mod observe;
pub mod config;
