//! Extra fields of a header (APPNOTE.TXT 4.5): the sizes of zip64 and the name in Unicode.

use crate::attachment::names;

/// Reads fields as they go past.
#[derive(Debug, Default)]
pub(super) struct Extra {
    /// The id and length of a field, then its content if it is of use.
    field: Vec<u8>,
    skip: usize,
    unicode_paths: Vec<Vec<u8>>,
    packed_size: Option<u64>,
    is_cut: bool,
}

impl Extra {
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.skip > 0 {
                let skipped = self.skip.min(bytes.len());
                self.skip -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            let wanted = self.wanted();
            let (now, later) = bytes.split_at(bytes.len().min(wanted - self.field.len()));
            self.field.extend_from_slice(now);
            bytes = later;
            self.take_field();
        }
    }

    /// The names of Info-ZIP Unicode Path fields (0x7075): of several, programs take the first or the
    /// last. They count here even if the checksum of the other name does not fit.
    pub(super) fn unicode_paths(&self) -> impl Iterator<Item = &[u8]> {
        self.unicode_paths.iter().map(Vec::as_slice)
    }

    /// The packed size of zip64 (0x0001).
    pub(super) fn packed_size(&self) -> Option<u64> {
        self.packed_size
    }

    /// Whether the end of a name was lost.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut
    }

    pub(super) fn buffered(&self) -> usize {
        self.field.capacity() + self.unicode_paths.iter().map(Vec::capacity).sum::<usize>()
    }

    fn id_and_length(&self) -> Option<(u16, usize)> {
        let &[id, id_high, length, length_high, ..] = self.field.as_slice() else { return None };
        let length = u16::from_le_bytes([length, length_high]);
        Some((u16::from_le_bytes([id, id_high]), length.into()))
    }

    /// How many bytes of the field are kept, its head included.
    fn wanted(&self) -> usize {
        match self.id_and_length() {
            None => HEAD,
            Some((UNICODE_PATH, length)) => HEAD + length.min(5 + names::LONGEST),
            Some((ZIP64, length)) => HEAD + length.min(16),
            Some(_) => HEAD,
        }
    }

    fn take_field(&mut self) {
        let Some((id, length)) = self.id_and_length() else { return };
        if self.field.len() < self.wanted() {
            return;
        }
        let content = &self.field[HEAD..];
        self.skip = length - content.len();
        match (id, content) {
            // Version, checksum of the other name, name.
            (UNICODE_PATH, [_, _, _, _, _, name @ ..]) if !name.is_empty() => {
                let is_full = self.unicode_paths.len() == MOST_PATHS;
                self.is_cut |= self.skip > 0 || is_full;
                if is_full {
                    self.unicode_paths.pop();
                }
                let name = name.to_vec();
                self.unicode_paths.push(name);
            }
            (ZIP64, &[_, _, _, _, _, _, _, _, a, b, c, d, e, f, g, h]) => {
                self.packed_size = Some(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
            }
            _ => {}
        }
        self.field.clear();
    }
}

const HEAD: usize = 4;
/// Names of one member.
const MOST_PATHS: usize = 4;
const UNICODE_PATH: u16 = 0x7075;
const ZIP64: u16 = 0x0001;
