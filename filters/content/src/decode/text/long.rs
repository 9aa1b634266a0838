//! Lines that are too long, in pieces that overlap.

/// Takes the next piece from a line that has `limit` bytes or more: up to a blank near the limit if
/// there is one, and never inside a character of UTF-8. The end of the piece stays as the beginning
/// of the next.
pub(super) fn take_piece(line: &mut Vec<u8>, limit: usize) -> Vec<u8> {
    let near = limit - limit / 4;
    let window = line.get(near..limit).unwrap_or_default();
    let end = memchr::memrchr(b' ', window).map_or_else(|| boundary(line, limit), |at| near + at);
    let again = end.saturating_sub(OVERLAP.min(limit / 4));
    let window = line.get(again..end).unwrap_or_default();
    let again = memchr::memchr(b' ', window).map_or_else(|| boundary(line, again), |at| again + at);
    let piece = line.get(..end).unwrap_or_default().to_vec();
    line.drain(..again);
    piece
}

/// The last place at or before `at` where a character ends for sure: the bytes behind `at` may not be
/// there yet.
fn boundary(line: &[u8], at: usize) -> usize {
    let is_begin = |place: &usize| line.get(*place).is_some_and(|byte| byte & 0xc0 != 0x80);
    match (at.saturating_sub(4)..at).rev().find(is_begin) {
        Some(place) if line.get(place).is_some_and(|&byte| byte >= 0xc0) => place,
        _ => at,
    }
}

/// A phrase of this many bytes is whole in one of the pieces.
const OVERLAP: usize = 1024;
