//! English.

use super::{Ground, Label, Opening, Remark, Tag, Term, Verb, Ways};
use crate::{
    case::{AtExpiry, Refused},
    numbers::NumberKind,
};

pub(super) const fn verb(verb: Verb) -> &'static str {
    match verb {
        Verb::Approve => "Approve",
        Verb::Reject => "Reject",
        Verb::Return => "Return for correction",
        Verb::Discard => "Discard",
        Verb::Hold => "Hold",
        Verb::Release => "Release",
        Verb::Forward => "Forward to somebody else",
        Verb::Comment => "Comment",
        Verb::Confirm => "Send it",
        Verb::Decline => "Do not send",
        Verb::Cancel => "Cancel this mail",
        Verb::Open => "Show details",
    }
}

pub(super) const fn term(term: Term) -> &'static str {
    match term {
        Term::Pending => "Pending approval",
        Term::AwaitsOperator => "Pending release by an administrator",
        Term::Moderator => "Moderator",
        Term::Sender => "Sender",
        Term::Administrator => "Administrator",
        Term::Deputy => "Deputy",
        Term::Absence => "Absence",
        Term::Reminder => "Reminder",
        Term::PostReview => "Post-review",
        Term::Clock => "Automatic, by time limit",
        Term::NoSubject => "(no subject)",
        Term::NoName => "(no name)",
        Term::NullSender => "(none)",
    }
}

pub(super) const fn tag(tag: Tag) -> &'static str {
    match tag {
        Tag::Request => "Approval",
        Tag::Confirm => "Please confirm",
        Tag::Reminder => "Reminder",
        Tag::Escalation => "Approval, escalated",
        Tag::Forwarded => "Approval, forwarded",
        Tag::HandedOn => "Handed on",
        Tag::ExpirySoon => "Expires soon",
        Tag::NoModerator => "No moderator",
        Tag::Held => "Held",
        Tag::Delayed => "Delayed",
        Tag::Approved => "Approved",
        Tag::Sent => "Sent",
        Tag::Rejected => "Rejected",
        Tag::Returned => "Returned",
        Tag::Discarded => "Discarded",
        Tag::Cancelled => "Cancelled",
        Tag::Expired => "Expired",
        Tag::Gone => "No longer held",
        Tag::Damaged => "Damaged",
        Tag::Unclear => "Not understood",
        Tag::NotDone => "Nothing changed",
        Tag::Done => "Done",
        Tag::Digest => "Approvals",
        Tag::DigestOfNews => "Decisions",
    }
}

pub(super) const fn label(label: Label) -> &'static str {
    match label {
        Label::From => "From",
        Label::EnvelopeSender => "Envelope sender",
        Label::Login => "Logged in as",
        Label::Client => "Connected from",
        Label::Recipients => "To",
        Label::SentTo => "Sent to",
        Label::NotSentTo => "Not sent to",
        Label::Subject => "Subject",
        Label::Arrival => "Received",
        Label::Size => "Size",
        Label::Attachments => "Attachments",
        Label::Rule => "Rule",
        Label::Why => "Why it is held",
        Label::Expiry => "Decide by",
        Label::WaitsUntil => "Waits until",
        Label::SentAt => "Will be sent",
        Label::Beginning => "How it begins",
        Label::Decision => "Decision",
        Label::DecidedBy => "Decided by",
        Label::DecidedAt => "Decided at",
        Label::Reason => "Reason",
        Label::Comment => "Comment",
        Label::Moderators => "Moderators",
        Label::Progress => "Progress",
        Label::History => "So far",
        Label::Case => "Reference",
        Label::Outside => "outside",
        Label::Hidden => "Bcc",
        Label::LeftOut => "left out",
        Label::ReleasedInQueue => "Released directly in the queue",
        Label::DeletedInQueue => "Deleted directly in the queue",
    }
}

pub(super) fn opening(opening: Opening<'_>) -> String {
    let fixed = match opening {
        Opening::Request => "A mail waits for your approval.",
        Opening::Reminder => "A mail still waits for your approval.",
        Opening::Escalation => "Nobody has decided about this mail yet. Now you are asked, too.",
        Opening::Forwarded { by: Some(by) } => {
            return format!("{by} hands the decision about this mail to you.");
        }
        Opening::Forwarded { by: None } => "The decision about this mail was handed to you.",
        Opening::ExpirySoon => "A mail still waits for your approval, and time is running out.",
        Opening::Confirm => "Please confirm that your mail is to be sent.",
        Opening::ConfirmStill => "Your mail still waits for you to confirm it.",
        Opening::NoModerator { needed } => {
            return format!(
                "A mail waits for approval, but too few people can decide about it: {needed} must \
                 approve."
            );
        }
        Opening::Held => "Your mail has not been sent yet. It waits for approval.",
        Opening::Delayed { at: Some(at) } => {
            return format!("Your mail will be sent on {at}. Until then, you can take it back.");
        }
        Opening::Delayed { at: None } => "Your mail has not been sent yet.",
        Opening::StillWaiting => "Your mail has not been sent yet. Nobody has decided about it.",
        Opening::Settled => "This mail is decided.",
        Opening::Approved => "Your mail was approved and is on its way.",
        Opening::PartlyApproved => {
            "Your mail was approved for some of its recipients and is on its way to them."
        }
        Opening::Sent => "Your mail is on its way.",
        Opening::Rejected => "Your mail was not approved. It was not sent.",
        Opening::Returned => "Your mail was returned to you for correction. It was not sent.",
        Opening::Cancelled => "Your mail was cancelled. It was not sent.",
        Opening::Expired => "Nobody decided about your mail in time. It was not sent.",
        Opening::Gone => {
            "Your mail no longer waits. Those who run the mail server can say whether it was sent."
        }
        Opening::Damaged => {
            "Your mail was damaged here and was not sent. Those who run the mail server have it."
        }
        Opening::AwaitsOperator => {
            "Your mail has not been sent yet. Those who run the mail server must release it first."
        }
        Opening::NotSent => "Your mail was not sent.",
        Opening::Unclear => "Your answer was not understood. Nothing has changed.",
        Opening::NotProven => {
            "An answer came in your name, and it could not be proven that you sent it. Nothing has \
             changed."
        }
        Opening::NotDone => "Your answer could not be carried out.",
        Opening::Done => "Your answer was carried out. Thank you.",
        Opening::Digest { count: 1 } => "One mail waits for your approval.",
        Opening::Digest { count } => return format!("{count} mails wait for your approval."),
        Opening::DigestOfNews { count: 1 } => "One mail is decided.",
        Opening::DigestOfNews { count } => return format!("{count} mails are decided."),
        Opening::DigestOfAlerts { count: 1 } => {
            "One mail waits for approval, but too few people can decide about it."
        }
        Opening::DigestOfAlerts { count } => {
            return format!(
                "{count} mails wait for approval, but too few people can decide about them."
            );
        }
    };
    fixed.to_owned()
}

pub(super) fn remark(remark: Remark<'_>) -> String {
    let fixed = match remark {
        Remark::DeputyOf(whom) => return format!("You are asked as the deputy of {whom}."),
        Remark::Step { step, of } => return format!("Level {step} of {of}"),
        Remark::Votes { given, needed } => return format!("{given} of {needed} approvals"),
        Remark::AtExpiry(action) => {
            let what = match action {
                AtExpiry::Reject => "rejected",
                AtExpiry::Release => "sent",
                AtExpiry::Discard => "discarded",
            };
            return format!("If nobody decides by then, the mail will be {what}.");
        }
        Remark::NothingToDo => "You need not do anything.",
        Remark::SendAgain => "Please correct the mail and send it again.",
        Remark::MayCancel => "As long as nobody has decided, you can take your mail back.",
        Remark::NameSomebody => "Please name somebody who can decide, or decide yourself.",
        Remark::LinksOnlyShow => "The links open a page. Nothing happens before you confirm there.",
        Remark::HowToAnswer { approve, reject } => {
            return format!(
                "You can answer this mail: write \u{201c}{approve}\u{201d} or \
                 \u{201c}{reject}\u{201d} on the first line and, if you like, a reason below it."
            );
        }
        Remark::AnswerWithLogIn => {
            "Please use the links of the request, or answer from a program that logs in to our mail server."
        }
        Remark::KeepToYourself(ways) => match ways {
            Ways::Links => "Please do not pass this mail on: its links decide in your name.",
            Ways::Answer => {
                "Please do not pass this mail on: its reply address decides in your name."
            }
            Ways::Both => {
                "Please do not pass this mail on: its links and its reply address decide in your name."
            }
        },
        Remark::PlainLinks => "If the buttons do not work:",
        Remark::MailAttached => "The mail is attached.",
        Remark::HeaderAttached => "The header of the mail is attached.",
        Remark::More(count) | Remark::MorePeople(count) => return format!("and {count} more"),
        Remark::TextGoesOn => "[\u{2026}]",
        Remark::Recipients { all: 1, outside: 0 } => "1 recipient",
        Remark::Recipients { all: 1, .. } => "1 recipient (outside)",
        Remark::Recipients { all, outside: 0 } => return format!("{all} recipients"),
        Remark::Recipients { all, outside } => {
            return format!("{all} recipients ({outside} outside)");
        }
        Remark::SentBefore(1) => "1 other recipient (already sent)",
        Remark::SentBefore(count) => return format!("{count} other recipients (already sent)"),
        Remark::Administrator(name) => return format!("Administrator {name}"),
        Remark::Automatic { gateway } => return format!("Automatic notice of {gateway}"),
    };
    fixed.to_owned()
}

pub(super) fn ground(ground: Ground<'_>) -> String {
    match ground {
        Ground::Outside(1) => "One recipient is outside.".into(),
        Ground::Outside(count) => format!("{count} recipients are outside."),
        Ground::NewCorrespondent(1) => "The sender never wrote to one recipient before.".into(),
        Ground::NewCorrespondent(count) => {
            format!("The sender never wrote to {count} recipients before.")
        }
        Ground::Recipients(count) => format!("It has {count} recipients."),
        Ground::Subject(words) => format!("Its subject: {words}"),
        Ground::Text(words) => format!("Its text: {words}"),
        Ground::AttachmentName(words) => format!("Name of an attachment: {words}"),
        Ground::AttachmentType(words) => format!("Type of an attachment: {words}"),
        Ground::Attachment => "It has an attachment.".into(),
        Ground::Size(size) => format!("Its size: {size}"),
        Ground::Numbers(kind, count) => format!("{}: {count} found", number(kind)),
        Ground::Time => "The time at which it was sent.".into(),
    }
}

const fn number(kind: NumberKind) -> &'static str {
    match kind {
        NumberKind::KrResidentNumber => "Korean resident registration numbers",
        NumberKind::JpMyNumber => "Japanese Individual Numbers (My Number)",
        NumberKind::FrNir => "French social security numbers",
        NumberKind::CardNumber => "Payment card numbers",
        NumberKind::Iban => "Bank account numbers (IBAN)",
    }
}

pub(super) const fn refusal(refused: &Refused) -> &'static str {
    match refused {
        Refused::Closed(_) => "It was decided before.",
        Refused::Scheduled { .. } => "It is approved already and waits for its time.",
        Refused::NotTheirs => "The decision about this mail is not yours, or not yours any more.",
        Refused::OwnMail => "Nobody decides about their own mail.",
        Refused::VotedAlready { .. } => "Your approval is counted already.",
        Refused::DecidesAlready => "That person decides about it already.",
        Refused::Full => "More has been said about this mail than can be kept.",
        Refused::NoWords => "A reason is needed.",
        Refused::TooLong => "That is too long: 4,000 characters can be said at once.",
        Refused::NoSuchRecipient => "None of these recipients is left.",
        Refused::NotOwed => "No such notice is due.",
        Refused::Past => "This time is over.",
        Refused::NoTrust | Refused::TrustTooLong | Refused::NoLogIn => {
            "Further mail of this sender cannot be let go so."
        }
    }
}
