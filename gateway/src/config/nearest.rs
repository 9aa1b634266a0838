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

/// What was probably meant by an unknown key of a section, as a sentence.
pub(super) fn suggest_key(written: &str, schema: &Schema) -> Option<String> {
    let of_postfix = schema.keys.iter().find(|key| key.postfix.contains(&written));
    if let Some(key) = of_postfix {
        return Some(format!("Postfix's {written:?} is {:?} here", key.name));
    }
    if let Some(sentence) = suggest_postfix(written) {
        return Some(sentence);
    }
    if let Some(name) = nearest(written, schema.keys.iter().map(|key| key.name)) {
        return Some(format!("did you mean {name:?}?"));
    }
    suggest_elsewhere(written)
}

/// What was probably meant by an unknown section, or by a key outside of any, as a sentence.
pub(super) fn suggest_section(written: &str) -> Option<String> {
    suggest_postfix(written).or_else(|| suggest_elsewhere(written)).or_else(|| {
        let name = nearest(written, SCHEMAS.iter().map(|schema| schema.name))?;
        let schema = SCHEMAS.iter().find(|schema| schema.name == name)?;
        Some(format!("did you mean {}?", schema.header()))
    })
}

fn suggest_postfix(written: &str) -> Option<String> {
    let (schema, key) = find_key(|key| key.postfix.contains(&written))?;
    Some(format!("Postfix's {written:?} is {:?} in {}", key.name, schema.header()))
}

fn suggest_elsewhere(written: &str) -> Option<String> {
    let (schema, key) = find_key(|key| key.name == written)?;
    Some(format!("did you mean {:?} in {}?", key.name, schema.header()))
}

fn find_key(wanted: impl Fn(&Key) -> bool) -> Option<(&'static Schema, &'static Key)> {
    SCHEMAS.iter().find_map(|schema| Some((schema, schema.keys.iter().find(|key| wanted(key))?)))
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
        assert_eq!(
            suggest_key("mynetworks", &listener).unwrap(),
            "Postfix's \"mynetworks\" is \"networks\" here"
        );
        assert_eq!(
            suggest_section("relayhost").unwrap(),
            "Postfix's \"relayhost\" is \"to\" in [[route]]"
        );
        assert_eq!(suggest_section("hostname").unwrap(), "did you mean \"hostname\" in [server]?");
        assert_eq!(suggest_section("listner").unwrap(), "did you mean [[listener]]?");
    }
}
