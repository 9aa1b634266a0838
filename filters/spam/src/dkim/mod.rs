//! Whose signature a mail has: DKIM (RFC 6376, RFC 8301, RFC 8463), and signatures of our own (`sign`).
//!
//! The mail flows past once and is hashed as it came ([`SignatureReader`]); nothing of it is kept but its
//! header. [`SignedMail::verify`] tells of each signature whether it holds and how weak it is;
//! [`SignedMail::prove`] is narrower, for what a signature alone decides. What becomes of a mail is not
//! decided here. See docs/decisions/0022.

mod body;
mod canonical;
mod der;
mod digest;
mod header;
mod key;
mod outcome;
mod proof;
mod reader;
pub mod sign;
mod signature;
mod tags;
#[cfg(test)]
pub(crate) mod tests;
mod verify;

pub(crate) use self::{
    canonical::Canonical,
    digest::BodyMatch,
    header::FieldsByName,
    key::{Key, Made, look_up, prove},
    reader::MOST_INSTANCES,
    signature::{Seen, Signature, domain, key_name, selector, without_signature},
    tags::{Tags, base64, number},
};
pub use self::{
    header::{Field, Header},
    key::KeyFault,
    outcome::{Claims, DkimResult, Fault, Outcome, Weakness},
    proof::{Checked, Doubt, Proof, is_aligned},
    reader::{SignatureReader, SignedMail},
    sign::Signer,
    signature::Algorithm,
    verify::Verified,
};
