//! The client against scripted peers.
