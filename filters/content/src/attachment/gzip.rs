//! gzip (RFC 1952): the name in its header, and what it unpacks to.
//!
//! What is not packed, fields of headers and whatever else stands between the members, may hold the
//! headers of a zip archive, and its reader sees it.

use super::{
    Limit,
    budget::{Heading, View},
    inflate::{Inflate, Progress},
    names,
    zip::Zip,
};

/// A gzip file going past: members one behind another, whose contents are one stream.
#[derive(Debug)]
pub(super) struct Gzip {
    depth: u8,
    state: State,
    /// Fixed fields of a header.
    fixed: Vec<u8>,
    name: Vec<u8>,
    /// What the content is called on the way further in.
    called: String,
    inflate: Option<Inflate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fixed,
    ExtraLength {
        flags: u8,
    },
    Extra {
        flags: u8,
        left: usize,
    },
    Name {
        flags: u8,
    },
    Comment {
        flags: u8,
    },
    Checksum {
        left: usize,
    },
    Data,
    Trailer {
        left: usize,
    },
    /// No gzip from here on.
    Junk,
}

impl Gzip {
    /// The content is one deeper than this.
    pub(super) fn new(depth: u8) -> Self {
        let (fixed, name, called) = (Vec::new(), Vec::new(), String::new());
        Self { depth, state: State::Fixed, fixed, name, called, inflate: None }
    }

    pub(super) fn feed(&mut self, mut bytes: &[u8], zip: &mut Zip, view: &mut View<'_>) {
        while !bytes.is_empty() {
            if self.state == State::Junk {
                return zip.feed(bytes, view);
            }
            let is_packed = self.state == State::Data;
            let used = self.step(bytes, view);
            let (now, later) = bytes.split_at(used.min(bytes.len()));
            if !is_packed {
                zip.feed(now, view);
            }
            bytes = later;
        }
    }

    pub(super) fn finish(&mut self, view: &mut View<'_>) {
        if let Some(inflate) = self.inflate.take() {
            inflate.finish(&self.called, view);
        }
    }

    pub(super) fn buffered(&self) -> usize {
        let inflate = self.inflate.as_ref().map_or(0, Inflate::buffered);
        self.fixed.capacity() + self.name.capacity() + self.called.capacity() + inflate
    }

    /// Takes some of the bytes, and says how many.
    fn step(&mut self, bytes: &[u8], view: &mut View<'_>) -> usize {
        match self.state {
            State::Fixed => self.take(bytes, 10, Self::begin),
            State::ExtraLength { flags } => self.take(bytes, 2, |gzip, length| {
                let left = usize::from(u16::from_le_bytes([length[0], length[1]]));
                gzip.state = State::Extra { flags, left };
            }),
            State::Extra { flags, left } => {
                let used = left.min(bytes.len());
                let left = left - used;
                self.state =
                    if left > 0 { State::Extra { flags, left } } else { State::Name { flags } };
                used
            }
            State::Name { flags } if flags & NAME != 0 => self.take_name(bytes, flags, view),
            State::Name { flags } => self.go_to(State::Comment { flags }),
            State::Comment { flags } if flags & COMMENT != 0 => {
                let end = memchr::memchr(0, bytes);
                self.state = if end.is_some() { after_comment(flags) } else { self.state };
                end.map_or(bytes.len(), |end| end + 1)
            }
            State::Comment { flags } => self.go_to(after_comment(flags)),
            State::Checksum { left: 0 } => {
                self.begin_data(view);
                0
            }
            State::Checksum { left } => {
                let used = left.min(bytes.len());
                self.go_to(State::Checksum { left: left - used });
                used
            }
            State::Data => self.unpack(bytes, view),
            State::Trailer { left: 0 } => self.go_to(State::Fixed),
            State::Trailer { left } => {
                let used = left.min(bytes.len());
                self.go_to(State::Trailer { left: left - used });
                used
            }
            State::Junk => bytes.len(),
        }
    }

    fn go_to(&mut self, state: State) -> usize {
        self.state = state;
        0
    }

    /// Collects that many bytes, and then goes on with them.
    fn take(&mut self, bytes: &[u8], count: usize, then: impl FnOnce(&mut Self, &[u8])) -> usize {
        let used = bytes.len().min(count - self.fixed.len());
        self.fixed.extend_from_slice(&bytes[..used]);
        if self.fixed.len() == count {
            let fixed = std::mem::take(&mut self.fixed);
            then(self, &fixed);
        }
        used
    }

    fn begin(&mut self, fixed: &[u8]) {
        self.state = match fixed {
            [0x1f, 0x8b, 8, flags, ..] if flags & EXTRA != 0 => {
                State::ExtraLength { flags: *flags }
            }
            [0x1f, 0x8b, 8, flags, ..] => State::Name { flags: *flags },
            _ => State::Junk,
        };
    }

    fn take_name(&mut self, bytes: &[u8], flags: u8, view: &mut View<'_>) -> usize {
        let end = memchr::memchr(0, bytes);
        let more = &bytes[..end.unwrap_or(bytes.len())];
        if names::keep_end(&mut self.name, more) {
            view.reached(Limit::NameLength);
        }
        if end.is_some() {
            let name = std::mem::take(&mut self.name);
            view.name(Heading::Member, &name);
            self.called = view.path_name(&name);
            self.state = State::Comment { flags };
        }
        end.map_or(bytes.len(), |end| end + 1)
    }

    fn begin_data(&mut self, view: &mut View<'_>) {
        if self.called.is_empty() {
            let unpacked = view.here().map(unpacked_name);
            if let Some(name) = &unpacked {
                view.name(Heading::Member, name.as_bytes());
            }
            self.called = unpacked.unwrap_or_else(|| UNKNOWN.to_owned());
        }
        self.inflate = match self.inflate.take() {
            Some(inflate) if view.counts_one_more() => Some(inflate.again()),
            Some(inflate) => {
                inflate.finish(&self.called, view);
                None
            }
            None => Inflate::begin(self.depth + 1, view),
        };
        self.state = if self.inflate.is_some() { State::Data } else { State::Junk };
    }

    fn unpack(&mut self, bytes: &[u8], view: &mut View<'_>) -> usize {
        let Some(inflate) = &mut self.inflate else { return self.go_to(State::Junk) };
        match inflate.feed(bytes, &self.called, view) {
            Progress::More => bytes.len(),
            Progress::End(used) => {
                self.state = State::Trailer { left: 8 };
                used
            }
            Progress::Stopped => self.go_to(State::Junk),
        }
    }
}

/// The name that gunzip gives to what it unpacks.
fn unpacked_name(packed: &str) -> String {
    let ends = |suffix: &str| {
        let stem = packed.len().checked_sub(suffix.len())?;
        let fits = packed.get(stem..).is_some_and(|end| end.eq_ignore_ascii_case(suffix));
        fits.then(|| &packed[..stem])
    };
    match ends(".tgz").or_else(|| ends(".taz")) {
        Some(stem) => format!("{stem}.tar"),
        None => ends(".gz").or_else(|| ends(".z")).unwrap_or(packed).to_owned(),
    }
}

fn after_comment(flags: u8) -> State {
    State::Checksum { left: if flags & CHECKSUM != 0 { 2 } else { 0 } }
}

const CHECKSUM: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;
/// What stands in a path where no name is known.
const UNKNOWN: &str = "(content)";
