//! Fonts: which characters the codes in a text stand for, and how wide they are.

use std::collections::BTreeMap;

use mailweir_content::decode::charset::Charset;

use super::cmap::CMap;
use super::document::Document;
use super::glyphs::{self, Encoding};
use super::object::{Dict, Object};
use crate::harvest::Harvest;

/// A font as far as its text is concerned.
pub(super) struct Font {
    codes: Codes,
    /// What the font says of its codes in Unicode.
    unicode: CMap,
    widths: BTreeMap<u32, f64>,
    default_width: f64,
    /// Glyphs stand below each other.
    pub(super) is_vertical: bool,
}

/// How bytes are codes, and what codes mean without a map to Unicode.
enum Codes {
    /// One byte each.
    Simple(Vec<String>),
    /// As many as the map says, two if it says nothing.
    Composite(CMap),
    /// A charset of East Asia.
    Charset(Charset),
}

/// A code of a text.
pub(super) struct Glyph {
    /// What it stands for; empty if nobody knows.
    pub(super) text: String,
    /// In units of the size of the font.
    pub(super) width: f64,
    /// A blank of one byte, which word spacing makes wider.
    pub(super) is_space: bool,
}

impl Font {
    /// A font of which nothing is known.
    pub(super) fn unknown() -> Self {
        Self {
            codes: Codes::Simple(Encoding::WinAnsi.table()),
            unicode: CMap::default(),
            widths: BTreeMap::new(),
            default_width: 0.5,
            is_vertical: false,
        }
    }

    /// Reads what a font says of itself.
    pub(super) fn read(dict: &Dict, document: &Document<'_>, harvest: &mut Harvest<'_>) -> Self {
        harvest.work(COST);
        let unicode = match dict.get(b"ToUnicode".as_slice()) {
            Some(Object::Reference(number)) => document
                .stream(*number, harvest)
                .map_or_else(CMap::default, |(_, map)| CMap::read(&map, harvest)),
            _ => CMap::default(),
        };
        let subtype = document.field(dict, b"Subtype", harvest);
        let font = match subtype.name() {
            Some(b"Type0") => Self::composite(dict, document, harvest),
            kind => Self::simple(dict, kind, document, harvest),
        };
        Self { unicode, ..font }
    }

    /// How much of what is kept between pages it is.
    pub(super) fn size(&self) -> usize {
        self.widths.len() + self.unicode.len() + 256
    }

    /// Whether anything is known of what its codes stand for.
    pub(super) fn is_readable(&self) -> bool {
        self.unicode.has_text() || !matches!(self.codes, Codes::Composite(_))
    }

    /// The codes of a text.
    pub(super) fn glyphs(&self, text: &[u8], give: &mut dyn FnMut(Glyph)) {
        match &self.codes {
            Codes::Charset(charset) if !self.unicode.has_text() => {
                for character in charset.decode(text).chars() {
                    let width = if character.is_ascii() { 0.5 } else { 1.0 };
                    let is_space = character == ' ';
                    give(Glyph { text: character.to_string(), width, is_space });
                }
            }
            Codes::Simple(table) => {
                for &byte in text {
                    let code = u32::from(byte);
                    let own = || table.get(usize::from(byte)).cloned().unwrap_or_default();
                    let text = self.unicode.text(code).unwrap_or_else(own);
                    give(Glyph { text, width: self.width(code), is_space: byte == b' ' });
                }
            }
            Codes::Composite(map) => self.composite_glyphs(text, map, give),
            Codes::Charset(_) => self.composite_glyphs(text, &self.unicode, give),
        }
    }

    fn composite_glyphs(&self, text: &[u8], codes: &CMap, give: &mut dyn FnMut(Glyph)) {
        let mut rest = text;
        while !rest.is_empty() {
            let (code, length) = codes.code(rest, 2);
            rest = rest.get(length..).unwrap_or_default();
            let text = self.unicode.text(code).unwrap_or_default();
            let is_space = length == 1 && code == 32;
            give(Glyph { text, width: self.width(code), is_space });
        }
    }

    fn width(&self, code: u32) -> f64 {
        self.widths.get(&code).copied().unwrap_or(self.default_width)
    }

    fn simple(
        dict: &Dict,
        kind: Option<&[u8]>,
        document: &Document<'_>,
        harvest: &mut Harvest<'_>,
    ) -> Self {
        let usual = if kind == Some(b"TrueType") { Encoding::WinAnsi } else { Encoding::Standard };
        let encoding = document.field(dict, b"Encoding", harvest);
        let table = table(&encoding, usual, document, harvest);
        // The widths of type 3 are in a space of their own (9.6.5).
        let unit = match kind {
            Some(b"Type3") => {
                let matrix = document.field(dict, b"FontMatrix", harvest).into_list();
                matrix.first().and_then(Object::number).unwrap_or(0.001).abs()
            }
            _ => 0.001,
        };
        let first = document.field(dict, b"FirstChar", harvest).count().unwrap_or(0);
        let first = u32::try_from(first).unwrap_or(u32::MAX);
        let widths = document.field(dict, b"Widths", harvest).into_list();
        let widths = (first..=255).zip(&widths);
        let widths = widths.filter_map(|(code, width)| Some((code, width.number()? * unit)));
        Self { codes: Codes::Simple(table), widths: widths.collect(), ..Self::unknown() }
    }

    fn composite(dict: &Dict, document: &Document<'_>, harvest: &mut Harvest<'_>) -> Self {
        let (codes, is_vertical) = match dict.get(b"Encoding".as_slice()) {
            Some(Object::Reference(number)) => match document.stream(*number, harvest) {
                Some((_, map)) => (Codes::Composite(CMap::read(&map, harvest)), false),
                None => named_codes(&document.get(*number, harvest)),
            },
            Some(name) => named_codes(name),
            None => (Codes::Composite(CMap::default()), false),
        };
        let descendants = document.field(dict, b"DescendantFonts", harvest).into_list();
        let descendant = descendants.into_iter().next().unwrap_or(Object::Null);
        let descendant = document.resolve(&descendant, harvest).into_dict();
        let default = document.field(&descendant, b"DW", harvest).number().unwrap_or(1000.0);
        let widths = document.field(&descendant, b"W", harvest).into_list();
        Self {
            codes,
            widths: composite_widths(widths, document, harvest),
            default_width: default / 1000.0,
            is_vertical,
            ..Self::unknown()
        }
    }
}

/// The table of a simple font: an encoding with a name, and what differs from it.
fn table(
    encoding: &Object,
    usual: Encoding,
    document: &Document<'_>,
    harvest: &mut Harvest<'_>,
) -> Vec<String> {
    if let Some(name) = encoding.name() {
        return Encoding::named(name).unwrap_or(usual).table();
    }
    let dict = encoding.clone().into_dict();
    let base = document.field(&dict, b"BaseEncoding", harvest);
    let mut table = base.name().and_then(Encoding::named).unwrap_or(usual).table();
    let mut code = 0_usize;
    for entry in document.field(&dict, b"Differences", harvest).into_list() {
        match entry {
            Object::Number(_) => code = entry.count().unwrap_or(usize::MAX),
            Object::Name(name) => {
                if let Some(place) = table.get_mut(code) {
                    *place = glyphs::text_of(&name).unwrap_or_default();
                }
                code = code.saturating_add(1);
            }
            _ => {}
        }
    }
    table
}

/// What the name of a character map says (ISO 32000-1, table 118), and whether it is vertical. The
/// codes of these maps are a charset; those of `Identity` are numbers of glyphs.
fn named_codes(name: &Object) -> (Codes, bool) {
    let name = name.name().unwrap_or_default();
    let has = |part: &[u8]| memchr::memmem::find(name, part).is_some();
    let label: Option<&[u8]> = match () {
        () if has(b"UCS2") || has(b"UTF16") => Some(b"utf-16be"),
        () if has(b"UTF8") => Some(b"utf-8"),
        () if has(b"UTF32") => Some(b"utf-32be"),
        () if name.starts_with(b"KSC") => Some(b"euc-kr"),
        () if has(b"RKSJ") => Some(b"shift_jis"),
        () if name.starts_with(b"GB") => Some(b"gb18030"),
        () if has(b"B5") || has(b"HKscs") => Some(b"big5"),
        () if name == b"EUC-H" || name == b"EUC-V" => Some(b"euc-jp"),
        () => None,
    };
    let codes = match label.and_then(Charset::for_label) {
        Some(charset) => Codes::Charset(charset),
        None => Codes::Composite(CMap::default()),
    };
    (codes, name.ends_with(b"-V"))
}

/// `[ first [w w w] first last w ... ]` (9.7.4.3). They are those of glyphs; with other codes than
/// `Identity` they are wrong, and only used to tell blanks from gaps.
fn composite_widths(
    list: Vec<Object>,
    document: &Document<'_>,
    harvest: &mut Harvest<'_>,
) -> BTreeMap<u32, f64> {
    let mut widths = BTreeMap::new();
    let mut numbers: Vec<f64> = Vec::new();
    let code = |number: f64| {
        super::object::count(number).and_then(|code| u32::try_from(code).ok()).unwrap_or(u32::MAX)
    };
    for entry in list {
        match (document.resolve(&entry, harvest), numbers.as_slice()) {
            (Object::List(list), [.., first]) => {
                let codes = code(*first)..=u32::from(u16::MAX);
                let list = list.iter().filter_map(Object::number);
                widths.extend(codes.zip(list.map(|width| width / 1000.0)));
                numbers.clear();
            }
            (Object::Number(width), [first, last]) => {
                let last = code(*last).min(u16::MAX.into());
                let codes = code(*first)..=last;
                harvest.work(codes.clone().count());
                widths.extend(codes.map(|code| (code, width / 1000.0)));
                numbers.clear();
            }
            (Object::Number(number), _) => numbers.push(number),
            _ => {}
        }
        if !harvest.has_room() {
            break;
        }
    }
    widths
}

/// What the tables of a font cost, however small it is.
const COST: usize = 16 << 10;
