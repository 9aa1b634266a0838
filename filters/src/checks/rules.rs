//! Which tables are in force, and where.

use std::{fmt, sync::Arc};

use mailweir_content::{
    attachment::Limits,
    decode::charset::Fallbacks,
    mime::{HeaderClass, MimeLimits},
};
use mailweir_tables::Table;

/// What is looked at, and so which checks are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// A header of the mail itself: `header_checks`.
    Header,
    /// A MIME header: `mime_header_checks`.
    MimeHeader,
    /// A header of an attached mail: `nested_header_checks`.
    NestedHeader,
    /// A line of a body as it stands: `body_checks`.
    Body,
    /// A header as a person reads it.
    DecodedHeader,
    /// A line of text as a person reads it.
    TextBody,
    /// The name of an attachment.
    AttachmentName,
    /// The type of an attachment, as its content shows it.
    AttachmentType,
}

/// The tables in force and their limits. Several tables of one kind are asked in order; the first
/// that has something decides.
#[derive(Clone, Debug)]
pub struct ChecksRules {
    /// `header_checks`.
    pub header: Vec<Arc<Table>>,
    /// `mime_header_checks`; `None`, the default, for those of `header`.
    pub mime_header: Option<Vec<Arc<Table>>>,
    /// `nested_header_checks`; `None`, the default, for those of `header`.
    pub nested_header: Option<Vec<Arc<Table>>>,
    /// `body_checks`.
    pub body: Vec<Arc<Table>>,
    /// For headers as a person reads them; these may edit the header.
    pub decoded_header: Vec<Arc<Table>>,
    /// For lines of text as a person reads them.
    pub text_body: Vec<Arc<Table>>,
    /// For names of attachments.
    pub attachment_name: Vec<Arc<Table>>,
    /// For types of attachments.
    pub attachment_type: Vec<Arc<Table>>,
    /// How many bytes of each body segment `body` sees: 51200; 0 for all of it.
    pub body_checks_size_limit: u64,
    /// How the mail is read.
    pub limits: MimeLimits,
    /// How much text of each part `text_body` sees, in bytes of UTF-8.
    pub text_body_checks_size_limit: usize,
    /// How far archives are looked into.
    pub attachment_limits: Limits,
    /// In which charsets a person may read what names none.
    pub fallbacks: Fallbacks,
}

impl ChecksRules {
    /// The tables that are asked there.
    #[must_use]
    pub fn tables(&self, context: Context) -> &[Arc<Table>] {
        match context {
            Context::Header => &self.header,
            Context::MimeHeader => self.mime_header.as_ref().unwrap_or(&self.header),
            Context::NestedHeader => self.nested_header.as_ref().unwrap_or(&self.header),
            Context::Body => &self.body,
            Context::DecodedHeader => &self.decoded_header,
            Context::TextBody => &self.text_body,
            Context::AttachmentName => &self.attachment_name,
            Context::AttachmentType => &self.attachment_type,
        }
    }

    /// Whether no table is in force at all: such mail needs no checks.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        Context::ALL.into_iter().all(|context| self.tables(context).is_empty())
    }
}

impl Default for ChecksRules {
    /// No tables, and Postfix's limits.
    fn default() -> Self {
        Self {
            header: Vec::new(),
            mime_header: None,
            nested_header: None,
            body: Vec::new(),
            decoded_header: Vec::new(),
            text_body: Vec::new(),
            attachment_name: Vec::new(),
            attachment_type: Vec::new(),
            body_checks_size_limit: 51_200,
            limits: MimeLimits::default(),
            text_body_checks_size_limit: 1 << 20,
            attachment_limits: Limits::default(),
            fallbacks: Fallbacks::default(),
        }
    }
}

impl Context {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Header,
        Self::MimeHeader,
        Self::NestedHeader,
        Self::Body,
        Self::DecodedHeader,
        Self::TextBody,
        Self::AttachmentName,
        Self::AttachmentType,
    ];

    /// Whether a header is looked at.
    #[must_use]
    pub const fn is_header(self) -> bool {
        matches!(self, Self::Header | Self::MimeHeader | Self::NestedHeader | Self::DecodedHeader)
    }

    /// Whether it is a line of the mail, which can be edited, and not something made out of it.
    #[must_use]
    pub const fn has_line(self) -> bool {
        self.is_header() || matches!(self, Self::Body)
    }

    /// As Postfix's log names it: headers of all classes are `header`.
    #[must_use]
    pub const fn log_word(self) -> &'static str {
        match self {
            Self::Header | Self::MimeHeader | Self::NestedHeader => "header",
            Self::Body => "body",
            Self::DecodedHeader => "decoded header",
            Self::TextBody => "text",
            Self::AttachmentName => "attachment name",
            Self::AttachmentType => "attachment type",
        }
    }
}

impl From<HeaderClass> for Context {
    fn from(class: HeaderClass) -> Self {
        match class {
            HeaderClass::Primary => Self::Header,
            HeaderClass::Mime => Self::MimeHeader,
            HeaderClass::Nested => Self::NestedHeader,
        }
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MimeHeader => "mime header",
            Self::NestedHeader => "nested header",
            Self::Header
            | Self::Body
            | Self::DecodedHeader
            | Self::TextBody
            | Self::AttachmentName
            | Self::AttachmentType => self.log_word(),
        })
    }
}
