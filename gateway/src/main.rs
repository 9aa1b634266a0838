//! Mailweir.

fn main() {}
