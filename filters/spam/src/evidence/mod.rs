//! Evidence that a mail shows by itself: its header, its text, its links and attachments.
//!
//! Everything here takes plain inputs and gives [`Finding`](crate::symbols::Finding)s; whoever reads the mail hands
//! over what passes by. Nothing is decided, and nothing is asked of anybody. What counts as much, few or far is a
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
pub use charset::of_charset;
pub use fields::{Field, of_fields};
pub use html::HtmlEvidence;
pub use links::of_links;
pub use mailbox::Mailbox;
pub use mime::{Alternatives, MimeEvidence};
pub use own::Own;
pub use sender::of_sender;
pub use subject::{IsAnswer, of_subject};
pub use text::TextEvidence;
