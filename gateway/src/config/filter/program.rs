//! `[[filter]]` of type "pipe": a program, its arguments, and as whom it runs (Postfix pipe(8)).

use std::{net::SocketAddr, path::PathBuf};

use mailweir_external::pipe::{Arguments, Form, Spelling};

use super::needed;
use crate::{
    config::{
        Surroundings, check::Written, choice::LineEnd, problem::Problems, raw::RawTable,
        schema::FilterSection, words::Words,
    },
    ways_back::{RETURN, reached_at},
};

/// A program that reads mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipeFilter {
    /// The program and its arguments.
    pub command: Arguments,
    /// As whom it runs; `None`: as the gateway itself, if that is not root.
    pub user: Option<User>,
    /// Where it runs.
    pub directory: PathBuf,
    /// How the mail looks to it.
    pub form: Form,
    /// The variables that it sees, besides `PATH`.
    pub environment: Vec<(String, String)>,
    /// The address that it hands mail back to, as its listener has it.
    pub back: Option<SocketAddr>,
    /// Larger mail is not for it.
    pub size_limit: Option<u64>,
}

/// A user of the system, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct User {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

pub(super) fn check(
    written: &Written<FilterSection>,
    back: Option<SocketAddr>,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Option<PipeFilter> {
    let Written { table, section } = written;
    let flags = Flags::read(table, section.flags.as_deref().unwrap_or_default(), problems);
    let spelling = Spelling {
        null_sender: match &section.null_sender {
            Some(Words(words)) => words.clone(),
            None => NULL_SENDER.into(),
        },
        fold_domain: flags.has('h'),
        fold_local_part: flags.has('u'),
        quote: flags.has('q'),
    };
    let form = Form {
        eol: match section.eol {
            Some(LineEnd::Crlf) => "\r\n".into(),
            Some(LineEnd::Lf) | None => "\n".into(),
        },
        from_line: flags.has('F'),
        return_path: flags.has('R'),
        original_to: flags.has('O'),
        delivered_to: flags.has('D'),
        blank_line: flags.has('B'),
        dots: flags.has('.'),
        quote_from: flags.has('>'),
    };
    if (form.original_to || form.delivered_to) && section.recipient_limit.get() > 1 {
        let message =
            "the flags D and O name one recipient, so the program can have one at a time only";
        problems.error(table, "recipient_limit", message).help("recipient_limit = 1");
    }
    let user = section.user.as_deref().map(|text| user(table, text, around, problems));
    let command = command(written, spelling, problems);
    let variables = around.environment.iter().filter(|(name, _)| KEPT.contains(&&**name));
    let returns = back.map(|back| (RETURN.to_owned(), reached_at(back).to_string()));
    Some(PipeFilter {
        command: command?,
        user: match user {
            None => None,
            Some(user) => Some(user?),
        },
        environment: variables.cloned().chain(returns).collect(),
        back,
        directory: section.directory.clone().unwrap_or_else(|| "/".into()),
        form,
        size_limit: section.size_limit.map(|size| size.bytes()),
    })
}

fn command(
    written: &Written<FilterSection>,
    spelling: Spelling,
    problems: &mut Problems<'_>,
) -> Option<Arguments> {
    let Written { table, section } = written;
    let words = Some(&section.command).filter(|words| !words.is_empty());
    let (program, words) = needed(written, "command", words, problems)?.split_first()?;
    let is_whole = program.starts_with('/');
    if !is_whole {
        let message = format!("{program:?} is no whole path, and nobody looks for programs");
        problems.element_error(table, "command", 0, message);
    }
    let mut arguments = Vec::with_capacity(words.len());
    for (index, word) in words.iter().enumerate() {
        match word.parse() {
            Ok(template) => arguments.push(template),
            Err(error) => {
                problems.element_error(table, "command", index + 1, format!("{word:?}: {error}"));
            }
        }
    }
    let is_understood = is_whole && arguments.len() == words.len();
    is_understood.then(|| Arguments { program: program.as_str().into(), arguments, spelling })
}

/// `user`, `user:group` or numbers, by passwd(5) and group(5).
fn user(
    table: &RawTable,
    text: &str,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Option<User> {
    let (name, group) =
        text.split_once(':').map_or((text, None), |(name, group)| (name, Some(group)));
    let (known, primary) = match look_up(around, "/etc/passwd", name) {
        Some(fields) => (number(&fields, 2), number(&fields, 3)),
        None => (name.parse().ok(), None),
    };
    let gid = match group {
        None => primary,
        Some(group) => match look_up(around, "/etc/group", group) {
            Some(fields) => number(&fields, 2),
            None => group.parse().ok(),
        },
    };
    match (known, gid) {
        (Some(0), _) | (_, Some(0)) => {
            problems
                .error(
                    table,
                    "user",
                    "a filter does not run as root or in its group, whatever it is",
                )
                .help("give it a user of its own");
            None
        }
        (Some(uid), Some(gid)) => Some(User { uid, gid }),
        _ => {
            let message = format!("{text:?} is nobody whom /etc/passwd and /etc/group know");
            problems.error(table, "user", message).help("write user, user:group, or two numbers");
            None
        }
    }
}

/// The fields of a line that begins with a name.
fn look_up(around: &Surroundings<'_>, file: &str, name: &str) -> Option<Vec<String>> {
    let lines = (around.files)(file.as_ref()).ok()?;
    let lines = String::from_utf8_lossy(&lines);
    let line = lines.lines().find(|line| line.split(':').next() == Some(name))?;
    Some(line.split(':').map(str::to_owned).collect())
}

fn number(fields: &[String], at: usize) -> Option<u32> {
    fields.get(at)?.parse().ok()
}

/// Letters of pipe(8).
struct Flags<'a>(&'a str);

impl<'a> Flags<'a> {
    fn read(table: &RawTable, written: &'a str, problems: &mut Problems<'_>) -> Self {
        if let Some(unknown) = written.chars().find(|flag| !FLAGS.contains(*flag)) {
            let message = format!("{unknown:?} is no flag of pipe(8)");
            problems.error(table, "flags", message).allowed(FLAGS.to_owned());
        }
        Self(written)
    }

    fn has(&self, flag: char) -> bool {
        self.0.contains(flag)
    }
}

/// Letters of pipe(8). `X` says that the delivery is final, which changes nothing here.
const FLAGS: &str = "BDFORXhqu.>";

/// What is left of the environment (Postfix `export_environment`).
const KEPT: [&str; 2] = ["TZ", "LANG"];

/// What pipe(8) writes for it.
const NULL_SENDER: &str = "MAILER-DAEMON";
