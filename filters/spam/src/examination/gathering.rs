//! Gathers what all sorts of evidence find, while a mail is read.

use std::collections::BTreeMap;

use mailweir_content::decode::parts::{Part, PartId};
use mailweir_mail::Timestamp;

use super::parts::Parts;
use crate::{
    evidence::{self, HtmlEvidence, MimeEvidence, Own, TELLING, TextEvidence, of_fields},
    reading::{Element, Field, Listener, Run, Source, Text, Trouble},
    symbols::{Finding, Symbol},
};

/// What was found so far, and what is still looked at.
pub(super) struct Gathering {
    fields: Vec<Kept>,
    mime: MimeEvidence,
    texts: TextEvidence,
    parts: Parts,
    /// Of the part that is told: HTML is told at the end of its part, one part behind the other.
    html: HtmlEvidence,
    /// Of each symbol the first: so many attachments as a mail may have cannot fill the memory.
    found: BTreeMap<Symbol, Finding>,
}

/// A field of the mail's own header that tells something when the header is complete.
struct Kept {
    name: Box<str>,
    value: Box<str>,
    raw: Box<[u8]>,
}

impl Gathering {
    pub(super) fn new() -> Self {
        Self {
            fields: Vec::new(),
            mime: MimeEvidence::default(),
            texts: TextEvidence::default(),
            parts: Parts::new(),
            html: HtmlEvidence::default(),
            found: BTreeMap::new(),
        }
    }

    pub(super) fn note(&mut self, found: impl IntoIterator<Item = Finding>) {
        for finding in found {
            self.found.entry(finding.symbol()).or_insert(finding);
        }
    }

    /// The mail is over.
    pub(super) fn finish(mut self, arrival: Timestamp, own: &Own) -> Vec<Finding> {
        let fields: Vec<evidence::Field<'_>> = self.fields.iter().map(Kept::shown).collect();
        let of_header = of_fields(&fields, arrival, own);
        let of_body = std::mem::take(&mut self.mime).findings().into_iter();
        let of_body = of_body.chain(std::mem::take(&mut self.texts).findings());
        self.note(of_header.into_iter().chain(of_body));
        self.found.into_values().collect()
    }
}

impl Kept {
    fn shown(&self) -> evidence::Field<'_> {
        evidence::Field { name: &self.name, value: &self.value, raw: &self.raw }
    }
}

impl Listener for Gathering {
    fn field(&mut self, field: &Field<'_>) {
        self.parts.field(field);
        if field.depth == 0 && TELLING.iter().any(|name| field.is(name)) {
            let Field { name, value, raw, .. } = *field;
            self.fields.push(Kept { name: name.into(), value: value.into(), raw: raw.into() });
        }
    }

    fn part(&mut self, part: &Part) {
        self.mime.part(part);
        self.parts.begin(part);
    }

    fn data(&mut self, part: PartId, bytes: &[u8]) {
        self.parts.data(part, bytes);
    }

    fn text(&mut self, text: &Text<'_>) {
        self.texts.text(text);
        if text.source == Source::Plain {
            self.parts.text(text.part, text.line);
        }
    }

    fn element(&mut self, element: &Element) {
        self.html.element(element);
    }

    fn end_element(&mut self, name: &str) {
        self.html.end_element(name);
    }

    fn run(&mut self, run: &Run<'_>) {
        self.html.run(run);
        self.parts.text(run.part, run.text);
    }

    fn comment(&mut self, comment: &str) {
        self.html.comment(comment);
    }

    fn end_part(&mut self, part: PartId) {
        let html = std::mem::take(&mut self.html);
        self.note(html.findings());
        let found = self.parts.end(part);
        self.note(found);
    }

    fn trouble(&mut self, trouble: Trouble) {
        self.mime.trouble(trouble);
    }
}
