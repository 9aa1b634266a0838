//! What the MIME fields of a header say of a part, in every reading.

use std::collections::BTreeSet;

use super::super::charset::Charset;
use super::super::headers::{HeaderDecoder, Param, Parsed, parse};
use super::super::visible::visible_within;
use super::entity::LONGEST_BOUNDARY;
use super::leaf::Encoding;
use super::{Ambiguity, Part, PartId};

/// All that is said of a part.
#[derive(Debug)]
pub(super) struct Description {
    /// The different Content-Types, the first of the header first; at least one.
    pub(super) types: Vec<ContentType>,
    /// The different encodings; at least one.
    pub(super) encodings: Vec<Encoding>,
    /// What is doubtful about it.
    pub(super) doubts: BTreeSet<Ambiguity>,
    disposition: Option<String>,
    names: Vec<String>,
}

/// One Content-Type with what it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ContentType {
    pub(super) name: String,
    pub(super) boundaries: Vec<Vec<u8>>,
    charset: Option<Charset>,
    is_flowed: bool,
    deletes_space: bool,
}

impl ContentType {
    pub(super) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub(super) fn is_multipart(&self) -> bool {
        self.name.starts_with("multipart/")
    }

    /// A mail inside the mail: its body begins with a header.
    pub(super) fn is_message(&self) -> bool {
        matches!(
            self.name.as_str(),
            "message/rfc822"
                | "message/global"
                | "message/news"
                | "message/partial"
                | "message/external-body"
        )
    }
}

impl Description {
    /// Reads the fields. `default` is the type of a part without one.
    pub(super) fn new(fields: &[Vec<u8>], default: &str, decoder: &HeaderDecoder) -> Self {
        let mut description = Self {
            types: Vec::new(),
            encodings: Vec::new(),
            doubts: BTreeSet::new(),
            disposition: None,
            names: Vec::new(),
        };
        let mut name_params = Vec::new();
        for field in fields {
            let Some(colon) = memchr::memchr(b':', field) else { continue };
            let (name, value) = (field.get(..colon), field.get(colon + 1..));
            let (Some(name), Some(value)) = (name, value) else { continue };
            match name.trim_ascii().to_ascii_lowercase().as_slice() {
                b"content-type" => description.add_types(value, &mut name_params),
                b"content-transfer-encoding" => description.add_encoding(value),
                b"content-disposition" => description.add_disposition(value, &mut name_params),
                _ => {}
            }
        }
        if description.types.is_empty() {
            description.types.push(ContentType::named(default));
        }
        if description.encodings.is_empty() {
            description.encodings.push(Encoding::Identity);
        }
        description.add_names(&name_params, decoder);
        description.doubt();
        description
    }

    /// One reading of the part.
    pub(super) fn part(&self, content_type: &ContentType, depth: usize) -> Part {
        Part {
            id: PartId(0),
            depth,
            is_container: false,
            content_type: content_type.name.clone(),
            charset: content_type.charset,
            is_flowed: content_type.is_flowed,
            deletes_space: content_type.deletes_space,
            disposition: self.disposition.clone(),
            names: self.names.clone(),
        }
    }

    /// Whether the bytes have to be decoded in any reading.
    pub(super) fn is_encoded(&self) -> bool {
        self.encodings.iter().any(|encoding| encoding.is_encoded())
    }

    /// The boundaries of all types.
    pub(super) fn boundaries(&self) -> Vec<Vec<u8>> {
        let mut boundaries = Vec::new();
        for boundary in self.types.iter().flat_map(|kind| &kind.boundaries) {
            add(&mut boundaries, boundary.clone());
        }
        boundaries
    }

    fn add_types(&mut self, value: &[u8], name_params: &mut Vec<Param>) {
        let parsed = self.parsed(value);
        let name = type_name(&parsed.main);
        let mut kind = ContentType::named(&name);
        let mut charsets = Vec::new();
        for param in parsed.params {
            let values = param.all_extended().into_iter().map(|(_, bytes)| bytes);
            let mut values = values.chain(param.plain.iter().cloned());
            match param.name.as_str() {
                "charset" => charsets.extend(values.filter_map(|label| Charset::for_label(&label))),
                "boundary" => values.for_each(|value| kind.add_boundary(&value)),
                "format" => kind.is_flowed = values.any(|value| is_word(&value, b"flowed")),
                "delsp" => kind.deletes_space = values.any(|value| is_word(&value, b"yes")),
                "name" => name_params.push(param),
                _ => {}
            }
        }
        if kind.is_multipart() {
            boundaries_anywhere(value, &mut kind);
        }
        kind.charset = charsets.first().copied();
        add(&mut self.types, kind.clone());
        for charset in charsets {
            add(&mut self.types, ContentType { charset: Some(charset), ..kind.clone() });
        }
    }

    fn add_encoding(&mut self, value: &[u8]) {
        match Encoding::named(&parse(value).main) {
            Some(encoding) => add(&mut self.encodings, encoding),
            None => {
                self.doubts.insert(Ambiguity::UnknownEncoding);
                add(&mut self.encodings, Encoding::Identity);
            }
        }
    }

    fn add_disposition(&mut self, value: &[u8], name_params: &mut Vec<Param>) {
        let parsed = self.parsed(value);
        let main = String::from_utf8_lossy(&parsed.main).to_ascii_lowercase();
        self.disposition.get_or_insert(visible_within(&main, LONGEST_NAME).into_owned());
        let is_name = |param: &Param| matches!(param.name.as_str(), "filename" | "name");
        name_params.extend(parsed.params.into_iter().filter(is_name));
    }

    /// A value with its parameters. That there was too much of it is told.
    fn parsed(&mut self, value: &[u8]) -> Parsed {
        let parsed = parse(value);
        if parsed.is_cut {
            self.doubts.insert(Ambiguity::TooManyReadings);
        }
        parsed
    }

    /// Names from Content-Disposition and Content-Type alike: programs differ in which they prefer.
    fn add_names(&mut self, params: &[Param], decoder: &HeaderDecoder) {
        let declared = self.types.first().and_then(|kind| kind.charset);
        let decoder = decoder.clone().with_declared(declared);
        // Of each parameter the first reading, then of each the second: no name has so many readings
        // that another has none.
        let texts: Vec<Vec<String>> = params.iter().map(|param| param.texts(&decoder)).collect();
        let most = texts.iter().map(Vec::len).max().unwrap_or(0);
        for text in (0..most).flat_map(|turn| texts.iter().filter_map(move |texts| texts.get(turn)))
        {
            // NUL ends a name for some programs.
            let until_nul = text.split('\0').next().unwrap_or_default();
            for name in [text.as_str(), until_nul] {
                let name = visible_within(name, LONGEST_NAME).into_owned();
                // Windows drops dots and blanks at the end of a name.
                let trimmed = name.trim_end_matches(['.', ' ']).to_owned();
                for name in [name, trimmed] {
                    if !add_name(&mut self.names, name) {
                        self.doubts.insert(Ambiguity::TooManyReadings);
                        return;
                    }
                }
            }
        }
    }

    fn doubt(&mut self) {
        if self.boundaries().len() > 1 {
            self.doubts.insert(Ambiguity::Boundaries);
        }
        if self.types.len() > 1 {
            self.doubts.insert(Ambiguity::ContentTypes);
        }
        if self.encodings.len() > 1 {
            self.doubts.insert(Ambiguity::Encodings);
        }
    }
}

impl ContentType {
    fn add_boundary(&mut self, boundary: &[u8]) {
        let boundary = boundary.trim_ascii_end();
        let boundary = boundary.get(..LONGEST_BOUNDARY).unwrap_or(boundary);
        if !boundary.is_empty() {
            add(&mut self.boundaries, boundary.to_vec());
        }
    }
}

/// `type/subtype`, in lower case and without blanks, quotes, and what stands behind. What is no type
/// is text.
fn type_name(main: &[u8]) -> String {
    let mut halves = main.splitn(2, |&byte| byte == b'/');
    let (major, minor) = (word(halves.next()), word(halves.next()));
    if major.is_empty() || minor.is_empty() {
        return "text/plain".to_owned();
    }
    let name = [&major[..], b"/", &minor[..]].concat();
    String::from_utf8_lossy(name.get(..LONGEST_TYPE).unwrap_or(&name)).to_ascii_lowercase()
}

/// The first word of one half of a type.
fn word(half: Option<&[u8]>) -> Vec<u8> {
    let is_part = |byte: &u8| byte.is_ascii_graphic() && *byte != b'"';
    let half = half.unwrap_or_default();
    let start = half.iter().position(is_part).unwrap_or(half.len());
    let word = half.get(start..).unwrap_or_default();
    let end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b';');
    let word = word.split(end).next().unwrap_or_default();
    word.iter().copied().filter(is_part).collect()
}

/// Some programs look for the word wherever it is, in comments and quoted strings too.
fn boundaries_anywhere(value: &[u8], kind: &mut ContentType) {
    let lower = value.to_ascii_lowercase();
    for at in memchr::memmem::find_iter(&lower, b"boundary").take(MOST_READINGS) {
        let rest = value.get(at + "boundary".len()..).unwrap_or_default().trim_ascii_start();
        let Some(rest) = rest.strip_prefix(b"=").map(<[u8]>::trim_ascii_start) else { continue };
        let rest = rest.get(..LONGEST_BOUNDARY).unwrap_or(rest);
        let found = match rest.strip_prefix(b"\"") {
            Some(quoted) => quoted.split(|&byte| byte == b'"').next(),
            None => rest.split(|&byte| byte == b';' || byte.is_ascii_whitespace()).next(),
        };
        let found = found.unwrap_or_default();
        kind.add_boundary(found);
        kind.add_boundary(found.split(|&byte| byte == b')').next().unwrap_or_default());
    }
}

fn is_word(value: &[u8], word: &[u8]) -> bool {
    value.trim_ascii().eq_ignore_ascii_case(word)
}

fn add<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if list.len() < MOST_READINGS && !list.contains(&item) {
        list.push(item);
    }
}

/// False if there is no room for it.
fn add_name(names: &mut Vec<String>, name: String) -> bool {
    if name.is_empty() || names.contains(&name) {
        return true;
    }
    let has_room = names.len() < MOST_NAMES;
    if has_room {
        names.push(name);
    }
    has_room
}

/// Of types, boundaries and encodings each.
const MOST_READINGS: usize = 8;
const MOST_NAMES: usize = 64;
/// Bytes of UTF-8; file systems take 255.
const LONGEST_NAME: usize = 1024;
const LONGEST_TYPE: usize = 255;
