//! The facade, on a store in memory and under virtual time.

mod acquaintances;
mod annexed;
mod archive;
mod archive_crash;
mod archive_disk;
mod crash;
mod damage;
mod delivery;
pub(crate) mod harness;
mod model;
mod opening;
mod operators;
mod pairs;
