//! The answer to `/checkv2`, a JSON object.

use std::cmp::Ordering;

use mailweir_mail::compose::one_line;
use serde::Deserialize;

use super::{
    super::replies,
    Wrong,
    changes::{Changes, Milter, OneOrMany, SpamHeader, Table},
};
use crate::verdict::{Decision, Edit, Verdict};

/// What Rspamd wants done with a mail. Its own settings decide; `reject` of the block `milter` and `no_action` count as
/// they do for its own milter.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What it wants.
    pub action: Action,
    /// Points.
    pub score: f64,
    /// From how many points on it refuses a mail; `None`: never.
    pub required: Option<f64>,
    /// The tests that hit, with their points, the heaviest first.
    pub symbols: Vec<(Box<str>, f64)>,
    edits: Vec<Edit>,
    decision: Decision,
}

/// What Rspamd wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Action {
    /// Nothing.
    #[serde(rename = "no action")]
    NoAction,
    /// Nothing: where it greylists it says `soft reject`.
    #[serde(rename = "greylist")]
    Greylist,
    /// The mail is marked as spam.
    #[serde(rename = "add header")]
    AddHeader,
    /// The mail is marked as spam in its subject.
    #[serde(rename = "rewrite subject")]
    RewriteSubject,
    /// 4xx.
    #[serde(rename = "soft reject")]
    SoftReject,
    /// 5xx.
    #[serde(rename = "reject")]
    Reject,
    /// The mail is taken and forgotten.
    #[serde(rename = "discard")]
    Discard,
    /// The mail is held.
    #[serde(rename = "quarantine")]
    Quarantine,
}

/// The object, as far as it decides. What stands twice or is of another type is an error, what is not known here is not.
#[derive(Debug, Deserialize)]
struct Reported {
    action: Action,
    score: f64,
    #[serde(default)]
    required_score: Option<f64>,
    #[serde(default)]
    symbols: Table<Symbol>,
    #[serde(default)]
    messages: Table<serde_json::Value>,
    milter: Option<Overrides>,
}

/// What the block `milter` says of the decision.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Overrides {
    reject: Option<String>,
    no_action: bool,
}

/// The object, as far as it wants the mail changed. It is read only of a mail that goes on: a change that cannot be made
/// does not undo a refusal.
#[derive(Debug, Deserialize)]
struct Wanted {
    subject: Option<String>,
    milter: Option<Milter>,
    #[serde(rename = "dkim-signature")]
    signatures: Option<OneOrMany<String>>,
}

#[derive(Debug, Deserialize)]
struct Symbol {
    score: f64,
}

impl Answer {
    /// Reads the body of an answer.
    pub(super) fn read(body: &[u8]) -> Result<Self, Wrong> {
        // The reader would take a list of the members' values, too.
        if body.first() != Some(&b'{') {
            return Err(Wrong::unclear("no object", body));
        }
        let reported: Reported = parsed(body)?;
        let decision = decision(&reported);
        let edits = match decision {
            Decision::Pass | Decision::Hold => edits(&reported, &parsed(body)?)?,
            Decision::Refuse(_) | Decision::Discard => Vec::new(),
        };
        let Reported { action, score, required_score: required, symbols, .. } = reported;
        let symbols = heaviest(symbols);
        Ok(Self { action, score, required, symbols, edits, decision })
    }

    /// What it comes to.
    #[must_use]
    pub fn verdict(self) -> Verdict {
        let reason = self.reason().into();
        Verdict { decision: self.decision, edits: self.edits, reason }
    }

    /// `reject, 15.0 of 15.0 points: GTUBE(0.0)`
    fn reason(&self) -> String {
        let required = self.required.map(|points| format!(" of {points:.1}")).unwrap_or_default();
        let mut reason = format!("{}, {:.1}{required} points", self.action.name(), self.score);
        for (at, (name, score)) in self.symbols.iter().take(MOST_REASONS).enumerate() {
            reason += if at == 0 { ": " } else { ", " };
            reason += &format!("{}({score:.1})", one_line(name, MOST_SYMBOL));
        }
        reason
    }
}

impl Action {
    /// As Rspamd writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoAction => "no action",
            Self::Greylist => "greylist",
            Self::AddHeader => "add header",
            Self::RewriteSubject => "rewrite subject",
            Self::SoftReject => "soft reject",
            Self::Reject => "reject",
            Self::Discard => "discard",
            Self::Quarantine => "quarantine",
        }
    }
}

fn parsed<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, Wrong> {
    serde_json::from_slice(body).map_err(|error| Wrong::unclear(&error.to_string(), body))
}

/// A message that is no text counts as none: the decision is clear without it.
fn decision(reported: &Reported) -> Decision {
    let overrides = reported.milter.as_ref();
    if overrides.is_some_and(|overrides| overrides.no_action) {
        return Decision::Pass;
    }
    let message = reported.messages.0.get("smtp_message").and_then(serde_json::Value::as_str);
    match (reported.action, overrides.and_then(|overrides| overrides.reject.as_deref())) {
        (Action::Reject, Some("discard")) | (Action::Discard, _) => Decision::Discard,
        (Action::Reject, Some("quarantine")) | (Action::Quarantine, _) => Decision::Hold,
        (Action::Reject, _) => Decision::Refuse(replies::reject(message)),
        (Action::SoftReject, _) => Decision::Refuse(replies::soft_reject(message)),
        (Action::NoAction | Action::Greylist | Action::AddHeader | Action::RewriteSubject, _) => {
            Decision::Pass
        }
    }
}

fn edits(reported: &Reported, wanted: &Wanted) -> Result<Vec<Edit>, Wrong> {
    let mut changes = Changes::default();
    let milter = wanted.milter.as_ref();
    milter.map_or(Ok(()), |milter| changes.apply(milter))?;
    let signatures = wanted.signatures.as_ref().map_or(&[][..], OneOrMany::as_slice);
    for (above, signature) in signatures.iter().enumerate() {
        changes.insert(above, "DKIM-Signature", signature)?;
    }
    if reported.milter.as_ref().is_some_and(|overrides| overrides.no_action) {
        changes.insert(0, "X-Rspamd-Action", reported.action.name())?;
        return Ok(changes.into_edits());
    }
    match reported.action {
        Action::AddHeader => mark(&mut changes, milter.and_then(|it| it.spam_header.as_ref()))?,
        Action::RewriteSubject => {
            let subject = wanted.subject.as_deref();
            let missing = || Wrong::Unclear("it wants another subject and does not say it".into());
            changes.subject(subject.ok_or_else(missing)?)?;
        }
        Action::NoAction
        | Action::Greylist
        | Action::SoftReject
        | Action::Reject
        | Action::Discard
        | Action::Quarantine => {}
    }
    Ok(changes.into_edits())
}

/// What says that it is spam; what other people wrote there goes.
fn mark(changes: &mut Changes, wanted: Option<&SpamHeader>) -> Result<(), Wrong> {
    let mut set = |name: &str, value: &str| {
        changes.remove(name, 0)?;
        changes.insert(0, name, value)
    };
    match wanted {
        None => set("X-Spam", "Yes"),
        Some(SpamHeader::Value(value)) => set("X-Spam", value),
        Some(SpamHeader::Fields(fields)) => {
            fields.iter().try_for_each(|(name, value)| set(name, value))
        }
    }
}

fn heaviest(symbols: Table<Symbol>) -> Vec<(Box<str>, f64)> {
    let all = symbols.0.into_iter().map(|(name, symbol)| (name.into(), symbol.score));
    let mut all: Vec<(Box<str>, f64)> = all.collect();
    all.sort_by(|(_, one), (_, other)| {
        other.abs().partial_cmp(&one.abs()).unwrap_or(Ordering::Equal)
    });
    all
}

/// Tests that the log names.
const MOST_REASONS: usize = 50;

/// Characters of the name of a test in the log.
const MOST_SYMBOL: usize = 64;
