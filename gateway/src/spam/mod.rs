//! What the crate `mailweir-spam` needs of the world.

mod dns;

pub(crate) use self::dns::Names;
