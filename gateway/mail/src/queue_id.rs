//! The name of one queued mail, in the shape of Postfix's long queue ids.
//!
//! Log tools know the shape: seconds and microseconds of arrival in base 52 (digits and
//! consonants, so that no id spells a word), a `z`, and a serial number in base 51.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Timestamp;

/// Names one queued mail: unique in one store, stable over every retry and restart.
///
/// Ids order by time of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueId {
    arrival: Timestamp,
    serial: u32,
}

impl QueueId {
    /// The id of the mail that arrived at `arrival`; `serial` tells mails of one microsecond apart.
    #[must_use]
    pub const fn new(arrival: Timestamp, serial: u32) -> Self {
        Self { arrival, serial }
    }

    /// When the mail arrived.
    #[must_use]
    pub const fn arrival(self) -> Timestamp {
        self.arrival
    }

    /// Twelve bytes that sort as the ids do: the key in every store.
    #[must_use]
    pub fn to_key(self) -> [u8; 12] {
        let mut key = [0; 12];
        key[..8].copy_from_slice(&self.arrival.as_micros().to_be_bytes());
        key[8..].copy_from_slice(&self.serial.to_be_bytes());
        key
    }

    /// The id that [`Self::to_key`] turned into `key`; `None` if `key` is no such key.
    #[must_use]
    pub fn from_key(key: &[u8]) -> Option<Self> {
        let (micros, serial) = key.split_first_chunk::<8>()?;
        Some(Self {
            arrival: Timestamp::from_micros(u64::from_be_bytes(*micros)),
            serial: u32::from_be_bytes(serial.try_into().ok()?),
        })
    }
}

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [b'0'; MAX_LENGTH];
        let mut at = text.len();
        at = prepend(&mut text, at, u64::from(self.serial), 51, 1);
        at -= 1;
        text[at] = b'z';
        at = prepend(&mut text, at, u64::from(self.arrival.subsec_micros()), 52, MICROS_DIGITS);
        at = prepend(&mut text, at, self.arrival.as_secs(), 52, SECONDS_DIGITS);
        f.write_str(std::str::from_utf8(&text[at..]).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for QueueId {
    type Err = QueueIdError;

    fn from_str(text: &str) -> Result<Self, QueueIdError> {
        let (time, serial) = text.rsplit_once('z').ok_or(QueueIdError)?;
        let split = time.len().checked_sub(MICROS_DIGITS).ok_or(QueueIdError)?;
        if split < SECONDS_DIGITS || !time.is_ascii() {
            return Err(QueueIdError);
        }
        let seconds = number(&time[..split], 52)?;
        let micros = number(&time[split..], 52)?;
        let serial = u32::try_from(number(serial, 51)?).map_err(|_| QueueIdError)?;
        if micros >= 1_000_000 {
            return Err(QueueIdError);
        }
        let total = seconds.checked_mul(1_000_000).and_then(|s| s.checked_add(micros));
        let id = Self::new(Timestamp::from_micros(total.ok_or(QueueIdError)?), serial);
        // One id has one spelling: leading zeros would give a second name to the same mail.
        if id.to_string() == text { Ok(id) } else { Err(QueueIdError) }
    }
}

impl Serialize for QueueId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for QueueId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The text is no queue id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a queue id: expected the form that the log and `mailweir queue list` print")]
pub struct QueueIdError;

fn prepend(text: &mut [u8], mut at: usize, mut value: u64, base: u64, width: usize) -> usize {
    let stop = at - width;
    while value > 0 || at > stop {
        at -= 1;
        text[at] = ALPHABET[(value % base) as usize];
        value /= base;
    }
    at
}

fn number(digits: &str, base: u64) -> Result<u64, QueueIdError> {
    if digits.is_empty() {
        return Err(QueueIdError);
    }
    digits.bytes().try_fold(0_u64, |sum, byte| {
        let digit = ALPHABET.iter().position(|&letter| letter == byte).ok_or(QueueIdError)? as u64;
        if digit >= base {
            return Err(QueueIdError);
        }
        sum.checked_mul(base).and_then(|sum| sum.checked_add(digit)).ok_or(QueueIdError)
    })
}

const ALPHABET: &[u8; 52] = b"0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
const SECONDS_DIGITS: usize = 6;
const MICROS_DIGITS: usize = 4;
/// 12 digits of seconds, 4 of microseconds, the `z`, 6 of serial: no value needs more.
const MAX_LENGTH: usize = 24;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_has_the_shape_that_postfix_log_tools_know() {
        let id = QueueId::new(Timestamp::from_micros(1_795_210_205_000_042), 7);
        assert_eq!(id.to_string(), "4jWT59000pz7");
    }

    #[test]
    fn a_second_spelling_of_an_id_is_refused() {
        let id = QueueId::new(Timestamp::from_secs(1_795_210_205), 7).to_string();
        assert!(format!("0{id}").parse::<QueueId>().is_err());
        assert!("".parse::<QueueId>().is_err());
        assert!("zzz".parse::<QueueId>().is_err());
        assert!("ééééééééz1".parse::<QueueId>().is_err());
    }

    proptest! {
        #[test]
        fn every_id_reads_back(micros in any::<u64>(), serial in any::<u32>()) {
            let id = QueueId::new(Timestamp::from_micros(micros), serial);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(QueueId::from_key(&id.to_key()), Some(id));
        }

        #[test]
        fn keys_sort_as_ids_do(a in any::<(u64, u32)>(), b in any::<(u64, u32)>()) {
            let a = QueueId::new(Timestamp::from_micros(a.0), a.1);
            let b = QueueId::new(Timestamp::from_micros(b.0), b.1);
            prop_assert_eq!(a.cmp(&b), a.to_key().cmp(&b.to_key()));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".*") {
            let _ = text.parse::<QueueId>();
        }
    }
}
