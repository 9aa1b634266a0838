//! How a program ended, and what that says of the mail.

use mailweir_mail::{Enhanced, Reply};

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this status.
    Exited(i32),
    /// By a signal.
    Killed(i32),
    /// It took too long and was killed, with all its children.
    TimedOut,
    /// It could not be started, for this reason.
    NotStarted(Box<str>),
    /// Nobody knows how, for this reason.
    Lost(Box<str>),
}

/// What a program says of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has taken the mail. What it printed.
    Taken(Box<str>),
    /// Later.
    Deferred(Reply),
    /// The mail goes back to its sender.
    Refused(Reply),
    /// Nothing: the program has failed, and for this reason. What becomes of the mail is for the administrator to say.
    Failed(Box<str>),
}

/// What the end of a program says (pipe(8), DIAGNOSTICS). `output`: what it printed, of which the first
/// [`MOST_OUTPUT`] bytes count.
///
/// Statuses of sysexits(3) mean what they mean in Postfix. There, every other status, and a program that takes too
/// long, returns the mail to its sender; here the program has failed.
#[must_use]
pub fn verdict(ended: &Ended, output: &[u8]) -> Verdict {
    let said = printable(output);
    match ended {
        Ended::Exited(0) => Verdict::Taken(said.into()),
        Ended::Exited(status) => of_status(*status, &said),
        Ended::Killed(signal) => {
            Verdict::Failed(with_output(&format!("it was killed by signal {signal}"), &said))
        }
        Ended::TimedOut => Verdict::Failed("it took too long".into()),
        Ended::NotStarted(why) => Verdict::Failed(format!("it cannot be started: {why}").into()),
        Ended::Lost(why) => Verdict::Failed(format!("nobody knows how it ended: {why}").into()),
    }
}

fn of_status(status: i32, said: &str) -> Verdict {
    if let Some((enhanced, text)) = own_status(said) {
        return refusal(enhanced, text.to_owned());
    }
    match SYSEXITS.iter().find(|(known, ..)| *known == status) {
        Some((_, enhanced, meaning)) => refusal(*enhanced, with_output(meaning, said).into()),
        None => Verdict::Failed(with_output(&format!("it ended with status {status}"), said)),
    }
}

fn refusal(enhanced: Enhanced, text: String) -> Verdict {
    match enhanced.0 {
        4 => Verdict::Deferred(Reply::with_text(450, enhanced, text)),
        _ => Verdict::Refused(Reply::with_text(550, enhanced, text)),
    }
}

fn with_output(what: &str, said: &str) -> Box<str> {
    if said.is_empty() { what.into() } else { format!("{what}. Command output: {said}").into() }
}

/// A status code of RFC 3463 at the beginning of what was printed decides, whatever status of sysexits(3) is beside it.
fn own_status(said: &str) -> Option<(Enhanced, &str)> {
    let (code, text) = said.split_once(' ').unwrap_or((said, ""));
    let mut numbers = code.split('.').map(|digits| {
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && digits.len() <= 3).then(|| digits.parse::<u16>().ok()).flatten()
    });
    let (class, subject, detail) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let class = u8::try_from(class).ok().filter(|class| matches!(class, 4 | 5))?;
    numbers.next().is_none().then_some((Enhanced(class, subject, detail), text.trim_start()))
}

/// The beginning of what was printed, on one line.
fn printable(output: &[u8]) -> String {
    let output = &output[..output.len().min(MOST_OUTPUT)];
    let shown = |c: char| match c {
        '\t' | '\n' | '\r' => ' ',
        c if c.is_control() => '_',
        c => c,
    };
    let text: String = String::from_utf8_lossy(output).chars().map(shown).collect();
    text.trim().to_owned()
}

/// sysexits(3), as Postfix's pipe(8) takes it: its `sys_exits` table.
const SYSEXITS: [(i32, Enhanced, &str); 15] = [
    (64, Enhanced(5, 3, 0), "command line usage error"),
    (65, Enhanced(5, 6, 0), "data format error"),
    (66, Enhanced(5, 3, 0), "cannot open input"),
    (67, Enhanced(5, 1, 1), "user unknown"),
    (68, Enhanced(5, 1, 2), "host name unknown"),
    (69, Enhanced(5, 3, 0), "service unavailable"),
    (70, Enhanced(5, 3, 0), "internal software error"),
    (71, Enhanced(4, 3, 0), "system resource problem"),
    (72, Enhanced(5, 3, 0), "critical OS file missing"),
    (73, Enhanced(5, 2, 0), "can't create user output file"),
    (74, Enhanced(5, 3, 0), "input/output error"),
    (75, Enhanced(4, 3, 0), "temporary failure"),
    (76, Enhanced(5, 5, 0), "remote error in protocol"),
    (77, Enhanced(5, 7, 0), "permission denied"),
    (78, Enhanced(5, 3, 5), "local configuration error"),
];

/// As much of what a program prints as counts, in bytes (Postfix: one buffer of a stream).
pub const MOST_OUTPUT: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    fn later(enhanced: Enhanced, text: &str) -> Verdict {
        Verdict::Deferred(Reply::with_text(450, enhanced, text.to_owned()))
    }

    fn never(enhanced: Enhanced, text: &str) -> Verdict {
        Verdict::Refused(Reply::with_text(550, enhanced, text.to_owned()))
    }

    #[test]
    fn the_statuses_of_the_filter_readme_mean_what_they_mean_there() {
        for (status, output, expected) in [
            (0, "", Verdict::Taken("".into())),
            (0, "5.7.1 no", Verdict::Taken("5.7.1 no".into())),
            (75, "", later(Enhanced(4, 3, 0), "temporary failure")),
            (
                69,
                "Content rejected\n",
                never(Enhanced(5, 3, 0), "service unavailable. Command output: Content rejected"),
            ),
            (71, "", later(Enhanced(4, 3, 0), "system resource problem")),
            (67, "", never(Enhanced(5, 1, 1), "user unknown")),
            (77, "", never(Enhanced(5, 7, 0), "permission denied")),
            (78, "", never(Enhanced(5, 3, 5), "local configuration error")),
        ] {
            let ended = Ended::Exited(status);
            assert_eq!(verdict(&ended, output.as_bytes()), expected, "{status} {output:?}");
        }
    }

    #[test]
    fn a_status_code_that_a_program_prints_decides() {
        for (status, output, expected) in [
            (1, "4.7.1 try later\n", later(Enhanced(4, 7, 1), "try later")),
            (75, "5.7.1 no\tspam\x07", never(Enhanced(5, 7, 1), "no spam_")),
            (69, "5.1.1", never(Enhanced(5, 1, 1), "")),
            (
                75,
                "2.0.0 ok",
                later(Enhanced(4, 3, 0), "temporary failure. Command output: 2.0.0 ok"),
            ),
            (
                75,
                "5.7 half",
                later(Enhanced(4, 3, 0), "temporary failure. Command output: 5.7 half"),
            ),
            (
                75,
                "5.7.1.2 x",
                later(Enhanced(4, 3, 0), "temporary failure. Command output: 5.7.1.2 x"),
            ),
        ] {
            let ended = Ended::Exited(status);
            assert_eq!(verdict(&ended, output.as_bytes()), expected, "{status} {output:?}");
        }
    }

    #[test]
    fn a_program_that_fails_says_nothing_of_the_mail() {
        for (ended, output, expected) in [
            (Ended::Exited(1), "", "it ended with status 1"),
            (Ended::Exited(127), "no\nsuch", "it ended with status 127. Command output: no such"),
            (Ended::Killed(9), "5.7.1 no", "it was killed by signal 9. Command output: 5.7.1 no"),
            (Ended::TimedOut, "5.7.1 no", "it took too long"),
            (Ended::NotStarted("gone".into()), "", "it cannot be started: gone"),
            (Ended::Lost("gone".into()), "250", "nobody knows how it ended: gone"),
        ] {
            let expected = Verdict::Failed(expected.into());
            assert_eq!(verdict(&ended, output.as_bytes()), expected, "{ended:?}");
        }
    }

    #[test]
    fn endless_output_is_cut_and_commands_no_terminal() {
        let output = [b"\x1b[2J\xff".as_slice(), &[b'x'; 100_000]].concat();
        let Verdict::Taken(text) = verdict(&Ended::Exited(0), &output) else { panic!() };
        assert!(text.starts_with("_[2J\u{fffd}x") && text.len() < MOST_OUTPUT + 8, "{text}");
    }
}
