//! What a header describes begins: a part in all its readings, a multipart, an attached mail.

use super::block::Block;
use super::description::{ContentType, Description};
use super::entity::Entity;
use super::leaf::{Encoding, Leaf};
use super::machine::{Layer, Mode};
use super::{Ambiguity, Context, MOST_LAYERS, Part};

impl Layer {
    /// What a program reads for which the body began at the line that is no field.
    pub(super) fn strict(
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

    /// Begins what a header describes.
    pub(super) fn open(&mut self, description: &Description, context: &mut Context<'_>) {
        let is_encoded = description.is_encoded();
        let is_deep = self.depth() >= context.shared.limits.depth
            || (is_encoded && context.shared.layers >= MOST_LAYERS);
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
        if description.is_encoded() {
            context.tell(Ambiguity::EncodedContainer);
        }
        let own = Leaf::start(self.container(kind, description), Encoding::Identity, context);
        let mut others: Vec<ContentType> =
            description.types.iter().filter(|kind| !kind.is_multipart()).cloned().collect();
        if others.is_empty() && boundaries.len() > 1 {
            // For a program that knows none of the boundaries, or another one.
            others.push(ContentType::named("text/plain"));
        }
        let beside = self.extra_leaves(description, &others, context);
        let is_digest = kind.name == "multipart/digest";
        let default = if is_digest { "message/rfc822" } else { "text/plain" };
        self.entities.push(Entity {
            own,
            boundaries,
            default,
            is_closed: false,
            needs_header: false,
        });
        self.entities.add_beside(beside);
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
            boundaries: Vec::new(),
            default: "text/plain",
            is_closed: false,
            needs_header: encoded.is_some(),
        });
        self.entities.add_beside(mails);
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
        let mut readings = Vec::new();
        for kind in types {
            // Types may differ in what a part without parts has no use for.
            let part = description.part(kind, self.depth());
            if readings.iter().all(|(known, _)| *known != part) {
                readings
                    .extend(description.encodings.iter().map(|&encoding| (part.clone(), encoding)));
            }
        }
        readings
    }

    fn container(&self, kind: &ContentType, description: &Description) -> Part {
        Part { is_container: true, ..description.part(kind, self.depth()) }
    }
}
