//! Which patterns of a table can match a key, found in one pass for all of them.
//!
//! Patterns with words that a match must have are found by those words (Aho-Corasick), and then
//! asked themselves. The others are in one automaton, which says of each whether it matches. What
//! needs backtracking and has no words is asked each time.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind as Literal};
use regex_automata::{
    Input, MatchKind, PatternID, PatternSet,
    meta::{Config, Regex},
    nfa::thompson::WhichCaptures,
};
use regex_syntax::hir::Hir;

use super::{
    firsts::Firsts,
    literals::{Needs, Words, needs, shortest},
    node::Node,
};

/// How it is known whether a pattern can match a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// It can if the pass found one of its words.
    Words,
    /// It does if the pass found it.
    Found,
    /// Only by asking it.
    None,
}

/// The patterns of a table, by number, in one.
#[derive(Debug, Default)]
pub(super) struct Index {
    filters: Vec<Filter>,
    words: Option<AhoCorasick>,
    /// Of each word, the patterns that need it.
    patterns: Vec<Box<[u32]>>,
    many: Option<Many>,
    /// With what keys begin that any pattern matches, if all of them say.
    firsts: Option<Firsts>,
}

#[derive(Debug)]
struct Many {
    regex: Regex,
    patterns: Vec<u32>,
}

/// What a pass found; it is used again for the next key.
#[derive(Clone, Debug)]
pub(super) struct Hits {
    turn: u32,
    /// The turn in which a pattern was last found, and a word.
    patterns: Vec<u32>,
    words: Vec<u32>,
    found: Vec<u32>,
    many: PatternSet,
}

/// What the index is told of a pattern.
#[derive(Debug, Default)]
pub(super) struct Entry {
    needs: Needs,
    hir: Option<(Hir, u64)>,
    firsts: Option<Firsts>,
}

impl Entry {
    /// A pattern whose matches are matches of `node`; `exact` if it is `node`.
    pub(super) fn new(node: &Node, exact: bool) -> Self {
        let needs: Needs =
            needs(node).into_iter().filter(|words| shortest(words) >= MIN_LENGTH).collect();
        let hir = if needs.is_empty() && exact { node.to_hir(false) } else { None };
        let firsts = Firsts::of(node);
        Self { needs, hir: hir.map(|hir| (hir, node.size())), firsts }
    }
}

impl Index {
    /// The index of these patterns. `None` if it would be larger than the engines take.
    pub(super) fn new(entries: &[Entry]) -> Option<Self> {
        let mut filters = vec![Filter::None; entries.len()];
        let chosen = choose(entries);
        let mut literals: BTreeMap<&[u8], Vec<u32>> = BTreeMap::new();
        for (number, words) in (0_u32..).zip(&chosen) {
            let Some(words) = words else { continue };
            filters[number as usize] = Filter::Words;
            for word in *words {
                literals.entry(word).or_default().push(number);
            }
        }
        let words = if literals.is_empty() { None } else { Some(automaton(literals.keys())?) };
        let patterns = literals.into_values().map(Vec::into_boxed_slice).collect();
        let many = Many::new(entries);
        for &number in many.iter().flat_map(|many| &many.patterns) {
            filters[number as usize] = Filter::Found;
        }
        let firsts = Firsts::of_all(entries.iter().map(|entry| entry.firsts.as_ref()));
        Some(Self { filters, words, patterns, many, firsts })
    }

    pub(super) fn filter(&self, pattern: u32) -> Filter {
        self.filters.get(pattern as usize).copied().unwrap_or(Filter::None)
    }

    /// Room for what a pass finds.
    pub(super) fn hits(&self) -> Hits {
        Hits {
            turn: 0,
            patterns: vec![0; self.filters.len()],
            words: vec![0; self.patterns.len()],
            found: Vec::new(),
            many: PatternSet::new(self.many.as_ref().map_or(0, |many| many.patterns.len())),
        }
    }

    /// Whether a pass over some part of `text` may find anything. Words are whole in a part only if they are in the whole; of the
    /// other patterns nothing is known.
    pub(super) fn may_find_within(&self, text: &[u8]) -> bool {
        self.many.is_some() || self.words.as_ref().is_some_and(|words| words.is_match(text))
    }

    /// Whether a pattern can match a key that begins as `key` does.
    pub(super) fn may_begin(&self, key: &[u8]) -> bool {
        self.firsts.as_ref().is_none_or(|firsts| firsts.begin(key))
    }

    /// Finds what can match `key`, in no order.
    pub(super) fn pass<'h>(&self, key: &[u8], hits: &'h mut Hits) -> &'h [u32] {
        hits.start();
        if !self.may_begin(key) {
            return &hits.found;
        }
        if let Some(words) = &self.words
            && let Ok(found) = words.try_find_overlapping_iter(key)
        {
            for word in found {
                hits.word(word.pattern().as_usize(), &self.patterns);
            }
        }
        if let Some(many) = &self.many {
            hits.many.clear();
            many.regex.which_overlapping_matches(&Input::new(key), &mut hits.many);
            for index in hits.many.iter().map(|found: PatternID| found.as_usize()) {
                let pattern = many.patterns[index];
                hits.patterns[pattern as usize] = hits.turn;
                hits.found.push(pattern);
            }
        }
        &hits.found
    }
}

impl Hits {
    /// Whether the last pass found this pattern.
    pub(super) fn has(&self, pattern: u32) -> bool {
        self.patterns.get(pattern as usize) == Some(&self.turn)
    }

    fn start(&mut self) {
        self.found.clear();
        self.turn = self.turn.wrapping_add(1);
        if self.turn == 0 {
            self.patterns.fill(0);
            self.words.fill(0);
            self.turn = 1;
        }
    }

    fn word(&mut self, word: usize, patterns: &[Box<[u32]>]) {
        if self.words[word] == self.turn {
            return;
        }
        self.words[word] = self.turn;
        for &pattern in &patterns[word] {
            let seen = &mut self.patterns[pattern as usize];
            if *seen != self.turn {
                *seen = self.turn;
                self.found.push(pattern);
            }
        }
    }
}

impl Many {
    /// The patterns without words, in one automaton, as far as they go into it.
    fn new(entries: &[Entry]) -> Option<Self> {
        let mut size = 0;
        let mut patterns = Vec::new();
        let mut hirs = Vec::new();
        for (number, entry) in (0_u32..).zip(entries) {
            let Some((hir, states)) = &entry.hir else { continue };
            size += states;
            if size > MAX_STATES {
                break;
            }
            patterns.push(number);
            hirs.push(hir);
        }
        if patterns.len() < 2 {
            return None;
        }
        let config = Config::new()
            .match_kind(MatchKind::All)
            .utf8_empty(false)
            .which_captures(WhichCaptures::None)
            .nfa_size_limit(None)
            .hybrid_cache_capacity(CACHE);
        let regex = Regex::builder().configure(config).build_many_from_hir(&hirs).ok()?;
        Some(Self { regex, patterns })
    }
}

/// Of the sets of words of each pattern, the one whose words the fewest patterns have: `subject:`
/// says little where all rules have it.
fn choose(entries: &[Entry]) -> Vec<Option<&Words>> {
    let mut uses: BTreeMap<&[u8], usize> = BTreeMap::new();
    for word in entries.iter().flat_map(|entry| &entry.needs).flatten() {
        *uses.entry(word).or_default() += 1;
    }
    let cost = |words: &&Words| {
        let shared: usize =
            words.iter().map(|word| uses.get(&word[..]).copied().unwrap_or(0)).sum();
        (shared, std::cmp::Reverse(shortest(words)))
    };
    entries.iter().map(|entry| entry.needs.iter().min_by_key(cost)).collect()
}

fn automaton<'w>(words: impl Iterator<Item = &'w &'w [u8]>) -> Option<AhoCorasick> {
    AhoCorasickBuilder::new()
        .ascii_case_insensitive(true)
        .match_kind(Literal::Standard)
        .build(words)
        .ok()
}

/// Bytes of a word; a single one is in too many keys.
const MIN_LENGTH: usize = 2;

/// Of the patterns without words together.
const MAX_STATES: u64 = 200_000;

/// Bytes that their automaton keeps for what it has seen, for each thread at work.
const CACHE: usize = 8 * 1024 * 1024;
