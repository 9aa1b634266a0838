//! What has been used of the limits, and the way by which readers say what they find.

use std::sync::Arc;

use super::{Finding, Kind, Limit, Limits, names};

/// The account of one mail.
#[derive(Debug)]
pub(super) struct Ledger {
    limits: Limits,
    /// Names from the headers of members, and from directories. They count apart, since an archive
    /// says each name in both places.
    members: u32,
    listed: u32,
    inflated: u64,
    /// The limits that were said of this part, one bit each.
    said: u8,
    /// As many clones as there are open inflaters, and headers being read.
    inflaters: Arc<()>,
    headers: Arc<()>,
}

impl Ledger {
    pub(super) fn new(limits: Limits) -> Self {
        let limits = Limits { max_depth: limits.max_depth.min(DEEPEST), ..limits };
        let (inflaters, headers) = (Arc::default(), Arc::default());
        Self { limits, members: 0, listed: 0, inflated: 0, said: 0, inflaters, headers }
    }

    /// Limits may be said again.
    pub(super) fn next_part(&mut self) {
        self.said = 0;
    }
}

/// What a reader sees of the rest: the account, where it is, and who wants to know.
pub(super) struct View<'a> {
    ledger: &'a mut Ledger,
    path: &'a mut Vec<String>,
    found: &'a mut dyn FnMut(Finding<'_>),
}

impl<'a> View<'a> {
    pub(super) fn new(
        ledger: &'a mut Ledger,
        path: &'a mut Vec<String>,
        found: &'a mut dyn FnMut(Finding<'_>),
    ) -> Self {
        Self { ledger, path, found }
    }

    /// This stream is of this type.
    pub(super) fn is(&mut self, kind: Kind) {
        (self.found)(Finding::Type { kind, path: self.path });
    }

    /// The header of a member has this name.
    pub(super) fn name(&mut self, raw: &[u8]) {
        self.ledger.members = self.ledger.members.saturating_add(1);
        let known = self.ledger.members;
        self.counted_name(known, raw);
    }

    /// A directory of members has this name.
    pub(super) fn listed_name(&mut self, raw: &[u8]) {
        self.ledger.listed = self.ledger.listed.saturating_add(1);
        let known = self.ledger.listed;
        self.counted_name(known, raw);
    }

    fn counted_name(&mut self, known: u32, raw: &[u8]) {
        if known > self.ledger.limits.max_members {
            return self.reached(Limit::Members);
        }
        names::readings(raw, &mut |name| (self.found)(Finding::Name { name, path: self.path }));
    }

    /// Something is not looked into.
    pub(super) fn reached(&mut self, limit: Limit) {
        let bit = 1 << limit as u8;
        if self.ledger.said & bit == 0 {
            self.ledger.said |= bit;
            (self.found)(Finding::Limit { limit, path: self.path });
        }
    }

    /// Whether a stream that deep may be opened; says so if not.
    pub(super) fn may_descend(&mut self, depth: u8) -> bool {
        let may = depth <= self.ledger.limits.max_depth;
        if !may {
            self.reached(Limit::Depth);
        }
        may && self.ledger.members <= self.ledger.limits.max_members
    }

    /// A permit to open one more inflater, as long as there are any.
    pub(super) fn permit_inflater(&mut self) -> Option<Permit> {
        let permit = permit(&self.ledger.inflaters, INFLATERS);
        self.or_overlap(permit)
    }

    /// A permit to read one more header.
    pub(super) fn permit_header(&mut self) -> Option<Permit> {
        let permit = permit(&self.ledger.headers, HEADERS);
        self.or_overlap(permit)
    }

    fn or_overlap(&mut self, permit: Option<Permit>) -> Option<Permit> {
        if permit.is_none() {
            self.reached(Limit::Overlap);
        }
        permit
    }

    /// Counts unpacked bytes; false when that was too much.
    pub(super) fn charge(&mut self, bytes: u64) -> bool {
        self.ledger.inflated = self.ledger.inflated.saturating_add(bytes);
        let fits = self.ledger.inflated <= self.ledger.limits.max_inflated;
        if !fits {
            self.reached(Limit::Inflated);
        }
        fits
    }

    /// Whether one member has grown as no honest member does.
    pub(super) fn is_bomb(&mut self, packed: u64, unpacked: u64) -> bool {
        let most = packed.saturating_mul(u64::from(self.ledger.limits.max_ratio));
        let is_bomb = unpacked > HARMLESS && unpacked > most;
        if is_bomb {
            self.reached(Limit::Ratio);
        }
        is_bomb
    }

    /// The innermost name on the way here.
    pub(super) fn here(&self) -> Option<&str> {
        self.path.last().map(String::as_str)
    }

    /// Lets a reader speak from inside a member.
    pub(super) fn inside(&mut self, member: &str, speak: impl FnOnce(&mut View<'_>)) {
        self.path.push(member.to_owned());
        speak(self);
        self.path.pop();
    }
}

fn permit(all: &Arc<()>, most: usize) -> Option<Permit> {
    (Arc::strong_count(all) <= most).then(|| Permit(Arc::clone(all)))
}

/// Lets one thing be open, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit(#[expect(dead_code, reason = "it is counted, not read")] Arc<()>);

/// Depths beyond this are never opened: each costs stack and memory.
const DEEPEST: u8 = 16;
/// How many deflate streams are open at a time, in all depths: each holds some 60 KiB.
const INFLATERS: usize = 8;
/// How many headers of members are read at a time, in all depths: each may hold some 20 KiB.
const HEADERS: usize = 16;
/// Unpacked sizes of which the ratio does not matter.
const HARMLESS: u64 = 1 << 20;
