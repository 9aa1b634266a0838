//! `mailweir queue`: look at and change queued mail, in a running server or in a resting store.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::{Args, Subcommand};
use mailweir_mail::{HoldReason, QueueId, Timestamp};

use super::{ExitCode, store_args::StoreArgs};
use crate::{
    control::{
        self,
        operation::{Answer, Details, Entry, Operation, Place, Request, Selection},
    },
    count::counted,
};

#[derive(Args, Debug)]
pub(super) struct QueueCommand {
    #[command(flatten)]
    of: StoreArgs,
    #[command(subcommand)]
    action: Action,
}

impl QueueCommand {
    /// Lists all queued mail.
    pub(super) const fn list(config: PathBuf) -> Self {
        Self::of(config, Action::List { queue: None, limit: usize::MAX })
    }

    /// Tries all deferred mail.
    pub(super) const fn flush(config: PathBuf) -> Self {
        Self::of(config, Action::Flush)
    }

    const fn of(config: PathBuf, action: Action) -> Self {
        Self { of: StoreArgs::of(config), action }
    }
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List queued mail, oldest first; with --json by the keys of `postqueue -j`
    List {
        /// Only mail in this place: incoming, active, deferred, hold, archiving or corrupt
        #[arg(long, value_name = "PLACE", value_enum, hide_possible_values = true)]
        queue: Option<Place>,
        /// At most this many
        #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
        limit: usize,
    },
    /// Show all of one mail: state, envelope and content
    Show {
        /// The mail's queue id
        id: QueueId,
    },
    /// Put mail on hold: it stays until a person lets it go on
    Hold {
        #[command(flatten)]
        mails: Mails,
        /// Why, for those who look later
        #[arg(long, default_value = "held by the administrator")]
        reason: String,
    },
    /// Let held mail go on; its lifetime counts anew
    Release {
        #[command(flatten)]
        mails: Mails,
    },
    /// Treat mail as if it had just come, under today's rules
    Requeue {
        #[command(flatten)]
        mails: Mails,
    },
    /// Delete mail for good; nobody is told
    Delete {
        #[command(flatten)]
        mails: Mails,
    },
    /// Try all deferred mail now
    Flush,
}

#[derive(Args, Debug)]
struct Mails {
    /// Queue ids as `queue list` shows them, or ALL
    #[arg(required = true, value_name = "ID|ALL", value_parser = parse_choice)]
    ids: Vec<Choice>,
}

#[derive(Clone, Debug)]
enum Choice {
    All,
    One(QueueId),
}

fn parse_choice(text: &str) -> Result<Choice, String> {
    match text {
        "ALL" => Ok(Choice::All),
        _ => text.parse().map(Choice::One).map_err(|error| format!("{error}, or ALL")),
    }
}

impl Mails {
    fn selection(&self) -> Selection {
        let ids = self.ids.iter().map(|choice| match choice {
            Choice::All => None,
            Choice::One(id) => Some(*id),
        });
        ids.collect::<Option<Vec<_>>>().map_or(Selection::All, Selection::Ids)
    }
}

pub(super) fn run(command: &QueueCommand) -> anyhow::Result<ExitCode> {
    let store = match command.of.store() {
        Ok(store) => store,
        Err(code) => return Ok(code),
    };
    let request = Request { by: super::operator(), operation: command.action.operation() };
    let mut printer = Printer::new(command.of.json, command.action.past());
    let all = command.action.mails().is_some_and(|mails| mails.selection() == Selection::All);
    super::runtime()?.block_on(control::ask(store, &request, |answer| printer.print(&answer)))?;
    printer.finish(match command.action {
        Action::List { .. } => Ending::ListTotal,
        _ if all => Ending::ChangeTotal,
        _ => Ending::None,
    })
}

impl Action {
    fn operation(&self) -> Operation {
        match self {
            Self::List { queue, limit } => Operation::List { place: *queue, limit: *limit },
            Self::Show { id } => Operation::Show { id: *id },
            Self::Hold { mails, reason } => {
                Operation::Hold { mails: mails.selection(), reason: HoldReason::new(reason) }
            }
            Self::Release { mails } => Operation::Release { mails: mails.selection() },
            Self::Requeue { mails } => Operation::Requeue { mails: mails.selection() },
            Self::Delete { mails } => Operation::Delete { mails: mails.selection() },
            Self::Flush => Operation::Flush,
        }
    }

    const fn mails(&self) -> Option<&Mails> {
        match self {
            Self::List { .. } | Self::Show { .. } | Self::Flush => None,
            Self::Hold { mails, .. }
            | Self::Release { mails }
            | Self::Requeue { mails }
            | Self::Delete { mails } => Some(mails),
        }
    }

    /// What was done, in the words of postsuper(1).
    const fn past(&self) -> &'static str {
        match self {
            Self::List { .. } | Self::Show { .. } | Self::Flush => "",
            Self::Hold { .. } => "placed on hold",
            Self::Release { .. } => "released from hold",
            Self::Requeue { .. } => "requeued",
            Self::Delete { .. } => "removed",
        }
    }
}

/// The last line.
#[derive(Clone, Copy)]
enum Ending {
    ListTotal,
    ChangeTotal,
    None,
}

/// Prints answers as they come, and counts them for the last line.
struct Printer {
    json: bool,
    past: &'static str,
    mails: usize,
    bytes: u64,
    refused: usize,
}

impl Printer {
    const fn new(json: bool, past: &'static str) -> Self {
        Self { json, past, mails: 0, bytes: 0, refused: 0 }
    }

    fn print(&mut self, answer: &Answer) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match answer {
            Answer::Entry(entry) => self.entry(&mut out, entry),
            Answer::Refused { .. } | Answer::Failed { .. } if self.json => {
                self.refused += 1;
                json_line(&mut out, answer)
            }
            Answer::Details(details) if self.json => json_line(&mut out, details),
            Answer::Changed { .. } | Answer::Skipped { .. } | Answer::Flushed { .. }
                if self.json =>
            {
                json_line(&mut out, answer)
            }
            Answer::Details(details) => write_details(&mut out, details),
            Answer::Changed { id } => {
                self.mails += 1;
                writeln!(out, "mailweir: {id}: {}", self.past)
            }
            Answer::Skipped { mails } => {
                let (mails, wait) =
                    (counted(*mails, "mail"), if *mails == 1 { "waits" } else { "wait" });
                writeln!(
                    out,
                    "mailweir: {mails} left alone that {wait} for people, or for you since damaged: \
                     `mailweir moderation list` and `mailweir moderation list --state gone` show \
                     which; `mailweir queue release ID` or `delete ID` does it with one"
                )
            }
            // Not asked for here.
            Answer::Archive(_)
            | Answer::Ban(_)
            | Answer::Lifted { .. }
            | Answer::Case { .. }
            | Answer::Trusted(_)
            | Answer::Distrusted { .. }
            | Answer::JournalEntry(_)
            | Answer::JournalVerdict(_)
            | Answer::Reindexing { .. }
            | Answer::Spam(_)
            | Answer::Quarantine(_) => Ok(()),
            Answer::Flushed { mails } => {
                writeln!(out, "mailweir: {} due now", counted(*mails, "deferred mail"))
            }
            Answer::Refused { id, reason } => {
                self.refused += 1;
                writeln!(io::stderr(), "mailweir: {id}: {reason}")
            }
            Answer::Failed { reason } => {
                self.refused += 1;
                writeln!(io::stderr(), "mailweir: {reason}")
            }
        }
    }

    fn entry(&mut self, out: &mut impl Write, entry: &Entry) -> io::Result<()> {
        if self.json {
            return json_line(out, entry);
        }
        if self.mails == 0 {
            writeln!(out, "{HEADING}")?;
        }
        self.mails += 1;
        self.bytes += entry.message_size;
        write_entry(out, entry)
    }

    fn finish(self, ending: Ending) -> anyhow::Result<ExitCode> {
        let mut out = io::stdout().lock();
        match ending {
            _ if self.json => {}
            Ending::None => {}
            Ending::ChangeTotal => {
                writeln!(out, "mailweir: {} {}", counted(self.mails, "mail"), self.past)?;
            }
            Ending::ListTotal if self.mails == 0 => writeln!(out, "Mail queue is empty")?,
            Ending::ListTotal => {
                let requests = counted(self.mails, "Request");
                writeln!(out, "-- {} Kbytes in {requests}.", self.bytes / 1024)?;
            }
        }
        Ok(if self.refused == 0 { ExitCode::Done } else { ExitCode::Refused })
    }
}

pub(super) fn json_line(out: &mut impl Write, value: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// One mail in the shape of `postqueue -p` with long queue ids.
fn write_entry(out: &mut impl Write, entry: &Entry) -> io::Result<()> {
    let mark = match entry.queue_name {
        Place::Active => "*",
        Place::Hold => "!",
        Place::Corrupt => "?",
        Place::Incoming | Place::Deferred | Place::Archiving => "",
    };
    let id = format!("{}{mark}", entry.queue_id);
    let arrival = Timestamp::from_secs(entry.arrival_time);
    let sender = if entry.sender.is_empty() { "MAILER-DAEMON" } else { &entry.sender };
    let when = format!("{} {}", arrival.weekday(), arrival.syslog());
    writeln!(out, "{id:<17} {:>8} {when:<19} {sender}", entry.message_size)?;
    if let Some(reason) = &entry.hold_reason {
        writeln!(out, "{:>76}", format!("(on hold: {reason})"))?;
    }
    if entry.queue_name == Place::Archiving {
        writeln!(out, "{:>76}", "(done; the archive does not have it yet)")?;
    }
    let mut last = None;
    for recipient in &entry.recipients {
        if recipient.delay_reason != last {
            let reason = recipient.delay_reason.as_deref().unwrap_or("reason unavailable");
            writeln!(out, "{:>76}", format!("({reason})"))?;
            last.clone_from(&recipient.delay_reason);
        }
        writeln!(out, "{:41}{}", "", recipient.address)?;
    }
    writeln!(out)
}

/// One mail in the spirit of postcat(1).
fn write_details(out: &mut impl Write, details: &Details) -> io::Result<()> {
    let entry = &details.entry;
    writeln!(out, "*** ENVELOPE {} ***", entry.queue_id)?;
    writeln!(out, "queue:         {}", entry.queue_name.as_str())?;
    if let Some(reason) = &entry.hold_reason {
        writeln!(out, "on hold:       {reason}")?;
    }
    writeln!(out, "arrival:       {}", Timestamp::from_secs(entry.arrival_time).rfc5322())?;
    if let Some(next) = details.next_attempt {
        writeln!(out, "next attempt:  {}", next.rfc5322())?;
    }
    writeln!(out, "size:          {} bytes", entry.message_size)?;
    let origin = &details.origin;
    writeln!(out, "client:        {} (helo {})", origin.client, origin.helo)?;
    writeln!(out, "listener:      {}", origin.listener)?;
    if let Some(login) = &origin.login {
        writeln!(out, "login:         {} ({})", login.user, login.mechanism)?;
    }
    writeln!(out, "sender:        <{}>", details.envelope.sender)?;
    for recipient in &details.envelope.recipients {
        writeln!(out, "recipient:     <{}>", recipient.address)?;
    }
    for recipient in entry.recipients.iter().filter(|r| r.delay_reason.is_some()) {
        let reason = recipient.delay_reason.as_deref().unwrap_or_default();
        writeln!(out, "last answer:   <{}>: {reason}", recipient.address)?;
    }
    writeln!(out, "*** MESSAGE CONTENTS {} ***", entry.queue_id)?;
    out.write_all(details.content.replace("\r\n", "\n").as_bytes())?;
    writeln!(out, "*** MESSAGE FILE END {} ***", entry.queue_id)
}

const HEADING: &str = "----Queue ID-----  --Size-- ---Arrival Time---- --Sender/Recipient------";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::operation::EntryRecipient;

    fn entry() -> Entry {
        let recipient = |address: &str, reason: &str| EntryRecipient {
            address: address.into(),
            delay_reason: Some(reason.into()),
        };
        Entry {
            queue_name: Place::Deferred,
            queue_id: "4jWT59000pz7".parse().unwrap(),
            arrival_time: 1_795_210_205,
            message_size: 1_234,
            forced_expire: false,
            sender: "a@b.example".into(),
            recipients: vec![
                recipient("c@d.example", "connection refused"),
                recipient("e@d.example", "connection refused"),
            ],
            hold_reason: None,
        }
    }

    #[test]
    fn a_list_looks_as_mailq_prints_it() {
        let mut out = Vec::new();
        write_entry(&mut out, &entry()).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text.lines().next(),
            Some("4jWT59000pz7          1234 Fri Nov 20 21:30:05 a@b.example")
        );
        assert_eq!(text.matches("(connection refused)").count(), 1, "a reason is printed once");
        assert!(text.lines().any(|line| line.trim() == "e@d.example"));
    }

    #[test]
    fn a_json_line_has_the_keys_of_postqueue() {
        let value = serde_json::to_value(entry()).unwrap();
        for key in [
            "queue_name",
            "queue_id",
            "arrival_time",
            "message_size",
            "forced_expire",
            "sender",
            "recipients",
        ] {
            assert!(value.get(key).is_some(), "{key}");
        }
        assert_eq!(value["queue_name"], "deferred");
    }
}
