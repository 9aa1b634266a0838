//! What a zip archive is by the names in it: a document, a program, or just an archive; and
//! whether its headers and its directory agree.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::header::{Header, Part, Standing};
use crate::attachment::{budget::View, kind::Kind};

/// What was seen of an archive.
#[derive(Debug, Default)]
pub(super) struct Contents {
    seen: Seen,
    is_encrypted: bool,
    members: u64,
    listed: u64,
    /// The sums of what the headers and what the directory say, in whatever order.
    members_sum: u64,
    listed_sum: u64,
    /// Whether an entry of a directory stood in the data of a member.
    has_listed_inside: bool,
}

/// Names that tell.
#[derive(Clone, Copy, Debug, Default)]
struct Seen(u32);

impl Contents {
    /// Whether there was a header.
    pub(super) fn has_any(&self) -> bool {
        self.members + self.listed > 0
    }

    /// A header was read. True for the first of a member that takes a password.
    pub(super) fn note(&mut self, header: &Header) -> bool {
        if header.standing() == Standing::Inside {
            self.has_listed_inside |= header.part() == Part::Central;
            return false;
        }
        let told = tell(header);
        let (count, sum) = match header.part() {
            Part::Local => (&mut self.members, &mut self.members_sum),
            Part::Central => (&mut self.listed, &mut self.listed_sum),
        };
        *count += 1;
        *sum = sum.wrapping_add(told);
        header.names().for_each(|name| self.seen.note(name));
        header.is_encrypted() && !std::mem::replace(&mut self.is_encrypted, true)
    }

    /// Says what the archive is; false if it is none. `is_cut` says that a member did not end.
    pub(super) fn say(&self, is_cut: bool, view: &mut View<'_>) -> bool {
        if !self.has_any() {
            return false;
        }
        view.is(self.seen.kind());
        let differs = self.members != self.listed || self.members_sum != self.listed_sum;
        // Without any directory the archive is cut, and nobody can read it in two ways; but a member
        // may have swallowed the directory.
        let is_swallowed = self.has_listed_inside && (is_cut || self.listed == 0);
        if self.listed > 0 && differs || is_swallowed {
            view.is(Kind::AMBIGUOUS);
        }
        true
    }
}

impl Seen {
    fn note(&mut self, name: &[u8]) {
        let name = name.to_ascii_lowercase();
        let name = name.iter().map(|&byte| if byte == b'\\' { b'/' } else { byte });
        let name: Vec<u8> = name.collect();
        for (bit, sign) in SIGNS.iter().enumerate() {
            let (Sign::Begins(text) | Sign::Is(text) | Sign::Ends(text)) = sign;
            let fits = match sign {
                Sign::Begins(_) => name.starts_with(text.as_bytes()),
                Sign::Is(_) => name == text.as_bytes(),
                Sign::Ends(_) => name.ends_with(text.as_bytes()),
            };
            self.0 |= u32::from(fits) << bit;
        }
    }

    fn has(self, sign: usize) -> bool {
        self.0 & 1 << sign != 0
    }

    fn kind(self) -> Kind {
        let has_macros = self.has(MACROS) || self.has(MACRO_SHEETS);
        if self.has(CONTENT_TYPES) {
            match () {
                () if self.has(XLSB) => return Kind::XLSB,
                () if self.has(WORD) => return if has_macros { Kind::DOCM } else { Kind::DOCX },
                () if self.has(EXCEL) => return if has_macros { Kind::XLSM } else { Kind::XLSX },
                () if self.has(POWERPOINT) => {
                    return if has_macros { Kind::PPTM } else { Kind::PPTX };
                }
                () if self.has(APPX) => return Kind::APPX,
                () => {}
            }
        }
        match () {
            () if self.has(ANDROID) && self.has(DEX) => Kind::APK,
            () if self.has(JAR) => Kind::JAR,
            () if self.has(EPUB) => Kind::EPUB,
            () if self.has(ODF) && self.has(MIMETYPE) => Kind::ODF,
            () => Kind::ZIP,
        }
    }
}

/// One number for what both places say of a member.
fn tell(header: &Header) -> u64 {
    let mut hasher = DefaultHasher::new();
    (header.name(), header.method(), header.is_encrypted()).hash(&mut hasher);
    hasher.finish()
}

enum Sign {
    Begins(&'static str),
    Is(&'static str),
    Ends(&'static str),
}

/// In the order of the numbers below. In small letters: Office does not distinguish.
const SIGNS: [Sign; 14] = [
    Sign::Is("[content_types].xml"),
    Sign::Begins("word/"),
    Sign::Begins("xl/"),
    Sign::Begins("ppt/"),
    Sign::Ends("vbaproject.bin"),
    Sign::Begins("xl/macrosheets/"),
    Sign::Is("xl/workbook.bin"),
    Sign::Is("appxmanifest.xml"),
    Sign::Is("androidmanifest.xml"),
    Sign::Is("classes.dex"),
    Sign::Is("meta-inf/manifest.mf"),
    Sign::Is("meta-inf/container.xml"),
    Sign::Is("meta-inf/manifest.xml"),
    Sign::Is("mimetype"),
];
const CONTENT_TYPES: usize = 0;
const WORD: usize = 1;
const EXCEL: usize = 2;
const POWERPOINT: usize = 3;
const MACROS: usize = 4;
const MACRO_SHEETS: usize = 5;
const XLSB: usize = 6;
const APPX: usize = 7;
const ANDROID: usize = 8;
const DEX: usize = 9;
const JAR: usize = 10;
const EPUB: usize = 11;
const ODF: usize = 12;
const MIMETYPE: usize = 13;
