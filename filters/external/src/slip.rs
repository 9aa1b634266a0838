//! What goes with a mail to a filter and comes back with it: how it came here, and which filters are ahead of it still.
//!
//! A filter hands back another mail, from its own address. The slip is a header field above all others, which says where the
//! mail came from before, and is taken out when it is back. Nobody else can write one: it is sealed with a key of the
//! gateway. A mail without a slip is no less good; of that one is not known how it came.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use mailweir_mail::{Origin, QueueId};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// How a mail came here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    /// The filter that has it.
    pub filter: Box<str>,
    /// The listener where that one hands it back.
    pub back_at: Box<str>,
    /// For whom.
    pub back_for: For,
    /// Its name in the queue, before the first filter.
    pub id: QueueId,
    /// Where it came from, before the first filter.
    pub origin: Origin,
}

/// For whom a mail comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum For {
    /// For the queue that it came from.
    Queue {
        /// The filters that are ahead of it, behind the one that has it.
        ahead: Vec<Box<str>>,
    },
    /// For its client, who waits for what the filter says. It is in no queue yet, and its session knows what is ahead of it.
    Client,
}

/// What slips are sealed with. Whoever has it can say of any mail how it came.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl Key {
    /// The key of 32 bytes, which must be random and secret.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        // RFC 2104 section 2: a short key is filled up with zeros.
        let mut block = [0; BLOCK];
        block[..random.len()].copy_from_slice(&random);
        Self(Hmac::new(&block.into()))
    }

    fn seal(&self, text: &[u8]) -> Hmac<Sha256> {
        self.0.clone().chain_update(text)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(secret)")
    }
}

impl Slip {
    /// The header field, sealed, with the ends of its lines. `None`: it would be longer than [`MOST_FIELD`].
    #[must_use]
    pub fn into_field(self, key: &Key) -> Option<Vec<u8>> {
        let text = rmp_serde::to_vec_named(&Written::from(self)).ok()?;
        let seal = key.seal(&text).finalize().into_bytes();
        let sealed = BASE64_STANDARD.encode([&seal[..], &text].concat());
        let mut field = format!("{NAME}:").into_bytes();
        for line in sealed.as_bytes().chunks(LINE) {
            field.extend_from_slice(b"\r\n ");
            field.extend_from_slice(line);
        }
        // A line of white space alone is what some programs take out.
        field.drain(NAME.len() + 1..NAME.len() + 3);
        field.extend_from_slice(b"\r\n");
        (field.len() <= MOST_FIELD).then_some(field)
    }

    /// Reads the value of a field. `None`: it is not sealed with this key.
    #[must_use]
    pub fn read(value: &[u8], key: &Key) -> Option<Self> {
        let sealed = BASE64_STANDARD.decode(unfolded(value)).ok()?;
        let (seal, text) = sealed.split_at_checked(SEAL)?;
        key.seal(text).verify_slice(seal).ok()?;
        rmp_serde::from_slice::<Written>(text).ok().map(Self::from)
    }
}

/// A slip as it is sealed. Names and order are the format: filters have mail for days, and what they hand back must be read.
#[derive(Serialize, Deserialize)]
struct Written {
    filter: Box<str>,
    back_at: Box<str>,
    id: QueueId,
    origin: Origin,
    /// Empty where a client waits.
    ahead: Vec<Box<str>>,
    /// Whether a client waits. Absent in the oldest: then none could.
    #[serde(default)]
    waits: bool,
}

impl From<Slip> for Written {
    fn from(Slip { filter, back_at, back_for, id, origin }: Slip) -> Self {
        let (ahead, waits) = match back_for {
            For::Queue { ahead } => (ahead, false),
            For::Client => (Vec::new(), true),
        };
        Self { filter, back_at, id, origin, ahead, waits }
    }
}

impl From<Written> for Slip {
    fn from(Written { filter, back_at, id, origin, ahead, waits }: Written) -> Self {
        let back_for = if waits { For::Client } else { For::Queue { ahead } };
        Self { filter, back_at, back_for, id, origin }
    }
}

/// Programs fold as they like.
fn unfolded(value: &[u8]) -> Vec<u8> {
    value.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
}

/// The name of the field.
pub const NAME: &str = "X-Mailweir-Slip";

/// Bytes of the longest field.
pub const MOST_FIELD: usize = 8 * 1024;

/// Bytes of a block of SHA-256.
const BLOCK: usize = 64;

/// Bytes of a seal.
const SEAL: usize = 32;

/// Characters of a line.
const LINE: usize = 72;

#[cfg(test)]
mod tests {
    use mailweir_mail::{Client, Forwarded, Login, Protocol, Timestamp};
    use proptest::prelude::*;

    use super::*;

    fn slip(helo: &str) -> Slip {
        let arrival = Timestamp::from_secs(1_795_210_205);
        let client = Client::unnamed("192.0.2.7:40123".parse().unwrap());
        let login = Some(Login { user: "ann".into(), mechanism: "PLAIN".into() });
        Slip {
            filter: "virus".into(),
            back_at: "behind-virus".into(),
            back_for: For::Queue { ahead: vec!["spam".into()] },
            id: QueueId::new(arrival, 7),
            origin: Origin {
                listener: "mx".into(),
                client,
                helo: helo.into(),
                protocol: Protocol::Esmtp,
                login,
                tls: None,
                forwarded: Some(Box::new(Forwarded {
                    address: Some("198.51.100.9".parse().unwrap()),
                    ..Forwarded::default()
                })),
                arrival,
            },
        }
    }

    fn key(first: u8) -> Key {
        Key::new(std::array::from_fn(|at| first.wrapping_add(u8::try_from(at).unwrap())))
    }

    /// What stands in a slip before its end, by name, as MessagePack.
    const HOW_IT_CAME: &[u8] = b"\
        \xa6filter\xa5virus\xa7back_at\xacbehind-virus\xa2id\xac4jWT590000z7\
        \xa6origin\x88\xa8listener\xa2mx\
        \xa6client\x82\xa7address\x81\xa2V4\x92\x94\xcc\xc0\x00\x02\x07\xcd\x9c\xbb\xa4name\xc0\
        \xa4helo\xachelo.example\xa8protocol\xa5Esmtp\xa5login\x82\xa4user\xa3ann\xa9mechanism\xa5PLAIN\
        \xa3tls\xc0\xa9forwarded\x87\xa4name\xc0\xa7address\x81\xa2V4\x94\xcc\xc63d\t\xa4port\xc0\xa4helo\xc0\
        \xa8protocol\xc0\xa5ident\xc0\xa6source\xc0\xa7arrival\xcf\x00\x06`\xbb\xf2\x90\xf1@";

    /// The value of a field with this text.
    fn sealed(text: &[u8]) -> String {
        let seal = key(1).seal(text).finalize().into_bytes();
        BASE64_STANDARD.encode([&seal[..], text].concat())
    }

    fn value(field: &[u8]) -> &[u8] {
        &field[NAME.len() + 1..]
    }

    #[test]
    fn what_went_along_comes_back() {
        let field = slip("helo.example").into_field(&key(1)).unwrap();
        let text = std::str::from_utf8(&field).unwrap();
        assert!(text.starts_with("X-Mailweir-Slip: ") && text.ends_with("\r\n"), "{text}");
        let mut lines = text.trim_end().split("\r\n");
        assert!(lines.clone().skip(1).all(|line| line.starts_with(' ')), "{text}");
        assert!(lines.all(|line| line.len() <= 90), "{text}");
        assert_eq!(Slip::read(value(&field), &key(1)), Some(slip("helo.example")));
        assert_eq!(Slip::read(&unfolded(value(&field)), &key(1)), Some(slip("helo.example")));
    }

    /// A mail may be in the hands of a filter while the gateway is updated.
    #[test]
    fn what_other_versions_have_written_is_read_and_written_as_it_was() {
        let queued = slip("helo.example");
        let awaited = Slip { back_for: For::Client, ..queued.clone() };
        let oldest = sealed(&[b"\x85", HOW_IT_CAME, b"\xa5ahead\x91\xa4spam"].concat());
        assert_eq!(Slip::read(oldest.as_bytes(), &key(1)).as_ref(), Some(&queued));
        for (slip, end) in [
            (queued, &b"\xa5ahead\x91\xa4spam\xa5waits\xc2"[..]),
            (awaited, b"\xa5ahead\x90\xa5waits\xc3"),
        ] {
            let sealed = sealed(&[b"\x86", HOW_IT_CAME, end].concat());
            assert_eq!(Slip::read(sealed.as_bytes(), &key(1)).as_ref(), Some(&slip));
            let field = slip.into_field(&key(1)).unwrap();
            assert_eq!(unfolded(value(&field)), sealed.as_bytes());
        }
    }

    #[test]
    fn a_slip_of_somebody_else_says_nothing() {
        let field = slip("helo.example").into_field(&key(1)).unwrap();
        assert_eq!(Slip::read(value(&field), &key(2)), None);
        for value in [&b""[..], b"x", b"====", b"AAAA", b"\xff"] {
            assert_eq!(Slip::read(value, &key(1)), None);
        }
    }

    #[test]
    fn what_would_be_too_long_does_not_go_along() {
        assert_eq!(slip(&"x".repeat(10_000)).into_field(&key(1)), None);
    }

    proptest! {
        #[test]
        fn no_changed_bit_is_believed(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let field = slip("helo.example").into_field(&key(1)).unwrap();
            let mut bytes = BASE64_STANDARD.decode(unfolded(value(&field))).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let forged = BASE64_STANDARD.encode(bytes);
            prop_assert_eq!(Slip::read(forged.as_bytes(), &key(1)), None);
        }
    }
}
