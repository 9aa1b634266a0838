//! Stories of restrictions, in a world of fake facts.

mod access_tables;
mod block_lists;
mod hosts;
mod interplay;
mod logins;
mod names;
mod policy_services;
mod relaying;
mod unverified;
mod world;

pub(super) use self::world::stranger;
