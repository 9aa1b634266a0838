//! Where a word stands.

/// The kinds of tokens: the same word is another token in another place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// In the text or the subject.
    Word = 0,
    /// The same, in capitals.
    Shout = 1,
    /// In the subject.
    Subject = 2,
    /// In the names of From, and how its address looks.
    FromName = 3,
    /// The domain of From.
    FromHost = 4,
    /// The domain of Reply-To.
    ReplyTo = 5,
    /// How To and Cc look.
    To = 6,
    /// In X-Mailer and User-Agent.
    Mailer = 7,
    /// How Message-ID looks.
    Id = 8,
    /// That there is a field, or is none, and of some what it says.
    Field = 9,
    /// The type of a part, its charset, encoding, disposition.
    Part = 10,
    /// A host that is linked to.
    Host = 11,
    /// How links look, and words of them.
    Link = 12,
    /// Elements and attributes.
    Html = 13,
    /// What is wrong with the mail.
    Trouble = 14,
    /// How the text looks.
    Shape = 15,
}

impl Kind {
    /// Part of the hash: a number that was given is never given another meaning within a version.
    pub(super) const fn number(self) -> u8 {
        self as u8
    }

    /// What stands before the text where people see it.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Word => "",
            Self::Shout => "capitals:",
            Self::Subject => "subject:",
            Self::FromName => "from:",
            Self::FromHost => "from-domain:",
            Self::ReplyTo => "reply-to:",
            Self::To => "recipients:",
            Self::Mailer => "mailer:",
            Self::Id => "message-id:",
            Self::Field => "header:",
            Self::Part => "part:",
            Self::Host => "host:",
            Self::Link => "link:",
            Self::Html => "html:",
            Self::Trouble => "trouble:",
            Self::Shape => "text:",
        }
    }
}
