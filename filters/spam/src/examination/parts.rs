//! The parts of a mail that are open: what their bytes are, and whether their text is in the charset that it claims.

use mailweir_content::{
    attachment::{Budget, Inspector, Limits},
    decode::{
        charset::Fallbacks,
        parts::{Part, PartId},
    },
};

use crate::{
    evidence::{AttachmentEvidence, CharsetEvidence},
    reading::Field,
    symbols::Finding,
};

/// All parts of a mail, each from its header to its end.
pub(super) struct Parts {
    /// What the header of the part says that comes.
    coming: Header,
    open: Vec<Open>,
    budget: Budget,
}

/// What the header of a part says besides what is known of the part.
#[derive(Default)]
struct Header {
    charset: Option<CharsetEvidence>,
    /// The fields that may have names, as they came.
    raw: Vec<u8>,
}

struct Open {
    id: PartId,
    charset: Option<CharsetEvidence>,
    inspector: Inspector,
    attachment: AttachmentEvidence,
}

impl Parts {
    pub(super) fn new() -> Self {
        let budget = Budget::new(Limits::default(), Fallbacks::default());
        Self { coming: Header::default(), open: Vec::new(), budget }
    }

    pub(super) fn field(&mut self, field: &Field<'_>) {
        let is_type = field.is("content-type");
        if is_type && self.coming.charset.is_none() {
            self.coming.charset = field.param("charset").and_then(CharsetEvidence::new);
        }
        if is_type || field.is("content-disposition") {
            let room = LONGEST_HEADER.saturating_sub(self.coming.raw.len());
            self.coming.raw.extend_from_slice(field.raw.get(..room).unwrap_or(field.raw));
        }
    }

    /// A part begins. Of several readings of one part the first has its header.
    pub(super) fn begin(&mut self, part: &Part) {
        let Header { charset, raw } = std::mem::take(&mut self.coming);
        if part.is_container {
            return;
        }
        let is_text = part.content_type.starts_with("text/");
        self.open.push(Open {
            id: part.id,
            charset: charset.filter(|_| is_text),
            inspector: Inspector::default(),
            attachment: AttachmentEvidence::new(part, &raw),
        });
    }

    pub(super) fn data(&mut self, part: PartId, bytes: &[u8]) {
        let Self { open, budget, .. } = self;
        let Some(Open { inspector, attachment, .. }) = find(open, part) else { return };
        inspector.feed(bytes, budget, &mut |seen| attachment.seen(&seen));
    }

    pub(super) fn text(&mut self, part: PartId, text: &str) {
        if let Some(Open { charset: Some(charset), .. }) = find(&mut self.open, part) {
            charset.text(text);
        }
    }

    pub(super) fn end(&mut self, part: PartId) -> Vec<Finding> {
        let Some(at) = self.open.iter().rposition(|open| open.id == part) else {
            return Vec::new();
        };
        let Open { inspector, mut attachment, charset, .. } = self.open.swap_remove(at);
        inspector.finish(&mut self.budget, &mut |seen| attachment.seen(&seen));
        let mut found = attachment.findings();
        found.extend(charset.and_then(|charset| charset.finding()));
        found
    }
}

/// Few parts are open side by side: one, and the further readings of those that are in doubt.
fn find(open: &mut [Open], part: PartId) -> Option<&mut Open> {
    open.iter_mut().rev().find(|open| open.id == part)
}

/// Bytes of fields in which marks are looked for: as many as that looks at.
const LONGEST_HEADER: usize = 16 * 1024;
