//! What is asked: the attributes that Postfix 3.11 sends, in its order.

use std::{fmt::Write as _, net::SocketAddr};

/// A question to a policy server about a client and its mail. What is not known is empty or 0.
#[derive(Clone, Copy, Debug)]
pub struct Inquiry<'a> {
    /// At which command.
    pub moment: Moment,
    /// `SMTP` or `ESMTP`.
    pub protocol: &'a str,
    /// Who came.
    pub client: Peer<'a>,
    /// What it connected to.
    pub server: SocketAddr,
    /// What it called itself.
    pub helo: &'a str,
    /// What it brings.
    pub mail: Mail<'a>,
    /// Who logged in.
    pub login: Login<'a>,
    /// The client's certificate.
    pub certificate: Certificate<'a>,
    /// How the session is encrypted.
    pub encryption: Encryption<'a>,
    /// By whose rule it is asked (`smtpd_policy_service_policy_context`).
    pub context: &'a str,
}

/// At which command a question is asked (`protocol_state`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the command of that name")]
pub enum Moment {
    Connect,
    Helo,
    Ehlo,
    Mail,
    Rcpt,
    /// DATA or the first BDAT.
    Data,
    EndOfMessage,
}

/// A client.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    /// Its address and port; unspecified, or 0, if they are not known.
    pub address: SocketAddr,
    /// Its verified name, or `unknown`.
    pub name: &'a str,
    /// The name that its address has, verified or not, or `unknown`.
    pub reverse_name: &'a str,
}

/// A mail.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mail<'a> {
    /// The envelope sender.
    pub sender: &'a str,
    /// The recipient in question.
    pub recipient: &'a str,
    /// How many were accepted. Asked for at DATA and behind it.
    pub recipient_count: usize,
    /// Its name in our queue.
    pub queue_id: &'a str,
    /// The same for all questions about one mail, and never for another.
    pub instance: &'a str,
    /// Bytes.
    pub size: u64,
}

/// A log-in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Login<'a> {
    /// The SASL mechanism.
    pub method: &'a str,
    /// The user.
    pub username: &'a str,
}

/// A certificate.
#[derive(Clone, Copy, Debug, Default)]
pub struct Certificate<'a> {
    /// The common name of whom it is about. For trusted ones only.
    pub subject: &'a str,
    /// The common name of who signed it. For trusted ones only.
    pub issuer: &'a str,
    /// Its fingerprint.
    pub fingerprint: &'a str,
    /// That of its public key.
    pub key_fingerprint: &'a str,
}

/// An encryption.
#[derive(Clone, Copy, Debug, Default)]
pub struct Encryption<'a> {
    /// `TLSv1.3`.
    pub protocol: &'a str,
    /// The cipher suite.
    pub cipher: &'a str,
    /// Bits.
    pub keysize: u16,
}

impl Inquiry<'_> {
    /// The question with the empty line behind it. A value cannot break out of its line: what is no text in it becomes
    /// `?`, and it is cut at [`LONGEST_VALUE`].
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { mail, login, certificate, encryption, .. } = self;
        let mut lines = Lines(String::with_capacity(1_024));
        lines.add("request", "smtpd_access_policy");
        lines.add("protocol_state", self.moment.as_str());
        lines.add("protocol_name", self.protocol);
        lines.peers(&self.client, self.server);
        lines.add("helo_name", self.helo);
        lines.add("sender", mail.sender);
        lines.add("recipient", mail.recipient);
        lines.add("recipient_count", &self.counted().to_string());
        lines.add("queue_id", mail.queue_id);
        lines.add("instance", mail.instance);
        lines.add("size", &mail.size.to_string());
        lines.add("etrn_domain", "");
        lines.add("stress", "");
        lines.add("sasl_method", login.method);
        lines.add("sasl_username", login.username);
        lines.add("sasl_sender", "");
        lines.add("ccert_subject", &xtext(certificate.subject));
        lines.add("ccert_issuer", &xtext(certificate.issuer));
        lines.add("ccert_fingerprint", certificate.fingerprint);
        lines.add("ccert_pubkey_fingerprint", certificate.key_fingerprint);
        lines.add("encryption_protocol", encryption.protocol);
        lines.add("encryption_cipher", encryption.cipher);
        lines.add("encryption_keysize", &encryption.keysize.to_string());
        lines.add("policy_context", self.context);
        lines.add("compatibility_level", COMPATIBILITY_LEVEL);
        lines.add("mail_version", MAIL_VERSION);
        lines.0.push('\n');
        lines.0.into_bytes()
    }

    const fn counted(&self) -> usize {
        match self.moment {
            Moment::Data | Moment::EndOfMessage => self.mail.recipient_count,
            Moment::Connect | Moment::Helo | Moment::Ehlo | Moment::Mail | Moment::Rcpt => 0,
        }
    }
}

impl Moment {
    /// The word of the protocol.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "CONNECT",
            Self::Helo => "HELO",
            Self::Ehlo => "EHLO",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Data => "DATA",
            Self::EndOfMessage => "END-OF-MESSAGE",
        }
    }
}

struct Lines(String);

impl Lines {
    fn add(&mut self, name: &str, value: &str) {
        let plain = |c: char| if c.is_control() { '?' } else { c };
        let value = &value[..value.floor_char_boundary(LONGEST_VALUE)];
        self.0.push_str(name);
        self.0.push('=');
        self.0.extend(value.chars().map(plain));
        self.0.push('\n');
    }

    fn peers(&mut self, client: &Peer<'_>, server: SocketAddr) {
        let (ip, port) = (client.address.ip(), client.address.port());
        let known = |is_known: bool, value: String| if is_known { value } else { UNKNOWN.into() };
        self.add("client_address", &known(!ip.is_unspecified(), ip.to_string()));
        self.add("client_name", client.name);
        self.add("client_port", &known(port != 0, port.to_string()));
        self.add("reverse_client_name", client.reverse_name);
        self.add("server_address", &server.ip().to_canonical().to_string());
        self.add("server_port", &server.port().to_string());
    }
}

/// RFC 3461 section 4.
fn xtext(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'!'..=b'~' if byte != b'+' => quoted.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => drop(write!(quoted, "+{byte:02X}")),
        }
    }
    quoted
}

/// Bytes of a value at most. Postfix cuts what clients say at 2048 (`line_length_limit`).
pub const LONGEST_VALUE: usize = 2_048;

const UNKNOWN: &str = "unknown";

/// The Postfix whose protocol this is: servers look here for what they may answer.
const COMPATIBILITY_LEVEL: &str = "3.11";
const MAIL_VERSION: &str = "3.11.0";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Reader, Request, Stage};

    fn inquiry() -> Inquiry<'static> {
        Inquiry {
            moment: Moment::Rcpt,
            protocol: "ESMTP",
            client: Peer {
                address: ([192, 0, 2, 1], 4711).into(),
                name: "unknown",
                reverse_name: "pc.example",
            },
            server: ([192, 0, 2, 25], 25).into(),
            helo: "pc.example",
            mail: Mail {
                sender: "a@a.example",
                recipient: "b@b.example",
                recipient_count: 3,
                instance: "1f.2.3",
                ..Mail::default()
            },
            login: Login::default(),
            certificate: Certificate { subject: "A+B c", ..Certificate::default() },
            encryption: Encryption::default(),
            context: "",
        }
    }

    fn read(inquiry: &Inquiry<'_>) -> Request {
        let bytes = inquiry.to_bytes();
        let mut rest = bytes.as_slice();
        let request = Reader::default().read(&mut rest).unwrap().unwrap();
        assert!(rest.is_empty());
        request
    }

    #[test]
    fn a_question_has_what_postfix_sends_in_its_order() {
        let bytes = inquiry().to_bytes();
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(
            text,
            "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\n\
             client_address=192.0.2.1\nclient_name=unknown\nclient_port=4711\n\
             reverse_client_name=pc.example\nserver_address=192.0.2.25\nserver_port=25\n\
             helo_name=pc.example\nsender=a@a.example\nrecipient=b@b.example\nrecipient_count=0\n\
             queue_id=\ninstance=1f.2.3\nsize=0\netrn_domain=\nstress=\nsasl_method=\n\
             sasl_username=\nsasl_sender=\nccert_subject=A+2BB+20c\nccert_issuer=\n\
             ccert_fingerprint=\nccert_pubkey_fingerprint=\nencryption_protocol=\n\
             encryption_cipher=\nencryption_keysize=0\npolicy_context=\n\
             compatibility_level=3.11\nmail_version=3.11.0\n\n"
        );
    }

    #[test]
    fn recipients_are_counted_when_all_are_known() {
        assert_eq!(read(&inquiry()).recipient_count, 0);
        for moment in [Moment::Data, Moment::EndOfMessage] {
            assert_eq!(read(&Inquiry { moment, ..inquiry() }).recipient_count, 3);
        }
    }

    #[test]
    fn a_client_without_a_known_address_is_unknown() {
        let client = Peer { address: ([0, 0, 0, 0], 0).into(), ..inquiry().client };
        let text = String::from_utf8(Inquiry { client, ..inquiry() }.to_bytes()).unwrap();
        assert!(text.contains("\nclient_address=unknown\n"), "{text}");
        assert!(text.contains("\nclient_port=unknown\n"), "{text}");
        assert_eq!(read(&Inquiry { client, ..inquiry() }).client_port, 0);
    }

    proptest! {
        /// What our server side reads is what was asked, whatever a client has said.
        #[test]
        fn what_is_asked_can_be_read_and_nothing_else(
            helo in any::<String>(), sender in "\\PC{0,40}", recipient in any::<String>(),
            username in any::<String>(), instance in "[0-9a-f.]{1,30}",
            count in 0_usize..100_000, size: u64, port: u16,
        ) {
            let mail = Mail {
                sender: &sender, recipient: &recipient, recipient_count: count,
                queue_id: "4X", instance: &instance, size,
            };
            let client = Peer { address: ([192, 0, 2, 1], port).into(), ..inquiry().client };
            let asked = Inquiry {
                moment: Moment::Data, client, helo: &helo, mail,
                login: Login { method: "PLAIN", username: &username }, ..inquiry()
            };
            let plain = |text: &str| -> Box<str> {
                let plain = |c: char| if c.is_control() { '?' } else { c };
                text.chars().map(plain).collect::<String>().into()
            };
            let request = read(&asked);
            prop_assert_eq!(request.stage, Stage::Data);
            prop_assert_eq!(request.helo, plain(&helo));
            prop_assert_eq!(request.sender, plain(&sender));
            prop_assert_eq!(request.recipient, plain(&recipient));
            prop_assert_eq!(request.sasl_username, plain(&username));
            prop_assert_eq!(&*request.instance, instance.as_str());
            prop_assert_eq!((request.recipient_count as usize, request.size), (count, size));
            prop_assert_eq!(request.client_port, port);
        }

        #[test]
        fn no_value_makes_a_line_too_long(helo in "\\PC{0,3}", times in 0_usize..9_000) {
            let helo = helo.repeat(times);
            let request = read(&Inquiry { helo: &helo, ..inquiry() });
            prop_assert!(helo.starts_with(&*request.helo) && request.helo.len() <= LONGEST_VALUE);
        }
    }
}
