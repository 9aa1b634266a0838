//! UTF-7 (RFC 2152): UTF-16 in base64 between `+` and `-`. Not the UTF-7 of IMAP.

use super::super::transfer::sextet;
use super::wide::Utf16;

/// Decoder of UTF-7.
#[derive(Default)]
pub(super) struct Utf7 {
    shifted: Option<Shifted>,
    units: Utf16,
}

impl Utf7 {
    pub(super) fn feed(&mut self, bytes: &[u8], text: &mut String) {
        for &byte in bytes {
            match self.shifted.take() {
                Some(shifted) => self.take_shifted(shifted, byte, text),
                None => self.take_direct(byte, text),
            }
        }
    }

    pub(super) fn finish(mut self, text: &mut String) {
        self.units.finish(text);
    }

    fn take_direct(&mut self, byte: u8, text: &mut String) {
        match byte {
            b'+' => self.shifted = Some(Shifted::default()),
            0x80.. => text.push(char::REPLACEMENT_CHARACTER),
            _ => text.push(char::from(byte)),
        }
    }

    fn take_shifted(&mut self, mut shifted: Shifted, byte: u8, text: &mut String) {
        if let Some(sextet) = sextet(byte) {
            shifted.is_begun = true;
            shifted.bits = (shifted.bits << 6) | u32::from(sextet);
            shifted.count += 6;
            if shifted.count >= 16 {
                shifted.count -= 16;
                // The shift leaves at most 16 + 5 bits, of which the upper 16 are the unit.
                self.units.take((shifted.bits >> shifted.count) as u16, text);
                shifted.bits &= (1 << shifted.count) - 1;
            }
            self.shifted = Some(shifted);
            return;
        }
        self.units.finish(text);
        match byte {
            b'-' if shifted.is_begun => {}
            b'-' => text.push('+'),
            _ => self.take_direct(byte, text),
        }
    }
}

#[derive(Default)]
struct Shifted {
    bits: u32,
    count: u32,
    /// A character of base64 was there; without one `+-` is a plus sign.
    is_begun: bool,
}
