//! POSIX regular expressions as the GNU C library reads them in the C locale: extended, or basic
//! where the flag `x` is toggled off (regex(7), regcomp(3)).
//!
//! The GNU operators `\w \W \s \S \b \B \< \> \` \'` are part of both. With the flag `i` the
//! library folds pattern and key to upper case; so do the sets here, which matters to `[Z-a]`.

mod bracket;
mod perl;
pub(super) mod submatch;

use regex_syntax::hir::Look;

use super::{Matching, node::Node, source::Flags};
use bracket::{Folding, Members};

/// A pattern that was read.
#[derive(Debug)]
pub(super) struct Posix {
    pub(super) node: Node,
    /// How many groups it has.
    pub(super) groups: u32,
    /// Whether it has back-references, which no automaton can do.
    pub(super) has_back_references: bool,
}

impl Posix {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Why it is none, in the words of regerror(3).
    pub(super) fn parse(text: &[u8], flags: Flags, matching: Matching) -> Result<Self, Error> {
        let characters = match matching {
            Matching::Bytes => text.iter().map(|&byte| u32::from(byte)).collect(),
            Matching::Text => {
                std::str::from_utf8(text).map_err(|_| BAD_PATTERN)?.chars().map(u32::from).collect()
            }
        };
        let mut parser = Parser {
            text: characters,
            at: 0,
            token: Token::End,
            extended: flags.extended,
            multi_line: flags.multi_line,
            folding: Folding { matching, caseless: flags.caseless },
            groups: 0,
            completed: 0,
            has_back_references: false,
            depth: 0,
            stacked: 0,
        };
        parser.advance(true);
        let node = parser.choice(0)?;
        let Parser { groups, has_back_references, .. } = parser;
        Ok(Self { node, groups, has_back_references })
    }

    /// The same pattern for PCRE2, with back-references; greedy, so that what groups hold may
    /// differ from what POSIX says.
    pub(super) fn to_perl(&self) -> String {
        perl::write(&self.node)
    }
}

/// Why a pattern is none, in the words of regerror(3).
pub(super) type Error = &'static str;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Character(u32),
    /// A lower-case letter after a backslash. The library forgets to fold it: without regard to
    /// case it matches nothing.
    Escaped(u32),
    Open,
    Close,
    Choice,
    Star,
    Plus,
    Question,
    OpenCount,
    CloseCount,
    Bracket,
    Period,
    BackReference(u32),
    Look(Look),
    /// `\w`, `\s`; `\W`, `\S`.
    Named(&'static str, bool),
    Backslash,
    End,
}

struct Parser {
    text: Vec<u32>,
    at: usize,
    token: Token,
    extended: bool,
    multi_line: bool,
    folding: Folding,
    groups: u32,
    /// The groups up to the ninth that are closed, as bits.
    completed: u32,
    has_back_references: bool,
    /// Groups around this place.
    depth: u32,
    /// Repetitions of what is one already, in the whole pattern.
    stacked: u32,
}

impl Parser {
    /// Takes the next token. `starts`: a `^` here is an anchor in basic syntax too.
    fn advance(&mut self, starts: bool) {
        let (token, length) = self.token_at(self.at, starts);
        self.token = token;
        self.at += length;
    }

    fn token_at(&self, at: usize, starts: bool) -> (Token, usize) {
        let Some(&character) = self.text.get(at) else { return (Token::End, 0) };
        let extended = self.extended;
        let ascii = u8::try_from(character).unwrap_or(0);
        if ascii == b'\\' {
            return match self.text.get(at + 1) {
                Some(&next) => (self.escape(next), 2),
                None => (Token::Backslash, 1),
            };
        }
        let token = match ascii {
            b'*' => Token::Star,
            b'[' => Token::Bracket,
            b'.' => Token::Period,
            b'|' if extended => Token::Choice,
            b'+' if extended => Token::Plus,
            b'?' if extended => Token::Question,
            b'{' if extended => Token::OpenCount,
            b'}' if extended => Token::CloseCount,
            b'(' if extended => Token::Open,
            b')' if extended => Token::Close,
            b'^' if extended || starts || at == 0 => self.line_start(),
            b'$' if extended || self.ends_branch(at + 1) => self.line_end(),
            _ => Token::Character(character),
        };
        (token, 1)
    }

    fn escape(&self, character: u32) -> Token {
        let basic = !self.extended;
        match u8::try_from(character).unwrap_or(0) {
            b'|' if basic => Token::Choice,
            b'+' if basic => Token::Plus,
            b'?' if basic => Token::Question,
            b'{' if basic => Token::OpenCount,
            b'}' if basic => Token::CloseCount,
            b'(' if basic => Token::Open,
            b')' if basic => Token::Close,
            digit @ b'1'..=b'9' => Token::BackReference(u32::from(digit - b'0')),
            b'<' => Token::Look(self.folding.look(Look::WordStartAscii, Look::WordStartUnicode)),
            b'>' => Token::Look(self.folding.look(Look::WordEndAscii, Look::WordEndUnicode)),
            b'b' => Token::Look(self.folding.look(Look::WordAscii, Look::WordUnicode)),
            b'B' => Token::Look(self.folding.look(Look::WordAsciiNegate, Look::WordUnicodeNegate)),
            b'`' => Token::Look(Look::Start),
            b'\'' => Token::Look(Look::End),
            b'w' => Token::Named("word", false),
            b'W' => Token::Named("word", true),
            b's' => Token::Named("space", false),
            b'S' => Token::Named("space", true),
            b'a'..=b'z' => Token::Escaped(character),
            _ => Token::Character(character),
        }
    }

    fn line_start(&self) -> Token {
        Token::Look(if self.multi_line { Look::StartLF } else { Look::Start })
    }

    fn line_end(&self) -> Token {
        Token::Look(if self.multi_line { Look::EndLF } else { Look::End })
    }

    /// In basic syntax, `$` is an anchor before the end, `\)` and `\|`.
    fn ends_branch(&self, at: usize) -> bool {
        let ascii = |at: usize| self.text.get(at).map(|&next| u8::try_from(next).unwrap_or(0));
        match ascii(at) {
            None => true,
            Some(b'\\') => matches!(ascii(at + 1), Some(b')' | b'|')),
            Some(_) => false,
        }
    }

    fn choice(&mut self, nesting: u32) -> Result<Node, Error> {
        let completed = self.completed;
        let mut branches = vec![self.branch(nesting)?];
        while self.token == Token::Choice {
            self.advance(true);
            // A reference in one branch cannot mean a group of another.
            let accumulated = std::mem::replace(&mut self.completed, completed);
            branches.push(self.branch(nesting)?);
            self.completed |= accumulated;
        }
        Ok(Node::choice(branches))
    }

    fn branch(&mut self, nesting: u32) -> Result<Node, Error> {
        let mut parts = Vec::new();
        while !matches!(self.token, Token::Choice | Token::End)
            && (nesting == 0 || self.token != Token::Close)
        {
            parts.push(self.expression(nesting)?);
        }
        Ok(Node::sequence(parts))
    }

    fn expression(&mut self, nesting: u32) -> Result<Node, Error> {
        let node = match self.token {
            Token::Look(look) => {
                // Nothing repeats an anchor: what follows starts anew.
                self.advance(false);
                return Ok(Node::Look(look));
            }
            Token::Open => self.group(nesting)?,
            Token::Bracket => bracket::parse(
                &self.text,
                &mut self.at,
                self.folding,
                self.multi_line.then_some(u32::from(b'\n')),
            )?,
            Token::BackReference(number) => {
                if self.completed & (1 << number) == 0 {
                    return Err(BAD_REFERENCE);
                }
                self.has_back_references = true;
                Node::BackReference(number)
            }
            Token::OpenCount if !self.extended => return Err(BAD_REPEAT),
            Token::OpenCount | Token::Star | Token::Plus | Token::Question if self.extended => {
                return Err(BAD_REPEAT);
            }
            Token::Close if !self.extended => return Err(UNMATCHED),
            Token::Backslash => return Err("Trailing backslash"),
            Token::Period => self.any(),
            Token::Named(name, negated) => self.folding.named(name, negated),
            Token::Character(character) => self.literal(self.folding.fold(character)),
            Token::Escaped(character) => self.literal(character),
            other => self.literal(as_character(other)),
        };
        self.advance(false);
        self.repetitions(node)
    }

    fn group(&mut self, nesting: u32) -> Result<Node, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(TOO_DEEP);
        }
        self.groups += 1;
        let number = self.groups;
        self.advance(true);
        let node = if self.token == Token::Close { Node::Empty } else { self.choice(nesting + 1)? };
        if self.token != Token::Close {
            return Err(UNMATCHED);
        }
        if number <= 9 {
            self.completed |= 1 << number;
        }
        self.depth -= 1;
        Ok(Node::Group(number, Box::new(node)))
    }

    fn repetitions(&mut self, mut node: Node) -> Result<Node, Error> {
        let mut is_repeated = false;
        loop {
            let (min, max) = match self.token {
                Token::Star => (0, None),
                Token::Plus => (1, None),
                Token::Question => (0, Some(1)),
                Token::OpenCount => self.count()?,
                _ => return Ok(node),
            };
            self.advance(false);
            self.stacked += u32::from(std::mem::replace(&mut is_repeated, true));
            if self.stacked > MAX_DEPTH {
                return Err(TOO_DEEP);
            }
            // Of what is repeated no times the groups still count.
            node = Node::repeat(node, min, max, true);
            // The library does not take two in a row in basic syntax, but for \+ and \?.
            if !self.extended && matches!(self.token, Token::Star | Token::OpenCount) {
                return Err(BAD_REPEAT);
            }
        }
    }

    /// The numbers of `{min,max}`; the closing brace is the token afterwards.
    fn count(&mut self) -> Result<(u32, Option<u32>), Error> {
        let min = match self.number() {
            Number::Missing if self.token == Token::Character(COMMA) => Number::Is(0),
            Number::Missing => return Err(BAD_COUNT),
            number => number,
        };
        let max = match (min, self.token) {
            (Number::Wrong, _) => Number::Wrong,
            (_, Token::CloseCount) => min,
            (_, Token::Character(COMMA)) => self.number(),
            _ => Number::Wrong,
        };
        let (Number::Is(min), false) = (min, max == Number::Wrong) else {
            return Err(if self.token == Token::End { "Unmatched \\{" } else { BAD_COUNT });
        };
        let max = if let Number::Is(max) = max { Some(max) } else { None };
        if max.is_some_and(|max| min > max) || self.token != Token::CloseCount {
            return Err(BAD_COUNT);
        }
        if max.unwrap_or(min) > MAX_REPEAT {
            return Err(TOO_BIG);
        }
        Ok((min, max))
    }

    fn number(&mut self) -> Number {
        let mut number = Number::Missing;
        loop {
            self.advance(false);
            let digit = match self.token {
                Token::End => return Number::Wrong,
                Token::CloseCount | Token::Character(COMMA) => return number,
                Token::Character(character) => {
                    char::from_u32(character).and_then(|c| c.to_digit(10))
                }
                _ => None,
            };
            number = match (number, digit) {
                (_, None) | (Number::Wrong, _) => Number::Wrong,
                (Number::Missing, Some(digit)) => Number::Is(digit),
                (Number::Is(number), Some(digit)) => {
                    Number::Is((number * 10 + digit).min(MAX_REPEAT + 1))
                }
            };
        }
    }

    fn literal(&self, character: u32) -> Node {
        let mut members = Members::default();
        members.add(character, character);
        self.folding.set(members, false)
    }

    /// `.` is any character but NUL, and with the flag `m` but a newline.
    fn any(&self) -> Node {
        let mut members = Members::default();
        members.add(0, 0);
        if self.multi_line {
            members.add(u32::from(b'\n'), u32::from(b'\n'));
        }
        self.folding.set(members, true)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Number {
    Is(u32),
    Missing,
    Wrong,
}

/// What an operator is where it cannot be one.
fn as_character(token: Token) -> u32 {
    u32::from(match token {
        Token::Star => b'*',
        Token::Plus => b'+',
        Token::Question => b'?',
        Token::Close => b')',
        _ => b'}',
    })
}

const COMMA: u32 = b',' as u32;
/// `RE_DUP_MAX`.
const MAX_REPEAT: u32 = 0x7fff;
/// Of groups within groups, and of repetitions of repetitions: what recursion may cost.
const MAX_DEPTH: u32 = 200;

const BAD_PATTERN: Error = "Invalid regular expression";
const BAD_REFERENCE: Error = "Invalid back reference";
/// regcomp(3) says this of one that closes nothing, too.
const UNMATCHED: Error = "Unmatched ( or \\(";
const BAD_REPEAT: Error = "Invalid preceding regular expression";
const BAD_COUNT: Error = "Invalid content of \\{\\}";
const TOO_BIG: Error = "Regular expression too big";
/// Ours alone: the library takes any depth.
pub(super) const TOO_DEEP: Error = "groups are nested too deeply";
