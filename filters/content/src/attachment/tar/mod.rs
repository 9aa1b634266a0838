//! tar archives: the old ones, ustar and pax (POSIX.1-2001), and GNU's long names.
//!
//! Every block of 512 bytes whose checksum is right is a header, wherever the archive is said to
//! end. Both the short and the long name of a member are given, and where its links point to.

mod header;
mod pax;

use header::{BLOCK, Header};
use pax::Pax;

use super::{
    Limit,
    budget::{Heading, View},
    kind::Kind,
    names,
    stream::Stream,
    zip::Zip,
};

/// A tar archive going past.
#[derive(Debug)]
pub(super) struct Tar {
    depth: u8,
    block: Vec<u8>,
    data: Option<Data>,
    /// What is said about the next member in front of its header.
    next: Pax,
    is_ambiguous: bool,
}

/// What follows a header.
#[derive(Debug)]
struct Data {
    left: u64,
    /// Zeros up to the next block.
    padding: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    Member {
        name: String,
        content: Option<Box<Stream>>,
    },
    /// A long name of GNU tar, or where a link points to.
    LongName(Vec<u8>),
    Pax,
    Skipped,
}

impl Tar {
    pub(super) fn is_begun_by(head: &[u8]) -> bool {
        head.get(..BLOCK).is_some_and(|block| block[0] != 0 && Header::read(block).is_some())
    }

    pub(super) fn new(depth: u8) -> Self {
        let (block, next) = (Vec::with_capacity(BLOCK), Pax::default());
        Self { depth, block, data: None, next, is_ambiguous: false }
    }

    pub(super) fn feed(&mut self, mut bytes: &[u8], zip: &mut Zip, view: &mut View<'_>) {
        while !bytes.is_empty() {
            if self.data.is_some() {
                let used = self.feed_data(bytes, view);
                bytes = &bytes[used..];
                continue;
            }
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.block.len()));
            // What is no header may be the rest of another archive.
            zip.feed(now, view);
            self.block.extend_from_slice(now);
            bytes = later;
            if self.block.len() == BLOCK {
                let block = std::mem::take(&mut self.block);
                if let Some(header) = Header::read(&block) {
                    self.begin(&header, view);
                }
            }
        }
    }

    pub(super) fn finish(&mut self, view: &mut View<'_>) {
        if let Some(data) = self.data.take() {
            self.end(data.what, view);
        }
        if self.is_ambiguous {
            view.is(Kind::AMBIGUOUS);
        }
    }

    pub(super) fn buffered(&self) -> usize {
        let data = match self.data.as_ref().map(|data| &data.what) {
            Some(What::Member { name, content }) => {
                name.capacity() + content.as_ref().map_or(0, |content| content.buffered())
            }
            Some(What::LongName(name)) => name.capacity(),
            Some(What::Pax | What::Skipped) | None => 0,
        };
        self.block.capacity() + self.next.buffered() + data
    }

    fn begin(&mut self, header: &Header<'_>, view: &mut View<'_>) {
        let size = match header.kind {
            b'L' | b'K' | b'x' | b'g' | b'X' => header.size,
            _ => self.member_size(header),
        };
        let what = match header.kind {
            b'L' | b'K' => What::LongName(Vec::new()),
            b'x' | b'g' | b'X' => What::Pax,
            _ => self.member(header, view),
        };
        let data = Data { left: size, padding: size.wrapping_neg() % BLOCK as u64, what };
        if size == 0 {
            return self.end(data.what, view);
        }
        self.data = Some(data);
    }

    /// Links and devices have no data, whatever their size says; of two sizes pax's counts. Readers
    /// differ in both.
    fn member_size(&mut self, header: &Header<'_>) -> u64 {
        let size = match header.kind {
            b'1'..=b'6' => 0,
            _ => self.next.size().unwrap_or(header.size),
        };
        self.is_ambiguous |= size != header.size && header.size != 0;
        size
    }

    fn member(&mut self, header: &Header<'_>, view: &mut View<'_>) -> What {
        let short = header.name();
        view.name(Heading::Member, &short);
        let mut name = view.path_name(&short);
        for long in self.next.take_names() {
            view.name(Heading::Member, &long);
            name = view.path_name(&long);
        }
        if !header.link.is_empty() {
            view.name(Heading::Member, header.link);
        }
        if self.next.take_is_cut() {
            view.reached(Limit::NameLength);
        }
        if header.kind == b'5' || !view.may_descend(self.depth + 1) {
            return What::Skipped;
        }
        What::Member { name, content: Some(Box::new(Stream::new(self.depth + 1))) }
    }

    fn feed_data(&mut self, bytes: &[u8], view: &mut View<'_>) -> usize {
        let Some(data) = &mut self.data else { return 0 };
        let most = usize::try_from(data.left).unwrap_or(usize::MAX);
        let (now, later) = bytes.split_at(bytes.len().min(most));
        data.left -= now.len() as u64;
        match &mut data.what {
            What::Member { name, content: Some(content) } => {
                view.inside(name, |view| content.feed(now, view));
            }
            What::LongName(name) => {
                let is_cut = names::keep_end(name, now);
                self.next.note_cut(is_cut);
            }
            What::Pax => self.next.feed(now),
            What::Member { content: None, .. } | What::Skipped => {}
        }
        if data.left > 0 {
            return now.len();
        }
        let padding = later.len().min(usize::try_from(data.padding).unwrap_or(0));
        data.padding -= padding as u64;
        if data.padding == 0
            && let Some(data) = self.data.take()
        {
            self.end(data.what, view);
        }
        now.len() + padding
    }

    /// The data of a header is complete, or cut.
    fn end(&mut self, what: What, view: &mut View<'_>) {
        match what {
            What::Member { name, content: Some(mut content) } => {
                view.inside(&name, |view| content.finish(view));
            }
            What::LongName(name) => self.next.add_name(until_nul(&name)),
            What::Pax => self.next.end(),
            What::Member { content: None, .. } | What::Skipped => {}
        }
    }
}

fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}
