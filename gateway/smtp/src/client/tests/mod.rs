//! The client against scripted peers: conversations as text, at every split of the peer's bytes.
//!
//! [`driver`] drives a client without a socket and is all that a test against our own server
//! needs; [`script`] plays the peer and compares; [`lines`] has what many scripts share.

pub(crate) mod driver;
mod ends;
mod forwarded;
mod kept_open;
mod lines;
mod lmtp;
mod outcomes;
mod pipelining;
mod probes;
mod random;
mod script;
mod set_up;
mod tls;
