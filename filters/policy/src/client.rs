//! Postfix's policy delegation protocol, as the one who asks (`check_policy_service`).
//!
//! [`Service`] is where to ask and on which [`Terms`], [`Inquiry`] is what is asked, [`AnswerReader`] reads what
//! comes back. What an action means is access(5)'s matter, and not known here; neither is a socket.

mod answer;
mod inquiry;
mod service;
mod trouble;

pub use self::{
    answer::{Answer, AnswerReader, NoAnswer},
    inquiry::{Certificate, Encryption, Inquiry, LONGEST_VALUE, Login, Mail, Moment, Peer},
    service::{Server, Service, ServiceError, Terms},
    trouble::Trouble,
};
