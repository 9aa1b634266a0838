//! Who sent a mail, as far as that can be proven, and how much the mail looks like spam.
//!
//! Pure: what is asked of name servers goes through [`dns::Dns`], time and chance are arguments, and what is
//! learned is bytes that somebody else keeps. Nothing here decides alone what becomes of a mail: evidence has names,
//! and weights that an administrator can change.

mod aged;
pub mod arc;
pub mod authentication;
pub mod author;
pub mod bayes;
pub mod decide;
pub mod dkim;
pub mod dmarc;
pub mod dns;
pub mod evidence;
pub mod examination;
pub mod findings;
pub mod greylist;
pub mod hello;
pub mod iprev;
pub mod links;
pub mod lists;
pub mod reading;
pub mod results;
pub mod spf;
pub mod symbols;
pub mod tokens;
