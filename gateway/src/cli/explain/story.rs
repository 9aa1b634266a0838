//! The session that the mail would come in by, step by step.

use std::net::IpAddr;

use mailweir_mail::{Address, ReversePath};

use super::{
    notes::{Notes, Queued},
    report::{Arrived, Report, Step, Verdict},
};
use crate::{
    app::App,
    ingress::{Rehearsal, Visitor},
};

/// Who comes with what.
pub(super) struct Visit {
    pub(super) listener: Box<str>,
    pub(super) uses_lmtp: bool,
    pub(super) in_tls: bool,
    pub(super) client: IpAddr,
    pub(super) name: Option<Box<str>>,
    pub(super) helo: Box<str>,
    pub(super) login: Option<Box<str>>,
    pub(super) from: ReversePath,
    pub(super) to: Vec<Address>,
    pub(super) mail: Vec<u8>,
}

/// Lets the visitor come, and says what becomes of the mail.
pub(super) async fn tell(app: &App, visit: &Visit, notes: &Notes) -> anyhow::Result<Report> {
    let listener = app.rehearsed(&visit.listener)?;
    let visitor = Visitor {
        address: (visit.client, PORT).into(),
        name: visit.name.clone(),
        in_tls: visit.in_tls,
    };
    let session = Rehearsal::new(&listener, visitor);
    let mut teller = Teller { session, notes, steps: Vec::new() };
    let refused = teller.session(visit).await.err();
    let steps = teller.steps;
    let queued = notes.queued();
    let held = queued.iter().filter(|one| one.hold.is_some()).count();
    let verdict = match (refused, queued.len()) {
        (Some(verdict), _) => verdict,
        (None, 0) => Verdict::Discarded,
        (None, _) if held == 0 => Verdict::Accepted,
        (None, all) if held == all => Verdict::Held,
        (None, _) => Verdict::Split,
    };
    let (mut mail, mut split) = (None, None);
    if matches!(verdict, Verdict::Accepted | Verdict::Held | Verdict::Split) {
        let mut parts = queued.iter();
        mail = arrived(app, parts.next()).await;
        split = arrived(app, parts.next()).await;
    }
    Ok(Report { visit: visit.into(), steps, mail, split, verdict })
}

async fn arrived(app: &App, queued: Option<&Queued>) -> Option<Arrived> {
    let queued = queued?;
    let ways = app.egress().explain(&queued.envelope).await;
    Some(Arrived::new(queued, ways))
}

struct Teller<'n> {
    session: Rehearsal,
    notes: &'n Notes,
    steps: Vec<Step>,
}

impl Teller<'_> {
    /// Until something is refused that the rest depends on.
    async fn session(&mut self, visit: &Visit) -> Result<(), Verdict> {
        self.step("connect", &visit.client.to_string(), b"").await?;
        let greeting = if visit.uses_lmtp { "LHLO" } else { "EHLO" };
        self.line(greeting, &visit.helo, &format!("{greeting} {}", visit.helo)).await?;
        if let Some(user) = &visit.login {
            self.session.log_in(user);
        }
        let sender = format!("<{}>", visit.from.as_str());
        self.line("MAIL", &sender, &format!("MAIL FROM:{sender}{}", parameters(visit))).await?;
        let mut last = Ok(());
        let mut accepted = 0;
        for recipient in &visit.to {
            let path = format!("<{recipient}>");
            let heard = self.line("RCPT", &path, &format!("RCPT TO:{path}")).await;
            match heard {
                Ok(()) => accepted += 1,
                refused => last = refused,
            }
        }
        if accepted == 0 {
            return last;
        }
        self.line("DATA", "", "DATA").await?;
        self.step("content", &size(&visit.mail), &dotted(&visit.mail)).await
    }

    async fn line(&mut self, name: &str, about: &str, line: &str) -> Result<(), Verdict> {
        self.step(name, about, format!("{line}\r\n").as_bytes()).await
    }

    /// Says something, and keeps what came of it.
    async fn step(&mut self, name: &str, about: &str, words: &[u8]) -> Result<(), Verdict> {
        let heard = self.session.say(words).await;
        let heard = String::from_utf8_lossy(&heard);
        let reply = heard.lines().last().unwrap_or_default();
        let verdict = match reply.as_bytes().first() {
            Some(b'2' | b'3') => Ok(()),
            Some(b'5') => Err(Verdict::Refused),
            _ => Err(Verdict::Deferred),
        };
        self.steps.push(Step {
            step: name.into(),
            about: about.into(),
            reply: reply.into(),
            refused: verdict.is_err(),
            decisions: self.notes.take(),
        });
        verdict
    }
}

/// What a client asks for that has such a mail.
fn parameters(visit: &Visit) -> String {
    let mut parameters = String::new();
    if !visit.mail.is_ascii() {
        parameters += " BODY=8BITMIME";
    }
    if !visit.from.as_str().is_ascii() || visit.to.iter().any(|to| !to.as_str().is_ascii()) {
        parameters += " SMTPUTF8";
    }
    parameters
}

/// As SMTP brings it: lines that end with CRLF, dots doubled, and the final one.
fn dotted(mail: &[u8]) -> Vec<u8> {
    let mut dotted = Vec::with_capacity(mail.len() + mail.len() / 32 + 8);
    for line in mail.split_inclusive(|&byte| byte == b'\n') {
        if line.starts_with(b".") {
            dotted.push(b'.');
        }
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        dotted.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
        dotted.extend_from_slice(b"\r\n");
    }
    dotted.extend_from_slice(b".\r\n");
    dotted
}

fn size(mail: &[u8]) -> String {
    format!("{} bytes", mail.len())
}

/// The port of a client; it decides nothing.
const PORT: u16 = 40_000;
