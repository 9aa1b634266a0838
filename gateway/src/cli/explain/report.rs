//! What is told of a mail's way: for people in columns, for programs as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::{
    notes::{Note, Queued},
    story::Visit,
};
use crate::{config::Colour, egress::Explained};

#[derive(Debug, Serialize)]
pub(super) struct Report {
    #[serde(flatten)]
    pub(super) visit: Visited,
    /// The steps of the session, in order.
    pub(super) steps: Vec<Step>,
    /// What would be in the queue; absent if nothing.
    pub(super) mail: Option<Arrived>,
    /// The mail of those who wait, if the others do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) split: Option<Arrived>,
    pub(super) verdict: Verdict,
}

/// Who came.
#[derive(Debug, Serialize)]
pub(super) struct Visited {
    listener: Box<str>,
    client: String,
    login: Option<Box<str>>,
    tls: bool,
}

/// One step of the session.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    pub(super) step: Box<str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) about: Box<str>,
    /// The last line of what the client hears.
    pub(super) reply: Box<str>,
    pub(super) refused: bool,
    pub(super) decisions: Vec<Note>,
}

/// A mail that was taken.
#[derive(Debug, Serialize)]
pub(super) struct Arrived {
    sender: Box<str>,
    recipients: Vec<Recipient>,
    /// Why it waits for a person.
    held: Option<Box<str>>,
}

#[derive(Debug, Serialize)]
struct Recipient {
    address: Box<str>,
    /// Whom the client wrote to.
    original: Option<Box<str>>,
    way: String,
    because: String,
}

/// What becomes of the mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// It would be sent on.
    Accepted,
    /// It would wait for a person.
    Held,
    /// It would wait for some recipients only.
    Split,
    /// For good.
    Refused,
    /// For now.
    Deferred,
    /// The client would be told that it was accepted.
    Discarded,
}

impl From<&Visit> for Visited {
    fn from(visit: &Visit) -> Self {
        let name = visit.name.as_deref().unwrap_or("unknown");
        Self {
            listener: visit.listener.clone(),
            client: format!("{name}[{}]", visit.client),
            login: visit.login.clone(),
            tls: visit.in_tls,
        }
    }
}

impl Arrived {
    pub(super) fn new(queued: &Queued, ways: Vec<Explained>) -> Self {
        let Queued { envelope, hold } = queued;
        let recipients = envelope.recipients.iter().zip(ways).map(|(recipient, explained)| {
            let Explained { way, because } = explained;
            let original = recipient.original.as_ref().map(|original| original.as_str().into());
            let address = recipient.address.as_str().into();
            Recipient { address, original, way, because }
        });
        Self {
            sender: envelope.sender.as_str().into(),
            recipients: recipients.collect(),
            held: hold.as_ref().map(|reason| reason.as_str().into()),
        }
    }
}

impl Report {
    /// In lines, each ended.
    pub(super) fn render(&self, colour: Colour) -> String {
        let mut text = String::new();
        let paint = Paint(colour);
        let Visited { listener, client, login, tls } = &self.visit;
        let tls = if *tls { ", TLS" } else { "" };
        let login = login.as_ref().map(|user| format!(", logged in as {user}")).unwrap_or_default();
        let _ = writeln!(text, "{client} at listener {listener:?}{tls}{login}\n");
        for step in &self.steps {
            step.render(&mut text, &paint);
        }
        for mail in self.mail.iter().chain(&self.split) {
            mail.render(&mut text);
        }
        let _ = writeln!(text, "\n{}", paint.verdict(self.verdict));
        text
    }
}

impl Step {
    /// What the client hears is told where it is no plain yes.
    fn render(&self, text: &mut String, paint: &Paint) {
        let Self { step, about, reply, refused, decisions } = self;
        let reply = if *refused { paint.bad(reply) } else { "ok".to_owned() };
        let _ = writeln!(text, "{step:<10}{about:<34}{reply}");
        for note in decisions {
            note.render(text, paint);
        }
    }
}

impl Note {
    fn render(&self, text: &mut String, paint: &Paint) {
        let Self { action, about, text: said, rule } = self;
        let action = paint.strong(&format!("{action:<10}"));
        let shown = |words: &str| words.replace(char::is_control, " ");
        let first = if about.is_empty() { said } else { about };
        let _ = writeln!(text, "  {action}{}", shown(first));
        if !about.is_empty() && !said.is_empty() {
            let _ = writeln!(text, "            {}", shown(said));
        }
        if let Some(rule) = rule {
            let _ = writeln!(text, "            by {rule}");
        }
    }
}

impl Arrived {
    fn render(&self, text: &mut String) {
        let _ = writeln!(text, "\nsender    <{}>", self.sender);
        for Recipient { address, original, way, because } in &self.recipients {
            let original = original.as_ref().map(|original| format!(", written as <{original}>"));
            let _ = writeln!(text, "recipient <{address}>{}", original.unwrap_or_default());
            let _ = writeln!(text, "            {way}, by {because}");
        }
        if let Some(reason) = &self.held {
            let _ = writeln!(text, "held      {reason}");
        }
    }
}

/// Colours, where they may be.
struct Paint(Colour);

impl Paint {
    fn sgr(&self, sgr: &str, text: &str) -> String {
        match self.0 {
            Colour::Plain => text.to_owned(),
            Colour::Terminal => format!("\x1b[{sgr}m{text}\x1b[0m"),
        }
    }

    fn strong(&self, text: &str) -> String {
        self.sgr("1", text)
    }

    fn bad(&self, text: &str) -> String {
        self.sgr("1;31", text)
    }

    fn verdict(&self, verdict: Verdict) -> String {
        match verdict {
            Verdict::Accepted => self.sgr("1;32", "accepted"),
            Verdict::Held => self.sgr("1;33", "accepted, and held for a person"),
            Verdict::Split => {
                self.sgr("1;33", "accepted; for some recipients it is held for a person")
            }
            Verdict::Refused => self.bad("refused"),
            Verdict::Deferred => self.bad("put off: the client would try again"),
            Verdict::Discarded => self.sgr("1;33", "thrown away; the client would not know"),
        }
    }
}
