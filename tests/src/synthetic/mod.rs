//! Mail that nobody wrote, the same every time: what measurements and tests of an archive fill it with.
//!
//! Four languages, as an index sees them; about 4 KB each; words as often as Zipf says; every fourth mail has half of
//! its text in base64 and the other half attached. [`fill`] puts them into an archive.

mod fill;
mod vocabulary;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use mailweir_mail::{QueueId, Timestamp};

pub use self::fill::{Filled, fill};
use self::vocabulary::Vocabulary;

/// All the mails there are, by their numbers.
#[derive(Debug)]
pub struct Mails(Vec<Vocabulary>);

/// One of them, before it is written down.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Which one it is.
    pub number: u64,
    /// The language of subject and text.
    pub language: Language,
    /// Five words.
    pub subject: String,
    /// The text, or the half of it that is not attached.
    pub text: String,
    /// The text in the attachment; it may begin in the midst of a word.
    pub attached: Option<String>,
    space: &'static str,
}

/// What kinds of text there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// ASCII letters and spaces.
    English,
    /// Syllables with spaces.
    Korean,
    /// Kana and Han without spaces.
    Japanese,
    /// Latin letters, some of them with accents.
    French,
}

impl Language {
    /// Each.
    pub const ALL: [Self; 4] = [Self::English, Self::Korean, Self::Japanese, Self::French];

    /// Whether words are found by their parts without further ado.
    #[must_use]
    pub const fn is_found_by_parts(self) -> bool {
        matches!(self, Self::Korean | Self::Japanese)
    }
}

impl Mails {
    /// With their words made up.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it takes a while")]
    pub fn new() -> Self {
        Self(vocabulary::of_all())
    }

    /// The mail with this number.
    #[must_use]
    pub fn get(&self, number: u64) -> Mail {
        let mut random = Random::new(number.wrapping_mul(0x9E37_79B9).wrapping_add(11));
        let chosen = random.below(self.0.len());
        let (vocabulary, language) = (&self.0[chosen], Language::ALL[chosen]);
        let mut text = String::with_capacity(TEXT + 64);
        while text.len() < TEXT {
            for _ in 0..5 + random.below(12) {
                text.push_str(vocabulary.word(&mut random));
                text.push_str(vocabulary.space);
            }
            text.push_str("\r\n");
        }
        let subject: Vec<&str> = (0..5).map(|_| vocabulary.word(&mut random)).collect();
        let subject = subject.join(vocabulary.space);
        let half = text.floor_char_boundary(text.len() / 2);
        let attached = number.is_multiple_of(4).then(|| text.split_off(half));
        Mail { number, language, subject, text, attached, space: vocabulary.space }
    }
}

impl Mail {
    /// Its name in the queue. One comes each second.
    #[must_use]
    pub const fn id(&self) -> QueueId {
        QueueId::new(self.arrival(), 1)
    }

    /// When it came.
    #[must_use]
    pub const fn arrival(&self) -> Timestamp {
        Timestamp::from_secs(BEGIN + self.number)
    }

    /// Who sent it.
    #[must_use]
    pub fn sender(&self) -> String {
        address(self.number % 1_999)
    }

    /// Whom it is to.
    #[must_use]
    pub fn recipient(&self) -> String {
        address(self.number % 1_777)
    }

    /// What a search for a text sees: the text, and what is attached.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        [Some(&self.text), self.attached.as_ref()].into_iter().flatten().map(String::as_str)
    }

    /// So many words in a row from a line; in Japanese twice as many characters. Empty if no line is so long.
    #[must_use]
    pub fn words(&self, count: usize, random: &mut Random) -> String {
        let is_japanese = self.language == Language::Japanese;
        let units = |line: &str| -> Vec<String> {
            match is_japanese {
                true => line.chars().map(String::from).collect(),
                false => line.split_whitespace().map(str::to_owned).collect(),
            }
        };
        let count = if is_japanese { 2 * count } else { count };
        let lines = self.texts().flat_map(str::lines).map(units);
        let lines: Vec<_> = lines.filter(|line| line.len() >= count).collect();
        let Some(line) = lines.get(random.below(lines.len())) else { return String::new() };
        let first = random.below(line.len() - count + 1);
        line[first..first + count].join(self.space)
    }

    /// The mail as it is sent.
    #[must_use]
    pub fn content(&self) -> String {
        let (from, to) = (self.number % 1_999, self.number % 1_777);
        let head = format!(
            "From: User {from} <{}>\r\nTo: {}\r\nSubject: {}\r\n\
             Message-ID: <{:x}@mail.example.com>\r\nMIME-Version: 1.0\r\n",
            address(from),
            address(to),
            self.subject,
            self.number,
        );
        let Some(attached) = &self.attached else {
            let text = &self.text;
            return format!("{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}");
        };
        format!(
            "{head}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--b\r\nContent-Type: text/plain; charset=utf-8; name=a.txt\r\n\
             Content-Disposition: attachment; filename=a.txt\r\n\r\n{attached}\r\n--b--\r\n",
            base64(self.text.as_bytes())
        )
    }
}

/// Numbers without any meaning, the same for the same seed.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Those that begin with this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next, of those below `end`; 0 where there is none.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }
}

fn address(person: u64) -> String {
    format!("user{person}@dept{}.example.com", person % 17)
}

/// Lines of 76 characters.
fn base64(bytes: &[u8]) -> String {
    let lines: Vec<_> = bytes.chunks(57).map(|line| BASE64_STANDARD.encode(line)).collect();
    lines.join("\r\n")
}

/// Bytes that a text has at least.
const TEXT: usize = 3_400;

/// 2026-01-01, when the first mail came.
const BEGIN: u64 = 1_767_225_600;

#[cfg(test)]
mod tests {
    use mailweir_archive::hash::Hash;

    use super::*;

    /// Figures of different days can be compared as long as this stands.
    #[test]
    fn the_mails_are_the_same_every_time() {
        let mails = Mails::new();
        let all: String = (0..100).map(|number| mails.get(number).content()).collect();
        assert_eq!(Hash::of(all.as_bytes()).to_string(), OF_A_HUNDRED);
    }

    #[test]
    fn words_stand_in_the_text_as_they_are_asked_for() {
        let (mails, mut random) = (Mails::new(), Random::new(1));
        for number in 0..40 {
            let mail = mails.get(number);
            let words = mail.words(3, &mut random);
            let there = mail.texts().any(|text| text.contains(&words));
            assert!(words.chars().count() >= 6 && there, "{number}: {words}");
        }
    }

    const OF_A_HUNDRED: &str = "76075fe185d2146be4ee217dc85b2aa641eb39b32c757293956eb78bfa9d35f7";
}
