//! What a person reads: headers and text as UTF-8, parts with their names and decoded bytes.
//!
//! Where mail programs disagree about a mail, this gives every reading that is plausible, within
//! small bounds, so that a rule written for what people see cannot be dodged by a mail that only
//! some programs understand (draft-chen-email-mime-ambiguity-defense, attacks E1 to E4). Postfix's own
//! reading of the raw lines is `mime`; types and archives of attachments are `attachment`.

pub mod charset;
pub mod headers;
pub mod parts;
pub mod text;
mod transfer;
mod visible;

pub use visible::visible;
