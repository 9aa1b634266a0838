//! The header of a member, and the entry of the directory about it (APPNOTE.TXT 4.3.7, 4.3.12).

use super::extra::Extra;
use crate::attachment::{budget::Permit, names};

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// In front of the data of the member.
    Local,
    /// In the directory.
    Central,
}

/// Where a header begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// With the stream: a header, whatever else it says.
    First,
    /// Anywhere behind that, where packed and encrypted bytes may look like a signature.
    Behind,
    /// In the deflated data of a member.
    Inside,
}

/// A header being read.
#[derive(Debug)]
pub(super) struct Header {
    part: Part,
    standing: Standing,
    fixed: Vec<u8>,
    name: Vec<u8>,
    name_left: usize,
    extra_left: usize,
    extra: Extra,
    is_cut: bool,
    _permit: Permit,
}

/// What became of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// It goes on.
    More,
    /// It ended behind that many bytes.
    Whole(usize),
    /// It is no header.
    Nothing,
}

impl Part {
    pub(super) fn begun_by(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b'P', b'K', 3, 4, ..] => Some(Self::Local),
            [b'P', b'K', 1, 2, ..] => Some(Self::Central),
            _ => None,
        }
    }

    /// How long the header is before the name; and where flags, method, the two sizes and the two
    /// lengths begin. From there on the fields are the same in both.
    fn layout(self) -> (usize, usize) {
        match self {
            Self::Local => (30, 6),
            Self::Central => (46, 8),
        }
    }
}

impl Header {
    pub(super) fn new(part: Part, standing: Standing, permit: Permit) -> Self {
        let fixed = Vec::with_capacity(part.layout().0);
        let (name, extra) = (Vec::new(), Extra::default());
        Self {
            part,
            standing,
            fixed,
            name,
            name_left: 0,
            extra_left: 0,
            extra,
            is_cut: false,
            _permit: permit,
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) -> Progress {
        let (length, _) = self.part.layout();
        let missing = length - self.fixed.len();
        let (fixed, rest) = bytes.split_at(bytes.len().min(missing));
        self.fixed.extend_from_slice(fixed);
        if self.fixed.len() < length {
            return Progress::More;
        }
        if missing > 0 {
            (self.name_left, self.extra_left) = (self.word(20).into(), self.word(22).into());
            if self.standing != Standing::First && !self.is_plausible() {
                return Progress::Nothing;
            }
        }
        let (name, rest) = rest.split_at(rest.len().min(self.name_left));
        self.name_left -= name.len();
        self.keep_name(name);
        let (extra, rest) = rest.split_at(rest.len().min(self.extra_left));
        self.extra_left -= extra.len();
        self.extra.feed(extra);
        match self.name_left + self.extra_left {
            0 => Progress::Whole(bytes.len() - rest.len()),
            _ => Progress::More,
        }
    }

    pub(super) fn part(&self) -> Part {
        self.part
    }

    pub(super) fn standing(&self) -> Standing {
        self.standing
    }

    /// The name, and those in Unicode that may stand beside it.
    pub(super) fn names(&self) -> impl Iterator<Item = &[u8]> {
        let name = (!self.name.is_empty()).then_some(self.name.as_slice());
        name.into_iter().chain(self.extra.unicode_paths())
    }

    pub(super) fn name(&self) -> &[u8] {
        &self.name
    }

    /// Whether a part of the name was lost.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut || self.extra.is_cut()
    }

    /// Bit 0: takes a password. Bit 13: so does the directory.
    pub(super) fn is_encrypted(&self) -> bool {
        self.flags() & 0x2001 != 0 || self.method() == 99
    }

    /// 0 stored, 8 deflated; APPNOTE.TXT 4.4.5.
    pub(super) fn method(&self) -> u16 {
        self.word(2)
    }

    /// How long the header says that the data is. 0 if it does not know.
    pub(super) fn packed_size(&self) -> u64 {
        match self.long(12) {
            u32::MAX => self.extra.packed_size().unwrap_or(u32::MAX.into()),
            size => size.into(),
        }
    }

    pub(super) fn buffered(&self) -> usize {
        self.fixed.capacity() + self.name.capacity() + self.extra.buffered()
    }

    fn flags(&self) -> u16 {
        self.word(0)
    }

    /// The end of a name tells what it is.
    fn keep_name(&mut self, more: &[u8]) {
        self.is_cut |= names::keep_end(&mut self.name, more);
    }

    /// Whether this may be a header where the bytes may be anything. Programs that go by the directory
    /// only read the two lengths, so the rest proves nothing, and only helps where a length does not.
    fn is_plausible(&self) -> bool {
        let is_usual = self.flags() & 0xd780 == 0 && has_known_method(self.method());
        (1..=4096).contains(&self.name_left) && (self.extra_left <= 4096 || is_usual)
    }

    fn word(&self, field: usize) -> u16 {
        let at = self.part.layout().1 + field;
        self.fixed.get(at..at + 2).map_or(0, |w| u16::from_le_bytes([w[0], w[1]]))
    }

    fn long(&self, field: usize) -> u32 {
        u32::from(self.word(field)) | u32::from(self.word(field + 2)) << 16
    }
}

/// Whether the number of a way of compression was given to anyone (APPNOTE.TXT 4.4.5).
pub(super) fn has_known_method(method: u16) -> bool {
    matches!(method, 0..=19 | 93..=99)
}
