//! mailweir

pub mod tls;
//! The gateway: sockets, TLS, DNS and tasks around the pure parts, wired in one place.

pub mod egress;
