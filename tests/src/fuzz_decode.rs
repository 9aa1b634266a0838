//! Body of the fuzz target `decode`: whatever a mail is made of, its parts, headers and lines are
//! the same however it comes in pieces, each part ends, and nothing grows beyond its bound.

use mailweir_content::decode::{
    charset::Fallbacks,
    headers::HeaderDecoder,
    parts::{Event, PartLimits, PartReader},
    text::{TextLimits, Texts},
};

/// Reads `data` as a mail; the first byte says how large the pieces are.
///
/// # Panics
/// If pieces change what is read, a part does not end, or more is said than the bounds allow.
pub fn decode(data: &[u8]) {
    let Some((&size, mail)) = data.split_first() else { return };
    let whole = read(mail, mail.len().max(1));
    assert!(whole == read(mail, usize::from(size).max(1)), "pieces change what is read");
    assert!(whole.data <= mail.len() * MOST_COPIES + 1024, "{} bytes of parts", whole.data);
    let decoder = HeaderDecoder::default();
    for reading in decoder.field(mail) {
        assert!(!reading.contains(char::is_control), "{reading:?}");
    }
}

#[derive(PartialEq)]
struct Read {
    headers: Vec<Vec<u8>>,
    lines: Vec<String>,
    data: usize,
}

fn read(mail: &[u8], size: usize) -> Read {
    let mut read = Read { headers: Vec::new(), lines: Vec::new(), data: 0 };
    let mut open = 0_usize;
    let mut texts = Texts::new(TextLimits::default(), Fallbacks::default());
    let mut reader = PartReader::new(PartLimits::default(), HeaderDecoder::default());
    let mut take = |event: Event<'_>| {
        texts.event(&event, &mut |line: &str| read.lines.push(line.to_owned()));
        match event {
            Event::Header { text, .. } => read.headers.push(text.to_vec()),
            Event::Start(_) => open += 1,
            Event::Data { bytes, .. } => read.data += bytes.len(),
            Event::End(_) => open -= 1,
            Event::Ambiguous(_) => {}
        }
    };
    mail.chunks(size).for_each(|piece| reader.feed(piece, &mut take));
    reader.finish(&mut take);
    assert_eq!(open, 0, "a part does not end");
    read
}

/// Readings side by side, in encoded mails inside of each other, with uuencoded files in the text.
const MOST_COPIES: usize = 40;
