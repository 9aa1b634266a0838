//! The immutable half of a mail as a record: envelope, origin, and what is known of the body.

use std::{net::SocketAddr, str::FromStr};

use bytes::Bytes;
use mailweir_mail::{
    Address, BodyType, Client, Envelope, EnvelopeId, Forwarded, Login, Notify, Origin,
    OriginalRecipient, Protocol, Recipient, Return, ReversePath, TlsSummary, Transport,
};

use super::{
    ARCHIVE_FORMAT, FILTERS_FORMAT, FIRST_FORMAT, FORWARDED_FORMAT, Kind, REWRITING_FORMAT,
    RecordError,
    codec::{Reader, Writer, open},
};

/// What of a mail never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopeRecord {
    /// Who sent it and who gets it.
    pub envelope: Envelope,
    /// Where it came from.
    pub origin: Origin,
    /// Its content.
    pub body: BodyRecord,
    /// The note for the archive, opaque here, of a mail that it is to keep.
    pub archive: Option<Bytes>,
}

/// Where the content is, and how to know it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyRecord {
    /// Where it is.
    pub location: BodyLocation,
    /// Bytes of content.
    pub size: u64,
    /// CRC-32 of the content.
    pub checksum: u32,
}

/// Where content is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLocation {
    /// In the keyspace of bodies.
    Store,
    /// In a spool file.
    Spool,
}

impl EnvelopeRecord {
    /// The record as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(&self.envelope, &self.origin, self.body, self.archive.as_deref())
    }

    /// Reads a record back.
    ///
    /// # Errors
    /// Says what is wrong with the bytes.
    pub fn decode(record: &[u8]) -> Result<Self, RecordError> {
        let (version, payload) = open(record, Kind::Envelope)?;
        let reader = &mut Reader::new(payload);
        let body = read_body(reader)?;
        let mut origin = read_origin(reader)?;
        let mut envelope = read_envelope(reader)?;
        if version >= REWRITING_FORMAT {
            read_rewriting(reader, &mut envelope)?;
        }
        let archive = match version {
            FILTERS_FORMAT.. => {
                envelope.ahead = read_ahead(reader)?;
                envelope.behind = reader.optional()?.map(Into::into);
                match reader.byte()? {
                    0 => None,
                    1 => Some(reader.bytes()?),
                    _ => return Err(RecordError::Malformed),
                }
            }
            ARCHIVE_FORMAT => Some(reader.bytes()?),
            _ => None,
        };
        let archive = archive.map(Bytes::copy_from_slice);
        if version >= FORWARDED_FORMAT {
            origin.forwarded = Some(Box::new(read_forwarded(reader)?));
        }
        reader.end()?;
        Ok(Self { envelope, origin, body, archive })
    }
}

/// [`EnvelopeRecord::encode`] of borrowed parts.
pub(crate) fn encode(
    envelope: &Envelope,
    origin: &Origin,
    body: BodyRecord,
    archive: Option<&[u8]>,
) -> Vec<u8> {
    let capacity = 160 + 48 * envelope.recipients.len() + archive.map_or(0, <[u8]>::len);
    let mut writer = Writer::new(Kind::Envelope, capacity);
    write_body(&mut writer, body);
    write_origin(&mut writer, origin);
    write_envelope(&mut writer, envelope);
    let rewritten = envelope.recipients.iter().any(|recipient| recipient.original.is_some());
    let is_filtered = !envelope.ahead.is_empty() || envelope.behind.is_some();
    let forwarded = origin.forwarded.as_deref();
    let is_long = is_filtered || forwarded.is_some();
    let is_simple = !rewritten && envelope.filter.is_none() && !is_long;
    if is_simple && archive.is_none() {
        return writer.finish(FIRST_FORMAT);
    }
    write_rewriting(&mut writer, envelope);
    if is_long {
        write_ahead(&mut writer, &envelope.ahead);
        writer.optional(envelope.behind.as_deref());
        writer.byte(u8::from(archive.is_some()));
        archive.into_iter().for_each(|note| writer.bytes(note));
        let Some(forwarded) = forwarded else { return writer.finish(FILTERS_FORMAT) };
        write_forwarded(&mut writer, forwarded);
        return writer.finish(FORWARDED_FORMAT);
    }
    let Some(note) = archive else { return writer.finish(REWRITING_FORMAT) };
    writer.bytes(note);
    writer.finish(ARCHIVE_FORMAT)
}

fn write_body(writer: &mut Writer, body: BodyRecord) {
    writer.byte(match body.location {
        BodyLocation::Store => 0,
        BodyLocation::Spool => 1,
    });
    writer.number(body.size);
    writer.number(u64::from(body.checksum));
}

fn read_body(reader: &mut Reader<'_>) -> Result<BodyRecord, RecordError> {
    let location = match reader.byte()? {
        0 => BodyLocation::Store,
        1 => BodyLocation::Spool,
        _ => return Err(RecordError::Malformed),
    };
    Ok(BodyRecord { location, size: reader.number()?, checksum: reader.small()? })
}

fn write_origin(writer: &mut Writer, origin: &Origin) {
    writer.time(origin.arrival);
    writer.text(&origin.listener);
    writer.text(&origin.client.address.to_string());
    writer.optional(origin.client.name.as_deref());
    writer.text(&origin.helo);
    writer.byte(match origin.protocol {
        Protocol::Smtp => 0,
        Protocol::Esmtp => 1,
        Protocol::Lmtp => 2,
    });
    writer.optional(origin.login.as_ref().map(|login| &*login.user));
    writer.optional(origin.login.as_ref().map(|login| &*login.mechanism));
    writer.optional(origin.tls.as_ref().map(|tls| &*tls.version));
    writer.optional(origin.tls.as_ref().map(|tls| &*tls.cipher));
    writer.number(origin.tls.as_ref().map_or(0, |tls| u64::from(tls.bits)));
}

fn read_origin(reader: &mut Reader<'_>) -> Result<Origin, RecordError> {
    let arrival = reader.time()?;
    let listener = reader.text()?.into();
    let address: SocketAddr = reader.text()?.parse().map_err(|_| RecordError::Malformed)?;
    let name = reader.optional()?.map(Into::into);
    let helo = reader.text()?.into();
    let protocol = match reader.byte()? {
        0 => Protocol::Smtp,
        1 => Protocol::Esmtp,
        2 => Protocol::Lmtp,
        _ => return Err(RecordError::Malformed),
    };
    let login = match (reader.optional()?, reader.optional()?) {
        (Some(user), Some(mechanism)) => {
            Some(Login { user: user.into(), mechanism: mechanism.into() })
        }
        (None, None) => None,
        _ => return Err(RecordError::Malformed),
    };
    let tls = match (reader.optional()?, reader.optional()?, reader.small()?) {
        (Some(version), Some(cipher), bits) => {
            Some(TlsSummary { version: version.into(), cipher: cipher.into(), bits })
        }
        (None, None, 0) => None,
        _ => return Err(RecordError::Malformed),
    };
    let client = Client { address, name };
    Ok(Origin { listener, client, helo, protocol, login, tls, forwarded: None, arrival })
}

fn write_forwarded(writer: &mut Writer, forwarded: &Forwarded) {
    let Forwarded { name, address, port, helo, protocol, ident, source } = forwarded;
    writer.optional(name.as_deref());
    writer.optional(address.map(|address| address.to_string()).as_deref());
    writer.optional(port.map(|port| port.to_string()).as_deref());
    for text in [helo, protocol, ident, source] {
        writer.optional(text.as_deref());
    }
}

fn read_forwarded(reader: &mut Reader<'_>) -> Result<Forwarded, RecordError> {
    Ok(Forwarded {
        name: reader.optional()?.map(Into::into),
        address: read_parsed(reader)?,
        port: read_parsed(reader)?,
        helo: reader.optional()?.map(Into::into),
        protocol: reader.optional()?.map(Into::into),
        ident: reader.optional()?.map(Into::into),
        source: reader.optional()?.map(Into::into),
    })
}

fn read_parsed<T: FromStr>(reader: &mut Reader<'_>) -> Result<Option<T>, RecordError> {
    let read = reader.optional()?.map(|text| text.parse().map_err(|_| RecordError::Malformed));
    read.transpose()
}

fn write_envelope(writer: &mut Writer, envelope: &Envelope) {
    writer.text(envelope.sender.as_str());
    writer.byte(match envelope.body {
        BodyType::SevenBit => 0,
        BodyType::EightBitMime => 1,
    });
    writer.byte(u8::from(envelope.smtputf8));
    writer.byte(match envelope.ret {
        None => 0,
        Some(Return::Full) => 1,
        Some(Return::Headers) => 2,
    });
    writer.optional(envelope.envid.as_ref().map(EnvelopeId::as_str));
    writer.number(envelope.recipients.len() as u64);
    for recipient in &envelope.recipients {
        writer.text(recipient.address.as_str());
        writer.byte(notify_byte(recipient.notify));
        writer.optional(recipient.orcpt.as_ref().map(OriginalRecipient::as_str));
    }
}

fn read_envelope(reader: &mut Reader<'_>) -> Result<Envelope, RecordError> {
    let sender = match reader.text()? {
        "" => ReversePath::Null,
        text => ReversePath::Mailbox(read_address(text)?),
    };
    let body = match reader.byte()? {
        0 => BodyType::SevenBit,
        1 => BodyType::EightBitMime,
        _ => return Err(RecordError::Malformed),
    };
    let smtputf8 = match reader.byte()? {
        0 => false,
        1 => true,
        _ => return Err(RecordError::Malformed),
    };
    let ret = match reader.byte()? {
        0 => None,
        1 => Some(Return::Full),
        2 => Some(Return::Headers),
        _ => return Err(RecordError::Malformed),
    };
    let envid = match reader.optional()? {
        None => None,
        Some(text) => Some(EnvelopeId::new(text).ok_or(RecordError::Malformed)?),
    };
    let count = reader.count()?;
    let recipients = (0..count).map(|_| read_recipient(reader)).collect::<Result<_, _>>()?;
    Ok(Envelope { recipients, body, smtputf8, ret, envid, ..Envelope::from_sender(sender) })
}

/// What the second format adds. Mail that needs none of it stays readable for the versions before.
fn write_rewriting(writer: &mut Writer, envelope: &Envelope) {
    writer.optional(envelope.filter.as_ref().map(Transport::to_string).as_deref());
    for recipient in &envelope.recipients {
        writer.optional(recipient.original.as_ref().map(Address::as_str));
    }
}

fn read_rewriting(reader: &mut Reader<'_>, envelope: &mut Envelope) -> Result<(), RecordError> {
    let filter =
        reader.optional()?.map(|text| Transport::parse(text).ok_or(RecordError::Malformed));
    envelope.filter = filter.transpose()?;
    for recipient in &mut envelope.recipients {
        recipient.original = reader.optional()?.map(read_address).transpose()?;
    }
    Ok(())
}

fn write_ahead(writer: &mut Writer, ahead: &[Box<str>]) {
    writer.number(ahead.len() as u64);
    ahead.iter().for_each(|name| writer.text(name));
}

fn read_ahead(reader: &mut Reader<'_>) -> Result<Vec<Box<str>>, RecordError> {
    let count = reader.count()?;
    (0..count).map(|_| Ok(reader.text()?.into())).collect()
}

fn read_recipient(reader: &mut Reader<'_>) -> Result<Recipient, RecordError> {
    let address = read_address(reader.text()?)?;
    let notify = match reader.byte()? {
        0 => Notify::Never,
        byte if byte & !0b1111 == 0 && byte & 1 == 1 => Notify::On {
            success: byte & 0b10 != 0,
            failure: byte & 0b100 != 0,
            delay: byte & 0b1000 != 0,
        },
        _ => return Err(RecordError::Malformed),
    };
    let orcpt = match reader.optional()? {
        None => None,
        Some(text) => Some(OriginalRecipient::new(text).ok_or(RecordError::Malformed)?),
    };
    Ok(Recipient { address, notify, orcpt, original: None })
}

fn read_address(text: &str) -> Result<Address, RecordError> {
    Address::parse(text).map_err(|_| RecordError::Malformed)
}

fn notify_byte(notify: Notify) -> u8 {
    match notify {
        Notify::Never => 0,
        Notify::On { success, failure, delay } => {
            1 | u8::from(success) << 1 | u8::from(failure) << 2 | u8::from(delay) << 3
        }
    }
}
