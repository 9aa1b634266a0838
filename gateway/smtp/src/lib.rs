//! The SMTP conversation, both sides, without sockets, clocks or TLS (sans-IO).
//!
//! [`server`] is what a listener drives, [`client`] what a delivery drives. Both take bytes and
//! the current time as arguments and say what to do next. What they share stands beside them:
//! the framing of content and the text of replies.

pub mod client;
pub mod proxy;
pub mod replies;
pub mod server;
