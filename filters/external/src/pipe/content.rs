//! A mail as a program reads it (pipe(8), `flags` and `eol`).

use mailweir_mail::{Address, ReversePath, Timestamp};

/// What stands around a mail, and how its lines end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// What ends a line.
    pub eol: Box<str>,
    /// Flag `F`: a line `From sender time` comes first.
    pub from_line: bool,
    /// Flag `R`: a header Return-Path with the sender.
    pub return_path: bool,
    /// Flag `O`: a header X-Original-To with the recipient as it was written to. For one recipient only.
    pub original_to: bool,
    /// Flag `D`: a header Delivered-To with the recipient. For one recipient only.
    pub delivered_to: bool,
    /// Flag `B`: an empty line at the end.
    pub blank_line: bool,
    /// Flag `.`: a line that begins with a dot gets another one before it.
    pub dots: bool,
    /// Flag `>`: a line that begins with `From ` gets a `>` before it.
    pub quote_from: bool,
}

impl Form {
    /// The mail as it is, but for the ends of its lines: a program reads LF.
    #[must_use]
    pub fn plain() -> Self {
        Self {
            eol: "\n".into(),
            from_line: false,
            return_path: false,
            original_to: false,
            delivered_to: false,
            blank_line: false,
            dots: false,
            quote_from: false,
        }
    }

    /// What comes before the mail. `recipient`: its address and as it was written to.
    #[must_use]
    pub fn top(
        &self,
        sender: &ReversePath,
        recipient: Option<(&Address, &Address)>,
        arrival: Timestamp,
    ) -> Vec<u8> {
        let mut lines = Vec::new();
        if self.from_line {
            let sender = sender.address().map_or("MAILER-DAEMON", Address::as_str);
            lines.push(format!("From {sender}  {}", ctime(arrival)));
        }
        if self.return_path {
            lines.push(format!("Return-Path: <{}>", sender.as_str()));
        }
        if let Some((address, original)) = recipient {
            if self.original_to {
                lines.push(format!("X-Original-To: {original}"));
            }
            if self.delivered_to {
                lines.push(format!("Delivered-To: {address}"));
            }
        }
        lines.iter().flat_map(|line| [line, &*self.eol].concat().into_bytes()).collect()
    }
}

/// A time as ctime(3) writes it, in UTC.
fn ctime(time: Timestamp) -> String {
    format!("{} {} {}", time.weekday(), time.syslog(), time.civil().year)
}

/// Writes a mail in a form, piece by piece.
#[derive(Clone, Debug)]
pub struct Content<'a> {
    form: &'a Form,
    /// What of a line was seen that may begin with `From `: it is not written yet.
    begun: Vec<u8>,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Nothing of a line was written.
    LineStart,
    InLine,
    /// Behind a CR, which is not written yet.
    BehindCr,
}

impl<'a> Content<'a> {
    /// At the beginning of a mail, as it is stored: lines end with CRLF.
    #[must_use]
    pub const fn new(form: &'a Form) -> Self {
        Self { form, begun: Vec::new(), place: Place::LineStart }
    }

    /// Adds the next piece to `out`, in the form.
    pub fn feed(&mut self, mut piece: &[u8], out: &mut Vec<u8>) {
        while let Some(&first) = piece.first() {
            piece = match self.place {
                Place::LineStart => self.line_start(first, piece, out),
                Place::BehindCr if first == b'\n' => {
                    out.extend_from_slice(self.form.eol.as_bytes());
                    self.place = Place::LineStart;
                    &piece[1..]
                }
                Place::BehindCr => {
                    out.push(b'\r');
                    self.place = Place::InLine;
                    piece
                }
                Place::InLine => self.in_line(piece, out),
            };
        }
    }

    /// Adds what is left, and ends the last line.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        let is_whole = self.place == Place::LineStart && self.begun.is_empty();
        out.append(&mut self.begun);
        if self.place == Place::BehindCr {
            out.push(b'\r');
        }
        let ends = usize::from(!is_whole) + usize::from(self.form.blank_line);
        out.extend_from_slice(self.form.eol.repeat(ends).as_bytes());
    }

    fn line_start<'p>(&mut self, first: u8, piece: &'p [u8], out: &mut Vec<u8>) -> &'p [u8] {
        let is_from = self.form.quote_from && FROM.get(self.begun.len()) == Some(&first);
        if is_from {
            self.begun.push(first);
            if self.begun.len() == FROM.len() {
                out.push(b'>');
                self.begin_line(out);
            }
            return &piece[1..];
        }
        if self.form.dots && self.begun.is_empty() && first == b'.' {
            out.push(b'.');
        }
        self.begin_line(out);
        piece
    }

    fn begin_line(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.begun);
        self.place = Place::InLine;
    }

    fn in_line<'p>(&mut self, piece: &'p [u8], out: &mut Vec<u8>) -> &'p [u8] {
        let end = piece.iter().position(|byte| *byte == b'\r').unwrap_or(piece.len());
        out.extend_from_slice(&piece[..end]);
        match piece.get(end) {
            None => &[],
            Some(_) => {
                self.place = Place::BehindCr;
                &piece[end + 1..]
            }
        }
    }
}

const FROM: &[u8] = b"From ";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(form: &Form, pieces: &[&[u8]]) -> String {
        let (mut content, mut out) = (Content::new(form), Vec::new());
        for piece in pieces {
            content.feed(piece, &mut out);
        }
        content.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    const MAIL: &[u8] = b"Subject: x\r\n\r\nFrom here\r\nFrom\r\n.\r\nFro\rm\n\r\n";

    #[test]
    fn lines_end_as_the_program_wants_them_and_nothing_else_changes() {
        let plain = "Subject: x\n\nFrom here\nFrom\n.\nFro\rm\n\n";
        assert_eq!(written(&Form::plain(), &[MAIL]), plain);
        let crlf = Form { eol: "\r\n".into(), ..Form::plain() };
        assert_eq!(written(&crlf, &[MAIL]).as_bytes(), MAIL);
    }

    #[test]
    fn lines_are_quoted_as_the_flags_say() {
        let form = Form { quote_from: true, dots: true, blank_line: true, ..Form::plain() };
        let quoted = "Subject: x\n\n>From here\nFrom\n..\nFro\rm\n\n\n";
        assert_eq!(written(&form, &[MAIL]), quoted);
    }

    #[test]
    fn a_mail_without_its_last_line_end_gets_one() {
        let form = Form { quote_from: true, ..Form::plain() };
        for (mail, expected) in
            [("", ""), ("x", "x\n"), ("x\r", "x\r\n"), ("Fro", "Fro\n"), ("From ", ">From \n")]
        {
            assert_eq!(written(&form, &[mail.as_bytes()]), expected, "{mail:?}");
        }
    }

    proptest! {
        #[test]
        fn pieces_change_nothing(cuts in proptest::collection::vec(0..MAIL.len(), 0..6)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let form = Form { quote_from: true, dots: true, ..Form::plain() };
            let (mut pieces, mut from) = (Vec::new(), 0);
            for cut in cuts {
                pieces.push(&MAIL[from..cut]);
                from = cut;
            }
            pieces.push(&MAIL[from..]);
            prop_assert_eq!(written(&form, &pieces), written(&form, &[MAIL]));
        }
    }

    #[test]
    fn what_comes_before_a_mail_is_what_mailboxes_expect() {
        let form = Form {
            from_line: true,
            return_path: true,
            original_to: true,
            delivered_to: true,
            ..Form::plain()
        };
        let address = |text: &str| -> Address { text.parse().unwrap() };
        let (ann, sales) = (address("ann@own.example"), address("sales@own.example"));
        let sender = ReversePath::Mailbox(address("bob@far.example"));
        let at = Timestamp::from_secs(1_795_210_205);
        let top = form.top(&sender, Some((&ann, &sales)), at);
        let expected = "From bob@far.example  Fri Nov 20 21:30:05 2026\n\
            Return-Path: <bob@far.example>\nX-Original-To: sales@own.example\n\
            Delivered-To: ann@own.example\n";
        assert_eq!(String::from_utf8(top).unwrap(), expected);
        let top = form.top(&ReversePath::Null, None, at);
        let expected = "From MAILER-DAEMON  Fri Nov 20 21:30:05 2026\nReturn-Path: <>\n";
        assert_eq!(String::from_utf8(top).unwrap(), expected);
        assert!(Form::plain().top(&sender, Some((&ann, &sales)), at).is_empty());
    }
}
