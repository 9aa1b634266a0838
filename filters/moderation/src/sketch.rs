//! What people are shown of a mail before they open it: kept with the case, short whatever the mail
//! holds. All of it is the sender's word and must be escaped wherever it is shown.

use serde::{Deserialize, Serialize};

/// A sketch of a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sketch {
    /// The subject, in its likeliest reading.
    pub subject: Box<str>,
    /// The first lines of its text.
    pub text: Vec<Box<str>>,
    /// Names of attachments, and of files in archives.
    pub attachments: Vec<Box<str>>,
    /// How many more there are.
    pub more_attachments: u32,
}

impl Sketch {
    pub(crate) fn subject(&mut self, subject: &str) {
        if self.subject.is_empty() {
            self.subject = short(subject.trim());
        }
    }

    /// Empty lines at the beginning say nothing.
    pub(crate) fn line(&mut self, line: &str) {
        if self.text.len() == MOST_LINES {
            return;
        }
        let line = line.trim_end();
        if !(line.is_empty() && self.text.is_empty()) {
            self.text.push(short(line));
        }
    }

    pub(crate) fn attachment(&mut self, name: &str) {
        if self.attachments.len() < MOST_ATTACHMENTS {
            self.attachments.push(short(name));
        } else {
            self.more_attachments = self.more_attachments.saturating_add(1);
        }
    }
}

fn short(text: &str) -> Box<str> {
    if text.len() <= LONGEST {
        return text.into();
    }
    let end = text.char_indices().nth(LONGEST).map_or(text.len(), |(at, _)| at);
    text[..end].into()
}

const MOST_LINES: usize = 12;
const MOST_ATTACHMENTS: usize = 20;

/// Characters of anything.
const LONGEST: usize = 200;
