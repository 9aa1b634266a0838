//! The tokens of one mail, each once, with what they stand for.
//!
//! Once, since a model counts mails and not words: a word that a mail repeats is hardly more evidence than the word. The
//! text of a word is kept once, in one memory for all; a pair of words refers to both.

use super::hash::{self, Hash};
use super::kind::Kind;

/// What a mail is made of, as far as it tells spam from good mail; at most [`MOST_TOKENS`].
#[derive(Clone, Debug)]
pub struct Tokens {
    tokens: Vec<Token>,
    words: Vec<Word>,
    /// The texts of all words, one behind the other.
    text: String,
    /// The place of a token in `tokens`, and one more, by its hash; 0 where there is none.
    places: Vec<u16>,
}

/// A token of a mail: a word in some place, or two that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    hash: u64,
    word: WordId,
    /// Behind the word, if this is a pair.
    next: Option<WordId>,
}

/// Tells the words of a mail apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WordId(u16);

#[derive(Clone, Copy, Debug)]
struct Word {
    kind: Kind,
    hash: u64,
    begin: u32,
    length: u8,
}

/// What words begin with. Its hash is made once for all of them.
#[derive(Clone, Copy)]
pub(super) struct Beginning<'t> {
    kind: Kind,
    text: &'t str,
    hash: Hash,
}

impl<'t> Beginning<'t> {
    /// Of words of a kind.
    pub(super) const fn of(kind: Kind) -> Self {
        Self { kind, text: "", hash: Hash::of(kind.number()) }
    }

    /// Of words of a kind that begin with this text.
    pub(super) fn with(kind: Kind, text: &'t str) -> Self {
        Self { kind, text, hash: Hash::of(kind.number()).with(text) }
    }
}

impl Token {
    /// The number that it is known by; the same for the same token of any mail.
    #[must_use]
    pub const fn hash(&self) -> u64 {
        self.hash
    }

    /// The numbers of the words that it is made of, below `Tokens::word_count`.
    pub(crate) fn words(&self) -> impl Iterator<Item = usize> {
        let words = std::iter::once(self.word).chain(self.next);
        words.map(|word| usize::from(word.0))
    }
}

impl Tokens {
    /// None as yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            tokens: Vec::with_capacity(USUAL_TOKENS),
            words: Vec::with_capacity(USUAL_TOKENS / 2),
            text: String::with_capacity(USUAL_TOKENS * 4),
            places: vec![0; FIRST_PLACES],
        }
    }

    /// They, in the order in which the mail has them.
    #[must_use]
    pub fn as_slice(&self) -> &[Token] {
        &self.tokens
    }

    /// What a token stands for, to be read by a person: `free money`, `subject:free`.
    #[must_use]
    pub fn text(&self, token: &Token) -> String {
        let (kind, word) = self.word(token.word);
        let mut text = format!("{}{word}", kind.prefix());
        if let Some(next) = token.next {
            text.push(' ');
            text.push_str(self.word(next).1);
        }
        text
    }

    /// A number for the mail as a whole, to remember that it was learned. Mails with the same tokens have the same, such as
    /// one mail that came by two ways.
    #[must_use]
    pub fn mail_hash(&self) -> u64 {
        let add = |sum: u64, token: &Token| sum.wrapping_add(hash::stir(token.hash));
        hash::stir(self.tokens.iter().fold(0, add))
    }

    pub(crate) fn kind(&self, token: &Token) -> Kind {
        self.word(token.word).0
    }

    /// How many words the tokens are made of.
    pub(crate) const fn word_count(&self) -> usize {
        self.words.len()
    }

    /// Adds a word, if it is new and there is room. `None` if it is not there now.
    pub(super) fn add(&mut self, kind: Kind, text: &str) -> Option<WordId> {
        if text.len() > LONGEST_TEXT {
            return self.add_cut(Beginning::of(kind), &[text]);
        }
        let hash = Hash::of(kind.number()).with(text).finish();
        match self.find(hash) {
            Found::Token(word) => Some(word),
            Found::Free(place) => self.put_word(place, kind, hash, &[text]),
            Found::NoRoom => None,
        }
    }

    /// Adds a word that is put together.
    pub(super) fn add_joined(&mut self, kind: Kind, parts: [&str; 3]) {
        self.add_behind(Beginning::of(kind), parts);
    }

    /// Adds a word that is put together of a beginning that is known and what stands behind it.
    pub(super) fn add_behind(&mut self, begin: Beginning<'_>, parts: [&str; 3]) -> Option<WordId> {
        let length = parts.iter().fold(begin.text.len(), |length, part| length + part.len());
        if length > LONGEST_TEXT {
            return self.add_cut(begin, &parts);
        }
        let hash = parts.iter().fold(begin.hash, |hash, part| hash.with(part)).finish();
        match self.find(hash) {
            Found::Token(word) => Some(word),
            Found::Free(place) => {
                let [one, two, three] = parts;
                self.put_word(place, begin.kind, hash, &[begin.text, one, two, three])
            }
            Found::NoRoom => None,
        }
    }

    fn put_word(&mut self, place: usize, kind: Kind, hash: u64, parts: &[&str]) -> Option<WordId> {
        let word = WordId(u16::try_from(self.words.len()).ok()?);
        let begin = u32::try_from(self.text.len()).ok()?;
        parts.iter().for_each(|part| self.text.push_str(part));
        let end = u32::try_from(self.text.len()).ok()?;
        let length = u8::try_from(end - begin).ok()?;
        self.words.push(Word { kind, hash, begin, length });
        self.put(place, Token { hash, word, next: None });
        Some(word)
    }

    #[cold]
    fn add_cut(&mut self, begin: Beginning<'_>, parts: &[&str]) -> Option<WordId> {
        let text = [&[begin.text], parts].concat().concat();
        let text = text.get(..text.floor_char_boundary(LONGEST_TEXT))?;
        self.add(begin.kind, text)
    }

    /// Adds two words that are here and follow each other.
    pub(super) fn add_pair(&mut self, word: WordId, next: WordId) {
        let hash_of = |word: WordId| self.words.get(usize::from(word.0)).map(|word| word.hash);
        let (Some(one), Some(other)) = (hash_of(word), hash_of(next)) else { return };
        let hash = hash::pair(one, other);
        if let Found::Free(place) = self.find(hash) {
            self.put(place, Token { hash, word, next: Some(next) });
        }
    }

    fn put(&mut self, place: usize, token: Token) {
        self.tokens.push(token);
        let number = u16::try_from(self.tokens.len());
        if let (Some(place), Ok(number)) = (self.places.get_mut(place), number) {
            *place = number;
        }
        if self.tokens.len() == FIRST_PLACES / 2 {
            self.grow();
        }
    }

    /// Finds a token, or a place for it.
    fn find(&mut self, hash: u64) -> Found {
        match self.look(hash) {
            Found::NoRoom if self.places.len() < PLACES => {
                self.grow();
                self.look(hash)
            }
            found => found,
        }
    }

    /// Looks at few places: who makes tokens collide loses those that find none.
    fn look(&self, hash: u64) -> Found {
        let all = self.places.len() - 1;
        let begin = usize::try_from(hash & (PLACES as u64 - 1)).unwrap_or(0);
        for step in 0..MOST_STEPS {
            let place = (begin + step) & all;
            let number = usize::from(self.places.get(place).copied().unwrap_or_default());
            match number.checked_sub(1).map(|token| self.tokens.get(token)) {
                Some(Some(token)) if token.hash == hash => return Found::Token(token.word),
                Some(_) => {}
                None if self.tokens.len() < MOST_TOKENS => return Found::Free(place),
                None => return Found::NoRoom,
            }
        }
        Found::NoRoom
    }

    /// Makes room for as many as there may be: each gets the place that it had got there from the beginning.
    #[cold]
    fn grow(&mut self) {
        self.places.clear();
        self.places.resize(PLACES, 0);
        for (number, token) in (1..).zip(&self.tokens) {
            let Found::Free(place) = self.look(token.hash) else { continue };
            if let Some(place) = self.places.get_mut(place) {
                *place = number;
            }
        }
    }

    fn word(&self, word: WordId) -> (Kind, &str) {
        let Some(word) = self.words.get(usize::from(word.0)) else { return (Kind::Word, "") };
        let begin = usize::try_from(word.begin).unwrap_or(usize::MAX);
        let text = self.text.get(begin..begin.saturating_add(usize::from(word.length)));
        (word.kind, text.unwrap_or_default())
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self::new()
    }
}

/// What there is of a token.
enum Found {
    /// It is there; its word, or the first of its words.
    Token(WordId),
    /// Where it can be put.
    Free(usize),
    NoRoom,
}

/// Tokens of one mail, fewer than 2^16. The words that are looked at give some 8,000 at most.
pub const MOST_TOKENS: usize = 12_000;

/// Most mails have fewer.
const USUAL_TOKENS: usize = 1_024;

/// Bytes of the text of a word; fits `Word::length`.
const LONGEST_TEXT: usize = 100;

/// Enough for most mails. A power of two.
const FIRST_PLACES: usize = 4 * 1024;

/// More than the tokens, so that most are found at once; a power of two, so that the remainder is cheap.
const PLACES: usize = 16 * 1024;

/// How many places are looked at.
const MOST_STEPS: usize = 32;
