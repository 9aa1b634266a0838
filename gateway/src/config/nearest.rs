//! "Did you mean ...?": the nearest word, the nearest key, and Postfix's name for it.

use super::{
    schema::SCHEMAS,
    section::{Key, Schema},
};

/// The word that `written` probably is a slip of.
pub(super) fn nearest<'a>(
    written: &str,
    words: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let written = written.trim().to_ascii_lowercase();
    let (word, distance) = words
        .into_iter()
        .map(|word| (word, distance(&written, &word.to_ascii_lowercase())))
        .min_by_key(|(_, distance)| *distance)?;
    (distance <= slips(&written)).then_some(word)
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

/// How many slips of the finger a word of this length may have and still be meant.
fn slips(word: &str) -> usize {
    (word.chars().count() / 3).clamp(1, 3)
}

/// How many letters to insert, leave out, replace, or swap with their neighbour (optimal string
/// alignment). Long words are not compared: nobody types them.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().max(b.len()) > LONGEST_WORD {
        return usize::MAX;
    }
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let swapped = if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                rows[i - 2][j - 2] + 1
            } else {
                replaced
            };
            row.push(replaced.min(swapped).min(rows[i - 1][j] + 1).min(row[j - 1] + 1));
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

const LONGEST_WORD: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::section::Section;

    #[test]
    fn slips_of_the_finger_are_counted() {
        for (a, b, slips) in [
            ("", "", 0),
            ("mode", "mdoe", 1),
            ("tls", "tlss", 1),
            ("bind", "bnd", 1),
            ("a", "xyz", 3),
        ] {
            assert_eq!(distance(a, b), slips, "{a} {b}");
        }
    }

    #[test]
    fn a_word_that_is_far_from_all_has_no_nearest() {
        assert_eq!(nearest("optionl", ["none", "optional"]), Some("optional"));
        assert_eq!(nearest("OPTIONAL", ["none", "optional"]), Some("optional"));
        assert_eq!(nearest("banana", ["none", "optional"]), None);
    }

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
