//! The declarative schema: one declaration of a section gives its struct, its reader, the check
//! for unknown keys, and its page in the reference.
//!
//! [`section!`](crate::config::section) turns a struct with documented fields into all of that,
//! so a key cannot exist without a meaning, a type and, where it has one, a default.

use super::{problem::Problems, raw::RawTable, schema::SCHEMAS};

/// A section of the file, made by [`section!`].
pub(super) trait Section: Sized {
    /// What the section is called, what it means, and its keys.
    const SCHEMA: Schema;

    /// Reads all keys, reports each that is wrong or missing. `None` if one had no value that
    /// could stand in; then at least one error was reported.
    fn read(table: &RawTable, problems: &mut Problems<'_>) -> Option<Self>;
}

/// What the reference says of a section.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schema {
    /// The name of the section: `listener`.
    pub(super) name: &'static str,
    /// Whether the section may stand several times: `[[listener]]`.
    pub(super) repeats: bool,
    /// What it is about, one string per line.
    pub(super) doc: &'static [&'static str],
    /// Its keys, in the order of the reference.
    pub(super) keys: &'static [Key],
}

impl Schema {
    /// The key of this name.
    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The keys that may stand in the file; others come from the environment only.
    pub(super) fn written_keys(&self) -> impl Iterator<Item = &'static Key> + Clone {
        self.keys.iter().filter(|key| !key.example.is_empty())
    }

    /// The schema of the section that stands in this one under `name`: `backend` in `auth`.
    pub(super) fn inner(&self, name: &str) -> Option<&'static Self> {
        let is_inner = |schema: &&Self| {
            let rest = schema.name.strip_prefix(self.name).and_then(|rest| rest.strip_prefix('.'));
            rest == Some(name)
        };
        SCHEMAS.iter().find(is_inner)
    }

    /// How problems name the section of this index: `dns`, `listener[0]`.
    pub(super) fn path(&self, index: usize) -> String {
        if self.repeats { format!("{}[{index}]", self.name) } else { self.name.to_owned() }
    }

    /// The header as the file writes it: `[dns]`, `[[listener]]`.
    pub(super) fn header(&self) -> String {
        if self.repeats { format!("[[{}]]", self.name) } else { format!("[{}]", self.name) }
    }
}

/// What the reference says of a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    /// The name, without its section.
    pub(super) name: &'static str,
    /// What it means, one string per line.
    pub(super) doc: &'static [&'static str],
    /// Which values it takes, in words.
    pub(super) allowed: &'static str,
    /// A value in TOML that shows the form; empty if the key must not stand in the file.
    pub(super) example: &'static str,
    /// The value that stands in when the key is absent, in TOML.
    pub(super) default: Option<&'static str>,
    /// Whether the key may be absent though it has no default.
    pub(super) optional: bool,
    /// The parameters of Postfix that this key answers to.
    pub(super) postfix: &'static [&'static str],
}

/// Declares a section: a struct whose fields are the keys of the file.
///
/// `field as "key": Type = default, postfix "parameter";` where `as`, `=` and `postfix` are
/// optional. The default is written as Rust and as TOML at once: a string, a number, a boolean,
/// or an array of strings.
macro_rules! section {
    (
        $(#[doc = $doc:literal])+
        $vis:vis $kind:ident $section:literal $name:ident {
            $(
                $(#[doc = $key_doc:literal])+
                $field:ident $(as $written:literal)? : $type:ty $(= $default:expr)?
                $(, postfix $($postfix:literal)+)? ;
            )+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug)]
        $vis struct $name {
            $( $(#[doc = $key_doc])+ pub $field: $type, )+
        }

        impl $crate::config::section::Section for $name {
            const SCHEMA: $crate::config::section::Schema = $crate::config::section::Schema {
                name: $section,
                repeats: section!(@repeats $kind),
                doc: &[$($doc),+],
                keys: &[$(
                    $crate::config::section::Key {
                        name: section!(@name $field $($written)?),
                        doc: &[$($key_doc),+],
                        allowed: <$type as $crate::config::setting::Setting>::ALLOWED,
                        example: <$type as $crate::config::setting::Setting>::EXAMPLE,
                        default: section!(@default $($default)?),
                        optional: <$type as $crate::config::setting::Setting>::OPTIONAL,
                        postfix: &[$($($postfix),+)?],
                    }
                ),+],
            };

            fn read(
                table: &$crate::config::raw::RawTable,
                problems: &mut $crate::config::problem::Problems<'_>,
            ) -> Option<Self> {
                // All keys are read before the first missing one ends this: all problems at once.
                $( let $field = table.read(&Self::SCHEMA, section!(@name $field $($written)?), problems); )+
                Some(Self { $( $field: $field?, )+ })
            }
        }
    };
    (@repeats table) => { false };
    (@repeats tables) => { true };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $written:literal) => { $written };
    (@default) => { None };
    (@default $default:expr) => { Some(stringify!($default)) };
}

pub(super) use section;
