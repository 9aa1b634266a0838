//! `mailweir moderation`: mail that waits for people, and decisions in the administrator's name.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::{Args, Subcommand};
use mailweir_mail::{Address, QueueId, Timestamp};
use mailweir_moderation::{
    case::{Decision as Closed, Level, State},
    case_file::CaseFile,
};

use super::{ExitCode, queue::json_line};
use crate::control::{
    self, actor_name,
    operation::{Answer, Decision, Operation, Request},
};

#[derive(Args, Debug)]
pub(super) struct ModerationCommand {
    /// The configuration file; it names the data directory
    #[arg(short, long, value_name = "FILE", default_value = "mailweir.toml", global = true)]
    config: PathBuf,
    /// The data directory, instead of the configured one
    #[arg(long, value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
    /// Print JSON, one object per line
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List mail that waits for people, oldest first
    List {
        /// Also what is decided already
        #[arg(long)]
        all: bool,
        /// At most this many
        #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
        limit: usize,
    },
    /// Show one case: the mail, who decides, and what happened
    Show {
        /// The mail's queue id
        id: QueueId,
    },
    /// Send it, whoever else would have to approve
    Approve {
        /// The mail's queue id
        id: QueueId,
        /// For others to read
        #[arg(long, default_value = "")]
        comment: Box<str>,
        /// For so many days the sender's mail needs nobody
        #[arg(long, value_name = "DAYS", default_value_t = 0)]
        trust_days: u16,
    },
    /// Do not send it, and tell the sender
    Reject {
        /// The mail's queue id
        id: QueueId,
        /// For the sender
        #[arg(long, default_value = "")]
        reason: Box<str>,
    },
    /// Give it back to be corrected
    Return {
        /// The mail's queue id
        id: QueueId,
        /// What is to be corrected
        #[arg(long)]
        reason: Box<str>,
    },
    /// Throw it away; the sender hears nothing
    Discard {
        /// The mail's queue id
        id: QueueId,
        /// For the record
        #[arg(long, default_value = "")]
        reason: Box<str>,
    },
    /// Say something, and decide nothing
    Comment {
        /// The mail's queue id
        id: QueueId,
        /// What
        text: Box<str>,
    },
}

pub(super) fn run(command: &ModerationCommand) -> anyhow::Result<ExitCode> {
    let store = match super::store(&command.config, command.data_dir.as_deref()) {
        Ok(store) => store,
        Err(code) => return Ok(code),
    };
    let request = Request { by: super::operator(), operation: command.action.operation() };
    let mut printer = Printer { json: command.json, listed: 0, refused: false };
    let print = |answer| printer.print(&mut io::stdout().lock(), &command.action, &answer);
    super::runtime()?.block_on(control::ask_running(&store, &request, print))?;
    if matches!(command.action, Action::List { .. }) && printer.is_silent() {
        writeln!(io::stdout().lock(), "No mail waits for anybody")?;
    }
    Ok(if printer.refused { ExitCode::Refused } else { ExitCode::Done })
}

impl Action {
    fn operation(&self) -> Operation {
        let decide = |id: &QueueId, decision| Operation::Decide { id: *id, decision };
        match self {
            Self::List { all, limit } => Operation::Cases { all: *all, limit: *limit },
            Self::Show { id } => Operation::Case { id: *id },
            Self::Approve { id, comment, trust_days } => {
                decide(id, Decision::Approve { comment: comment.clone(), trust_days: *trust_days })
            }
            Self::Reject { id, reason } => decide(id, Decision::Reject { reason: reason.clone() }),
            Self::Return { id, reason } => decide(id, Decision::Return { reason: reason.clone() }),
            Self::Discard { id, reason } => {
                decide(id, Decision::Discard { reason: reason.clone() })
            }
            Self::Comment { id, text } => decide(id, Decision::Comment { text: text.clone() }),
        }
    }
}

/// Prints answers as they come.
struct Printer {
    json: bool,
    listed: usize,
    refused: bool,
}

impl Printer {
    const fn is_silent(&self) -> bool {
        !self.json && self.listed == 0 && !self.refused
    }

    fn print(&mut self, out: &mut impl Write, action: &Action, answer: &Answer) -> io::Result<()> {
        match answer {
            Answer::Case { id, file } => {
                self.listed += 1;
                match action {
                    _ if self.json => json_line(out, answer),
                    Action::Show { .. } => show(out, *id, file),
                    _ => writeln!(out, "{}", line(*id, file)),
                }
            }
            Answer::Changed { id } if !self.json => writeln!(out, "{id}: done"),
            Answer::Refused { id, reason } if !self.json => {
                self.refused = true;
                writeln!(io::stderr(), "mailweir: {id}: {reason}")
            }
            Answer::Failed { reason } if !self.json => {
                self.refused = true;
                writeln!(io::stderr(), "mailweir: {reason}")
            }
            Answer::Changed { .. } | Answer::Refused { .. } | Answer::Failed { .. } => {
                self.refused |= !matches!(answer, Answer::Changed { .. });
                json_line(out, answer)
            }
            // Not asked for here.
            Answer::Entry(_)
            | Answer::Details(_)
            | Answer::Flushed { .. }
            | Answer::Ban(_)
            | Answer::Lifted { .. } => Ok(()),
        }
    }
}

/// One line of a list: id, since when, how it stands, from whom to how many, and the subject.
fn line(id: QueueId, file: &CaseFile) -> String {
    let sender = file.mail.sender.as_str();
    let (first, more) = match file.mail.recipients.split_first() {
        Some((first, more)) => (first.address.as_str(), more.len()),
        None => ("", 0),
    };
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let text = format!(
        "{id}  {}  {}  <{sender}> to <{first}>{more}: {}",
        when(file.case.progress.opened),
        standing(file),
        file.mail.subject
    );
    one_line(&text)
}

fn show(out: &mut impl Write, id: QueueId, file: &CaseFile) -> io::Result<()> {
    let (plan, progress, mail) = (&file.case.plan, &file.case.progress, &file.mail);
    let mut field = |name: &str, value: &str| match value {
        "" => Ok(()),
        value => writeln!(out, "{name:<12}{}", one_line(value)),
    };
    field("mail", &id.to_string())?;
    field("state", &standing(file))?;
    field("rule", &format!("{} ({})", plan.rule.name, plan.rule.place))?;
    field("held", &when(progress.opened))?;
    field("until", &plan.expiry.map_or_else(String::new, |expiry| when(expiry.at)))?;
    field("also held", file.also_held.as_deref().unwrap_or_default())?;
    field("sender", &format!("<{}>", mail.sender.as_str()))?;
    field("from", &mail.from)?;
    field("login", mail.login.as_deref().unwrap_or_default())?;
    for recipient in &mail.recipients {
        let outside = if recipient.is_outside { ", outside" } else { "" };
        field("recipient", &format!("<{}>{outside}", recipient.address))?;
    }
    field("subject", &mail.subject)?;
    field("size", &format!("{} bytes", mail.size))?;
    for attachment in &mail.attachments {
        field("attachment", &attachment.name)?;
    }
    for (number, level) in (1..).zip(&progress.levels) {
        field(&format!("level {number}"), &deciders(level))?;
    }
    for entry in &progress.history {
        let words = if entry.words.is_empty() { "" } else { ": " };
        let by = actor_name(&entry.by.who);
        let text = format!("{} {:?} by {by}{words}{}", when(entry.at), entry.step, entry.words);
        field("history", &text)?;
    }
    Ok(())
}

fn deciders(level: &Level) -> String {
    let names: Vec<&str> =
        level.moderators.iter().map(|one| Address::as_str(&one.address)).collect();
    format!("{} of {}", level.needed, names.join(", "))
}

fn standing(file: &CaseFile) -> String {
    match &file.case.progress.state {
        State::Pending => "waits".to_owned(),
        State::Scheduled { at, .. } => format!("approved, sent {}", when(*at)),
        State::Closed(closing) => {
            let what = match closing.decision {
                Closed::Released => "released",
                Closed::Rejected => "rejected",
                Closed::Returned => "given back",
                Closed::Discarded => "thrown away",
                Closed::Cancelled => "taken back",
                Closed::Expired(_) => "expired",
            };
            format!("{what} by {}", actor_name(&closing.by.who))
        }
    }
}

fn when(time: Timestamp) -> String {
    time.rfc5322()
}

/// What a sender wrote moves no cursor (`attacks.md` H13).
fn one_line(text: &str) -> String {
    mailweir_moderation::notice::clean::line(text, LONGEST)
}

/// Characters of a line.
const LONGEST: usize = 400;
