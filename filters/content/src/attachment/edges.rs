//! Types that are told by bytes far from the beginning: images of disks.

use super::{kind::Kind, ledger::View};

/// Watches the two places of a stream.
#[derive(Debug, Default)]
pub(super) struct Edges {
    at: usize,
    mark: Vec<u8>,
    end: Vec<u8>,
}

impl Edges {
    pub(super) fn feed(&mut self, bytes: &[u8], view: &mut View<'_>) {
        let first = ISO_MARK.saturating_sub(self.at);
        let had = self.mark.len();
        if self.at + bytes.len() > ISO_MARK && had < 5 {
            let from = bytes.get(first..).unwrap_or_default();
            self.mark.extend(from.iter().take(5 - had));
            // UDF without ISO 9660 begins its descriptors so (ECMA-167, 2/9.2).
            if self.mark == b"CD001" || self.mark == b"BEA01" {
                view.is(Kind::ISO);
            }
        }
        self.at = self.at.saturating_add(bytes.len());
        self.end
            .extend_from_slice(bytes.get(bytes.len().saturating_sub(FOOTER)..).unwrap_or(bytes));
        self.end.drain(..self.end.len().saturating_sub(FOOTER));
    }

    pub(super) fn finish(&mut self, view: &mut View<'_>) {
        // A disk of fixed size has its only header at the end, in old versions of 511 bytes.
        if self.end.starts_with(b"conectix")
            || self.end.get(1..).is_some_and(|end| end.starts_with(b"conectix"))
        {
            view.is(Kind::VHD);
        }
        if self.end.starts_with(b"koly") {
            view.is(Kind::DMG);
        }
    }

    pub(super) fn buffered(&self) -> usize {
        self.mark.capacity() + self.end.capacity()
    }
}

/// Where the first descriptor of a volume has its mark (ECMA-119, 7.1.2).
const ISO_MARK: usize = 16 * 2048 + 1;
/// A footer is the last 512 bytes.
const FOOTER: usize = 512;
