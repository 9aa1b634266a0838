//! Macro strings (RFC 7208 section 7): how they are written, and which places allow what.
//!
//! All syntax is judged here, before anything is looked up; that terms are printable ASCII, [`super::record`] has seen.
//! What a macro stands for is known in [`super::expand`] only.

use super::record::TermError;

/// A text with macros in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MacroString(pub(super) Vec<Piece>);

/// A part of a macro string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text that stands for itself, with `%%`, `%_` and `%-` replaced.
    Literal(Box<str>),
    /// `%{...}`.
    Macro(Macro),
}

/// What stands in the braces of `%{d2r-}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Macro {
    pub(super) letter: Letter,
    /// Whether the letter is a capital: the value is escaped as in a URL.
    pub(super) is_escaped: bool,
    /// How many parts count, from the right. At least 1.
    pub(super) parts: usize,
    /// Whether the parts are put in the other order first (`r`).
    pub(super) is_reversed: bool,
    /// What divides the parts.
    pub(super) delimiters: Box<str>,
}

/// What a macro stands for (RFC 7208 section 7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letter {
    /// `s`: the sender.
    Sender,
    /// `l`: the sender's local part.
    LocalPart,
    /// `o`: the sender's domain.
    SenderDomain,
    /// `d`: the domain whose record it is.
    Domain,
    /// `i`: the client's address, with dots between the nibbles of an IPv6 address.
    Address,
    /// `p`: a name of the client's address that leads back to it.
    ValidatedName,
    /// `v`: `in-addr` or `ip6`.
    Family,
    /// `h`: what the client said in HELO.
    Helo,
    /// `c`: the client's address as people read it; in explanations only.
    ReadableAddress,
    /// `r`: the host that checks; in explanations only.
    Receiver,
    /// `t`: seconds since 1970; in explanations only.
    Time,
}

impl MacroString {
    /// A `domain-spec`: it ends in a macro or in a top-level label, and has no macro of explanations.
    pub(super) fn domain_spec(text: &str) -> Result<Self, TermError> {
        let (this, tail) = Self::read(text)?;
        if this.letters().any(Letter::is_of_explanations) {
            return Err(TermError::Macro);
        }
        let ends_in_macro = tail.is_empty() && !text.is_empty();
        if ends_in_macro || ends_in_toplabel(tail) { Ok(this) } else { Err(TermError::Domain) }
    }

    /// What stands behind the `=` of a modifier that nobody knows: only its form counts.
    pub(super) fn check(text: &str) -> Result<(), TermError> {
        Self::read(text).map(drop)
    }

    /// An explanation, as it is published.
    pub(super) fn explanation(text: &str) -> Result<Self, TermError> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            return Err(TermError::Character);
        }
        Self::read(text).map(|(this, _)| this)
    }

    /// Whether a macro stands for this.
    pub(super) fn has(&self, letter: Letter) -> bool {
        self.letters().any(|other| other == letter)
    }

    /// The pieces, and what stands behind the last `%`-sequence.
    fn read(mut text: &str) -> Result<(Self, &str), TermError> {
        let mut pieces = Vec::new();
        while let Some((literal, rest)) = text.split_once('%') {
            push_literal(&mut pieces, literal);
            let (piece, rest) = piece(rest)?;
            pieces.push(piece);
            text = rest;
        }
        push_literal(&mut pieces, text);
        Ok((Self(pieces), text))
    }

    fn letters(&self) -> impl Iterator<Item = Letter> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Macro(of) => Some(of.letter),
            Piece::Literal(_) => None,
        })
    }
}

impl Macro {
    /// Reads `d2r-`.
    fn parse(text: &str) -> Option<Self> {
        let mut chars = text.chars();
        let first = chars.next()?;
        let letter = Letter::of(first)?;
        let rest = chars.as_str();
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = rest.split_at_checked(digits)?;
        let parts = match digits {
            "" => usize::MAX,
            // More digits than fit mean more parts than there can be.
            digits => digits.parse().unwrap_or(usize::MAX),
        };
        let unreversed = rest.strip_prefix(['r', 'R']);
        let delimiters = unreversed.unwrap_or(rest);
        let is_sound = parts > 0 && delimiters.chars().all(|c| DELIMITERS.contains(c));
        is_sound.then(|| Self {
            letter,
            is_escaped: first.is_ascii_uppercase(),
            parts,
            is_reversed: unreversed.is_some(),
            delimiters: if delimiters.is_empty() { ".".into() } else { delimiters.into() },
        })
    }
}

impl Letter {
    fn of(letter: char) -> Option<Self> {
        Some(match letter.to_ascii_lowercase() {
            's' => Self::Sender,
            'l' => Self::LocalPart,
            'o' => Self::SenderDomain,
            'd' => Self::Domain,
            'i' => Self::Address,
            'p' => Self::ValidatedName,
            'v' => Self::Family,
            'h' => Self::Helo,
            'c' => Self::ReadableAddress,
            'r' => Self::Receiver,
            't' => Self::Time,
            _ => return None,
        })
    }

    const fn is_of_explanations(self) -> bool {
        matches!(self, Self::ReadableAddress | Self::Receiver | Self::Time)
    }
}

/// What a `%` stands for, and what comes behind it.
fn piece(text: &str) -> Result<(Piece, &str), TermError> {
    let mut chars = text.chars();
    let literal = match chars.next() {
        Some('%') => "%",
        Some('_') => " ",
        Some('-') => "%20",
        Some('{') => {
            let (inner, rest) = chars.as_str().split_once('}').ok_or(TermError::Macro)?;
            let of = Macro::parse(inner).ok_or(TermError::Macro)?;
            return Ok((Piece::Macro(of), rest));
        }
        Some(_) | None => return Err(TermError::Macro),
    };
    Ok((Piece::Literal(literal.into()), chars.as_str()))
}

fn push_literal(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Literal(text.into()));
    }
}

/// Whether a text ends in a dot and a label that can be that of a top-level domain, and perhaps one more dot.
fn ends_in_toplabel(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let Some((_, label)) = text.rsplit_once('.') else {
        return false;
    };
    let is_edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = label.as_bytes();
    is_edge(bytes.first())
        && is_edge(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        && !bytes.iter().all(u8::is_ascii_digit)
}

const DELIMITERS: &str = ".-+,/_=";
