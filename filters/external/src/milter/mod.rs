//! The milter protocol, version 2 to 6, from both ends: [`Client`] is the mail server that asks, [`Server`] the filter
//! that answers.
//!
//! Pure: bytes go in and come out by call. Who opens connections, keeps time, and says what becomes of mail whose filter
//! has failed is the caller. Whatever the other end says that it must not say is a [`Fault`]: from then on it is not
//! believed any more.
//!
//! What is sent when, and what an answer means, is as in Postfix (`MILTER_README`, `milter8.c`); the names of the
//! protocol are those of libmilter (`mfdef.h`).

mod answer;
mod client;
mod codec;
mod fault;
mod interpreter;
mod macros;
mod replies;
mod server;
mod stage;
mod value;

pub use answer::Answer;
pub use client::{Client, Event, Limits, Next, Offer};
pub use codec::{Actions, CHUNK, Command, Options, Packets, Peer, PeerAddress, Response, Steps};
pub use fault::Fault;
pub use interpreter::{Guest, Interpreter, Turn, login, queue_id, tls};
pub use macros::{MacroLists, Macros};
pub use replies::LONG_HEADER;
pub use server::{Heard, Server, Unsendable, Wishes};
pub use stage::Stage;
