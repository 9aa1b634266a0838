//! The facade, on a store in memory and under virtual time.

mod delivery;
mod harness;
mod operators;
