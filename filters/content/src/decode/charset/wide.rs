//! UTF-16 and UTF-32 whose order of bytes the text itself tells (RFC 2781, Unicode 3.10).

/// How many bytes make a unit, and in which order if the label says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    size: usize,
    order: Option<Order>,
}

impl Unit {
    pub(super) const TWO: Self = Self { size: 2, order: None };
    pub(super) const FOUR: Self = Self { size: 4, order: None };
    pub(super) const FOUR_BIG: Self = Self { size: 4, order: Some(Order::Big) };
    pub(super) const FOUR_LITTLE: Self = Self { size: 4, order: Some(Order::Little) };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Big,
    Little,
}

/// Decoder of both.
pub(super) struct Wide {
    unit: Unit,
    is_at_start: bool,
    bytes: [u8; 4],
    count: usize,
    units: Utf16,
}

impl Wide {
    pub(super) fn new(unit: Unit) -> Self {
        Self { unit, is_at_start: true, bytes: [0; 4], count: 0, units: Utf16::default() }
    }

    pub(super) fn feed(&mut self, bytes: &[u8], text: &mut String) {
        for &byte in bytes {
            if let Some(place) = self.bytes.get_mut(self.count) {
                *place = byte;
            }
            self.count += 1;
            if self.count == self.unit.size {
                self.count = 0;
                self.take(text);
            }
        }
    }

    pub(super) fn finish(mut self, text: &mut String) {
        self.units.finish(text);
        if self.count > 0 {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }

    fn take(&mut self, text: &mut String) {
        let [a, b, c, d] = self.bytes;
        let (big, little) = match self.unit.size {
            2 => (u32::from(u16::from_be_bytes([a, b])), u32::from(u16::from_le_bytes([a, b]))),
            _ => (u32::from_be_bytes([a, b, c, d]), u32::from_le_bytes([a, b, c, d])),
        };
        if std::mem::take(&mut self.is_at_start) {
            let order = *self.unit.order.get_or_insert_with(|| order(big, little));
            let first = if order == Order::Big { big } else { little };
            if first == BYTE_ORDER_MARK {
                return;
            }
        }
        let code = if self.unit.order == Some(Order::Little) { little } else { big };
        match (self.unit.size, u16::try_from(code)) {
            (2, Ok(unit)) => self.units.take(unit, text),
            _ => text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)),
        }
    }
}

/// The mark tells; else the half that a character of a Western text leaves empty; else big-endian
/// (RFC 2781 section 4.3).
fn order(big: u32, little: u32) -> Order {
    if big == BYTE_ORDER_MARK {
        Order::Big
    } else if little == BYTE_ORDER_MARK || (little < 0x100 && big >= 0x100) {
        Order::Little
    } else {
        Order::Big
    }
}

/// Joins surrogates.
#[derive(Default)]
pub(super) struct Utf16 {
    high: Option<u16>,
}

impl Utf16 {
    pub(super) fn take(&mut self, unit: u16, text: &mut String) {
        let units = [self.high.take(), Some(unit)];
        if matches!(unit, 0xd800..=0xdbff) {
            if units[0].is_some() {
                text.push(char::REPLACEMENT_CHARACTER);
            }
            self.high = Some(unit);
            return;
        }
        for character in char::decode_utf16(units.into_iter().flatten()) {
            text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
        }
    }

    /// The text ends or goes on in another way: a surrogate stays alone.
    pub(super) fn finish(&mut self, text: &mut String) {
        if self.high.take().is_some() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

const BYTE_ORDER_MARK: u32 = 0xfeff;
