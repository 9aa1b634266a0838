//! Conversations as files: `tests/dialogs/*.smtp`.
//!
//! ```text
//! # what the story shows -- RFC or row of attacks.md (the first line, required)
//! ~~ listener tls=optional auth=PLAIN ~~   settings that differ from a plain MX
//! ~~ peer trusted xclient ~~               rights of the peer
//! % [restrictions]                         a line of the configuration: such a dialog needs a gateway
//! S: 220 *                                 a line from the server; `*` is any text
//! S: 250-*...                              any number of such lines
//! S!: *AUTH*                               no line that is still unread is like this
//! C: EHLO client.example                   a line to the server, CRLF is added
//! C: RSET + NOOP                           two lines in one packet
//! C!: EHLO a + MAIL                        the same, and never divided: that it comes at once is
//!                                          the point
//! C*3: RSET                                three times in one packet
//! C: \x00 \r \n \t \\ \{ab*3} \c           escapes; `\{ab*3}` is ababab, `\c` at the end: no CRLF
//! Q: <from> -> <to> <to>                   a mail was queued; its content follows:
//! | Subject: x                             a line of it
//! ~~ tls ~~                                the handshake
//! ~~ tls as alice ~~                       the same, and the client has a certificate of alice
//! ~~ closed ~~                             the server has closed
//! ~~ hang up ~~ ~~ timeout ~~ ~~ shut down ~~
//! ```
//!
//! Two spaces and `#` begin a comment. A mail that was queued and is not named fails the dialog.

use std::fmt;

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialog {
    /// What it shows.
    pub title: String,
    /// `key=value` words about the listener.
    pub listener: Vec<(String, String)>,
    /// Rights of the peer.
    pub peer: Vec<String>,
    /// Sections of the configuration. A dialog that has some cannot be had with a session alone.
    pub config: String,
    /// What happens, with the number of its line.
    pub events: Vec<(usize, Event)>,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The client sends bytes.
    Send {
        /// What is sent.
        bytes: Vec<u8>,
        /// Whether it must not be divided.
        undivided: bool,
    },
    /// The server sends a line like this.
    Expect(Pattern),
    /// The server sends any number of lines like this.
    ExpectMany(Pattern),
    /// None of the lines that the server has sent, and that are not expected yet, is like this.
    ExpectNone(Pattern),
    /// A mail was queued.
    Queued(Mail),
    /// The TLS handshake.
    Tls {
        /// Whether the client has a certificate of the user that every gateway knows.
        certified: bool,
    },
    /// The server has closed.
    Closed,
    /// The client closes.
    HangUp,
    /// The deadline passes.
    Timeout,
    /// The server is told to stop.
    ShutDown,
}

/// A mail as a dialog names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mail {
    /// The envelope: `<from> -> <to> <to>`.
    pub envelope: String,
    /// The content, with CRLF.
    pub content: Vec<u8>,
}

/// A line with `*` for any text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// The pattern that is written so.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Whether `line` is like this.
    #[must_use]
    pub fn matches(&self, line: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = line.strip_prefix(first) else {
            return false;
        };
        let mut parts: Vec<&str> = parts.collect();
        let Some(last) = parts.pop() else {
            return rest.is_empty();
        };
        for part in parts {
            let Some(at) = rest.find(part) else {
                return false;
            };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Dialog {
    /// Reads a dialog.
    ///
    /// # Errors
    /// Names the line that cannot be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        let title = text.lines().next().and_then(|line| line.strip_prefix('#'));
        let title = title.filter(|title| title.contains("--")).ok_or(
            "the first line must say what the dialog shows: # story -- RFC or row of attacks.md",
        )?;
        let mut dialog = Self {
            title: title.trim().to_owned(),
            listener: Vec::new(),
            peer: Vec::new(),
            config: String::new(),
            events: Vec::new(),
        };
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            dialog.line(number, line).map_err(|error| format!("line {number}: {error}: {line}"))?;
        }
        Ok(dialog)
    }

    fn line(&mut self, number: usize, line: &str) -> Result<(), String> {
        if let Some(content) = line.strip_prefix('|') {
            return self.content_line(content.strip_prefix(' ').unwrap_or(content));
        }
        if let Some(line) = line.strip_prefix("% ") {
            self.config.push_str(line);
            self.config.push('\n');
            return Ok(());
        }
        let line = without_comment(line).trim_end();
        if line.is_empty() {
            return Ok(());
        }
        if let Some(stage) = line.strip_prefix("~~ ") {
            return stage
                .split(" ~~")
                .filter(|s| !s.is_empty())
                .try_for_each(|stage| self.stage(number, stage.trim_start_matches("~~").trim()));
        }
        let (kind, rest) = line.split_once(':').ok_or("no `C:`, `S:` or `Q:`")?;
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        let event = match kind {
            "Q" => Event::Queued(Mail { envelope: rest.to_owned(), content: Vec::new() }),
            "S!" => Event::ExpectNone(Pattern(rest.to_owned())),
            _ if kind.starts_with('S') => return self.expect(number, repeat(kind)?, rest),
            "C!" => Event::Send { bytes: packet(rest, 1)?, undivided: true },
            _ if kind.starts_with('C') => {
                Event::Send { bytes: packet(rest, repeat(kind)?)?, undivided: false }
            }
            _ => return Err("unknown kind of line".to_owned()),
        };
        self.events.push((number, event));
        Ok(())
    }

    fn expect(&mut self, number: usize, times: usize, text: &str) -> Result<(), String> {
        let event = match text.strip_suffix("...") {
            Some(text) => Event::ExpectMany(Pattern(text.to_owned())),
            None => Event::Expect(Pattern(String::from_utf8_lossy(&unescape(text)?.0).into())),
        };
        self.events.extend(std::iter::repeat_n((number, event), times));
        Ok(())
    }

    fn content_line(&mut self, line: &str) -> Result<(), String> {
        let Some((_, Event::Queued(mail))) = self.events.last_mut() else {
            return Err("content without `Q:`".to_owned());
        };
        mail.content.extend(unescape(line)?.0);
        mail.content.extend(b"\r\n");
        Ok(())
    }

    fn stage(&mut self, number: usize, stage: &str) -> Result<(), String> {
        let mut words = stage.split_whitespace();
        match words.next() {
            Some("listener") => {
                let pair = |word: &str| {
                    let (key, value) = word.split_once('=').unwrap_or((word, "yes"));
                    (key.to_owned(), value.to_owned())
                };
                self.listener.extend(words.map(pair));
                return Ok(());
            }
            Some("peer") => {
                self.peer.extend(words.map(str::to_owned));
                return Ok(());
            }
            _ => {}
        }
        let event = match stage {
            "tls" => Event::Tls { certified: false },
            "tls as alice" => Event::Tls { certified: true },
            "closed" => Event::Closed,
            "hang up" => Event::HangUp,
            "timeout" => Event::Timeout,
            "shut down" => Event::ShutDown,
            _ => return Err(format!("unknown stage `{stage}`")),
        };
        self.events.push((number, event));
        Ok(())
    }
}

fn without_comment(line: &str) -> &str {
    if line.starts_with('#') { "" } else { line.split("  #").next().unwrap_or(line) }
}

/// The number in `C*3`.
fn repeat(kind: &str) -> Result<usize, String> {
    match kind.split_once('*') {
        None if kind.len() == 1 => Ok(1),
        Some((_, times)) => times.parse().map_err(|_| "bad repetition".to_owned()),
        None => Err("unknown kind of line".to_owned()),
    }
}

fn packet(text: &str, times: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    // Between two marks stands an empty line.
    let text = text.replace(" + + ", " +  + ");
    for line in text.split(" + ") {
        let (line, open) = unescape(line)?;
        bytes.extend(line);
        if !open {
            bytes.extend(b"\r\n");
        }
    }
    Ok(bytes.repeat(times))
}

/// The bytes that are meant, and whether they end in `\c`.
fn unescape(text: &str) -> Result<(Vec<u8>, bool), String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend(rest[..at].bytes());
        let mut tail = rest[at + 1..].chars();
        let escape = tail.next().ok_or("nothing after `\\`")?;
        rest = tail.as_str();
        match escape {
            'r' => bytes.push(b'\r'),
            'n' => bytes.push(b'\n'),
            't' => bytes.push(b'\t'),
            '\\' => bytes.push(b'\\'),
            'c' if rest.is_empty() => return Ok((bytes, true)),
            'x' => {
                let (code, tail) = rest.split_at_checked(2).ok_or("`\\x` needs two digits")?;
                bytes.push(u8::from_str_radix(code, 16).map_err(|error| error.to_string())?);
                rest = tail;
            }
            '{' => {
                let (body, tail) = rest.split_once('}').ok_or("`\\{` without `}`")?;
                let (text, times) = body.rsplit_once('*').ok_or("`\\{` without `*`")?;
                let times: usize = times.parse().map_err(|_| "bad repetition")?;
                bytes.extend(unescape(text)?.0.repeat(times));
                rest = tail;
            }
            _ => return Err(format!("unknown escape `\\{escape}`")),
        }
    }
    bytes.extend(rest.bytes());
    Ok((bytes, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_kinds_of_lines_are_read() {
        let text = "# story -- RFC 1\n~~ listener tls=optional auth_in_clear ~~\n~~ peer trusted ~~\n\
                    % [a]\n% b = 1\n\
                    S: 220 *\nS: 250-*...\nS!: *AUTH*\nC: A\\x00 + B\\c\nC!: X\nC*2: R  # comment\n\
                    Q: <a> -> <b>\n| one\n|\n~~ tls ~~ ~~ hang up ~~\n";
        let dialog = Dialog::parse(text).unwrap();
        let pattern = |text: &str| Pattern(text.to_owned());
        let send = |bytes: &[u8], undivided| Event::Send { bytes: bytes.to_vec(), undivided };
        assert_eq!(dialog.title, "story -- RFC 1");
        assert_eq!(dialog.listener[1], ("auth_in_clear".to_owned(), "yes".to_owned()));
        assert_eq!(dialog.peer, ["trusted"]);
        assert_eq!(dialog.config, "[a]\nb = 1\n");
        let mail = Mail { envelope: "<a> -> <b>".to_owned(), content: b"one\r\n\r\n".to_vec() };
        assert_eq!(
            dialog.events.into_iter().map(|(_, event)| event).collect::<Vec<_>>(),
            [
                Event::Expect(pattern("220 *")),
                Event::ExpectMany(pattern("250-*")),
                Event::ExpectNone(pattern("*AUTH*")),
                send(b"A\0\r\nB", false),
                send(b"X\r\n", true),
                send(b"R\r\nR\r\n", false),
                Event::Queued(mail),
                Event::Tls { certified: false },
                Event::HangUp,
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_line() {
        for (text, error) in [
            ("S: 220\n", "first line"),
            ("# x -- y\nfoo\n", "line 2"),
            ("# x -- y\nC: \\q\n", "unknown escape"),
            ("# x -- y\n~~ dance ~~\n", "unknown stage"),
            ("# x -- y\n| text\n", "without `Q:`"),
        ] {
            assert!(Dialog::parse(text).unwrap_err().contains(error), "{text}");
        }
    }

    #[test]
    fn a_star_stands_for_any_text() {
        let matches = |pattern: &str, line: &str| Pattern(pattern.to_owned()).matches(line);
        assert!(matches("250 *", "250 ok") && matches("*a*b", "xaxb") && matches("a", "a"));
        assert!(!matches("250 *", "250-ok") && !matches("a*b", "ab c") && !matches("a", "ab"));
    }
}
