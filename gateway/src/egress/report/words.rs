//! The part of a report that people read.
//!
//! It says what happened, to which mail and to whom, why, in whose words, and what can be done,
//! in sentences that need no knowledge of mail. Everything foreign is put on one line, cleaned
//! and bounded (`attacks.md` E8).

use mailweir_mail::{
    Address, ReportKind,
    compose::{decode_unstructured, one_line},
};

use super::{Action, Attempt, Diagnostic, Onward, Outcome, Report, reasons::reason};

/// The text, with CRLF and lines of about 72 characters. `whole` says whether the whole original
/// is attached.
pub(super) fn text(report: &Report<'_>, whole: bool) -> String {
    let mut page = Page::default();
    page.opening(report);
    page.mail(report);
    let count = report.attempts().count();
    for (attempt, action) in report.attempts().take(MAX_LISTED) {
        page.recipient(attempt, action);
    }
    if count > MAX_LISTED {
        let more = count - MAX_LISTED;
        page.paragraph(&format!(
            "And {more} more; the attached delivery report names all of them."
        ));
    }
    page.outlook(report, whole);
    page.closing(report);
    page.text
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn opening(&mut self, report: &Report<'_>) {
        let recipients = match report.attempts().count() {
            1 => "one recipient".to_owned(),
            count => format!("{count} recipients"),
        };
        self.paragraph(&match report.kind() {
            ReportKind::Failure => {
                format!("Your message could not be delivered to {recipients}.")
            }
            ReportKind::Delay => format!(
                "Your message has not reached {recipients} yet. It is being tried again, and you \
                 need not do anything."
            ),
            ReportKind::Success => format!(
                "Your message was passed on to {recipients}. You get this report because you \
                 asked for one."
            ),
        });
    }

    /// Which mail this is about.
    fn mail(&mut self, report: &Report<'_>) {
        if let Some(subject) = report.original.field("subject").and_then(decode_unstructured) {
            self.lines("    Subject: ", "             ", &one_line(&subject, MAX_SUBJECT));
        }
        self.lines("    Sent:    ", "", &report.arrival.rfc5322());
        self.blank();
    }

    fn recipient(&mut self, attempt: &Attempt<'_>, action: Action) {
        self.lines("", "", &name(attempt));
        let reason = reason(attempt.status);
        match action {
            Action::Failed => {
                self.quoted(&attempt.diagnostic, reason.why);
                self.indented(&format!("What to do: {}", reason.advice));
            }
            Action::Delayed { .. } => {
                self.quoted(&attempt.diagnostic, &format!("The reason so far: {}", reason.why));
            }
            Action::Succeeded(Onward::Delivered) => self.indented("Delivered to the mailbox."),
            Action::Succeeded(Onward::Relayed) => self.indented(&relayed(&attempt.diagnostic)),
            Action::Succeeded(Onward::Expanded) => self.indented(
                "This address stands for others, and your message goes on to them. There will be \
                 no further report of success.",
            ),
        }
        self.blank();
    }

    /// Our sentence, and the words of whoever found out.
    fn quoted(&mut self, diagnostic: &Diagnostic<'_>, why: &str) {
        let (speaker, words) = match *diagnostic {
            Diagnostic::Peer { mta, reply } => {
                (format!("The server {} said:", one_line(mta, MAX_NAME)), reply)
            }
            Diagnostic::Local(words) => ("In technical words:".to_owned(), words),
        };
        self.indented(&format!("{why} {speaker}"));
        self.lines("    > ", "    > ", &one_line(words, MAX_WORDS));
    }

    /// What happens next.
    fn outlook(&mut self, report: &Report<'_>, whole: bool) {
        match &report.outcome {
            Outcome::Failed(_) => {
                let attached = if whole { "Your message" } else { "The header of your message" };
                self.paragraph(&format!(
                    "This was the last attempt. If your message had other recipients, they are \
                     not affected. {attached} is attached."
                ));
            }
            Outcome::Delayed { retry_until, .. } => self.paragraph(&format!(
                "It will be tried until {}. If it cannot be delivered by then, you will get \
                 another report.",
                retry_until.rfc5322()
            )),
            Outcome::Succeeded(_) => {}
        }
    }

    fn closing(&mut self, report: &Report<'_>) {
        let host = report.reporting_mta.as_str();
        let id = report.id;
        let words = format!(
            "This is an automatic message from the mail system at {host}; nobody reads answers \
             to it. If you need help, show all of it to the people who run your mail. They know \
             your message as {id}."
        );
        self.lines("", "", &words);
    }

    fn paragraph(&mut self, text: &str) {
        self.lines("", "", text);
        self.blank();
    }

    fn indented(&mut self, text: &str) {
        self.lines("    ", "    ", text);
    }

    fn blank(&mut self) {
        self.text.push_str("\r\n");
    }

    /// Wrapped text; the first line begins with `first`, the others with `again`.
    fn lines(&mut self, first: &str, again: &str, text: &str) {
        let mut width = first.chars().count();
        self.text.push_str(first);
        for (number, word) in text.split(' ').enumerate() {
            let length = word.chars().count();
            if number > 0 && width + 1 + length > WIDTH {
                self.text.push_str("\r\n");
                self.text.push_str(again);
                width = again.chars().count();
            } else if number > 0 {
                self.text.push(' ');
                width += 1;
            }
            self.text.push_str(word);
            width += length;
        }
        self.text.push_str("\r\n");
    }
}

/// The recipient, and the address it was first sent to if that is another one.
fn name(attempt: &Attempt<'_>) -> String {
    let recipient = one_line(attempt.recipient.as_str(), MAX_ADDRESS);
    let original = attempt.original.and_then(|original| Address::parse(original.address()).ok());
    match original {
        Some(original) if original != *attempt.recipient => {
            format!("{recipient} (sent to {})", one_line(original.as_str(), MAX_ADDRESS))
        }
        _ => recipient,
    }
}

fn relayed(diagnostic: &Diagnostic<'_>) -> String {
    let server = match diagnostic {
        Diagnostic::Peer { mta, .. } => one_line(mta, MAX_NAME),
        Diagnostic::Local(_) => "another mail system".to_owned(),
    };
    format!("Handed over to {server}, which reports only if something goes wrong from there on.")
}

/// Recipients that are described; programs find all in the other part.
const MAX_LISTED: usize = 50;

const WIDTH: usize = 72;
const MAX_SUBJECT: usize = 200;
const MAX_NAME: usize = 100;
const MAX_WORDS: usize = 500;
const MAX_ADDRESS: usize = mailweir_mail::address::MAX_ADDRESS;
