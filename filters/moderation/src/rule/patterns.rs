//! The patterns of all rules, each kind as one automaton.

use regex::{Regex, RegexSet, RegexSetBuilder};
use regex_automata::{meta, nfa::thompson::WhichCaptures};
use regex_syntax::{
    ParserBuilder,
    hir::{Hir, HirKind, Literal, LookSet, Repetition},
};

use super::{Rule, What};

/// The patterns of all rules.
#[derive(Debug, Default)]
pub struct Patterns {
    pub(super) subject: Kind,
    pub(super) text: Kind,
    pub(super) attachment_name: Kind,
    pub(super) attachment_type: Kind,
    /// The kinds of numbers that any rule looks for.
    pub(super) numbers: Vec<crate::numbers::NumberKind>,
    /// Whether any rule asks for an attachment of whatever kind.
    any_attachment: bool,
}

/// The patterns of all rules are too large for one automaton, each by itself being small enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the patterns of {kind} of all rules up to this one are too large together")]
pub struct TooLarge {
    /// The kind, as it is called in the configuration.
    pub kind: &'static str,
    /// The number of the first rule that is too much.
    pub rule: usize,
}

/// All patterns of a kind, and whose they are.
#[derive(Debug, Default)]
pub(super) struct Kind {
    set: RegexSet,
    /// The rule of each pattern.
    rules: Vec<usize>,
    /// Matches a text if a pattern matches one of its lines, and perhaps if none does. Absent where it would be too large.
    any_line: Option<meta::Regex>,
}

impl Patterns {
    pub(super) fn of(rules: &[Rule]) -> Result<Self, TooLarge> {
        let kind = |name, patterns: fn(&What) -> &[Regex]| Kind::of(rules, name, patterns);
        let mut numbers: Vec<_> = rules.iter().flat_map(|rule| rule.what.numbers.clone()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        Ok(Self {
            subject: kind("subject", |what| &what.subject)?,
            text: kind("text", |what| &what.text)?,
            attachment_name: kind("attachment_name", |what| &what.attachment_name)?,
            attachment_type: kind("attachment_type", |what| &what.attachment_type)?,
            numbers,
            any_attachment: rules.iter().any(|rule| rule.what.attachment),
        })
    }

    /// Whether any rule looks at text.
    pub(super) fn look_at_text(&self) -> bool {
        !self.text.is_empty() || !self.numbers.is_empty()
    }

    /// Whether any rule looks at attachments.
    pub(super) fn look_at_attachments(&self) -> bool {
        self.any_attachment || !self.attachment_name.is_empty() || !self.attachment_type.is_empty()
    }
}

impl Kind {
    fn of(
        rules: &[Rule],
        kind: &'static str,
        patterns: fn(&What) -> &[Regex],
    ) -> Result<Self, TooLarge> {
        let (mut written, mut owners) = (Vec::new(), Vec::new());
        for (number, rule) in rules.iter().enumerate() {
            for pattern in patterns(&rule.what) {
                written.push(pattern.as_str());
                owners.push(number);
            }
        }
        match set(&written) {
            Ok(set) => Ok(Self { set, rules: owners, any_line: any_line(&written) }),
            Err(_) => {
                let fit = most_that_fit(written.len(), |count| set(&written[..count]).is_ok());
                let rule = owners.get(fit).copied().unwrap_or_default();
                Err(TooLarge { kind, rule })
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether a pattern may match a line of `text`.
    pub(super) fn may_match_within(&self, text: &str) -> bool {
        !self.is_empty() && self.any_line.as_ref().is_none_or(|pattern| pattern.is_match(text))
    }

    /// The rules that have a pattern for it.
    pub(super) fn rules_of<'a>(&'a self, text: &str) -> impl Iterator<Item = usize> + 'a {
        let matches = if self.is_empty() { None } else { Some(self.set.matches(text)) };
        let places = matches.into_iter().flatten();
        places.filter_map(|place| self.rules.get(place).copied())
    }
}

fn set(written: &[&str]) -> Result<RegexSet, regex::Error> {
    RegexSetBuilder::new(written).case_insensitive(true).size_limit(LARGEST).build()
}

/// The patterns as one that looks at many lines at once, as they stand in a mail: blanks and a CR that do not belong to a key may be
/// around each. `None` if they are too large so.
fn any_line(written: &[&str]) -> Option<meta::Regex> {
    let read = |pattern: &&str| {
        let mut parser = ParserBuilder::new().case_insensitive(true).build();
        Some(anywhere(parser.parse(pattern).ok()?))
    };
    let patterns: Vec<Hir> = written.iter().map(read).collect::<Option<_>>()?;
    let config =
        meta::Config::new().which_captures(WhichCaptures::None).nfa_size_limit(Some(LARGEST));
    let pattern = Hir::alternation(patterns);
    meta::Regex::builder().configure(config).build_from_hir(&pattern).ok()
}

/// The pattern without its anchors: it matches all that the pattern matches, wherever that stands. Boundaries of words stay, since
/// what may stand around a key is no part of a word.
fn anywhere(pattern: Hir) -> Hir {
    match pattern.into_kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(Literal(bytes)) => Hir::literal(bytes),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Look(look) if LookSet::singleton(look).contains_word() => Hir::look(look),
        HirKind::Look(_) => Hir::empty(),
        HirKind::Repetition(repetition) => {
            let sub = Box::new(anywhere(*repetition.sub));
            Hir::repetition(Repetition { sub, ..repetition })
        }
        HirKind::Capture(capture) => anywhere(*capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.into_iter().map(anywhere).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.into_iter().map(anywhere).collect()),
    }
}

/// The largest number below `all` for which `fits` holds, as it does for all smaller ones.
fn most_that_fit(all: usize, fits: impl Fn(usize) -> bool) -> usize {
    let (mut good, mut bad) = (0, all);
    while good + 1 < bad {
        let middle = good.midpoint(bad);
        if fits(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    good
}

/// Bytes of all patterns of a kind together.
const LARGEST: usize = 100 << 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_no_pattern_can_match_is_told_of_many_lines_at_once() {
        for (patterns, text, may) in [
            (&["^secret", "plain$"][..], "a sec\nret and pla in", false),
            (&["^secret", "plain$"], "a secret\nplain words", true),
            (&["^secret", "plain$"], "words\nSecret", true),
            (&["^secret", "plain$"], "a plain\nword", true),
            // What stands around a line in a mail is not of the line.
            (&["^secret"], "words\r\n  Secret\r\n", true),
            (&["plain$"], "in plain \r\nwords\r\n", true),
            (&["(?m)plain$"], "in plain\r\nwords\r\n", true),
            (&[r"plain$\b"], "in plain\r\nwords\r\n", true),
            (&["^(very )?(secret|plain)$"], "\tVery plain\r\n", true),
            // What may be repeated and may be absent.
            (&["account( +)?number"], "accountnumber", true),
            (&["a(?:b{2})?c"], "ac", true),
            (&["^([a-z]+)?: secret$"], ": secret", true),
            (&["(?:(?:x+)?){2}y"], "y", true),
            (&[r"\bkey\b"], "a\nkey\nb", true),
            (&[r"\bkey\b"], "a monkey", false),
            (&["a.c"], "a\nc", false),
            (&[r"\Akey"], "a monkey", true),
            (&["(?-m)key$"], "a keyhole", true),
            (&["대외비"], "이 문서는\n대외비 문서", true),
        ] {
            let kind = Kind {
                set: set(patterns).unwrap(),
                rules: vec![0; patterns.len()],
                any_line: any_line(patterns),
            };
            assert_eq!(kind.may_match_within(text), may, "{patterns:?} {text:?}");
            let lines = text.lines().any(|line| kind.rules_of(line.trim()).next().is_some());
            assert!(may || !lines, "{patterns:?} {text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_line_that_a_pattern_matches_is_never_passed_over(
            pattern in r"[\^a]?(a|b|\(a\|b\)|\\b|\\B|\(\^\|,\)|\$|\^|\.|\\s|[ab]\*|\((\?:)?[ab]+[+*]?\)[?+*]|\(b\{2\}\)[?*]){1,5}\$?",
            text in "[ab, \t\r\né]{0,20}",
        ) {
            let Ok(set) = set(&[&pattern]) else { return Ok(()) };
            let kind = Kind { set, rules: vec![0], any_line: any_line(&[&pattern]) };
            let is_asked = text.split('\n').any(|line| kind.rules_of(line.trim()).next().is_some());
            prop_assert!(!is_asked || kind.may_match_within(&text));
        }
    }

    #[test]
    fn the_first_that_does_not_fit_is_found_whichever_it_is() {
        for all in 1..20 {
            for fit in 0..all {
                assert_eq!(most_that_fit(all, |count| count <= fit), fit, "{fit} of {all}");
            }
        }
    }
}
