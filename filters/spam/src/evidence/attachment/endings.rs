//! What the end of a file's name says that it is.

use mailweir_content::attachment::Kind;

/// What a name claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// `.pdf`
    Pdf,
    /// `.jpg` and other pictures.
    Picture,
    /// `.docx` and its kin of Office since 2007.
    Office,
    /// `.doc` and its kin of Office before 2007, under which all sorts of programs write all sorts of texts.
    OldOffice,
    /// `.zip`
    Zip,
    /// `.html`
    Page,
    /// `.txt`, `.csv` and other plain text.
    Text,
    /// Sound and film.
    Media,
}

impl Claim {
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Some(match ending(name)?.as_str() {
            "pdf" => Self::Pdf,
            "jpg" | "jpeg" | "png" | "gif" | "bmp" | "tif" | "tiff" | "webp" => Self::Picture,
            "docx" | "xlsx" | "pptx" => Self::Office,
            "doc" | "xls" | "ppt" => Self::OldOffice,
            "zip" => Self::Zip,
            "htm" | "html" | "xhtml" | "shtml" => Self::Page,
            "txt" | "csv" | "log" => Self::Text,
            "mp3" | "mp4" | "avi" | "mpg" | "mpeg" | "wav" | "mov" => Self::Media,
            _ => return None,
        })
    }

    /// Whether a file of this type may have such a name. What no table of magic bytes knows may be anything, and so
    /// may text where the kinds of text are told apart by guesses.
    pub(super) fn admits(self, kind: Kind) -> bool {
        let is_one_of = |kinds: &[Kind]| kinds.contains(&kind);
        let mime = kind.mime_type();
        if is_one_of(&[Kind::BINARY, Kind::ENCRYPTED, Kind::PEM])
            || mime.starts_with("application/x-pdf-")
        {
            return true;
        }
        let is_text = || mime.starts_with("text/") && !is_one_of(&[Kind::BATCH, Kind::REG]);
        match self {
            Self::Pdf => kind == Kind::PDF,
            Self::Picture => mime.starts_with("image/") && kind != Kind::SVG,
            Self::Office => {
                mime.contains("officedocument")
                    || is_one_of(&[
                        Kind::ZIP,
                        Kind::OLE,
                        Kind::ODF,
                        Kind::DOCM,
                        Kind::XLSM,
                        Kind::PPTM,
                        Kind::VBA,
                    ])
            }
            Self::OldOffice => {
                let is_office =
                    mime.contains("officedocument") || mime.starts_with("application/vnd.ms-");
                is_office
                    || is_text()
                    || is_one_of(&[
                        Kind::OLE,
                        Kind::DOC,
                        Kind::XLS,
                        Kind::PPT,
                        Kind::RTF,
                        Kind::MAIL,
                        Kind::ZIP,
                        Kind::VBA,
                    ])
            }
            Self::Zip => {
                let is_made_of_zip =
                    ["officedocument", "opendocument", "epub", "java-archive", "macroEnabled"];
                is_one_of(&[Kind::ZIP, Kind::AMBIGUOUS])
                    || is_made_of_zip.iter().any(|part| mime.contains(part))
            }
            Self::Page => is_text() || is_one_of(&[Kind::MAIL, Kind::SVG]),
            Self::Text => is_text() || is_one_of(&[Kind::MAIL, Kind::RTF, Kind::POSTSCRIPT]),
            Self::Media => {
                mime.starts_with("audio/")
                    || mime.starts_with("video/")
                    || mime == "application/ogg"
            }
        }
    }
}

/// Whether a double click runs it. Names of sites end in `.com` too.
pub(super) fn is_program(name: &str) -> bool {
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_site = base.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("www."));
    ending(name)
        .is_some_and(|ending| PROGRAMS.contains(&ending.as_str()) && !(is_site && ending == "com"))
}

/// Whether it is a program that people also send each other among the files of a project.
pub(super) fn is_source(name: &str) -> bool {
    ending(name).is_some_and(|ending| SOURCES.contains(&ending.as_str()))
}

/// Whether the name, or what is left of it, ends like that of a document.
pub(super) fn is_document(name: &str) -> bool {
    Claim::of_name(name).is_some()
        || ending(name).is_some_and(|ending| DOCUMENTS.contains(&ending.as_str()))
}

/// What stands behind the last dot of a name, in lower case, as Windows keeps it: without dots and blanks at its end.
fn ending(name: &str) -> Option<String> {
    let name =
        name.trim_end_matches(|character: char| character == '.' || character.is_whitespace());
    let (_, ending) = name.rsplit_once('.')?;
    (ending.len() <= LONGEST && !ending.contains(['/', '\\'])).then(|| ending.to_ascii_lowercase())
}

/// What Windows runs on a double click, or what runs there with what most people have.
const PROGRAMS: [&str; 35] = [
    "exe",
    "scr",
    "pif",
    "com",
    "bat",
    "cmd",
    "cpl",
    "msi",
    "msp",
    "mst",
    "vbs",
    "vbe",
    "js",
    "jse",
    "ws",
    "wsf",
    "wsh",
    "wsc",
    "hta",
    "lnk",
    "ps1",
    "psm1",
    "psd1",
    "reg",
    "chm",
    "hlp",
    "jar",
    "gadget",
    "inf",
    "application",
    "appref-ms",
    "scf",
    "xll",
    "iqy",
    "apk",
];
/// Of those what projects of programmers are full of.
const SOURCES: [&str; 10] = ["js", "bat", "cmd", "ps1", "psm1", "psd1", "reg", "inf", "jar", "com"];
/// What people take for a document, besides what has a claim.
const DOCUMENTS: [&str; 8] = ["rtf", "odt", "ods", "hwp", "hwpx", "xps", "eml", "ics"];
/// Bytes of an ending: longer ones are none that is known.
const LONGEST: usize = 16;
