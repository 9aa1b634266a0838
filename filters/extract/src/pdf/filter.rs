//! How the data of a stream is packed (ISO 32000-1, 7.4).

use super::object::{Dict, Object, hex};
use crate::Reason;
use crate::harvest::Harvest;
use crate::unpack::{Form, inflate};

/// Unpacks the data of a stream. `None` for pictures and for what nobody knows. Filters that are
/// references have been resolved.
pub(super) fn decode(dict: &Dict, data: &[u8], harvest: &mut Harvest<'_>) -> Option<Vec<u8>> {
    let field = |long: &[u8], short: &[u8]| dict.get(long).or_else(|| dict.get(short)).cloned();
    let filters = field(b"Filter", b"F").unwrap_or(Object::Null).into_list();
    let params = field(b"DecodeParms", b"DP").unwrap_or(Object::Null).into_list();
    if filters.len() > MOST_FILTERS {
        harvest.mark(Reason::Damaged);
        return None;
    }
    let mut decoded: Option<Vec<u8>> = None;
    for (at, filter) in filters.iter().enumerate() {
        let input = decoded.as_deref().unwrap_or(data);
        if !harvest.work(input.len()) {
            return None;
        }
        let output = match filter.name()? {
            b"FlateDecode" | b"Fl" => inflate(input, Form::Zlib, harvest),
            b"LZWDecode" | b"LZW" => bounded(harvest, |most| lzw(input, most)),
            b"ASCII85Decode" | b"A85" => bounded(harvest, |most| ascii85(input, most)),
            b"ASCIIHexDecode" | b"AHx" => bounded(harvest, |most| ascii_hex(input, most)),
            b"RunLengthDecode" | b"RL" => bounded(harvest, |most| run_length(input, most)),
            _ => return None,
        };
        decoded = Some(match params.get(at) {
            Some(Object::Dict(params)) => without_predictor(output, params),
            _ => output,
        });
    }
    Some(match decoded {
        Some(decoded) => decoded,
        None => {
            let most = harvest.unpack_room();
            harvest.unpacked(data.len().min(most));
            data.get(..most).unwrap_or(data).to_vec()
        }
    })
}

/// Runs a filter within what may be unpacked, and counts it.
fn bounded(harvest: &mut Harvest<'_>, filter: impl FnOnce(usize) -> Vec<u8>) -> Vec<u8> {
    let most = harvest.unpack_room();
    let output = filter(most);
    if output.len() >= most {
        harvest.mark(Reason::TooLarge);
    }
    harvest.unpacked(output.len());
    harvest.work(output.len());
    output
}

fn ascii_hex(input: &[u8], most: usize) -> Vec<u8> {
    let digits = input.iter().take_while(|byte| **byte != b'>').filter_map(|&byte| hex(byte));
    let digits: Vec<u8> = digits.take(most.saturating_mul(2)).collect();
    let pair = |pair: &[u8]| pair.first().map_or(0, |high| high << 4) | pair.get(1).unwrap_or(&0);
    digits.chunks(2).map(pair).collect()
}

fn ascii85(input: &[u8], most: usize) -> Vec<u8> {
    let mut output = Vec::new();
    let mut group = Vec::with_capacity(5);
    for &byte in input {
        if output.len() >= most {
            return output;
        }
        match byte {
            b'~' => break,
            b'z' if group.is_empty() => output.extend([0; 4]),
            b'!'..=b'u' => group.push(byte - b'!'),
            _ => {}
        }
        if group.len() == 5 {
            output.extend(word85(&group));
            group.clear();
        }
    }
    if group.len() > 1 {
        let bytes = group.len() - 1;
        group.resize(5, 84);
        output.extend(word85(&group).iter().take(bytes));
    }
    output
}

fn word85(group: &[u8]) -> [u8; 4] {
    let add = |word: u32, digit: &u8| word.wrapping_mul(85).wrapping_add(u32::from(*digit));
    group.iter().fold(0, add).to_be_bytes()
}

fn run_length(input: &[u8], most: usize) -> Vec<u8> {
    let mut output = Vec::new();
    let mut rest = input;
    while let Some((&length, behind)) = rest.split_first() {
        if output.len() >= most || length == 128 {
            break;
        }
        let count = usize::from(length);
        if length < 128 {
            let run = behind.get(..=count).unwrap_or(behind);
            output.extend_from_slice(run);
            rest = behind.get(run.len()..).unwrap_or_default();
        } else if let Some((&byte, behind)) = behind.split_first() {
            output.extend(std::iter::repeat_n(byte, 257 - count));
            rest = behind;
        } else {
            break;
        }
    }
    output
}

/// LZW as TIFF has it, with the codes one bit longer early (7.4.4).
fn lzw(input: &[u8], most: usize) -> Vec<u8> {
    let mut output: Vec<u8> = Vec::new();
    // Where in the output each code from 258 on stands, and how long it is.
    let mut table: Vec<(usize, usize)> = Vec::new();
    let mut last: Option<(usize, usize)> = None;
    let (mut bits, mut count, mut width) = (0_u32, 0_u32, 9_u32);
    for &byte in input {
        bits = bits << 8 | u32::from(byte);
        count += 8;
        if count < width {
            continue;
        }
        count -= width;
        let code = bits >> count & ((1 << width) - 1);
        bits &= (1 << count) - 1;
        let code = usize::try_from(code).unwrap_or(0);
        let from = output.len();
        match (code, last) {
            (256, _) => {
                table.clear();
                (last, width) = (None, 9);
                continue;
            }
            (257, _) => return output,
            (0..=255, _) => output.push(code.to_le_bytes()[0]),
            (_, Some((begin, length))) => {
                let (begin, length) = match table.get(code - 258) {
                    Some(known) => *known,
                    // The code that is made right now.
                    None if code - 258 == table.len() => (begin, length + 1),
                    None => return output,
                };
                // May reach into what it writes.
                for at in begin..begin + length {
                    let Some(&byte) = output.get(at) else { return output };
                    output.push(byte);
                }
            }
            (_, None) => return output,
        }
        if let Some((begin, length)) = last
            && table.len() < 4096 - 258
        {
            table.push((begin, length + 1));
        }
        last = Some((from, output.len() - from));
        width = match table.len() + 259 {
            0..512 => 9,
            512..1024 => 10,
            1024..2048 => 11,
            _ => 12,
        };
        if output.len() >= most {
            return output;
        }
    }
    output
}

/// Undoes the prediction of PNG, which tables of objects may have (7.4.4.4).
fn without_predictor(data: Vec<u8>, params: &Dict) -> Vec<u8> {
    let number = |name: &[u8], default| params.get(name).and_then(Object::count).unwrap_or(default);
    if number(b"Predictor", 1) < 10 {
        return data;
    }
    let bits = number(b"Colors", 1).saturating_mul(number(b"BitsPerComponent", 8));
    let pixel = bits.div_ceil(8).clamp(1, 64);
    let row = bits.saturating_mul(number(b"Columns", 1)).div_ceil(8).clamp(1, MOST_COLUMNS);
    let mut output: Vec<u8> = Vec::with_capacity(data.len());
    let mut above = vec![0; row];
    for line in data.chunks(row + 1) {
        let Some((&kind, line)) = line.split_first() else { break };
        let mut current = vec![0; row];
        for (at, &byte) in line.iter().enumerate() {
            let before = |row: &[u8]| at.checked_sub(pixel).and_then(|at| row.get(at)).copied();
            let left = before(&current).unwrap_or(0);
            let up = above.get(at).copied().unwrap_or(0);
            let predicted = match kind {
                1 => left,
                2 => up,
                3 => left.midpoint(up),
                4 => paeth(left, up, before(&above).unwrap_or(0)),
                _ => 0,
            };
            if let Some(place) = current.get_mut(at) {
                *place = byte.wrapping_add(predicted);
            }
        }
        output.extend(current.iter().take(line.len()));
        above = current;
    }
    output
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let estimate = i16::from(left) + i16::from(up) - i16::from(corner);
    let distance = |value: u8| (estimate - i16::from(value)).abs();
    match (distance(left), distance(up), distance(corner)) {
        (left_by, up_by, corner_by) if left_by <= up_by && left_by <= corner_by => left,
        (_, up_by, corner_by) if up_by <= corner_by => up,
        _ => corner,
    }
}

const MOST_FILTERS: usize = 8;
const MOST_COLUMNS: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_filter_is_undone() {
        assert_eq!(ascii_hex(b"48 65\n6c6C 6f 2>zz", 99), b"Hello ");
        assert_eq!(ascii85(b"87cURD_*#4DfTZ)z~>", 99), b"Hello, World\0\0\0\0");
        assert_eq!(run_length(b"\x02abc\xfed\x80zz", 99), b"abcddd");
        // The example of ISO 32000-1, 7.4.4.2.
        let packed = [0x80, 0x0b, 0x60, 0x50, 0x22, 0x0c, 0x0c, 0x85, 0x01];
        assert_eq!(lzw(&packed, 99), [45, 45, 45, 45, 45, 65, 45, 45, 45, 66]);
    }

    #[test]
    fn nothing_grows_beyond_what_is_allowed() {
        assert!(run_length(&b"\x81x".repeat(1000), 500).len() < 700);
        assert!(ascii85(&b"z".repeat(1000), 500).len() <= 504);
        let long: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        assert!(lzw(&long, 5000).len() < 5000 + 4096);
    }

    #[test]
    fn predicted_rows_are_as_they_were() {
        let number = |number: f64| Object::Number(number);
        let params =
            Dict::from([(b"Predictor".to_vec(), number(12.0)), (b"Columns".to_vec(), number(3.0))]);
        let rows = [1, 1, 1, 1, 2, 1, 1, 1, 0, 7, 8, 9, 4, 1, 0, 0, 3, 2].to_vec();
        assert_eq!(without_predictor(rows, &params), [1, 2, 3, 2, 3, 4, 7, 8, 9, 8, 8, 9, 6]);
    }
}
