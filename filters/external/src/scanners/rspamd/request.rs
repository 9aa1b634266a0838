//! What Rspamd is told of a mail, in the head of a request (its documentation, "Rspamd protocol").

use mailweir_mail::{Address, Envelope, Origin, QueueId};

/// What is known about a mail beside its content.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Its name in the queue, or the one that it will have there.
    pub id: QueueId,
    /// Whom it is from and for.
    pub envelope: &'a Envelope,
    /// Where it came from.
    pub origin: &'a Origin,
}

/// What the administrator wants Rspamd told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `Password`, which a controller asks for.
    pub password: Option<Box<str>>,
    /// `MTA-Tag`, which rules can ask for.
    pub tag: Option<Box<str>>,
    /// `Settings-ID`, which chooses among Rspamd's settings.
    pub settings: Option<Box<str>>,
    /// `Pass: all`: Rspamd tries all its tests, even if a few suffice to refuse the mail.
    pub every_test: bool,
}

/// The head of the request, with the empty line.
///
/// Recipients that would make it longer than Rspamd takes are left out; it looks at no more than 1,024 of them anyway
/// (`max_recipients`).
pub(super) fn head(size: u64, about: &About<'_>, options: &Options) -> Vec<u8> {
    let mut head = Writer(b"POST /checkv2 HTTP/1.1\r\n".to_vec());
    let About { id, envelope, origin } = about;
    head.field("Host", "localhost");
    head.field("Connection", "close");
    head.field("Content-Length", &size.to_string());
    head.option("Password", options.password.as_deref());
    head.option("MTA-Tag", options.tag.as_deref());
    head.option("Settings-ID", options.settings.as_deref());
    head.option("Pass", options.every_test.then_some("all"));
    head.field("Queue-Id", &id.to_string());
    head.field("IP", &origin.client.ip().to_string());
    head.option("Hostname", origin.client.name.as_deref());
    head.option("Helo", Some(&*origin.helo).filter(|helo| !helo.is_empty()));
    head.option("User", origin.login.as_ref().map(|login| &*login.user));
    head.option("TLS-Cipher", origin.tls.as_ref().map(|tls| &*tls.cipher));
    head.option("TLS-Version", origin.tls.as_ref().map(|tls| &*tls.version));
    head.field("From", &format!("<{}>", envelope.sender.as_str()));
    if let [only] = &envelope.recipients[..] {
        head.address("Deliver-To", &only.address);
    }
    for recipient in &envelope.recipients {
        if head.0.len() + recipient.address.as_str().len() + 16 > MOST_HEAD {
            break;
        }
        head.address("Rcpt", &recipient.address);
    }
    head.0.extend_from_slice(b"\r\n");
    head.0
}

struct Writer(Vec<u8>);

impl Writer {
    /// Adds a field. What would end it becomes a question mark; an address has nothing of that.
    fn field(&mut self, name: &str, value: &str) {
        let value = value[..value.floor_char_boundary(MOST_VALUE)].replace(char::is_control, "?");
        self.0.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }

    fn option(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.field(name, value);
        }
    }

    fn address(&mut self, name: &str, address: &Address) {
        self.field(name, &format!("<{address}>"));
    }
}

/// Bytes of the longest head. Rspamd closes without a word on one of more than 80 KiB.
const MOST_HEAD: usize = 64 * 1024;

/// Bytes of the longest value; an address is shorter.
const MOST_VALUE: usize = 1_000;
