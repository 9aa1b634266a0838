//! What the structure of a mail shows.

use mailweir_content::decode::parts::{Ambiguity, Part};

use crate::{
    reading::{Listener, Trouble},
    symbols::{Finding, Symbol},
};

/// What the parts of a mail show.
#[derive(Clone, Debug, Default)]
pub struct MimeEvidence {
    texts: Alternatives,
    doubts: Vec<Ambiguity>,
}

/// In which forms the mail says what it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Alternatives {
    /// No text at all as yet.
    #[default]
    None,
    /// HTML and no plain text.
    HtmlAlone,
    /// Plain text, with or without HTML.
    Plain,
}

impl MimeEvidence {
    /// What was found.
    #[must_use]
    pub fn findings(self) -> Vec<Finding> {
        let doubts =
            self.doubts.iter().map(|doubt| Finding::new(symbol(*doubt), &format!("{doubt:?}")));
        let alone =
            (self.texts == Alternatives::HtmlAlone).then(|| Finding::new(Symbol::HtmlAlone, ""));
        doubts.chain(alone).collect()
    }
}

impl Listener for MimeEvidence {
    fn part(&mut self, part: &Part) {
        let is_text = !part.is_container
            && part.disposition.as_deref() != Some("attachment")
            && part.names.is_empty();
        self.texts = match (part.content_type.as_str(), self.texts) {
            ("text/plain", _) if is_text => Alternatives::Plain,
            ("text/html", Alternatives::None) if is_text => Alternatives::HtmlAlone,
            (_, texts) => texts,
        };
    }

    fn trouble(&mut self, trouble: Trouble) {
        match trouble {
            // Each kind is told once: there are thirteen.
            Trouble::Ambiguous(ambiguity) => self.doubts.push(ambiguity),
            Trouble::TooManyFields | Trouble::LongText | Trouble::TooManyTexts => {}
        }
    }
}

fn symbol(doubt: Ambiguity) -> Symbol {
    match doubt {
        Ambiguity::Boundaries
        | Ambiguity::ContentTypes
        | Ambiguity::Encodings
        | Ambiguity::EncodedContainer => Symbol::MimeAmbiguous,
        Ambiguity::TooDeep | Ambiguity::TooManyParts | Ambiguity::TooManyReadings => {
            Symbol::MimeTooLarge
        }
        // What is left is broken; so is what may be told in future.
        _ => Symbol::MimeBroken,
    }
}
