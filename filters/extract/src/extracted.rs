//! What was found in a mail. Plain values, which travel as they are between processes.

use std::fmt;

use mailweir_mail::Timestamp;
use serde::{Deserialize, Serialize};

/// All that can be searched of a mail.
///
/// Texts are in the form of `mailweir_content::decode::visible`: NFKC, without what cannot be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extracted {
    /// The Subject. Where it can be read in several ways, because it holds bytes that nobody labelled
    /// or stands in the mail twice, each reading is a line, the likeliest first.
    pub subject: String,
    /// From, as far as it could be taken apart.
    pub from: Vec<Mailbox>,
    /// To.
    pub to: Vec<Mailbox>,
    /// Cc. A Bcc field, should a mail have one, is not read: who may find it is not known here.
    pub cc: Vec<Mailbox>,
    /// The Date field, which may say anything.
    pub date: Option<Timestamp>,
    /// The Message-ID with its angle brackets.
    pub message_id: Option<String>,
    /// The text, in the order of the mail. No piece is empty; its lines end in LF.
    pub text: Vec<Piece>,
    /// The attachments, and the files in attached archives, in the order of the mail.
    pub files: Vec<File>,
    /// What was not read. The same is said once for each place.
    pub marks: Vec<Mark>,
    /// How many steps of [`Limits::work`](crate::Limits::work) it took.
    pub work: u64,
}

/// A person or a list in an address field.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mailbox {
    /// The display name, decoded, or else the comment beside the address; empty if there is none.
    pub name: String,
    /// The address as it is written, which need not be one.
    pub address: String,
}

/// Text that belongs together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// What it is the text of.
    pub origin: Origin,
    /// Where that lies: the names of attached mails, archives and files from the outside to the
    /// inside, the file's own the last. Empty for the text of the mail itself.
    pub path: Vec<String>,
    /// The text.
    pub text: String,
}

/// What a piece is the text of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Origin {
    /// Plain text of the mail.
    Body,
    /// HTML of the mail.
    Html,
    /// A file: an attachment, or one in an archive.
    Attachment,
    /// Header fields or text of a mail inside the mail.
    Mail,
}

/// An attachment, or a file in an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its name; empty if it has none. Of a name in an archive with its folders.
    pub name: String,
    /// Other names that mail programs may know it by, or other readings of the name.
    pub other_names: Vec<String>,
    /// Where it lies: the names of what holds it, from the outside to the inside.
    pub path: Vec<String>,
    /// The media type that the mail claims; empty for a file in an archive.
    pub media_type: String,
    /// What it is by its bytes, as `mailweir_content::attachment::Kind::short_name` calls it: `pdf`,
    /// `docx`, `txt`. Empty if it was not looked at.
    pub kind: String,
    /// Its size in bytes, decoded and unpacked; of one in an archive that was not unpacked, what
    /// the archive claims.
    pub size: u64,
}

/// Something that was not read, or not to its end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// What: the names from the outside to the inside. Empty for the mail itself.
    pub path: Vec<String>,
    /// Why.
    pub reason: Reason,
}

/// Why something was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// It takes a password.
    Encrypted,
    /// It does not hold what it claims to hold.
    Damaged,
    /// It lies deeper in other files or parts than is looked.
    TooDeep,
    /// It, or all of the mail together, is more than is read; what was read up to there is there.
    TooLarge,
    /// Nobody said what its bytes mean, or they mean something else: it is there in every reading
    /// that is plausible.
    UnknownCharset,
    /// It is of a kind that has text, but no reader here.
    Unsupported,
    /// The reader failed, which is a fault of ours.
    Failed,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encrypted => "it takes a password",
            Self::Damaged => "it is damaged",
            Self::TooDeep => "it lies too deep in other files",
            Self::TooLarge => "it is more than is read",
            Self::UnknownCharset => "its charset is unknown or wrong",
            Self::Unsupported => "there is no reader for its kind",
            Self::Failed => "the reader failed",
        })
    }
}
