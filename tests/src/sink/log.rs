//! What a sink saw.

use std::{fmt, net::SocketAddr};

/// Everything that happened to a sink so far.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) connections: Vec<Connection>,
    pub(super) messages: Vec<Received>,
}

/// One connection, from the accept to its end.
#[derive(Debug, Default)]
pub(super) struct Connection {
    pub(super) lines: Vec<Line>,
    pub(super) bytes: Vec<u8>,
    pub(super) ended: bool,
}

/// One line of the conversation; content is one line, however long.
#[derive(Debug)]
pub(super) enum Line {
    Theirs(String),
    Ours(String),
}

/// A mail whose final dot was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Which connection brought it, counted from 0.
    pub connection: usize,
    /// What the client called itself.
    pub hello: String,
    /// The argument of MAIL as it came: `FROM:<a@example> SIZE=10`.
    pub mail: String,
    /// The arguments of the RCPT commands that were accepted: `TO:<b@example> NOTIFY=NEVER`.
    pub rcpt: Vec<String>,
    /// The exact bytes after the reply to DATA, up to and with the final dot line.
    pub wire: Vec<u8>,
    /// What the client was told.
    pub outcome: Outcome,
}

/// What the client was told about a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 2yz, for these recipients; in SMTP for all.
    Accepted(Vec<String>),
    /// 4yz or 5yz for all of them.
    Refused,
    /// Nothing: the connection ended or hung after the dot.
    Unanswered,
}

impl Received {
    /// The address in MAIL FROM; empty for the null sender.
    #[must_use]
    pub fn sender(&self) -> &str {
        path(&self.mail)
    }

    /// The addresses of the recipients that were accepted at RCPT.
    #[must_use]
    pub fn recipients(&self) -> Vec<&str> {
        self.rcpt.iter().map(|argument| path(argument)).collect()
    }

    /// The content without dot-stuffing and without the final dot line.
    #[must_use]
    pub fn content(&self) -> Vec<u8> {
        let stuffed = self.wire.strip_suffix(b".\r\n").unwrap_or(&self.wire);
        let mut content: Vec<u8> = Vec::with_capacity(stuffed.len());
        let mut starts_line = true;
        for line in stuffed.split_inclusive(|byte| *byte == b'\n') {
            let plain = line.strip_prefix(b".").filter(|_| starts_line).unwrap_or(line);
            content.extend_from_slice(plain);
            starts_line = line.ends_with(b"\r\n");
        }
        content
    }

    /// The path of the first link in a notice to a page of the gateway at `site`.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    pub fn link(&self, site: SocketAddr) -> String {
        let text = self.text().replace("=\r\n", "").replace("=\n", "").replace("=3D", "=");
        let (_, rest) = text.split_once(&format!("http://{site}/m/")).expect("a link");
        let token: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
        format!("/m/{token}")
    }

    /// The content as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.content()).into_owned()
    }
}

/// What stands between the angle brackets of an argument of MAIL or RCPT.
pub(super) fn path(argument: &str) -> &str {
    let inner = argument.split_once('<').map_or(argument, |(_, rest)| rest);
    inner.rsplit_once('>').map_or(inner, |(path, _)| path)
}

impl Log {
    /// The mails that were accepted for at least one recipient.
    pub(super) fn accepted(&self) -> Vec<&Received> {
        let accepted = |mail: &&Received| matches!(mail.outcome, Outcome::Accepted(_));
        self.messages.iter().filter(accepted).collect()
    }

    /// How many connections have ended.
    pub(super) fn ended(&self) -> usize {
        self.connections.iter().filter(|connection| connection.ended).count()
    }
}

impl fmt::Display for Log {
    /// The dialogues so far, for a test that fails.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.connections.is_empty() {
            return writeln!(f, "nobody connected");
        }
        for (n, connection) in self.connections.iter().enumerate() {
            writeln!(f, "connection {n}:")?;
            for line in &connection.lines {
                match line {
                    Line::Theirs(text) => writeln!(f, "  C: {text}")?,
                    Line::Ours(text) => writeln!(f, "  S: {text}")?,
                }
            }
            writeln!(f, "  -- {}", if connection.ended { "ended" } else { "open" })?;
        }
        Ok(())
    }
}
