//! Deflated data (RFC 1951) unpacked at once, within what is left to be unpacked.

use flate2::{Decompress, FlushDecompress, Status};

use crate::Reason;
use crate::harvest::Harvest;

/// What stands around the deflated data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Nothing: zip archives.
    Bare,
    /// RFC 1950: PDF.
    Zlib,
    /// RFC 1952.
    Gzip,
}

/// Unpacks as much as there is and as limits allow. What is missing is marked, but for `Form::Zlib`
/// the damage: PDF files often leave out the end.
pub(crate) fn inflate(packed: &[u8], form: Form, harvest: &mut Harvest<'_>) -> Vec<u8> {
    let deflated = match form {
        Form::Gzip => behind_gzip_header(packed),
        // The header of two bytes says nothing of use, and is wrong in some files.
        Form::Zlib => packed.get(2..).unwrap_or_default(),
        Form::Bare => packed,
    };
    let most = harvest.unpack_room().min(harmless(deflated.len()));
    let mut unpacked = Vec::new();
    let end = fill(deflated, most, &mut unpacked);
    unpacked.truncate(most);
    harvest.unpacked(unpacked.len());
    harvest.work(deflated.len().saturating_add(unpacked.len()));
    match end {
        End::Whole => {}
        End::Full => harvest.mark(Reason::TooLarge),
        End::Damaged if form == Form::Zlib => {}
        End::Damaged => harvest.mark(Reason::Damaged),
    }
    unpacked
}

/// Why unpacking came to an end.
enum End {
    Whole,
    Full,
    Damaged,
}

fn fill(deflated: &[u8], most: usize, unpacked: &mut Vec<u8>) -> End {
    let mut state = Decompress::new(false);
    let mut taken = 0;
    loop {
        if unpacked.len() >= most {
            return End::Full;
        }
        // Twice what is there, so that copying what is there costs no more than making it.
        let more = unpacked.len().clamp(SMALLEST, LARGEST).min(most - unpacked.len());
        unpacked.reserve_exact(more);
        let (total_in, before) = (state.total_in(), unpacked.len());
        let rest = deflated.get(taken..).unwrap_or_default();
        let status = state.decompress_vec(rest, unpacked, FlushDecompress::None);
        taken += usize::try_from(state.total_in() - total_in).unwrap_or(0);
        match status {
            Ok(Status::StreamEnd) => return End::Whole,
            Ok(_) if unpacked.len() > before || state.total_in() > total_in => {}
            Ok(_) | Err(_) => return End::Damaged,
        }
    }
}

/// How much honest data of this size may unpack to.
fn harmless(packed: usize) -> usize {
    packed.saturating_mul(MOST_RATIO).max(HARMLESS)
}

/// What follows the header of RFC 1952.
fn behind_gzip_header(packed: &[u8]) -> &[u8] {
    let behind = || {
        let flags = *packed.get(3)?;
        let mut rest = packed.get(10..)?;
        if flags & 4 != 0 {
            let length = usize::from(u16::from_le_bytes([*rest.first()?, *rest.get(1)?]));
            rest = rest.get(2 + length..)?;
        }
        for text in [8, 16] {
            if flags & text != 0 {
                rest = rest.get(memchr::memchr(0, rest)? + 1..)?;
            }
        }
        rest.get(if flags & 2 == 0 { 0 } else { 2 }..)
    };
    behind().unwrap_or_default()
}

const SMALLEST: usize = 16 << 10;
const LARGEST: usize = 8 << 20;
/// Unpacked sizes of which the ratio does not matter.
const HARMLESS: usize = 4 << 20;
/// The XML of large empty tables comes near this; deflate can do four times as much.
const MOST_RATIO: usize = 250;
