//! ClamAV's clamd (clamd(8), INSTREAM): whether a mail is infected.

use super::{Course, Fault, Program, Wrong, hearing::Hearing, replies, text};
use crate::verdict::{Decision, Edit, Verdict};

/// What clamd says of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing was found.
    Clean,
    /// This was found, by the name of its signature.
    Infected(Box<str>),
    /// The mail is larger than `StreamMaxLength`. Nothing was looked at.
    TooLarge,
}

/// What an answer comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// An infected mail.
    pub infected: Course,
    /// A mail that is too large.
    pub too_large: TooLarge,
    /// Bytes of the largest mail that clamd is asked about: its `StreamMaxLength`, or less.
    pub largest: u64,
    /// What a field X-Virus-Scanned above all others says of a mail that was looked at. Those of other people are then
    /// taken out of every mail.
    pub mark: Option<Box<str>>,
}

/// What becomes of a mail that is too large to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooLarge {
    /// It goes on.
    Pass,
    /// As if clamd had failed.
    Fail,
}

/// A mail on its way to clamd, and what comes back.
#[derive(Debug)]
pub struct Scan(Hearing);

impl Default for Scan {
    fn default() -> Self {
        Self(Hearing::new(Program::Clamd, MOST_ANSWER))
    }
}

impl Scan {
    /// Adds what comes before the mail.
    pub fn head(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"zINSTREAM\0");
    }

    /// Adds the next piece of the mail in its frame.
    pub fn piece(&self, piece: &[u8], out: &mut Vec<u8>) {
        // An empty chunk is the end of the mail.
        for chunk in piece.chunks(MOST_CHUNK) {
            let length = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(chunk);
        }
    }

    /// Adds what comes behind the mail. Without it clamd closes and says nothing.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[0; 4]);
        self.0.asked();
    }

    /// Takes what clamd sends. Whether the answer is whole: then nothing may follow.
    ///
    /// # Errors
    /// It is too long.
    pub fn receive(&mut self, piece: &[u8]) -> Result<bool, Fault> {
        self.0.hear(piece)?;
        Ok(self.0.said().contains(&END))
    }

    /// The answer, when no more comes.
    ///
    /// # Errors
    /// There is none, or more than one, or one that says nothing of the mail.
    pub fn end(self) -> Result<Answer, Fault> {
        let read = |said: &[u8]| line(said).and_then(answer);
        self.0.end(read, |answer| *answer == Answer::TooLarge)
    }
}

impl Policy {
    /// Whether clamd is asked about a mail of so many bytes; it is [`Answer::TooLarge`] otherwise.
    #[must_use]
    pub const fn takes(&self, size: u64) -> bool {
        size <= self.largest
    }

    /// What an answer comes to.
    ///
    /// # Errors
    /// The mail is too large, and that is a failure.
    pub fn verdict(&self, answer: &Answer) -> Result<Verdict, Fault> {
        let (decision, reason) = match answer {
            Answer::Clean => (Decision::Pass, "clean".into()),
            Answer::Infected(name) => (self.infected(name), format!("infected: {name}").into()),
            Answer::TooLarge if self.too_large == TooLarge::Fail => {
                return Err(Wrong::TooLarge.by(Program::Clamd));
            }
            Answer::TooLarge => (Decision::Pass, "too large to be looked at".into()),
        };
        let edits = match decision {
            Decision::Pass | Decision::Hold => self.edits(*answer != Answer::TooLarge),
            Decision::Refuse(_) | Decision::Discard => Vec::new(),
        };
        Ok(Verdict { decision, edits, reason })
    }

    fn infected(&self, name: &str) -> Decision {
        match self.infected {
            Course::Reject => Decision::Refuse(replies::infected(name)),
            Course::Hold => Decision::Hold,
            Course::Discard => Decision::Discard,
        }
    }

    fn edits(&self, is_looked_at: bool) -> Vec<Edit> {
        let Some(mark) = &self.mark else { return Vec::new() };
        let name = || Box::from("X-Virus-Scanned");
        let value = text::field_value(mark).filter(|_| is_looked_at);
        let insert = value.map(|value| Edit::Insert { above: 0, name: name(), value });
        [Edit::Remove { name: name(), nth: None }].into_iter().chain(insert).collect()
    }
}

/// Asks whether clamd is there; it says [`PONG`] and closes.
pub const PING: &[u8] = b"zPING\0";

/// What it says to [`PING`].
pub const PONG: &[u8] = b"PONG\0";

/// Asks for the version of clamd and of its signatures; see [`version`].
pub const VERSION: &[u8] = b"zVERSION\0";

/// What clamd says to [`VERSION`], on one line: `ClamAV 1.4.6/27500/Mon Jun 1 10:00:00 2026`.
///
/// # Errors
/// It says something else.
pub fn version(said: &[u8]) -> Result<Box<str>, Fault> {
    let version = line(said).and_then(|line| match line.starts_with(b"ClamAV ") {
        true => Ok(text::quoted(line).into()),
        false => Err(Wrong::unclear("no version", line)),
    });
    version.map_err(|wrong| wrong.by(Program::Clamd))
}

/// The one line that was said.
fn line(said: &[u8]) -> Result<&[u8], Wrong> {
    match said.iter().position(|byte| *byte == END) {
        None if said.is_empty() => Err(Wrong::Silent),
        None => Err(Wrong::CutShort),
        Some(end) if end + 1 < said.len() => Err(Wrong::Twice),
        Some(end) => Ok(&said[..end]),
    }
}

fn answer(line: &[u8]) -> Result<Answer, Wrong> {
    if line == b"INSTREAM size limit exceeded. ERROR" {
        return Ok(Answer::TooLarge);
    }
    if let Some(cause) = line.strip_suffix(b" ERROR") {
        return Err(Wrong::Failed(text::quoted(cause).into()));
    }
    let said = line.strip_prefix(b"stream: ");
    match said.map(|said| (said, said.strip_suffix(b" FOUND"))) {
        Some((b"OK", _)) => Ok(Answer::Clean),
        Some((_, Some(name))) if !name.is_empty() => {
            Ok(Answer::Infected(text::quoted(name).into()))
        }
        _ => Err(Wrong::unclear("neither OK nor FOUND", line)),
    }
}

/// Ends a request and an answer, where a request begins with `z`.
const END: u8 = 0;

/// Bytes of a chunk.
const MOST_CHUNK: usize = 1 << 16;

/// Bytes of the longest answer.
const MOST_ANSWER: usize = 4 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Scan {
        let mut scan = Scan::default();
        scan.finish(&mut Vec::new());
        scan
    }

    fn said(mut scan: Scan, said: &[u8]) -> Result<Answer, Wrong> {
        scan.receive(said).and_then(|_| scan.end()).map_err(|fault| {
            assert_eq!(fault.program, Program::Clamd);
            fault.wrong
        })
    }

    fn infected(name: &str) -> Answer {
        Answer::Infected(name.into())
    }

    fn unclear(said: &str) -> Wrong {
        Wrong::Unclear(format!("neither OK nor FOUND: \"{said}\"").into())
    }

    #[test]
    fn a_mail_goes_in_chunks_and_an_empty_one_ends_it() {
        let mut scan = Scan::default();
        let mut out = Vec::new();
        scan.head(&mut out);
        scan.piece(b"ab", &mut out);
        scan.piece(b"", &mut out);
        scan.piece(b"c", &mut out);
        scan.finish(&mut out);
        assert_eq!(out, b"zINSTREAM\0\0\0\0\x02ab\0\0\0\x01c\0\0\0\0");
        let mut out = Vec::new();
        scan.piece(&[7; MOST_CHUNK + 1], &mut out);
        assert_eq!(out[..4], [0, 1, 0, 0]);
        assert_eq!(out[4 + MOST_CHUNK..], [0, 0, 0, 1, 7]);
    }

    #[test]
    fn what_clamd_1_4_says() {
        for (line, expected) in [
            (&b"stream: OK\0"[..], Ok(Answer::Clean)),
            (
                b"stream: Eicar-Test-Signature.UNOFFICIAL FOUND\0",
                Ok(infected("Eicar-Test-Signature.UNOFFICIAL")),
            ),
            (
                b"stream: Eicar-Signature(44d88612fea8a8f36de82e1278abb02f:68) FOUND\0",
                Ok(infected("Eicar-Signature(44d88612fea8a8f36de82e1278abb02f:68)")),
            ),
            (b"INSTREAM size limit exceeded. ERROR\0", Ok(Answer::TooLarge)),
            (
                b"stream: Can't allocate memory ERROR\0",
                Err(Wrong::Failed("stream: Can't allocate memory".into())),
            ),
            (b"UNKNOWN COMMAND\0", Err(unclear("UNKNOWN COMMAND"))),
            (b"COMMAND READ TIMED OUT\0", Err(unclear("COMMAND READ TIMED OUT"))),
            (b"", Err(Wrong::Silent)),
        ] {
            assert_eq!(said(asked(), line), expected, "{:?}", text::quoted(line));
        }
    }

    #[test]
    fn whatever_else_it_says_is_never_a_clean_mail() {
        for (line, expected) in [
            (&b"stream: OK"[..], Wrong::CutShort),
            (b"stream: OK\n", Wrong::CutShort),
            (b"stream: OK\0stream: OK\0", Wrong::Twice),
            (b"stream: OK\0\0", Wrong::Twice),
            (b"\0", unclear("")),
            (b"OK\0", unclear("OK")),
            (b"stream:OK\0", unclear("stream:OK")),
            (b"stream: ok\0", unclear("stream: ok")),
            (b"stream: OK OK\0", unclear("stream: OK OK")),
            (b"1: stream: OK\0", unclear("1: stream: OK")),
            (b"stream: FOUND\0", unclear("stream: FOUND")),
            (b"stream:  FOUND\0", unclear("stream: FOUND")),
            (b"PONG\0", unclear("PONG")),
        ] {
            assert_eq!(said(asked(), line), Err(expected), "{:?}", text::quoted(line));
        }
    }

    #[test]
    fn before_it_has_the_whole_mail_it_can_only_say_that_it_does_not_take_it() {
        for (line, expected) in [
            (&b"INSTREAM size limit exceeded. ERROR\0"[..], Ok(Answer::TooLarge)),
            (b"stream: OK\0", Err(Wrong::Early)),
            (b"stream: X FOUND\0", Err(Wrong::Early)),
            (b"COMMAND READ TIMED OUT\0", Err(unclear("COMMAND READ TIMED OUT"))),
        ] {
            assert_eq!(said(Scan::default(), line), expected);
            // The rest of the mail goes out before the driver looks at what came.
            let mut scan = Scan::default();
            assert_eq!(scan.receive(&line[..3]), Ok(false));
            scan.finish(&mut Vec::new());
            assert_eq!(said(scan, &line[3..]), expected);
        }
    }

    #[test]
    fn an_endless_answer_is_cut_off() {
        let mut scan = asked();
        assert_eq!(scan.receive(&[b'x'; MOST_ANSWER]), Ok(false));
        let fault = scan.receive(b"x").unwrap_err();
        assert_eq!(fault.to_string(), "clamd answered with more than 4096 bytes");
        // Whoever does not look at that learns it at the end.
        let mut scan = asked();
        assert_eq!(scan.receive(b"stream: OK\0"), Ok(true));
        assert!(scan.receive(&[b'x'; MOST_ANSWER]).is_err());
        assert_eq!(scan.end().unwrap_err().wrong, Wrong::TooLong(MOST_ANSWER));
        let name = "x".repeat(4_000);
        let Ok(Answer::Infected(name)) =
            said(asked(), format!("stream: {name} FOUND\0").as_bytes())
        else {
            panic!()
        };
        assert!(name.len() < 300, "{name}");
    }

    #[test]
    fn it_says_when_its_answer_is_whole() {
        let mut scan = asked();
        for (piece, whole) in [(&b"stream"[..], false), (b": OK", false), (b"\0", true)] {
            assert_eq!(scan.receive(piece), Ok(whole));
        }
        assert_eq!(scan.end(), Ok(Answer::Clean));
    }

    #[test]
    fn the_version_is_one_line() {
        let said = b"ClamAV 1.4.6/27500/Mon Jun  1 10:00:00 2026\0";
        assert_eq!(&*version(said).unwrap(), "ClamAV 1.4.6/27500/Mon Jun 1 10:00:00 2026");
        assert_eq!(version(b"ClamAV 1.4.6").unwrap_err().wrong, Wrong::CutShort);
        let fault = version(b"UNKNOWN COMMAND\0").unwrap_err();
        assert_eq!(
            fault.to_string(),
            "clamd gave an answer that cannot be used: no version: \"UNKNOWN COMMAND\""
        );
    }

    fn policy(infected: Course, too_large: TooLarge, mark: Option<&str>) -> Policy {
        Policy { infected, too_large, largest: 25, mark: mark.map(Into::into) }
    }

    #[test]
    fn an_infected_mail_is_rejected_held_or_discarded() {
        for (course, expected) in [
            (Course::Hold, Decision::Hold),
            (Course::Discard, Decision::Discard),
            (Course::Reject, Decision::Refuse(replies::infected("X"))),
        ] {
            let verdict = policy(course, TooLarge::Pass, None).verdict(&infected("X")).unwrap();
            assert_eq!(verdict.decision, expected);
            assert_eq!((&*verdict.reason, &verdict.edits[..]), ("infected: X", &[][..]));
        }
    }

    #[test]
    fn a_mail_that_is_too_large_passes_only_where_that_is_wanted() {
        let pass = policy(Course::Reject, TooLarge::Pass, None);
        assert!(pass.takes(25) && !pass.takes(26));
        let verdict = pass.verdict(&Answer::TooLarge).unwrap();
        assert_eq!(verdict.decision, Decision::Pass);
        let fail = policy(Course::Reject, TooLarge::Fail, None);
        assert_eq!(fail.verdict(&Answer::TooLarge).unwrap_err().wrong, Wrong::TooLarge);
    }

    #[test]
    fn only_what_was_looked_at_is_marked_and_forged_marks_go() {
        let name = || Box::from("X-Virus-Scanned");
        let remove = Edit::Remove { name: name(), nth: None };
        let insert = Edit::Insert { above: 0, name: name(), value: (*b" by us").into() };
        let policy = policy(Course::Hold, TooLarge::Pass, Some("by us"));
        let edits = |answer: &Answer| policy.verdict(answer).unwrap().edits;
        assert_eq!(edits(&Answer::Clean), [remove.clone(), insert.clone()]);
        assert_eq!(edits(&infected("X")), [remove.clone(), insert]);
        assert_eq!(edits(&Answer::TooLarge), [remove]);
    }
}
