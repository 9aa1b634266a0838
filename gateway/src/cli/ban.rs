//! `mailweir ban`: who failed to log in too often, and letting them try again.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use mailweir_auth::UserName;
use mailweir_mail::Network;

use super::{ExitCode, queue::json_line, store_args::StoreArgs};
use crate::control::{
    self,
    operation::{Answer, Ban, Culprit, Operation, Request},
};

#[derive(Args, Debug)]
pub(super) struct BanCommand {
    #[command(flatten)]
    of: StoreArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List addresses and accounts that have to wait before the next log-in
    List {
        /// Also those with failed log-ins who need not wait yet
        #[arg(long)]
        all: bool,
    },
    /// Forget failed log-ins, and with them the wait
    Lift {
        /// An address, a network such as 192.0.2.0/24, or an account
        #[arg(value_name = "ADDRESS|ACCOUNT", required_unless_present = "all", value_parser = parse_culprit)]
        whom: Option<Culprit>,
        /// Those of everybody
        #[arg(long, conflicts_with = "whom")]
        all: bool,
    },
}

fn parse_culprit(text: &str) -> Result<Culprit, String> {
    match text.parse::<Network>() {
        Ok(network) => Ok(Culprit::Network(network)),
        Err(error) if text.contains(['/', ':']) => Err(error.to_string()),
        Err(_) => match text.parse::<UserName>() {
            Ok(account) => Ok(Culprit::Account(account.as_str().into())),
            Err(error) => Err(error.to_string()),
        },
    }
}

pub(super) fn run(command: &BanCommand) -> anyhow::Result<ExitCode> {
    let store = match command.of.store() {
        Ok(store) => store,
        Err(code) => return Ok(code),
    };
    let request = Request { by: super::operator(), operation: command.action.operation() };
    let mut printer = Printer { json: command.of.json, listed: 0, refused: false };
    let print = |answer| printer.print(&mut io::stdout().lock(), &command.action, &answer);
    super::runtime()?.block_on(control::ask_running(&store, &request, print))?;
    printer.finish(&mut io::stdout().lock(), &command.action)?;
    Ok(if printer.refused { ExitCode::Refused } else { ExitCode::Done })
}

impl Action {
    fn operation(&self) -> Operation {
        match self {
            Self::List { all } => Operation::Bans { all: *all },
            Self::Lift { whom, .. } => {
                Operation::Lift { whom: whom.clone().unwrap_or(Culprit::All) }
            }
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
    fn print(&mut self, out: &mut impl Write, action: &Action, answer: &Answer) -> io::Result<()> {
        match answer {
            Answer::Ban(ban) => self.ban(out, ban),
            Answer::Lifted { bans } => {
                self.refused |= *bans == 0 && matches!(action, Action::Lift { all: false, .. });
                match self.json {
                    true => json_line(out, answer),
                    false => writeln!(out, "mailweir: {}", lifted(action, *bans)),
                }
            }
            Answer::Failed { reason } => {
                self.refused = true;
                match self.json {
                    true => json_line(out, answer),
                    false => writeln!(io::stderr(), "mailweir: {reason}"),
                }
            }
            // Not asked for here.
            Answer::Entry(_)
            | Answer::Details(_)
            | Answer::Changed { .. }
            | Answer::Refused { .. }
            | Answer::Skipped { .. }
            | Answer::Flushed { .. }
            | Answer::Case { .. }
            | Answer::Trusted(_)
            | Answer::Distrusted { .. }
            | Answer::JournalEntry(_)
            | Answer::Archive(_)
            | Answer::JournalVerdict(_)
            | Answer::Reindexing { .. }
            | Answer::Spam(_)
            | Answer::Quarantine(_) => Ok(()),
        }
    }

    fn ban(&mut self, out: &mut impl Write, ban: &Ban) -> io::Result<()> {
        if self.json {
            return json_line(out, ban);
        }
        if self.listed == 0 {
            writeln!(out, "{HEADING}")?;
        }
        self.listed += 1;
        writeln!(out, "{:>15} {:>8}  {}", wait(ban.wait_seconds), ban.failures, who(ban))
    }

    fn finish(&self, out: &mut impl Write, action: &Action) -> io::Result<()> {
        match action {
            _ if self.json || self.listed > 0 || self.refused => Ok(()),
            Action::List { all: false } => writeln!(out, "Nobody has to wait"),
            Action::List { all: true } => writeln!(out, "No log-in has failed lately"),
            Action::Lift { .. } => Ok(()),
        }
    }
}

fn lifted(action: &Action, bans: usize) -> String {
    let whose = match action {
        Action::Lift { whom: Some(Culprit::Network(network)), .. } => format!("{network}: "),
        Action::Lift { whom: Some(Culprit::Account(account)), .. } => format!("{account}: "),
        Action::Lift { .. } | Action::List { .. } => String::new(),
    };
    let done = if bans == 0 { "no failed log-ins are counted" } else { "failed log-ins forgotten" };
    format!("{whose}{done}")
}

/// As the log names it.
fn who(ban: &Ban) -> String {
    match (&ban.account, &ban.address) {
        (Some(account), Some(address)) => format!("{account} at {address}"),
        (Some(account), None) => account.to_string(),
        (None, Some(address)) => address.to_string(),
        (None, None) => String::new(),
    }
}

/// `45 s`, `14 min 5 s`, `1 h 30 min`; a dash for no wait.
fn wait(seconds: u64) -> String {
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0) => "-".to_owned(),
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

const HEADING: &str = "---Has to wait- Failures  --Address/Account------------------";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::operation::BanKind;

    fn ban(kind: BanKind, address: Option<&str>, account: Option<&str>, wait_seconds: u64) -> Ban {
        let address = address.map(|text| text.parse().unwrap());
        Ban { kind, address, account: account.map(Into::into), failures: 21, wait_seconds }
    }

    fn bans() -> [Ban; 4] {
        [
            ban(BanKind::Address, Some("2001:db8::/64"), None, 3_601),
            ban(BanKind::Familiar, Some("192.0.2.1"), Some("ann"), 845),
            ban(BanKind::Account, None, Some("bob@example.org"), 30),
            ban(BanKind::Address, Some("192.0.2.2"), None, 0),
        ]
    }

    fn printed(json: bool, bans: &[Ban], all: bool) -> String {
        let (mut out, action) = (Vec::new(), Action::List { all });
        let mut printer = Printer { json, listed: 0, refused: false };
        for ban in bans {
            printer.print(&mut out, &action, &Answer::Ban(ban.clone())).unwrap();
        }
        printer.finish(&mut out, &action).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_list_stands_in_columns() {
        assert_eq!(
            printed(false, &bans(), true),
            "---Has to wait- Failures  --Address/Account------------------\n\
             \u{20}     1 h 0 min       21  2001:db8::/64\n\
             \u{20}    14 min 5 s       21  ann at 192.0.2.1\n\
             \u{20}          30 s       21  bob@example.org\n\
             \u{20}             -       21  192.0.2.2\n"
        );
        assert_eq!(printed(false, &[], false), "Nobody has to wait\n");
        assert_eq!(printed(false, &[], true), "No log-in has failed lately\n");
    }

    #[test]
    fn a_json_line_names_only_what_there_is() {
        let lines = printed(true, &bans(), true);
        assert_eq!(
            lines.lines().nth(1),
            Some(
                r#"{"kind":"familiar","address":"192.0.2.1","account":"ann","failures":21,"wait_seconds":845}"#
            )
        );
        assert_eq!(
            lines.lines().nth(3),
            Some(r#"{"kind":"address","address":"192.0.2.2","failures":21,"wait_seconds":0}"#)
        );
        assert_eq!(printed(true, &[], false), "");
    }

    #[test]
    fn an_address_is_no_account_and_a_slip_in_one_is_said() {
        let network = |text: &str| Ok(Culprit::Network(text.parse().unwrap()));
        for (text, meant) in [
            ("192.0.2.1", network("192.0.2.1")),
            ("192.0.2.0/24", network("192.0.2.0/24")),
            ("2001:db8::1", network("2001:db8::1")),
            ("Ann@Example.org", Ok(Culprit::Account("ann@example.org".into()))),
        ] {
            assert_eq!(parse_culprit(text), meant, "{text}");
        }
        for bad in ["192.0.2.1/24", "2001:db8::x", "192.0.2.0/x", "a b", ""] {
            assert!(parse_culprit(bad).is_err(), "{bad}");
        }
    }
}
