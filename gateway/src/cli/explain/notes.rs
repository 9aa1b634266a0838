//! What was heard of the rules, in the words of an explanation.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mailweir_filters::{restrictions::Permission, rewriting::Decision};
use mailweir_mail::{Envelope, HoldReason, MailEvent, Scored, SessionEvent};
use mailweir_moderation::{case::RuleName, chain::Hop, rule::Reason};
use serde::Serialize;

use crate::observe::{Detail, Heard};

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Note {
    /// What was done: `hold`, `reject`, `rewrite`, `warning`, ...
    pub(super) action: Box<str>,
    /// What it was done about: a header or line as the rule saw it, a step of the session.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) about: Box<str>,
    /// What the rule says further.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) text: Box<str>,
    /// The rule: a table and its line, a restriction, a parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rule: Option<Box<str>>,
}

/// Collects what is heard.
#[derive(Clone, Default)]
pub(super) struct Notes(Arc<Mutex<Heap>>);

#[derive(Default)]
struct Heap {
    notes: Vec<Note>,
    /// Two, if only some of the recipients wait.
    queued: Vec<Queued>,
}

/// What would be in the queue.
#[derive(Clone, Debug)]
pub(super) struct Queued {
    pub(super) envelope: Envelope,
    pub(super) hold: Option<HoldReason>,
}

impl Notes {
    /// Who listens to an observer.
    pub(super) fn ear(&self) -> impl Fn(Heard<'_>) + Send + Sync + 'static {
        let notes = self.clone();
        move |heard| notes.hear(heard)
    }

    /// What was noted since the last time.
    pub(super) fn take(&self) -> Vec<Note> {
        std::mem::take(&mut self.lock().notes)
    }

    pub(super) fn queued(&self) -> Vec<Queued> {
        self.lock().queued.clone()
    }

    fn hear(&self, heard: Heard<'_>) {
        let note = match heard {
            Heard::Detail(Detail::Queued(envelope, hold)) => {
                let queued = Queued { envelope: envelope.clone(), hold: hold.cloned() };
                self.lock().queued.push(queued);
                None
            }
            Heard::Detail(Detail::Address(decision)) => Some(rewrite("envelope", decision)),
            Heard::Detail(Detail::Header(decision)) => Some(rewrite("header", decision)),
            Heard::Detail(Detail::Permitted(permission)) => Some(permit(permission)),
            Heard::Detail(Detail::Way(way)) => {
                self.lock().notes.extend(way.hops().iter().map(hop));
                None
            }
            Heard::Detail(Detail::Moderated { action, rule, reasons }) => {
                Some(moderate(action, rule, reasons))
            }
            Heard::Mail(MailEvent::RuleApplied(applied)) => Some(Note {
                action: applied.action.as_str().into(),
                about: applied.about.clone(),
                text: applied.text.clone(),
                rule: Some(applied.rule.clone()),
            }),
            Heard::Mail(MailEvent::Scored(scored)) => Some(score(scored)),
            Heard::Session(SessionEvent::Refused(refused)) => {
                refused.rule.as_ref().map(|rule| Note {
                    action: "reject".into(),
                    about: refused.command.into(),
                    text: "".into(),
                    rule: Some(rule.clone()),
                })
            }
            Heard::Session(SessionEvent::Warning { text, .. }) => Some(said("warning", text)),
            Heard::Session(SessionEvent::NameUnconfirmed { name, .. }) => {
                Some(said("warning", &format!("the client's name {name} has another address")))
            }
            Heard::Session(_) | Heard::Mail(_) => None,
        };
        self.lock().notes.extend(note);
    }

    /// What the lock guards is changed by single calls, so a panic elsewhere leaves it sound.
    fn lock(&self) -> MutexGuard<'_, Heap> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn score(scored: &Scored) -> Note {
    let reasons = scored.reasons.iter().map(|one| format!("{} {}", one.symbol, one.adds));
    Note {
        action: scored.action.as_str().into(),
        about: format!("score {}", scored.score).into(),
        text: reasons.collect::<Vec<_>>().join(", ").into(),
        rule: None,
    }
}

fn rewrite(about: &str, decision: &Decision) -> Note {
    let Decision { by, place, before, after } = decision;
    let rule = match place {
        Some(place) => format!("{by}: {place}"),
        None => by.to_string(),
    };
    let text = match &**before {
        "" => format!("copy to {after}"),
        before => format!("{before} -> {after}"),
    };
    Note {
        action: "rewrite".into(),
        about: about.into(),
        text: text.into(),
        rule: Some(rule.into()),
    }
}

fn hop(hop: &Hop) -> Note {
    let Hop { number, address, finding, .. } = hop;
    let address = address.map_or_else(|| "no address".to_owned(), |address| address.to_string());
    Note {
        action: if finding.is_trusted() { "trusted" } else { "untrusted" }.into(),
        about: format!("hop {number}").into(),
        text: format!("{address}: {finding}").into(),
        rule: Some("trusted_hosts".into()),
    }
}

fn moderate(action: &str, rule: &RuleName, reasons: &[Reason]) -> Note {
    let reasons: Vec<String> = reasons.iter().map(reason).collect();
    Note {
        action: action.into(),
        about: "moderation".into(),
        text: reasons.join(", ").into(),
        rule: Some(format!("{}: {}", rule.place, rule.name).into()),
    }
}

fn reason(reason: &Reason) -> String {
    let shown = |text: &str| text.replace(char::is_control, " ");
    match reason {
        Reason::Outside(1) => "1 recipient outside".to_owned(),
        Reason::Outside(count) => format!("{count} recipients outside"),
        Reason::NewCorrespondent(1) => "1 new correspondent".to_owned(),
        Reason::NewCorrespondent(count) => format!("{count} new correspondents"),
        Reason::Recipients(count) => format!("{count} recipients"),
        Reason::Subject(text) => format!("subject {:?}", shown(text)),
        Reason::Text(text) => format!("text {:?}", shown(text)),
        Reason::AttachmentName(name) => format!("attachment {:?}", shown(name)),
        Reason::AttachmentType(kind) => format!("attachment of type {kind}"),
        Reason::Attachment => "has an attachment".to_owned(),
        Reason::Size(bytes) => format!("{bytes} bytes"),
        Reason::Numbers(kind, count) => format!("{count} numbers ({kind:?})"),
        Reason::Time => "at this time".to_owned(),
    }
}

fn permit(permission: &Permission) -> Note {
    let Permission { restriction, place } = permission;
    let rule = place.as_ref().map(|place| place.to_string().into());
    Note { action: "permit".into(), about: (&**restriction).into(), text: "".into(), rule }
}

fn said(action: &str, text: &str) -> Note {
    Note { action: action.into(), about: "".into(), text: text.into(), rule: None }
}
