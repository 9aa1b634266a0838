//! Counts bytes of texts, many at once.

/// Of how many pairs of bytes with the same place in both texts something is so. What is asked should have no branches.
pub(super) fn count(one: &[u8], other: &[u8], is_so: impl Fn(u8, u8) -> bool) -> usize {
    let of = |one: &[u8], other: &[u8]| -> u8 {
        one.iter().zip(other).map(|(one, other)| u8::from(is_so(*one, *other))).sum()
    };
    let length = one.len().min(other.len());
    let whole = length - length % BLOCK;
    let (Some((one, one_rest)), Some((other, other_rest))) =
        (one.split_at_checked(whole), other.split_at_checked(whole))
    else {
        return 0;
    };
    let (one, other) = (one.as_chunks::<BLOCK>().0, other.as_chunks::<BLOCK>().0);
    let whole: usize = one.iter().zip(other).map(|(one, other)| usize::from(of(one, other))).sum();
    whole + usize::from(of(one_rest, other_rest))
}

/// Bytes that are looked at together.
const BLOCK: usize = 16;
