//! One logical line: a rule, `if` or `endif`, its patterns as text and its flags.
//!
//! Nothing is compiled here. What cannot be read is skipped with Postfix's words for it.

use super::{Dialect, template::Template};
use crate::text::is_space;

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Statement {
    /// `/pattern/flags result`.
    Rule(RuleSource),
    /// `if /pattern/flags`.
    If(PatternSource),
    /// `endif`.
    EndIf,
}

/// A rule, not compiled.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RuleSource {
    pub(super) first: PatternSource,
    /// `/first/!/second/`, which only `regexp:` has: both must hold.
    pub(super) second: Option<PatternSource>,
    pub(super) result: Template,
}

/// A pattern, not compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PatternSource {
    pub(super) text: Box<[u8]>,
    pub(super) flags: Flags,
    /// Whether `!` stands in front: it holds where the pattern does not match.
    pub(super) negated: bool,
}

/// The flags of a pattern, as they are after toggling (pcre_table(5), regexp_table(5)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    /// `i`: upper and lower case are the same.
    pub(super) caseless: bool,
    /// `m`: `^` and `$` match at newlines too.
    pub(super) multi_line: bool,
    /// `s`: `.` matches a newline (`pcre:`).
    pub(super) dot_all: bool,
    /// `x`: white space in the pattern means nothing (`pcre:`); extended syntax (`regexp:`).
    pub(super) extended: bool,
    /// `A`: matches at the start of the key only (`pcre:`).
    pub(super) anchored: bool,
    /// `E`: `$` does not match before a newline at the end (`pcre:`).
    pub(super) dollar_end_only: bool,
    /// `U`: `*` takes as little as it can, `*?` as much (`pcre:`).
    pub(super) ungreedy: bool,
}

impl Flags {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            caseless: true,
            multi_line: false,
            dot_all: true,
            extended: dialect == Dialect::Regexp,
            anchored: false,
            dollar_end_only: false,
            ungreedy: false,
        }
    }

    /// Toggles a flag. `false`: there is none of that name.
    fn toggle(&mut self, dialect: Dialect, name: u8) -> bool {
        let flag = match (name, dialect) {
            (b'i', _) => &mut self.caseless,
            (b'm', _) => &mut self.multi_line,
            (b'x', _) => &mut self.extended,
            (b's', Dialect::Pcre) => &mut self.dot_all,
            (b'A', Dialect::Pcre) => &mut self.anchored,
            (b'E', Dialect::Pcre) => &mut self.dollar_end_only,
            (b'U', Dialect::Pcre) => &mut self.ungreedy,
            _ => return false,
        };
        *flag = !*flag;
        true
    }
}

/// Reads a line, which is not empty. `nested`: it stands within an `if`. What is noticed goes to
/// `warnings`; `None` means that the line is skipped.
pub(super) fn read(
    dialect: Dialect,
    line: &[u8],
    nested: bool,
    warnings: &mut Vec<String>,
) -> Option<Statement> {
    let mut reader = Reader { dialect, rest: line, warnings };
    if !line.first()?.is_ascii_alphanumeric() {
        return reader.rule().map(Statement::Rule);
    }
    if reader.take_word(b"if") {
        return reader.condition().map(Statement::If);
    }
    if reader.take_word(b"endif") {
        return reader.end(nested);
    }
    reader.warn("ignoring unrecognized request");
    None
}

struct Reader<'l, 'w> {
    dialect: Dialect,
    rest: &'l [u8],
    warnings: &'w mut Vec<String>,
}

impl Reader<'_, '_> {
    fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }

    fn take_word(&mut self, word: &[u8]) -> bool {
        let Some((start, after)) = self.rest.split_at_checked(word.len()) else { return false };
        let ends = after.first().is_none_or(|byte| !byte.is_ascii_alphanumeric());
        let is_word = ends && start.eq_ignore_ascii_case(word);
        if is_word {
            self.rest = after;
        }
        is_word
    }

    fn skip_space(&mut self) {
        while let [first, rest @ ..] = self.rest
            && is_space(*first)
        {
            self.rest = rest;
        }
    }

    fn rule(&mut self) -> Option<RuleSource> {
        let first = self.pattern()?;
        let second = match self.rest.first() {
            Some(b'!') if self.dialect == Dialect::Regexp => Some(self.pattern()?),
            _ => None,
        };
        self.skip_space();
        if self.rest.is_empty() {
            self.warn("no replacement text: using empty string");
        }
        let result = match Template::parse(self.dialect, self.rest) {
            Ok(result) => result,
            Err(wrong) => {
                self.warnings.extend(wrong);
                self.warn("bad replacement syntax: skipping this rule");
                return None;
            }
        };
        if first.negated && result.highest() > 0 {
            self.warn("$number found in negative match replacement text: skipping this rule");
            return None;
        }
        Some(RuleSource { first, second, result })
    }

    fn condition(&mut self) -> Option<PatternSource> {
        self.skip_space();
        let pattern = self.pattern()?;
        self.skip_space();
        if !self.rest.is_empty() {
            let extra = String::from_utf8_lossy(self.rest).into_owned();
            self.warn(format!("ignoring extra text after IF statement: \"{extra}\""));
            self.warn("do not prepend whitespace to statements between IF and ENDIF");
        }
        Some(pattern)
    }

    fn end(&mut self, nested: bool) -> Option<Statement> {
        if !nested {
            self.warn("ignoring ENDIF without matching IF");
            return None;
        }
        self.skip_space();
        if !self.rest.is_empty() {
            self.warn("ignoring extra text after ENDIF");
        }
        Some(Statement::EndIf)
    }

    /// `!`s, the delimiter, the pattern, the delimiter again, the flags.
    fn pattern(&mut self) -> Option<PatternSource> {
        let mut negated = false;
        while let [first, rest @ ..] = self.rest
            && (*first == b'!' || is_space(*first))
        {
            negated ^= *first == b'!';
            self.rest = rest;
        }
        let [delimiter, rest @ ..] = self.rest else {
            self.warn("no regexp: skipping this rule");
            return None;
        };
        let Some(end) = closing(rest, *delimiter) else {
            let delimiter = String::from_utf8_lossy(&[*delimiter]).into_owned();
            let what = match self.dialect {
                Dialect::Regexp => "skipping",
                Dialect::Pcre => "ignoring",
            };
            self.warn(format!("no closing regexp delimiter \"{delimiter}\": {what} this rule"));
            return None;
        };
        let text = rest[..end].into();
        self.rest = &rest[end + 1..];
        let flags = self.flags()?;
        Some(PatternSource { text, flags, negated })
    }

    fn flags(&mut self) -> Option<Flags> {
        let mut flags = Flags::new(self.dialect);
        while let [name, rest @ ..] = self.rest {
            if is_space(*name) || (*name == b'!' && self.dialect == Dialect::Regexp) {
                break;
            }
            let shown = String::from_utf8_lossy(&[*name]).into_owned();
            if *name == b'X' && self.dialect == Dialect::Pcre {
                self.warn(format!("ignoring obsolete regexp option \"{shown}\""));
            } else if !flags.toggle(self.dialect, *name) {
                self.warn(format!("unknown regexp option \"{shown}\": skipping this rule"));
                return None;
            }
            self.rest = rest;
        }
        Some(flags)
    }
}

/// Where the closing delimiter stands; one after a backslash does not close.
fn closing(text: &[u8], delimiter: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        match *text.get(at)? {
            b'\\' => at += 2,
            byte if byte == delimiter => return Some(at),
            _ => at += 1,
        }
    }
}
