//! The word that was probably meant by a misspelt one.

/// The known word that is nearest, if it is near enough to be a slip of the finger.
pub(super) fn nearest<'w>(written: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let written: Vec<char> = written.chars().take(LONGEST).flat_map(char::to_lowercase).collect();
    let slips = (written.len() / 3).clamp(1, 3);
    let far = |word: &str| distance(&written, &word.to_lowercase().chars().collect::<Vec<_>>());
    let (word, distance) =
        words.map(|word| (word, far(word))).min_by_key(|(_, distance)| *distance)?;
    (distance <= slips).then_some(word)
}

/// How many letters to insert, leave out or replace (Levenshtein).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        let mut next = vec![before];
        for (right, above) in b.iter().zip(row.iter().skip(1)) {
            let replaced = diagonal + usize::from(left != right);
            diagonal = *above;
            before = replaced.min(before + 1).min(above + 1);
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

/// Characters of a word that are compared. No name is that long.
const LONGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_counted() {
        let distance = |a: &str, b: &str| {
            distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>())
        };
        for (a, b, slips) in [
            ("", "", 0),
            ("abc", "", 3),
            ("", "ab", 2),
            ("spf", "spf", 0),
            ("SPF", "SPG", 1),
            ("weigth", "weight", 2),
        ] {
            assert_eq!(distance(a, b), slips, "{a} {b}");
        }
    }

    #[test]
    fn a_word_that_is_far_from_all_has_no_nearest() {
        assert_eq!(nearest("SPF_FIAL", ["SPF_FAIL", "SPF_PASS"].into_iter()), Some("SPF_FAIL"));
        assert_eq!(nearest("banana", ["weight", "on"].into_iter()), None);
    }
}
