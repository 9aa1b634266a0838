//! A mail for tests.

use mailweir_archive::{
    commit::Salt,
    entry::{Capture, Direction, Note, Source},
    hash::Hash,
};
use mailweir_mail::{
    Client, Envelope, Login, Origin, Protocol, QueueId, Recipient, ReversePath, Timestamp,
};

/// One from outside, to nobody, that is kept for ever.
pub(super) fn capture() -> Capture {
    let arrival = Timestamp::from_secs(1);
    Capture {
        id: QueueId::new(arrival, 1),
        envelope: envelope(&[]),
        origin: Origin {
            listener: "mx".into(),
            client: Client::unnamed("[::ffff:192.0.2.1]:25".parse().unwrap()),
            helo: "there".into(),
            protocol: Protocol::Esmtp,
            login: None,
            tls: None,
            forwarded: None,
            arrival,
        },
        note: Note {
            direction: Direction::Inbound,
            rule: None,
            keep_days: None,
            held: None,
            source: Source::Accepted,
        },
        content: Hash::of(b""),
        salt: Salt::from_bytes([7; 16]),
        size: 0,
    }
}

/// One from a file, of which nothing more is heard: it may be erased when its time is over.
pub(crate) fn imported(id: QueueId, keep_days: Option<u32>) -> Capture {
    let mut capture = Capture { id, ..capture() };
    capture.note.keep_days = keep_days;
    capture.note.source = Source::Imported { by: "Ann".into(), from: "file".into() };
    capture
}

/// From `ann@own.example` to these: `address` or `original>address`.
pub(super) fn envelope(recipients: &[&str]) -> Envelope {
    let mut envelope =
        Envelope::from_sender(ReversePath::Mailbox("ann@own.example".parse().unwrap()));
    envelope.recipients.extend(recipients.iter().map(|text| {
        let (original, address) = text.split_once('>').unzip();
        let original = original.map(|original| original.parse().unwrap());
        Recipient { original, ..Recipient::new(address.unwrap_or(text).parse().unwrap()) }
    }));
    envelope
}

pub(super) fn login(user: &str) -> Login {
    Login { user: user.into(), mechanism: "PLAIN".into() }
}
