//! `mailweir moderation`: mail that waits for people, decisions in the administrator's name, and the
//! journal of what people did.

mod print;

use std::io::{self, Write as _};

use clap::{Args, Subcommand};
use mailweir_mail::{Address, QueueId, Timestamp};
use mailweir_moderation::{
    deed::Deed,
    search::{Query, StateFilter},
};

use self::print::Printer;
use super::{ExitCode, store_args::StoreArgs};
use crate::control::{
    self,
    operation::{Operation, Request},
};

#[derive(Args, Debug)]
pub(super) struct ModerationCommand {
    #[command(flatten)]
    of: StoreArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List mail that waits for people, oldest first
    List(List),
    /// Show one case: the mail, who decides, and what happened
    Show {
        /// The mail's queue id
        id: QueueId,
    },
    /// Send it, whoever else would have to approve
    Approve(Approve),
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
    /// Take it back in the name of its sender, who hears of it
    Cancel {
        /// The mail's queue id
        id: QueueId,
    },
    /// Ask somebody else, too
    Forward {
        /// The mail's queue id
        id: QueueId,
        /// The address of whoever decides as well
        to: Address,
    },
    /// Say something, and decide nothing
    Comment {
        /// The mail's queue id
        id: QueueId,
        /// What
        text: Box<str>,
    },
    /// List log-ins whose mail passes a rule for a while, since somebody approved with --trust
    Trusted,
    /// End that: their mail waits again
    Distrust {
        /// The log-in
        login: Box<str>,
        /// Only as far as the rule of this name goes
        #[arg(long, value_name = "NAME")]
        rule: Option<Box<str>>,
    },
    /// Show what people did, and check that nobody has changed the record of it
    Journal {
        /// Only what was done to this mail
        id: Option<QueueId>,
        /// Show only whether it is whole
        #[arg(long)]
        verify: bool,
    },
}

#[derive(Args, Debug)]
struct List {
    /// Also what is decided already; as --state all
    #[arg(long, conflicts_with = "state")]
    all: bool,
    /// How it stands: open, waiting, scheduled, approved, decided, released, rejected, returned,
    /// discarded, cancelled, expired, gone, all
    #[arg(long, default_value = "open", hide_default_value = true)]
    state: StateFilter,
    /// What waits for the word of this moderator
    #[arg(long, value_name = "ADDRESS")]
    mine: Option<Address>,
    /// Who sent it: an address, a log-in, or @ and a domain
    #[arg(long, value_name = "ADDRESS")]
    sender: Option<Box<str>>,
    /// The name of the rule that holds it
    #[arg(long, value_name = "NAME")]
    rule: Option<Box<str>>,
    /// Words of sender, recipients, subject, rule or id; all must be there
    #[arg(long, value_name = "WORDS", default_value = "", hide_default_value = true)]
    search: Box<str>,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    limit: usize,
}

#[derive(Args, Debug)]
struct Approve {
    /// The mail's queue id
    id: QueueId,
    /// For others to read
    #[arg(long, default_value = "", hide_default_value = true)]
    comment: Box<str>,
    /// For these recipients only; the others do not get it
    #[arg(long, value_name = "ADDRESS", num_args = 1..)]
    only: Option<Vec<Address>>,
    /// Send it then, such as 2026-12-24T08:00+01:00
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// For so many days (at most 31) further mail of the log-in passes the rule that holds this one
    #[arg(long, value_name = "DAYS", default_value_t = 0, hide_default_value = true)]
    trust: u16,
}

pub(super) fn run(command: &ModerationCommand) -> anyhow::Result<ExitCode> {
    let store = match command.of.store() {
        Ok(store) => store,
        Err(code) => return Ok(code),
    };
    let action = &command.action;
    let request = Request { by: super::operator(), operation: action.operation() };
    let mut printer = Printer::new(command.of.json, matches!(action, Action::Show { .. }));
    let runtime = super::runtime()?;
    let print = |answer| printer.print(&mut io::stdout().lock(), &answer);
    match action {
        // It stands in the store, whether a server runs or not.
        Action::Journal { .. } => runtime.block_on(control::ask(store, &request, print))?,
        _ => runtime.block_on(control::ask_running(&store, &request, print))?,
    }
    if matches!(action, Action::List(_)) && printer.is_silent() {
        writeln!(io::stdout().lock(), "No mail is found that waits for anybody")?;
    }
    if matches!(action, Action::Trusted) && printer.is_silent() {
        writeln!(io::stdout().lock(), "No log-in is trusted")?;
    }
    Ok(if printer.refused() { ExitCode::Refused } else { ExitCode::Done })
}

impl Action {
    fn operation(&self) -> Operation {
        let decide = |id: &QueueId, deed| Operation::Decide { id: *id, deed };
        match self {
            Self::List(list) => Operation::Cases { query: list.query(), limit: list.limit },
            Self::Show { id } => Operation::Case { id: *id },
            Self::Approve(approve) => decide(&approve.id, approve.deed()),
            Self::Reject { id, reason } => decide(id, Deed::Reject { reason: reason.clone() }),
            Self::Return { id, reason } => decide(id, Deed::Return { reason: reason.clone() }),
            Self::Discard { id, reason } => decide(id, Deed::Discard { reason: reason.clone() }),
            Self::Cancel { id } => decide(id, Deed::Cancel),
            Self::Forward { id, to } => decide(id, Deed::Forward { to: to.clone() }),
            Self::Comment { id, text } => decide(id, Deed::Comment { text: text.clone() }),
            Self::Trusted => Operation::Trusted,
            Self::Distrust { login, rule } => {
                Operation::Distrust { login: login.clone(), rule: rule.clone() }
            }
            Self::Journal { id, verify } => Operation::Journal { id: *id, verdict: *verify },
        }
    }
}

impl List {
    fn query(&self) -> Query {
        Query {
            state: if self.all { StateFilter::All } else { self.state },
            mine: self.mine.clone(),
            sender: self.sender.clone(),
            rule: self.rule.clone(),
            words: self.search.clone(),
        }
    }
}

impl Approve {
    fn deed(&self) -> Deed {
        Deed::Approve {
            comment: self.comment.clone(),
            only: self.only.clone(),
            at: self.at,
            trust_days: self.trust,
        }
    }
}
