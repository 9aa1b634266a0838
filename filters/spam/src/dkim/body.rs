//! The body in one of the two forms (RFC 6376 sections 3.4.3 and 3.4.4), as it flows past.
//!
//! What need not change goes into the hash as it came, in runs as long as they are; only what the form
//! takes away or replaces is looked at: line ends at the end, and in the relaxed form white space.

use memchr::memmem::Finder;

use super::{
    canonical::Canonical,
    digest::{Digests, PrefixHash},
};

/// Hashes a body in one form. How the body is split into pieces does not matter.
pub(super) struct BodyHash {
    form: Form,
    hash: PrefixHash,
    /// Line ends that count only if something follows.
    ends: u64,
    /// A CR whose LF has not come yet.
    cr: bool,
    is_empty: bool,
}

enum Form {
    Simple,
    Relaxed(Box<Blanks>),
}

/// White space in the relaxed form.
struct Blanks {
    /// A blank that counts only if something follows on the line.
    is_pending: bool,
    double: Finder<'static>,
    trailing: Finder<'static>,
}

/// Where in a piece the next white space begins that does not stay as it is: what is known of it.
#[derive(Default)]
struct Spots {
    tab: usize,
    double: usize,
    trailing: usize,
}

impl BodyHash {
    /// `limits`: how many bytes are hashed (`l=`) beside the whole.
    pub(super) fn new(form: Canonical, limits: Vec<u64>) -> Self {
        let form = match form {
            Canonical::Simple => Form::Simple,
            Canonical::Relaxed => Form::Relaxed(Box::new(Blanks::new())),
        };
        Self { form, hash: PrefixHash::new(limits), ends: 0, cr: false, is_empty: true }
    }

    /// Takes the next piece.
    pub(super) fn feed(&mut self, piece: &[u8]) {
        let Some((first, rest)) = piece.split_first() else { return };
        let piece = match (std::mem::take(&mut self.cr), first) {
            (true, b'\n') => {
                self.line_end();
                rest
            }
            (true, _) => {
                self.content(b"\r");
                piece
            }
            (false, _) => piece,
        };
        match self.form {
            Form::Simple => self.feed_simple(piece),
            Form::Relaxed(_) => self.feed_relaxed(piece),
        }
    }

    pub(super) fn finish(mut self) -> Digests {
        if std::mem::take(&mut self.cr) {
            self.content(b"\r");
        }
        // A simple body is never empty; a relaxed one is, if there is nothing in it.
        if !self.is_empty || matches!(self.form, Form::Simple) {
            self.hash.put(b"\r\n");
        }
        self.hash.finish()
    }

    fn feed_simple(&mut self, piece: &[u8]) {
        let whole = piece.strip_suffix(b"\r").unwrap_or(piece);
        let content = without_ends(whole);
        if !content.is_empty() {
            self.content(content);
        }
        self.ends += (whole.len().saturating_sub(content.len()) / 2) as u64;
        self.cr = whole.len() < piece.len();
    }

    fn feed_relaxed(&mut self, piece: &[u8]) {
        let (mut spots, mut at) = (Spots::default(), 0);
        while let Some(rest @ [first, ..]) = piece.get(at..) {
            at += match (first, rest.get(1)) {
                (b' ' | b'\t', _) => self.pass_blanks(rest),
                (b'\r', None) => {
                    self.cr = true;
                    1
                }
                (b'\r', Some(b'\n')) => {
                    self.line_end();
                    2
                }
                _ => self.pass_run(rest, self.next_spot(&mut spots, piece, at).saturating_sub(at)),
            };
        }
    }

    fn pass_blanks(&mut self, rest: &[u8]) -> usize {
        if let Form::Relaxed(blanks) = &mut self.form {
            blanks.is_pending = true;
        }
        rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
    }

    /// Takes what stays as it is: up to the next spot, without what may yet turn out to be the end of a
    /// line or of the body. At least the first byte, which is neither a blank nor of a line end.
    fn pass_run(&mut self, rest: &[u8], length: usize) -> usize {
        let tail = rest.get(1..length).unwrap_or_default();
        let is_last = length >= rest.len();
        let cr = is_last.then(|| tail.strip_suffix(b"\r")).flatten();
        let tail = cr.or_else(|| tail.strip_suffix(b" ")).unwrap_or(tail);
        let length = 1 + without_ends(tail).len();
        self.content(rest.get(..length).unwrap_or_default());
        length
    }

    fn next_spot(&self, spots: &mut Spots, piece: &[u8], at: usize) -> usize {
        match &self.form {
            Form::Simple => piece.len(),
            Form::Relaxed(blanks) => blanks.next_spot(spots, piece, at),
        }
    }

    fn line_end(&mut self) {
        if let Form::Relaxed(blanks) = &mut self.form {
            blanks.is_pending = false;
        }
        self.ends += 1;
    }

    fn content(&mut self, run: &[u8]) {
        for _ in 0..std::mem::take(&mut self.ends) {
            self.hash.put(b"\r\n");
        }
        if let Form::Relaxed(blanks) = &mut self.form
            && std::mem::take(&mut blanks.is_pending)
        {
            self.hash.put(b" ");
        }
        self.hash.put(run);
        self.is_empty = false;
    }
}

impl Blanks {
    fn new() -> Self {
        let (double, trailing) = (Finder::new(b"  "), Finder::new(b" \r"));
        Self { is_pending: false, double, trailing }
    }

    /// The first place at or behind `at` where a tab, two blanks, or a blank before a CR stand. What was
    /// found is kept until it is passed, so that nothing is searched twice.
    fn next_spot(&self, spots: &mut Spots, piece: &[u8], at: usize) -> usize {
        let rest = piece.get(at..).unwrap_or_default();
        let place = |found: Option<usize>| found.map_or(usize::MAX, |offset| at + offset);
        if spots.tab <= at {
            spots.tab = place(memchr::memchr(b'\t', rest));
        }
        if spots.double <= at {
            spots.double = place(self.double.find(rest));
        }
        if spots.trailing <= at {
            spots.trailing = place(self.trailing.find(rest));
        }
        spots.tab.min(spots.double).min(spots.trailing).min(piece.len())
    }
}

/// Without the line ends at its end.
fn without_ends(mut run: &[u8]) -> &[u8] {
    while let Some(shorter) = run.strip_suffix(b"\r\n") {
        run = shorter;
    }
    run
}
