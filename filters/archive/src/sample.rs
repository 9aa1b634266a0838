//! A mail for tests.

use mailweir_mail::{Client, Envelope, Origin, Protocol, QueueId, ReversePath, Timestamp};

use crate::{
    commit::Salt,
    entry::{Capture, Direction, Note, Source},
    hash::Hash,
};

/// One of ours that goes out and is kept for ever.
pub(crate) fn capture() -> Capture {
    let arrival = Timestamp::from_secs(1_795_210_205);
    let sender = ReversePath::Mailbox("ann@own.example".parse().unwrap());
    Capture {
        id: QueueId::new(arrival, 1),
        envelope: Envelope::from_sender(sender).to("x@far.example".parse().unwrap()),
        origin: Origin {
            listener: "submission".into(),
            client: Client::unnamed(([192, 0, 2, 1], 1025).into()),
            helo: "laptop".into(),
            protocol: Protocol::Esmtp,
            login: None,
            tls: None,
            forwarded: None,
            arrival,
        },
        note: Note {
            direction: Direction::Outbound,
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
