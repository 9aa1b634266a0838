//! The ISO 2022 charsets of mail: ISO-2022-JP with its extensions (RFC 1468, 1554, 2237),
//! ISO-2022-KR (RFC 1557), ISO-2022-CN (RFC 1922).
//!
//! One machine reads them all, since texts mix their escapes and subjects lack the designation at
//! the start that RFC 1557 asks for. What has no table here (CNS 11643, JIS X 0213 beyond what JIS X
//! 0208 has) becomes U+FFFD, character by character.

use encoding_rs::{EUC_JP, EUC_KR, Encoding, GBK, SHIFT_JIS};

use super::runs::Run;

/// Which language a text starts in: what SO shifts to, and how stray 8-bit bytes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Japanese,
    Korean,
    Chinese,
}

/// Decoder of all families.
pub(super) struct Iso2022 {
    /// Of stray 8-bit bytes.
    stray: &'static Encoding,
    g0: Set,
    g1: Set,
    g2: Set,
    /// SO: 7-bit bytes are of `g1`.
    is_shifted: bool,
    /// ESC N: the next character is of `g2`.
    is_single_shifted: bool,
    /// The bytes since ESC, the ESC not included.
    escape: Option<Vec<u8>>,
    lead: Option<u8>,
    run: Run,
}

impl Iso2022 {
    pub(super) fn new(family: Family) -> Self {
        let (stray, g1) = match family {
            Family::Japanese => (SHIFT_JIS, Set::Katakana),
            Family::Korean => (EUC_KR, Set::KsX1001),
            Family::Chinese => (GBK, Set::Gb2312),
        };
        Self {
            stray,
            g0: Set::Ascii,
            g1,
            g2: Set::Latin1,
            is_shifted: false,
            is_single_shifted: false,
            escape: None,
            lead: None,
            run: Run::default(),
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8], text: &mut String) {
        for &byte in bytes {
            match self.escape.take() {
                Some(escape) => self.continue_escape(escape, byte, text),
                None => self.take(byte, text),
            }
        }
    }

    pub(super) fn finish(mut self, text: &mut String) {
        self.give_up_lead(text);
        self.run.flush(text);
    }

    fn take(&mut self, byte: u8, text: &mut String) {
        match byte {
            0x1b => {
                self.give_up_lead(text);
                self.escape = Some(Vec::with_capacity(LONGEST_ESCAPE));
            }
            SHIFT_OUT | SHIFT_IN => {
                self.give_up_lead(text);
                self.is_shifted = byte == SHIFT_OUT;
            }
            b'\n' => {
                // RFC 1557 and 1922: a line begins in ASCII.
                self.is_shifted = false;
                self.literal('\n', text);
            }
            0..=0x20 | 0x7f => self.literal(char::from(byte), text),
            0x80.. => {
                self.give_up_lead(text);
                self.run.push(self.stray, &[byte], text);
            }
            _ => self.graphic(byte, text),
        }
    }

    /// A byte from 0x21 to 0x7E, whose meaning hangs on the set in force.
    fn graphic(&mut self, byte: u8, text: &mut String) {
        let set = match (self.is_single_shifted, self.is_shifted) {
            (true, _) => self.g2,
            (false, true) => self.g1,
            (false, false) => self.g0,
        };
        let Some(lead) = (if set.is_two_bytes() { self.lead.take() } else { Some(byte) }) else {
            self.lead = Some(byte);
            return;
        };
        self.is_single_shifted = false;
        let (first, second) = (lead | 0x80, byte | 0x80);
        match set {
            Set::Ascii => self.literal(char::from(byte), text),
            Set::Roman => self.literal(roman(byte), text),
            Set::Katakana => self.literal(katakana(byte), text),
            Set::Latin1 => self.literal(char::from(second), text),
            Set::Greek => self.run.push(encoding_rs::ISO_8859_7, &[second], text),
            Set::JisX0208 => self.run.push(EUC_JP, &[first, second], text),
            Set::JisX0212 => self.run.push(EUC_JP, &[0x8f, first, second], text),
            Set::KsX1001 => self.run.push(EUC_KR, &[first, second], text),
            Set::Gb2312 => self.run.push(GBK, &[first, second], text),
            Set::Unknown => self.literal(char::REPLACEMENT_CHARACTER, text),
        }
    }

    fn continue_escape(&mut self, mut escape: Vec<u8>, byte: u8, text: &mut String) {
        escape.push(byte);
        if matches!(byte, 0x20..=0x2f) && escape.len() < LONGEST_ESCAPE {
            self.escape = Some(escape);
        } else if !self.designate(&escape) {
            // No escape of ours: ESC is dropped and the rest is text.
            for byte in escape {
                self.take(byte, text);
            }
        }
    }

    /// Does what an escape says (ISO-IR registrations). False if it is none of ours.
    fn designate(&mut self, escape: &[u8]) -> bool {
        match escape {
            b"(B" => self.g0 = Set::Ascii,
            b"(J" | b"(H" => self.g0 = Set::Roman,
            b"(I" => self.g0 = Set::Katakana,
            b")I" => self.g1 = Set::Katakana,
            b"$@" | b"$B" | b"$(@" | b"$(B" | b"$(O" | b"$(Q" => self.g0 = Set::JisX0208,
            b"$(D" => self.g0 = Set::JisX0212,
            b"$(P" => self.g0 = Set::Unknown,
            b"$A" | b"$(A" => self.g0 = Set::Gb2312,
            b"$(C" => self.g0 = Set::KsX1001,
            b"$)C" => self.g1 = Set::KsX1001,
            b"$)A" => self.g1 = Set::Gb2312,
            b"$)G" | b"$)E" => self.g1 = Set::Unknown,
            b"$*H" => self.g2 = Set::Unknown,
            b".A" => self.g2 = Set::Latin1,
            b".F" => self.g2 = Set::Greek,
            b"N" => self.is_single_shifted = true,
            b"&@" => {}
            _ => return false,
        }
        true
    }

    fn literal(&mut self, character: char, text: &mut String) {
        self.give_up_lead(text);
        self.run.flush(text);
        text.push(character);
    }

    /// The second byte of a character does not come any more.
    fn give_up_lead(&mut self, text: &mut String) {
        if self.lead.take().is_some() {
            self.run.flush(text);
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    Ascii,
    /// JIS X 0201 Roman: ASCII but for yen sign and overline.
    Roman,
    Katakana,
    Latin1,
    Greek,
    JisX0208,
    JisX0212,
    KsX1001,
    Gb2312,
    /// Two bytes, no table.
    Unknown,
}

impl Set {
    fn is_two_bytes(self) -> bool {
        match self {
            Self::Ascii | Self::Roman | Self::Katakana | Self::Latin1 | Self::Greek => false,
            Self::JisX0208 | Self::JisX0212 | Self::KsX1001 | Self::Gb2312 | Self::Unknown => true,
        }
    }
}

fn roman(byte: u8) -> char {
    match byte {
        b'\\' => '\u{a5}',
        b'~' => '\u{203e}',
        _ => char::from(byte),
    }
}

/// Half-width katakana, U+FF61 to U+FF9F.
fn katakana(byte: u8) -> char {
    match byte {
        0x21..=0x5f => char::from_u32(0xff61 + u32::from(byte - 0x21)),
        _ => None,
    }
    .unwrap_or(char::REPLACEMENT_CHARACTER)
}

const SHIFT_OUT: u8 = 0x0e;
const SHIFT_IN: u8 = 0x0f;
/// `$(C` is the longest of ours.
const LONGEST_ESCAPE: usize = 3;
