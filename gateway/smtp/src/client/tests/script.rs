//! A peer that follows a script, one line per line of the conversation:
//!
//! ```text
//! S: 220 mx.example           the peer sends a line
//! C: EHLO mail.example        the client must have sent this line
//! ~~ tls                      the handshake succeeds
//! ~~ no tls                   the handshake fails
//! ~~ close                    the peer closes the connection
//! ~~ silence                  the peer lets the deadline pass
//! * quit                      what the driver must have been told, in order, at any place
//! ```
//!
//! All lines of the client between two of the peer must come in one go: that is how a script says
//! what is pipelined.

use std::collections::VecDeque;

use super::driver::{Driver, Halt, Mail};
use crate::client::Settings;

/// Plays a script in every split of the peer's bytes, and with every chunk size of contents.
/// Ends with QUIT when the mails are through.
#[track_caller]
pub(super) fn play(settings: &Settings, mails: &[Mail], text: &str) {
    Play { settings, mails, text, quits: true }.in_all_splits();
}

/// As [`play`], but the driver does not leave by itself.
#[track_caller]
pub(super) fn play_staying(settings: &Settings, mails: &[Mail], text: &str) {
    Play { settings, mails, text, quits: false }.in_all_splits();
}

/// Plays a long script once, unsplit.
#[track_caller]
pub(super) fn play_once(driver: Driver, text: &str) {
    if let Err(what) = Stage::new(driver, text, Split::None).run() {
        panic!("{what}\nin the script\n{text}");
    }
}

/// Plays a script in which a line of the peer may come unasked: each line comes for itself.
#[track_caller]
pub(super) fn play_in_lines(driver: Driver, text: &str) {
    if let Err(what) = Stage::new(driver, text, Split::Lines).run() {
        panic!("{what}\nin the script\n{text}");
    }
}

struct Play<'a> {
    settings: &'a Settings,
    mails: &'a [Mail],
    text: &'a str,
    quits: bool,
}

/// How the peer's bytes are split.
#[derive(Clone, Copy, Debug)]
enum Split {
    None,
    Every(usize),
    /// Once, at this byte of all that the peer sends.
    At(usize),
    /// Behind each line.
    Lines,
}

impl Play<'_> {
    #[track_caller]
    fn in_all_splits(&self) {
        let sent: usize = self.text.lines().map(|line| line.trim().len()).sum();
        let every = (1..4).map(Split::Every);
        let once = (1..sent).map(Split::At);
        for split in std::iter::once(Split::None).chain(every).chain(once) {
            let driver = Driver::new(self.settings.clone(), self.mails.to_vec(), self.quits);
            if let Err(what) = Stage::new(driver, self.text, split).run() {
                panic!("{split:?}: {what}\nin the script\n{}", self.text);
            }
        }
    }
}

struct Stage {
    driver: Driver,
    split: Split,
    cues: VecDeque<Cue>,
    expected_told: Vec<String>,
    /// Bytes of the peer so far.
    spoken: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Cue {
    Says(Vec<u8>),
    Hears(String),
    Tls,
    NoTls,
    Close,
    Silence,
}

type Outcome = Result<(), String>;

impl Stage {
    fn new(driver: Driver, text: &str, split: Split) -> Self {
        let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
        let told = lines().filter_map(|line| line.strip_prefix("* ")).map(str::to_owned);
        let cues = lines().filter(|line| !line.starts_with('*')).map(cue);
        Self { driver, split, expected_told: told.collect(), cues: cues.collect(), spoken: 0 }
    }

    fn run(mut self) -> Outcome {
        loop {
            let halt = self.driver.run();
            self.hear(halt)?;
            let done = match halt {
                Halt::Tls => self.shake_hands()?,
                Halt::Content => self.take_content(),
                Halt::Read | Halt::Ready | Halt::Closed => self.speak()?,
            };
            if done {
                break;
            }
        }
        expect("what the driver was told", &self.driver.told, &self.expected_told)
    }

    /// Compares what the client sent, unless it is not flushed yet.
    fn hear(&mut self, halt: Halt) -> Outcome {
        if halt == Halt::Content {
            return Ok(());
        }
        let sent = String::from_utf8_lossy(&std::mem::take(&mut self.driver.wire)).into_owned();
        let mut expected = String::new();
        while let Some(Cue::Hears(line)) = self.cues.front() {
            expected.push_str(line);
            expected.push_str("\r\n");
            self.cues.pop_front();
        }
        expect("what the client sent", &sent, &expected)
    }

    fn shake_hands(&mut self) -> Result<bool, String> {
        match self.cues.pop_front() {
            Some(Cue::Tls) => self.driver.start_tls(),
            Some(Cue::NoTls) => self.driver.client.tls_failed("bad certificate"),
            other => return Err(format!("the client shakes hands, not: {other:?}")),
        }
        Ok(false)
    }

    fn take_content(&mut self) -> bool {
        match self.cues.front() {
            Some(Cue::Close) => self.driver.lose(),
            Some(Cue::Silence) => self.driver.wait_in_vain(),
            _ => return self.send_content(),
        }
        self.cues.pop_front();
        self.driver.wire.clear();
        false
    }

    fn send_content(&mut self) -> bool {
        let chunk = match self.split {
            Split::None | Split::Lines => usize::MAX,
            Split::Every(chunk) | Split::At(chunk) => chunk,
        };
        self.driver.send_content(chunk);
        false
    }

    /// The peer's turn. `true`: the script is over.
    fn speak(&mut self) -> Result<bool, String> {
        match self.cues.pop_front() {
            None => return Ok(true),
            Some(Cue::Close) => self.driver.lose(),
            Some(Cue::Silence) => self.driver.wait_in_vain(),
            Some(Cue::Says(bytes)) => self.say(bytes),
            other => return Err(format!("the client waits, not: {other:?}")),
        }
        Ok(false)
    }

    /// Sends all lines up to the client's next one, in pieces.
    fn say(&mut self, mut bytes: Vec<u8>) {
        while let Some(Cue::Says(more)) = self.cues.front() {
            bytes.extend_from_slice(more);
            self.cues.pop_front();
        }
        let mut rest = &*bytes;
        while !rest.is_empty() {
            let (piece, others) = rest.split_at(self.piece(rest));
            self.driver.client.receive(piece);
            self.spoken += piece.len();
            rest = others;
            if !rest.is_empty() {
                self.driver.run();
            }
        }
    }

    fn piece(&self, rest: &[u8]) -> usize {
        match self.split {
            Split::Every(size) => size.min(rest.len()),
            Split::At(at) if at > self.spoken && at < self.spoken + rest.len() => at - self.spoken,
            Split::At(_) | Split::None => rest.len(),
            Split::Lines => memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1),
        }
    }
}

fn cue(line: &str) -> Cue {
    let (mark, text) = line.split_once(' ').unwrap_or((line, ""));
    let bytes = || format!("{text}\r\n").into_bytes();
    match (mark, text) {
        ("S:", _) => Cue::Says(bytes()),
        ("C:", _) => Cue::Hears(text.to_owned()),
        ("~~", "tls") => Cue::Tls,
        ("~~", "no tls") => Cue::NoTls,
        ("~~", "close") => Cue::Close,
        ("~~", "silence") => Cue::Silence,
        _ => panic!("not a line of a script: {line}"),
    }
}

fn expect<T: PartialEq + std::fmt::Debug + ?Sized>(what: &str, is: &T, wanted: &T) -> Outcome {
    if is == wanted { Ok(()) } else { Err(format!("{what} is\n{is:#?}\nand not\n{wanted:#?}")) }
}
