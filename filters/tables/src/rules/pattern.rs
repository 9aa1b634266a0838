//! One pattern of a table: which engine runs it, whether it matches, what its groups hold.
//!
//! The automaton of a pattern is made when a key first comes as far as needing it: of ten thousand
//! rules most never see a key that has their words. Whether it can be made is known before.

use std::sync::OnceLock;

use regex_automata::{
    Input,
    meta::{Config, Regex},
    nfa::thompson::WhichCaptures,
};
use regex_syntax::hir::{Hir, Look};

use super::{
    Dialect, Engine, Matching,
    backtrack::{Backtracker, Refusal, Stop},
    node::Node,
    perl::Perl,
    posix::{self, Posix, submatch::Program},
    source::PatternSource,
};
use crate::PatternSteps;

/// A pattern that was compiled, or that is sure to compile.
#[derive(Debug)]
pub(super) struct Pattern {
    kind: Kind,
    source: PatternSource,
    runner: Runner,
    groups: u32,
    /// What it does at a newline at the end of the key is not what the automaton does.
    newline_matters: bool,
}

/// What all patterns of a table have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) dialect: Dialect,
    pub(super) matching: Matching,
}

/// Where the groups of a match are; index 0 is the whole.
pub(super) type Groups = Vec<Option<(usize, usize)>>;

#[derive(Debug)]
enum Runner {
    Automaton { plain: OnceLock<Automaton>, twin: OnceLock<Option<Backtracker>> },
    Backtracking(Backtracker),
}

#[derive(Debug)]
struct Automaton {
    /// With groups, where a result asks for them and the dialect is `pcre:`.
    regex: Regex,
    /// The groups of `regexp:`.
    submatches: Option<Program>,
}

impl Pattern {
    /// Compiles a pattern, or makes sure that it can be. `groups`: what they hold is asked for.
    /// The tree is what a match needs at least; for the automaton it is the pattern itself.
    pub(super) fn new(
        kind: Kind,
        source: PatternSource,
        groups: bool,
    ) -> Result<(Self, Option<Node>), Refusal> {
        match kind.dialect {
            Dialect::Pcre => Self::perl(kind, source, groups),
            Dialect::Regexp => Self::posix(kind, source, groups),
        }
    }

    fn perl(
        kind: Kind,
        source: PatternSource,
        groups: bool,
    ) -> Result<(Self, Option<Node>), Refusal> {
        // PCRE2 alone says what is a pattern and how many groups it has.
        let backtracker = Backtracker::new(&source.text, source.flags, kind.matching)?;
        let count = backtracker.groups();
        let perl = Perl::parse(&source.text, source.flags, kind.matching);
        let is_exact = |perl: &Perl| {
            perl.is_exact
                && perl.groups == count
                && perl.node.size() <= MAX_STATES
                && !(groups && perl.node.has_empty_loop())
        };
        let newline_matters = perl.as_ref().is_some_and(|perl| perl.newline_matters);
        let runner = if perl.as_ref().is_some_and(is_exact) {
            Runner::automaton()
        } else {
            Runner::Backtracking(backtracker)
        };
        let pattern = Self { kind, source, runner, groups: count, newline_matters };
        Ok((pattern, perl.map(|perl| perl.node)))
    }

    fn posix(
        kind: Kind,
        source: PatternSource,
        groups: bool,
    ) -> Result<(Self, Option<Node>), Refusal> {
        let posix = Posix::parse(&source.text, source.flags, kind.matching).map_err(|error| {
            if error == posix::TOO_DEEP {
                return Refusal::Unsupported(error);
            }
            Refusal::Posix(error)
        })?;
        let count = posix.groups;
        let is_small = posix.node.size() <= MAX_STATES;
        let runner = if posix.has_back_references || !is_small {
            if groups && !posix.has_back_references {
                return Err(Refusal::Unsupported("too large a pattern to say what groups hold"));
            }
            Runner::Backtracking(Backtracker::for_posix(
                &posix.to_perl(),
                source.flags.caseless,
                kind.matching,
            )?)
        } else {
            Runner::automaton()
        };
        let pattern = Self { kind, source, runner, groups: count, newline_matters: false };
        Ok((pattern, Some(posix.node)))
    }

    pub(super) fn engine(&self) -> Engine {
        match self.runner {
            Runner::Automaton { .. } => Engine::Automaton,
            Runner::Backtracking(_) => Engine::Backtracking,
        }
    }

    /// How many groups it has.
    pub(super) fn groups(&self) -> u32 {
        self.groups
    }

    /// Whether an automaton's answer holds for this key.
    pub(super) fn is_regular_for(&self, key: &[u8]) -> bool {
        self.engine() == Engine::Automaton && !(self.newline_matters && key.ends_with(b"\n"))
    }

    pub(super) fn is_match(&self, key: &[u8], steps: &PatternSteps) -> Result<bool, Stop> {
        match self.run(key)? {
            Run::Automaton(automaton) => Ok(automaton.regex.is_match(key)),
            Run::Backtracking(backtracker) => backtracker.is_match(key, steps),
        }
    }

    /// Where its groups matched, if it matches.
    pub(super) fn captures(
        &self,
        key: &[u8],
        steps: &PatternSteps,
    ) -> Result<Option<Groups>, Stop> {
        match self.run(key)? {
            Run::Automaton(automaton) => automaton.captures(key, steps),
            Run::Backtracking(backtracker) => backtracker.captures(key, steps),
        }
    }

    fn run(&self, key: &[u8]) -> Result<Run<'_>, Stop> {
        match &self.runner {
            Runner::Backtracking(backtracker) => Ok(Run::Backtracking(backtracker)),
            Runner::Automaton { twin, .. } if !self.is_regular_for(key) => {
                let PatternSource { text, flags, .. } = &self.source;
                twin.get_or_init(|| Backtracker::new(text, *flags, self.kind.matching).ok())
                    .as_ref()
                    .map(Run::Backtracking)
                    .ok_or(Stop::NotApplicable)
            }
            Runner::Automaton { plain, .. } => match plain.get() {
                Some(automaton) => Ok(Run::Automaton(automaton)),
                None => {
                    let made = self.automaton().ok_or(Stop::TooManySteps)?;
                    Ok(Run::Automaton(plain.get_or_init(|| made)))
                }
            },
        }
    }

    /// The automaton. It was made sure that there is one.
    fn automaton(&self) -> Option<Automaton> {
        let PatternSource { text, flags, .. } = &self.source;
        let matching = self.kind.matching;
        match self.kind.dialect {
            Dialect::Pcre => {
                let perl = Perl::parse(text, *flags, matching)?;
                let regex = build(&perl.node.to_hir(true)?, WhichCaptures::All)?;
                Some(Automaton { regex, submatches: None })
            }
            Dialect::Regexp => {
                let posix = Posix::parse(text, *flags, matching).ok()?;
                let regex = build(&posix.node.to_hir(false)?, WhichCaptures::Implicit)?;
                let submatches = Some(Program::new(&posix.node, posix.groups));
                Some(Automaton { regex, submatches })
            }
        }
    }
}

enum Run<'p> {
    Automaton(&'p Automaton),
    Backtracking(&'p Backtracker),
}

impl Runner {
    fn automaton() -> Self {
        Self::Automaton { plain: OnceLock::new(), twin: OnceLock::new() }
    }
}

impl Automaton {
    fn captures(&self, key: &[u8], steps: &PatternSteps) -> Result<Option<Groups>, Stop> {
        if let Some(program) = &self.submatches {
            // Where a match starts is the same whichever of several is meant.
            let Some(found) = self.regex.find(key) else { return Ok(None) };
            return program.captures(key, found.start(), steps).map(Some);
        }
        let mut captures = self.regex.create_captures();
        self.regex.search_captures(&Input::new(key), &mut captures);
        if !captures.is_match() {
            return Ok(None);
        }
        let spans = captures.iter().map(|span| span.map(|span| (span.start, span.end)));
        Ok(Some(spans.collect()))
    }
}

/// The automaton of one pattern.
fn build(hir: &Hir, captures: WhichCaptures) -> Option<Regex> {
    let config = Config::new()
        .utf8_empty(false)
        .which_captures(captures)
        .nfa_size_limit(None)
        .hybrid_cache_capacity(CACHE);
    Regex::builder().configure(config).build_from_hir(hir).ok()
}

/// Whether a place is one that the automaton sees.
pub(super) fn word_boundary(matching: Matching, negated: bool) -> Look {
    match (matching, negated) {
        (Matching::Bytes, false) => Look::WordAscii,
        (Matching::Bytes, true) => Look::WordAsciiNegate,
        (Matching::Text, false) => Look::WordUnicode,
        (Matching::Text, true) => Look::WordUnicodeNegate,
    }
}

/// Larger patterns backtrack: what an automaton of this size takes is some megabytes.
const MAX_STATES: u64 = 20_000;

/// Bytes that an automaton keeps for what it has seen, for each thread at work.
const CACHE: usize = 256 * 1024;
