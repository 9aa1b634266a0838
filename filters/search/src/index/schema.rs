//! The fields of the index. Nothing is stored: the archive has it.

use tantivy::schema::{
    FAST, Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::{IndexSettings, IndexSortByField, Order};

use crate::query::{Key, Place};
use crate::words::RULES;

/// The fields; cheap to copy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    pub(super) seq: Field,
    pub(super) time: Field,
    pub(super) size: Field,
    pub(super) subject: Field,
    pub(super) text: Field,
    pub(super) file: Field,
    pub(super) from: Field,
    pub(super) to: Field,
    pub(super) cc: Field,
    pub(super) bcc: Field,
    /// Whom addresses stand for that are named in To.
    pub(super) to_expanded: Field,
    /// The same of Cc.
    pub(super) cc_expanded: Field,
    /// Whose own mail it is.
    pub(super) owner: Field,
    pub(super) login: Field,
    pub(super) ip: Field,
    pub(super) message_id: Field,
    pub(super) id: Field,
    /// Facts with few values: the direction, whether there is an attachment, whether all was read.
    pub(super) facts: Field,
}

/// The name of the fast field that documents are sorted by.
pub(super) const SEQ: &str = "seq";
/// The term of a mail with an attachment.
pub(super) const ATTACHMENT: &str = "attachment";
/// The term of a mail with something that could not be read.
pub(super) const UNREAD: &str = "unread";

impl Fields {
    /// The schema, always the same: field numbers are fixed by the order here.
    pub(super) fn schema() -> (Schema, Self) {
        let mut schema = Schema::builder();
        let fast = NumericOptions::from(FAST);
        let words = words_options();
        let whole = whole_options();
        let fields = Self {
            seq: schema.add_u64_field(SEQ, fast.clone()),
            time: schema.add_i64_field("time", fast.clone()),
            size: schema.add_u64_field("size", fast),
            subject: schema.add_text_field("subject", words.clone()),
            text: schema.add_text_field("text", words.clone()),
            file: schema.add_text_field("file", words.clone()),
            from: schema.add_text_field("from", words.clone()),
            to: schema.add_text_field("to", words.clone()),
            cc: schema.add_text_field("cc", words.clone()),
            bcc: schema.add_text_field("bcc", words.clone()),
            to_expanded: schema.add_text_field("to-expanded", words.clone()),
            cc_expanded: schema.add_text_field("cc-expanded", words),
            owner: schema.add_text_field("owner", whole.clone()),
            login: schema.add_text_field("login", whole.clone()),
            ip: schema.add_text_field("ip", whole.clone()),
            message_id: schema.add_text_field("message-id", whole.clone()),
            id: schema.add_text_field("id", whole.clone()),
            facts: schema.add_text_field("facts", whole),
        };
        (schema.build(), fields)
    }

    /// The fields of people.
    pub(super) fn people(&self) -> [Field; 6] {
        [self.from, self.to, self.cc, self.bcc, self.to_expanded, self.cc_expanded]
    }

    /// Those of them that are not for every eye.
    pub(super) fn hidden(&self) -> [Field; 3] {
        [self.bcc, self.to_expanded, self.cc_expanded]
    }

    /// The field of those whom the addresses of a place stand for.
    pub(super) fn expanded(&self, place: Place) -> Option<Field> {
        match place {
            Place::To => Some(self.to_expanded),
            Place::Cc => Some(self.cc_expanded),
            Place::Anywhere
            | Place::From
            | Place::Bcc
            | Place::Subject
            | Place::Text
            | Place::File => None,
        }
    }

    /// The field of one place.
    pub(super) fn place(&self, place: Place) -> Option<Field> {
        Some(match place {
            Place::Anywhere => return None,
            Place::From => self.from,
            Place::To => self.to,
            Place::Cc => self.cc,
            Place::Bcc => self.bcc,
            Place::Subject => self.subject,
            Place::Text => self.text,
            Place::File => self.file,
        })
    }

    /// The field of whole values.
    pub(super) fn key(&self, key: Key) -> Field {
        match key {
            Key::Login => self.login,
            Key::Ip => self.ip,
            Key::MessageId => self.message_id,
            Key::Id => self.id,
            Key::Direction => self.facts,
        }
    }
}

/// How tantivy lays documents out: the newest first, which is what every search wants.
pub(super) fn settings() -> IndexSettings {
    IndexSettings {
        sort_by_field: Some(IndexSortByField { field: SEQ.to_owned(), order: Order::Desc }),
        // Nothing is stored, so nothing is worth a thread.
        docstore_compress_dedicated_thread: false,
        ..IndexSettings::default()
    }
}

/// The tokenizer's name carries the version of our rules, and with it the schema does.
pub(super) fn tokenizer_name() -> String {
    format!("mailweir-{RULES}")
}

fn words_options() -> TextOptions {
    options(&tokenizer_name(), IndexRecordOption::WithFreqsAndPositions)
}

fn whole_options() -> TextOptions {
    options("raw", IndexRecordOption::Basic)
}

/// No lengths of fields: nothing is ranked by relevance.
fn options(tokenizer: &str, option: IndexRecordOption) -> TextOptions {
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(tokenizer)
        .set_index_option(option)
        .set_fieldnorms(false);
    TextOptions::default().set_indexing_options(indexing)
}
