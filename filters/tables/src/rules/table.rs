//! A table of patterns in memory, and its answer for a key.

use std::{borrow::Cow, fmt, sync::Arc};

use regex_automata::util::pool::Pool;

use super::{
    Dialect, Engine, Matching,
    backtrack::{Refusal, Stop},
    index::{Entry, Filter, Hits, Index},
    pattern::{Kind, Pattern},
    source::{self, PatternSource, RuleSource, Statement},
    template::Template,
};
use crate::{
    Found, LookupError, PatternSteps, Place, Warning,
    lines::{Line, Lines},
    nfkc,
    text::is_space,
};

/// A `regexp:` or `pcre:` table.
pub(crate) struct RuleTable {
    name: Arc<str>,
    rules: Vec<Rule>,
    scopes: Vec<Scope>,
    patterns: Vec<Pattern>,
    /// The line of each pattern.
    lines: Vec<u32>,
    index: Index,
    /// Of a pattern that is the first of a rule, the rule.
    rule_of: Vec<Option<u32>>,
    /// The rules that can hold though the pass does not find their pattern, in order.
    always: Vec<u32>,
    /// Whether some pattern backtracks.
    backtracks: bool,
    scratch: Pool<Scratch, Box<dyn Fn() -> Scratch + Send + Sync>>,
}

/// Why a table of patterns cannot be used at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RulesError {
    /// Postfix can run this pattern and we cannot. Without it the table would mean something else.
    #[error("line {line}: {reason}")]
    Pattern {
        /// The line, from 1.
        line: u32,
        /// Why, in words.
        reason: Box<str>,
    },
    /// There are more patterns, or larger ones, than fit.
    #[error("the patterns together are too large")]
    TooLarge,
}

#[derive(Debug)]
struct Rule {
    line: u32,
    scope: Option<u32>,
    first: Condition,
    second: Option<Condition>,
    result: Template,
}

#[derive(Clone, Copy, Debug)]
struct Condition {
    pattern: u32,
    negated: bool,
}

/// What stands between `if` and `endif`.
#[derive(Debug)]
struct Scope {
    outer: Option<u32>,
    condition: Condition,
}

#[derive(Clone, Debug)]
struct Scratch {
    hits: Hits,
    /// The rules to ask, and what is known of the scopes.
    rules: Vec<u32>,
    scopes: Vec<Option<bool>>,
    known: Vec<u32>,
}

impl RuleTable {
    /// Reads a table from the content of its file. `name` is the table as it was configured.
    /// What Postfix warns of is a warning; a line that it skips is skipped.
    ///
    /// # Errors
    /// A pattern that Postfix takes cannot be run here.
    pub(crate) fn parse(
        dialect: Dialect,
        matching: Matching,
        name: Arc<str>,
        source: &[u8],
    ) -> Result<(Self, Vec<Warning>), RulesError> {
        let mut reader = Reader::new(Kind { dialect, matching }, Arc::clone(&name));
        for line in Lines::new(source) {
            reader.line(line)?;
        }
        for (line, _) in std::mem::take(&mut reader.open).into_iter().rev() {
            reader.warn(line, "IF has no matching ENDIF");
        }
        let index = Index::new(&reader.entries).ok_or(RulesError::TooLarge)?;
        let warnings = reader.warnings;
        Ok((Self::new(name, reader.rules, reader.scopes, reader.patterns, index), warnings))
    }

    /// The result of the first rule that holds for `key`.
    ///
    /// # Errors
    /// A pattern took too many steps before a rule held, or those of the mail are used up.
    pub(crate) fn lookup_within(
        &self,
        key: &[u8],
        steps: &PatternSteps,
    ) -> Result<Option<Found<'_>>, LookupError> {
        let mut scratch = self.scratch.get();
        let scratch = &mut *scratch;
        self.select(key, scratch);
        let Scratch { hits, rules, scopes, known } = scratch;
        let mut question = Question { table: self, key, steps, hits, scopes, known };
        for &rule in rules.iter() {
            let rule = &self.rules[rule as usize];
            if let Some(value) = question.value(rule)? {
                return Ok(Some(Found { value, place: self.place(rule.line) }));
            }
        }
        Ok(None)
    }

    /// Whether a rule may hold for a key that is a part of `text` and does not end in a newline.
    pub(crate) fn may_hold_within(&self, text: &[u8]) -> bool {
        !self.always.is_empty() || self.index.may_find_within(text)
    }

    /// Whether a rule may hold for a key that begins as this does.
    pub(crate) fn may_hold_at(&self, begin: &[u8]) -> bool {
        !self.always.is_empty() || self.index.may_begin(begin)
    }

    #[cfg(test)]
    pub(crate) fn lookup(&self, key: &[u8]) -> Result<Option<Found<'_>>, LookupError> {
        self.lookup_within(key, &PatternSteps::all())
    }

    /// The result of each rule as it is written, with its line.
    pub(crate) fn values(&self) -> impl Iterator<Item = (u32, Cow<'_, [u8]>)> {
        self.rules.iter().map(|rule| (rule.line, rule.result.written()))
    }

    /// How many rules there are; an `if` is none.
    pub(crate) fn len(&self) -> usize {
        self.rules.len()
    }

    /// What runs each pattern, with its line: rules and `if`s, in the order of the file.
    pub(crate) fn engines(&self) -> impl Iterator<Item = (u32, Engine)> {
        self.lines.iter().zip(&self.patterns).map(|(&line, pattern)| (line, pattern.engine()))
    }

    fn new(
        name: Arc<str>,
        rules: Vec<Rule>,
        scopes: Vec<Scope>,
        patterns: Vec<(u32, Pattern)>,
        index: Index,
    ) -> Self {
        let mut rule_of = vec![None; patterns.len()];
        let mut always = Vec::new();
        for (number, rule) in (0_u32..).zip(&rules) {
            let Condition { pattern, negated } = rule.first;
            if negated || index.filter(pattern) == Filter::None {
                always.push(number);
            } else {
                rule_of[pattern as usize] = Some(number);
            }
        }
        let scratch = Scratch {
            hits: index.hits(),
            rules: Vec::new(),
            scopes: vec![None; scopes.len()],
            known: Vec::new(),
        };
        let scratch: Box<dyn Fn() -> Scratch + Send + Sync> = Box::new(move || scratch.clone());
        let (lines, patterns): (_, Vec<Pattern>) = patterns.into_iter().unzip();
        let backtracks = patterns.iter().any(|pattern| pattern.engine() == Engine::Backtracking);
        let scratch = Pool::new(scratch);
        Self { name, rules, scopes, patterns, lines, index, rule_of, always, backtracks, scratch }
    }

    /// Whether some pattern runs on the backtracking engine: a lookup may then take milliseconds.
    pub(crate) const fn backtracks(&self) -> bool {
        self.backtracks
    }

    /// The rules to ask for this key, in order: all that can hold.
    fn select(&self, key: &[u8], scratch: &mut Scratch) {
        for scope in scratch.known.drain(..) {
            scratch.scopes[scope as usize] = None;
        }
        let found = self.index.pass(key, &mut scratch.hits);
        scratch.rules.clear();
        scratch.rules.extend(found.iter().filter_map(|&pattern| self.rule_of[pattern as usize]));
        if key.ends_with(b"\n") {
            // The pass may have missed what a newline at the end makes different.
            scratch.rules.clear();
            scratch.rules.extend(0..u32::try_from(self.rules.len()).unwrap_or(u32::MAX));
            return;
        }
        scratch.rules.extend_from_slice(&self.always);
        scratch.rules.sort_unstable();
    }

    fn place(&self, line: u32) -> Place {
        Place { table: Arc::clone(&self.name), line: Some(line) }
    }
}

impl fmt::Debug for RuleTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuleTable")
            .field("name", &self.name)
            .field("rules", &self.rules.len())
            .finish_non_exhaustive()
    }
}

/// A key on its way through a table.
struct Question<'t, 's> {
    table: &'t RuleTable,
    key: &'s [u8],
    steps: &'s PatternSteps,
    hits: &'s Hits,
    scopes: &'s mut Vec<Option<bool>>,
    known: &'s mut Vec<u32>,
}

impl<'t> Question<'t, '_> {
    /// The result of a rule, if it holds.
    fn value(&mut self, rule: &'t Rule) -> Result<Option<Cow<'t, [u8]>>, LookupError> {
        if !self.is_within(rule.scope)? {
            return Ok(None);
        }
        let Some(result) = rule.result.constant() else { return self.expanded(rule) };
        let holds = self.holds(rule.first)? && self.second_holds(rule)?;
        Ok(holds.then_some(Cow::Borrowed(result)))
    }

    fn expanded(&mut self, rule: &'t Rule) -> Result<Option<Cow<'t, [u8]>>, LookupError> {
        let Condition { pattern, .. } = rule.first;
        if self.is_ruled_out(pattern) {
            return Ok(None);
        }
        let captures = self.table.patterns[pattern as usize].captures(self.key, self.steps);
        let Some(groups) = self.answer(pattern, captures)?.flatten() else { return Ok(None) };
        if !self.second_holds(rule)? {
            return Ok(None);
        }
        let value = rule.result.expand(|group| {
            let (start, end) = (*groups.get(group as usize)?)?;
            self.key.get(start..end)
        });
        Ok(Some(Cow::Owned(value)))
    }

    fn second_holds(&mut self, rule: &Rule) -> Result<bool, LookupError> {
        rule.second.map_or(Ok(true), |second| self.holds(second))
    }

    /// Whether all `if`s around hold, from the outermost in, each asked once.
    fn is_within(&mut self, scope: Option<u32>) -> Result<bool, LookupError> {
        let mut unknown = Vec::new();
        let mut next = scope;
        let mut holds = true;
        while let Some(scope) = next {
            if let Some(known) = self.scopes[scope as usize] {
                holds = known;
                break;
            }
            unknown.push(scope);
            next = self.table.scopes[scope as usize].outer;
        }
        while let Some(scope) = unknown.pop() {
            holds = holds && self.holds(self.table.scopes[scope as usize].condition)?;
            self.scopes[scope as usize] = Some(holds);
            self.known.push(scope);
        }
        Ok(holds)
    }

    fn holds(&self, condition: Condition) -> Result<bool, LookupError> {
        let Condition { pattern, negated } = condition;
        let table = self.table;
        if self.is_ruled_out(pattern) {
            return Ok(negated);
        }
        let asked = &table.patterns[pattern as usize];
        if table.index.filter(pattern) == Filter::Found && asked.is_regular_for(self.key) {
            return Ok(!negated);
        }
        let matches = self.answer(pattern, asked.is_match(self.key, self.steps))?;
        // What cannot be applied holds neither way, as in Postfix.
        Ok(matches.is_some_and(|matches| matches != negated))
    }

    /// Whether the pass says that a pattern does not match.
    fn is_ruled_out(&self, pattern: u32) -> bool {
        match self.table.index.filter(pattern) {
            Filter::None => false,
            Filter::Words => !self.hits.has(pattern),
            Filter::Found => {
                !self.hits.has(pattern)
                    && self.table.patterns[pattern as usize].is_regular_for(self.key)
            }
        }
    }

    fn answer<T>(&self, pattern: u32, found: Result<T, Stop>) -> Result<Option<T>, LookupError> {
        let place = || self.table.place(self.table.lines[pattern as usize]);
        match found {
            Ok(found) => Ok(Some(found)),
            Err(Stop::NotApplicable) => Ok(None),
            Err(Stop::TooManySteps) => Err(LookupError::TooManySteps { place: place() }),
            Err(Stop::NoneLeft) => Err(LookupError::NoStepsLeft { place: place() }),
            Err(Stop::Unknown) => {
                let reason = "with the flag E, this pattern and this key are not supported".into();
                Err(LookupError::Value { place: place(), reason })
            }
        }
    }
}

/// A table as far as it was read.
struct Reader {
    kind: Kind,
    name: Arc<str>,
    rules: Vec<Rule>,
    scopes: Vec<Scope>,
    patterns: Vec<(u32, Pattern)>,
    entries: Vec<Entry>,
    /// The `if`s that are open: their lines and scopes.
    open: Vec<(u32, u32)>,
    warnings: Vec<Warning>,
}

impl Reader {
    fn new(kind: Kind, name: Arc<str>) -> Self {
        Self {
            kind,
            name,
            rules: Vec::new(),
            scopes: Vec::new(),
            patterns: Vec::new(),
            entries: Vec::new(),
            open: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn warn(&mut self, line: u32, text: impl Into<Box<str>>) {
        let table = Arc::clone(&self.name);
        self.warnings.push(Warning { table, line: Some(line), text: text.into() });
    }

    fn line(&mut self, line: Line<'_>) -> Result<(), RulesError> {
        let (number, text) = match line {
            Line::Logical(number, text) => (number, text),
            Line::Stray(number, said) => {
                self.warn(number, said);
                return Ok(());
            }
        };
        let text = rule_text(&text);
        if text.is_empty() {
            return Ok(());
        }
        let mut noticed = Vec::new();
        let nested = !self.open.is_empty();
        let statement = source::read(self.kind.dialect, text, nested, &mut noticed);
        for text in noticed {
            self.warn(number, text);
        }
        match statement {
            Some(Statement::Rule(rule)) => self.rule(number, rule),
            Some(Statement::If(pattern)) => self.condition(number, pattern),
            Some(Statement::EndIf) => {
                self.open.pop();
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn rule(&mut self, line: u32, rule: RuleSource) -> Result<(), RulesError> {
        let RuleSource { first, second, result } = rule;
        let Some(first) = self.compile(line, first, result.highest())? else { return Ok(()) };
        let second = match second {
            Some(second) => match self.compile(line, second, 0)? {
                Some(second) => Some(second),
                None => return Ok(()),
            },
            None => None,
        };
        let scope = self.scope();
        let first = self.add(line, first);
        let second = second.map(|second| self.add(line, second));
        self.rules.push(Rule { line, scope, first, second, result });
        Ok(())
    }

    fn condition(&mut self, line: u32, pattern: PatternSource) -> Result<(), RulesError> {
        let Some(compiled) = self.compile(line, pattern, 0)? else { return Ok(()) };
        let outer = self.scope();
        let condition = self.add(line, compiled);
        let scope = u32::try_from(self.scopes.len()).map_err(|_| RulesError::TooLarge)?;
        self.scopes.push(Scope { outer, condition });
        self.open.push((line, scope));
        Ok(())
    }

    fn scope(&self) -> Option<u32> {
        self.open.last().map(|&(_, scope)| scope)
    }

    /// `None`: the line is skipped. `highest` is the highest group that is asked for.
    fn compile(
        &mut self,
        line: u32,
        source: PatternSource,
        highest: u32,
    ) -> Result<Option<(bool, Pattern, Entry)>, RulesError> {
        if self.kind.matching == Matching::Text
            && let Some(instead) = nfkc::pattern(&source.text)
        {
            self.warn(line, nfkc::warning("pattern", &instead));
        }
        let negated = source.negated;
        let (pattern, node) = match Pattern::new(self.kind, source, highest > 0) {
            Ok(compiled) => compiled,
            Err(Refusal::Unsupported(reason)) => {
                return Err(RulesError::Pattern { line, reason: reason.into() });
            }
            Err(wrong) => {
                self.warn(line, wrong.to_string());
                return Ok(None);
            }
        };
        if highest > pattern.groups() {
            let what = "out of range replacement index";
            let highest = highest.cast_signed();
            self.warn(line, format!("{what} \"{highest}\": skipping this rule"));
            return Ok(None);
        }
        let exact = pattern.engine() == Engine::Automaton;
        let entry = node.map_or_else(Entry::default, |node| Entry::new(&node, exact));
        Ok(Some((negated, pattern, entry)))
    }

    fn add(&mut self, line: u32, (negated, pattern, entry): (bool, Pattern, Entry)) -> Condition {
        let number = u32::try_from(self.patterns.len()).unwrap_or(u32::MAX);
        self.patterns.push((line, pattern));
        self.entries.push(entry);
        Condition { pattern: number, negated }
    }
}
/// A line as Postfix's strings have it: up to a NUL, and without white space at the end.
fn rule_text(line: &[u8]) -> &[u8] {
    let line = &line[..memchr::memchr(0, line).unwrap_or(line.len())];
    let kept = line.iter().rposition(|&byte| !is_space(byte)).map_or(0, |last| last + 1);
    &line[..kept]
}
