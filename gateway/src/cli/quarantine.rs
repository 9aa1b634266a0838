//! `mailweir quarantine`: mail that was taken for spam or a forgery. It is looked at as text, let go on or deleted, and the
//! classifier learns from that.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use mailweir_mail::{QueueId, Timestamp, compose::one_line};

use super::{ExitCode, queue::json_line, store_args::StoreArgs};
use crate::{
    control::{
        self,
        operation::{Answer, Entry},
    },
    count::counted,
    spam::quarantine::{Ask, Learned, PREFIX, Preview, Shown, Teaching, Told, Verdict},
};

#[derive(Args, Debug)]
pub(super) struct QuarantineCommand {
    #[command(flatten)]
    of: StoreArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List quarantined mail, oldest first
    List,
    /// Show a mail as text: who sent it to whom, why it is here, and what it says
    Show {
        /// The mail's queue id
        id: QueueId,
    },
    /// Let mail go on, and learn it as good mail
    Release(Mails),
    /// Delete mail for good, and learn it as spam; nobody is told
    Delete(Mails),
}

#[derive(Args, Debug)]
struct Mails {
    /// Queue ids as `quarantine list` shows them
    #[arg(required = true, value_name = "ID")]
    ids: Vec<QueueId>,
    /// Learn nothing from it
    #[arg(long)]
    no_learn: bool,
}

impl Mails {
    fn decided(&self, verdict: Verdict) -> Ask {
        let lesson = if self.no_learn { Teaching::Leave } else { Teaching::Learn };
        Ask::Decide { ids: self.ids.clone(), verdict, lesson }
    }
}

impl Action {
    fn ask(&self) -> Ask {
        match self {
            Self::List => Ask::List,
            Self::Show { id } => Ask::Show { id: *id },
            Self::Release(mails) => mails.decided(Verdict::Release),
            Self::Delete(mails) => mails.decided(Verdict::Delete),
        }
    }

    const fn past(&self) -> &'static str {
        match self {
            Self::Release(_) => "released",
            Self::Delete(_) => "deleted",
            Self::List | Self::Show { .. } => "",
        }
    }
}

pub(super) fn run(command: &QuarantineCommand) -> anyhow::Result<ExitCode> {
    let store = match command.of.store() {
        Ok(store) => store,
        Err(code) => return Ok(code),
    };
    let mut printer =
        Printer { json: command.of.json, past: command.action.past(), listed: 0, refused: 0 };
    let tell = |answer| printer.print(&mut io::stdout().lock(), answer);
    let (by, ask) = (super::operator(), command.action.ask());
    super::runtime()?.block_on(control::ask_quarantine(&store, &by, ask, tell))?;
    if matches!(command.action, Action::List) {
        printer.finish_list(&mut io::stdout().lock())?;
    }
    Ok(if printer.refused == 0 { ExitCode::Done } else { ExitCode::Refused })
}

/// Prints answers as they come.
struct Printer {
    json: bool,
    past: &'static str,
    listed: usize,
    refused: usize,
}

impl Printer {
    fn print(&mut self, out: &mut impl Write, answer: Answer) -> io::Result<()> {
        match answer {
            Answer::Quarantine(told) => {
                if matches!(&told, Told::Decided { learned: Learned::Failed { .. }, .. }) {
                    self.refused += 1;
                }
                match (told, self.json) {
                    (Told::Entry(entry), true) => json_line(out, &entry),
                    (Told::Shown(shown), true) => json_line(out, &shown),
                    (told @ Told::Decided { .. }, true) => json_line(out, &told),
                    (Told::Entry(entry), false) => self.entry(out, &entry),
                    (Told::Shown(shown), false) => write_shown(out, &shown),
                    (Told::Decided { id, learned }, false) => {
                        writeln!(out, "mailweir: {id}: {}{}", self.past, lesson(&learned))
                    }
                }
            }
            Answer::Refused { .. } | Answer::Failed { .. } if self.json => {
                self.refused += 1;
                json_line(out, &answer)
            }
            Answer::Refused { id, reason } => {
                self.refused += 1;
                writeln!(io::stderr(), "mailweir: {id}: {reason}")
            }
            Answer::Failed { reason } => {
                self.refused += 1;
                writeln!(io::stderr(), "mailweir: {reason}")
            }
            // Not asked for here.
            _ => Ok(()),
        }
    }

    /// In two lines: the reason is a sentence.
    fn entry(&mut self, out: &mut impl Write, entry: &Entry) -> io::Result<()> {
        if self.listed == 0 {
            writeln!(out, "{HEADING}")?;
        }
        self.listed += 1;
        let arrival = Timestamp::from_secs(entry.arrival_time);
        let when = format!("{} {}", arrival.weekday(), arrival.syslog());
        let sender = if entry.sender.is_empty() { "MAILER-DAEMON" } else { &entry.sender };
        let recipients: Vec<_> = entry.recipients.iter().map(|it| &*it.address).collect();
        let recipients = recipients.join(" ");
        let size = entry.message_size;
        let id = entry.queue_id.to_string();
        writeln!(out, "{id:<16} {size:>9} {when:<19} {sender} -> {recipients}")?;
        let reason = entry.hold_reason.as_ref().map_or("", |reason| reason.as_str());
        let reason = reason.strip_prefix(PREFIX).unwrap_or(reason);
        writeln!(out, "{:>17}{}", "", one_line(reason, LONGEST_REASON))
    }

    fn finish_list(&self, out: &mut impl Write) -> io::Result<()> {
        match self.listed {
            _ if self.json || self.refused > 0 => Ok(()),
            0 => writeln!(out, "Quarantine is empty"),
            listed => writeln!(out, "-- {}.", counted(listed, "mail")),
        }
    }
}

/// What the classifier has heard of a verdict.
fn lesson(learned: &Learned) -> String {
    match learned {
        Learned::Left => String::new(),
        Learned::As(class) => format!(", and learned as {}", class.as_str()),
        Learned::Known(class) => format!(", and known as {} already", class.as_str()),
        Learned::Failed { reason } => format!(", and NOT learned: {reason}"),
    }
}

fn write_shown(out: &mut impl Write, shown: &Shown) -> io::Result<()> {
    let Shown { entry, client, helo, recipients, preview } = shown;
    let reason = entry.hold_reason.as_ref().map_or("", |reason| reason.as_str());
    writeln!(out, "*** {} ***", entry.queue_id)?;
    writeln!(out, "why:         {}", one_line(reason, LONGEST_REASON))?;
    writeln!(out, "arrival:     {}", Timestamp::from_secs(entry.arrival_time).rfc5322())?;
    writeln!(out, "size:        {} bytes", entry.message_size)?;
    writeln!(out, "client:      {client} (helo {})", one_line(helo, LONGEST_REASON))?;
    writeln!(out, "sender:      <{}>", entry.sender)?;
    for recipient in recipients {
        writeln!(out, "recipient:   <{recipient}>")?;
    }
    let Preview { fields, lines, attachments, is_cut } = preview;
    writeln!(out, "*** HEADER ***")?;
    for (name, value) in fields {
        writeln!(out, "{name}: {value}")?;
    }
    writeln!(out, "*** TEXT ***")?;
    for line in lines {
        writeln!(out, "{line}")?;
    }
    for attachment in attachments {
        writeln!(out, "[attached: {attachment}]")?;
    }
    match is_cut {
        true => writeln!(out, "*** THERE IS MORE: `mailweir queue show {}` ***", entry.queue_id),
        false => writeln!(out, "*** END ***"),
    }
}

const HEADING: &str =
    "----Queue ID---- --Size--- ---Arrival Time---- --Sender -> Recipients / Reason---";

/// Characters of a reason.
const LONGEST_REASON: usize = 500;

#[cfg(test)]
mod tests {
    use mailweir_mail::HoldReason;

    use super::*;
    use crate::{
        control::operation::{EntryRecipient, Place},
        spam::words::LearnedClass,
    };

    fn id() -> QueueId {
        "4jWT59000pz7".parse().unwrap()
    }

    fn entry() -> Entry {
        Entry {
            queue_name: Place::Hold,
            queue_id: id(),
            arrival_time: 1_795_210_205,
            message_size: 1_234,
            forced_expire: false,
            sender: "a@b.example".into(),
            recipients: vec![EntryRecipient { address: "c@d.example".into(), delay_reason: None }],
            hold_reason: Some(HoldReason::new(
                "quarantine: it fails the DMARC policy of b.example",
            )),
        }
    }

    fn printed(json: bool, past: &'static str, answers: Vec<Answer>) -> (String, usize) {
        let (mut out, mut printer) = (Vec::new(), Printer { json, past, listed: 0, refused: 0 });
        for answer in answers {
            printer.print(&mut out, answer).unwrap();
        }
        if past.is_empty() {
            printer.finish_list(&mut out).unwrap();
        }
        (String::from_utf8(out).unwrap(), printer.refused)
    }

    #[test]
    fn a_list_says_of_each_mail_why_it_is_there() {
        let (text, _) = printed(false, "", vec![Answer::Quarantine(Told::Entry(entry()))]);
        assert_eq!(
            text,
            "----Queue ID---- --Size--- ---Arrival Time---- --Sender -> Recipients / Reason---\n\
             4jWT59000pz7          1234 Fri Nov 20 21:30:05 a@b.example -> c@d.example\n\
             \u{20}                it fails the DMARC policy of b.example\n\
             -- 1 mail.\n"
        );
        assert_eq!(printed(false, "", vec![]).0, "Quarantine is empty\n");
        let (json, _) = printed(true, "", vec![Answer::Quarantine(Told::Entry(entry()))]);
        assert!(json.contains("\"hold_reason\":\"quarantine: it fails"), "{json}");
    }

    #[test]
    fn each_decision_says_what_was_learned_and_what_was_not_is_no_success() {
        let decided = |learned| vec![Answer::Quarantine(Told::Decided { id: id(), learned })];
        for (learned, words, failed) in [
            (Learned::Left, "released", 0),
            (Learned::As(LearnedClass::Ham), "released, and learned as ham", 0),
            (Learned::Known(LearnedClass::Ham), "released, and known as ham already", 0),
            (Learned::Failed { reason: "why".into() }, "released, and NOT learned: why", 1),
        ] {
            let printed = printed(false, "released", decided(learned));
            assert_eq!(printed, (format!("mailweir: 4jWT59000pz7: {words}\n"), failed));
        }
    }
}
