//! Random command sequences against a model that fits on a page: which replies come, and which
//! mails are queued.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::time::Instant;

use mailweir_mail::Domain;
use mailweir_smtp::server::{Rights, Settings};
use mailweir_tests::rig::Rig;
use proptest::prelude::*;

/// What a client does.
#[derive(Clone, Debug)]
enum Action {
    Ehlo,
    Mail { size: Option<u32> },
    Rcpt { known: bool },
    Data { lines: u8, refused: bool },
    Bdat { bytes: u8, last: bool },
    Rset,
    Noop,
    Unknown,
}

/// Where the model stands: what a transaction has so far.
#[derive(Clone, Debug, Default)]
enum Model {
    #[default]
    Idle,
    Addressing {
        recipients: usize,
    },
    Chunked {
        recipients: usize,
        bytes: usize,
    },
}

const LIMIT: u32 = 300;

impl Model {
    /// The codes that come, and for how many recipients a mail is queued.
    fn step(&mut self, action: &Action) -> (Vec<u16>, Option<usize>) {
        let (next, codes, queued) = match (std::mem::take(self), action) {
            (_, Action::Ehlo | Action::Rset) => (Self::Idle, vec![250], None),
            (model, Action::Noop) => (model, vec![250], None),
            (model, Action::Unknown) => (model, vec![500], None),
            (Self::Idle, Action::Mail { size: Some(size) }) if *size > LIMIT => {
                (Self::Idle, vec![552], None)
            }
            (Self::Idle, Action::Mail { .. }) => {
                (Self::Addressing { recipients: 0 }, vec![250], None)
            }
            (model, Action::Mail { .. }) => (model, vec![503], None),
            (Self::Addressing { recipients }, Action::Rcpt { known: true }) => {
                (Self::Addressing { recipients: recipients + 1 }, vec![250], None)
            }
            (model @ Self::Addressing { .. }, Action::Rcpt { known: false }) => {
                (model, vec![550], None)
            }
            (model, Action::Rcpt { .. }) => (model, vec![503], None),
            (model, Action::Data { lines, refused }) => model.data(*lines, *refused),
            (model, Action::Bdat { bytes, last }) => model.bdat(usize::from(*bytes), *last),
        };
        *self = next;
        (codes, queued)
    }

    fn data(self, lines: u8, refused: bool) -> (Self, Vec<u16>, Option<usize>) {
        match self {
            Self::Idle => (Self::Idle, vec![503], None),
            Self::Chunked { .. } => (Self::Idle, vec![503], None),
            Self::Addressing { recipients: 0 } => (self, vec![554], None),
            Self::Addressing { recipients } => match content(lines, refused).len() {
                size if size > LIMIT as usize => (Self::Idle, vec![354, 552], None),
                _ if refused => (Self::Idle, vec![354, 550], None),
                _ => (Self::Idle, vec![354, 250], Some(recipients)),
            },
        }
    }

    fn bdat(self, bytes: usize, last: bool) -> (Self, Vec<u16>, Option<usize>) {
        let (recipients, before) = match self {
            Self::Idle => return (Self::Idle, vec![503], None),
            Self::Addressing { recipients: 0 } => return (Self::Idle, vec![554], None),
            Self::Addressing { recipients } => (recipients, 0),
            Self::Chunked { recipients, bytes } => (recipients, bytes),
        };
        let all = before + bytes;
        match last {
            _ if all > LIMIT as usize => (Self::Idle, vec![552], None),
            // The line end that a last chunk lacks counts as well.
            true if all > LIMIT as usize - 2 => (Self::Idle, vec![552], None),
            true => (Self::Idle, vec![250], Some(recipients)),
            false => (Self::Chunked { recipients, bytes: all }, vec![250], None),
        }
    }
}

fn content(lines: u8, refused: bool) -> String {
    let mut content = "line\r\n".repeat(usize::from(lines));
    if refused {
        content.push_str("X-Test: reject\r\n");
    }
    content
}

/// The packets of an action; the next one is sent when the reply to the one before has come.
fn packets(action: &Action, awaits_content: impl Fn(&str) -> bool, rig: &mut Rig) -> Vec<u16> {
    let line = match action {
        Action::Ehlo => "EHLO client.example\r\n".to_owned(),
        Action::Mail { size: None } => "MAIL FROM:<a@client.example>\r\n".to_owned(),
        Action::Mail { size: Some(size) } => {
            format!("MAIL FROM:<a@client.example> SIZE={size}\r\n")
        }
        Action::Rcpt { known: true } => "RCPT TO:<b@local.example>\r\n".to_owned(),
        Action::Rcpt { known: false } => "RCPT TO:<unknown@local.example>\r\n".to_owned(),
        Action::Data { .. } => "DATA\r\n".to_owned(),
        Action::Bdat { bytes, last } => {
            let mark = if *last { " LAST" } else { "" };
            format!("BDAT {bytes}{mark}\r\n{}", "x".repeat(usize::from(*bytes)))
        }
        Action::Rset => "RSET\r\n".to_owned(),
        Action::Noop => "NOOP\r\n".to_owned(),
        Action::Unknown => "FROB\r\n".to_owned(),
    };
    rig.receive(line.as_bytes());
    let said = String::from_utf8(std::mem::take(&mut rig.output)).unwrap();
    let mut codes = codes(&said);
    if let (Action::Data { lines, refused }, true) = (action, awaits_content(&said)) {
        rig.receive(format!("{}.\r\n", content(*lines, *refused)).as_bytes());
        let said = String::from_utf8(std::mem::take(&mut rig.output)).unwrap();
        codes.extend(self::codes(&said));
    }
    codes
}

/// The codes of all replies; a reply of several lines counts once.
fn codes(said: &str) -> Vec<u16> {
    let last_lines = said.lines().filter(|line| line.as_bytes().get(3) == Some(&b' '));
    last_lines.map(|line| line[..3].parse().unwrap()).collect()
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        1 => Just(Action::Ehlo),
        6 => proptest::option::of(0..2 * LIMIT).prop_map(|size| Action::Mail { size }),
        8 => any::<bool>().prop_map(|known| Action::Rcpt { known }),
        4 => (0_u8..60, any::<bool>()).prop_map(|(lines, refused)| Action::Data { lines, refused }),
        6 => (0_u8..200, any::<bool>()).prop_map(|(bytes, last)| Action::Bdat { bytes, last }),
        1 => Just(Action::Rset),
        1 => Just(Action::Noop),
        1 => Just(Action::Unknown),
    ]
}

proptest! {
    #[test]
    fn the_session_does_what_the_model_says(
        actions in proptest::collection::vec(action(), 0..40),
    ) {
        let mut settings = Settings::new(Domain::parse("gate.example").unwrap());
        settings.limits.message_size = u64::from(LIMIT);
        settings.limits.hard_errors = u32::MAX;
        let mut rig = Rig::new(settings, Rights::NONE, Instant::now());
        rig.receive(b"");
        rig.receive(b"EHLO client.example\r\n");
        rig.output.clear();
        let mut model = Model::default();
        for (at, action) in actions.iter().enumerate() {
            let before = rig.queued.len();
            let (codes, queued) = model.step(action);
            let said = packets(action, |said| said.starts_with("354"), &mut rig);
            prop_assert_eq!(said, codes, "after action {}: {:?}", at, action);
            let found = rig.queued.get(before).map(|mail| mail.envelope.matches("<b@").count());
            prop_assert_eq!(found, queued, "after action {}: {:?}", at, action);
            prop_assert_eq!(rig.has_open_intake(), matches!(model, Model::Chunked { .. }));
        }
    }
}
