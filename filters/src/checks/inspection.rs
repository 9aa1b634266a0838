//! One mail's way through the checks: what was decided so far, and what the next line means for it.
//!
//! Precedence is Postfix's (`cleanup_act`, `cleanup_flush`): DISCARD, REJECT and trouble end the
//! inspection at once, so the first of them stands; HOLD counts if none of them came. PASS and
//! REDIRECT end the inspection too, but the mail goes on.

use std::{collections::HashSet, sync::Arc};

use mailweir_mail::{Address, Enhanced, HoldReason};
use mailweir_tables::{Found, LookupError, PatternSteps, Place};

use super::{
    Action, ActionError, ChecksRules, Context, Decision, Decisions, Detour, Fate, Outcome, Refusal,
    Trouble, Verb, outcome::Weight,
};
use crate::{ForOneMail, RemoteMaps, arguments::printable_start, look_up_any};

/// The inspection of one mail.
#[derive(Debug)]
pub struct Inspection {
    rules: Arc<ChecksRules>,
    findings: Findings,
    /// Of all lookups for this mail.
    steps: PatternSteps,
}

/// What is to be done with the line that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Edit {
    /// It stays.
    Keep,
    /// It goes.
    Remove,
    /// This line comes before it.
    Prepend(Vec<u8>),
    /// This line comes in its place.
    Replace(Vec<u8>),
}

#[derive(Debug, Default)]
struct Findings {
    course: Course,
    hold: Option<HoldReason>,
    detour: Option<Detour>,
    bcc: Vec<Address>,
    /// The same addresses, to find one that is there already.
    bcc_seen: HashSet<Address>,
    decisions: Decisions,
}

/// How far the inspection is.
#[derive(Debug, Default)]
enum Course {
    /// Every line is looked at.
    #[default]
    Inspecting,
    /// The rest goes through unseen.
    Passing,
    /// The mail is not kept.
    Over(Ending),
}

#[derive(Debug)]
enum Ending {
    Reject(Refusal),
    Discard,
    Trouble(Trouble),
}

impl Inspection {
    /// Begins to inspect a mail under `rules`.
    #[must_use]
    pub fn new(rules: Arc<ChecksRules>) -> Self {
        Self { rules, findings: Findings::default(), steps: PatternSteps::all() }
    }

    /// The rules in force.
    #[must_use]
    pub fn rules(&self) -> &ChecksRules {
        &self.rules
    }

    /// Whether there is anything to ask there now. What is not asked for need not be decoded.
    #[must_use]
    pub fn asks_for(&self, context: Context) -> bool {
        matches!(self.findings.course, Course::Inspecting) && !self.rules.tables(context).is_empty()
    }

    /// Whether any key that is a part of `text`, and does not end in a newline, may be found there.
    #[must_use]
    pub fn may_find_within(&self, context: Context, text: &[u8]) -> bool {
        self.asks_for(context)
            && self.rules.tables(context).iter().any(|table| table.may_have_within(text))
    }

    /// Whether a key that begins as this does may be found there.
    #[must_use]
    pub fn may_find_at(&self, context: Context, begin: &[u8]) -> bool {
        self.asks_for(context)
            && self.rules.tables(context).iter().any(|table| table.may_have_at(begin))
    }

    /// Whether the rest of the mail is looked at.
    #[must_use]
    pub const fn is_looking(&self) -> bool {
        matches!(self.findings.course, Course::Inspecting)
    }

    /// Whether the mail is not kept, whatever else it holds.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.findings.course, Course::Over(_))
    }

    /// Looks at `key`: a header, a line, a name. The edit is [`Edit::Keep`] wherever there is no
    /// line to edit ([`Context::has_line`]).
    pub async fn examine(&mut self, context: Context, key: &[u8], remote: &dyn RemoteMaps) -> Edit {
        self.examine_any(context, &[key], remote).await
    }

    /// Looks at what can be read in several ways, all plausible, the likeliest first: the rule
    /// counts that comes first of those that match any of them.
    pub async fn examine_any(
        &mut self,
        context: Context,
        readings: &[impl AsRef<[u8]> + Sync],
        remote: &dyn RemoteMaps,
    ) -> Edit {
        if !self.asks_for(context) {
            return Edit::Keep;
        }
        let remote = ForOneMail { remote, steps: &self.steps };
        match look_up_any(self.rules.tables(context), readings, &remote).await {
            Ok(None) => Edit::Keep,
            Ok(Some((reading, found))) => self.findings.act(context, reading, &found),
            Err(error) => self.findings.give_up(error),
        }
    }

    /// Takes note that parts were nested beyond `mime_nesting_limit`, and so not read as parts.
    /// Postfix refuses such a mail where header checks are in force.
    pub(super) fn refuse_deep_nesting(&mut self) {
        let checked = HEADERS.into_iter().any(|context| !self.rules.tables(context).is_empty());
        if checked && !self.is_over() {
            let refusal = Refusal { enhanced: Enhanced(5, 6, 0), text: TOO_DEEP.into() };
            self.findings.course = Course::Over(Ending::Reject(refusal));
        }
    }

    /// What it all comes to.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        let Findings { course, hold, detour, bcc, decisions, .. } = self.findings;
        let fate = match course {
            Course::Over(ending) => {
                let fate = match ending {
                    Ending::Reject(refusal) => Fate::Reject(refusal),
                    Ending::Discard => Fate::Discard,
                    Ending::Trouble(trouble) => Fate::Trouble(trouble),
                };
                return Outcome { fate, detour: None, bcc: Vec::new(), decisions, watch: None };
            }
            Course::Inspecting | Course::Passing => hold.map_or(Fate::Accept, Fate::Hold),
        };
        Outcome { fate, detour, bcc, decisions, watch: None }
    }
}

impl Findings {
    /// Does what a value says.
    fn act(&mut self, context: Context, line: &[u8], found: &Found<'_>) -> Edit {
        let action = match Action::parse_in(context, &found.value) {
            Ok(Action::Hold(_)) if self.hold.is_some() => return Edit::Keep,
            Ok(action) => action,
            Err(error) => {
                self.record(context, line, found, Err(error), b"");
                return Edit::Keep;
            }
        };
        self.record(context, line, found, Ok(action.verb()), action.text().as_ref());
        self.apply(action, &found.place)
    }

    fn apply(&mut self, action: Action<'_>, place: &Place) -> Edit {
        match action {
            Action::Reject(refusal) => self.course = Course::Over(Ending::Reject(refusal)),
            Action::Discard(_) => self.course = Course::Over(Ending::Discard),
            Action::Pass(_) => self.course = Course::Passing,
            Action::Hold(text) => self.hold = Some(hold_reason(text, place)),
            Action::Filter(target) => self.detour = Some(Detour::Filter(target)),
            Action::Redirect(address) => {
                self.detour = Some(Detour::Redirect(address));
                self.course = Course::Passing;
            }
            Action::Bcc(address) => self.add_bcc(address),
            Action::Ignore | Action::Strip(_) => return Edit::Remove,
            Action::Prepend(text) => return Edit::Prepend(text.to_vec()),
            Action::Replace(text) => return Edit::Replace(text.to_vec()),
            Action::Info(_) | Action::Warn(_) | Action::Dunno => {}
        }
        Edit::Keep
    }

    fn add_bcc(&mut self, address: Address) {
        if self.bcc_seen.contains(&address) {
            return;
        }
        if self.bcc.len() == MAX_BCC {
            self.course = Course::Over(Ending::Trouble(Trouble::TooManyBcc(MAX_BCC)));
            return;
        }
        self.bcc_seen.insert(address.clone());
        self.bcc.push(address);
    }

    fn give_up(&mut self, error: LookupError) -> Edit {
        self.course = Course::Over(Ending::Trouble(error.into()));
        Edit::Keep
    }

    fn record(
        &mut self,
        context: Context,
        line: &[u8],
        found: &Found<'_>,
        action: Result<Verb, ActionError>,
        text: &[u8],
    ) {
        let weight = match action {
            Ok(Verb::Reject | Verb::Discard | Verb::Hold | Verb::Pass | Verb::Redirect) => {
                Weight::Decides
            }
            Ok(Verb::Ignore | Verb::Dunno) => Weight::Silent,
            _ => Weight::Told,
        };
        self.decisions.record(weight, || Decision {
            context,
            place: found.place.clone(),
            line: shown(line),
            action,
            text: shown(text),
        });
    }
}

/// The administrator's words, or the rule.
fn hold_reason(text: &[u8], place: &Place) -> HoldReason {
    if text.is_empty() {
        HoldReason::new(&place.to_string())
    } else {
        HoldReason::new(&shown(text))
    }
}

/// What stands in a decision: printable and short, whatever the mail holds.
fn shown(text: &[u8]) -> Box<str> {
    printable_start(text, MAX_SHOWN)
}

/// As Postfix logs of a line (`%.200s`).
const MAX_SHOWN: usize = 200;

/// As many recipients as a client may name (`smtpd_recipient_limit`). More come from a rule that
/// takes addresses out of the mail; dropping them silently would be worse than waiting.
const MAX_BCC: usize = 1000;

const HEADERS: [Context; 3] = [Context::Header, Context::MimeHeader, Context::NestedHeader];

/// In Postfix's words (`mime_state_detail`).
const TOO_DEEP: &str = "MIME nesting exceeds safety limit";
