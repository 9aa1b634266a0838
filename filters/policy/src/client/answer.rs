//! From bytes to an answer: attributes, `action` among them, and an empty line.

/// Takes what a connection brings, in pieces of any size, until one answer is complete. Keeps at most
/// [`AnswerReader::LARGEST`] bytes.
#[derive(Debug, Default)]
pub struct AnswerReader {
    line: Vec<u8>,
    bytes: usize,
    action: Option<Box<str>>,
}

/// What a policy server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What an access table might have: `DUNNO`, `REJECT no`.
    pub action: Box<str>,
    /// Whether more stood behind the answer. Nobody has asked for that, and whoever asks next must not take it for
    /// theirs: the connection is of no more use.
    pub is_more: bool,
}

/// What is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// There is no end to it.
    #[error("more than {} bytes", AnswerReader::LARGEST)]
    Large,
    /// A line is no attribute.
    #[error("a line that is not name=value")]
    Attribute,
    /// The empty line came first.
    #[error("no action")]
    Missing,
    /// The action is not text on one line.
    #[error("an action that is not plain UTF-8 text")]
    Text,
}

impl AnswerReader {
    /// Bytes of an answer at most. Some headers for PREPEND have a kilobyte.
    pub const LARGEST: usize = 16 * 1024;

    /// Takes the next piece. `None`: more is needed. After an answer or an error it begins anew.
    ///
    /// # Errors
    /// It is no answer. What comes behind makes no sense either.
    pub fn read(&mut self, input: &[u8]) -> Result<Option<Answer>, NoAnswer> {
        let mut rest = input;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (piece, behind) = rest.split_at(end);
            rest = behind.get(1..).unwrap_or_default();
            self.take(piece)?;
            let line = std::mem::take(&mut self.line);
            if line.is_empty() {
                let Self { action, .. } = std::mem::take(self);
                let action = action.ok_or(NoAnswer::Missing)?;
                return Ok(Some(Answer { action, is_more: !rest.is_empty() }));
            }
            self.attribute(&line)?;
        }
        self.take(rest)?;
        Ok(None)
    }

    fn take(&mut self, piece: &[u8]) -> Result<(), NoAnswer> {
        self.bytes += piece.len() + 1;
        if self.bytes > Self::LARGEST {
            return Err(NoAnswer::Large);
        }
        self.line.extend_from_slice(piece);
        Ok(())
    }

    /// The first `action` counts, as in Postfix; attributes that are not known are passed over.
    fn attribute(&mut self, line: &[u8]) -> Result<(), NoAnswer> {
        let equals = line.iter().position(|byte| *byte == b'=').ok_or(NoAnswer::Attribute)?;
        let (name, value) = line.split_at(equals);
        if name == b"action" && self.action.is_none() {
            let text = std::str::from_utf8(&value[1..]).map_err(|_| NoAnswer::Text)?;
            let text = text.trim_ascii();
            if text.is_empty() || text.contains(|c: char| c.is_control() && c != '\t') {
                return Err(NoAnswer::Text);
            }
            self.action = Some(text.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Action;

    fn read(bytes: &[u8], size: usize) -> Result<Option<Answer>, NoAnswer> {
        let mut reader = AnswerReader::default();
        for piece in bytes.chunks(size) {
            match reader.read(piece) {
                Ok(None) => {}
                done => return done,
            }
        }
        Ok(None)
    }

    fn answer(action: &str, is_more: bool) -> Result<Option<Answer>, NoAnswer> {
        Ok(Some(Answer { action: action.into(), is_more }))
    }

    #[test]
    fn an_answer_is_an_action_and_an_empty_line() {
        assert_eq!(read(b"action=DUNNO\n\n", 99), answer("DUNNO", false));
        assert_eq!(read(b"action=DUNNO\n", 99), Ok(None));
        let reject = "note=x\naction=550 5.7.1  a=b, \u{d558}\u{b098}\naction=OK\n\n";
        assert_eq!(read(reject.as_bytes(), 3), answer("550 5.7.1  a=b, \u{d558}\u{b098}", false));
        let ours = Action::Hold("why".into()).to_bytes();
        assert_eq!(read(&ours, 1), answer("HOLD why", false));
    }

    #[test]
    fn i4_what_is_no_answer_is_found_out_at_once() {
        for (said, error) in [
            (&b"5.7.2\n\n"[..], NoAnswer::Attribute),
            (b"\n", NoAnswer::Missing),
            (b"reason=x\n\n", NoAnswer::Missing),
            (b"action=\n\n", NoAnswer::Text),
            (b"action=OK\r\n\r\n", NoAnswer::Attribute),
            (b"action=PREPEND X: a\rY: b\n\n", NoAnswer::Text),
            (b"action=OK\0\n\n", NoAnswer::Text),
            (b"action=REJECT \xff\n\n", NoAnswer::Text),
            (b"HTTP/1.1 400 Bad Request\n\n", NoAnswer::Attribute),
        ] {
            assert_eq!(read(said, 99), Err(error), "{:?}", String::from_utf8_lossy(said));
        }
    }

    #[test]
    fn i4_an_answer_without_end_is_not_kept() {
        let endless = vec![b'a'; 1_000_000];
        let mut reader = AnswerReader::default();
        let error = endless.chunks(1_000).find_map(|piece| reader.read(piece).err());
        assert_eq!(error, Some(NoAnswer::Large));
        assert!(reader.line.capacity() <= 2 * AnswerReader::LARGEST);
        assert_eq!(read(&b"a=\n".repeat(400_000), 4096), Err(NoAnswer::Large));
    }

    #[test]
    fn i4_a_second_answer_is_noticed() {
        assert_eq!(read(b"action=OK\n\naction=REJECT\n\n", 99), answer("OK", true));
        assert_eq!(read(b"action=OK\n\n\n", 99), answer("OK", true));
    }

    proptest! {
        #[test]
        fn pieces_change_nothing_but_what_is_seen_behind(
            bytes in "(action=|[a-z]{0,6}=?)[ -~\r]{0,20}\n{0,3}[a-z=\n]{0,9}", size in 1_usize..9,
        ) {
            let whole = read(bytes.as_bytes(), 9_999).map(|one| one.map(|answer| answer.action));
            let pieces = read(bytes.as_bytes(), size).map(|one| one.map(|answer| answer.action));
            prop_assert_eq!(pieces, whole);
        }
    }
}
