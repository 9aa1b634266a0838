//! What a notice says, before it is text or HTML. All strings are clean, none is escaped.

/// A notice.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// The subject field.
    pub(super) subject: String,
    /// Its colour.
    pub(super) tone: Tone,
    /// A word or two above everything else.
    pub(super) tag: &'static str,
    /// The first sentence.
    pub(super) opening: String,
    /// What follows, in order.
    pub(super) blocks: Vec<Block>,
    /// What stands between a name and its value in text.
    pub(super) colon: &'static str,
    /// The small print.
    pub(super) footer: Vec<String>,
}

/// What a notice or a page is for its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something to do.
    Ask,
    /// Something to do soon.
    Warning,
    /// What was hoped for.
    Good,
    /// What was not.
    Bad,
    /// Something to know.
    Calm,
}

#[derive(Clone, Debug)]
pub(super) enum Block {
    /// A sentence.
    Note(String),
    /// Names and values.
    Facts(Vec<Fact>),
    /// Names and values that matter less, each on a line.
    Details(Vec<Fact>),
    /// Foreign lines.
    Quote { label: &'static str, lines: Vec<String> },
    /// One mail of many.
    Entry { heading: String, facts: Vec<Fact>, link: Option<Link> },
    /// What can be done, the first most likely.
    Buttons(Vec<Button>),
    /// The same as plain addresses.
    Links { label: String, links: Vec<Link> },
}

/// A name and what stands beside it.
#[derive(Clone, Debug)]
pub struct Fact {
    /// The name.
    pub label: &'static str,
    /// One value or several.
    pub values: Vec<Value>,
}

/// A value.
#[derive(Clone, Debug)]
pub struct Value {
    /// In words.
    pub text: String,
    /// Whether it is what people look for first.
    pub is_title: bool,
    /// Words that are shown as small labels beside it.
    pub marks: Vec<&'static str>,
}

#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) text: &'static str,
    pub(super) url: String,
}

#[derive(Clone, Debug)]
pub(super) struct Button {
    pub(super) link: Link,
    pub(super) weight: Weight,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// Approves.
    Yes,
    /// Refuses.
    No,
    /// Shows.
    Plain,
}

impl Fact {
    pub(super) fn new(label: &'static str, text: impl Into<String>) -> Self {
        Self { label, values: vec![Value::from(text.into())] }
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self { text, is_title: false, marks: Vec::new() }
    }
}
