//! The terms of a text, as they go into the index.

use std::borrow::Cow;

use super::class::{Class, class};
use super::fold::{lower, normalised, plain};
use super::{MAX_TERM, MAX_TEXT, PAIR};

/// The terms of a text, one after another; positions of one term never fall.
///
/// The term is lent, not given: an index takes hundreds of millions of them.
#[derive(Debug)]
pub struct Terms<'t> {
    text: Cow<'t, str>,
    /// Where the next run is looked for, in bytes.
    at: usize,
    /// The position of the next run.
    position: usize,
    /// Terms that may still be given.
    left: usize,
    run: Run,
    ready: Ready,
    next: usize,
}

impl<'t> Terms<'t> {
    /// The terms of `text`, of its first [`MAX_TEXT`] characters.
    pub fn of(text: &'t str) -> Self {
        Self {
            text: normalised(text),
            at: 0,
            position: 0,
            left: 2 * MAX_TEXT,
            run: Run::default(),
            ready: Ready::default(),
            next: 0,
        }
    }

    /// Goes to the next term; false if there is none.
    pub fn advance(&mut self) -> bool {
        if self.left == 0 {
            return false;
        }
        self.next += 1;
        if self.next > self.ready.spans.len() && !self.read_run() {
            self.next = self.ready.spans.len() + 1;
            return false;
        }
        self.left -= 1;
        true
    }

    /// The term that [`advance`](Self::advance) went to; empty before the first and after the last.
    pub fn term(&self) -> &str {
        self.span().map_or("", |span| &self.ready.text[span.from..span.to])
    }

    /// The position of [`term`](Self::term). Terms of one phrase stand as far apart as here.
    pub fn position(&self) -> usize {
        self.span().map_or(0, |span| span.position)
    }

    fn span(&self) -> Option<&Span> {
        self.ready.spans.get(self.next.checked_sub(1)?)
    }

    /// Makes the terms of the next run ready; false if there is no other.
    fn read_run(&mut self) -> bool {
        self.ready.clear();
        self.next = 1;
        while let Some(end) = self.run.read(&self.text, self.at) {
            self.at = end;
            self.position = self.ready.fill(&self.run, self.position);
            if !self.ready.spans.is_empty() {
                return true;
            }
        }
        self.at = self.text.len();
        false
    }
}

/// Letters and digits that stand together, in lower case.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// With accents.
    pub(super) exact: Vec<char>,
    /// Whether any of them is of a script without word breaks.
    pub(super) unspaced: bool,
}

impl Run {
    /// Reads the first run of `text` from byte `at` on, and says where it ends.
    pub(super) fn read(&mut self, text: &str, mut at: usize) -> Option<usize> {
        self.exact.clear();
        self.unspaced = false;
        let mut last = Class::Break;
        while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
            match class(c) {
                Class::Unseen => {}
                Class::Break | Class::Mark if self.exact.is_empty() => {}
                Class::Mark => lower(c, |c| self.exact.push(c)),
                Class::Break => {
                    match wrap(&text[at..], last) {
                        Some(skip) => at += skip,
                        None => return Some(at),
                    }
                    continue;
                }
                kind @ (Class::Spaced | Class::Unspaced) => {
                    self.unspaced |= kind == Class::Unspaced;
                    last = kind;
                    lower(c, |c| self.exact.push(c));
                }
            }
            at += c.len_utf8();
        }
        (!self.exact.is_empty()).then_some(at)
    }

    /// The run without accents, as its pairs are made: characters, and which of the run each was.
    pub(super) fn plain(&self, out: &mut Vec<(char, usize)>) {
        out.clear();
        for (index, &c) in self.exact.iter().enumerate() {
            plain(c, |c| out.push((c, index)));
        }
    }
}

/// The bytes of one line break, if the character before or behind it is of a script without word
/// breaks.
fn wrap(text: &str, last: Class) -> Option<usize> {
    let next = text.trim_start_matches([' ', '\t', '\r']).strip_prefix('\n')?;
    let first = class(next.chars().next()?);
    let joins = matches!(
        (last, first),
        (Class::Unspaced, Class::Spaced | Class::Unspaced) | (Class::Spaced, Class::Unspaced)
    );
    joins.then_some(text.len() - next.len())
}

/// Terms that wait to be given, in one string.
#[derive(Debug, Default)]
struct Ready {
    text: String,
    spans: Vec<Span>,
    /// The run without accents; kept to be written over.
    plain: Vec<(char, usize)>,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    from: usize,
    to: usize,
    position: usize,
}

impl Ready {
    fn clear(&mut self) {
        self.text.clear();
        self.spans.clear();
    }

    /// Adds the terms of `run` from `position` on, and says where the next run stands.
    fn fill(&mut self, run: &Run, position: usize) -> usize {
        if run.unspaced { self.pairs(run, position) } else { self.word(&run.exact, position) }
    }

    /// One word, in pieces if it is long.
    fn word(&mut self, word: &[char], mut position: usize) -> usize {
        for piece in word.chunks(MAX_TERM) {
            self.push(position, piece.iter().copied());
            self.push_plain(position, piece);
            position += 1;
        }
        position
    }

    /// The form without accents, if it is another.
    fn push_plain(&mut self, position: usize, word: &[char]) {
        if word.iter().all(char::is_ascii) {
            return;
        }
        let mut other = String::new();
        for &c in word {
            plain(c, |c| other.push(c));
        }
        if !other.is_empty() && !other.chars().eq(word.iter().copied()) {
            self.push(position, other.chars());
        }
    }

    /// Pairs, and the words among them. A place of a run is a place of its form without accents; the
    /// first word stands at the run's begin and the last at its end, beside what comes before and behind.
    fn pairs(&mut self, run: &Run, position: usize) -> usize {
        let mut chars = std::mem::take(&mut self.plain);
        run.plain(&mut chars);
        let spaced =
            |index: usize| chars.get(index).is_some_and(|(c, _)| class(*c) == Class::Spaced);
        let exact = |from: usize, to: usize| {
            let end = chars.get(to).map_or(run.exact.len(), |(_, origin)| *origin);
            &run.exact[chars[from].1..end]
        };
        let mut word = 0;
        for (index, &(c, _)) in chars.iter().enumerate() {
            let here = position + index;
            match chars.get(index + 1) {
                Some(&(next, _)) if spaced(index) && spaced(index + 1) => {
                    self.push(here, [PAIR, c, next]);
                }
                Some(&(next, _)) => self.push(here, [c, next]),
                None if spaced(index) => {}
                None => self.push(here, [c]),
            }
            if !spaced(index) {
                word = index + 1;
            } else if index + 1 == chars.len() {
                let last = exact(word, chars.len());
                self.word(last, (here + 1).saturating_sub(last.len().div_ceil(MAX_TERM)));
            } else if !spaced(index + 1) {
                self.word(exact(word, index + 1), position + word);
            }
        }
        let next = position + chars.len();
        self.plain = chars;
        next
    }

    fn push(&mut self, position: usize, chars: impl IntoIterator<Item = char>) {
        let from = self.text.len();
        self.text.extend(chars);
        self.spans.push(Span { from, to: self.text.len(), position });
    }
}
