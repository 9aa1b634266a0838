//! From bytes to requests: lines `name=value`, and an empty line behind the last.

use std::mem;

use crate::{Request, request::Draft};

/// Makes requests of what a connection brings, in pieces of any size. Keeps at most one line.
#[derive(Debug, Default)]
pub struct Reader {
    line: Vec<u8>,
    draft: Draft,
    /// Bytes and lines of the request so far.
    bytes: usize,
    attributes: usize,
}

/// What is no request. The connection is closed without an answer, as the protocol asks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A line is too long.
    #[error("a line of more than {} bytes", Reader::LONGEST_LINE)]
    Line,
    /// There is too much of it.
    #[error(
        "a request of more than {} bytes or {} attributes",
        Reader::LARGEST,
        Reader::MOST_ATTRIBUTES
    )]
    Size,
    /// A line is no attribute.
    #[error("a line that is not name=value")]
    Attribute,
    /// An attribute stands twice: which of them is meant?
    #[error("the attribute {0} twice")]
    Twice(&'static str),
    /// A value cannot be.
    #[error("a value of {0} that cannot be")]
    Value(&'static str),
    /// An attribute without which nothing can be said.
    #[error("no attribute {0}")]
    Missing(&'static str),
    /// Something else is asked.
    #[error("a request of type {0:?}")]
    Other(Box<str>),
}

impl Reader {
    /// Bytes of a line at most. Postfix cuts what clients say at 2048.
    pub const LONGEST_LINE: usize = 8 * 1024;
    /// Bytes of a request at most.
    pub const LARGEST: usize = 64 * 1024;
    /// Attributes of a request at most. Postfix 3.10 sends some 30.
    pub const MOST_ATTRIBUTES: usize = 200;

    /// Takes bytes up to the end of a request and removes them from `input`. `None`: they were all
    /// taken, and more is needed.
    ///
    /// # Errors
    /// They are no request. What comes behind makes no sense either.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<Request>, Malformed> {
        while !input.is_empty() {
            let end = input.iter().position(|byte| *byte == b'\n');
            let (piece, rest) = input.split_at(end.unwrap_or(input.len()));
            self.bytes += piece.len() + usize::from(end.is_some());
            if self.line.len() + piece.len() > Self::LONGEST_LINE {
                return Err(Malformed::Line);
            }
            if self.bytes > Self::LARGEST {
                return Err(Malformed::Size);
            }
            self.line.extend_from_slice(piece);
            *input = rest.get(1..).unwrap_or_default();
            if end.is_some() && self.end_of_line()? {
                let draft = mem::take(&mut self.draft);
                (self.bytes, self.attributes) = (0, 0);
                return draft.finish().map(Some);
            }
        }
        Ok(None)
    }

    /// Whether a request has begun and is not complete.
    #[must_use]
    pub fn is_in_request(&self) -> bool {
        self.bytes > 0
    }

    /// Whether the line is the empty one that ends a request.
    fn end_of_line(&mut self) -> Result<bool, Malformed> {
        let mut line = mem::take(&mut self.line);
        if line.is_empty() {
            self.line = line;
            return Ok(true);
        }
        self.attributes += 1;
        if self.attributes > Self::MOST_ATTRIBUTES {
            return Err(Malformed::Size);
        }
        let equals = line.iter().position(|byte| *byte == b'=');
        let at = equals.filter(|at| *at > 0 && !line.contains(&0)).ok_or(Malformed::Attribute)?;
        self.draft.take(&line[..at], &line[at + 1..])?;
        line.clear();
        self.line = line;
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Stage;

    const ASKED: &str = "request=smtpd_access_policy\nprotocol_state=DATA\nprotocol_name=ESMTP\n\
        helo_name=some.domain.tld\nqueue_id=8045F2AB23\nsender=foo@bar.tld\nrecipient=\n\
        recipient_count=2\nclient_address=1.2.3.4\nclient_name=another.domain.tld\n\
        reverse_client_name=another.domain.tld\ninstance=123.456.7\nsasl_method=plain\n\
        sasl_username=you\nsasl_sender=\nsize=12345\nccert_subject=solaris9.porcupine.org\n\
        encryption_cipher=DHE-RSA-AES256-SHA\nclient_port=1234\nstress=\n\n";

    /// All requests, and what ended them; in pieces of this size.
    fn read(bytes: &[u8], size: usize) -> (Vec<Request>, Option<Malformed>) {
        let (mut reader, mut requests) = (Reader::default(), Vec::new());
        for mut piece in bytes.chunks(size) {
            loop {
                match reader.read(&mut piece) {
                    Ok(Some(request)) => requests.push(request),
                    Ok(None) => break,
                    Err(malformed) => return (requests, Some(malformed)),
                }
            }
        }
        (requests, None)
    }

    fn fault(attributes: &str) -> Option<Malformed> {
        let (requests, fault) = read(format!("{attributes}\n").as_bytes(), 4096);
        assert_eq!(requests.is_empty(), fault.is_some(), "{attributes:?}");
        fault
    }

    #[test]
    fn a_request_of_the_readme_is_read_and_what_is_not_known_passed_over() {
        let twice = ASKED.repeat(2);
        let (requests, fault) = read(twice.as_bytes(), twice.len());
        assert_eq!(fault, None);
        let [request, again] = requests.as_slice() else { panic!("{requests:?}") };
        assert_eq!(request, again);
        assert_eq!(request.stage, Stage::Data);
        assert_eq!(&*request.sender, "foo@bar.tld");
        assert_eq!((request.recipient_count, request.size), (2, 12_345));
        assert_eq!(request.client_address, "1.2.3.4".parse().ok());
        assert_eq!((&*request.instance, &*request.queue_id), ("123.456.7", "8045F2AB23"));
        assert_eq!((&*request.sasl_username, request.client_port), ("you", 1234));
    }

    #[test]
    fn what_is_no_request_is_refused_and_never_half_read() {
        let head = "request=smtpd_access_policy\nprotocol_state=RCPT\n";
        assert_eq!(fault(head), None);
        assert_eq!(fault("protocol_state=RCPT\n"), Some(Malformed::Missing("request")));
        assert_eq!(fault(""), Some(Malformed::Missing("request")));
        assert_eq!(fault("request=x\n"), Some(Malformed::Other("x".into())));
        let without = fault("request=smtpd_access_policy\n");
        assert_eq!(without, Some(Malformed::Missing("protocol_state")));
        for (line, malformed) in [
            ("sender=a@x\nsender=b@x", Malformed::Twice("sender")),
            ("sender=a@x\0", Malformed::Attribute),
            ("nonsense", Malformed::Attribute),
            ("=value", Malformed::Attribute),
            ("sender=a\rb", Malformed::Value("sender")),
            ("size=-1", Malformed::Value("size")),
            ("size=+1", Malformed::Value("size")),
            ("recipient_count=99999999999", Malformed::Value("recipient_count")),
        ] {
            assert_eq!(fault(&format!("{head}{line}\n")), Some(malformed), "{line:?}");
        }
        assert_eq!(fault(&format!("{head}x=1\nx=2\nsender=a=b@x\nsize=\n")), None);
        let states = fault("request=smtpd_access_policy\nprotocol_state=LUNCH\n");
        assert_eq!(states, Some(Malformed::Value("protocol_state")));
        let (_, raw) = read(&[head.as_bytes(), b"sender=\xff@x\n\n"].concat(), 99);
        assert_eq!(raw, Some(Malformed::Value("sender")));
    }

    #[test]
    fn a_request_has_an_end() {
        let line = format!("x={}\n", "a".repeat(Reader::LONGEST_LINE - 2));
        assert_eq!(read(line.as_bytes(), 100), (Vec::new(), None));
        let longer = line.replace("x=", "xx=");
        assert_eq!(read(longer.as_bytes(), 100).1, Some(Malformed::Line));
        assert_eq!(read(line.repeat(9).as_bytes(), 4096).1, Some(Malformed::Size));
        let many = "x=\n".repeat(Reader::MOST_ATTRIBUTES + 1);
        assert_eq!(read(many.as_bytes(), 7).1, Some(Malformed::Size));
        assert_eq!(read(&[b'a'; 100_000], 1).1, Some(Malformed::Line));
    }

    proptest! {
        #[test]
        fn pieces_change_nothing(
            bytes in proptest::collection::vec(prop_oneof![
                Just(ASKED.as_bytes().to_vec()),
                proptest::collection::vec(any::<u8>(), 0..40),
                "[a-z_]{0,12}=[ -~]{0,30}\n".prop_map(String::into_bytes),
            ], 0..5),
            size in 1_usize..50,
        ) {
            let bytes = bytes.concat();
            prop_assert_eq!(read(&bytes, size), read(&bytes, bytes.len().max(1)));
        }
    }
}
