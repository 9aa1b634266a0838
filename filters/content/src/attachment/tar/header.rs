//! The header of a member: one block (POSIX.1-2017 pax, ustar Interchange Format).

use super::until_nul;

/// A header whose checksum is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header<'a> {
    /// The type flag.
    pub(super) kind: u8,
    pub(super) size: u64,
    /// Where a link points to.
    pub(super) link: &'a [u8],
    name: &'a [u8],
    prefix: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads a block; `None` if it is no header.
    pub(super) fn read(block: &'a [u8]) -> Option<Self> {
        let block: &[u8; BLOCK] = block.try_into().ok()?;
        let said = octal(&block[148..156])?;
        let sum = |signed: bool| -> i64 {
            let of = |(at, &byte): (usize, &u8)| match at {
                148..156 => i64::from(b' '),
                _ if signed => i64::from(byte.cast_signed()),
                _ => i64::from(byte),
            };
            block.iter().enumerate().map(of).sum()
        };
        // Old programs added signed characters.
        let is_right =
            [sum(false), sum(true)].into_iter().any(|sum| i64::try_from(said) == Ok(sum));
        // GNU's own headers have times where ustar has the prefix.
        let has_prefix = &block[257..263] == b"ustar\0";
        let prefix = if has_prefix { until_nul(&block[345..500]) } else { &[] };
        let (name, link) = (until_nul(&block[..100]), until_nul(&block[157..257]));
        let size = number(&block[124..136]);
        is_right.then_some(Self { kind: block[156], size, link, name, prefix })
    }

    /// The name that the header itself gives.
    pub(super) fn name(&self) -> Vec<u8> {
        let mut name = self.prefix.to_vec();
        if !name.is_empty() {
            name.push(b'/');
        }
        name.extend_from_slice(self.name);
        name
    }
}

/// Octal digits, or GNU's form for large numbers: the first bit set, then the number itself.
fn number(field: &[u8]) -> u64 {
    match field {
        [0x80, rest @ ..] => rest
            .iter()
            .fold(0u64, |sum, byte| sum.saturating_mul(256).saturating_add((*byte).into())),
        _ => octal(field).unwrap_or(0),
    }
}

/// Octal digits, behind blanks or the NUL that ended the field before. They end at whatever is none,
/// as they do for those who read the most.
fn octal(field: &[u8]) -> Option<u64> {
    let field = field.strip_prefix(b"\0").unwrap_or(field).trim_ascii_start();
    let count = field.iter().take_while(|byte| (b'0'..=b'7').contains(*byte)).count();
    let digits = field.get(..count).filter(|digits| !digits.is_empty())?;
    let next = |sum: u64, digit: &u8| sum.saturating_mul(8).saturating_add((digit - b'0').into());
    Some(digits.iter().fold(0, next))
}

/// Everything in a tar archive comes in such blocks.
pub(super) const BLOCK: usize = 512;
