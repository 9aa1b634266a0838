//! Documents of office programs that are XML in a zip archive: which format it is, which of its
//! members have text, and how their XML is read.

mod prose;
mod sheet;

use std::collections::BTreeSet;
use std::ops::Bound;

use prose::Dialect;

use crate::file::markup;
use crate::harvest::Harvest;
use crate::zip::{Archive, Member};
use crate::{Origin, Reason};

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Word (ECMA-376).
    Docx,
    /// Excel.
    Xlsx,
    /// PowerPoint.
    Pptx,
    /// Text, tables and slides of OpenDocument (OASIS, ISO 26300).
    Odf,
    /// Hancom Office (KS X 6101).
    Hwpx,
}

impl Format {
    /// The format of a document, by the names of its members.
    pub(crate) fn of(archive: &Archive<'_>) -> Option<Self> {
        let names: BTreeSet<String> =
            archive.members().iter().map(|member| member.name.to_ascii_lowercase()).collect();
        let begins = |prefix: &str| {
            let from = (Bound::Included(prefix), Bound::Unbounded);
            let next = names.range::<str, _>(from).next();
            next.is_some_and(|name| name.starts_with(prefix))
        };
        if names.contains("[content_types].xml") {
            let formats = [("word/", Self::Docx), ("xl/", Self::Xlsx), ("ppt/", Self::Pptx)];
            return formats.iter().find(|(prefix, _)| begins(prefix)).map(|(_, format)| *format);
        }
        match () {
            () if begins("contents/section") => Some(Self::Hwpx),
            () if names.contains("content.xml") && names.contains("mimetype") => Some(Self::Odf),
            () => None,
        }
    }

    /// Writes the text of a document.
    pub(crate) fn read(self, archive: &Archive<'_>, harvest: &mut Harvest<'_>) {
        harvest.set_origin(Origin::Attachment);
        let mut members: Vec<(usize, u32, &Member, Source)> = Vec::new();
        for member in archive.members() {
            let name = member.name.to_ascii_lowercase();
            if let Some((rank, source)) = self.source(&name) {
                members.push((rank, number_in(&name), member, source));
            }
        }
        members.sort_by_key(|(rank, number, ..)| (*rank, *number));
        for (_, _, member, source) in members {
            if !harvest.has_room() {
                return;
            }
            match source {
                Source::File => archive.read(member, harvest),
                _ => read_member(archive, member, source, harvest),
            }
        }
    }

    /// What a member is to its format, and when its turn is.
    fn source(self, name: &str) -> Option<(usize, Source)> {
        let places = match self {
            Self::Docx => DOCX,
            Self::Xlsx => XLSX,
            Self::Pptx => PPTX,
            Self::Odf => ODF,
            Self::Hwpx => HWPX,
        };
        let fits = |(begin, end, _): &(&str, &str, Source)| {
            name.len() >= begin.len() + end.len() && name.starts_with(begin) && name.ends_with(end)
        };
        let rank = places.iter().position(fits)?;
        places.get(rank).map(|(_, _, source)| (rank, *source))
    }
}

/// How the text of a member is found.
#[derive(Clone, Copy, Debug)]
enum Source {
    Prose(&'static Dialect),
    /// The texts of a workbook, which its cells share.
    Strings,
    /// The cells of a table.
    Cells,
    /// The names of tables.
    Workbook,
    /// Which members take a password.
    Manifest,
    /// A file of its own.
    File,
}

fn read_member(archive: &Archive<'_>, member: &Member, source: Source, harvest: &mut Harvest<'_>) {
    let Some(bytes) = archive.unpack(member, harvest) else { return };
    let text = markup(&bytes);
    match source {
        Source::Prose(dialect) => prose::read(&text, dialect, harvest),
        Source::Strings => prose::read(&text, &prose::STRINGS, harvest),
        Source::Cells => sheet::read_cells(&text, harvest),
        Source::Workbook => sheet::read_workbook(&text, harvest),
        Source::Manifest if memchr::memmem::find(&text, b"encryption-data").is_some() => {
            harvest.mark(Reason::Encrypted);
        }
        Source::Manifest | Source::File => {}
    }
    harvest.end_line();
}

/// The last number in a name: slide 10 stands behind slide 9.
fn number_in(name: &str) -> u32 {
    let stem = name.trim_end_matches(|character: char| !character.is_ascii_digit());
    let digits = stem.rsplit(|character: char| !character.is_ascii_digit()).next();
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// Begin and end of the names of members, in small letters, in the order in which they are read.
type Places = &'static [(&'static str, &'static str, Source)];

const DOCX: Places = &[
    ("docprops/core.xml", "", Source::Prose(&prose::PROPERTIES)),
    ("word/header", ".xml", Source::Prose(&prose::OFFICE)),
    ("word/document", ".xml", Source::Prose(&prose::OFFICE)),
    ("word/footer", ".xml", Source::Prose(&prose::OFFICE)),
    ("word/footnotes", ".xml", Source::Prose(&prose::OFFICE)),
    ("word/endnotes", ".xml", Source::Prose(&prose::OFFICE)),
    ("word/comments", ".xml", Source::Prose(&prose::OFFICE)),
    ("word/charts/chart", ".xml", Source::Prose(&prose::CHART)),
    ("word/diagrams/data", ".xml", Source::Prose(&prose::OFFICE)),
    ("word/afchunk", "", Source::File),
    ("word/embeddings/", "", Source::File),
];

const XLSX: Places = &[
    ("docprops/core.xml", "", Source::Prose(&prose::PROPERTIES)),
    ("xl/workbook.xml", "", Source::Workbook),
    ("xl/sharedstrings.xml", "", Source::Strings),
    ("xl/worksheets/sheet", ".xml", Source::Cells),
    ("xl/comments", ".xml", Source::Strings),
    ("xl/threadedcomments/", ".xml", Source::Prose(&prose::COMMENTS)),
    ("xl/drawings/drawing", ".xml", Source::Prose(&prose::OFFICE)),
    ("xl/charts/chart", ".xml", Source::Prose(&prose::CHART)),
    ("xl/diagrams/data", ".xml", Source::Prose(&prose::OFFICE)),
    ("xl/embeddings/", "", Source::File),
];

const PPTX: Places = &[
    ("docprops/core.xml", "", Source::Prose(&prose::PROPERTIES)),
    ("ppt/slides/slide", ".xml", Source::Prose(&prose::OFFICE)),
    ("ppt/notesslides/notesslide", ".xml", Source::Prose(&prose::OFFICE)),
    ("ppt/comments/", ".xml", Source::Prose(&prose::COMMENTS)),
    ("ppt/charts/chart", ".xml", Source::Prose(&prose::CHART)),
    ("ppt/diagrams/data", ".xml", Source::Prose(&prose::OFFICE)),
    ("ppt/embeddings/", "", Source::File),
];

const ODF: Places = &[
    ("meta-inf/manifest.xml", "", Source::Manifest),
    ("meta.xml", "", Source::Prose(&prose::PROPERTIES)),
    ("content.xml", "", Source::Prose(&prose::OPEN_DOCUMENT)),
    // Headers and footers.
    ("styles.xml", "", Source::Prose(&prose::OPEN_DOCUMENT)),
    // Objects in it, such as charts and tables.
    ("object ", "/content.xml", Source::Prose(&prose::OPEN_DOCUMENT)),
];

const HWPX: Places = &[
    ("meta-inf/manifest.xml", "", Source::Manifest),
    ("contents/content.hpf", "", Source::Prose(&prose::PROPERTIES)),
    ("contents/section", ".xml", Source::Prose(&prose::HANCOM)),
    ("contents/masterpage", ".xml", Source::Prose(&prose::HANCOM)),
    ("chart/", ".xml", Source::Prose(&prose::CHART)),
];
