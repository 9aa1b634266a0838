//! A case for programs: what the API says of it, and `--json` on the command line. The names in it are
//! a promise; what is stored may change without it.

use std::net::IpAddr;

use mailweir_mail::{Address, QueueId, Timestamp};
use serde::Serialize;

use crate::{
    case::{Actor, By, Closing, Decision, Entry, Kind, Proof, QueueDeed, State},
    case_file::{CaseFile, LastWord},
};

/// A case as a program reads it. Times are those of RFC 3339, in UTC.
#[derive(Clone, Debug, Serialize)]
pub struct View<'a> {
    /// The queue id of its mail.
    pub id: QueueId,
    /// `waiting`, `scheduled`, `released`, `rejected`, `returned`, `discarded`, `cancelled`, `expired`,
    /// `gone`; `approved` while an operator has the last word.
    pub state: &'static str,
    /// The same in words, with who it was.
    pub standing: String,
    /// What it waits for.
    pub kind: Kind,
    /// The name of the rule that holds it.
    pub rule: &'a str,
    /// Since when.
    pub held: String,
    /// When it expires, as things stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// When it is sent, if it is approved and waits for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<String>,
    /// The envelope sender; empty for the null sender.
    pub sender: &'a str,
    /// The From field.
    pub from: &'a str,
    /// The log-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<&'a str>,
    /// The recipients.
    pub recipients: Vec<Recipient<'a>>,
    /// The Subject field.
    pub subject: &'a str,
    /// Bytes of the mail.
    pub size: u64,
    /// The names of its attachments.
    pub attachments: Vec<&'a str>,
    /// Who decided what, and when; if it is decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decided<'a>>,
    /// What only those who decide see.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub inside: Option<Inside<'a>>,
}

/// What only those see who decide.
#[derive(Clone, Debug, Serialize)]
pub struct Inside<'a> {
    /// Where the rule stands.
    pub place: &'a str,
    /// All other rules that match.
    pub also_matched: Vec<&'a str>,
    /// The address that the mail came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<IpAddr>,
    /// Whether a decision needs a log-in.
    pub sensitive: bool,
    /// Why an operator must look at it as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub also_held: Option<&'a str>,
    /// Who decides, one level after the other.
    pub levels: Vec<Level<'a>>,
    /// All that happened.
    pub history: Vec<Happened<'a>>,
}

/// A recipient.
#[derive(Clone, Debug, Serialize)]
pub struct Recipient<'a> {
    /// Who.
    pub address: &'a Address,
    /// Not of our domains.
    pub outside: bool,
    /// Whether they get it as things stand; not those whom an approval left out.
    pub included: bool,
}

/// A level.
#[derive(Clone, Debug, Serialize)]
pub struct Level<'a> {
    /// How many must approve.
    pub needed: u8,
    /// Whether it decides now.
    pub decides: bool,
    /// They.
    pub moderators: Vec<&'a Address>,
}

/// A decision.
#[derive(Clone, Debug, Serialize)]
pub struct Decided<'a> {
    /// What: `released` and so on, as in [`View::state`].
    pub what: &'static str,
    /// Who: `moderator kim@own.example`, `administrator root`, `sender ann@own.example`, `nobody`.
    pub by: String,
    /// How that is known.
    pub proof: &'static str,
    /// When.
    pub at: String,
    /// The reason or comment; may be empty. Of those, a sender reads the reason of a refusal.
    pub words: &'a str,
}

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
pub struct Happened<'a> {
    /// When.
    pub at: String,
    /// What, in words.
    pub what: String,
    /// Who.
    pub by: String,
    /// How that is known.
    pub proof: &'static str,
    /// From where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<IpAddr>,
    /// The words that belong to it; may be empty.
    pub words: &'a str,
}

impl<'a> View<'a> {
    /// For those who decide, and for administrators.
    #[must_use]
    pub fn whole(id: QueueId, file: &'a CaseFile) -> Self {
        let (inside, decision) = (Some(Inside::of(file)), Decided::whole(file));
        Self { inside, decision, ..Self::own(id, file) }
    }

    /// For the sender: not who was asked, and not what they said to each other.
    #[must_use]
    pub fn own(id: QueueId, file: &'a CaseFile) -> Self {
        let (case, mail) = (&file.case, &file.mail);
        let sent_at = match &case.progress.state {
            State::Scheduled { at, .. } => Some(at.rfc3339()),
            State::Pending | State::Closed(_) => None,
        };
        Self {
            id,
            state: file.state_name(),
            standing: file.standing(),
            kind: case.plan.kind,
            rule: &case.plan.rule.name,
            held: case.progress.opened.rfc3339(),
            expires: case.expires().map(Timestamp::rfc3339),
            sent_at,
            sender: mail.sender.as_str(),
            from: &mail.from,
            login: mail.login.as_deref(),
            recipients: recipients(file),
            subject: &mail.subject,
            size: mail.size,
            attachments: mail.attachments.iter().map(|one| &*one.name).collect(),
            decision: Decided::own(file),
            inside: None,
        }
    }
}

impl<'a> Inside<'a> {
    fn of(file: &'a CaseFile) -> Self {
        let (plan, progress) = (&file.case.plan, &file.case.progress);
        let is_pending = matches!(progress.state, State::Pending);
        let levels = progress.levels.iter().enumerate().map(|(number, level)| Level {
            needed: level.needed,
            decides: is_pending && number == usize::from(progress.at_level),
            moderators: level.moderators.iter().map(|one| &one.address).collect(),
        });
        Self {
            place: &plan.rule.place,
            also_matched: plan.also.iter().map(|rule| &*rule.name).collect(),
            client: file.mail.client.as_ref().map(mailweir_mail::Client::ip),
            sensitive: file.sensitive,
            also_held: file.also_held.as_deref(),
            levels: levels.collect(),
            history: progress.history.iter().map(Happened::of).collect(),
        }
    }
}

impl<'a> Decided<'a> {
    /// How a case was closed, for those who decide; `None`: it is not.
    #[must_use]
    pub fn whole(file: &'a CaseFile) -> Option<Self> {
        let State::Closed(closing) = &file.case.progress.state else { return None };
        let what = file.state_name();
        let is_of_operator = match file.last_word() {
            LastWord::Said(QueueDeed::Deleted) => true,
            // Nobody else has decided about what was damaged.
            LastWord::Said(QueueDeed::Released) => closing.decision == Decision::Damaged,
            LastWord::People | LastWord::Awaited => false,
        };
        if let Some(operator) = file.operator.as_ref().filter(|_| is_of_operator) {
            let by = Actor::Administrator(operator.by.clone()).to_string();
            let (proof, at) = (Proof::CommandLine.as_str(), operator.at.rfc3339());
            return Some(Self { what, by, proof, at, words: "" });
        }
        let Closing { by: By { who, proof, .. }, at, words, .. } = closing;
        let (by, at) = (who.to_string(), at.rfc3339());
        Some(Self { what, by, proof: proof.as_str(), at, words })
    }

    /// The same for the sender: what moderators say to each other is not for them.
    #[must_use]
    pub fn own(file: &'a CaseFile) -> Option<Self> {
        let State::Closed(closing) = &file.case.progress.state else { return None };
        let words = if closing.decision.tells_why() { &*closing.words } else { "" };
        Some(Self { words, ..Self::whole(file)? })
    }
}

impl<'a> Happened<'a> {
    fn of(entry: &'a Entry) -> Self {
        let By { who, proof, from } = &entry.by;
        Self {
            at: entry.at.rfc3339(),
            what: entry.to_string(),
            by: who.to_string(),
            proof: proof.as_str(),
            from: *from,
            words: &entry.words,
        }
    }
}

fn recipients(file: &CaseFile) -> Vec<Recipient<'_>> {
    let only = file.case.progress.only.as_ref();
    let all = (0..).zip(&file.mail.recipients);
    all.map(|(number, one)| Recipient {
        address: &one.address,
        outside: one.is_outside,
        included: only.is_none_or(|only| only.contains(&number)),
    })
    .collect()
}
