//! The objects of PDF (ISO 32000-1, 7.3), from bytes of which nothing is believed.

use std::collections::BTreeMap;

/// A dictionary.
pub(super) type Dict = BTreeMap<Vec<u8>, Object>;

/// An object, or an operator of a content stream.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Object {
    /// Also whatever is of no use here.
    Null,
    Number(f64),
    Name(Vec<u8>),
    Text(Vec<u8>),
    List(Vec<Object>),
    Dict(Dict),
    /// The number of an object elsewhere.
    Reference(u32),
    /// A word that is no object: an operator, `endobj`, `stream`.
    Word(Vec<u8>),
}

impl Object {
    /// The number that it is.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The number as a count or a place; `None` if it is negative.
    pub(super) fn count(&self) -> Option<usize> {
        self.number().and_then(count)
    }

    /// The name that it is.
    pub(super) fn name(&self) -> Option<&[u8]> {
        match self {
            Self::Name(name) => Some(name),
            _ => None,
        }
    }

    /// How many objects it is made of: what a copy of it costs.
    pub(super) fn parts(&self) -> usize {
        1 + match self {
            Self::List(list) => list.iter().map(Self::parts).sum::<usize>(),
            Self::Dict(dict) => dict.values().map(Self::parts).sum::<usize>(),
            Self::Text(text) => text.len(),
            Self::Null | Self::Number(_) | Self::Name(_) | Self::Reference(_) | Self::Word(_) => 0,
        }
    }

    /// The dictionary that it is; an empty one if it is none.
    pub(super) fn into_dict(self) -> Dict {
        match self {
            Self::Dict(dict) => dict,
            _ => Dict::new(),
        }
    }

    /// The list that it is; of anything else a list of one.
    pub(super) fn into_list(self) -> Vec<Self> {
        match self {
            Self::List(list) => list,
            Self::Null => Vec::new(),
            one => vec![one],
        }
    }
}

/// A number as a count; `None` for a negative one.
pub(super) fn count(number: f64) -> Option<usize> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what is too large becomes the largest, and is too large for all that is there"
    )]
    (number >= 0.0).then_some(number as usize)
}

/// Reads objects one behind another.
pub(super) struct Parser<'a> {
    bytes: &'a [u8],
    /// How far it has come.
    pub(super) at: usize,
    /// Whether `1 0 R` is a reference, which it is not in content streams.
    has_references: bool,
    /// How many parts the object that is read may still have.
    parts_left: usize,
}

impl<'a> Parser<'a> {
    /// A reader of the objects of a file.
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, has_references: true, parts_left: 0 }
    }

    /// A reader of a content stream or a character map.
    pub(super) fn of_content(bytes: &'a [u8]) -> Self {
        Self { has_references: false, ..Self::new(bytes, 0) }
    }

    /// The next object or word; `None` at the end.
    pub(super) fn next(&mut self) -> Option<Object> {
        self.parts_left = MOST_PARTS;
        self.object(0)
    }

    /// Whether this stands next; if so it is passed.
    pub(super) fn passes(&mut self, word: &[u8]) -> bool {
        self.skip_space();
        let is_here = self.rest().starts_with(word);
        self.at += if is_here { word.len() } else { 0 };
        is_here
    }

    /// What has not been read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn object(&mut self, depth: usize) -> Option<Object> {
        self.skip_space();
        self.parts_left = self.parts_left.saturating_sub(1);
        let rest = self.rest();
        let first = *rest.first()?;
        if depth > DEEPEST {
            self.at += 1;
            return Some(Object::Null);
        }
        Some(match first {
            b'/' => {
                self.at += 1;
                Object::Name(self.name())
            }
            b'(' => Object::Text(self.text()),
            b'<' if rest.starts_with(b"<<") => self.dict(depth),
            b'<' => Object::Text(self.hex()),
            b'[' => self.list(depth),
            b'0'..=b'9' | b'+' | b'-' | b'.' => self.number(),
            b']' | b'>' | b'{' | b'}' | b')' => {
                self.at += 1;
                Object::Word(vec![first])
            }
            _ => self.word(),
        })
    }

    fn skip_space(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b'%' => {
                    let line = memchr::memchr2(b'\r', b'\n', self.rest());
                    self.at += line.unwrap_or(self.bytes.len() - self.at);
                }
                _ if is_space(byte) => self.at += 1,
                _ => return,
            }
        }
    }

    fn word(&mut self) -> Object {
        let rest = self.rest();
        let length = rest.iter().position(|&byte| !is_regular(byte)).unwrap_or(rest.len());
        let word = rest.get(..length.min(LONGEST_WORD)).unwrap_or_default().to_vec();
        self.at += length.max(1);
        match word.as_slice() {
            b"true" | b"false" | b"null" => Object::Null,
            _ => Object::Word(word),
        }
    }

    fn name(&mut self) -> Vec<u8> {
        let mut name = Vec::new();
        while let Some(byte) = self.peek().filter(|&byte| is_regular(byte)) {
            let escaped = match self.rest() {
                [b'#', high, low, ..] => hex(*high).zip(hex(*low)),
                _ => None,
            };
            self.at += if escaped.is_some() { 3 } else { 1 };
            if name.len() < LONGEST_WORD {
                name.push(escaped.map_or(byte, |(high, low)| high << 4 | low));
            }
        }
        name
    }

    fn text(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut open = 0_usize;
        let end = self.at.saturating_add(LONGEST_TEXT);
        while let Some(byte) = self.peek().filter(|_| self.at < end) {
            self.at += 1;
            match byte {
                b'\\' => self.escape(&mut text),
                b'(' => {
                    if open > 0 {
                        text.push(byte);
                    }
                    open += 1;
                }
                b')' => {
                    open -= 1;
                    if open == 0 {
                        return text;
                    }
                    text.push(byte);
                }
                _ => text.push(byte),
            }
        }
        text
    }

    /// ISO 32000-1, table 3.
    fn escape(&mut self, text: &mut Vec<u8>) {
        let Some(byte) = self.peek() else { return };
        self.at += 1;
        match byte {
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'b' | b'f' => text.push(b' '),
            b'\r' => self.at += usize::from(self.peek() == Some(b'\n')),
            b'\n' => {}
            b'0'..=b'7' => {
                let mut code = u32::from(byte - b'0');
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek() else { break };
                    code = code << 3 | u32::from(digit - b'0');
                    self.at += 1;
                }
                text.push(code.to_le_bytes()[0]);
            }
            _ => text.push(byte),
        }
    }

    fn hex(&mut self) -> Vec<u8> {
        self.at += 1;
        let window = self.rest();
        let window = window.get(..LONGEST_TEXT).unwrap_or(window);
        let end = memchr::memchr(b'>', window);
        let digits = window.get(..end.unwrap_or(window.len())).unwrap_or_default();
        self.at += digits.len() + usize::from(end.is_some());
        let digits: Vec<u8> = digits.iter().filter_map(|&byte| hex(byte)).collect();
        let pair =
            |pair: &[u8]| pair.first().map_or(0, |high| high << 4) | pair.get(1).unwrap_or(&0);
        digits.chunks(2).map(pair).collect()
    }

    fn list(&mut self, depth: usize) -> Object {
        self.at += 1;
        let mut list = Vec::new();
        while !self.passes(b"]") && self.parts_left > 0 {
            match self.object(depth + 1) {
                None => break,
                Some(Object::Word(word)) if is_end(&word) => break,
                Some(object) => list.push(object),
            }
        }
        Object::List(list)
    }

    fn dict(&mut self, depth: usize) -> Object {
        self.at += 2;
        let mut dict = Dict::new();
        while !self.passes(b">>") && self.parts_left > 0 {
            let before = self.at;
            match self.object(depth + 1) {
                Some(Object::Name(name)) => match self.object(depth + 1) {
                    None => break,
                    Some(Object::Word(word)) if is_end(&word) => {
                        self.at = before;
                        break;
                    }
                    Some(value) => {
                        dict.entry(name).or_insert(value);
                    }
                },
                Some(Object::Word(word)) if is_end(&word) => {
                    self.at = before;
                    break;
                }
                Some(_) => {}
                None => break,
            }
        }
        Object::Dict(dict)
    }

    fn number(&mut self) -> Object {
        let digits = self.digits();
        let is_whole = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        if is_whole && self.has_references {
            let behind = self.at;
            if self.is_reference() {
                let number =
                    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
                return number.map_or(Object::Null, Object::Reference);
            }
            self.at = behind;
        }
        Object::Number(decimal(digits))
    }

    /// The characters of a number; at least one is passed.
    fn digits(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.');
        let length = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        self.at += length.max(1);
        rest.get(..length).unwrap_or_default()
    }

    /// Behind a number: whether a generation and `R` follow. They are passed then.
    fn is_reference(&mut self) -> bool {
        if !self.peek().is_some_and(is_space) {
            return false;
        }
        self.skip_space();
        let generation = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=5).contains(&generation) {
            return false;
        }
        self.at += generation;
        self.skip_space();
        let is_reference = matches!(self.rest(), [b'R'])
            || matches!(self.rest(), [b'R', next, ..] if !is_regular(*next));
        self.at += usize::from(is_reference);
        is_reference
    }
}

/// Words that can stand in no object: its end is missing.
fn is_end(word: &[u8]) -> bool {
    matches!(word, b"endobj" | b"obj" | b"stream" | b"endstream" | b"xref" | b"trailer")
}

/// A number, as readers forgive it: `--5`, `1.2.3`, `5-3`.
fn decimal(digits: &[u8]) -> f64 {
    let is_negative = digits.first() == Some(&b'-');
    let digits = digits.iter().skip_while(|byte| matches!(byte, b'+' | b'-'));
    let (mut number, mut scale, mut has_point) = (0.0_f64, 1.0_f64, false);
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                number = number * 10.0 + f64::from(byte - b'0');
                scale *= if has_point { 10.0 } else { 1.0 };
            }
            b'.' if !has_point => has_point = true,
            _ => break,
        }
    }
    let number = if scale.is_finite() { number / scale } else { 0.0 };
    if is_negative { -number } else { number }
}

/// The value of a hexadecimal digit.
pub(super) fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// ISO 32000-1, table 1.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

fn is_regular(byte: u8) -> bool {
    !is_space(byte)
        && !matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

/// Lists in lists and dictionaries; honest files have a few.
const DEEPEST: usize = 32;
/// Of one object: the widths of a large font are some 60,000.
const MOST_PARTS: usize = 200_000;
const LONGEST_TEXT: usize = 1 << 20;
const LONGEST_WORD: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Object {
        Parser::new(text.as_bytes(), 0).next().unwrap()
    }

    #[test]
    fn objects_are_read_as_leniently_as_viewers_do() {
        let text = |text: &str| Object::Text(text.as_bytes().to_vec());
        assert_eq!(read("(a(b)\\)\\101\\\r\nc)"), text("a(b))Ac"));
        assert_eq!(read("<48 65 6>"), text("He`"));
        assert_eq!(read("/A#42c"), Object::Name(b"ABc".to_vec()));
        assert_eq!(read("12 0 R"), Object::Reference(12));
        assert_eq!(read("12 0 RG"), Object::Number(12.0));
        assert_eq!(read(" % comment\n-.5"), Object::Number(-0.5));
        assert_eq!(read("--5.2.1"), Object::Number(-5.2));
        let Object::Dict(dict) = read("<< /A [1 2 0 R (x)] /B << /C null >> /D") else { panic!() };
        let list = vec![Object::Number(1.0), Object::Reference(2), text("x")];
        assert_eq!(dict.get(b"A".as_slice()), Some(&Object::List(list)));
        assert_eq!(dict.len(), 2);
    }

    #[test]
    fn an_object_without_an_end_ends_where_the_next_begins() {
        let mut parser = Parser::new(b"<< /A 1 /B endobj 2 0 obj", 0);
        let dict = parser.next().unwrap().into_dict();
        assert_eq!(dict.len(), 1);
        assert!(
            parser.rest().starts_with(b" /B endobj") || parser.rest().starts_with(b"/B endobj")
        );
        for open in ["[", "<<", "<</A", "(", "<", "<</A["] {
            let text = open.repeat(100_000);
            let mut parser = Parser::new(text.as_bytes(), 0);
            while parser.next().is_some() {}
            assert!(parser.at >= text.len(), "{open}");
        }
    }

    #[test]
    fn numbers_of_any_length_are_numbers() {
        assert!(read(&"9".repeat(1000)).number().unwrap().is_infinite());
        assert_eq!(read(&format!("0.{}", "9".repeat(1000))), Object::Number(0.0));
        assert_eq!(count(-1.0), None);
        assert_eq!(count(f64::NAN), None);
        assert_eq!(count(f64::INFINITY), Some(usize::MAX));
    }
}
