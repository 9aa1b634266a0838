//! What milters are told of a session and a mail, in Sendmail's names.

use mailweir_external::milter::{Macros, Peer, PeerAddress};
use mailweir_mail::{Address, Envelope, Recipient};
use mailweir_smtp::server::Session;

/// Where a session takes place.
pub(in crate::ingress) struct Place<'p> {
    pub(in crate::ingress) hostname: &'p str,
    pub(in crate::ingress) listener: &'p str,
}

pub(super) fn peer(session: &Session) -> Peer {
    let client = session.client();
    Peer {
        name: match &client.name {
            Some(name) => name.as_bytes().into(),
            None => format!("[{}]", client.ip()).into_bytes().into(),
        },
        address: PeerAddress::Ip(client.address),
    }
}

pub(super) fn connection(macros: &mut Macros, session: &Session, place: &Place<'_>) {
    let client = session.client();
    macros.set("j", place.hostname);
    macros.set("daemon_name", place.listener);
    macros.set("v", concat!("Mailweir ", env!("CARGO_PKG_VERSION")));
    macros.set("_", format!("{} [{}]", client.name_or_unknown(), client.ip()));
}

pub(super) fn encryption(macros: &mut Macros, session: &Session) {
    match session.tls() {
        Some(tls) => {
            macros.set("tls_version", &*tls.version);
            macros.set("cipher", &*tls.cipher);
            macros.set("cipher_bits", tls.bits.to_string());
        }
        None => ["tls_version", "cipher", "cipher_bits"].iter().for_each(|it| macros.unset(it)),
    }
}

pub(super) fn sender(macros: &mut Macros, session: &Session, envelope: &Envelope) {
    macros.unset("i");
    match session.login() {
        Some(login) => {
            macros.set("auth_type", &*login.mechanism);
            macros.set("auth_authen", &*login.user);
        }
        None => ["auth_type", "auth_authen"].iter().for_each(|it| macros.unset(it)),
    }
    let address = envelope.sender.address();
    party(macros, ["mail_addr", "mail_host", "mail_mailer"], address);
}

pub(super) fn recipient(macros: &mut Macros, recipient: &Recipient) {
    party(macros, ["rcpt_addr", "rcpt_host", "rcpt_mailer"], Some(&recipient.address));
}

fn party(macros: &mut Macros, [name, host, mailer]: [&str; 3], address: Option<&Address>) {
    macros.set(name, address.map_or("", Address::as_str));
    macros.set(host, address.map_or("", |address| address.domain().as_str()));
    macros.set(mailer, "smtp");
}

/// The words of MAIL.
pub(super) fn mail_words(session: &Session, envelope: &Envelope) -> Vec<String> {
    let mut words = vec![format!("<{}>", envelope.sender.as_str())];
    words.extend(session.declared_size().map(|size| format!("SIZE={size}")));
    if envelope.smtputf8 {
        words.push("SMTPUTF8".to_owned());
    }
    words
}

/// A field as a name, and all behind the colon without the last end of line. `None`: it is none.
pub(super) fn named(field: &[u8]) -> Option<(&[u8], &[u8])> {
    let field = field.strip_suffix(b"\r\n").or_else(|| field.strip_suffix(b"\n"))?;
    let colon = field.iter().position(|byte| *byte == b':')?;
    Some((field[..colon].trim_ascii_end(), &field[colon + 1..]))
}
