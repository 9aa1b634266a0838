//! How cases and the journal look on a terminal: one line a case in a list, a case within 80 columns.

use std::io::{self, Write};

use mailweir_mail::{QueueId, Timestamp};
use mailweir_moderation::{
    case::{Entry, Level},
    case_file::{CaseFile, Recorded},
    notice::clean,
    view::View,
};

use crate::{
    cli::{
        queue::json_line,
        terminal::{COLUMNS, wrapped},
    },
    control::operation::{Answer, JournalEntry, JournalVerdict, Trusted},
};

/// Prints answers as they come.
pub(super) struct Printer {
    json: bool,
    /// Whether a case is shown with all that is known of it.
    in_full: bool,
    listed: usize,
    refused: bool,
}

impl Printer {
    pub(super) const fn new(json: bool, in_full: bool) -> Self {
        Self { json, in_full, listed: 0, refused: false }
    }

    pub(super) const fn is_silent(&self) -> bool {
        !self.json && self.listed == 0 && !self.refused
    }

    /// Whether something was not done, or is not as it should be.
    pub(super) const fn refused(&self) -> bool {
        self.refused
    }

    pub(super) fn print(&mut self, out: &mut impl Write, answer: &Answer) -> io::Result<()> {
        match answer {
            Answer::Case { id, file } => self.case(out, *id, file),
            Answer::JournalEntry(entry) => self.entry(out, entry),
            Answer::JournalVerdict(verdict) => self.verdict(out, verdict),
            Answer::Trusted(trusted) => self.trusted(out, trusted),
            Answer::Changed { .. } | Answer::Distrusted { .. } if self.json => {
                json_line(out, answer)
            }
            Answer::Changed { id } => writeln!(out, "mailweir: {id}: done"),
            Answer::Distrusted { mails } => {
                let mails: Vec<String> = mails.iter().map(QueueId::to_string).collect();
                writeln!(out, "mailweir: done; trust came of {}", mails.join(", "))
            }
            Answer::Refused { .. } | Answer::Failed { .. } if self.json => {
                self.refused = true;
                json_line(out, answer)
            }
            Answer::Refused { id, reason } => {
                self.refused = true;
                writeln!(io::stderr(), "mailweir: {id}: {reason}")
            }
            Answer::Failed { reason } => {
                self.refused = true;
                writeln!(io::stderr(), "mailweir: {reason}")
            }
            // Not asked for here.
            Answer::Entry(_)
            | Answer::Details(_)
            | Answer::Skipped { .. }
            | Answer::Flushed { .. }
            | Answer::Ban(_)
            | Answer::Archive(_)
            | Answer::Lifted { .. }
            | Answer::Reindexing { .. }
            | Answer::Spam(_)
            | Answer::Quarantine(_) => Ok(()),
        }
    }

    fn case(&mut self, out: &mut impl Write, id: QueueId, file: &CaseFile) -> io::Result<()> {
        self.listed += 1;
        match (self.json, self.in_full) {
            (true, _) => json_line(out, &View::whole(id, file)),
            (false, true) => show(out, id, file),
            (false, false) => {
                if self.listed == 1 {
                    writeln!(out, "{HEADING}")?;
                }
                writeln!(out, "{}", line(id, file))
            }
        }
    }

    fn trusted(&mut self, out: &mut impl Write, trusted: &Trusted) -> io::Result<()> {
        self.listed += 1;
        let Trusted { login, rule, until } = trusted;
        if self.json {
            let until = until.rfc3339();
            let value = serde_json::json!({ "login": login, "rule": rule, "until": until });
            return json_line(out, &value);
        }
        let text = format!("{login}  {rule}");
        writeln!(out, "until {}  {}", when(*until), clean::line(&text, LONGEST))
    }

    fn entry(&self, out: &mut impl Write, entry: &JournalEntry) -> io::Result<()> {
        if self.json {
            let said: serde_json::Value =
                serde_json::from_str(&entry.text).unwrap_or_else(|_| (&*entry.text).into());
            let JournalEntry { number, hash, before, .. } = entry;
            let value = serde_json::json!({
                "number": number, "hash": hash, "before": before, "entry": said,
            });
            return json_line(out, &value);
        }
        writeln!(out, "{}", journal_line(entry))
    }

    fn verdict(&mut self, out: &mut impl Write, verdict: &JournalVerdict) -> io::Result<()> {
        let JournalVerdict { entries, last, broken, missing } = verdict;
        self.refused |= broken.is_some() || !missing.is_empty();
        if self.json {
            return json_line(out, verdict);
        }
        if let Some(broken) = broken {
            writeln!(io::stderr(), "mailweir: {broken}; {entries} before it are whole")?;
        }
        for id in missing {
            writeln!(io::stderr(), "mailweir: {id}: the journal has fewer steps than its case")?;
        }
        match last {
            _ if self.refused => Ok(()),
            None => writeln!(out, "mailweir: the journal is empty"),
            Some(last) => writeln!(out, "mailweir: {entries} entries, whole; the last is {last}"),
        }
    }
}

/// One line of a list.
fn line(id: QueueId, file: &CaseFile) -> String {
    let sender = file.mail.sender.as_str();
    let (first, more) = match file.mail.recipients.split_first() {
        Some((first, more)) => (first.address.as_str(), more.len()),
        None => ("", 0),
    };
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let held = when(file.case.progress.opened);
    let state = file.state_name();
    let text = format!("<{sender}> to <{first}>{more}: {}", file.mail.subject);
    let id = id.to_string();
    format!("{id:<13} {state:<9} {held}  {}", clean::line(&text, LONGEST))
}

fn show(out: &mut impl Write, id: QueueId, file: &CaseFile) -> io::Result<()> {
    let (plan, progress, mail) = (&file.case.plan, &file.case.progress, &file.mail);
    let mut page = Page(out);
    page.field("mail", &id.to_string())?;
    page.field("state", &file.standing())?;
    page.field("rule", &format!("{} ({})", plan.rule.name, plan.rule.place))?;
    let also: Vec<&str> = plan.also.iter().map(|rule| &*rule.name).collect();
    page.field("also matched", &also.join(", "))?;
    page.field("held", &when(progress.opened))?;
    page.field("expires", &file.case.expires().map_or_else(String::new, when))?;
    page.field("also held", file.also_held.as_deref().unwrap_or_default())?;
    page.field("sender", &format!("<{}>", mail.sender.as_str()))?;
    page.field("from", &mail.from)?;
    page.field("login", mail.login.as_deref().unwrap_or_default())?;
    let client = mail.client.as_ref().map(|client| client.ip().to_string());
    page.field("client", &client.unwrap_or_default())?;
    for (number, recipient) in (0..).zip(&mail.recipients) {
        let outside = if recipient.is_outside { ", outside" } else { "" };
        let is_left_out = progress.only.as_ref().is_some_and(|only| !only.contains(&number));
        let left_out = if is_left_out { ", left out" } else { "" };
        page.field("recipient", &format!("<{}>{outside}{left_out}", recipient.address))?;
    }
    page.field("subject", &mail.subject)?;
    page.field("size", &format!("{} bytes", mail.size))?;
    for attachment in &mail.attachments {
        page.field("attachment", &attachment.name)?;
    }
    for (number, level) in (1..).zip(&progress.levels) {
        page.field(&format!("level {number}"), &deciders(level))?;
    }
    progress.history.iter().try_for_each(|entry| page.field("history", &happened(entry)))
}

fn happened(entry: &Entry) -> String {
    let words = if entry.words.is_empty() { "" } else { ": " };
    format!("{} {entry}{words}{}", when(entry.at), entry.words)
}

fn deciders(level: &Level) -> String {
    let names: Vec<String> = level
        .moderators
        .iter()
        .map(|one| match &one.deputy_of {
            None => one.address.to_string(),
            Some(away) => format!("{} for {away}", one.address),
        })
        .collect();
    format!("{} of {}", level.needed, names.join(", "))
}

fn journal_line(entry: &JournalEntry) -> String {
    let number = entry.number;
    let Ok(said) = serde_json::from_str::<Recorded>(&entry.text) else {
        return format!("{number:>7}  {}", clean::line(&entry.text, LONGEST));
    };
    let proof = said.by.proof.as_str();
    let from = said.by.from.map_or_else(String::new, |from| format!(" from {from}"));
    let words = if said.words.is_empty() { "" } else { ": " };
    let text = format!("{} ({proof}{from}){words}{}", said.step.by(&said.by.who), said.words);
    let (at, case) = (when(said.at), said.case.to_string());
    format!("{number:>7}  {at}  {case:<13} {}", clean::line(&text, LONGEST))
}

/// `2026-11-20 21:30`, in UTC.
fn when(time: Timestamp) -> String {
    let text = time.rfc3339();
    text.get(..16).map_or(text.clone(), |minute| minute.replacen('T', " ", 1))
}

/// Names and values, broken at 80 columns.
struct Page<'a, W: Write>(&'a mut W);

impl<W: Write> Page<'_, W> {
    /// What a sender wrote moves no cursor (`attacks.md` H13).
    fn field(&mut self, name: &str, value: &str) -> io::Result<()> {
        let value = clean::line(value, LONGEST);
        if value.is_empty() {
            return Ok(());
        }
        for (number, line) in wrapped(&value, COLUMNS - INDENT).iter().enumerate() {
            writeln!(self.0, "{:<INDENT$}{line}", if number == 0 { name } else { "" })?;
        }
        Ok(())
    }
}

const HEADING: &str =
    "--Queue ID--- --State-- -Held since, UTC  Sender, recipients, subject------------";

/// Where values begin.
const INDENT: usize = 14;

/// Characters of a value.
const LONGEST: usize = 400;

#[cfg(test)]
mod tests;
