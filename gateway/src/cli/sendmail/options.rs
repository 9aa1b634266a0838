//! The words behind `sendmail`, read as Postfix's sendmail(1) reads them: options in front, letters together.

use std::{
    ffi::OsString,
    iter::Peekable,
    path::{Path, PathBuf},
};

use mailweir_mail::{BodyType, EnvelopeId, Notify, Return};

/// What is to be done, and how.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) task: Task,
    /// The envelope sender, without angle brackets. Empty: nobody. Absent: who runs the program.
    pub(super) sender: Option<String>,
    /// For a From header that is added.
    pub(super) full_name: Option<String>,
    /// As they were written: addresses, or lists of them.
    pub(super) recipients: Vec<String>,
    /// Whether the header names recipients too.
    pub(super) header_recipients: bool,
    /// Whether the mail comes from elsewhere: its header is complete as it is.
    pub(super) relayed: bool,
    /// Whether a lone dot is content.
    pub(super) keeps_dots: bool,
    pub(super) body: BodyType,
    pub(super) notify: Option<Notify>,
    pub(super) ret: Option<Return>,
    pub(super) envid: Option<EnvelopeId>,
    /// The server that gets the mail, `HOST:PORT`.
    pub(super) to: Option<String>,
    pub(super) config: Option<PathBuf>,
    /// Values that make no sense and do no harm.
    pub(super) warnings: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Task {
    /// `-bm`, and without any word of it.
    #[default]
    Send,
    /// `-bs`.
    Converse,
    /// `-bp`.
    List,
    /// `-q`.
    Flush,
    /// `--help`.
    Help,
}

/// Words that make no sense, in words for the terminal.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Usage(Box<str>);

impl Options {
    pub(super) fn parse(words: &[OsString]) -> Result<Self, Usage> {
        let words = words.iter().map(|word| word.to_str().ok_or_else(|| no_text(word)));
        let words = words.collect::<Result<Vec<_>, _>>()?;
        let mut options = Self::default();
        let mut words = words.into_iter().peekable();
        while let Some(word) = words.next_if(|word| word.len() > 1 && word.starts_with('-')) {
            match word.strip_prefix("--") {
                Some("") => break,
                Some(name) => options.long(name, &mut words)?,
                None => options.letters(&word[1..], &mut words)?,
            }
        }
        options.recipients = words.map(str::to_owned).collect();
        if options.task == Task::Send && options.recipients.is_empty() && !options.header_recipients
        {
            return Err(usage(
                "recipients must be named on the command line, or in the header with -t",
            ));
        }
        Ok(options)
    }

    fn long<'w>(
        &mut self,
        name: &str,
        words: &mut Peekable<impl Iterator<Item = &'w str>>,
    ) -> Result<(), Usage> {
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (name, None),
        };
        match name {
            "help" => self.task = Task::Help,
            "to" => {
                let to = value.or_else(|| words.next()).unwrap_or_default();
                if !is_host_and_port(to) {
                    return Err(usage(&format!(
                        "--to {to:?}: write HOST:PORT, such as 127.0.0.1:25"
                    )));
                }
                self.to = Some(to.to_owned());
            }
            _ => return Err(usage(&format!("invalid option --{name}; --help lists all"))),
        }
        Ok(())
    }

    fn letters<'w>(
        &mut self,
        letters: &'w str,
        words: &mut Peekable<impl Iterator<Item = &'w str>>,
    ) -> Result<(), Usage> {
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            let rest = letters.as_str();
            match letter {
                'q' => return self.queue(rest),
                letter if !TAKE_ARGUMENT.contains(letter) => self.letter(letter)?,
                letter => {
                    let argument = if rest.is_empty() { words.next() } else { Some(rest) };
                    let argument = argument.ok_or_else(|| {
                        usage(&format!("option requires an argument -- '{letter}'"))
                    })?;
                    if letter == 'o' && takes_value(argument) {
                        words.next();
                    }
                    return self.argument(letter, argument);
                }
            }
        }
        Ok(())
    }

    fn letter(&mut self, letter: char) -> Result<(), Usage> {
        match letter {
            'G' => self.relayed = true,
            'i' => self.keeps_dots = true,
            't' => self.header_recipients = true,
            'I' => return Err(no_alias_database()),
            // About reports, alias tables and logs.
            'U' | 'c' | 'm' | 'n' | 'v' | 'x' => {}
            _ => return Err(usage(&format!("invalid option -- '{letter}'; --help lists all"))),
        }
        Ok(())
    }

    fn argument(&mut self, letter: char, argument: &str) -> Result<(), Usage> {
        match letter {
            'B' => self.body = body(argument)?,
            'C' => self.config = Some(config(argument)),
            'F' => self.full_name = Some(argument.to_owned()),
            'N' => self.notify = self.known("-N", argument, notify(argument)),
            'R' => self.ret = self.known("-R", argument, ret(argument)),
            'V' => self.envid = self.known("-V", argument, EnvelopeId::new(argument)),
            'X' if argument.starts_with('V') => {
                return Err(usage("-XV: a sender address for each recipient is not made here"));
            }
            'b' => self.task = task(argument)?,
            'f' | 'r' => self.sender = Some(without_brackets(argument).to_owned()),
            'o' if argument == "i" => self.keeps_dots = true,
            // A, L, O, X, e, h, o, p: what the configuration says here, or nobody needs.
            _ => {}
        }
        Ok(())
    }

    fn queue(&mut self, what: &str) -> Result<(), Usage> {
        match what.chars().next() {
            None => self.task = Task::Flush,
            Some('0'..='9') => {}
            Some(_) => {
                let message = format!("-q{what} is not there; -q tries all mail that waits");
                return Err(usage(&message));
            }
        }
        Ok(())
    }

    /// A value that cannot be read is as if it was not there, as in Postfix.
    fn known<T>(&mut self, option: &str, argument: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.warnings.push(format!("{option} {argument:?} makes no sense and is ignored"));
        }
        value
    }
}

/// Whether this is `HOST:PORT`, an IPv6 address in brackets.
pub(super) fn is_host_and_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        let is_bare_ipv6 = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
        !host.is_empty() && !is_bare_ipv6 && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

fn task(letters: &str) -> Result<Task, Usage> {
    match letters {
        "m" => Ok(Task::Send),
        "p" => Ok(Task::List),
        "s" => Ok(Task::Converse),
        "i" => Err(no_alias_database()),
        "d" | "l" => Err(usage(&format!("-b{letters}: `mailweir serve` runs the gateway"))),
        "v" => Err(usage(
            "-bv: `mailweir explain --to ADDRESS` says what becomes of mail to an address",
        )),
        _ => Err(usage(&format!("unsupported: -b{letters}"))),
    }
}

fn body(name: &str) -> Result<BodyType, Usage> {
    if name.eq_ignore_ascii_case("8BITMIME") {
        Ok(BodyType::EightBitMime)
    } else if name.eq_ignore_ascii_case("7BIT") {
        Ok(BodyType::SevenBit)
    } else {
        Err(usage("-B needs 8BITMIME or 7BIT"))
    }
}

fn notify(list: &str) -> Option<Notify> {
    if list.eq_ignore_ascii_case("never") {
        return Some(Notify::Never);
    }
    let (mut success, mut failure, mut delay) = (false, false, false);
    for word in list.split(',') {
        match word.trim().to_ascii_lowercase().as_str() {
            "success" => success = true,
            "failure" => failure = true,
            "delay" => delay = true,
            _ => return None,
        }
    }
    Some(Notify::On { success, failure, delay })
}

fn ret(word: &str) -> Option<Return> {
    match word.to_ascii_lowercase().as_str() {
        "full" => Some(Return::Full),
        "hdrs" => Some(Return::Headers),
        _ => None,
    }
}

/// The file, or that of the usual name in a directory.
fn config(path: &str) -> PathBuf {
    let path = Path::new(path);
    if path.is_dir() { path.join("mailweir.toml") } else { path.to_owned() }
}

fn without_brackets(address: &str) -> &str {
    let address = address.trim();
    address.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(address)
}

/// Whether `-o` has its value in the next word: `-oQ DIR`. Those with a meaning have none.
fn takes_value(option: &str) -> bool {
    option.len() == 1 && !matches!(option, "7" | "8" | "i" | "m")
}

fn no_alias_database() -> Usage {
    usage("there are no alias databases to make: tables are read as text")
}

fn no_text(word: &OsString) -> Usage {
    usage(&format!("{word:?} is not UTF-8"))
}

fn usage(text: &str) -> Usage {
    Usage(text.into())
}

const TAKE_ARGUMENT: &str = "ABCFLNORVXbefhopr";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options, String> {
        let words: Vec<_> = words.iter().map(OsString::from).collect();
        Options::parse(&words).map_err(|error| error.to_string())
    }

    fn to(recipient: &str) -> Options {
        Options { recipients: vec![recipient.to_owned()], ..Options::default() }
    }

    #[test]
    fn options_of_scripts_and_programs_mean_what_they_mean_to_postfix() {
        let bob = || Some("bob".to_owned());
        let header = || Options { header_recipients: true, ..Options::default() };
        let on = |success, failure, delay| Some(Notify::On { success, failure, delay });
        for (words, expected) in [
            (&["a@b"][..], to("a@b")),
            (&["-i", "a@b"], Options { keeps_dots: true, ..to("a@b") }),
            (&["-oi", "a@b"], Options { keeps_dots: true, ..to("a@b") }),
            (&["-o", "i", "a@b"], Options { keeps_dots: true, ..to("a@b") }),
            (&["-ti"], Options { keeps_dots: true, ..header() }),
            (&["-fbob", "a@b"], Options { sender: bob(), ..to("a@b") }),
            (&["-f", "bob", "a@b"], Options { sender: bob(), ..to("a@b") }),
            (&["-r", "<bob>", "a@b"], Options { sender: bob(), ..to("a@b") }),
            (&["-if", "bob", "a@b"], Options { sender: bob(), keeps_dots: true, ..to("a@b") }),
            (&["-f", "", "a@b"], Options { sender: Some(String::new()), ..to("a@b") }),
            (&["-f", "<>", "a@b"], Options { sender: Some(String::new()), ..to("a@b") }),
            (&["-F", "Bob B", "-t"], Options { full_name: Some("Bob B".to_owned()), ..header() }),
            (
                &["-G", "-i", "-f", "bob", "--", "-x@y"],
                Options { relayed: true, keeps_dots: true, sender: bob(), ..to("-x@y") },
            ),
            (&["-N", "success,delay", "-t"], Options { notify: on(true, false, true), ..header() }),
            (&["-N", "Never", "-t"], Options { notify: Some(Notify::Never), ..header() }),
            (&["-R", "hdrs", "-t"], Options { ret: Some(Return::Headers), ..header() }),
            (&["-V", "a+b", "-t"], Options { envid: EnvelopeId::new("a+b"), ..header() }),
            (&["-B8BITMIME", "-t"], Options { body: BodyType::EightBitMime, ..header() }),
            (&["-bs"], Options { task: Task::Converse, ..Options::default() }),
            (&["-bp"], Options { task: Task::List, ..Options::default() }),
            (&["-q"], Options { task: Task::Flush, ..Options::default() }),
            (&["--to", "[::1]:25", "-t"], Options { to: Some("[::1]:25".to_owned()), ..header() }),
            (&["--to=h:25", "-t"], Options { to: Some("h:25".to_owned()), ..header() }),
        ] {
            assert_eq!(parse(words), Ok(expected), "{words:?}");
        }
    }

    #[test]
    fn what_changes_nothing_is_taken_with_its_values() {
        for words in [
            "-oem -om -o7 -oQ dir -O a=b -e m -em -h 5 -L x -p x -X log -Am -U -v -v -n -m -q5m -bm",
            "-vnmU -oo x -OQueueDirectory=/x",
        ] {
            let words: Vec<_> = words.split(' ').chain(["a@b"]).collect();
            assert_eq!(parse(&words), Ok(to("a@b")), "{words:?}");
        }
    }

    #[test]
    fn options_stand_in_front() {
        let options = parse(&["a@b", "-f", "-"]).unwrap();
        assert_eq!(options.recipients, ["a@b", "-f", "-"]);
        assert_eq!(parse(&["-"]).unwrap().recipients, ["-"]);
    }

    #[test]
    fn values_that_make_no_sense_are_told_of_and_ignored() {
        let words = ["-N", "sometimes", "-R", "half", "-V", "\n", "-t"];
        let options = parse(&words).unwrap();
        assert_eq!(options.warnings.len(), 3, "{options:?}");
        assert_eq!((options.notify, options.ret, options.envid), (None, None, None));
    }

    #[test]
    fn words_that_make_no_sense_are_refused() {
        for (words, said) in [
            (&[][..], "recipients must be named"),
            (&["-f", "a@b"], "recipients must be named"),
            (&["--"], "recipients must be named"),
            (&["-Z", "a@b"], "invalid option -- 'Z'"),
            (&["--frob", "a@b"], "invalid option --frob"),
            (&["-f"], "requires an argument -- 'f'"),
            (&["-o"], "requires an argument -- 'o'"),
            (&["-B", "9BIT", "a@b"], "-B needs"),
            (&["-bv", "a@b"], "mailweir explain"),
            (&["-bd"], "mailweir serve"),
            (&["-bx"], "unsupported: -bx"),
            (&["-bi"], "no alias databases"),
            (&["-qRsite"], "-qRsite is not there"),
            (&["-XV", "a@b"], "-XV"),
            (&["--to", "::1:25", "a@b"], "HOST:PORT"),
            (&["--to", "host", "a@b"], "HOST:PORT"),
            (&["--to", "host:0", "a@b"], "HOST:PORT"),
            (&["--to"], "HOST:PORT"),
        ] {
            let refused = parse(words).unwrap_err();
            assert!(refused.contains(said), "{words:?}: {refused}");
        }
    }
}
