//! A pattern in PCRE2 with limits that rise, so that what a lookup costs is known within a factor.
//!
//! PCRE2 counts steps from each place of the key anew, and does not say how many it took. So a
//! pattern is first asked with few steps for each place, which is linear in the key and enough for
//! nearly all keys. Where it is not, the pattern looks for its place itself: then all places share
//! one limit, and the pattern is asked again with twice as many steps until they suffice.

use std::sync::OnceLock;

use pcre2::bytes::{Regex, RegexBuilder};

use super::{
    Matching,
    backtrack::{Stop, stop},
    source::Flags,
};
use crate::PatternSteps;

/// A pattern, compiled as often as its keys asked for.
#[derive(Debug)]
pub(super) struct Ladder {
    source: Framed,
    first: Regex,
    /// With the limits 256, 512 and so on.
    rungs: [OnceLock<Option<Box<Regex>>>; RUNGS],
}

/// A pattern as text, and what it is put into.
#[derive(Debug)]
pub(super) struct Framed {
    /// Settings, which only the beginning of a pattern takes: `(*UTF)(*CRLF)`. Limits are not among
    /// them: PCRE2 would take them for ours.
    pub(super) settings: String,
    pub(super) text: String,
    pub(super) flags: Flags,
    pub(super) matching: Matching,
}

/// Where the pattern may match.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Places {
    /// PCRE2 tries them, each with its own steps.
    Each,
    /// The pattern looks for them.
    All,
}

impl Ladder {
    /// # Errors
    /// PCRE2 does not take the pattern; the number is what stands before the text.
    pub(super) fn new(source: Framed) -> Result<Self, (pcre2::Error, usize)> {
        let first = source.build(FIRST, Places::Each).map_err(|error| {
            let before = source.written(FIRST, Places::Each, "").len();
            (error, before - source.settings.len() - source.text.len())
        })?;
        Ok(Self { source, first, rungs: std::array::from_fn(|_| OnceLock::new()) })
    }

    /// How many groups the pattern has.
    pub(super) fn groups(&self) -> u32 {
        u32::try_from(self.first.captures_len()).unwrap_or(u32::MAX).saturating_sub(1)
    }

    /// What `ask` gets from the pattern.
    pub(super) fn ask<T>(
        &self,
        key: &[u8],
        steps: &PatternSteps,
        ask: impl Fn(&Regex) -> Result<T, pcre2::Error>,
    ) -> Result<T, Stop> {
        match ask(&self.first) {
            Err(error) if error.code() == OUT_OF_STEPS => self.climb(key, steps, ask),
            answer => answer.map_err(|error| stop(&error)),
        }
    }

    #[cold]
    fn climb<T>(
        &self,
        key: &[u8],
        steps: &PatternSteps,
        ask: impl Fn(&Regex) -> Result<T, pcre2::Error>,
    ) -> Result<T, Stop> {
        if self.source.matching == Matching::Text && std::str::from_utf8(key).is_err() {
            // PCRE2 looks at such a key piece by piece, and a pattern cannot.
            return Err(Stop::TooManySteps);
        }
        let places = key.len() as u64 + 1;
        let times = if self.source.has_one_limit() { 1 } else { places };
        let mut free = PatternSteps::FREE * places + FREE_ANYWAY;
        let mut charged = 0;
        for (number, rung) in self.rungs.iter().enumerate() {
            let limit = LOWEST << number;
            let cost = limit * times;
            if 2 * cost <= free && number + 1 < RUNGS {
                // The next is free too.
                continue;
            }
            let charge = cost.saturating_sub(free);
            free = free.saturating_sub(cost);
            charged += charge;
            if charged > PatternSteps::ALL {
                // No mail has so many.
                return Err(Stop::TooManySteps);
            }
            if !steps.spend(charge) {
                return Err(Stop::NoneLeft);
            }
            let regex = rung.get_or_init(|| self.source.rung(limit)).as_deref();
            match ask(regex.ok_or(Stop::TooManySteps)?) {
                Err(error) if error.code() == OUT_OF_STEPS => {}
                answer => return answer.map_err(|error| stop(&error)),
            }
        }
        Err(Stop::TooManySteps)
    }
}

impl Framed {
    fn rung(&self, limit: u64) -> Option<Box<Regex>> {
        let looks = !self.flags.anchored && self.can_look_for_its_place();
        let places = if looks { Places::All } else { Places::Each };
        self.build(limit, places).ok().map(Box::new)
    }

    /// Whether a limit is for all places of a key together: there is one, or the pattern looks.
    fn has_one_limit(&self) -> bool {
        self.flags.anchored || self.begins_with_the_key() || self.can_look_for_its_place()
    }

    /// Whether it can only match where the key begins: PCRE2 tries no other place then.
    fn begins_with_the_key(&self) -> bool {
        let begins =
            self.text.starts_with("\\A") || self.text.starts_with('^') && !self.flags.multi_line;
        begins && skeleton(&self.text).is_some_and(|text| !text.contains('|') && !sets_flags(&text))
    }

    fn build(&self, limit: u64, places: Places) -> Result<Regex, pcre2::Error> {
        let builder = builder(self.flags, self.matching);
        let built = builder.build(&self.written(limit, places, ""));
        // A comment of the flag x takes all up to the end of the line.
        built.or_else(|error| match self.flags.anchored || places == Places::All {
            true => builder.build(&self.written(limit, places, "\n")),
            false => Err(error),
        })
    }

    /// The pattern with limits, and with the flags that the interface lacks. PCRE2 may not run over
    /// what repeats without counting it.
    fn written(&self, limit: u64, places: Places, end: &str) -> String {
        let Self { settings, text, flags, .. } = self;
        let ungreedy = if flags.ungreedy { "(?U)" } else { "" };
        // An open \Q ends before the group does.
        let (open, close) = match (flags.anchored, places) {
            (true, _) => ("\\G(?:", "\\E"),
            (false, Places::All) => ("\\G(?s:.*?)\\K(?:", "\\E"),
            (false, Places::Each) => ("", ""),
        };
        let closing = if open.is_empty() { "" } else { ")" };
        // `(?U)` turns round what is behind it.
        let (first, then) = if flags.anchored { (ungreedy, open) } else { (open, ungreedy) };
        format!("(*LIMIT_MATCH={limit}){LIMITS}{settings}{first}{then}{text}{close}{end}{closing}")
    }

    /// Whether the pattern means the same behind something that skips what is before its place: not
    /// if it says where a search starts, ends or goes on, or has itself as a part.
    fn can_look_for_its_place(&self) -> bool {
        let is_plain = self.settings.replace("(*UTF)", "").replace("(*UCP)", "").is_empty();
        let is_special = ["(*", "(?R", "(?0", "(?(R", "\\G", "\\g<0", "\\g'0", "(?C"];
        let has_none = |text: String| !is_special.into_iter().any(|one| text.contains(one));
        is_plain && skeleton(&self.text).is_some_and(has_none)
    }
}

/// A pattern without what stands for itself: classes, quoted text and escaped signs. `None` where a
/// class does not end.
fn skeleton(text: &str) -> Option<String> {
    let mut skeleton = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            '\\' => match rest.next() {
                Some('Q') => {
                    let after = rest.as_str().split_once("\\E").map_or("", |(_, after)| after);
                    rest = after.chars();
                }
                Some(sign @ ('G' | 'g')) => skeleton.extend(['\\', sign]),
                _ => skeleton.push('.'),
            },
            '[' => {
                rest = behind_class(rest.as_str())?.chars();
                skeleton.push('.');
            }
            _ => skeleton.push(character),
        }
    }
    Some(skeleton)
}

/// What follows a class whose opening bracket was read.
fn behind_class(text: &str) -> Option<&str> {
    let text = text.strip_prefix('^').unwrap_or(text);
    // As the first sign it stands for itself.
    let mut rest = text.strip_prefix(']').unwrap_or(text);
    loop {
        let at = rest.find([']', '\\', '['])?;
        let (sign, after) = (rest[at..].chars().next()?, &rest[at + 1..]);
        rest = match sign {
            ']' => return Some(after),
            '\\' if after.starts_with(['Q', 'E']) => return None,
            '\\' => after.chars().next().map(|escaped| &after[escaped.len_utf8()..])?,
            // [:alpha:]
            _ => match after.strip_prefix(':').and_then(|name| name.split_once(":]")) {
                Some((name, behind)) if !name.contains(']') => behind,
                _ => after,
            },
        };
    }
}

/// Whether a group sets flags, which may change what `^` means: `(?m)`.
fn sets_flags(skeleton: &str) -> bool {
    let groups = skeleton.match_indices("(?").map(|(at, _)| &skeleton[at + 2..]);
    groups.into_iter().any(|inside| !inside.starts_with(['=', '!', '<', '>', ':', '#', 'P', '(']))
}

pub(super) fn builder(flags: Flags, matching: Matching) -> RegexBuilder {
    let mut builder = RegexBuilder::new();
    builder.caseless(flags.caseless).dotall(flags.dot_all);
    builder.multi_line(flags.multi_line).extended(flags.extended);
    builder.ucp(matching == Matching::Text);
    builder
}

/// PCRE2_ERROR_MATCHLIMIT.
const OUT_OF_STEPS: i32 = -47;

/// Steps from each place, to begin with.
const FIRST: u64 = 32;

/// Steps.
const LOWEST: u64 = 1 << 8;

/// The last is what one key may take of one pattern: 4 million, some 40 ms, and as
/// much for those before it. Nobody else is served on this thread meanwhile.
const RUNGS: usize = 15;

/// A short key needs more for each of its bytes.
const FREE_ANYWAY: u64 = 1024;

/// 32 MiB, and nothing that runs on uncounted.
const LIMITS: &str = "(*LIMIT_DEPTH=500000)(*LIMIT_HEAP=32768)(*NO_AUTO_POSSESS)";

#[cfg(test)]
mod tests {
    use super::*;

    const PATTERNS: [&str; 24] = [
        "b",
        "^b",
        "b$",
        "a|b",
        "(a)|(b+)",
        "(?<!a)b+",
        "(?<=a)b",
        "\\b(\\w+) \\1\\b",
        "(a+)(?!b)",
        "(?=(b+))a?",
        "(?|a(b)|(c)a)",
        "(?>a+)b",
        "(a*?)(b*)c?",
        "a\\Kb",
        "(?i)B(?-i)a",
        "\\Qa|b",
        "(?<n>a)\\k<n>",
        "(?:(a)|b)*+c",
        "((a|b)(?2)?)c",
        "(?x) a  b # comment",
        "a++.",
        "",
        ".*b(?!.*c)",
        "(?U)a+",
    ];

    const KEYS: [&str; 14] = [
        "",
        "a",
        "b",
        "ab",
        "aab",
        "abb",
        "cab abc",
        "word word",
        "aa aab b",
        "x a|b y",
        "a\nb\n",
        "bab\nabc",
        "aaaaaaaaab",
        "\u{e9}ab \u{436}b",
    ];

    /// Where the groups are, in one of the two ways.
    fn groups(framed: &Framed, places: Places, key: &str) -> Vec<Option<(usize, usize)>> {
        let regex = framed.build(500_000, places).unwrap();
        let mut locations = regex.capture_locations();
        match regex.captures_read(&mut locations, key.as_bytes()).unwrap() {
            Some(_) => (0..locations.len()).map(|group| locations.get(group)).collect(),
            None => Vec::new(),
        }
    }

    #[test]
    fn a_pattern_that_looks_for_its_place_finds_what_pcre2_finds() {
        let some = |n: u32| Flags {
            caseless: n & 1 > 0,
            multi_line: n & 2 > 0,
            dot_all: n & 4 > 0,
            ungreedy: n & 8 > 0,
            extended: n & 16 > 0,
            ..Flags::default()
        };
        for (text, n) in PATTERNS.iter().flat_map(|text| (0..32).map(move |n| (text, n))) {
            let matching = if n % 3 == 0 { Matching::Text } else { Matching::Bytes };
            let (settings, text) = (String::new(), (*text).to_owned());
            let framed = Framed { settings, text, flags: some(n), matching };
            assert!(framed.can_look_for_its_place());
            for key in KEYS {
                let [each, all] = [Places::Each, Places::All].map(|p| groups(&framed, p, key));
                assert_eq!(each, all, "{framed:?} {key:?}");
            }
        }
    }

    #[test]
    fn what_stands_for_itself_makes_no_pattern_special() {
        for (text, looks, begins) in [
            ("^Subject:(?!Re).*offer[(*](?=s)", true, true),
            ("^Subject:(*COMMIT).*offer(?=s)", false, true),
            ("^a(?!b)|c", true, false),
            ("^a(?!b)\\|c[|]", true, true),
            ("^(?m)a(?!b)", true, false),
            ("^(?<n>a)(?!b)", true, true),
            ("\\Aa(?!b)", true, true),
            ("a\\(\\*b(?!c)", true, false),
            ("\\Q(*\\E(?!c)", true, false),
            ("\\Q(*", true, false),
            ("[](*](?!c)", true, false),
            ("[^](*](?!c)", true, false),
            ("[[:alpha:](*](?!c)", true, false),
            ("[a\\](*](?!c)", true, false),
            ("[a](*ACCEPT)[b]", false, false),
            ("[[:x](*ACCEPT)", false, false),
            ("a\\G", false, false),
            ("(a\\g<0>?)", false, false),
        ] {
            let (flags, matching) = (Flags::default(), Matching::Bytes);
            let framed = Framed { settings: String::new(), text: text.to_owned(), flags, matching };
            let found = (framed.can_look_for_its_place(), framed.begins_with_the_key());
            assert_eq!(found, (looks, begins), "{text}");
        }
    }

    fn ladder(text: &str, settings: &str) -> Ladder {
        let flags = Flags::default();
        let (settings, text) = (settings.to_owned(), text.to_owned());
        Ladder::new(Framed { settings, text, flags, matching: Matching::Bytes }).unwrap()
    }

    fn asked(ladder: &Ladder, key: &str, steps: &PatternSteps) -> Result<bool, Stop> {
        ladder.ask(key.as_bytes(), steps, |regex| regex.is_match(key.as_bytes()))
    }

    #[test]
    fn i1_what_a_pattern_takes_beyond_the_usual_is_taken_from_the_steps_of_the_mail() {
        let costly = ladder("^(?!c)(a+)+$", "");
        let key = "a".repeat(14) + "b";
        let steps = PatternSteps::all();
        assert_eq!(asked(&costly, "aaaa", &steps), Ok(true));
        assert_eq!(asked(&costly, "some words that do not match", &steps), Ok(false));
        assert_eq!(steps.left(), PatternSteps::ALL);
        assert_eq!(asked(&costly, &key, &steps), Ok(false));
        let cost = PatternSteps::ALL - steps.left();
        assert!((1 << 14..1 << 18).contains(&cost), "{cost}");

        // With exactly so many it is an answer, and with one less it is none.
        assert_eq!(asked(&costly, &key, &PatternSteps::limited(cost)), Ok(false));
        assert_eq!(asked(&costly, &key, &PatternSteps::limited(cost - 1)), Err(Stop::NoneLeft));
        assert_eq!(asked(&costly, &"a".repeat(60), &PatternSteps::limited(0)), Ok(true));
    }

    #[test]
    fn i1_the_places_of_a_key_share_the_steps() {
        // From each place far less than the limit; together far more.
        let key = "a".repeat(20_000);
        let looking = ladder("(?!c)(\\w+) (?<!c)!", "");
        assert_eq!(
            asked(&looking, &key, &PatternSteps::all()),
            Ok(false),
            "PCRE2 sees that ! is missing"
        );
        let key = key + "!";
        assert_eq!(asked(&looking, &key, &PatternSteps::all()), Err(Stop::TooManySteps));
        // One that has itself as a part cannot look for its place: its places are counted as dear.
        let recursive = ladder("(?!c)(?:b|(\\w+)x|a(?R)c)!", "");
        assert_eq!(asked(&recursive, &key, &PatternSteps::all()), Err(Stop::TooManySteps));
    }
}
