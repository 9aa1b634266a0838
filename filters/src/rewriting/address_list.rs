//! Address lists of RFC 5322 in the raw bytes of a header: where each addr-spec stands.
//!
//! Nothing is decoded and nothing is copied: the reader gives byte ranges, so that a rewritten
//! address can be put where the old one stood and every other byte stays. Groups, routes
//! (RFC 5322 section 4.4), comments, quoted strings, domain literals and folding are understood.
//! What is broken is left out. Each byte is looked at once, and the number of words and signs is
//! bounded (Postfix `header_address_token_limit`, `attacks.md` E1).

mod tokens;

use std::{mem, ops::Range, vec};

use mailweir_mail::Address;
use tokens::{Token, Tokens};

use super::addressing::quoted;

/// Where an address stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddrSpec {
    /// The local part, quotes included.
    pub local: Range<usize>,
    /// The domain; `None` if the address is a local part alone.
    pub domain: Option<Range<usize>>,
}

/// The addresses of a list, in order.
#[derive(Debug)]
pub struct AddressList<'a> {
    tokens: Tokens<'a>,
    words: Words,
    ready: vec::IntoIter<AddrSpec>,
    ended: bool,
}

/// What words without `@` are that stand side by side, without a comma between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// A name: headers. A word that is alone between two commas is a local part.
    AreNames,
    /// Local parts: the values of tables, where white space divides as commas do.
    AreAddresses,
}

impl<'a> AddressList<'a> {
    /// Reads the body of an address header, or a table's value, of which no more than `limit`
    /// words and signs are looked at.
    #[must_use]
    pub fn new(text: &'a [u8], words: Words, limit: usize) -> Self {
        let ready = Vec::new().into_iter();
        Self { tokens: Tokens::new(text, limit), words, ready, ended: false }
    }
}

impl Iterator for AddressList<'_> {
    type Item = AddrSpec;

    fn next(&mut self) -> Option<AddrSpec> {
        loop {
            if let Some(spec) = self.ready.next() {
                return Some(spec);
            }
            if self.ended {
                return None;
            }
            let mut element = Element::default();
            self.ended = !element.read(&mut self.tokens);
            self.ready = element.addresses(self.words).into_iter();
        }
    }
}

impl AddrSpec {
    /// The address that stands there; `None` if it has no domain, or cannot be one.
    #[must_use]
    pub fn address(&self, text: &[u8]) -> Option<Address> {
        let (local, domain) = self.read(text)?;
        Address::parse(&format!("{}@{}", quoted(&local), domain?)).ok()
    }

    /// The local part without quotes, and the domain; without white space. `None` if they are no
    /// UTF-8 or a comment stands between the words of one of them.
    pub(crate) fn read(&self, text: &[u8]) -> Option<(String, Option<String>)> {
        let local = unquoted(text.get(self.local.clone())?)?;
        let domain = match &self.domain {
            Some(domain) => Some(unquoted(text.get(domain.clone())?)?),
            None => None,
        };
        Some((local, domain))
    }
}

/// What stands between two commas: one address as a rule. Where a comma is missing there are
/// several, as Postfix has it (`tok822_parse`).
#[derive(Default)]
struct Element {
    /// Addresses in angle brackets, behind which something else follows.
    closed: Vec<AddrSpec>,
    /// Addresses that may turn out to be a name, if `<` or `:` follows.
    loose: Vec<AddrSpec>,
    angle: Angle,
    spec: Spec,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Angle {
    /// There is none so far: what was read may be the address or its name.
    #[default]
    None,
    Open,
    /// Between `<@` and its `:`.
    Route,
    Closed,
}

/// The words of an address.
#[derive(Default)]
struct Spec {
    local: Option<Range<usize>>,
    domain: Option<Range<usize>>,
    at: bool,
    /// A dot ends the last word, so the next one belongs to it.
    ends_with_dot: bool,
    is_broken: bool,
}

impl Element {
    /// Reads up to the comma; `false` at the end of the list, or of what is understood of it.
    fn read(&mut self, tokens: &mut Tokens<'_>) -> bool {
        while let Some((token, range)) = tokens.next() {
            match token {
                Token::Broken => {
                    self.spec.is_broken = true;
                    return false;
                }
                Token::Sign(b',') if self.angle == Angle::Route => {}
                Token::Sign(b',' | b';') => return true,
                Token::Sign(sign) => self.sign(sign),
                Token::Word { starts_with_dot, ends_with_dot } => {
                    self.word(range, starts_with_dot);
                    self.spec.ends_with_dot = ends_with_dot;
                }
            }
        }
        // The limit may have cut the last address in two.
        self.spec.is_broken |= tokens.is_over_limit();
        false
    }

    fn sign(&mut self, sign: u8) {
        match (sign, self.angle) {
            (b'<', Angle::None | Angle::Closed) => {
                self.keep_closed();
                self.forget_name();
                self.angle = Angle::Open;
            }
            // The name of a group.
            (b':', Angle::None) => self.forget_name(),
            (b'>', Angle::Open) => self.angle = Angle::Closed,
            (b'@', Angle::Open) if self.spec.is_empty() => self.angle = Angle::Route,
            (b'@', Angle::Route) => {}
            (b':', Angle::Route) => self.angle = Angle::Open,
            (b'@', Angle::None | Angle::Open) => self.spec.at(),
            _ => self.spec.is_broken = true,
        }
    }

    fn word(&mut self, range: Range<usize>, starts_with_dot: bool) {
        match self.angle {
            Angle::Route => {}
            Angle::Open => self.spec.is_broken |= self.spec.word(range, starts_with_dot).is_some(),
            Angle::Closed => {
                self.keep_closed();
                self.spec.word(range, starts_with_dot);
            }
            Angle::None => {
                if let Some(next) = self.spec.word(range, starts_with_dot) {
                    let spec = mem::replace(&mut self.spec, Spec::from_word(next));
                    // One broken address makes what stands beside it doubtful.
                    self.spec.is_broken = spec.is_broken;
                    self.loose.extend(spec.address());
                }
            }
        }
    }

    fn keep_closed(&mut self) {
        if self.angle == Angle::Closed {
            self.closed.extend(mem::take(&mut self.spec).address());
            self.angle = Angle::None;
        }
    }

    fn forget_name(&mut self) {
        self.loose.clear();
        self.spec = Spec::default();
    }

    fn addresses(self, words: Words) -> Vec<AddrSpec> {
        let Self { closed: mut addresses, loose, angle, spec } = self;
        let is_broken = spec.is_broken;
        let behind_closed = !addresses.is_empty();
        let last = spec.address().filter(|_| matches!(angle, Angle::None | Angle::Closed));
        let is_alone = loose.is_empty() && !behind_closed;
        let rest = loose.into_iter().filter(|_| !is_broken).chain(last);
        let is_address = |spec: &AddrSpec| {
            spec.domain.is_some()
                || is_alone
                || angle == Angle::Closed
                || words == Words::AreAddresses
        };
        addresses.extend(rest.filter(is_address));
        addresses
    }
}

impl Spec {
    fn from_word(range: Range<usize>) -> Self {
        Self { local: Some(range), ..Self::default() }
    }

    fn is_empty(&self) -> bool {
        self.local.is_none() && !self.at
    }

    fn at(&mut self) {
        self.is_broken |= self.at || self.local.is_none();
        self.at = true;
        self.ends_with_dot = false;
    }

    /// Takes a word as part of the address; gives it back if it belongs to another one.
    fn word(&mut self, range: Range<usize>, starts_with_dot: bool) -> Option<Range<usize>> {
        let part = if self.at { &mut self.domain } else { &mut self.local };
        match part {
            Some(words) if self.ends_with_dot || starts_with_dot => words.end = range.end,
            Some(_) => return Some(range),
            None => *part = Some(range),
        }
        None
    }

    fn address(self) -> Option<AddrSpec> {
        let Self { local, domain, at, is_broken, .. } = self;
        let complete = !is_broken && at == domain.is_some();
        complete.then_some(AddrSpec { local: local?, domain })
    }
}

/// Words without their quotes and without the white space between them.
fn unquoted(raw: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(raw).ok()?;
    let mut plain = String::with_capacity(text.len());
    let mut in_quotes = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => in_quotes = !in_quotes,
            '\\' => plain.extend(chars.next()),
            '(' if !in_quotes => return None,
            // Folding is no part of what is folded (RFC 5322 section 3.2.4).
            '\r' | '\n' => {}
            ' ' | '\t' if !in_quotes => {}
            c => plain.push(c),
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests;
