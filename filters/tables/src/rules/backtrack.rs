//! The backtracking engine: PCRE2, with limits, for what no automaton can do.
//!
//! The limits bound what one key can cost (`attacks.md` I1), and with the [`PatternSteps`] of the mail
//! what all of them can (`ladder`). They stand in front of the pattern. Limits of its own are left
//! out: of several PCRE2 takes the last.

use std::fmt;

use super::{
    Matching,
    ladder::{Framed, Ladder, builder},
    pattern::Groups,
    source::Flags,
};
use crate::PatternSteps;

/// A pattern for the backtracking engine.
#[derive(Debug)]
pub(super) struct Backtracker {
    ladder: Ladder,
    at_newline: AtNewline,
}

/// What a pattern is for keys that end with a newline. The flag `E`, with which `$` does not match
/// before it, is not part of the interface.
#[derive(Debug)]
enum AtNewline {
    Same,
    Other(Box<Ladder>),
    /// Nothing can be said.
    Unknown,
}

/// Why there is no answer for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// A limit was reached.
    TooManySteps,
    /// The other lookups of the mail left too few steps.
    NoneLeft,
    /// The pattern cannot be applied to this key, as `(*UTF)` to bytes that are none. Postfix
    /// then goes on as if the rule were not there.
    NotApplicable,
    /// The pattern means something that we cannot say for this key.
    Unknown,
}

/// Why a pattern is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// PCRE2 says that it is wrong, at this offset, for this reason.
    Wrong(usize, String),
    /// What regerror(3) says of it.
    Posix(&'static str),
    /// PCRE2 would take it, but not through the interface that we have.
    Unsupported(&'static str),
}

impl Backtracker {
    pub(super) fn new(text: &[u8], flags: Flags, matching: Matching) -> Result<Self, Refusal> {
        let text = as_utf8(text, matching)?;
        // What is wrong with a pattern is said without what we put around it.
        if flags.anchored {
            builder(flags, matching).build(&text).map_err(|error| refusal(&error, 0))?;
        }
        let (own, text) = text.split_at(settings_length(&text));
        let settings = without_limits(own);
        let build = |text: &str| {
            let (settings, text) = (settings.clone(), text.to_owned());
            let left_out = own.len() - settings.len();
            Ladder::new(Framed { settings, text, flags, matching })
                .map_err(|(error, before)| refusal(&error, before.saturating_sub(left_out)))
        };
        let ladder = build(text)?;
        let at_newline = if flags.dollar_end_only && !flags.multi_line && text.contains('$') {
            match end_only(text) {
                Some(text) => AtNewline::Other(Box::new(build(&text)?)),
                None => AtNewline::Unknown,
            }
        } else {
            AtNewline::Same
        };
        Ok(Self { ladder, at_newline })
    }

    /// A pattern that we wrote ourselves, in which each character says what it is.
    pub(super) fn for_posix(
        text: &str,
        caseless: bool,
        matching: Matching,
    ) -> Result<Self, Refusal> {
        let flags = Flags { caseless, ..Flags::default() };
        let source = Framed { settings: String::new(), text: text.to_owned(), flags, matching };
        let ladder =
            Ladder::new(source).map_err(|_| Refusal::Unsupported("too large a pattern"))?;
        Ok(Self { ladder, at_newline: AtNewline::Same })
    }

    /// How many groups the pattern has.
    pub(super) fn groups(&self) -> u32 {
        self.ladder.groups()
    }

    pub(super) fn is_match(&self, key: &[u8], steps: &PatternSteps) -> Result<bool, Stop> {
        self.ladder_for(key)?.ask(key, steps, |regex| {
            if key.len() > LONG_KEY {
                // What a long key makes PCRE2 allocate is given back with the clone.
                return regex.clone().is_match(key);
            }
            regex.is_match(key)
        })
    }

    /// Where the groups matched; index 0 is the whole.
    pub(super) fn captures(
        &self,
        key: &[u8],
        steps: &PatternSteps,
    ) -> Result<Option<Groups>, Stop> {
        self.ladder_for(key)?.ask(key, steps, |regex| {
            let mut locations = regex.capture_locations();
            let found = regex.captures_read(&mut locations, key)?;
            Ok(found.map(|_| (0..locations.len()).map(|group| locations.get(group)).collect()))
        })
    }

    fn ladder_for(&self, key: &[u8]) -> Result<&Ladder, Stop> {
        match &self.at_newline {
            AtNewline::Other(ladder) if key.ends_with(b"\n") => Ok(ladder),
            AtNewline::Unknown if key.ends_with(b"\n") => Err(Stop::Unknown),
            AtNewline::Same | AtNewline::Other(_) | AtNewline::Unknown => Ok(&self.ladder),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(offset, reason) => {
                write!(f, "error in regex at offset {offset}: {reason}")
            }
            Self::Posix(what) | Self::Unsupported(what) => f.write_str(what),
        }
    }
}

/// How much of a pattern is settings, which only its beginning takes: `(*UTF)(*CRLF)`.
fn settings_length(text: &str) -> usize {
    let mut rest = text;
    while let Some((name, after)) = rest.strip_prefix("(*").and_then(|rest| rest.split_once(')')) {
        if !SETTINGS.contains(&name) && !name.starts_with("LIMIT_") {
            break;
        }
        rest = after;
    }
    text.len() - rest.len()
}

fn without_limits(settings: &str) -> String {
    settings.split_inclusive(')').filter(|one| !one.starts_with("(*LIMIT_")).collect()
}

/// The interface takes UTF-8. Bytes that are none are written as numbers, which mean the same.
fn as_utf8(text: &[u8], matching: Matching) -> Result<String, Refusal> {
    if let Ok(text) = std::str::from_utf8(text) {
        return Ok(text.to_owned());
    }
    if matching == Matching::Text {
        return Err(Refusal::Wrong(0, "the pattern is not UTF-8".into()));
    }
    let mut written = String::with_capacity(text.len() * 2);
    let mut quoted = false;
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        rest = after;
        match (*byte, after) {
            (b'\\', [b'E', ..]) => quoted = false,
            (b'\\', [b'Q', ..]) => quoted = true,
            // A backslash before such a byte means the byte, and would spoil the number.
            (b'\\', [next, ..]) if !quoted && !next.is_ascii() => continue,
            (b'\\', [next, more @ ..]) if !quoted => {
                written.push('\\');
                written.push(char::from(*next));
                rest = more;
                continue;
            }
            _ => {}
        }
        match (*byte, quoted) {
            (0x80.., false) => written.push_str(&format!("\\x{byte:02x}")),
            (0x80.., true) => written.push_str(&format!("\\E\\x{byte:02x}\\Q")),
            _ => written.push(char::from(*byte)),
        }
    }
    Ok(written)
}

/// With the flag `E`, `$` is `\z`. `None` where a `$` may be something else.
fn end_only(text: &str) -> Option<String> {
    if text.contains(['[', '#']) || text.contains("(?") || text.contains("\\Q") {
        return None;
    }
    let mut written = String::with_capacity(text.len() + 8);
    let mut escaped = false;
    for character in text.chars() {
        match character {
            '$' if !escaped => written.push_str("\\z"),
            _ => written.push(character),
        }
        escaped = character == '\\' && !escaped;
    }
    Some(written)
}

fn refusal(error: &pcre2::Error, before: usize) -> Refusal {
    let offset = error.offset().unwrap_or(0).saturating_sub(before);
    let text = error.to_string();
    let reason = text.splitn(3, ": ").nth(2).unwrap_or(&text);
    Refusal::Wrong(offset, reason.to_owned())
}

pub(super) fn stop(error: &pcre2::Error) -> Stop {
    // pcre2api(3): PCRE2_ERROR_MATCHLIMIT, DEPTHLIMIT, HEAPLIMIT, NOMEMORY.
    match error.code() {
        -47 | -53 | -63 | -48 => Stop::TooManySteps,
        _ => Stop::NotApplicable,
    }
}

/// pcre2syntax(3), "option setting" and what follows it.
const SETTINGS: [&str; 15] = [
    "UTF",
    "UCP",
    "NOTEMPTY",
    "NOTEMPTY_ATSTART",
    "NO_AUTO_POSSESS",
    "NO_DOTSTAR_ANCHOR",
    "NO_JIT",
    "NO_START_OPT",
    "CR",
    "LF",
    "CRLF",
    "ANYCRLF",
    "ANY",
    "BSR_ANYCRLF",
    "BSR_UNICODE",
];

/// Bytes. Longer keys get memory of their own.
const LONG_KEY: usize = 4096;
