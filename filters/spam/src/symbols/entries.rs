//! What each symbol weighs: the table of `default.toml`, and what an administrator changed of it.

use std::collections::BTreeMap;

use super::{
    Finding, Mistake, Points, Score, Symbol,
    file::{self, File},
    score,
};

/// The weights of all symbols, and the limits of their groups. The default is what is built in.
#[derive(Clone, Debug)]
pub struct Weights {
    /// In the order of [`Symbol::ALL`].
    entries: Vec<Entry>,
    groups: BTreeMap<Box<str>, Group>,
}

/// What is known of a symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it adds to the score at strength 1; below zero for what speaks for the mail.
    pub weight: Points,
    /// Whether it counts at all.
    pub is_on: bool,
    /// What it counts among.
    pub group: Box<str>,
    /// What it means, on one line.
    pub description: Box<str>,
    /// What becomes of it when it is found more than once.
    pub repeats: Repeats,
    /// Why it may quarantine a mail without anything else, if it may.
    pub alone: Option<Box<str>>,
}

/// What becomes of a symbol that is found more than once in a mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeats {
    /// It counts once, where it is strongest.
    #[default]
    Strongest,
    /// Each counts: lists that know nothing of each other.
    Each,
}

/// Symbols of one sort, which together count only so much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they have in common.
    pub description: Box<str>,
    /// What they add at most.
    pub most: Points,
    /// What they take away at most: zero or below.
    pub least: Points,
}

impl Weights {
    /// The built-in weights with what a file of the administrator changes: weights, limits of groups, and
    /// `on = false` for symbols that shall not count. The file is TOML like `default.toml`; what it leaves out stays.
    /// A symbol that would quarantine a mail without any other needs its reason (`alone`).
    ///
    /// # Errors
    /// All mistakes of the file, in the order of its lines.
    pub fn with_file(text: &str) -> Result<Self, Vec<Mistake>> {
        let mut weights = Self::default();
        let file = file::read(text, |group| weights.groups.contains_key(group))?;
        let mut changed: Vec<_> = file.symbols.iter().map(|(name, of)| (of.line, *name)).collect();
        changed.sort_unstable();
        weights.change(file);
        let mistakes: Vec<_> = changed
            .into_iter()
            .filter_map(|(line, symbol)| weights.without_reason(symbol, line))
            .collect();
        if mistakes.is_empty() { Ok(weights) } else { Err(mistakes) }
    }

    /// How much a symbol can add without any other: its weight, or what its group has room for if it may repeat. Only
    /// the strength of what lists and scanners say can be more than 1, and these may repeat or have their reason.
    #[must_use]
    pub fn most_alone(&self, symbol: Symbol) -> Points {
        let entry = self.of(symbol);
        if !entry.is_on || entry.weight <= Points::ZERO {
            return Points::ZERO;
        }
        let room = self.groups.get(&entry.group).map(|group| group.most);
        match (entry.repeats, room) {
            (Repeats::Strongest, Some(room)) => entry.weight.min(room),
            (Repeats::Strongest, None) => entry.weight,
            (Repeats::Each, room) => room.unwrap_or(Points::from_tenths(i32::MAX)),
        }
    }

    /// What is known of a symbol.
    #[must_use]
    pub fn of(&self, symbol: Symbol) -> &Entry {
        // Every symbol has its entry, in this order: `Default` makes them so.
        self.entries.get(symbol as usize).unwrap_or(&NOTHING)
    }

    /// The groups by name.
    pub fn groups(&self) -> impl Iterator<Item = (&str, &Group)> {
        self.groups.iter().map(|(name, group)| (&**name, group))
    }

    /// Adds up what was found.
    #[must_use]
    pub fn score(&self, findings: impl IntoIterator<Item = Finding>) -> Score {
        score::add_up(self, findings)
    }

    /// The mistake of a symbol that would quarantine a mail without any other, and does not say why it may. Only one
    /// that was changed can: a test holds that none of the built-in ones does, whatever its group has room for.
    fn without_reason(&self, symbol: Symbol, line: usize) -> Option<Mistake> {
        let (most, bound) = (self.most_alone(symbol), Points::QUARANTINE);
        if self.of(symbol).alone.is_some() || most < bound {
            return None;
        }
        let what = format!(
            "{symbol} would quarantine a mail without any other symbol, by {most} points of {bound}: expected a \
             weight below {bound}, or the reason why it may (alone)"
        );
        Some(Mistake { line, what })
    }

    fn change(&mut self, file: File) {
        for (name, change) in file.groups {
            let group = self.groups.entry(name).or_insert_with(|| Group {
                description: Box::default(),
                most: Points::ZERO,
                least: Points::ZERO,
            });
            group.most = change.most.unwrap_or(group.most);
            group.least = change.least.unwrap_or(group.least);
            group.description =
                change.description.unwrap_or_else(|| std::mem::take(&mut group.description));
        }
        for (symbol, change) in file.symbols {
            let Some(entry) = self.entries.get_mut(symbol as usize) else { continue };
            entry.weight = change.weight.unwrap_or(entry.weight);
            entry.is_on = change.is_on.unwrap_or(entry.is_on);
            entry.repeats = change.repeats.unwrap_or(entry.repeats);
            entry.group = change.group.unwrap_or_else(|| std::mem::take(&mut entry.group));
            entry.description =
                change.description.unwrap_or_else(|| std::mem::take(&mut entry.description));
            entry.alone = change.alone.or_else(|| entry.alone.take());
        }
    }
}

impl Default for Weights {
    fn default() -> Self {
        let mut weights =
            Self { entries: vec![NOTHING.clone(); Symbol::ALL.len()], groups: BTreeMap::new() };
        // A test holds that the file has no mistake.
        if let Ok(file) = file::read(BUILT_IN, |_| false) {
            weights.change(file);
        }
        weights
    }
}

/// What stands in a file that has no entry for a symbol.
static NOTHING: std::sync::LazyLock<Entry> = std::sync::LazyLock::new(|| Entry {
    weight: Points::ZERO,
    is_on: true,
    group: Box::default(),
    description: Box::default(),
    repeats: Repeats::Strongest,
    alone: None,
});

/// The file that is built in.
pub(super) const BUILT_IN: &str = include_str!("default.toml");
