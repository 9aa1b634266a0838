//! A line of a mail under the edits of rules, and the bytes that go on.
//!
//! The text of a rule may hold parts of the mail, or come from another server: no line end of it becomes one
//! of the mail, but for the folds of a header.

use super::{
    Edit,
    output::{Onward, Output},
};

/// What kind of line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A header: it may be folded over several lines.
    Header,
    /// One line of a body.
    Body,
}

/// A line of the mail and what rules made of it.
#[derive(Debug)]
pub(super) struct Line<'m> {
    form: Form,
    raw: &'m [u8],
    before: Vec<u8>,
    standing: Standing,
}

/// What stands where a line stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The line, as it came.
    AsItCame,
    /// Nothing.
    Nothing,
    /// This text.
    Instead(Vec<u8>),
}

impl<'m> Line<'m> {
    /// A line as it came.
    pub(super) const fn new(form: Form, raw: &'m [u8]) -> Self {
        Self { form, raw, before: Vec::new(), standing: Standing::AsItCame }
    }

    /// Edits it, in the way of a rule.
    pub(super) fn edit(&mut self, edit: Edit) {
        match edit {
            Edit::Keep => {}
            Edit::Remove => self.standing = Standing::Nothing,
            Edit::Replace(text) => self.standing = Standing::Instead(text),
            Edit::Prepend(text) => {
                let end = self.end_or_crlf();
                self.before.append(&mut lines(self.form, &text, end, end));
            }
        }
    }

    pub(super) const fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The text that stands there now, of a line whose text was `came`; `None`: nothing does.
    pub(super) fn text<'t>(&'t self, came: &'t [u8]) -> Option<&'t [u8]> {
        match &self.standing {
            Standing::AsItCame => Some(came),
            Standing::Nothing => None,
            Standing::Instead(text) => Some(text),
        }
    }

    pub(super) fn is_edited(&self) -> bool {
        !self.before.is_empty() || self.standing != Standing::AsItCame
    }

    /// Lets it go on.
    pub(super) async fn write(&self, onward: &mut Onward<'_, '_, impl Output>) {
        if !self.before.is_empty() {
            onward.insert(&self.before).await;
        }
        match &self.standing {
            Standing::AsItCame => onward.pass(self.raw).await,
            Standing::Nothing => {}
            Standing::Instead(text) => {
                // It ends as the line did, which may be not at all: at the end of the mail, or in
                // the middle of a line that is longer than what is looked at.
                let line = lines(self.form, text, self.end_or_crlf(), line_end(self.raw));
                onward.insert(&line).await;
            }
        }
    }

    fn end_or_crlf(&self) -> &'static [u8] {
        match line_end(self.raw) {
            b"" => b"\r\n",
            end => end,
        }
    }
}

/// A header of its own out of the text of a rule, with its line end: whatever the text holds, it
/// stays one header.
#[must_use]
pub fn header_line(text: &[u8]) -> Vec<u8> {
    lines(Form::Header, text, b"\r\n", b"\r\n")
}

fn lines(form: Form, text: &[u8], fold: &[u8], end: &[u8]) -> Vec<u8> {
    let mut written = Vec::with_capacity(text.len() + end.len());
    match form {
        Form::Body => written.extend(text.iter().map(one_line)),
        Form::Header => {
            for line in text.split(|&b| b == b'\n') {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                if !written.is_empty() {
                    if line.trim_ascii().is_empty() {
                        // Some readers take it for the end of the header.
                        continue;
                    }
                    written.extend_from_slice(fold);
                    if !line.starts_with(b" ") && !line.starts_with(b"\t") {
                        // As Postfix does (`cleanup_out_header`).
                        written.push(b'\t');
                    }
                }
                written.extend(line.iter().map(one_line));
            }
        }
    }
    written.extend_from_slice(end);
    written
}

fn one_line(&byte: &u8) -> u8 {
    if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }
}

fn line_end(raw: &[u8]) -> &'static [u8] {
    match raw {
        [.., b'\r', b'\n'] => b"\r\n",
        [.., b'\n'] => b"\n",
        _ => b"",
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::Future,
        pin::pin,
        task::{Context, Waker},
    };

    use super::*;

    fn edited(form: Form, edit: Edit, raw: &[u8]) -> Vec<u8> {
        let mut line = Line::new(form, raw);
        line.edit(edit);
        let mut out = Vec::new();
        let written = async {
            let mut onward = Onward::new(raw, &mut out);
            line.write(&mut onward).await;
            onward.flush().await;
        };
        assert!(pin!(written).poll(&mut Context::from_waker(Waker::noop())).is_ready());
        out
    }

    fn replaced(form: Form, text: &[u8], raw: &[u8]) -> Vec<u8> {
        edited(form, Edit::Replace(text.to_vec()), raw)
    }

    #[test]
    fn a_line_ends_as_the_one_beside_it() {
        for (raw, expected) in [("b\r\n", "a\r\nb\r\n"), ("b\n", "a\nb\n"), ("b", "a\r\nb")] {
            let prepend = Edit::Prepend(b"a".to_vec());
            assert_eq!(edited(Form::Body, prepend, raw.as_bytes()), expected.as_bytes());
        }
        for (raw, expected) in [("b\r\n", "a\r\n"), ("b\n", "a\n"), ("b", "a")] {
            assert_eq!(replaced(Form::Body, b"a", raw.as_bytes()), expected.as_bytes());
        }
    }

    #[test]
    fn a_line_may_be_edited_twice() {
        let mut line = Line::new(Form::Header, b"A: b\r\n");
        line.edit(Edit::Prepend(b"X: 1".to_vec()));
        line.edit(Edit::Prepend(b"X: 2".to_vec()));
        line.edit(Edit::Remove);
        assert_eq!(
            (&line.before[..], &line.standing),
            (&b"X: 1\r\nX: 2\r\n"[..], &Standing::Nothing)
        );
    }

    #[test]
    fn a_header_stays_one_header_whatever_is_folded_into_it() {
        let cases = [
            ("X: a\n\tb", "X: a\r\n\tb\r\n"),
            ("X: a\nb", "X: a\r\n\tb\r\n"),
            ("X: a\r\n \r\n\nb\rc\n", "X: a\r\n\tb c\r\n"),
            ("X: a\n\n", "X: a\r\n"),
        ];
        for (text, expected) in cases {
            assert_eq!(replaced(Form::Header, text.as_bytes(), b"Y: z\r\n"), expected.as_bytes());
        }
    }

    #[test]
    fn a_line_of_a_body_stays_one_line() {
        assert_eq!(replaced(Form::Body, b"a\r\n.\r\nb", b"x\r\n"), b"a  .  b\r\n");
    }
}
