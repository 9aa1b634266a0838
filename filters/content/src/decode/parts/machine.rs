//! One layer of a mail, line by line: the mail itself, or a mail inside it that was encoded.

use super::block::{Block, Taken};
use super::description::{ContentType, Description};
use super::entity::{Delimiter, Entities, Entity};
use super::leaf::{Encoding, Leaf};
use super::lines::{Line, Lines};
use super::{Ambiguity, Context, Part};

/// Reads one layer.
pub(super) struct Machine {
    lines: Lines,
    layer: Layer,
}

impl Machine {
    /// A layer that stands in `depth` multiparts and mails.
    pub(super) fn new(depth: usize) -> Self {
        let layer = Layer {
            depth,
            entities: Entities::default(),
            mode: Mode::Header(Block::default()),
            leaves: Vec::new(),
            held: b"",
        };
        Self { lines: Lines::default(), layer }
    }

    pub(super) fn feed(&mut self, content: &[u8], context: &mut Context<'_>) {
        let Self { lines, layer } = self;
        lines.feed(content, &mut |line| layer.take(line, context));
    }

    pub(super) fn finish(&mut self, context: &mut Context<'_>) {
        let Self { lines, layer } = self;
        lines.finish(&mut |line| layer.take(line, context));
        layer.finish(context);
    }
}

struct Layer {
    depth: usize,
    entities: Entities,
    mode: Mode,
    /// The readings of the part that the lines belong to; none between the parts.
    leaves: Vec<Leaf>,
    /// A line end that belongs to the next delimiter, or else to the body.
    held: &'static [u8],
}

enum Mode {
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
        for entity in self.entities.iter_mut() {
            for leaf in entity.alongside.iter_mut().chain(&mut entity.trailing) {
                leaf.take(line.text, context);
                leaf.take(line.end, context);
            }
        }
        match delimiter {
            Some(delimiter) => self.part(delimiter, context),
            None => self.take_in_mode(line, context),
        }
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
        let mut trailing = Vec::new();
        if delimiter.is_certain {
            self.end_leaves(context);
        } else {
            context.tell(Ambiguity::Delimiter);
            for leaf in self.leaves.drain(..) {
                trailing.extend(leaf.into_extra(context));
            }
        }
        self.mode = Mode::Body;
        self.entities.end_down_to(delimiter.level + 1, context);
        let Some(entity) = self.entities.last_mut() else { return };
        if delimiter.is_certain {
            entity.trailing.drain(..).for_each(|leaf| leaf.end(context));
        }
        entity.trailing.append(&mut trailing);
    }

    /// Behind a delimiter.
    fn part(&mut self, delimiter: Delimiter, context: &mut Context<'_>) {
        let Some(entity) = self.entities.last_mut() else { return };
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
        let readings = match self.leaves.is_empty() {
            true => self.entities.last_mut().map(|entity| &mut entity.alongside),
            false => Some(&mut self.leaves),
        };
        match readings {
            Some(readings) => readings.append(&mut strict),
            None => strict.into_iter().for_each(|leaf| leaf.end(context)),
        }
    }

    /// What a program reads for which the body began at the line that is no field.
    fn strict(
        &self,
        description: &Description,
        raw: &[u8],
        context: &mut Context<'_>,
    ) -> Vec<Leaf> {
        let plain = ContentType::named("text/plain");
        let is_leaf = |kind: &&ContentType| !kind.is_multipart() && !kind.is_message();
        let kind = description.types.iter().find(is_leaf).unwrap_or(&plain);
        let encoding = description.encodings.first().copied().unwrap_or(Encoding::Identity);
        let part = description.part(kind, self.depth());
        let mut leaf = Leaf::start_extra(part, encoding, context);
        if let Some(leaf) = &mut leaf {
            leaf.take(raw, context);
        }
        leaf.into_iter().collect()
    }

    fn open(&mut self, description: &Description, context: &mut Context<'_>) {
        let is_deep = self.depth() >= context.shared.limits.depth;
        let boundaries = description.boundaries();
        let multipart = description.types.iter().find(|kind| kind.is_multipart());
        let message = description.types.iter().find(|kind| kind.is_message());
        if (multipart.is_some() || message.is_some()) && is_deep {
            context.tell(Ambiguity::TooDeep);
        } else if let Some(kind) = multipart.filter(|_| !boundaries.is_empty()) {
            return self.open_multipart(kind, boundaries, description, context);
        } else if let Some(kind) = message {
            return self.open_message(kind, description, context);
        } else if multipart.is_some() {
            context.tell(Ambiguity::MissingBoundary);
        }
        self.leaves = self.leaves(description, &description.types, context);
    }

    fn open_multipart(
        &mut self,
        kind: &ContentType,
        boundaries: Vec<Vec<u8>>,
        description: &Description,
        context: &mut Context<'_>,
    ) {
        if description.encodings.iter().any(|encoding| encoding.is_encoded()) {
            context.tell(Ambiguity::EncodedContainer);
        }
        let own = Leaf::start(self.container(kind, description), Encoding::Identity, context);
        let mut others: Vec<ContentType> =
            description.types.iter().filter(|kind| !kind.is_multipart()).cloned().collect();
        if others.is_empty() && boundaries.len() > 1 {
            // For a program that knows none of the boundaries, or another one.
            others.push(ContentType::named("text/plain"));
        }
        let alongside = self.extra_leaves(description, &others, context);
        let is_digest = kind.name == "multipart/digest";
        let default = if is_digest { "message/rfc822" } else { "text/plain" };
        self.entities.push(Entity {
            own,
            alongside,
            trailing: Vec::new(),
            boundaries,
            default,
            is_closed: false,
            needs_header: false,
        });
    }

    /// A mail, and what it is for programs that go by another Content-Type or by the encoding.
    fn open_message(
        &mut self,
        kind: &ContentType,
        description: &Description,
        context: &mut Context<'_>,
    ) {
        let container = self.container(kind, description);
        let encoded = description.encodings.iter().find(|encoding| encoding.is_encoded()).copied();
        let mut mails = Vec::new();
        if let Some(encoding) = encoded {
            context.tell(Ambiguity::EncodedContainer);
            match Leaf::start_extra_mail(container.clone(), encoding, context) {
                Some(leaf) => mails.push(leaf),
                None => {
                    self.leaves = vec![Leaf::start_mail(container, encoding, context)];
                    return;
                }
            }
        }
        let own = Leaf::start(container, Encoding::Identity, context);
        let others: Vec<ContentType> = description
            .types
            .iter()
            .filter(|kind| !kind.is_message() && !kind.is_multipart())
            .cloned()
            .collect();
        mails.append(&mut self.extra_leaves(description, &others, context));
        self.entities.push(Entity {
            own,
            alongside: mails,
            trailing: Vec::new(),
            boundaries: Vec::new(),
            default: "text/plain",
            is_closed: false,
            needs_header: encoded.is_some(),
        });
        self.mode = Mode::Header(Block::default());
    }

    /// All readings of a part: one, and others while there is room for them.
    fn leaves(
        &self,
        description: &Description,
        types: &[ContentType],
        context: &mut Context<'_>,
    ) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        for (part, encoding) in self.readings(description, types) {
            if leaves.is_empty() {
                leaves.push(Leaf::start(part, encoding, context));
            } else {
                leaves.extend(Leaf::start_extra(part, encoding, context));
            }
        }
        leaves
    }

    fn extra_leaves(
        &self,
        description: &Description,
        types: &[ContentType],
        context: &mut Context<'_>,
    ) -> Vec<Leaf> {
        let readings = self.readings(description, types).into_iter();
        readings.filter_map(|(part, encoding)| Leaf::start_extra(part, encoding, context)).collect()
    }

    fn readings(&self, description: &Description, types: &[ContentType]) -> Vec<(Part, Encoding)> {
        let encodings = &description.encodings;
        let pairs =
            types.iter().flat_map(|kind| encodings.iter().map(move |encoding| (kind, encoding)));
        pairs.map(|(kind, &encoding)| (description.part(kind, self.depth()), encoding)).collect()
    }

    fn container(&self, kind: &ContentType, description: &Description) -> Part {
        Part { is_container: true, ..description.part(kind, self.depth()) }
    }

    fn depth(&self) -> usize {
        self.depth + self.entities.len()
    }
}
