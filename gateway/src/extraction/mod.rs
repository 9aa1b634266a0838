//! Reading strangers' mail in a process of its own.
//!
//! What is in a mail and its attachments decides what the readers of `mailweir-extract` do. They are written to
//! come to an end within bounds; should one not, it must cost that mail its place in the index and
//! nothing else. So they run in a child of this program (`mailweir extract-worker`) that has no files, no
//! network and little memory (`confine`), and takes mails and gives [`Extracted`] over its standard streams
//! (`frame`). Who sends them ([`Extractor`]) ends a child that takes too long, dies or talks nonsense, and goes on
//! with another one.

mod confine;
mod extractor;
mod frame;
mod worker;

use mailweir_extract::{Extracted, Limits, extract};
use mailweir_search::index::MAX_MAIL_TEXT;
use serde::{Deserialize, Serialize};

pub(crate) use self::worker::{WORD, run};
pub use self::{
    confine::Confinement,
    extractor::{Extractor, Failure, PATIENCE, Program, Reading, StartError},
};

/// The first thing that a child says.
#[derive(Debug, Serialize, Deserialize)]
struct Hello {
    confinement: Confinement,
}

/// How far mail is read: text that the index would not take is not looked for.
fn limits() -> Limits {
    Limits { text: MAX_MAIL_TEXT, ..Limits::default() }
}

/// What the header of a mail says, read here. Nothing is opened: there are neither parts nor files in what is
/// looked at.
#[must_use]
pub fn header_alone(mail: &[u8]) -> Extracted {
    let mail = mail.get(..MOST_HEADER).unwrap_or(mail);
    let end = memchr::memmem::find(mail, b"\n\r\n").into_iter();
    let end = end.chain(memchr::memmem::find(mail, b"\n\n")).min();
    let header = end.and_then(|end| mail.get(..=end)).unwrap_or(mail);
    let nothing = Limits { text: 0, files: 0, depth: 0, unpacked: 0, held: 0, ..Limits::default() };
    extract(header, &nothing)
}

/// Bytes of a header; what is behind them is not read.
const MOST_HEADER: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use mailweir_extract::Reason;

    use super::*;

    #[test]
    fn of_a_mail_that_cannot_be_read_the_header_is() {
        for end in ["\r\n", "\n"] {
            let lines = [
                "Subject: the offer",
                "From: Ann <ann@a.example>",
                "To: b@b.example",
                "",
                "text",
                "",
            ];
            let found = header_alone(lines.join(end).as_bytes());
            assert_eq!(found.subject, "the offer");
            assert_eq!(found.from[0].address, "ann@a.example");
            assert_eq!(found.to[0].address, "b@b.example");
            assert_eq!(found.text, []);
            assert!(!found.marks.iter().any(|mark| mark.reason == Reason::Failed));
        }
        let long = [b"Subject: x\r\nX-Long: ".as_slice(), &vec![b'x'; 2 * MOST_HEADER]].concat();
        assert_eq!(header_alone(&long).subject, "x");
        assert_eq!(header_alone(b"").subject, "");
    }
}
