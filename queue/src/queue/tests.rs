//! The facade, on a store in memory and under virtual time.

mod crash;
mod delivery;
mod harness;
mod model;
mod opening;
mod operators;
