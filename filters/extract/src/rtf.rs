//! Rich Text Format (Microsoft, version 1.9.1): words behind backslashes, groups in braces, and text.

use std::collections::BTreeMap;

use mailweir_content::decode::charset::Charset;

use crate::Origin;
use crate::harvest::Harvest;

/// Writes the text of a document.
pub(crate) fn read(bytes: &[u8], harvest: &mut Harvest<'_>) {
    harvest.set_origin(Origin::Attachment);
    let mut reading = Reading {
        groups: Vec::new(),
        group: Group { font: None, skips: 1, kind: Kind::Text },
        unopened: 0,
        fonts: BTreeMap::new(),
        charset: Charset::for_label(b"windows-1252").unwrap_or(Charset::UTF_8),
        bytes: Vec::new(),
        units: Vec::new(),
        left_out: 0,
    };
    let mut rest = bytes;
    while let Some((token, length)) = Token::read(rest) {
        if !harvest.work(length) || !harvest.has_room() {
            return;
        }
        rest = rest.get(length..).unwrap_or_default();
        // The data of a picture that is not in hexadecimal digits.
        if let Token::Word(b"bin", Some(count)) = token {
            let count = usize::try_from(count).unwrap_or(0).min(rest.len());
            rest = rest.get(count..).unwrap_or_default();
        }
        reading.take(token, harvest);
    }
    reading.flush(harvest);
    harvest.end_line();
}

/// What stands next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Open,
    Close,
    /// `\word` or `\word12`.
    Word(&'a [u8], Option<i32>),
    /// `\~` and the like.
    Symbol(u8),
    /// `\'e9`.
    Byte(u8),
    Text(&'a [u8]),
    LineEnd,
}

impl<'a> Token<'a> {
    /// The next token, and how many bytes it is.
    fn read(rest: &'a [u8]) -> Option<(Self, usize)> {
        Some(match rest {
            [] => return None,
            [b'{', ..] => (Self::Open, 1),
            [b'}', ..] => (Self::Close, 1),
            [b'\r' | b'\n', ..] => (Self::LineEnd, 1),
            [b'\\', b'\'', high, low, ..] => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let byte = digit(*high).zip(digit(*low)).map(|(high, low)| high << 4 | low);
                match byte.and_then(|byte| u8::try_from(byte).ok()) {
                    Some(byte) => (Self::Byte(byte), 4),
                    None => (Self::Symbol(b'\''), 2),
                }
            }
            [b'\\', first, ..] if first.is_ascii_alphabetic() => Self::word(rest),
            [b'\\', symbol, ..] => (Self::Symbol(*symbol), 2),
            [b'\\'] => (Self::LineEnd, 1),
            _ => {
                let end = rest.iter().position(|byte| b"{}\\\r\n".contains(byte));
                let text = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
                (Self::Text(text), text.len())
            }
        })
    }

    fn word(rest: &'a [u8]) -> (Self, usize) {
        let behind = rest.get(1..).unwrap_or_default();
        let length = behind.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (name, behind) = behind.split_at(length);
        let sign = usize::from(behind.first() == Some(&b'-'));
        let digits = behind.iter().skip(sign).take_while(|byte| byte.is_ascii_digit()).count();
        let number = behind.get(..if digits > 0 { sign + digits } else { 0 }).unwrap_or_default();
        let blank = usize::from(behind.get(number.len()) == Some(&b' '));
        let value = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
        (Self::Word(name, value), 1 + length + number.len() + blank)
    }
}

/// What braces end.
#[derive(Clone, Copy)]
struct Group {
    font: Option<i32>,
    /// How many characters for old programs follow one in Unicode.
    skips: usize,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Fonts,
    /// Nothing that is shown.
    Skipped,
}

struct Reading {
    groups: Vec<Group>,
    group: Group,
    /// Groups beyond `DEEPEST`: they change nothing.
    unopened: usize,
    /// The charsets of fonts by their numbers.
    fonts: BTreeMap<i32, Charset>,
    charset: Charset,
    /// Text that waits until all bytes of a character are there; one of the two is empty.
    bytes: Vec<u8>,
    units: Vec<u16>,
    /// How many characters are left out now.
    left_out: usize,
}

impl Reading {
    fn take(&mut self, token: Token<'_>, harvest: &mut Harvest<'_>) {
        match token {
            Token::Open | Token::Close => {
                self.flush(harvest);
                self.left_out = 0;
                if token == Token::Open { self.open() } else { self.close() }
            }
            Token::Word(name, number) => self.word(name, number, harvest),
            Token::Symbol(b'*') => self.group.kind = Kind::Skipped,
            Token::Symbol(symbol) => self.symbol(symbol, harvest),
            Token::Byte(byte) => self.put(&[byte], harvest),
            Token::Text(text) => self.put(text, harvest),
            Token::LineEnd => {}
        }
    }

    fn open(&mut self) {
        if self.groups.len() < DEEPEST {
            self.groups.push(self.group);
        } else {
            self.unopened += 1;
        }
    }

    fn close(&mut self) {
        if self.unopened > 0 {
            self.unopened -= 1;
        } else if let Some(group) = self.groups.pop() {
            self.group = group;
        }
    }

    fn word(&mut self, name: &[u8], number: Option<i32>, harvest: &mut Harvest<'_>) {
        if name == b"u" {
            return self.unit(number.unwrap_or(0), harvest);
        }
        self.flush(harvest);
        let number_or_0 = number.unwrap_or(0);
        match name {
            b"fonttbl" => self.group.kind = Kind::Fonts,
            b"f" => self.group.font = number,
            b"fcharset" => self.name_charset(number_or_0),
            b"ansicpg" => self.charset = code_page(number_or_0).unwrap_or(self.charset),
            b"uc" => self.group.skips = usize::try_from(number_or_0).unwrap_or(1).min(8),
            _ if SKIPPED.contains(&name) => self.group.kind = Kind::Skipped,
            _ if self.group.kind != Kind::Text => {}
            b"par" | b"line" | b"row" | b"sect" | b"page" | b"nestrow" => harvest.end_line(),
            b"tab" | b"cell" | b"nestcell" | b"emspace" | b"enspace" => harvest.push(" "),
            b"emdash" | b"endash" => harvest.push("–"),
            b"lquote" | b"rquote" => harvest.push("'"),
            b"ldblquote" | b"rdblquote" => harvest.push("\""),
            b"bullet" => harvest.push("•"),
            _ => {}
        }
    }

    fn symbol(&mut self, symbol: u8, harvest: &mut Harvest<'_>) {
        match symbol {
            b'\\' | b'{' | b'}' => self.put(&[symbol], harvest),
            b'~' => self.put(b" ", harvest),
            b'_' => self.put(b"-", harvest),
            b'\r' | b'\n' if self.group.kind == Kind::Text => {
                self.flush(harvest);
                harvest.end_line();
            }
            _ => {}
        }
    }

    /// `\u-21248`: a unit of UTF-16, and behind it the same for programs that know no Unicode.
    fn unit(&mut self, number: i32, harvest: &mut Harvest<'_>) {
        if !self.bytes.is_empty() {
            self.flush(harvest);
        }
        if self.group.kind == Kind::Text {
            let [low, high, ..] = number.to_le_bytes();
            self.units.push(u16::from_le_bytes([low, high]));
        }
        self.left_out = self.group.skips;
    }

    fn put(&mut self, text: &[u8], harvest: &mut Harvest<'_>) {
        let left_out = self.left_out.min(text.len());
        self.left_out -= left_out;
        let text = text.get(left_out..).unwrap_or_default();
        if self.group.kind != Kind::Text || text.is_empty() {
            return;
        }
        if !self.units.is_empty() {
            self.flush(harvest);
        }
        self.bytes.extend_from_slice(text);
    }

    fn flush(&mut self, harvest: &mut Harvest<'_>) {
        if !self.bytes.is_empty() {
            let font = self.group.font.and_then(|font| self.fonts.get(&font));
            harvest.push(&font.unwrap_or(&self.charset).decode(&self.bytes));
            self.bytes.clear();
        }
        if !self.units.is_empty() {
            harvest.push(&String::from_utf16_lossy(&self.units));
            self.units.clear();
        }
    }

    /// The font that is described is in this charset.
    fn name_charset(&mut self, number: i32) {
        let label: &[u8] = match number {
            128 => b"shift_jis",
            129 => b"euc-kr",
            134 => b"gb18030",
            136 => b"big5",
            161 => b"windows-1253",
            162 => b"windows-1254",
            177 => b"windows-1255",
            178 => b"windows-1256",
            186 => b"windows-1257",
            204 => b"windows-1251",
            222 => b"windows-874",
            238 => b"windows-1250",
            _ => return,
        };
        let is_font = self.group.kind == Kind::Fonts && self.fonts.len() < MOST_FONTS;
        if let (true, Some(font), Some(charset)) =
            (is_font, self.group.font, Charset::for_label(label))
        {
            self.fonts.insert(font, charset);
        }
    }
}

fn code_page(number: i32) -> Option<Charset> {
    let label = match number {
        932 => "shift_jis".to_owned(),
        936 => "gb18030".to_owned(),
        949 => "euc-kr".to_owned(),
        950 => "big5".to_owned(),
        874 | 1250..=1258 => format!("windows-{number}"),
        65001 => "utf-8".to_owned(),
        _ => return None,
    };
    Charset::for_label(label.as_bytes())
}

/// Groups that hold nothing that is shown.
const SKIPPED: [&[u8]; 11] = [
    b"colortbl",
    b"stylesheet",
    b"info",
    b"pict",
    b"object",
    b"fldinst",
    b"listtable",
    b"themedata",
    b"datastore",
    b"xe",
    b"bkmkstart",
];
const DEEPEST: usize = 256;
const MOST_FONTS: usize = 4096;
