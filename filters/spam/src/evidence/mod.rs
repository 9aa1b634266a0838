//! Evidence that a mail shows by itself: its header, its text, its links and attachments.
//!
//! Everything here listens to a [`Reader`](crate::reading::Reader) or takes plain inputs, and gives
//! [`Finding`](crate::symbols::Finding)s; `examination` puts it together. Nothing is decided, and nothing is asked of anybody. What counts as much, few or far is a
//! constant with its reason: ordinary newsletters, mail of lists and mail of people must show next to nothing.

mod attachment;
mod charset;
mod date;
mod fields;
mod html;
mod links;
mod mailbox;
mod mime;
mod names;
mod own;
mod sender;
mod subject;
mod text;

#[cfg(test)]
mod tests;

pub use attachment::{AttachmentEvidence, turns_direction};
pub use charset::CharsetEvidence;
pub use date::read as date_of;
pub(crate) use fields::TELLING;
pub use fields::{Field, of_fields};
pub use html::HtmlEvidence;
pub use links::of_links;
pub use mailbox::Mailbox;
pub use mime::{Alternatives, MimeEvidence};
pub use own::Own;
pub use sender::of_sender;
pub use subject::{IsAnswer, of_subject};
pub use text::TextEvidence;
