//! What a person reads: headers and text as UTF-8, parts with their names and decoded bytes.
//!
//! Where mail programs disagree about a mail, this gives every reading that is plausible, within
//! small bounds, so that a rule written for what people see cannot be dodged by a mail that only
//! some programs understand (draft-chen-email-mime-ambiguity-defense, attacks E1 to E4). Postfix's own
//! reading of the raw lines is `mime`; types and archives of attachments are `attachment`.
//!
//! ```
//! use mailweir_content::decode::{charset::Fallbacks, headers::HeaderDecoder};
//! use mailweir_content::decode::parts::{PartLimits, PartReader};
//! use mailweir_content::decode::text::{TextLimits, Texts};
//!
//! let headers = HeaderDecoder::default();
//! assert_eq!(headers.field(b"Subject: =?euc-kr?B?W7GksO1d?="), ["Subject: [광고]"]);
//!
//! let mut lines = Vec::new();
//! let mut texts = Texts::new(TextLimits::default(), Fallbacks::default());
//! let mut parts = PartReader::new(PartLimits::default(), headers);
//! let mut take = |event: mailweir_content::decode::parts::Event<'_>| {
//!     texts.event(&event, &mut |line: &str| lines.push(line.to_owned()));
//! };
//! parts.feed(b"Content-Type: text/html\r\n\r\n<p>Hel<b>lo</b> wor", &mut take);
//! parts.feed(b"ld<br>&copy;\r\n", &mut take);
//! parts.finish(&mut take);
//! assert_eq!(lines, ["Hello world", "\u{a9}"]);
//! ```

pub mod charset;
pub mod headers;
pub mod parts;
pub mod text;
mod transfer;
mod visible;

pub use visible::visible;
