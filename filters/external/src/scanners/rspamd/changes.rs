//! What Rspamd wants changed in a mail: the `milter` block of its answer, and what its actions do besides.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use mailweir_mail::{Address, ReversePath, compose};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};

use super::{Wrong, text};
use crate::{edit, verdict::Edit};

/// What the block `milter` wants changed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Milter {
    remove_headers: Table<i64>,
    add_headers: Table<OneOrMany<Added>>,
    change_from: Option<String>,
    add_rcpt: Vec<String>,
    del_rcpt: Vec<String>,
    pub(super) spam_header: Option<SpamHeader>,
}

/// A field to be added.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Added {
    AtTheEnd(String),
    At {
        value: String,
        #[serde(alias = "index")]
        order: Option<i64>,
    },
}

/// What says that a mail is spam: the value of X-Spam, or fields of other names.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum SpamHeader {
    Value(String),
    Fields(BTreeMap<String, String>),
}

/// Something, or a list of it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    pub(super) fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// An object with one value for each key. An empty one may be written as an empty list, since Lua does not know the two
/// apart.
#[derive(Debug)]
pub(super) struct Table<T>(pub(super) BTreeMap<String, T>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TableVisitor(PhantomData))
    }
}

struct TableVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for TableVisitor<T> {
    type Value = Table<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Table<T>, A::Error> {
        let mut table = BTreeMap::new();
        while let Some((key, value)) = map.next_entry::<String, T>()? {
            if table.insert(key, value).is_some() {
                return Err(A::Error::custom("a key stands twice"));
            }
        }
        Ok(Table(table))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Table<T>, A::Error> {
        match list.next_element::<T>()? {
            None => Ok(Table::default()),
            Some(_) => Err(A::Error::custom("a list where an object is expected")),
        }
    }
}

/// The changes of an answer, within bounds.
#[derive(Debug, Default)]
pub(super) struct Changes {
    edits: Vec<Edit>,
    size: usize,
}

impl Changes {
    /// All of a block, in the order in which Rspamd's own milter applies it.
    pub(super) fn apply(&mut self, milter: &Milter) -> Result<(), Wrong> {
        for (name, nth) in &milter.remove_headers.0 {
            self.remove(name, *nth)?;
        }
        for (name, values) in &milter.add_headers.0 {
            for added in values.as_slice() {
                self.add(name, added)?;
            }
        }
        if let Some(sender) = &milter.change_from {
            self.push(Edit::Sender(reverse_path(sender)?), 0)?;
        }
        for recipient in &milter.add_rcpt {
            self.push(Edit::AddRecipient(address(recipient)?), 0)?;
        }
        for recipient in &milter.del_rcpt {
            self.push(Edit::RemoveRecipient(address(recipient)?), 0)?;
        }
        Ok(())
    }

    /// `nth`: 0 is all of them.
    pub(super) fn remove(&mut self, name: &str, nth: i64) -> Result<(), Wrong> {
        let name = field_name(name)?;
        let nth = usize::try_from(nth)
            .map_err(|_| Wrong::unclear("remove_headers counts from the last", name.as_bytes()))?;
        self.push(Edit::Remove { name, nth: (nth > 0).then_some(nth) }, 0)
    }

    fn add(&mut self, name: &str, added: &Added) -> Result<(), Wrong> {
        match added {
            Added::AtTheEnd(text) | Added::At { value: text, order: None | Some(..0) } => {
                let (name, value) = (field_name(name)?, value(text)?);
                let size = value.len();
                self.push(Edit::Append { name, value }, size)
            }
            Added::At { value, order: Some(order) } => {
                self.insert(usize::try_from(*order).unwrap_or(usize::MAX), name, value)
            }
        }
    }

    pub(super) fn insert(&mut self, above: usize, name: &str, text: &str) -> Result<(), Wrong> {
        let (name, value) = (field_name(name)?, value(text)?);
        let size = value.len();
        self.push(Edit::Insert { above, name, value }, size)
    }

    /// Another subject. Rspamd encodes what is not ASCII; what it did not is encoded here.
    pub(super) fn subject(&mut self, text: &str) -> Result<(), Wrong> {
        let value = if text.is_ascii() {
            value(text)?
        } else {
            let field = compose::unstructured("Subject", text);
            let value = field.strip_prefix("Subject:").unwrap_or_default();
            value.trim_end_matches("\r\n").as_bytes().into()
        };
        let size = value.len();
        self.push(Edit::Change { name: "Subject".into(), nth: 1, value }, size)
    }

    pub(super) fn into_edits(self) -> Vec<Edit> {
        self.edits
    }

    fn push(&mut self, edit: Edit, size: usize) -> Result<(), Wrong> {
        self.size += size;
        if self.edits.len() >= MOST_EDITS || self.size > MOST_BYTES {
            return Err(Wrong::Unclear("more changes of the mail than are made".into()));
        }
        self.edits.push(edit);
        Ok(())
    }
}

fn field_name(name: &str) -> Result<Box<str>, Wrong> {
    let is_name = edit::is_field_name(name);
    is_name
        .then(|| name.into())
        .ok_or_else(|| Wrong::unclear("no name of a field", name.as_bytes()))
}

fn value(text: &str) -> Result<Box<[u8]>, Wrong> {
    let value = text::field_value(text);
    value.ok_or_else(|| Wrong::unclear("a field that is too long", text.as_bytes()))
}

fn reverse_path(text: &str) -> Result<ReversePath, Wrong> {
    match text.trim() {
        "" | "<>" => Ok(ReversePath::Null),
        text => Ok(address(text)?.into()),
    }
}

fn address(text: &str) -> Result<Address, Wrong> {
    let text = text.trim();
    let inside = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text);
    Address::parse(inside).map_err(|_| Wrong::unclear("no address", text.as_bytes()))
}

/// Changes of one mail.
const MOST_EDITS: usize = 500;

/// Bytes of all values together.
const MOST_BYTES: usize = 256 * 1024;
