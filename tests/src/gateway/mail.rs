//! A mail as a scenario describes it.

/// A mail and its envelope. See [`mail`].
#[derive(Clone, Debug)]
pub struct Mail {
    pub(super) sender: String,
    pub(super) recipients: Vec<String>,
    pub(super) content: Vec<u8>,
}

/// A small mail from `sender@client.example` to `user@local.example`, to be changed by what a
/// scenario is about.
#[must_use]
pub fn mail() -> Mail {
    Mail {
        sender: "<sender@client.example>".to_owned(),
        recipients: Vec::new(),
        content: b"Subject: a mail\r\n\r\ntext\r\n".to_vec(),
    }
}

/// A small mail from `ann@local.example` to a user of the same domain.
#[must_use]
pub fn mail_to(user: &str) -> Mail {
    mail().from("ann@local.example").to(&format!("{user}@local.example"))
}

impl Mail {
    /// From this address; `""` is the null sender.
    #[must_use]
    pub fn from(mut self, sender: &str) -> Self {
        self.sender = format!("<{sender}>");
        self
    }

    /// With these parameters of MAIL, such as `BODY=8BITMIME`.
    #[must_use]
    pub fn saying(mut self, parameters: &str) -> Self {
        self.sender = format!("{} {parameters}", self.sender);
        self
    }

    /// To this address, and to those named before.
    #[must_use]
    pub fn to(mut self, recipient: &str) -> Self {
        self.recipients.push(format!("<{recipient}>"));
        self
    }

    /// With these parameters of the last RCPT, such as `NOTIFY=SUCCESS`.
    ///
    /// # Panics
    /// If no recipient was named.
    #[must_use]
    pub fn asking(mut self, parameters: &str) -> Self {
        let last = self.recipients.last_mut().expect("a recipient");
        *last = format!("{last} {parameters}");
        self
    }

    /// With this content, header and body, in lines that end with CRLF.
    #[must_use]
    pub fn content(mut self, content: impl AsRef<[u8]>) -> Self {
        self.content = content.as_ref().to_vec();
        self
    }

    /// With this header line put on top.
    #[must_use]
    pub fn header(mut self, line: &str) -> Self {
        self.content = [line.as_bytes(), b"\r\n", &self.content].concat();
        self
    }

    /// The arguments of the RCPT commands.
    pub(super) fn recipients(&self) -> Vec<String> {
        match self.recipients.as_slice() {
            [] => vec!["<user@local.example>".to_owned()],
            named => named.to_vec(),
        }
    }

    /// The content as it goes over the wire, with the final dot.
    pub(super) fn wire(&self) -> Vec<u8> {
        let mut wire = Vec::with_capacity(self.content.len() + 3);
        for line in self.content.split_inclusive(|&byte| byte == b'\n') {
            if line.starts_with(b".") {
                wire.push(b'.');
            }
            wire.extend_from_slice(line);
        }
        wire.extend_from_slice(b".\r\n");
        wire
    }
}
