//! The part of a report that programs read: `message/delivery-status` (RFC 3464), or its
//! internationalised form (RFC 6533).
//!
//! Everything foreign is put on one line, cleaned and bounded, so that no reply of a peer and no
//! address can add a field (`attacks.md` E8).

use std::fmt::Display;

use mailweir_mail::compose::one_line;

use super::{Action, Attempt, Diagnostic, Onward, Report};

/// The fields, with CRLF.
pub(super) fn fields(report: &Report<'_>, global: bool) -> String {
    let mut fields = Fields { text: String::new(), global };
    fields.of_message(report);
    let count = report.attempts().count();
    // A thousand recipients must not make a report of a megabyte.
    let room = (ROOM_FOR_REPLIES / count.max(1)).clamp(MIN_REPLY, MAX_REPLY);
    for (attempt, action) in report.attempts() {
        fields.text.push_str("\r\n");
        fields.of_recipient(attempt, action, room);
    }
    fields.text
}

struct Fields {
    text: String,
    global: bool,
}

impl Fields {
    fn of_message(&mut self, report: &Report<'_>) {
        self.add("Reporting-MTA", format_args!("dns; {}", report.reporting_mta.as_ascii()));
        if let Some(envid) = report.envid {
            self.add("Original-Envelope-Id", envid.as_str());
        }
        self.add("X-Mailweir-Queue-ID", report.id);
        let kind = address_type(report.sender.as_str());
        self.add("X-Mailweir-Sender", format_args!("{kind}; {}", report.sender));
        self.add("Arrival-Date", report.arrival.rfc5322());
    }

    fn of_recipient(&mut self, attempt: &Attempt<'_>, action: Action, room: usize) {
        if let Some(original) = attempt.original {
            let (kind, address) = (original.kind(), original.address());
            self.add("Original-Recipient", format_args!("{kind}; {address}"));
        }
        let kind = address_type(attempt.recipient.as_str());
        self.add("Final-Recipient", format_args!("{kind}; {}", attempt.recipient));
        self.add("Action", action_name(action));
        self.add("Status", attempt.status);
        match attempt.diagnostic {
            Diagnostic::Peer { mta, reply } => {
                self.add("Remote-MTA", format_args!("dns; {}", one_line(mta, MIN_REPLY)));
                self.add("Diagnostic-Code", format_args!("smtp; {}", one_line(reply, room)));
            }
            Diagnostic::Local(words) => {
                self.add("Diagnostic-Code", format_args!("x-mailweir; {}", one_line(words, room)));
            }
        }
        if let Some(time) = attempt.last_attempt {
            self.add("Last-Attempt-Date", time.rfc5322());
        }
        if let Action::Delayed { retry_until } = action {
            self.add("Will-Retry-Until", retry_until.rfc5322());
        }
    }

    /// One field, folded at spaces. Outside the internationalised form only ASCII is allowed.
    fn add(&mut self, name: &str, value: impl Display) {
        let allowed = |c: char| if self.global || c.is_ascii() { c } else { '?' };
        let value: String = one_line(&value.to_string(), MAX_VALUE).chars().map(allowed).collect();
        self.text.push_str(name);
        self.text.push(':');
        let mut width = name.len() + 1;
        for (number, word) in value.split(' ').flat_map(pieces).enumerate() {
            let fold = number > 0 && width + 1 + word.len() > FOLD_AT;
            self.text.push_str(if fold { "\r\n " } else { " " });
            self.text.push_str(word);
            width = if fold { 0 } else { width } + 1 + word.len();
        }
        self.text.push_str("\r\n");
    }
}

/// A word in pieces that fit a line of SMTP. An address is always one piece.
fn pieces(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let (piece, tail) = rest.split_at(rest.floor_char_boundary(MAX_PIECE));
        rest = tail;
        (!piece.is_empty()).then_some(piece)
    })
}

const fn action_name(action: Action) -> &'static str {
    match action {
        Action::Failed => "failed",
        Action::Delayed { .. } => "delayed",
        Action::Succeeded(Onward::Delivered) => "delivered",
        Action::Succeeded(Onward::Relayed) => "relayed",
        Action::Succeeded(Onward::Expanded) => "expanded",
    }
}

fn address_type(address: &str) -> &'static str {
    if address.is_ascii() { "rfc822" } else { "utf-8" }
}

/// Characters of replies in one report, shared by all recipients.
const ROOM_FOR_REPLIES: usize = 20_000;
const MIN_REPLY: usize = 80;
const MAX_REPLY: usize = 500;

/// Characters in a value: an address, or a reply.
const MAX_VALUE: usize = 600;

/// Bytes of a word on one line: less than SMTP's 998, more than an address has.
const MAX_PIECE: usize = 900;

const FOLD_AT: usize = 78;
