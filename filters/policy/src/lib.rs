//! Postfix's policy delegation protocol (`SMTPD_POLICY_README`), as the server that is asked; in
//! [`client`], as the one who asks.
//!
//! Pure: bytes come in by call, time is an argument. [`Reader`] makes requests of bytes, [`Action`] is
//! what is answered, and [`Memory`] keeps what one request says and another needs. Nothing is decided
//! here.

mod action;
pub mod client;
mod memory;
mod reader;
mod request;

pub use action::{Action, FilterTarget, NoTarget};
pub use memory::{Bounds, Memory};
pub use reader::{Malformed, Reader};
pub use request::{Request, Stage};
