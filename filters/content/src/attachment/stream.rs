//! One stream of bytes: an attachment, or a member of an archive. It is told what it is by its
//! head, and read as every archive that it may be.
//!
//! Headers of zip are looked for in every stream, since zip archives may have anything in front
//! (installers are programs and archives). Bytes inside the member of another archive are left to
//! the stream of that member.

use super::{
    budget::View, edges::Edges, gzip::Gzip, kind::Kind, magic, ole::Ole, pdf::Pdf, tar::Tar, text,
    zip::Zip,
};

/// A stream being read.
#[derive(Debug)]
pub(super) struct Stream {
    depth: u8,
    head: Vec<u8>,
    is_judged: bool,
    /// Whether some type was said.
    is_known: bool,
    edges: Edges,
    zip: Zip,
    packed: Packed,
    ole: Option<Ole>,
    pdf: Option<Pdf>,
}

/// What takes the bytes before the reader of zip sees the rest.
#[derive(Debug)]
enum Packed {
    No,
    Tar(Box<Tar>),
    Gzip(Box<Gzip>),
}

impl Stream {
    /// A stream at this depth: 0 for an attachment.
    pub(super) fn new(depth: u8) -> Self {
        Self {
            depth,
            head: Vec::new(),
            is_judged: false,
            is_known: false,
            edges: Edges::default(),
            zip: Zip::new(depth),
            packed: Packed::No,
            ole: None,
            pdf: None,
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8], view: &mut View<'_>) {
        if self.is_judged {
            return self.pass(bytes, view);
        }
        if let (true, Some((head, rest))) = (self.head.is_empty(), bytes.split_at_checked(HEAD)) {
            self.judge(head, false, view);
            return self.pass(rest, view);
        }
        self.head.reserve_exact(HEAD - self.head.len());
        let (head, rest) = bytes.split_at(bytes.len().min(HEAD - self.head.len()));
        self.head.extend_from_slice(head);
        if self.head.len() == HEAD {
            self.judge_head(false, view);
            self.pass(rest, view);
        }
    }

    /// There is no more.
    pub(super) fn finish(&mut self, view: &mut View<'_>) {
        let is_empty = !self.is_judged && self.head.is_empty();
        if is_empty {
            return;
        }
        let sample_is_text = !self.is_judged && self.judge_head(true, view);
        self.is_known |= self.edges.finish(view);
        if let Some(ole) = self.ole.take() {
            ole.finish(view);
        }
        if let Some(pdf) = self.pdf.take() {
            pdf.finish(view);
        }
        match &mut self.packed {
            Packed::No => {}
            Packed::Tar(tar) => tar.finish(view),
            Packed::Gzip(gzip) => gzip.finish(view),
        }
        let has_members = self.zip.finish(view);
        if !self.is_known && !has_members {
            view.is(if sample_is_text { Kind::TEXT } else { Kind::BINARY });
        }
    }

    pub(super) fn buffered(&self) -> usize {
        let packed = match &self.packed {
            Packed::No => 0,
            Packed::Tar(tar) => tar.buffered(),
            Packed::Gzip(gzip) => gzip.buffered(),
        };
        self.head.capacity()
            + self.edges.buffered()
            + self.zip.buffered()
            + packed
            + self.ole.as_ref().map_or(0, Ole::buffered)
            + self.pdf.as_ref().map_or(0, Pdf::buffered)
    }

    /// Says what the head shows, and reads it as that. Gives whether it reads as text.
    fn judge(&mut self, head: &[u8], whole: bool, view: &mut View<'_>) -> bool {
        let is_text = text::is_text(head);
        self.is_judged = true;
        let is_zip = head.starts_with(b"PK\x03\x04");
        let kind = magic::judge(head, whole);
        if let Some(kind) = kind {
            self.say(kind, view);
        }
        if kind == Some(Kind::GZIP) {
            self.packed = Packed::Gzip(Box::new(Gzip::new(self.depth)));
        } else if Tar::is_begun_by(head) {
            self.say(Kind::TAR, view);
            self.packed = Packed::Tar(Box::new(Tar::new(self.depth)));
        }
        if Ole::is_begun_by(head) {
            self.ole = Some(Ole::default());
            self.is_known = true;
        }
        if text::is_pdf(head) {
            self.say(Kind::PDF, view);
            self.pdf = Some(Pdf::default());
        }
        // The head of a picture may be a comment, and read as text.
        if !self.is_known && !is_zip {
            if let Some(kind) = text::judge(head).or_else(|| magic::media(head)) {
                self.say(kind, view);
            } else if !whole && is_text {
                self.say(Kind::TEXT, view);
            }
        }
        self.pass(head, view);
        is_text
    }

    /// The same of the head that was gathered.
    fn judge_head(&mut self, whole: bool, view: &mut View<'_>) -> bool {
        let head = std::mem::take(&mut self.head);
        self.judge(&head, whole, view)
    }

    fn say(&mut self, kind: Kind, view: &mut View<'_>) {
        self.is_known = true;
        view.is(kind);
    }

    fn pass(&mut self, bytes: &[u8], view: &mut View<'_>) {
        self.is_known |= self.edges.feed(bytes, view);
        if let Some(ole) = &mut self.ole {
            ole.feed(bytes);
        }
        if let Some(pdf) = &mut self.pdf {
            pdf.feed(bytes);
        }
        match &mut self.packed {
            Packed::No => self.zip.feed(bytes, view),
            Packed::Tar(tar) => tar.feed(bytes, &mut self.zip, view),
            Packed::Gzip(gzip) => gzip.feed(bytes, &mut self.zip, view),
        }
    }
}

/// How much of a stream is looked at to say what it is.
const HEAD: usize = 4096;
