//! Counts of commands, for the line that Postfix logs when a peer leaves.

use std::fmt;

use super::command::Verb;

/// How often each command came and how often it succeeded.
///
/// Shows as Postfix logs it: `ehlo=1 auth=0/1 mail=1 quit=1 commands=3/4`.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    counts: [Count; Verb::ALL.len()],
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    asked: u32,
    done: u32,
}

impl Tally {
    /// A command came.
    pub(super) fn asked(&mut self, verb: Verb) {
        let count = &mut self.counts[verb as usize];
        count.asked = count.asked.saturating_add(1);
    }

    /// It succeeded.
    pub(super) fn done(&mut self, verb: Verb) {
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
                write_count(f, &verb.name().to_ascii_lowercase(), count)?;
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
