//! Types that are told by bytes far from the beginning: images of disks.

use super::{budget::View, kind::Kind};

/// Watches the two places of a stream.
#[derive(Debug, Default)]
pub(super) struct Edges {
    at: usize,
    mark: Vec<u8>,
    end: Vec<u8>,
}

impl Edges {
    /// True if a type was said.
    pub(super) fn feed(&mut self, bytes: &[u8], view: &mut View<'_>) -> bool {
        let mut is_iso = false;
        let first = ISO_MARK.saturating_sub(self.at);
        let had = self.mark.len();
        if self.at + bytes.len() > ISO_MARK && had < 5 {
            let from = bytes.get(first..).unwrap_or_default();
            self.mark.extend(from.iter().take(5 - had));
            // UDF without ISO 9660 begins its descriptors so (ECMA-167, 2/9.2).
            is_iso = self.mark == b"CD001" || self.mark == b"BEA01";
            if is_iso {
                view.is(Kind::ISO);
            }
        }
        self.at = self.at.saturating_add(bytes.len());
        self.end
            .extend_from_slice(bytes.get(bytes.len().saturating_sub(FOOTER)..).unwrap_or(bytes));
        self.end.drain(..self.end.len().saturating_sub(FOOTER));
        is_iso
    }

    /// True if a type was said.
    pub(super) fn finish(&self, view: &mut View<'_>) -> bool {
        // A disk of fixed size has its only header at the end, in old versions of 511 bytes.
        let ends_in =
            |mark: &[u8], at: usize| self.end.get(at..).is_some_and(|end| end.starts_with(mark));
        let kind = match () {
            () if ends_in(b"conectix", 0) || ends_in(b"conectix", 1) => Kind::VHD,
            () if ends_in(b"koly", 0) => Kind::DMG,
            () => return false,
        };
        view.is(kind);
        true
    }

    pub(super) fn buffered(&self) -> usize {
        self.mark.capacity() + self.end.capacity()
    }
}

/// Where the first descriptor of a volume has its mark (ECMA-119, 7.1.2).
const ISO_MARK: usize = 16 * 2048 + 1;
/// A footer is the last 512 bytes.
const FOOTER: usize = 512;
