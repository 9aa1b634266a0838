//! SHA-256 of a body and of its beginnings (`l=`), in one pass.

use aws_lc_rs::digest::{Context, Digest, SHA256};

use super::{body::BodyHash, canonical::Canonical};

/// The hashes of bodies that some signatures ask for. One pass for each of the two forms: another `l=`
/// costs a copy of the state at that place, and no hashing.
#[derive(Default)]
pub(crate) struct BodyReader {
    simple: Option<BodyHash>,
    relaxed: Option<BodyHash>,
}

/// What the body came to.
#[derive(Debug, Default)]
pub(crate) struct BodyDigests {
    simple: Option<Digests>,
    relaxed: Option<Digests>,
}

/// The body in one form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Digests {
    whole: [u8; 32],
    length: u64,
    /// By how many bytes are hashed.
    beginnings: Vec<(u64, [u8; 32])>,
}

/// What a signature says of the body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignedBody {
    pub(crate) form: Canonical,
    /// `l=`: bytes of that form.
    pub(crate) limit: Option<u64>,
    pub(crate) hash: [u8; 32],
}

/// Whether the body is the one that was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyMatch {
    /// But so many bytes stand behind what was signed.
    Same {
        unsigned: u64,
    },
    Differs,
    /// It ends before what was signed does.
    TooShort,
}

/// Hashes bytes, and remembers what they came to at some places.
pub(super) struct PrefixHash {
    context: Context,
    /// Small runs on their way into the hash.
    gathered: Vec<u8>,
    length: u64,
    /// The places that are still to come, the next one last.
    limits: Vec<u64>,
    beginnings: Vec<(u64, [u8; 32])>,
}

impl BodyReader {
    /// What must be hashed so that these can be compared, and the whole in relaxed form if it is to be signed.
    pub(super) fn new(signed: &[SignedBody], is_to_be_signed: bool) -> Self {
        let hash = |form, is_wanted| {
            let of_form = || signed.iter().filter(|body| body.form == form);
            let limits = of_form().filter_map(|body| body.limit).collect();
            (is_wanted || of_form().next().is_some()).then(|| BodyHash::new(form, limits))
        };
        let simple = hash(Canonical::Simple, false);
        Self { simple, relaxed: hash(Canonical::Relaxed, is_to_be_signed) }
    }

    pub(super) fn feed(&mut self, piece: &[u8]) {
        for hash in self.simple.iter_mut().chain(&mut self.relaxed) {
            hash.feed(piece);
        }
    }

    pub(super) fn finish(self) -> BodyDigests {
        let (simple, relaxed) =
            (self.simple.map(BodyHash::finish), self.relaxed.map(BodyHash::finish));
        BodyDigests { simple, relaxed }
    }
}

impl BodyDigests {
    pub(crate) fn compare(&self, signed: &SignedBody) -> BodyMatch {
        let digests = match signed.form {
            Canonical::Simple => &self.simple,
            Canonical::Relaxed => &self.relaxed,
        };
        let Some(digests) = digests else { return BodyMatch::Differs };
        let limit = signed.limit.unwrap_or(digests.length);
        let Some(unsigned) = digests.length.checked_sub(limit) else { return BodyMatch::TooShort };
        let beginning = digests.beginnings.iter().find(|(length, _)| *length == limit);
        let hash = beginning.map_or(digests.whole, |(_, hash)| *hash);
        if hash == signed.hash { BodyMatch::Same { unsigned } } else { BodyMatch::Differs }
    }

    /// The whole body in relaxed form, if it was read to be signed.
    pub(super) fn relaxed(&self) -> Option<[u8; 32]> {
        self.relaxed.as_ref().map(|digests| digests.whole)
    }

    #[cfg(test)]
    pub(super) const fn forms(&self) -> (Option<&Digests>, Option<&Digests>) {
        (self.simple.as_ref(), self.relaxed.as_ref())
    }
}

impl PrefixHash {
    pub(super) fn new(mut limits: Vec<u64>) -> Self {
        limits.sort_unstable_by(|one, other| other.cmp(one));
        limits.dedup();
        let (context, gathered) = (Context::new(&SHA256), Vec::with_capacity(GATHERED));
        Self { context, gathered, length: 0, limits, beginnings: Vec::new() }
    }

    pub(super) fn put(&mut self, mut bytes: &[u8]) {
        while let Some(left) = self.next_limit_within(bytes.len()) {
            let (before, behind) = bytes.split_at_checked(left).unwrap_or((bytes, &[]));
            self.absorb(before);
            self.flush();
            self.beginnings.push((self.length, bytes_of(self.context.clone().finish())));
            self.limits.pop();
            bytes = behind;
        }
        self.absorb(bytes);
    }

    /// How many of the next `length` bytes stand before the next place to remember.
    fn next_limit_within(&self, length: usize) -> Option<usize> {
        let left = self.limits.last()?.checked_sub(self.length)?;
        usize::try_from(left).ok().filter(|left| *left <= length)
    }

    fn absorb(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        if bytes.len() >= LARGE {
            self.flush();
            self.context.update(bytes);
            return;
        }
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= GATHERED - LARGE {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.context.update(&self.gathered);
        self.gathered.clear();
    }

    pub(super) fn finish(mut self) -> Digests {
        self.flush();
        let (length, beginnings) = (self.length, self.beginnings);
        Digests { whole: bytes_of(self.context.finish()), length, beginnings }
    }
}

/// A SHA-256 always has 32 bytes.
pub(crate) fn bytes_of(digest: Digest) -> [u8; 32] {
    digest.as_ref().try_into().unwrap_or_default()
}

/// From so many bytes on, a call of the hash costs less than a copy.
const LARGE: usize = 512;

/// Small runs are hashed together.
const GATHERED: usize = 4_096;
