//! One layer of a mail, line by line: the mail itself, or a mail inside it that was encoded.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::block::{Block, Taken};
use super::description::Description;
use super::entity::{Delimiter, Entities};
use super::leaf::Leaf;
use super::lines::{Line, Lines};
use super::{Ambiguity, Context};

/// Reads one layer.
pub(super) struct Machine {
    lines: Lines,
    layer: Layer,
}

impl Machine {
    /// A layer that stands in `depth` multiparts and mails.
    pub(super) fn new(depth: usize) -> Self {
        let block = if depth == 0 { Block::of_mail() } else { Block::default() };
        let layer = Layer {
            depth,
            entities: Entities::default(),
            mode: Mode::Header(block),
            leaves: Vec::new(),
            held: b"",
        };
        Self { lines: Lines::default(), layer }
    }

    pub(super) fn feed(&mut self, content: &[u8], context: &mut Context<'_>) {
        let Self { lines, layer } = self;
        let mut rest = content;
        while !rest.is_empty() {
            let plain = if lines.is_between() && layer.is_plain() { plain_lines(rest) } else { 0 };
            if let Some((now, later)) = rest.split_at_checked(plain).filter(|_| plain > 0) {
                layer.plain(now, context);
                rest = later;
            } else {
                rest = lines.step(rest, &mut |line| layer.take(line, context));
            }
        }
    }

    pub(super) fn finish(&mut self, context: &mut Context<'_>) {
        let Self { lines, layer } = self;
        lines.finish(&mut |line| layer.take(line, context));
        layer.finish(context);
    }
}

/// What is open in a layer.
pub(super) struct Layer {
    depth: usize,
    pub(super) entities: Entities,
    pub(super) mode: Mode,
    /// The readings of the part that the lines belong to; none between the parts.
    pub(super) leaves: Vec<Leaf>,
    /// A line end that belongs to the next delimiter, or else to the body.
    held: &'static [u8],
}

/// What the lines are of.
pub(super) enum Mode {
    Header(Block),
    Body,
}

impl Layer {
    fn take(&mut self, line: Line<'_>, context: &mut Context<'_>) {
        let delimiter = match line.is_start && line.text.starts_with(b"--") {
            true => self.entities.delimiter(line.text).filter(|_| context.has_room()),
            false => None,
        };
        if let Some(delimiter) = delimiter {
            self.leave(delimiter, context);
        }
        for leaf in self.entities.takers() {
            leaf.take(line.text, context);
            leaf.take(line.end, context);
        }
        match delimiter {
            Some(delimiter) => self.part(delimiter, context),
            None => self.take_in_mode(line, context),
        }
    }

    /// Whether lines that are no delimiters are nothing but content, of at most one part.
    fn is_plain(&mut self) -> bool {
        matches!(self.mode, Mode::Body)
            && self.leaves.len() <= 1
            && self.entities.takers().next().is_none()
    }

    /// Takes whole lines of that kind, as line by line.
    fn plain(&mut self, lines: &[u8], context: &mut Context<'_>) {
        let end: &'static [u8] = if lines.ends_with(b"\r\n") { b"\r\n" } else { b"\n" };
        let text = lines.get(..lines.len() - end.len()).unwrap_or_default();
        self.body(Line { text, is_start: true, end }, context);
    }

    fn take_in_mode(&mut self, line: Line<'_>, context: &mut Context<'_>) {
        let depth = self.depth();
        let Mode::Header(block) = &mut self.mode else { return self.body(line, context) };
        match block.take(line, depth, context) {
            Taken::Yes => {}
            Taken::End => self.begin(context),
            Taken::No => {
                self.begin(context);
                // The body may begin with the header of an attached mail.
                self.take_in_mode(line, context);
            }
        }
    }

    fn finish(&mut self, context: &mut Context<'_>) {
        if matches!(self.mode, Mode::Header(_)) {
            self.begin(context);
            // The header of a mail that ends at once.
            if matches!(self.mode, Mode::Header(_)) {
                self.mode = Mode::Body;
            }
        }
        let held = std::mem::take(&mut self.held);
        self.give(held, context);
        self.end_leaves(context);
        self.entities.end_trailing(context);
        self.entities.end_down_to(0, context);
    }

    /// A delimiter: what was open inside of that multipart is over, for most programs.
    fn leave(&mut self, delimiter: Delimiter, context: &mut Context<'_>) {
        if matches!(self.mode, Mode::Header(_)) {
            self.begin(context);
        }
        let held = std::mem::take(&mut self.held);
        if self.leaves.is_empty() || !delimiter.is_certain {
            // What stands before a multipart and behind it is no part: its lines stay lines.
            self.give(held, context);
        }
        self.mode = Mode::Body;
        if delimiter.is_certain {
            self.end_leaves(context);
            self.entities.end_trailing(context);
            self.entities.end_down_to(delimiter.level + 1, context);
            return;
        }
        // What is open inside stays open: for some programs this is a line of it.
        context.tell(Ambiguity::Delimiter);
        for leaf in self.leaves.drain(..) {
            if let Some(leaf) = leaf.into_extra(context) {
                self.entities.add_trailing(leaf);
            }
        }
    }

    /// Behind a delimiter.
    fn part(&mut self, delimiter: Delimiter, context: &mut Context<'_>) {
        let Some(entity) = self.entities.get_mut(delimiter.level) else { return };
        if delimiter.is_end {
            entity.is_closed = true;
            return;
        }
        if entity.is_closed {
            context.tell(Ambiguity::PartAfterEnd);
        }
        self.mode = Mode::Header(Block::default());
    }

    fn body(&mut self, line: Line<'_>, context: &mut Context<'_>) {
        let held = std::mem::replace(&mut self.held, line.end);
        self.give(held, context);
        self.give(line.text, context);
    }

    fn give(&mut self, bytes: &[u8], context: &mut Context<'_>) {
        if bytes.is_empty() {
            return;
        }
        let entity = self.entities.last_mut().filter(|entity| !entity.needs_header);
        if let Some(entity) = entity.filter(|_| self.leaves.is_empty()) {
            entity.own.take(bytes, context);
        }
        for leaf in &mut self.leaves {
            leaf.take(bytes, context);
        }
    }

    fn end_leaves(&mut self, context: &mut Context<'_>) {
        for leaf in self.leaves.drain(..) {
            leaf.end(context);
        }
    }

    /// The header is complete: what it describes begins.
    fn begin(&mut self, context: &mut Context<'_>) {
        let Mode::Header(mut block) = std::mem::replace(&mut self.mode, Mode::Body) else { return };
        block.end_field(self.depth(), context);
        let mut default = "text/plain";
        if let Some(entity) = self.entities.last_mut() {
            default = entity.default;
            if entity.needs_header && !block.has_fields() {
                return;
            }
            entity.needs_header = false;
        }
        if !context.has_room() {
            return;
        }
        let description = Description::new(&block.mime, default, &context.shared.decoder);
        description.doubts.iter().for_each(|&doubt| context.tell(doubt));
        let mut strict = Vec::new();
        if let Some(garbled) = &block.garbled {
            let fields = block.mime.get(..garbled.fields).unwrap_or_default();
            let description = Description::new(fields, default, &context.shared.decoder);
            strict = self.strict(&description, &garbled.raw, context);
        }
        self.open(&description, context);
        match self.leaves.is_empty() {
            true => self.entities.add_beside(strict),
            false => self.leaves.append(&mut strict),
        }
    }

    /// How many multiparts and mails the next part stands in.
    pub(super) fn depth(&self) -> usize {
        self.depth + self.entities.len()
    }
}

/// The length of the whole lines that `content` begins with before one that may be a delimiter.
fn plain_lines(content: &[u8]) -> usize {
    if content.starts_with(b"--") {
        return 0;
    }
    let window = content.get(..MOST_AT_ONCE).unwrap_or(content);
    let end = match DASHES.find(window) {
        Some(at) => Some(at),
        None => memchr::memrchr(b'\n', window),
    };
    end.map_or(0, |at| at + 1)
}

/// What a line that may be a delimiter begins with, and the end of the one before.
static DASHES: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"\n--"));

/// Bytes that are decoded at once, and so may have to be held decoded.
const MOST_AT_ONCE: usize = 16 * 1024;
