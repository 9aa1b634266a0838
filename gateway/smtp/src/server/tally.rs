//! Counts of commands, for the line that Postfix logs when a peer leaves.

use std::fmt;

/// How often each command came and how often it succeeded.
///
/// Shows as Postfix logs it: `ehlo=1 auth=0/1 mail=1 quit=1 commands=3/4`.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    counts: [Count; Verb::COUNT],
}

/// A command as far as it is counted, in the order in which Postfix prints them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Helo,
    Ehlo,
    Lhlo,
    Xclient,
    Xforward,
    Starttls,
    Auth,
    Mail,
    Rcpt,
    Data,
    Bdat,
    Rset,
    Noop,
    Vrfy,
    Etrn,
    Help,
    Expn,
    Quit,
    Unknown,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    asked: u32,
    done: u32,
}

impl Tally {
    pub(crate) fn asked(&mut self, verb: Verb) {
        let count = &mut self.counts[verb as usize];
        count.asked = count.asked.saturating_add(1);
    }

    pub(crate) fn done(&mut self, verb: Verb) {
        let count = &mut self.counts[verb as usize];
        count.done = count.done.saturating_add(1);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = Count::default();
        for verb in Verb::ALL {
            let count = self.counts[verb as usize];
            if count.asked > 0 {
                write_count(f, verb.label(), count)?;
                f.write_str(" ")?;
            }
            all.asked = all.asked.saturating_add(count.asked);
            all.done = all.done.saturating_add(count.done);
        }
        write_count(f, "commands", all)
    }
}

fn write_count(f: &mut fmt::Formatter<'_>, label: &str, count: Count) -> fmt::Result {
    write!(f, "{label}={}", count.done)?;
    if count.done == count.asked { Ok(()) } else { write!(f, "/{}", count.asked) }
}

impl Verb {
    const ALL: [Self; 19] = [
        Self::Helo,
        Self::Ehlo,
        Self::Lhlo,
        Self::Xclient,
        Self::Xforward,
        Self::Starttls,
        Self::Auth,
        Self::Mail,
        Self::Rcpt,
        Self::Data,
        Self::Bdat,
        Self::Rset,
        Self::Noop,
        Self::Vrfy,
        Self::Etrn,
        Self::Help,
        Self::Expn,
        Self::Quit,
        Self::Unknown,
    ];
    const COUNT: usize = Self::ALL.len();

    /// The name in the counts.
    const fn label(self) -> &'static str {
        match self {
            Self::Helo => "helo",
            Self::Ehlo => "ehlo",
            Self::Lhlo => "lhlo",
            Self::Xclient => "xclient",
            Self::Xforward => "xforward",
            Self::Starttls => "starttls",
            Self::Auth => "auth",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::Bdat => "bdat",
            Self::Rset => "rset",
            Self::Noop => "noop",
            Self::Vrfy => "vrfy",
            Self::Etrn => "etrn",
            Self::Help => "help",
            Self::Expn => "expn",
            Self::Quit => "quit",
            Self::Unknown => "unknown",
        }
    }

    /// The name in log lines: `lost connection after DATA`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Helo => "HELO",
            Self::Ehlo => "EHLO",
            Self::Lhlo => "LHLO",
            Self::Xclient => "XCLIENT",
            Self::Xforward => "XFORWARD",
            Self::Starttls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Data => "DATA",
            Self::Bdat => "BDAT",
            Self::Rset => "RSET",
            Self::Noop => "NOOP",
            Self::Vrfy => "VRFY",
            Self::Etrn => "ETRN",
            Self::Help => "HELP",
            Self::Expn => "EXPN",
            Self::Quit => "QUIT",
            Self::Unknown => "UNKNOWN",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_show_as_postfix_logs_them() {
        let mut tally = Tally::default();
        for verb in [Verb::Quit, Verb::Ehlo, Verb::Mail] {
            tally.asked(verb);
            tally.done(verb);
        }
        tally.asked(Verb::Auth);
        assert_eq!(tally.to_string(), "ehlo=1 auth=0/1 mail=1 quit=1 commands=3/4");
        assert_eq!(Tally::default().to_string(), "commands=0");
    }
}
