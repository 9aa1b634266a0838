//! What an attachment shows: its names, its declared type, and what `mailweir_content` finds in its bytes.
//!
//! One value for each attachment. What runs on a double click counts as a program, wherever it lies; scripts of Unix
//! do not, since developers send them to each other every day and no mail program runs them.

mod endings;
mod override_marks;

use std::collections::BTreeMap;

use mailweir_content::{
    attachment::{Finding as Seen, Kind, Limit},
    decode::parts::Part,
};

use crate::symbols::{Finding, Symbol};
use endings::{Claim, is_document, is_program, is_source};

pub use override_marks::turns_direction;

/// What one attachment shows.
#[derive(Clone, Debug, Default)]
pub struct AttachmentEvidence {
    /// What it is called, for evidence.
    name: Box<str>,
    claims: Vec<Claim>,
    /// The types of its own bytes.
    kinds: Vec<Kind>,
    /// How many names in archives were told; each is told in several places.
    names: usize,
    /// A program in an archive that is one only if the archive is no project.
    source: Option<Box<str>>,
    found: BTreeMap<Symbol, Box<str>>,
}

impl AttachmentEvidence {
    /// An attachment that begins. `raw_header` is the header of its part as it stands, for what decoded names do not
    /// show any more; empty if it is not at hand.
    #[must_use]
    pub fn new(part: &Part, raw_header: &[u8]) -> Self {
        let name = part.names.first().map_or(part.content_type.as_str(), String::as_str);
        let mut evidence = Self { name: name.into(), ..Self::default() };
        // A mail is named after its subject, which may end in `.com`.
        let is_mail = part.content_type.starts_with("message/");
        for name in part.names.iter().filter(|_| !is_mail).take(MOST_NAMES) {
            evidence.name(name, Symbol::AttachmentExecutable);
            evidence.claims.extend(Claim::of_name(name));
        }
        if turns_direction(raw_header) {
            evidence.note(Symbol::AttachmentNameBidi, name);
        }
        let is_attached =
            part.disposition.as_deref() == Some("attachment") || !part.names.is_empty();
        if is_attached
            && (part.content_type == "text/html" || evidence.claims.contains(&Claim::Page))
        {
            evidence.note(Symbol::AttachmentHtml, name);
        }
        evidence
    }

    /// Takes what an `Inspector` finds.
    pub fn seen(&mut self, seen: &Seen<'_>) {
        match seen {
            Seen::Name { name, .. } => self.member(name),
            Seen::Type { kind, path: [] } => {
                // Several types at a time are few; repeated ones need no place.
                if !self.kinds.contains(kind) && self.kinds.len() < MOST_KINDS {
                    self.kinds.push(*kind);
                }
                self.kind(*kind, &[]);
            }
            Seen::Type { kind, path } => self.kind(*kind, path),
            Seen::Limit { limit, path } => self.limit(*limit, path),
            // What inspectors may find in future has no symbol yet.
            _ => {}
        }
    }

    /// What was found. The bytes are over.
    #[must_use]
    pub fn findings(mut self) -> Vec<Finding> {
        let differs = |claim: &Claim| {
            self.kinds.iter().find(|kind| !claim.admits(**kind)).map(|kind| (*claim, *kind))
        };
        let is_something_else =
            !self.kinds.iter().any(|kind| self.claims.iter().any(|claim| claim.admits(*kind)));
        if let Some((_, kind)) = self.claims.iter().find_map(differs).filter(|_| is_something_else)
        {
            let shown = format!("{} is {}", self.name, kind.mime_type());
            self.note(Symbol::AttachmentTypeMismatch, &shown);
        }
        if let Some(name) = self.source.take().filter(|_| self.names < MANY_MEMBERS) {
            self.note(Symbol::ArchiveExecutable, &name);
        }
        self.found.iter().map(|(symbol, evidence)| Finding::new(*symbol, evidence)).collect()
    }

    /// A name in an archive.
    fn member(&mut self, name: &str) {
        self.names = self.names.saturating_add(1);
        if is_program(name) && is_source(name) && !has_double_ending(name) {
            self.source.get_or_insert_with(|| name.into());
        } else {
            self.name(name, Symbol::ArchiveExecutable);
        }
    }

    /// A name of the attachment, or of something in it.
    fn name(&mut self, name: &str, if_program: Symbol) {
        if !is_program(name) {
            return;
        }
        self.note(if_program, name);
        if has_double_ending(name) {
            self.note(Symbol::AttachmentDoubleExtension, name);
        }
    }

    fn kind(&mut self, kind: Kind, path: &[String]) {
        let is_inside = !path.is_empty();
        let symbol = match kind {
            Kind::EXE
            | Kind::LNK
            | Kind::HTA
            | Kind::CHM
            | Kind::MSI
            | Kind::BATCH
            | Kind::REG
            | Kind::APK
            | Kind::APPX
            | Kind::MACH_O
            | Kind::APPLESCRIPT => match is_inside {
                true => Symbol::ArchiveExecutable,
                false => Symbol::AttachmentExecutable,
            },
            Kind::ISO | Kind::VHD | Kind::VHDX | Kind::VMDK | Kind::DMG | Kind::WIM => {
                Symbol::AttachmentDiskImage
            }
            Kind::VBA | Kind::DOCM | Kind::XLSM | Kind::PPTM | Kind::ACTIVE_MIME => Symbol::Macros,
            Kind::PDF_JAVASCRIPT
            | Kind::PDF_LAUNCH
            | Kind::ONENOTE
            | Kind::SWF
            | Kind::SYLK
            | Kind::URL => Symbol::AttachmentActiveDocument,
            Kind::ENCRYPTED if is_inside || self.kinds.iter().any(|kind| is_archive(*kind)) => {
                Symbol::ArchiveEncrypted
            }
            Kind::ENCRYPTED => Symbol::DocumentEncrypted,
            Kind::AMBIGUOUS => Symbol::ArchiveAmbiguous,
            _ => return,
        };
        let place = self.place(path);
        self.note(symbol, &format!("{place}: {}", kind.mime_type()));
    }

    fn limit(&mut self, limit: Limit, path: &[String]) {
        let is_bomb = match limit {
            Limit::Ratio | Limit::Overlap | Limit::Depth => true,
            // Honest archives are large, too: that the rest was not looked into says nothing of it.
            Limit::Inflated | Limit::Members | Limit::NameLength | Limit::Method => false,
            // What may be limited in future is no bomb until somebody says so.
            _ => false,
        };
        if is_bomb {
            let place = self.place(path);
            self.note(Symbol::ArchiveBomb, &format!("{place}: {limit:?}"));
        }
    }

    fn place(&self, path: &[String]) -> String {
        let inner = path.last().map(|inner| format!("{inner} in ")).unwrap_or_default();
        format!("{inner}{}", self.name)
    }

    /// Each once, with what was seen first.
    fn note(&mut self, symbol: Symbol, evidence: &str) {
        self.found.entry(symbol).or_insert_with(|| {
            evidence.get(..evidence.floor_char_boundary(LONGEST)).unwrap_or(evidence).into()
        });
    }
}

/// Whether it looks like a document to who sees the first ending alone, or not the end at all.
fn has_double_ending(name: &str) -> bool {
    let (front, _) = name.trim_end().rsplit_once('.').unwrap_or((name, ""));
    is_document(front.trim_end()) || front.ends_with("   ")
}

fn is_archive(kind: Kind) -> bool {
    [Kind::ZIP, Kind::SEVEN_ZIP, Kind::RAR, Kind::ARJ, Kind::ACE, Kind::LZH, Kind::CAB]
        .contains(&kind)
}

/// Readings of a name that are looked at.
const MOST_NAMES: usize = 16;
/// Names from which on an archive is a project: what strangers send with a program in it has one file or two.
const MANY_MEMBERS: usize = 12;
/// Types of one attachment that are remembered.
const MOST_KINDS: usize = 16;
/// Bytes of evidence that are kept: more than are shown.
const LONGEST: usize = 1024;
