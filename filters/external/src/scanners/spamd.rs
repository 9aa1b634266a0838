//! SpamAssassin's spamd (its file `PROTOCOL`, SPAMC/1.5): how much a mail looks like spam.
//!
//! Asks for `SYMBOLS`: points, limit and the tests that hit, without the mail coming back. What a mail is marked with
//! is written here; a rewritten mail of SpamAssassin's (`PROCESS`, `report_safe`) is not taken.

use super::{Fault, Program, Wrong, head::Head, hearing::Exchange, replies, text};
use crate::verdict::{Decision, Edit, Verdict};

/// What spamd says of a mail.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Whether it takes it for spam.
    pub is_spam: bool,
    /// Points: the more, the more like spam. Finite.
    pub score: f64,
    /// From how many points on it takes a mail for spam.
    pub required: f64,
    /// The tests that hit, in its order.
    pub symbols: Vec<Box<str>>,
}

/// What an answer comes to. Points alone decide, so that it does not matter what each of spamd's users wants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// From so many points on the mail is refused.
    pub reject_from: Option<f64>,
    /// From so many points on it goes on hold.
    pub hold_from: Option<f64>,
    /// Whether the mail gets the fields X-Spam-Flag, X-Spam-Score and X-Spam-Status. Those of other people are then
    /// taken out.
    pub mark: bool,
}

/// A user whom spamd cannot be told of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot be the name of a user of spamd: it has to be 1 to 255 printable ASCII characters without spaces"
)]
pub struct BadUser(Box<str>);

/// A mail on its way to spamd, and what comes back.
#[derive(Debug)]
pub struct Check(Exchange);

impl Check {
    /// A mail of so many bytes. `user`: whose settings count.
    ///
    /// # Errors
    /// There can be no such user.
    pub fn new(size: u64, user: Option<&str>) -> Result<Self, BadUser> {
        let mut head = format!("SYMBOLS SPAMC/1.5\r\nContent-length: {size}\r\n");
        if let Some(user) = user {
            let is_right =
                (1..=255).contains(&user.len()) && user.bytes().all(|b| b.is_ascii_graphic());
            if !is_right {
                return Err(BadUser(user.into()));
            }
            head += &format!("User: {user}\r\n");
        }
        head += "\r\n";
        Ok(Self(Exchange::new(Program::Spamd, head.into_bytes(), size, MOST_ANSWER)))
    }

    /// Adds what comes before the mail.
    pub fn head(&mut self, out: &mut Vec<u8>) {
        self.0.head(out);
    }

    /// Adds the next piece of the mail. What is more than its size is left out.
    pub fn piece(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        self.0.piece(piece, out);
    }

    /// Takes what spamd sends. Whether the answer is whole: then nothing may follow.
    ///
    /// # Errors
    /// It is too long.
    pub fn receive(&mut self, piece: &[u8]) -> Result<bool, Fault> {
        self.0.receive(piece)
    }

    /// The answer, when no more comes.
    ///
    /// # Errors
    /// There is none, or more than one, or one that says nothing of the mail.
    pub fn end(self) -> Result<Answer, Fault> {
        self.0.end(answer)
    }
}

impl Policy {
    /// What an answer comes to.
    #[must_use]
    pub fn verdict(&self, answer: &Answer) -> Verdict {
        let is_from = |from: Option<f64>| from.is_some_and(|from| answer.score >= from);
        let decision = match () {
            () if is_from(self.reject_from) => Decision::Refuse(replies::spam()),
            () if is_from(self.hold_from) => Decision::Hold,
            () => Decision::Pass,
        };
        let goes_on = matches!(decision, Decision::Pass | Decision::Hold);
        let edits = if goes_on && self.mark { marks(answer) } else { Vec::new() };
        let reason = status(answer, MOST_REASONS, "");
        Verdict { decision, edits, reason: reason.into() }
    }
}

/// The fields, as SpamAssassin writes them, above all others.
fn marks(answer: &Answer) -> Vec<Edit> {
    let mut edits: Vec<Edit> =
        FORGED.map(|name| Edit::Remove { name: format!("X-Spam-{name}").into(), nth: None }).into();
    let values = [
        ("Flag", answer.is_spam.then(|| "YES".to_owned())),
        ("Score", Some(format!("{:.1}", answer.score))),
        ("Status", Some(status(answer, MOST_SYMBOLS, "\r\n\t"))),
    ];
    let values =
        values.into_iter().filter_map(|(name, value)| Some((name, text::field_value(&value?)?)));
    edits.extend(values.enumerate().map(|(above, (name, value))| Edit::Insert {
        above,
        name: format!("X-Spam-{name}").into(),
        value,
    }));
    edits
}

/// As in X-Spam-Status, with so many tests at most, and `fold` between them where a line would be too long.
fn status(answer: &Answer, most: usize, fold: &str) -> String {
    let verdict = if answer.is_spam { "Yes" } else { "No" };
    let Answer { score, required, symbols, .. } = answer;
    let mut status = format!("{verdict}, score={score:.1} required={required:.1} tests=");
    let mut width = "X-Spam-Status: ".len() + status.len();
    for (at, symbol) in symbols.iter().take(most).enumerate() {
        if at > 0 {
            status.push(',');
        }
        if width + symbol.len() > WIDTH {
            status.push_str(fold);
            width = 8;
        }
        status.push_str(symbol);
        width += symbol.len() + 1;
    }
    if symbols.is_empty() {
        status.push_str("none");
    }
    status
}

fn answer(said: &[u8]) -> Result<Answer, Wrong> {
    failure(said)?;
    let head = Head::read(said)?.ok_or(Wrong::CutShort)?;
    let spam = head.field("Spam")?.unwrap_or_default();
    let judged = points(spam).ok_or_else(|| Wrong::unclear("no points", spam.as_bytes()))?;
    let symbols = symbols(head.body(said)?)?;
    Ok(Answer { symbols, ..judged })
}

/// Whether the first line says that all went well. Nothing follows one that does not.
fn failure(said: &[u8]) -> Result<(), Wrong> {
    let end = said.windows(2).position(|window| window == b"\r\n").ok_or(Wrong::CutShort)?;
    let line = &said[..end];
    let unclear = || Wrong::unclear("no answer of spamd", line);
    let text = std::str::from_utf8(line).ok().and_then(|line| line.strip_prefix("SPAMD/"));
    let (_, status) = text.and_then(|text| text.split_once(' ')).ok_or_else(unclear)?;
    match status.split_once(' ').map_or(status, |(code, _)| code) {
        "0" => Ok(()),
        code if code.len() <= 3 && code.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(Wrong::Failed(text::quoted(status.as_bytes()).into()))
        }
        _ => Err(unclear()),
    }
}

/// `True ; 15.0 / 5.0`
fn points(value: &str) -> Option<Answer> {
    let (verdict, points) = value.split_once(';')?;
    let is_spam = match verdict.trim() {
        "True" | "Yes" => true,
        "False" | "No" => false,
        _ => return None,
    };
    let (score, required) = points.split_once('/')?;
    let (score, required) = (number(score)?, number(required)?);
    Some(Answer { is_spam, score, required, symbols: Vec::new() })
}

fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_decimal = digits.len() <= 15 && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    text.parse().ok().filter(|_| is_decimal && digits.starts_with(|c: char| c.is_ascii_digit()))
}

fn symbols(body: &[u8]) -> Result<Vec<Box<str>>, Wrong> {
    let body = body.trim_ascii_end();
    let is_symbol = |symbol: &[u8]| {
        (1..=MOST_SYMBOL).contains(&symbol.len())
            && symbol.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    };
    let unclear = || Wrong::unclear("no list of tests", body);
    let all = body.split(|byte| *byte == b',').filter(|_| !body.is_empty()).map(|symbol| {
        is_symbol(symbol).then(|| String::from_utf8_lossy(symbol).into()).ok_or_else(unclear)
    });
    all.collect()
}

/// What SpamAssassin's own fields are called behind `X-Spam-`: another server may have written them, or the sender.
const FORGED: [&str; 6] = ["Flag", "Score", "Status", "Level", "Checker-Version", "Report"];

/// Bytes of the longest answer.
const MOST_ANSWER: usize = 256 * 1024;

/// Characters of the longest name of a test.
const MOST_SYMBOL: usize = 128;

/// Tests that a field names.
const MOST_SYMBOLS: usize = 200;

/// Tests that the log names.
const MOST_REASONS: usize = 50;

/// Columns of a line of a field, where SpamAssassin folds.
const WIDTH: usize = 76;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(said: &[u8]) -> Result<Answer, Wrong> {
        let mut check = Check::new(0, None).unwrap();
        check.head(&mut Vec::new());
        check.receive(said).and_then(|_| check.end()).map_err(|fault| {
            assert_eq!(fault.program, Program::Spamd);
            fault.wrong
        })
    }

    fn judged(is_spam: bool, score: f64, symbols: &[&str]) -> Answer {
        let symbols = symbols.iter().map(|symbol| Box::from(*symbol)).collect();
        Answer { is_spam, score, required: 5.0, symbols }
    }

    #[test]
    fn the_request_says_how_long_the_mail_is_and_whose_settings_count() {
        let mut check = Check::new(5, Some("ann@own.example")).unwrap();
        let mut out = Vec::new();
        check.head(&mut out);
        check.piece(b"abc", &mut out);
        check.piece(b"defgh", &mut out);
        let expected =
            "SYMBOLS SPAMC/1.5\r\nContent-length: 5\r\nUser: ann@own.example\r\n\r\nabcde";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        for user in ["", "a b", "a\r\nX: y", "\u{fc}", &"x".repeat(256)] {
            assert!(Check::new(5, Some(user)).is_err(), "{user:?}");
        }
    }

    #[test]
    fn what_spamd_4_0_says() {
        for (line, expected) in [
            (
                &b"SPAMD/1.1 0 EX_OK\r\nContent-length: 23\r\nSpam: False ; 0.0 / 5.0\r\n\r\nMSGID_SHORT,NO_RECEIVED"[..],
                Ok(judged(false, 0.0, &["MSGID_SHORT", "NO_RECEIVED"])),
            ),
            (
                b"SPAMD/1.1 0 EX_OK\r\nContent-length: 45\r\nSpam: True ; 1000.0 / 5.0\r\n\r\nGTUBE,MSGID_SHORT,NO_RECEIVED,TVD_SPACE_RATIO",
                Ok(judged(true, 1_000.0, &["GTUBE", "MSGID_SHORT", "NO_RECEIVED", "TVD_SPACE_RATIO"])),
            ),
            (
                b"SPAMD/1.1 0 EX_OK\r\nContent-length: 2\r\nSpam: False ; -1.5 / 5.0\r\n\r\n\r\n",
                Ok(judged(false, -1.5, &[])),
            ),
            (
                b"SPAMD/1.0 76 Bad header line: (Content-Length mismatch: Expected 149 bytes, got 144 bytes)\r\n",
                Err(Wrong::Failed("76 Bad header line: (Content-Length mismatch: Expected 149 bytes, got 144 bytes)".into())),
            ),
            (b"", Err(Wrong::Silent)),
            (b"SPAMD/1.1 0 EX_OK\r\nSpam: True", Err(Wrong::CutShort)),
            (
                b"SPAMD/1.1 0 EX_OK\r\nContent-length: 2\r\nSpam: True ; 6.0 / 5.0\r\n\r\nA",
                Err(Wrong::CutShort),
            ),
            (
                b"SPAMD/1.1 0 EX_OK\r\nContent-length: 1\r\nSpam: True ; 6.0 / 5.0\r\n\r\nASPAMD/1.1 0 EX_OK\r\n",
                Err(Wrong::Twice),
            ),
        ] {
            assert_eq!(said(line), expected, "{}", text::quoted(line));
        }
    }

    #[test]
    fn what_is_no_answer_says_nothing_of_the_mail() {
        let ok = |spam: &str, body: &str| {
            format!("SPAMD/1.1 0 EX_OK\r\nContent-length: {}\r\n{spam}\r\n{body}", body.len())
        };
        for line in [
            "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
            "SPAMD/1.1\r\n\r\n".into(),
            "SPAMD/1.1 x EX_OK\r\n\r\n".into(),
            "SPAMD/1.5 0 PONG\r\n\r\n".into(),
            ok("", ""),
            ok("Spam: Maybe ; 1.0 / 5.0\r\n", ""),
            ok("Spam: True ; nan / 5.0\r\n", ""),
            ok("Spam: True ; inf / 5.0\r\n", ""),
            ok("Spam: True ; 1e9 / 5.0\r\n", ""),
            ok("Spam: True ; 1.0.0 / 5.0\r\n", ""),
            ok("Spam: True ; 1.0\r\n", ""),
            ok("Spam: True ; / 5.0\r\n", ""),
            ok("Spam: True ; 9.0 / 5.0\r\nSpam: False ; 0.0 / 5.0\r\n", ""),
            ok("Spam: True ; 9.0 / 5.0\r\n", "A,,B"),
            ok("Spam: True ; 9.0 / 5.0\r\n", "A B"),
            ok("Spam: True ; 9.0 / 5.0\r\n", "A\r\nX-Evil: B"),
            ok("Spam: True ; 9.0 / 5.0\r\n", &"A".repeat(129)),
        ] {
            assert!(matches!(said(line.as_bytes()), Err(Wrong::Unclear(_))), "{line:?}");
        }
    }

    #[test]
    fn an_answer_that_comes_too_early_does_not_count_and_a_failure_does() {
        let early = |line: &[u8]| {
            let mut check = Check::new(9, None).unwrap();
            let mut out = Vec::new();
            check.head(&mut out);
            check.piece(b"12345678", &mut out);
            check.receive(line).unwrap();
            check.piece(b"9", &mut out);
            check.end().unwrap_err().to_string()
        };
        let clean = b"SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\nSpam: False ; 0.0 / 5.0\r\n\r\n";
        assert_eq!(early(clean), "spamd answered before it had the whole mail");
        assert_eq!(early(b"SPAMD/1.0 79 Timeout\r\n"), "spamd failed: 79 Timeout");
    }

    #[test]
    fn an_endless_answer_is_cut_off() {
        let mut check = Check::new(0, None).unwrap();
        check.receive(&[b'x'; MOST_ANSWER]).unwrap();
        assert_eq!(check.receive(b"x").unwrap_err().wrong, Wrong::TooLong(MOST_ANSWER));
    }

    #[test]
    fn points_decide() {
        let policy = Policy { reject_from: Some(15.0), hold_from: Some(6.5), mark: false };
        for (score, expected) in [
            (-3.0, Decision::Pass),
            (6.4, Decision::Pass),
            (6.5, Decision::Hold),
            (14.9, Decision::Hold),
            (15.0, Decision::Refuse(replies::spam())),
        ] {
            let verdict = policy.verdict(&judged(true, score, &["GTUBE", "A_B"]));
            assert_eq!((verdict.decision, verdict.edits), (expected, Vec::new()), "{score}");
            let reason = format!("Yes, score={score:.1} required=5.0 tests=GTUBE,A_B");
            assert_eq!(*verdict.reason, *reason);
        }
        let many = judged(true, 9.0, &["A"; 60]);
        assert!(policy.verdict(&many).reason.ends_with(&format!("tests=A{}", ",A".repeat(49))));
        let never = Policy { reject_from: None, hold_from: None, mark: false };
        assert_eq!(never.verdict(&judged(true, 1_000.0, &[])).decision, Decision::Pass);
    }

    #[test]
    fn the_fields_are_those_of_spamassassin_and_forged_ones_go() {
        let policy = Policy { reject_from: None, hold_from: None, mark: true };
        let added = |answer: &Answer| -> Vec<String> {
            let edits = policy.verdict(answer).edits;
            let (removed, added) = edits.split_at(FORGED.len());
            assert!(removed.iter().all(|edit| matches!(edit, Edit::Remove { nth: None, .. })));
            let shown = added.iter().enumerate().map(|(at, edit)| match edit {
                Edit::Insert { above, name, value } if *above == at => {
                    format!("{name}:{}", String::from_utf8_lossy(value))
                }
                _ => panic!("{edit:?}"),
            });
            shown.collect()
        };
        let symbols = ["GTUBE", "MSGID_SHORT", "NO_RECEIVED", "TVD_SPACE_RATIO"];
        assert_eq!(
            added(&judged(true, 1_000.0, &symbols)),
            [
                "X-Spam-Flag: YES",
                "X-Spam-Score: 1000.0",
                "X-Spam-Status: Yes, score=1000.0 required=5.0 tests=GTUBE,MSGID_SHORT,\r\n\tNO_RECEIVED,TVD_SPACE_RATIO",
            ]
        );
        assert_eq!(
            added(&judged(false, 0.0, &[])),
            ["X-Spam-Score: 0.0", "X-Spam-Status: No, score=0.0 required=5.0 tests=none"]
        );
    }

    proptest! {
        #[test]
        fn no_answer_ends_a_header(body in ".{0,200}", score in any::<f64>()) {
            let line = format!(
                "SPAMD/1.1 0 EX_OK\r\nContent-length: {}\r\nSpam: True ; {score} / 5.0\r\n\r\n{body}", body.len());
            if let Ok(answer) = said(line.as_bytes()) {
                let policy = Policy { reject_from: None, hold_from: None, mark: true };
                let verdict = policy.verdict(&answer);
                prop_assert!(!verdict.reason.contains(char::is_control));
                for edit in verdict.edits {
                    if let Edit::Insert { value, .. } = edit {
                        let value = String::from_utf8(value.into()).unwrap();
                        prop_assert!(!value.replace("\r\n\t", "").contains(char::is_control));
                    }
                }
            }
        }
    }
}
