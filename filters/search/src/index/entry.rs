//! A mail as tantivy takes it, within bounds.

use std::sync::Arc;

use tantivy::schema::{Field, OwnedValue};

use super::document::{Address, Document};
use super::gate::{Gate, Pass};
use super::indexer::MAX_MAIL_TEXT;
use super::people;
use super::schema::{ATTACHMENT, Fields, UNREAD};
use crate::words::folded;

/// Recipients and names of one mail that are indexed; lists with more are mail of nobody in particular.
const MAX_PEOPLE: usize = 10_000;

/// A document on its way to the writer's thread.
pub(super) struct Entry {
    values: Vec<(Field, OwnedValue)>,
    /// Given back when the writer is done with the document.
    _pass: Pass,
}

/// What an entry takes besides its text, roughly.
const ENTRY: usize = 4_096;

pub(super) type Pairs<'a> = std::iter::Map<
    std::slice::Iter<'a, (Field, OwnedValue)>,
    fn(&'a (Field, OwnedValue)) -> (Field, &'a OwnedValue),
>;

impl Entry {
    /// A document, when there is room for it, and whether something of it was left out.
    pub(super) fn of(fields: &Fields, document: &Document<'_>, gate: &Arc<Gate>) -> (Self, bool) {
        let (values, text, cut) = values(fields, document);
        (Self { values, _pass: gate.pass(text + ENTRY) }, cut)
    }
}

impl tantivy::Document for Entry {
    type Value<'a> = &'a OwnedValue;
    type FieldsValuesIter<'a> = Pairs<'a>;

    fn iter_fields_and_values(&self) -> Pairs<'_> {
        self.values.iter().map(|(field, value)| (*field, value))
    }
}

/// The values of a document, the bytes of text in them, and whether something was left out.
fn values(fields: &Fields, document: &Document<'_>) -> (Vec<(Field, OwnedValue)>, usize, bool) {
    let mut values = Vec::with_capacity(24);
    values.push((fields.seq, OwnedValue::U64(document.seq)));
    values.push((fields.time, OwnedValue::I64(document.time)));
    values.push((fields.size, OwnedValue::U64(document.size)));
    let mut budget = Budget { left: MAX_MAIL_TEXT, people: MAX_PEOPLE, cut: false };
    budget.text(&mut values, fields.subject, document.subject);
    for name in document.files {
        budget.text(&mut values, fields.file, name);
    }
    let Document { from, to, cc, bcc, to_expanded, cc_expanded, .. } = *document;
    let people = [from, to, cc, bcc, to_expanded, cc_expanded];
    for (field, people) in fields.people().into_iter().zip(people) {
        budget.people(&mut values, field, people);
    }
    for text in document.text {
        budget.text(&mut values, fields.text, text);
    }
    let ip = document.ip.map(|ip| ip.to_canonical().to_string());
    let id = document.message_id.map(|id| id.trim().trim_matches(['<', '>']));
    budget.owners(&mut values, fields.owner, document.owners);
    whole(&mut values, fields.login, document.login);
    whole(&mut values, fields.ip, ip.as_deref());
    whole(&mut values, fields.message_id, id);
    whole(&mut values, fields.id, Some(document.id));
    whole(&mut values, fields.facts, document.direction.map(|direction| direction.as_str()));
    whole(&mut values, fields.facts, document.has_attachment.then_some(ATTACHMENT));
    whole(&mut values, fields.facts, document.has_unread.then_some(UNREAD));
    (values, MAX_MAIL_TEXT - budget.left, budget.cut)
}

/// Values that are compared as a whole are no longer than this, in bytes.
const MAX_WHOLE: usize = 1_000;

fn whole(values: &mut Vec<(Field, OwnedValue)>, field: Field, value: Option<&str>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        values.push((field, OwnedValue::Str(folded(beginning(value, MAX_WHOLE)))));
    }
}

/// What of a mail may still be indexed.
struct Budget {
    left: usize,
    people: usize,
    cut: bool,
}

impl Budget {
    fn text(&mut self, values: &mut Vec<(Field, OwnedValue)>, field: Field, text: &str) {
        let taken = self.take(text, self.left);
        if !taken.is_empty() {
            values.push((field, OwnedValue::Str(taken.to_owned())));
        }
    }

    fn people(
        &mut self,
        values: &mut Vec<(Field, OwnedValue)>,
        field: Field,
        people: &[Address<'_>],
    ) {
        for person in people {
            if self.people == 0 {
                self.cut = true;
                return;
            }
            self.people -= 1;
            let name = self.take(person.name, MAX_WHOLE);
            let address = self.take(person.address, MAX_WHOLE);
            values.push((field, people::value(&Address { name, address })));
        }
    }

    fn owners(&mut self, values: &mut Vec<(Field, OwnedValue)>, field: Field, owners: &[&str]) {
        self.cut |= owners.len() > MAX_PEOPLE;
        for owner in owners.iter().take(MAX_PEOPLE) {
            whole(values, field, Some(owner));
        }
    }

    fn take<'t>(&mut self, text: &'t str, at_most: usize) -> &'t str {
        let taken = beginning(text, at_most.min(self.left));
        self.cut |= taken.len() < text.len();
        self.left -= taken.len();
        taken
    }
}

/// The first bytes of `text`, whole characters of them.
fn beginning(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
