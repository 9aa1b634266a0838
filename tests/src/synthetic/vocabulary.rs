//! The words of a language that nobody speaks: syllables of a script, put together.

use super::Random;

/// Words, the most frequent first, and what stands between them.
#[derive(Debug)]
pub(super) struct Vocabulary {
    words: Vec<String>,
    pub(super) space: &'static str,
}

impl Vocabulary {
    /// The word of rank n about n times more seldom than the first.
    pub(super) fn word(&self, random: &mut Random) -> &str {
        let exponent = random.below(1 << 20) as f64 / f64::from(1 << 20);
        let rank = (self.words.len() as f64).powf(exponent) as usize - 1;
        &self.words[rank.min(self.words.len() - 1)]
    }
}

/// In the order of [`Language::ALL`](super::Language::ALL).
pub(super) fn of_all() -> Vec<Vocabulary> {
    let japanese = [run('\u{3042}', 1, 80), run('\u{4E00}', 13, 900)].concat();
    let scripts = [
        (latin("aeiou"), " "),
        (run('\u{AC00}', 28, 399), " "),
        (japanese, ""),
        (latin("aeiou\u{E9}\u{E8}\u{E0}"), " "),
    ];
    let mut random = Random::new(1);
    scripts.map(|(syllables, space)| made(&syllables, space, &mut random)).into()
}

/// 8,000 words of two to four syllables; the first syllables are the more frequent ones.
fn made(syllables: &[String], space: &'static str, random: &mut Random) -> Vocabulary {
    let mut syllable = || {
        let pick = random.below(syllables.len()).min(random.below(syllables.len()));
        syllables[pick].as_str()
    };
    let words = (0..8_000).map(|rank| (0..2 + rank % 3).map(|_| syllable()).collect());
    Vocabulary { words: words.collect(), space }
}

/// A consonant and a vowel each.
fn latin(vowels: &str) -> Vec<String> {
    let consonants = "bcdfghlmnprstvw".chars();
    consonants.flat_map(|c| vowels.chars().map(move |v| format!("{c}{v}"))).collect()
}

/// Characters at equal distances.
fn run(first: char, step: u32, count: u32) -> Vec<String> {
    let chars = (0..count).filter_map(|place| char::from_u32(u32::from(first) + place * step));
    chars.map(String::from).collect()
}
