//! Tables of networks: `cidr:` (cidr_table(5)).
//!
//! Addresses are compared as they are written: a rule for `192.0.2.1` says nothing about
//! `::ffff:192.0.2.1`, as in Postfix.

use std::{net::IpAddr, sync::Arc};

use crate::{
    Warning,
    lines::{Line, Lines},
    text::{is_space, printable, trim, trim_start},
    warning::Warnings,
};

/// Rules in the order of their lines; the first that holds counts.
#[derive(Debug, Default)]
pub(crate) struct CidrTable {
    /// Of each rule. They stand by themselves, since a lookup goes through them, mostly for nothing.
    patterns: Vec<Pattern>,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    line: u32,
    then: Then,
}

#[derive(Debug)]
enum Then {
    Value(Box<[u8]>),
    /// `if`: where the rules go on when the pattern does not hold.
    Enter(usize),
}

/// A network, or `!` and a network. Either way addresses of the other family do not match.
#[derive(Debug, PartialEq, Eq)]
struct Pattern {
    is_ipv4: bool,
    negated: bool,
    /// Rules behind it are for what it holds for.
    is_if: bool,
    /// The bits that count.
    mask: u128,
    /// What they are in the network's addresses.
    network: u128,
}

impl CidrTable {
    /// Reads the rules. A bad line is skipped with a warning, and with an `if` the scope it
    /// would have opened.
    pub(crate) fn parse(name: &Arc<str>, source: &[u8]) -> (Self, Vec<Warning>) {
        let mut reader = Reader { table: Self::default(), open: Vec::new() };
        let mut warnings = Warnings::of(name);
        for line in Lines::new(source) {
            let (line, result) = match line {
                Line::Stray(line, said) => {
                    warnings.add(line, said);
                    continue;
                }
                Line::Logical(line, text) => (line, reader.read(line, &text)),
            };
            if let Err(said) = result {
                warnings.add(line, format!("{said}: skipping this rule"));
            }
        }
        while let Some(opened) = reader.open.pop() {
            reader.close(opened);
            warnings.add(reader.table.rules[opened].line, "IF has no matching ENDIF");
        }
        (reader.table, warnings.into_vec())
    }

    /// The value of the first rule that holds for an address, and its line. What is no address
    /// has no value.
    pub(crate) fn get(&self, key: &[u8]) -> Option<(&[u8], u32)> {
        let address = address(key)?;
        let (is_ipv4, bits) = (address.is_ipv4(), bits(address));
        let mut at = 0;
        loop {
            at += self.patterns.get(at..)?.iter().position(|rule| rule.decides(is_ipv4, bits))?;
            let rule = self.rules.get(at)?;
            match &rule.then {
                Then::Value(value) => return Some((value, rule.line)),
                Then::Enter(end) => at = *end,
            }
        }
    }
}

impl CidrTable {
    /// The value of each rule, with its line.
    pub(crate) fn values(&self) -> impl Iterator<Item = (u32, &[u8])> {
        self.rules.iter().filter_map(|rule| match &rule.then {
            Then::Value(value) => Some((rule.line, &**value)),
            Then::Enter(_) => None,
        })
    }
}

struct Reader {
    table: CidrTable,
    /// The `if`s that wait for their `endif`.
    open: Vec<usize>,
}

impl Reader {
    fn read(&mut self, line: u32, text: &[u8]) -> Result<(), String> {
        let text = trim(text.split(|&byte| byte == 0).next().unwrap_or_default());
        if let Some(rest) = after_word(text, b"endif") {
            if !rest.is_empty() {
                return Err("garbage after ENDIF".to_owned());
            }
            let opened = self.open.pop().ok_or("ENDIF without IF")?;
            self.close(opened);
            return Ok(());
        }
        if let Some(rest) = after_word(text, b"if") {
            let pattern = Pattern::parse(rest)?;
            self.open.push(self.table.rules.len());
            self.add(Pattern { is_if: true, ..pattern }, line, Then::Enter(usize::MAX));
            return Ok(());
        }
        let negations = text.iter().take_while(|&&byte| byte == b'!' || is_space(byte)).count();
        let (_, bare) = text.split_at(negations);
        let end = bare.iter().position(|&byte| is_space(byte)).unwrap_or(bare.len());
        let pattern = Pattern::parse(&text[..negations + end])?;
        let value = trim(&bare[end..]);
        if value.is_empty() {
            return Err("no lookup result".to_owned());
        }
        self.add(pattern, line, Then::Value(value.into()));
        Ok(())
    }

    fn add(&mut self, pattern: Pattern, line: u32, then: Then) {
        self.table.patterns.push(pattern);
        self.table.rules.push(Rule { line, then });
    }

    /// The rules that are read from now on are outside of this `if`.
    fn close(&mut self, opened: usize) {
        let end = self.table.rules.len();
        if let Some(rule) = self.table.rules.get_mut(opened) {
            rule.then = Then::Enter(end);
        }
    }
}

impl Pattern {
    /// Reads `!`s, then `address`, `address/prefix`, `[address]`, `[address/prefix]` or
    /// `[address]/prefix`. The error is what Postfix says.
    fn parse(text: &[u8]) -> Result<Self, String> {
        let mut text = trim_start(text);
        let mut negated = false;
        while let Some(rest) = text.strip_prefix(b"!") {
            negated = !negated;
            text = trim_start(rest);
        }
        if text.is_empty() {
            return Err("no address pattern".to_owned());
        }
        let (network, prefix) = match divided(text)? {
            (network, Some(prefix)) => network_and_prefix(network, prefix)?,
            (network, None) => {
                let network = address(network)
                    .ok_or_else(|| format!("bad address pattern: \"{}\"", printable(network)))?;
                (network, width(network))
            }
        };
        let mask = mask(width(network), prefix);
        let is_ipv4 = network.is_ipv4();
        Ok(Self { is_ipv4, negated, is_if: false, mask, network: bits(network) })
    }

    /// Whether the rule behind it does not come next: it holds, or it is an `if` that does not.
    fn decides(&self, is_ipv4: bool, bits: u128) -> bool {
        let holds = is_ipv4 == self.is_ipv4 && (bits & self.mask == self.network) != self.negated;
        holds != self.is_if
    }
}

/// What follows `word`, in any case, if no letter or digit follows it at once.
fn after_word<'t>(text: &'t [u8], word: &[u8]) -> Option<&'t [u8]> {
    let (start, rest) = text.split_at_checked(word.len())?;
    let is_word =
        start.eq_ignore_ascii_case(word) && !rest.first().is_some_and(u8::is_ascii_alphanumeric);
    is_word.then_some(trim_start(rest))
}

/// The address and the digits behind the slash, brackets dropped.
fn divided(text: &[u8]) -> Result<(&[u8], Option<&[u8]>), String> {
    let Some(inner) = text.strip_prefix(b"[") else { return Ok(at_slash(text)) };
    let Some(end) = inner.iter().position(|&byte| byte == b']') else {
        return Err(format!("missing ']' character after \"[{}\"", printable(inner)));
    };
    match (&inner[..end], &inner[end + 1..]) {
        (inner, []) => Ok(at_slash(inner)),
        (inner, [b'/', prefix @ ..]) => Ok((inner, Some(prefix))),
        (inner, _) => Err(format!("garbage after \"[{}]\"", printable(inner))),
    }
}

fn at_slash(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&byte| byte == b'/') {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

fn network_and_prefix(network: &[u8], prefix: &[u8]) -> Result<(IpAddr, u32), String> {
    let written = format!("\"{}/{}\"", printable(network), printable(prefix));
    if prefix.is_empty() || !prefix.iter().all(u8::is_ascii_digit) {
        return Err(format!("bad mask value in {written}"));
    }
    let most = if network.contains(&b':') { 128 } else { 32 };
    let prefix = std::str::from_utf8(prefix).ok().and_then(|digits| digits.parse().ok());
    let prefix = prefix
        .filter(|&prefix| prefix <= most)
        .ok_or_else(|| format!("bad mask length in {written}"))?;
    let network = address(network).ok_or_else(|| format!("bad network value in {written}"))?;
    let first = first_address(network, prefix);
    if first == network {
        return Ok((network, prefix));
    }
    Err(format!(
        "non-null host address bits in {written}, perhaps you should use \"{first}/{prefix}\" \
         instead"
    ))
}

fn address(text: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

const fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

const fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(ip) => ip.to_bits() as u128,
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// The first `prefix` of so many bits.
fn mask(width: u32, prefix: u32) -> u128 {
    let all = u128::MAX >> (u128::BITS - width);
    all & !all.checked_shr(prefix).unwrap_or(0)
}

/// The address with all bits behind the first `prefix` cleared.
fn first_address(address: IpAddr, prefix: u32) -> IpAddr {
    match address {
        IpAddr::V4(ip) => IpAddr::V4((ip.to_bits() & mask(32, prefix) as u32).into()),
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() & mask(128, prefix)).into()),
    }
}

#[cfg(test)]
mod tests;
