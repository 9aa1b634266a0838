//! Has a dialog with a pure session, and says where it went otherwise than written.

use std::time::Instant;

use mailweir_mail::Domain;
use mailweir_smtp::server::{BareNewline, Mode, Needs, Offer, Rights, Settings, TlsMode};

use super::{Bounds, Division, Link, Rig};
use crate::dialog::{Dialog, Event, Mail, Pattern};

/// Has a dialog with a pure session.
///
/// # Errors
/// Says at which line it went wrong, and all the server said so far.
pub fn run(dialog: &Dialog, division: Division) -> Result<(), String> {
    let now = Instant::now();
    let mut rig = Rig::new(settings(dialog)?, rights(dialog)?, now).bound(bounds(dialog)?);
    let early = match dialog.events.first() {
        Some((_, Event::Send { bytes, undivided })) => {
            rig.receive_divided(bytes, if *undivided { Division::Whole } else { division });
            true
        }
        _ => {
            rig.receive(b"");
            false
        }
    };
    let mut run =
        Run { rig, unread: Vec::new(), said: Vec::new(), skipped: None, named: 0, division };
    for (line, event) in dialog.events.iter().skip(usize::from(early)) {
        run.event(event).map_err(|error| run.report(*line, &error))?;
    }
    run.end().map_err(|error| run.report(0, &error))
}

struct Run {
    rig: Rig,
    unread: Vec<String>,
    said: Vec<String>,
    /// Lines like this may come before the next line that is expected.
    skipped: Option<Pattern>,
    /// How many of the queued mails the dialog has named.
    named: usize,
    division: Division,
}

impl Run {
    fn event(&mut self, event: &Event) -> Result<(), String> {
        self.collect();
        match event {
            Event::Send { bytes, undivided } => {
                self.nothing_unread()?;
                let division = if *undivided { Division::Whole } else { self.division };
                self.rig.receive_divided(bytes, division);
            }
            Event::Expect(pattern) => self.expect(pattern)?,
            Event::ExpectMany(pattern) => self.skipped = Some(pattern.clone()),
            Event::ExpectNone(pattern) => {
                if let Some(line) = self.unread.iter().find(|line| pattern.matches(line)) {
                    return Err(format!("`{line}` came"));
                }
            }
            Event::Queued(mail) => self.queued(mail)?,
            Event::Tls { certified } => self.rig.start_tls(*certified),
            Event::HangUp => self.rig.hang_up(),
            Event::Timeout => self.rig.time_out(),
            Event::ShutDown => self.rig.shut_down(),
            Event::Closed if self.rig.link == Link::Closed => {}
            Event::Closed => return Err("the connection is still open".to_owned()),
        }
        Ok(())
    }

    fn expect(&mut self, pattern: &Pattern) -> Result<(), String> {
        let skipped = self.skipped.take();
        let is_skipped = |line: &String| {
            !pattern.matches(line) && skipped.as_ref().is_some_and(|skipped| skipped.matches(line))
        };
        let count = self.unread.iter().take_while(|line| is_skipped(line)).count();
        self.unread.drain(..count);
        let line = self.unread.first().ok_or(format!("nothing came, not `{pattern}`"))?;
        if !pattern.matches(line) {
            return Err(format!("`{line}` came, not `{pattern}`"));
        }
        self.unread.remove(0);
        Ok(())
    }

    fn queued(&mut self, mail: &Mail) -> Result<(), String> {
        let found = self.rig.queued.get(self.named).ok_or("no mail was queued")?;
        if found != mail {
            let shown = String::from_utf8_lossy(&found.content);
            return Err(format!("another mail was queued: {}\n{shown}", found.envelope));
        }
        self.named += 1;
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        self.collect();
        self.nothing_unread()?;
        match self.rig.queued.get(self.named) {
            Some(mail) => Err(format!("a mail was queued: {}", mail.envelope)),
            None => Ok(()),
        }
    }

    fn nothing_unread(&self) -> Result<(), String> {
        match self.unread.first() {
            Some(line) => Err(format!("`{line}` was not expected")),
            None => Ok(()),
        }
    }

    fn collect(&mut self) {
        let output = std::mem::take(&mut self.rig.output);
        let text = String::from_utf8_lossy(&output);
        assert!(text.is_empty() || text.ends_with("\r\n"), "a reply without line end: {text}");
        for line in text.split_terminator("\r\n") {
            assert!(!line.contains(['\r', '\n']), "a bare line end in a reply: {line:?}");
            self.unread.push(line.to_owned());
            self.said.push(line.to_owned());
        }
    }

    fn report(&self, line: usize, error: &str) -> String {
        let said = self.said.join("\n    ");
        format!("line {line}, {:?}: {error}\n  the server said:\n    {said}", self.division)
    }
}

fn settings(dialog: &Dialog) -> Result<Settings, String> {
    let hostname = Domain::parse("gate.example").map_err(|error| error.to_string())?;
    let mut settings = Settings::new(hostname);
    for (key, value) in &dialog.listener {
        set(&mut settings, key, value).ok_or(format!("listener: {key}={value}"))?;
    }
    Ok(settings)
}

fn set(settings: &mut Settings, key: &str, value: &str) -> Option<()> {
    match key {
        "mode" => {
            settings.mode = match value {
                "mx" => Mode::Mx,
                "submission" => Mode::Submission,
                "filter" => Mode::Filter,
                "lmtp" => Mode::Lmtp,
                _ => return None,
            }
        }
        "tls" => {
            settings.tls = match value {
                "none" => TlsMode::None,
                "optional" => TlsMode::Optional,
                "required" => TlsMode::Required,
                "implicit" => TlsMode::Implicit,
                _ => return None,
            }
        }
        "bare_newline" => {
            settings.bare_newline = match value {
                "normalize" => BareNewline::Normalize,
                "note" => BareNewline::Note,
                "reject" => BareNewline::Reject,
                "no" => BareNewline::No,
                _ => return None,
            }
        }
        "auth" => settings.mechanisms = value.split(',').map(offer).collect(),
        "broken_sasl_auth_clients" => settings.broken_sasl_auth_clients = true,
        "auth_in_clear" => settings.auth_in_clear = true,
        "helo_required" => settings.helo_required = true,
        "may_talk_ahead" => settings.may_talk_ahead = true,
        "disable_vrfy" => settings.disable_vrfy = true,
        "message_size" => settings.limits.message_size = value.parse().ok()?,
        "recipients" => settings.limits.recipients = value.parse().ok()?,
        "overshoot" => settings.limits.recipient_overshoot = value.parse().ok()?,
        "hard_errors" => settings.limits.hard_errors = value.parse().ok()?,
        "junk_commands" => settings.limits.junk_commands = value.parse().ok()?,
        // See `bounds`.
        "senders" | "messages_per_hour" | "recipients_per_hour" => {}
        _ => return None,
    }
    Some(())
}

fn offer(mechanism: &str) -> Offer {
    let needs = if mechanism == "EXTERNAL" { Needs::Certificate } else { Needs::Nothing };
    Offer { mechanism: mechanism.into(), needs }
}

fn bounds(dialog: &Dialog) -> Result<Bounds, String> {
    let mut bounds = Bounds::default();
    for (key, value) in &dialog.listener {
        let number = || value.parse().map(Some).map_err(|_| format!("listener: {key}={value}"));
        match key.as_str() {
            "senders" => bounds.senders = true,
            "messages_per_hour" => bounds.messages = number()?,
            "recipients_per_hour" => bounds.recipients = number()?,
            _ => {}
        }
    }
    Ok(bounds)
}

fn rights(dialog: &Dialog) -> Result<Rights, String> {
    let mut rights = Rights::NONE;
    for word in &dialog.peer {
        match word.as_str() {
            "trusted" => rights.trusted = true,
            "xclient" => rights.xclient = true,
            "xforward" => rights.xforward = true,
            "bare_newline" => rights.bare_newline = true,
            _ => return Err(format!("peer: {word}")),
        }
    }
    Ok(rights)
}
