//! A mail's own header on its way, with the addresses that rules change: content in pieces comes
//! in and goes out.
//!
//! One field is held at a time, and one that is longer than anybody's address list goes on as it
//! is: the memory is bounded. Behind the header nothing is looked at.

use std::sync::Arc;

use mailweir_tables::PatternSteps;

use super::{Decisions, GenericRules, RewriteError, RewritingRules, rewrite_header};
use crate::{ForOneMail, RemoteMaps, checks::Output};

/// Rewrites the addresses in one mail's header.
///
/// Everything goes on in order, whatever is rewritten. After an error nothing is rewritten any
/// more: what was written is not to be used then.
#[derive(Debug)]
pub struct HeaderRewriter {
    rules: Rules,
    place: Place,
    /// The field that is read, and behind it the line that may not be whole yet.
    held: Vec<u8>,
    /// Where that line begins.
    line: usize,
    decisions: Decisions,
    error: Option<RewriteError>,
    /// Of all lookups for the header.
    steps: PatternSteps,
}

#[derive(Debug)]
enum Rules {
    Incoming(Arc<RewritingRules>),
    Generic(Arc<GenericRules>),
}

/// Where the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In a field that is held.
    Field,
    /// In a field that is too long, at the start of a line of it or not.
    LongField { at_line: bool },
    /// Behind the header.
    Body,
}

impl HeaderRewriter {
    /// By the rules for mail that comes in; `None` if they change no header.
    #[must_use]
    pub fn incoming(rules: &Arc<RewritingRules>) -> Option<Self> {
        rules.change_headers().then(|| Self::new(Rules::Incoming(Arc::clone(rules))))
    }

    /// By the rules for mail that leaves; `None` if they change nothing.
    #[must_use]
    pub fn generic(rules: &Arc<GenericRules>) -> Option<Self> {
        (!rules.maps.is_empty()).then(|| Self::new(Rules::Generic(Arc::clone(rules))))
    }

    fn new(rules: Rules) -> Self {
        Self {
            rules,
            place: Place::Field,
            held: Vec::new(),
            line: 0,
            decisions: Decisions::default(),
            error: None,
            steps: PatternSteps::all(),
        }
    }

    /// Takes the next piece of the mail and writes what is known to go on.
    pub async fn feed<O: Output>(
        &mut self,
        mut piece: &[u8],
        out: &mut O,
        remote: &dyn RemoteMaps,
    ) {
        while !piece.is_empty() {
            if self.place == Place::Body {
                return out.write(piece).await;
            }
            let end = memchr::memchr(b'\n', piece).map_or(piece.len(), |at| at + 1);
            let (part, rest) = piece.split_at(end);
            piece = rest;
            self.take(part, out, remote).await;
        }
    }

    /// Whether the header is over and nothing is held: what comes may go on past it.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.place == Place::Body
    }

    /// Why nothing is rewritten any more.
    #[must_use]
    pub const fn error(&self) -> Option<&RewriteError> {
        self.error.as_ref()
    }

    /// Takes the end of the mail, and says what was done.
    ///
    /// # Errors
    /// A table cannot tell or leads astray: the mail waits.
    pub async fn finish<O: Output>(
        mut self,
        out: &mut O,
        remote: &dyn RemoteMaps,
    ) -> Result<Decisions, RewriteError> {
        if self.line < self.held.len() {
            self.take_line(out, remote).await;
        }
        self.line = self.held.len();
        self.pass_field(out, remote).await;
        self.error.map_or(Ok(self.decisions), Err)
    }

    /// Takes a line, or a part of one.
    async fn take<O: Output>(&mut self, part: &[u8], out: &mut O, remote: &dyn RemoteMaps) {
        let is_whole = part.ends_with(b"\n");
        if let Place::LongField { at_line } = self.place {
            if !at_line || is_folded(part) {
                self.place = Place::LongField { at_line: is_whole };
                return out.write(part).await;
            }
            self.place = Place::Field;
        }
        self.held.extend_from_slice(part);
        if is_whole {
            self.take_line(out, remote).await;
        }
        if self.held.len() > MAX_FIELD {
            out.write(&self.held).await;
            self.held.clear();
            self.line = 0;
            self.place = Place::LongField { at_line: is_whole };
        }
    }

    /// Takes the line that has become whole: more of the field, a new one, or the end of them.
    async fn take_line<O: Output>(&mut self, out: &mut O, remote: &dyn RemoteMaps) {
        let line = &self.held[self.line..];
        let is_more = self.line > 0 && is_folded(line);
        if !is_more {
            let is_field = begins_field(line);
            self.pass_field(out, remote).await;
            if !is_field {
                self.place = Place::Body;
                out.write(&self.held).await;
                self.held.clear();
            }
        }
        self.line = self.held.len();
    }

    /// Writes the field in front of the last line.
    async fn pass_field<O: Output>(&mut self, out: &mut O, remote: &dyn RemoteMaps) {
        let field = &self.held[..self.line];
        if field.is_empty() {
            return;
        }
        let remote = ForOneMail { remote, steps: &self.steps };
        let rewritten = match self.error {
            Some(_) => Ok(None),
            None => self.rules.apply(field, &remote, &mut self.decisions).await,
        };
        match rewritten {
            Ok(rewritten) => out.write(rewritten.as_deref().unwrap_or(field)).await,
            Err(error) => {
                self.error = Some(error);
                out.write(field).await;
            }
        }
        self.held.drain(..self.line);
        self.line = 0;
    }
}

impl Rules {
    async fn apply(
        &self,
        field: &[u8],
        remote: &dyn RemoteMaps,
        decisions: &mut Decisions,
    ) -> Result<Option<Vec<u8>>, RewriteError> {
        match self {
            Self::Incoming(rules) => rewrite_header(rules, field, remote, decisions).await,
            Self::Generic(rules) => rules.header(field, remote, decisions).await,
        }
    }
}

fn is_folded(line: &[u8]) -> bool {
    line.starts_with(b" ") || line.starts_with(b"\t")
}

/// Whether the line begins a field: a name, which white space may follow, and a colon
/// (`is_header.c`).
fn begins_field(line: &[u8]) -> bool {
    let Some(colon) = memchr::memchr(b':', line) else { return false };
    let name = line[..colon].trim_ascii_end();
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}

/// What Postfix looks at of a header (`header_size_limit`).
const MAX_FIELD: usize = 102_400;

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use mailweir_tables::LookupError;

    use super::{super::testing::*, *};

    fn rewriter() -> HeaderRewriter {
        let mut rules = RewritingRules::default();
        rules.canonical.maps = map("a@old.test a@new.test\n");
        HeaderRewriter::incoming(&Arc::new(rules)).unwrap()
    }

    fn rewritten(mail: &[u8], size: usize) -> String {
        let (mut rewriter, mut out) = (rewriter(), Vec::new());
        for piece in mail.chunks(size) {
            now(rewriter.feed(piece, &mut out, &NoRemote));
        }
        now(rewriter.finish(&mut out, &NoRemote)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn addresses_of_the_header_change_and_no_other_byte_however_the_mail_is_cut() {
        let mail = b"Received: by x for <a@old.test>\r\nFrom : \"A, B\"\r\n\t(c) <a@old.test>\r\n\
                     Subject: a@old.test\r\nTo: x@y.test,\n a@old.test (me)\r\n\r\nTo: a@old.test\r\n";
        let expected = "Received: by x for <a@old.test>\r\nFrom : \"A, B\"\r\n\t(c) <a@new.test>\r\n\
             Subject: a@old.test\r\nTo: x@y.test,\n a@new.test (me)\r\n\r\nTo: a@old.test\r\n";
        for size in 1..mail.len() + 1 {
            assert_eq!(rewritten(mail, size), expected, "{size}");
        }
    }

    #[test]
    fn a_line_that_is_no_field_ends_the_header() {
        for mail in [
            "no field\r\nTo: a@old.test\r\n",
            " To: a@old.test\r\nTo: a@old.test\r\n",
            "X: y\r\nb c: d\r\nTo: a@old.test\r\n",
        ] {
            assert_eq!(rewritten(mail.as_bytes(), 7), mail);
        }
    }

    #[test]
    fn a_mail_that_is_all_header_is_rewritten_to_its_last_byte() {
        assert_eq!(rewritten(b"To: a@old.test", 5), "To: a@new.test");
        assert_eq!(rewritten(b"To: b@b.test,\n a@old.test", 5), "To: b@b.test,\n a@new.test");
        assert_eq!(rewritten(b"", 1), "");
    }

    #[test]
    fn a_field_beyond_the_limit_goes_on_as_it_is_and_the_next_is_rewritten() {
        let long = format!("To: a@old.test,\r\n{}", " b@b.test,\r\n".repeat(10_000));
        let mail = format!("{long}Cc: a@old.test\r\n\r\nx");
        let expected = format!("{long}Cc: a@new.test\r\n\r\nx");
        for size in [1_000, 4_096, 1 << 20] {
            assert_eq!(rewritten(mail.as_bytes(), size), expected);
        }
        let mut rewriter = rewriter();
        now(rewriter.feed(long.as_bytes(), &mut Vec::new(), &NoRemote));
        assert!(rewriter.held.capacity() < 3 * MAX_FIELD);
    }

    #[test]
    fn after_an_error_all_goes_on_and_the_end_says_why() {
        let mut rules = RewritingRules::default();
        rules.canonical.maps = vec![table("fail:broken")].into();
        let mut rewriter = HeaderRewriter::incoming(&Arc::new(rules)).unwrap();
        let (mail, mut out) = ("To: a@b.test\r\nCc: c@d.test\r\n\r\nx", Vec::new());
        now(rewriter.feed(mail.as_bytes(), &mut out, &NoRemote));
        assert!(matches!(rewriter.error(), Some(RewriteError::Lookup(_))));
        assert!(now(rewriter.finish(&mut out, &NoRemote)).is_err());
        assert_eq!(out, mail.as_bytes());
    }

    #[test]
    fn i1_the_addresses_of_a_header_share_the_steps_of_patterns() {
        let mut rules = RewritingRules::default();
        rules.canonical.maps =
            vec![table("pcre:{ {/^(a+)+(?=b)/ b@new.test} {/^c@/ d@new.test} }")].into();
        let rules = Arc::new(rules);
        let ends = |fields: usize| {
            let mut rewriter = HeaderRewriter::incoming(&rules).unwrap();
            let mail = format!("To: {}@old.test\r\n", "a".repeat(18)).repeat(fields);
            let mut feeding = pin!(async {
                rewriter.feed(mail.as_bytes(), &mut Vec::new(), &NoRemote).await;
                rewriter.finish(&mut Vec::new(), &NoRemote).await
            });
            // It waits only to let others go first.
            loop {
                let context = &mut Context::from_waker(Waker::noop());
                if let Poll::Ready(end) = feeding.as_mut().poll(context) {
                    return end;
                }
            }
        };
        assert!(ends(10).is_ok());
        let error = ends(100).unwrap_err();
        assert!(matches!(&error, RewriteError::Lookup(LookupError::NoStepsLeft { .. })), "{error}");
        assert!(!error.may_pass());
    }

    #[test]
    fn there_is_no_rewriter_without_rules() {
        assert!(HeaderRewriter::incoming(&Arc::default()).is_none());
        assert!(HeaderRewriter::generic(&Arc::default()).is_none());
    }
}
