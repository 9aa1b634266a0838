//! Terms and what asks for them, against each other.

use proptest::prelude::*;

use super::class::{Class, class};
use super::fold::normalised;
use super::{MAX_TERM, MAX_TEXT, PAIR, Pattern, Terms, Wanted, wanted};

fn terms(text: &str) -> Vec<(usize, String)> {
    let mut terms = Terms::of(text);
    let mut all = Vec::new();
    while terms.advance() {
        all.push((terms.position(), terms.term().to_owned()));
    }
    all
}

fn shown(text: &str) -> String {
    let shown: Vec<_> = terms(text).into_iter().map(|(at, term)| format!("{at}{term}")).collect();
    shown.join(" ").replace(PAIR, "+")
}

/// The model of an index that holds one text.
fn holds(text: &str, wanted: &Wanted) -> bool {
    let terms = terms(text);
    let phrase = wanted.phrase.is_empty()
        || terms.iter().any(|(start, _)| {
            wanted
                .phrase
                .iter()
                .all(|(at, term)| terms.iter().any(|(p, t)| *p == start + at && t == term))
        });
    let singles = wanted.singles.iter().all(|&c| terms.iter().any(|(_, term)| term.starts_with(c)));
    let pattern = wanted.pattern.as_ref().is_none_or(|(pattern, part)| {
        terms.iter().any(|(_, term)| match pattern {
            Pattern::Begins => term.starts_with(part),
            Pattern::Ends => term.ends_with(part),
            Pattern::Within => term.contains(part),
        })
    });
    phrase && singles && pattern
}

fn finds(text: &str, looked_for: &str) -> bool {
    let wanted = wanted(looked_for);
    assert!(!wanted.is_empty(), "{looked_for:?} asks for nothing");
    holds(text, &wanted)
}

#[test]
fn words_stand_one_behind_the_other() {
    assert_eq!(shown("Quarterly report, 2026-Q3!"), "0quarterly 1report 22026 3q3");
    assert_eq!(shown("l’avis d'Hélène"), "0l 1avis 2d 3hélène 3helene");
    assert_eq!(shown(""), "");
    assert_eq!(shown(" .,\u{301}- "), "");
}

#[test]
fn scripts_without_word_breaks_become_pairs_with_a_tail() {
    assert_eq!(shown("見積書"), "0見積 1積書 2書");
    assert_eq!(shown("山"), "0山");
    assert_eq!(shown("회의록을 보내"), "0회의 1의록 2록을 3을 4보내 5내");
    assert_eq!(shown("データー々"), "0デー 1ータ 2ター 3ー々 4々");
}

#[test]
fn a_border_of_scripts_is_no_border() {
    assert_eq!(shown("A社"), "0a社 0a 1社");
    assert_eq!(shown("第3回"), "0第3 13回 13 2回");
    assert_eq!(shown("iPad用"), "0+ip 1+pa 2+ad 3d用 0ipad 4用");
    assert!(finds("iPad用ケース", "pad用ケ"));
    assert!(finds("iPad用ケース", "ipad"));
    assert!(!finds("iPad用ケース", "ip"), "a pair is no word");
}

#[test]
fn words_beside_other_scripts_stand_beside_each_other() {
    assert!(finds("社内のGoogle Driveへ", "google drive"));
    assert!(finds("社内の\nGoogle Drive\nへ", "google drive"));
    assert!(finds("は My Google Driveへ", "my google drive"));
    assert!(finds(&format!("は{} bcd", "a".repeat(100)), &format!("{} bcd", "a".repeat(100))));
}

#[test]
fn a_line_break_in_a_word_is_none() {
    assert_eq!(shown("見積\r\n書"), shown("見積書"));
    assert_eq!(shown("견적 \n서"), shown("견적서"));
    assert!(finds("見積\n書を\nお送り", "書をお"));
    assert!(!finds("見積\n\n書", "見積書"), "an empty line ends a paragraph");
    assert!(!finds("見積\n\u{3000}書", "見積書"), "so does an indent");
    assert!(finds("第\n3回\nA社", "3回a"));
    assert_eq!(shown("two\nwords"), "0two 1words");
}

#[test]
fn accents_need_not_be_typed_and_count_if_they_are() {
    assert!(finds("un café noir", "cafe noir"));
    assert!(finds("un café noir", "Café NOIR"));
    assert!(!finds("un cafe noir", "café"));
    assert!(finds("l'œuvre", "oeuvre"));
    assert!(
        finds("このcaféで", "café") && finds("このcaféで", "cafe") && finds("このcaféで", "éで")
    );
    assert!(finds("aujourd’hui", "aujourd'hui"));
}

#[test]
fn width_and_composition_do_not_matter() {
    assert!(finds("ﾐﾂﾓﾘ", "ミツモリ"));
    assert!(finds("ＡＢＣ商事", "abc商"));
    assert!(finds("\u{1100}\u{1161}\u{1102}\u{1161}다", "가나"));
    assert!(finds("cafe\u{301}", "café"));
    assert!(finds("請\u{200B}求\u{FE00}書", "請求書"));
}

#[test]
fn one_character_is_found_wherever_it_stands() {
    for text in ["山", "山川", "大山", "富士山の", "A山", "山。"] {
        assert!(finds(text, "山"), "{text}");
    }
    assert!(!finds("川", "山"));
}

#[test]
fn spaces_in_a_phrase_may_be_missing_in_the_text() {
    assert!(finds("회의록을보내", "회의록을 보내"));
    assert!(!finds("보내 회의록을", "회의록을 보내"));
}

#[test]
fn a_known_part_of_a_word_is_a_pattern() {
    let part = |text: &str, pattern| wanted(text).with_pattern(pattern);
    assert!(holds("invoices", &part("invo", Pattern::Begins).unwrap()));
    assert!(holds("invoices", &part("voic", Pattern::Within).unwrap()));
    assert!(holds("invoices", &part("ices", Pattern::Ends).unwrap()));
    assert!(!holds("invoices", &part("oice", Pattern::Ends).unwrap()));
    assert!(holds("mail.example.com", &part("example.co", Pattern::Begins).unwrap()));
    assert_eq!(part("example.co", Pattern::Within), None);
    assert_eq!(part("見積", Pattern::Begins), None);
    assert_eq!(part("...", Pattern::Begins), None);
}

#[test]
fn a_long_word_is_found_whole_and_by_its_beginning() {
    let word = "x".repeat(MAX_TERM) + "yz" + &"w".repeat(MAX_TERM);
    assert!(terms(&word).iter().all(|(_, term)| term.len() <= MAX_TERM));
    assert!(finds(&format!("a {word} b"), &word));
    assert!(!finds(&format!("a {word} b"), &word[1..]));
    assert!(holds(&word, &wanted(&word[..MAX_TERM - 1]).with_pattern(Pattern::Begins).unwrap()));
}

#[test]
fn a_text_gives_no_more_terms_than_agreed() {
    let text = "é ".repeat(MAX_TEXT);
    assert_eq!(terms(&text).len(), MAX_TEXT);
}

proptest! {
    /// The promise to auditors: what stands in the text is found by what stands in the text.
    #[test]
    fn every_part_of_a_run_with_unspaced_characters_is_found(
        text in "[ -~éÀœßａＺｱｶﾞ漢字山川一々〆カナをーゝ가나다라\u{1100}\u{1161}\u{301}\u{3099}\u{200B}、。「\n\u{3000}ไทย\u{20BB7}]{0,40}",
        from in 0usize..40, length in 2usize..12,
    ) {
        let text = normalised(&text).into_owned();
        let part: String = text.chars().skip(from).take(length).collect();
        let classes: Vec<Class> = part.chars().map(class).collect();
        let is_run = !classes.contains(&Class::Break);
        if is_run && classes.contains(&Class::Unspaced) {
            prop_assert!(finds(&text, &part), "{part:?} in {text:?}: {}", shown(&text));
        }
    }

    /// Words are found as they stand, pieces of words by `*part*`.
    #[test]
    fn every_word_and_every_part_of_it_is_found(
        text in "[a-cA-C0-9éÉßœ' .漢]{0,40}", from in 0usize..40, length in 1usize..6,
    ) {
        for word in text.split([' ', '.', '\'', '漢']).filter(|word| !word.is_empty()) {
            prop_assert!(finds(&text, word), "{word:?} in {text:?}");
            let part: String = word.chars().skip(from).take(length).collect();
            if !part.is_empty() {
                let within = wanted(&part).with_pattern(Pattern::Within).unwrap();
                prop_assert!(holds(&text, &within), "{part:?} in {text:?}");
            }
        }
    }

    /// The index counts on it.
    #[test]
    fn positions_of_a_term_never_fall_and_terms_are_short(text in "\\PC{0,60}|[a-z漢가 \n]{0,200}") {
        let terms = terms(&text);
        for (index, (position, term)) in terms.iter().enumerate() {
            let rises = terms[..index].iter().all(|(p, t)| t != term || p <= position);
            prop_assert!(rises, "{term:?}");
        }
        let short = |term: &str| (1..=3 * MAX_TERM).contains(&term.chars().count());
        prop_assert!(terms.iter().all(|(_, term)| short(term)));
    }

    /// A question never panics, and its phrase starts at zero.
    #[test]
    fn any_text_can_be_looked_for(text in "\\PC{0,60}") {
        let wanted = wanted(&text);
        prop_assert!(wanted.phrase.first().is_none_or(|(at, _)| *at == 0));
        for pattern in [Pattern::Begins, Pattern::Ends, Pattern::Within] {
            let _ = wanted.clone().with_pattern(pattern);
        }
    }
}
