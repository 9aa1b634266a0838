//! "Did you mean ...?": the known word that a wrong one is probably a slip of.

/// The word that is nearest to a wrong one, if it is near enough to be a slip of the finger: one letter in three and at most three of
/// them are wrong. Case does not matter; of several that are as near the first is taken. Long words are compared with none.
pub fn nearest<'w>(written: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let written = letters(written.trim())?;
    let slips = (written.len() / 3).clamp(1, MOST_SLIPS);
    let compared = words.into_iter().filter_map(|word| {
        let distance = distance(&written, &letters(word)?);
        (distance <= slips).then_some((word, distance))
    });
    compared.min_by_key(|(_, distance)| *distance).map(|(word, _)| word)
}

/// `None`: too many.
fn letters(word: &str) -> Option<Vec<char>> {
    let is_short = word.len() <= LONGEST_WORD;
    is_short.then(|| word.chars().flat_map(char::to_lowercase).collect())
}

/// How many letters to insert, leave out, replace, or swap with their neighbour (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let at = |row: &[usize], place: usize| row.get(place).copied().unwrap_or(usize::MAX);
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut last_but_one = Vec::new();
    let mut before_left = None;
    for (i, left) in a.iter().enumerate() {
        let (mut row, mut before_right) = (vec![i + 1], None);
        for (j, right) in b.iter().enumerate() {
            let replaced = at(&last, j).saturating_add(usize::from(left != right));
            let inserted_or_left_out = at(&last, j + 1).min(at(&row, j)).saturating_add(1);
            let are_swapped = before_left == Some(right) && before_right == Some(left);
            let swapped = match j.checked_sub(1) {
                Some(place) if are_swapped => at(&last_but_one, place).saturating_add(1),
                Some(_) | None => usize::MAX,
            };
            row.push(replaced.min(inserted_or_left_out).min(swapped));
            before_right = Some(right);
        }
        last_but_one = std::mem::replace(&mut last, row);
        before_left = Some(left);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

/// With more of them it is another word.
const MOST_SLIPS: usize = 3;
/// Bytes of a word that is compared: nobody types longer ones, and the work grows with the square.
const LONGEST_WORD: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_counted() {
        for (a, b, slips) in [
            ("", "", 0),
            ("abc", "", 3),
            ("", "ab", 2),
            ("spf", "spf", 0),
            ("mode", "mdoe", 1),
            ("tls", "tlss", 1),
            ("bind", "bnd", 1),
            ("SPF", "SPG", 1),
            ("weigth", "weight", 1),
            ("a", "xyz", 3),
            ("ca", "abc", 3),
        ] {
            assert_eq!(distance(&letters(a).unwrap(), &letters(b).unwrap()), slips, "{a} {b}");
            assert_eq!(distance(&letters(b).unwrap(), &letters(a).unwrap()), slips, "{b} {a}");
        }
    }

    #[test]
    fn a_word_that_is_far_from_all_has_no_nearest() {
        assert_eq!(nearest("optionl", ["none", "optional"]), Some("optional"));
        assert_eq!(nearest(" OPTIONAL", ["none", "optional"]), Some("optional"));
        assert_eq!(nearest("SPF_FIAL", ["SPF_PASS", "SPF_FAIL"]), Some("SPF_FAIL"));
        assert_eq!(nearest("banana", ["none", "optional"]), None);
        assert_eq!(nearest("none", []), None);
        let long = "a".repeat(100_000);
        assert_eq!(nearest(&long, [&*long]), None);
    }
}
