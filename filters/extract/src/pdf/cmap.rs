//! Character maps (ISO 32000-1, 9.7.5 and 9.10.3): which codes a font has, and which characters they
//! stand for.

use super::object::{Object, Parser};
use crate::harvest::Harvest;

/// What a character map says.
#[derive(Clone, Debug, Default)]
pub(super) struct CMap {
    /// Ranges of codes and what the first of each is, in ascending order.
    ranges: Vec<Range>,
    /// How many bytes codes have: lengths, and the first and last code of that length.
    spaces: Vec<(usize, u32, u32)>,
}

#[derive(Clone, Debug)]
struct Range {
    first: u32,
    last: u32,
    text: String,
}

/// What the objects belong to that come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    None,
    Characters,
    Ranges,
    Spaces,
}

impl CMap {
    /// Reads a map.
    pub(super) fn read(bytes: &[u8], harvest: &mut Harvest<'_>) -> Self {
        let mut map = Self::default();
        let mut parser = Parser::of_content(bytes);
        let mut section = Section::None;
        let mut operands = Vec::new();
        loop {
            let before = parser.at;
            let Some(object) = parser.next() else { break };
            if !harvest.work(parser.at - before) || map.ranges.len() >= MOST_RANGES {
                break;
            }
            match object {
                Object::Word(word) => {
                    section = match word.as_slice() {
                        b"beginbfchar" => Section::Characters,
                        b"beginbfrange" => Section::Ranges,
                        b"begincodespacerange" => Section::Spaces,
                        _ => Section::None,
                    };
                    operands.clear();
                }
                object if section != Section::None => {
                    operands.push(object);
                    map.take(section, &mut operands);
                }
                _ => {}
            }
        }
        map.ranges.sort_by_key(|range| range.first);
        map
    }

    /// How many ranges it has.
    pub(super) fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether it says what any code stands for.
    pub(super) fn has_text(&self) -> bool {
        !self.ranges.is_empty()
    }

    /// What a code stands for.
    pub(super) fn text(&self, code: u32) -> Option<String> {
        let behind = self.ranges.partition_point(|range| range.first <= code);
        let range = self.ranges.get(behind.checked_sub(1)?)?;
        if code > range.last {
            return None;
        }
        let mut characters: Vec<char> = range.text.chars().collect();
        let last = characters.last_mut()?;
        *last = char::from_u32(u32::from(*last).checked_add(code - range.first)?)?;
        Some(characters.into_iter().collect())
    }

    /// Takes the next code off the bytes, and says how long it was. `usual` is the length of codes
    /// where the map says nothing.
    pub(super) fn code(&self, bytes: &[u8], usual: usize) -> (u32, usize) {
        let fits = |&(length, first, last): &(usize, u32, u32)| {
            let code = number(bytes.get(..length)?);
            (first..=last).contains(&code).then_some((code, length))
        };
        self.spaces.iter().find_map(fits).unwrap_or_else(|| {
            let usual = self.spaces.first().map_or(usual, |space| space.0);
            let code = bytes.get(..usual).unwrap_or(bytes);
            (number(code), code.len().max(1))
        })
    }

    fn take(&mut self, section: Section, operands: &mut Vec<Object>) {
        match (section, operands.as_slice()) {
            (Section::Characters, [Object::Text(code), to]) => {
                self.add(number(code), number(code), to)
            }
            (Section::Ranges, [Object::Text(first), Object::Text(last), to]) => {
                let (first, last) = (number(first), number(last));
                match to {
                    Object::List(list) => {
                        for (code, to) in (first..=last).zip(list) {
                            self.add(code, code, to);
                        }
                    }
                    to => self.add(first, last, to),
                }
            }
            (Section::Spaces, [Object::Text(first), Object::Text(last)]) => {
                let is_usual = (1..=4).contains(&first.len()) && self.spaces.len() < MOST_SPACES;
                if is_usual {
                    self.spaces.push((first.len(), number(first), number(last)));
                    self.spaces.sort_unstable();
                }
            }
            (Section::Ranges, [_, _]) | (_, [] | [_]) => return,
            _ => {}
        }
        operands.clear();
    }

    fn add(&mut self, first: u32, last: u32, to: &Object) {
        let Object::Text(to) = to else { return };
        let units = to.chunks(2).map(|unit| match unit {
            [high, low] => u16::from_be_bytes([*high, *low]),
            rest => rest.iter().copied().map(u16::from).sum(),
        });
        let text: String = char::decode_utf16(units.take(LONGEST)).filter_map(Result::ok).collect();
        if !text.is_empty() && last >= first {
            self.ranges.push(Range { first, last, text });
        }
    }
}

/// A code of at most four bytes.
fn number(code: &[u8]) -> u32 {
    code.iter().take(4).fold(0, |code, byte| code << 8 | u32::from(*byte))
}

const MOST_RANGES: usize = 70_000;
const MOST_SPACES: usize = 100;
/// Ligatures are a few characters.
const LONGEST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    fn map(text: &str) -> CMap {
        CMap::read(text.as_bytes(), &mut Harvest::new(&Limits::default()))
    }

    #[test]
    fn codes_are_what_the_map_says() {
        let map = map(
            "1 begincodespacerange <0000> <FFFF> endcodespacerange 2 beginbfchar <0003> <AC00>\
            <0005> <00660069> endbfchar 2 beginbfrange <0010> <0020> <0041> <0030> <0032> [<0058> <0059>]\
            endbfrange",
        );
        let text = |code| map.text(code);
        assert_eq!(text(3).as_deref(), Some("가"));
        assert_eq!(text(5).as_deref(), Some("fi"));
        assert_eq!(text(0x12).as_deref(), Some("C"));
        assert_eq!(text(0x31).as_deref(), Some("Y"));
        assert_eq!([text(4), text(0x21), text(0x32)], [None, None, None]);
        assert_eq!(map.code(b"\0\x03\0\x05", 1), (3, 2));
    }

    #[test]
    fn codes_of_two_lengths_are_told_apart() {
        let map = map("begincodespacerange <00> <80> <8140> <FEFE> endcodespacerange");
        assert_eq!(map.code(b"Ab", 2), (0x41, 1));
        assert_eq!(map.code(b"\x81\x41", 2), (0x8141, 2));
        assert_eq!(map.code(b"\xff", 2), (0xff, 1));
    }

    #[test]
    fn lying_ranges_cost_nothing() {
        let map =
            map("beginbfrange <00000000> <FFFFFFFF> <D7FF> <00> <FFFFFFFF> [] <05> <01> <41> <1>");
        assert_eq!(map.ranges.len(), 1);
        assert_eq!(map.text(1), None);
        assert_eq!(map.text(u32::MAX), None);
    }
}
