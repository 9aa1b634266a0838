//! mailweir

pub mod tls;
