//! Writes the commands of a transaction with the parameters that the peer offers.
//!
//! All text comes from checked types, which hold no control character; what a parameter may not
//! hold otherwise is encoded as xtext (RFC 3461 section 4).

use std::net::IpAddr;

use mailweir_mail::{Forwarded, Notify, OriginalRecipient, Recipient, Return};

use super::{
    capabilities::{Capabilities, SizeOffer},
    fit,
    outgoing::{ContentText, Outgoing},
};

pub(super) const RSET: &str = "RSET\r\n";
pub(super) const DATA: &str = "DATA\r\n";
pub(super) const QUIT: &str = "QUIT\r\n";
pub(super) const LONE_DOT: &str = ".\r\n";

/// `MAIL FROM:<...>` with SIZE, BODY, SMTPUTF8, RET and ENVID, as far as offered and needed.
pub(super) fn mail(mail: &Outgoing, offered: &Capabilities, out: &mut Vec<u8>) {
    let envelope = mail.envelope();
    put(out, &["MAIL FROM:<", envelope.sender.as_str(), ">"]);
    if offered.size != SizeOffer::None && !mail.is_probe() {
        put(out, &[" SIZE=", &mail.size().to_string()]);
    }
    if offered.eight_bit_mime && mail.text() > ContentText::SevenBit {
        put(out, &[" BODY=8BITMIME"]);
    }
    if offered.smtputf8 && (envelope.smtputf8 || fit::needs_smtputf8(mail)) {
        put(out, &[" SMTPUTF8"]);
    }
    if offered.dsn {
        mail_reports(mail, out);
    }
    put(out, &["\r\n"]);
}

/// `RCPT TO:<...>` with NOTIFY and ORCPT, if offered and not the default.
pub(super) fn rcpt(recipient: &Recipient, offered: &Capabilities, out: &mut Vec<u8>) {
    put(out, &["RCPT TO:<", recipient.address.as_str(), ">"]);
    if offered.dsn {
        notify(recipient.notify, out);
        recipient.orcpt.iter().for_each(|orcpt| original_recipient(orcpt, out));
    }
    put(out, &["\r\n"]);
}

/// `XFORWARD NAME=...`, in as many commands as are needed, with all attributes that are offered: what the peer
/// had of another mail must not stay (Postfix `XFORWARD_README`).
pub(super) fn xforward(from: &Forwarded, offered: &Capabilities) -> Vec<Box<[u8]>> {
    let address = from.address.map(|address| match address {
        IpAddr::V6(address) => format!("IPV6:{address}"),
        IpAddr::V4(address) => address.to_string(),
    });
    let port = from.port.map(|port| port.to_string());
    let attributes = [
        ("NAME", from.name.as_deref()),
        ("ADDR", address.as_deref()),
        ("PORT", port.as_deref()),
        ("PROTO", from.protocol.as_deref()),
        ("HELO", from.helo.as_deref()),
        ("IDENT", from.ident.as_deref()),
        ("SOURCE", from.source.as_deref()),
    ];
    let mut commands = Vec::new();
    let mut line = XFORWARD.to_vec();
    for (name, value) in attributes {
        if !offered.xforward.iter().any(|it| **it == *name) {
            continue;
        }
        let attribute = attribute(name, value);
        if line.len() + attribute.len() + 2 > MAX_COMMAND {
            commands.push(ended(std::mem::replace(&mut line, XFORWARD.to_vec())));
        }
        line.extend_from_slice(&attribute);
    }
    if line.len() > XFORWARD.len() {
        commands.push(ended(line));
    }
    commands
}

fn attribute(name: &str, value: Option<&str>) -> Vec<u8> {
    let mut attribute = format!(" {name}=").into_bytes();
    let begin = attribute.len();
    value.into_iter().flat_map(str::bytes).for_each(|byte| xtext(byte, &mut attribute));
    let length = attribute.len() - begin;
    if length == 0 || length > MAX_VALUE {
        attribute.truncate(begin);
        attribute.extend_from_slice(b"[UNAVAILABLE]");
    }
    attribute
}

fn ended(mut line: Vec<u8>) -> Box<[u8]> {
    line.extend_from_slice(b"\r\n");
    line.into()
}

const XFORWARD: &[u8] = b"XFORWARD";

/// Bytes of a command with its end (RFC 5321 section 4.5.3.1.4).
const MAX_COMMAND: usize = 512;

/// Bytes of a value: one more, and Postfix takes nothing of the command (`XFORWARD_README`).
const MAX_VALUE: usize = 255;

/// Appends text.
pub(super) fn put(out: &mut Vec<u8>, words: &[&str]) {
    words.iter().for_each(|word| out.extend_from_slice(word.as_bytes()));
}

fn mail_reports(mail: &Outgoing, out: &mut Vec<u8>) {
    match mail.envelope().ret {
        Some(Return::Full) => put(out, &[" RET=FULL"]),
        Some(Return::Headers) => put(out, &[" RET=HDRS"]),
        None => {}
    }
    if let Some(envid) = &mail.envelope().envid {
        put(out, &[" ENVID="]);
        envid.as_str().bytes().for_each(|byte| xtext(byte, out));
    }
}

/// The default is not written: a sender who said nothing must not seem to have said something.
fn notify(notify: Notify, out: &mut Vec<u8>) {
    if notify == Notify::DEFAULT {
        return;
    }
    let wishes = [
        (notify.wants_success(), "SUCCESS"),
        (notify.wants_failure(), "FAILURE"),
        (notify.wants_delay(), "DELAY"),
    ];
    let wanted: Vec<&str> = wishes.into_iter().filter(|wish| wish.0).map(|wish| wish.1).collect();
    let value = if wanted.is_empty() { "NEVER".to_owned() } else { wanted.join(",") };
    put(out, &[" NOTIFY=", &value]);
}

/// In the address type `utf-8`, what is not ASCII becomes `\x{HEX}` (RFC 6533 section 3), which
/// every peer may get; so does a backslash, which would seem to begin one.
fn original_recipient(orcpt: &OriginalRecipient, out: &mut Vec<u8>) {
    put(out, &[" ORCPT=", orcpt.kind(), ";"]);
    let unicode = orcpt.kind().eq_ignore_ascii_case("utf-8");
    for c in orcpt.address().chars() {
        if unicode && (!c.is_ascii() || c == '\\') {
            put(out, &[&format!("\\x{{{:X}}}", u32::from(c))]);
        } else {
            c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| xtext(byte, out));
        }
    }
}

fn xtext(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'+' | b'=' => put(out, &[&format!("+{byte:02X}")]),
        b'!'..=b'~' => out.push(byte),
        _ => put(out, &[&format!("+{byte:02X}")]),
    }
}
