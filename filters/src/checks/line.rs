//! The bytes of a line that a rule puts into a mail.
//!
//! Its text may hold parts of the mail, or come from another server: no line end of it becomes one
//! of the mail, but for the folds of a header.

/// What kind of line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A header: it may be folded over several lines.
    Header,
    /// One line of a body.
    Body,
}

/// The line that stands before `raw`.
pub(super) fn prepended(form: Form, text: &[u8], raw: &[u8]) -> Vec<u8> {
    let end = match line_end(raw) {
        b"" => b"\r\n",
        end => end,
    };
    lines(form, text, end, end)
}

/// The line that stands in the place of `raw`, and ends as that does.
pub(super) fn replacement(form: Form, text: &[u8], raw: &[u8]) -> Vec<u8> {
    let end = line_end(raw);
    lines(form, text, if end.is_empty() { b"\r\n" } else { end }, end)
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
    use super::*;

    #[test]
    fn a_line_ends_as_the_one_beside_it() {
        assert_eq!(prepended(Form::Body, b"new", b"old\r\n"), b"new\r\n");
        assert_eq!(prepended(Form::Body, b"new", b"old\n"), b"new\n");
        assert_eq!(prepended(Form::Body, b"new", b"old"), b"new\r\n");
        assert_eq!(replacement(Form::Body, b"new", b"old\r\n"), b"new\r\n");
        assert_eq!(replacement(Form::Body, b"new", b"old"), b"new");
    }

    #[test]
    fn a_header_stays_one_header_whatever_is_folded_into_it() {
        let cases: [(&[u8], &[u8]); 4] = [
            (b"X: a\n\tb", b"X: a\r\n\tb\r\n"),
            (b"X: a\nb", b"X: a\r\n\tb\r\n"),
            (b"X: a\r\n \r\n\nb\rc\n", b"X: a\r\n\tb c\r\n"),
            (b"X: a\n\n", b"X: a\r\n"),
        ];
        for (text, expected) in cases {
            assert_eq!(prepended(Form::Header, text, b"Y: z\r\n"), expected);
        }
    }

    #[test]
    fn a_line_of_a_body_stays_one_line() {
        assert_eq!(replacement(Form::Body, b"a\r\n.\r\nb", b"x\r\n"), b"a  .  b\r\n");
    }
}
