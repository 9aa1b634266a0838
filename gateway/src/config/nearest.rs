//! "Did you mean ...?": the nearest key, and Postfix's name for it.

pub(super) use mailweir_mail::nearest;

use super::{
    schema::SCHEMAS,
    section::{Key, Schema},
};

/// What is said of the name of a listener that is none.
pub(super) fn no_listener<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(name, known) {
        Some(known) => format!("no listener is named {name:?}; did you mean {known:?}?"),
        None => format!("no listener is named {name:?}"),
    }
}

/// What was probably meant by an unknown name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Suggestion {
    /// As the answer says it.
    pub(super) sentence: String,
    /// The section that is meant.
    pub(super) section: &'static str,
    /// The key that is meant; empty if it is the section itself.
    pub(super) key: &'static str,
}

/// What was probably meant by an unknown key of a section.
pub(super) fn suggest_key(written: &str, schema: &Schema) -> Option<Suggestion> {
    let here = |key: &Key, sentence| Suggestion { sentence, section: schema.name, key: key.name };
    if let Some(key) = schema.written_keys().find(|key| key.postfix.contains(&written)) {
        return Some(here(key, format!("Postfix's {written:?} is {:?} here", key.name)));
    }
    if let Some(suggestion) = suggest_postfix(written) {
        return Some(suggestion);
    }
    let name = nearest(written, schema.written_keys().map(|key| key.name));
    match name.and_then(|name| schema.key(name)) {
        Some(key) => Some(here(key, format!("did you mean {:?}?", key.name))),
        None => suggest_inner(written, schema).or_else(|| suggest_elsewhere(written)),
    }
}

/// A section in the section: `moderator` in `[moderation]`.
fn suggest_inner(written: &str, schema: &Schema) -> Option<Suggestion> {
    let inner = |inner: &'static Schema| {
        Some((inner, inner.name.strip_prefix(schema.name)?.strip_prefix('.')?))
    };
    let sections = || SCHEMAS.iter().filter_map(inner);
    let name = nearest(written, sections().map(|(_, name)| name))?;
    let (meant, _) = sections().find(|(_, known)| *known == name)?;
    let sentence = format!("did you mean {}?", meant.header());
    Some(Suggestion { sentence, section: meant.name, key: "" })
}

/// What was probably meant by an unknown section, or by a key outside of any.
pub(super) fn suggest_section(written: &str) -> Option<Suggestion> {
    suggest_postfix(written).or_else(|| suggest_elsewhere(written)).or_else(|| {
        let name = nearest(written, SCHEMAS.iter().map(|schema| schema.name))?;
        let schema = SCHEMAS.iter().find(|schema| schema.name == name)?;
        let sentence = format!("did you mean {}?", schema.header());
        Some(Suggestion { sentence, section: schema.name, key: "" })
    })
}

fn suggest_postfix(written: &str) -> Option<Suggestion> {
    let (schema, key) = find_key(|key| key.postfix.contains(&written))?;
    let sentence = format!("Postfix's {written:?} is {:?} in {}", key.name, schema.header());
    Some(Suggestion { sentence, section: schema.name, key: key.name })
}

fn suggest_elsewhere(written: &str) -> Option<Suggestion> {
    let (schema, key) = find_key(|key| key.name == written)?;
    let sentence = format!("did you mean {:?} in {}?", key.name, schema.header());
    Some(Suggestion { sentence, section: schema.name, key: key.name })
}

fn find_key(wanted: impl Fn(&Key) -> bool) -> Option<(&'static Schema, &'static Key)> {
    SCHEMAS.iter().find_map(|schema| Some((schema, schema.written_keys().find(|key| wanted(key))?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::section::Section;

    #[test]
    fn a_parameter_of_postfix_leads_to_our_key() {
        let listener = super::super::schema::ListenerSection::SCHEMA;
        let section = |written| suggest_section(written).unwrap().sentence;
        assert_eq!(
            suggest_key("mynetworks", &listener).unwrap().sentence,
            "Postfix's \"mynetworks\" is \"networks\" here"
        );
        assert_eq!(section("relayhost"), "Postfix's \"relayhost\" is \"to\" in [[route]]");
        assert_eq!(section("hostname"), "did you mean \"hostname\" in [server]?");
        assert_eq!(section("listner"), "did you mean [[listener]]?");
    }
}
