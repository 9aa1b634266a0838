//! The glossary: every word that people read about moderation, once for each language.
//!
//! Notices, pages and manuals take their words from here, so that one thing has one name. A word that
//! is missing in a language does not compile. Sentences get their foreign parts cleaned; nothing here
//! is HTML.

mod en;
mod fr;
mod ja;
mod ko;
mod page;

pub use page::PageWord;

use super::Language;
use crate::{
    case::{AtExpiry, Refused},
    numbers::NumberKind,
};

/// Something that a person can do. A verb, as on a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// A moderator approves.
    Approve,
    /// A moderator refuses.
    Reject,
    /// A moderator gives it back to be corrected.
    Return,
    /// A moderator throws it away.
    Discard,
    /// An administrator makes it wait.
    Hold,
    /// An administrator lets it go.
    Release,
    /// A moderator hands the decision on.
    Forward,
    /// Somebody says something.
    Comment,
    /// The sender confirms.
    Confirm,
    /// The sender does not confirm.
    Decline,
    /// The sender takes the mail back.
    Cancel,
    /// Anybody looks at it.
    Open,
}

/// Somebody or something. A noun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// Waiting for approval.
    Pending,
    /// Approved, and on hold for an operator.
    AwaitsOperator,
    /// Who decides.
    Moderator,
    /// Who sent the mail.
    Sender,
    /// Who runs the gateway.
    Administrator,
    /// Who decides for one who is away.
    Deputy,
    /// Being away.
    Absence,
    /// Asking again.
    Reminder,
    /// Looking at it after it was sent.
    PostReview,
    /// Nobody: the gateway, as time passes.
    Clock,
    /// What a mail without a subject has.
    NoSubject,
    /// What an attachment without a name has.
    NoName,
    /// The null sender.
    NullSender,
}

/// What a notice is about, in a word or two: stands first in its subject, in brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// Please decide.
    Request,
    /// Please confirm your own mail.
    Confirm,
    /// Please decide, still.
    Reminder,
    /// Please decide, since others did not.
    Escalation,
    /// Please decide, since somebody gave it to you.
    Forwarded,
    /// Somebody handed the decision on.
    HandedOn,
    /// It expires soon.
    ExpirySoon,
    /// Too few can decide.
    NoModerator,
    /// Your mail is held.
    Held,
    /// Your mail goes later.
    Delayed,
    /// It was approved, and is sent.
    Approved,
    /// It was sent, and nobody had to approve.
    Sent,
    /// It was refused.
    Rejected,
    /// It was given back.
    Returned,
    /// It was thrown away.
    Discarded,
    /// Its sender took it back.
    Cancelled,
    /// Nobody decided in time.
    Expired,
    /// It has left the queue, and how is not known.
    Gone,
    /// What is stored of it is not what was held.
    Damaged,
    /// Your answer was not understood.
    Unclear,
    /// Your answer changed nothing.
    NotDone,
    /// Your answer was carried out.
    Done,
    /// Several mails wait.
    Digest,
    /// Several mails are decided.
    DigestOfNews,
}

/// The name of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// The From field.
    From,
    /// The envelope sender, where it is another.
    EnvelopeSender,
    /// The login.
    Login,
    /// The client.
    Client,
    /// The recipients.
    Recipients,
    /// Those who got it.
    SentTo,
    /// Those who did not.
    NotSentTo,
    /// The subject.
    Subject,
    /// When it arrived.
    Arrival,
    /// Its size.
    Size,
    /// Its attachments.
    Attachments,
    /// The rule that holds it.
    Rule,
    /// Why the rule does.
    Why,
    /// Until when somebody must decide.
    Expiry,
    /// The same, to somebody who does not decide.
    WaitsUntil,
    /// When it is sent by itself.
    SentAt,
    /// The first lines of its text.
    Beginning,
    /// What was decided.
    Decision,
    /// By whom.
    DecidedBy,
    /// When.
    DecidedAt,
    /// The words of one who refused.
    Reason,
    /// The words of one who approved, or who said something.
    Comment,
    /// Who decides.
    Moderators,
    /// How far the approval is.
    Progress,
    /// What happened so far.
    History,
    /// The name of the case.
    Case,
    /// Of a recipient: not ours.
    Outside,
    /// Of a recipient: in no header field.
    Hidden,
    /// Of a recipient: does not get it.
    LeftOut,
    /// An operator released it in the queue, past those who decide.
    ReleasedInQueue,
    /// An operator deleted it in the queue, past those who decide.
    DeletedInQueue,
}

/// The first sentences of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening<'a> {
    /// To a moderator: please decide.
    Request,
    /// To a moderator: please decide, still.
    Reminder,
    /// To a moderator: please decide, since others did not.
    Escalation,
    /// To a moderator: please decide, since somebody gave it to you.
    Forwarded {
        /// Who, if that is known.
        by: Option<&'a str>,
    },
    /// To a moderator: it expires soon.
    ExpirySoon,
    /// To the sender, who is to confirm.
    Confirm,
    /// To the sender, who did not confirm yet.
    ConfirmStill,
    /// To administrators: too few can decide.
    NoModerator {
        /// How many must approve.
        needed: usize,
    },
    /// To the sender: it waits for approval.
    Held,
    /// To the sender: it goes by itself.
    Delayed {
        /// When, if it ever does.
        at: Option<&'a str>,
    },
    /// To the sender: nobody decided yet.
    StillWaiting,
    /// To a moderator who was asked: it is over.
    Settled,
    /// To the sender: approved and sent.
    Approved,
    /// To the sender: approved for some recipients, and sent to them.
    PartlyApproved,
    /// To the sender: sent, and nobody had to approve.
    Sent,
    /// To the sender: refused.
    Rejected,
    /// To the sender: given back.
    Returned,
    /// To the sender: taken back.
    Cancelled,
    /// To the sender: nobody decided in time, so it was not sent.
    Expired,
    /// To the sender: it was not sent, whatever the reason.
    NotSent,
    /// To the sender: it waits no more, and it is not known whether it was sent.
    Gone,
    /// To the sender: it is on hold for ever, since it was damaged here.
    Damaged,
    /// To the sender: people let it go, and an operator holds it still.
    AwaitsOperator,
    /// To a moderator: your answer was not understood.
    Unclear,
    /// To a moderator: an answer came that they may not have written, and changed nothing.
    NotProven,
    /// To a moderator: your answer changed nothing. Why comes next.
    NotDone,
    /// To a moderator: your answer was carried out.
    Done,
    /// To a moderator: several mails wait.
    Digest {
        /// How many.
        count: usize,
    },
    /// To a moderator: several mails are decided.
    DigestOfNews {
        /// How many.
        count: usize,
    },
    /// To administrators: several mails wait, and too few can decide.
    DigestOfAlerts {
        /// How many.
        count: usize,
    },
}

/// Other sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark<'a> {
    /// The reader decides in somebody's name.
    DeputyOf(&'a str),
    /// Which level decides.
    Step {
        /// From 1.
        step: usize,
        /// How many there are.
        of: usize,
    },
    /// How many approved at this level.
    Votes {
        /// So many did.
        given: usize,
        /// So many must.
        needed: usize,
    },
    /// What happens if nobody decides until then.
    AtExpiry(AtExpiry),
    /// Nothing is left to do for the reader.
    NothingToDo,
    /// The sender may correct the mail and send it again.
    SendAgain,
    /// The sender may take the mail back.
    MayCancel,
    /// An administrator should name somebody.
    NameSomebody,
    /// Links only show; nothing happens before the reader says so on the page.
    LinksOnlyShow,
    /// How to decide by answering.
    HowToAnswer {
        /// The word that approves.
        approve: &'a str,
        /// The word that refuses.
        reject: &'a str,
    },
    /// How to answer so that it is certain who does.
    AnswerWithLogIn,
    /// What is in a notice decides in the reader's name.
    KeepToYourself(Ways),
    /// Stands over the plain addresses of the buttons.
    PlainLinks,
    /// The mail is attached.
    MailAttached,
    /// Its header is attached.
    HeaderAttached,
    /// Some things of a list are not shown.
    More(usize),
    /// Some people of a list are not shown.
    MorePeople(usize),
    /// The text goes on.
    TextGoesOn,
    /// How many recipients.
    Recipients {
        /// All of them.
        all: usize,
        /// Those that are not ours.
        outside: usize,
    },
    /// How many others the mail went to at once.
    SentBefore(usize),
    /// An administrator, by name.
    Administrator(&'a str),
    /// Who answers for the notice.
    Automatic {
        /// The name of the gateway.
        gateway: &'a str,
    },
}

/// Why a rule holds a mail, with the foreign words cleaned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground<'a> {
    /// Recipients who are not ours.
    Outside(usize),
    /// Recipients whom the sender never wrote to before.
    NewCorrespondent(usize),
    /// So many recipients.
    Recipients(usize),
    /// Its subject.
    Subject(&'a str),
    /// A line of its text.
    Text(&'a str),
    /// The name of an attachment.
    AttachmentName(&'a str),
    /// The type of an attachment.
    AttachmentType(&'a str),
    /// It has an attachment.
    Attachment,
    /// Its size.
    Size(&'a str),
    /// So many numbers of a kind.
    Numbers(NumberKind, u32),
    /// When it came.
    Time,
}

/// How a notice lets its reader decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ways {
    /// By links.
    Links,
    /// By an answer.
    Answer,
    /// By either.
    Both,
}

impl Verb {
    /// In a language.
    #[must_use]
    pub const fn text(self, language: Language) -> &'static str {
        match language {
            Language::En => en::verb(self),
            Language::Ko => ko::verb(self),
            Language::Ja => ja::verb(self),
            Language::Fr => fr::verb(self),
        }
    }

    /// The word that says so in an answer by mail ([`crate::reply`]); `None`: it is only done on pages.
    #[must_use]
    pub const fn answer(self, language: Language) -> Option<&'static str> {
        match self {
            Self::Approve | Self::Confirm => Some(match language {
                Language::En => "approve",
                Language::Ko => "승인",
                Language::Ja => "承認",
                Language::Fr => "valider",
            }),
            Self::Reject | Self::Decline => Some(match language {
                Language::En => "reject",
                Language::Ko => "반려",
                Language::Ja => "却下",
                Language::Fr => "refuser",
            }),
            Self::Return
            | Self::Discard
            | Self::Hold
            | Self::Release
            | Self::Forward
            | Self::Comment
            | Self::Cancel
            | Self::Open => None,
        }
    }
}

impl Term {
    /// In a language.
    #[must_use]
    pub const fn text(self, language: Language) -> &'static str {
        match language {
            Language::En => en::term(self),
            Language::Ko => ko::term(self),
            Language::Ja => ja::term(self),
            Language::Fr => fr::term(self),
        }
    }
}

impl Tag {
    /// In a language.
    #[must_use]
    pub const fn text(self, language: Language) -> &'static str {
        match language {
            Language::En => en::tag(self),
            Language::Ko => ko::tag(self),
            Language::Ja => ja::tag(self),
            Language::Fr => fr::tag(self),
        }
    }
}

impl Label {
    /// In a language.
    #[must_use]
    pub const fn text(self, language: Language) -> &'static str {
        match language {
            Language::En => en::label(self),
            Language::Ko => ko::label(self),
            Language::Ja => ja::label(self),
            Language::Fr => fr::label(self),
        }
    }
}

impl Opening<'_> {
    /// In a language.
    #[must_use]
    pub fn text(self, language: Language) -> String {
        match language {
            Language::En => en::opening(self),
            Language::Ko => ko::opening(self),
            Language::Ja => ja::opening(self),
            Language::Fr => fr::opening(self),
        }
    }
}

impl Remark<'_> {
    /// In a language.
    #[must_use]
    pub fn text(self, language: Language) -> String {
        match language {
            Language::En => en::remark(self),
            Language::Ko => ko::remark(self),
            Language::Ja => ja::remark(self),
            Language::Fr => fr::remark(self),
        }
    }
}

impl Ground<'_> {
    /// In a language.
    #[must_use]
    pub fn text(self, language: Language) -> String {
        match language {
            Language::En => en::ground(self),
            Language::Ko => ko::ground(self),
            Language::Ja => ja::ground(self),
            Language::Fr => fr::ground(self),
        }
    }
}

/// Why something may not be done, for the one who wanted it.
#[must_use]
pub const fn refusal(refused: &Refused, language: Language) -> &'static str {
    match language {
        Language::En => en::refusal(refused),
        Language::Ko => ko::refusal(refused),
        Language::Ja => ja::refusal(refused),
        Language::Fr => fr::refusal(refused),
    }
}
