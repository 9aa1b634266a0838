//! What a file is, and which reader has its text.

use std::borrow::Cow;

use mailweir_content::attachment::{Budget, Finding, Inspector, Kind, Limits as InspectorLimits};
use mailweir_content::decode::{charset::Charset, text::TextReader};

use crate::harvest::Harvest;
use crate::mail::{self, fallbacks, mark_text, text_limits};
use crate::unpack::{Form, inflate};
use crate::{File, Origin, Reason, office, ole, pdf, rtf, zip};

/// The bytes of a file, and what is known of them.
pub(crate) struct Blob<'b> {
    pub(crate) bytes: &'b [u8],
    /// What its part says of the charset.
    pub(crate) charset: Option<Charset>,
    /// There was more of it.
    pub(crate) is_cut: bool,
}

impl<'b> Blob<'b> {
    /// A file of which nothing but its bytes is known.
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, charset: None, is_cut: false }
    }
}

/// Names a file, and reads the text in it.
pub(crate) fn read(file: File, blob: &Blob<'_>, harvest: &mut Harvest<'_>) {
    if !harvest.work(blob.bytes.len()) {
        return;
    }
    let seen = Seen::of(blob.bytes);
    let kind = seen.main.map_or("", Kind::short_name).to_owned();
    let (name, media_type) = (file.name.clone(), file.media_type.clone());
    if !harvest.file(File { kind, ..file }) {
        return;
    }
    let reader = Reader::of(&seen, &name, &media_type, blob.bytes);
    if reader == Reader::None && !seen.is_encrypted && !blob.is_cut {
        return;
    }
    harvest.inside(&name, |harvest| {
        if blob.is_cut {
            harvest.mark(Reason::TooLarge);
        }
        if seen.is_encrypted {
            harvest.mark(Reason::Encrypted);
        }
        reader.read(&name, blob, harvest);
    });
}

/// What the bytes of a file show.
struct Seen {
    /// The type that says most.
    main: Option<Kind>,
    is_encrypted: bool,
    /// There is a zip archive in it, perhaps behind something else.
    has_zip: bool,
}

impl Seen {
    /// Looks at the bytes without unpacking any.
    fn of(bytes: &[u8]) -> Self {
        let limits = InspectorLimits { max_depth: 0, ..InspectorLimits::default() };
        let mut budget = Budget::new(limits, fallbacks());
        let mut seen = Self { main: None, is_encrypted: false, has_zip: false };
        let mut note = |finding: Finding<'_>| {
            let Finding::Type { kind, path: [] } = finding else { return };
            seen.has_zip |= ZIPS.contains(&kind);
            match kind {
                Kind::ENCRYPTED => seen.is_encrypted = true,
                // What stands in front of an archive says more.
                Kind::AMBIGUOUS | Kind::ZIP if seen.main.is_some() => {}
                _ => {
                    seen.main.get_or_insert(kind);
                }
            }
        };
        let mut inspector = Inspector::default();
        inspector.feed(bytes, &mut budget, &mut note);
        inspector.finish(&mut budget, &mut note);
        seen
    }
}

/// Who reads a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Zip,
    Gzip,
    Pdf,
    Rtf,
    /// Compound files.
    Ole,
    Mail,
    Html,
    Text,
    /// There is text in it, but nobody here reads it.
    Missing,
    /// There is no text in it.
    None,
}

impl Reader {
    fn of(seen: &Seen, name: &str, media_type: &str, bytes: &[u8]) -> Self {
        let ends = |ends: &[&str]| {
            let name = name.to_ascii_lowercase();
            ends.iter().any(|end| name.ends_with(end))
        };
        let Some(kind) = seen.main else { return Self::None };
        let mime = kind.mime_type();
        let is_text = mime.starts_with("text/") || TEXTS.contains(&kind);
        match kind {
            Kind::PDF => Self::Pdf,
            Kind::RTF => Self::Rtf,
            Kind::GZIP => Self::Gzip,
            Kind::MAIL => Self::Mail,
            Kind::HTML | Kind::HTA => Self::Html,
            _ if bytes.starts_with(OLE) && !seen.is_encrypted => Self::Ole,
            _ if bytes.starts_with(b"PK\x03\x04") || (seen.has_zip && !is_text) => Self::Zip,
            _ if seen.is_encrypted => Self::None,
            _ if is_text
                && (media_type == "message/rfc822" || ends(&[".eml", ".mht", ".mhtml"])) =>
            {
                Self::Mail
            }
            _ if is_text && (media_type == "text/html" || ends(&[".htm", ".html", ".xhtml"])) => {
                Self::Html
            }
            _ if is_text => Self::Text,
            _ if MISSING.contains(&kind) => Self::Missing,
            // UTF-16 without its mark, or text with a stray control character.
            Kind::BINARY if media_type.starts_with("text/") || ends(&[".txt", ".csv"]) => {
                Self::Text
            }
            _ => Self::None,
        }
    }

    fn read(self, name: &str, blob: &Blob<'_>, harvest: &mut Harvest<'_>) {
        match self {
            Self::Zip => read_zip(blob.bytes, harvest),
            Self::Gzip => gunzip(name, blob.bytes, harvest),
            Self::Pdf => pdf::read(blob.bytes, harvest),
            Self::Rtf => rtf::read(blob.bytes, harvest),
            Self::Ole => ole::read(blob.bytes, harvest),
            Self::Mail => mail::read_inner(blob.bytes, harvest),
            Self::Html => text(true, blob, harvest),
            Self::Text => text(false, blob, harvest),
            Self::Missing => harvest.mark(Reason::Unsupported),
            Self::None => {}
        }
    }
}

/// Reads a document of an office program, or what an archive holds.
fn read_zip(bytes: &[u8], harvest: &mut Harvest<'_>) {
    let archive = zip::Archive::open(bytes, harvest);
    match office::Format::of(&archive) {
        Some(format) => format.read(&archive, harvest),
        None => archive.read_all(harvest),
    }
}

/// What a gzip file unpacks to, under its own name without the ending.
fn gunzip(name: &str, bytes: &[u8], harvest: &mut Harvest<'_>) {
    let unpacked = inflate(bytes, Form::Gzip, harvest);
    let stem = [".gz", ".GZ", ".gzip"].iter().find_map(|end| name.strip_suffix(end));
    let size = u64::try_from(unpacked.len()).unwrap_or(u64::MAX);
    let file = File { name: stem.unwrap_or_default().to_owned(), size, ..File::default() };
    read(file, &Blob::new(&unpacked), harvest);
}

/// Reads a file that is text.
pub(crate) fn text(is_html: bool, blob: &Blob<'_>, harvest: &mut Harvest<'_>) {
    let charset = marked(blob.bytes).or(blob.charset);
    if !harvest.work(blob.bytes.len()) {
        return;
    }
    harvest.set_origin(Origin::Attachment);
    let mut reader = TextReader::of_file(is_html, charset, text_limits(harvest), fallbacks());
    reader.feed(blob.bytes, &mut |line: &str| harvest.push_line(line));
    let is_cut = reader.finish(&mut |line: &str| harvest.push_line(line));
    mark_text(blob.bytes, charset, is_cut, harvest);
}

/// The charset that a byte order mark tells.
pub(crate) fn marked(bytes: &[u8]) -> Option<Charset> {
    let label: &[u8] = match bytes {
        [0xef, 0xbb, 0xbf, ..] => b"utf-8",
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => b"utf-16",
        _ => return None,
    };
    Charset::for_label(label)
}

/// Markup as UTF-8, which it is unless it says something else in its first bytes.
pub(crate) fn markup(bytes: &[u8]) -> Cow<'_, [u8]> {
    let charset = marked(bytes).or_else(|| {
        let head = bytes.get(..200).unwrap_or(bytes);
        let at = memchr::memmem::find(head, b"encoding=")? + b"encoding=".len();
        let rest = head.get(at + 1..)?;
        let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\''))?;
        Charset::for_label(rest.get(..end)?)
    });
    match charset.filter(|&charset| charset != Charset::UTF_8) {
        Some(charset) => Cow::Owned(charset.decode(bytes).into_bytes()),
        None => Cow::Borrowed(bytes),
    }
}

/// What is text though its type does not begin with `text/`.
const TEXTS: [Kind; 5] = [Kind::PEM, Kind::URL, Kind::SYLK, Kind::SVG, Kind::POSTSCRIPT];

/// What is a zip archive whatever stands in front of it.
const ZIPS: [Kind; 12] = [
    Kind::ZIP,
    Kind::DOCX,
    Kind::DOCM,
    Kind::XLSX,
    Kind::XLSM,
    Kind::XLSB,
    Kind::PPTX,
    Kind::PPTM,
    Kind::ODF,
    Kind::EPUB,
    Kind::JAR,
    Kind::AMBIGUOUS,
];

/// What compound files begin with.
const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// What has text that nobody here reads.
const MISSING: [Kind; 10] = [
    Kind::ONENOTE,
    Kind::ACCESS,
    Kind::TNEF,
    Kind::CHM,
    Kind::RAR,
    Kind::SEVEN_ZIP,
    Kind::TAR,
    Kind::XZ,
    Kind::BZIP2,
    Kind::ZSTD,
];
