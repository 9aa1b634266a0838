//! What has been found so far, and what may still be spent. All readers write here, so that no bound
//! can be passed by going through another reader.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mailweir_content::decode::visible;

use crate::{Extracted, File, Limits, Mark, Origin, Piece, Reason};

/// Gathers what readers find, within the limits.
pub(crate) struct Harvest<'l> {
    limits: &'l Limits,
    found: Extracted,
    /// Names of what is being read, from the outside to the inside.
    path: Vec<String>,
    /// How many files in files are open, which is less than `path` has names.
    depth: usize,
    /// What the text that is written next belongs to.
    origin: Origin,
    /// The last line so far, as it came.
    line: String,
    text_left: usize,
    names_left: usize,
    unpacked_left: u64,
    work_left: u64,
}

impl<'l> Harvest<'l> {
    pub(crate) fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            found: Extracted::default(),
            path: Vec::new(),
            depth: 0,
            origin: Origin::Body,
            line: String::new(),
            text_left: limits.text,
            names_left: limits.names,
            unpacked_left: limits.unpacked,
            work_left: limits.work,
        }
    }

    pub(crate) fn into_extracted(mut self) -> Extracted {
        self.end_line();
        self.found.work = self.limits.work - self.work_left;
        self.found
    }

    pub(crate) fn limits(&self) -> &'l Limits {
        self.limits
    }

    /// The fields of the mail itself.
    pub(crate) fn fields(&mut self) -> &mut Extracted {
        &mut self.found
    }

    /// Runs a reader. Should it panic, what it found so far stays, and that is marked.
    pub(crate) fn guard(&mut self, read: impl FnOnce(&mut Self)) {
        let (depth, path, origin) = (self.depth, self.path.len(), self.origin);
        if catch_unwind(AssertUnwindSafe(|| read(self))).is_err() {
            self.end_line();
            (self.depth, self.origin) = (depth, origin);
            self.path.truncate(path);
            self.mark(Reason::Failed);
        }
    }

    // --- what is spent -----------------------------------------------------------------------

    /// Counts work; false if there is none left to do.
    pub(crate) fn work(&mut self, steps: usize) -> bool {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        if self.work_left < steps {
            self.work_left = 0;
            self.mark(Reason::TooLarge);
            return false;
        }
        self.work_left -= steps;
        true
    }

    /// How many bytes may be unpacked of the next file.
    pub(crate) fn unpack_room(&self) -> usize {
        let left = usize::try_from(self.unpacked_left.min(self.work_left)).unwrap_or(usize::MAX);
        left.min(self.limits.held)
    }

    /// Counts bytes that were unpacked.
    pub(crate) fn unpacked(&mut self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.unpacked_left = self.unpacked_left.saturating_sub(bytes);
    }

    /// Whether text is still wanted.
    pub(crate) fn has_room(&self) -> bool {
        self.text_left > 0 && self.work_left > 0
    }

    /// How many bytes of text are still wanted.
    pub(crate) fn text_room(&self) -> usize {
        self.text_left.saturating_sub(self.line.len())
    }

    // --- where it is -------------------------------------------------------------------------

    /// Reads a file inside of what is read, unless it lies too deep.
    pub(crate) fn inside(&mut self, name: &str, read: impl FnOnce(&mut Self)) {
        self.enter(name);
        if self.depth >= self.limits.depth {
            self.mark(Reason::TooDeep);
        } else {
            self.depth += 1;
            let origin = std::mem::replace(&mut self.origin, Origin::Attachment);
            self.guard(read);
            self.end_line();
            self.origin = origin;
            self.depth -= 1;
        }
        self.leave(self.path.len().saturating_sub(1));
    }

    /// What follows lies in something with this name.
    pub(crate) fn enter(&mut self, name: &str) {
        self.end_line();
        let name = match name {
            "" => NAMELESS,
            name => name.get(..name.floor_char_boundary(LONGEST_NAME)).unwrap_or(name),
        };
        self.path.push(name.to_owned());
    }

    /// What follows does not lie any more in the one that was entered at this place of the path.
    pub(crate) fn leave(&mut self, at: usize) {
        self.end_line();
        if at < self.path.len() {
            self.path.remove(at);
        }
    }

    /// How many names the path has.
    pub(crate) fn path_len(&self) -> usize {
        self.path.len()
    }

    // --- what is found -----------------------------------------------------------------------

    /// Writes what follows as text of this origin.
    pub(crate) fn set_origin(&mut self, origin: Origin) {
        self.end_line();
        self.origin = origin;
    }

    /// Appends text to the line. An LF in it ends the line.
    pub(crate) fn push(&mut self, text: &str) {
        let mut lines = text.split('\n');
        self.push_within_line(lines.next().unwrap_or_default());
        for line in lines {
            self.end_line();
            self.push_within_line(line);
        }
    }

    /// Appends a whole line that is `visible` already.
    pub(crate) fn push_line(&mut self, line: &str) {
        self.end_line();
        self.write(line);
    }

    /// Ends the line; an empty one is none.
    pub(crate) fn end_line(&mut self) {
        if self.line.is_empty() {
            return;
        }
        let line = std::mem::take(&mut self.line);
        let shown = visible(&line);
        self.write(shown.trim());
        // The room for the next line.
        self.line = line;
        self.line.clear();
    }

    /// The text of what is read that was written so far, without the line that is open.
    pub(crate) fn written(&self) -> &str {
        let piece = self.found.text.last().filter(|piece| self.is_open(piece));
        piece.map_or("", |piece| piece.text.as_str())
    }

    /// Whether the line that is written has any text yet, and what it ends in.
    pub(crate) fn last_char(&self) -> Option<char> {
        self.line.chars().next_back()
    }

    /// Marks what is read as not read, or not to its end.
    pub(crate) fn mark(&mut self, reason: Reason) {
        let is_known = |mark: &Mark| mark.reason == reason && mark.path == self.path;
        if self.found.marks.len() >= MOST_MARKS || self.found.marks.iter().any(is_known) {
            return;
        }
        self.found.marks.push(Mark { path: self.path.clone(), reason });
    }

    /// Marks something inside of what is read.
    pub(crate) fn mark_inside(&mut self, name: &str, reason: Reason) {
        self.enter(name);
        self.mark(reason);
        self.leave(self.path.len().saturating_sub(1));
    }

    /// Names a file. `path` is told here. False if there are too many.
    pub(crate) fn file(&mut self, file: File) -> bool {
        let names = file.other_names.iter().chain(&self.path).map(String::len).sum::<usize>();
        let size = names + file.name.len() + file.media_type.len();
        if self.found.files.len() >= self.limits.files || !self.take_names(size) {
            self.mark(Reason::TooLarge);
            return false;
        }
        self.found.files.push(File { path: self.path.clone(), ..file });
        true
    }

    /// Takes room for names; false if there is none.
    pub(crate) fn take_names(&mut self, bytes: usize) -> bool {
        let fits = bytes <= self.names_left;
        if fits {
            self.names_left -= bytes;
        }
        fits
    }

    /// The fallback of a line without end: it goes on in the same line of the piece.
    fn push_within_line(&mut self, text: &str) {
        let room = self.text_room();
        if text.len() > room {
            self.mark(Reason::TooLarge);
        }
        self.line.push_str(text.get(..text.floor_char_boundary(room)).unwrap_or(text));
    }

    fn write(&mut self, line: &str) {
        if line.is_empty() {
            return;
        }
        let fits = line.len() < self.text_left;
        let shown = match fits {
            true => line,
            false => {
                line.get(..line.floor_char_boundary(self.text_left.saturating_sub(1))).unwrap_or("")
            }
        };
        if !fits {
            self.mark(Reason::TooLarge);
        }
        if !shown.is_empty() && self.begin_piece() {
            self.text_left -= shown.len() + 1;
            if let Some(piece) = self.found.text.last_mut() {
                piece.text.push_str(shown);
                piece.text.push('\n');
            }
        }
        if !fits {
            self.text_left = 0;
        }
    }

    /// Whether a piece is of what is read.
    fn is_open(&self, piece: &Piece) -> bool {
        piece.origin == self.origin && piece.path == self.path
    }

    /// Sees to it that the last piece is of what is read; false if there is no room for its names.
    fn begin_piece(&mut self) -> bool {
        if self.found.text.last().is_some_and(|piece| self.is_open(piece)) {
            return true;
        }
        let size = self.path.iter().map(String::len).sum::<usize>() + PIECE;
        if !self.take_names(size) {
            self.mark(Reason::TooLarge);
            return false;
        }
        let (origin, path) = (self.origin, self.path.clone());
        self.found.text.push(Piece { origin, path, text: String::new() });
        true
    }
}

/// What something without a name is called in a path.
const NAMELESS: &str = "(no name)";
/// Bytes of a name in a path.
pub(crate) const LONGEST_NAME: usize = 512;
/// So many things are marked; where more is not read, nobody looks through the list.
const MOST_MARKS: usize = 200;
/// What a piece counts for besides its names.
const PIECE: usize = 64;
