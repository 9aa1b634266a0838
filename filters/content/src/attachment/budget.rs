//! What has been used of the limits, and the way by which readers say what they find.

use std::sync::Arc;

use super::{Finding, Kind, Limit, Limits, names};
use crate::decode::charset::Fallbacks;

/// What the attachments of one mail may use of the limits, all together.
///
/// It is handed to each [`Inspector`](super::Inspector) of the mail, however many of them are at
/// work side by side.
#[derive(Debug)]
pub struct Budget {
    limits: Limits,
    /// What names without a charset may be in.
    fallbacks: Fallbacks,
    /// How many names were said, for each sort of place.
    names: [u32; 3],
    inflated: u64,
    /// As many clones as there are open inflaters, headers being read, and open stored members.
    inflaters: Arc<()>,
    headers: Arc<()>,
    stored: Arc<()>,
}

impl Budget {
    /// The budget of a new mail. Names in archives that are not in UTF-8 are read in each charset of
    /// `fallbacks` that fits, and in code page 437.
    #[must_use]
    pub fn new(limits: Limits, fallbacks: Fallbacks) -> Self {
        let limits = Limits { max_depth: limits.max_depth.min(DEEPEST), ..limits };
        let (inflaters, headers, stored) = (Arc::default(), Arc::default(), Arc::default());
        Self { limits, fallbacks, names: [0; 3], inflated: 0, inflaters, headers, stored }
    }
}

/// Where a name stands. Names count apart by that, since an archive says each in several places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heading {
    /// In front of a member.
    Member,
    /// In a directory.
    Directory,
    /// In the packed data of a member.
    Inside,
}

/// What a reader sees of the rest: the budget, where it is, and who wants to know.
pub(super) struct View<'a> {
    budget: &'a mut Budget,
    /// The limits that were said of this attachment, one bit each.
    said: &'a mut u8,
    path: &'a mut Vec<String>,
    found: &'a mut dyn FnMut(Finding<'_>),
}

impl<'a> View<'a> {
    pub(super) fn new(
        budget: &'a mut Budget,
        said: &'a mut u8,
        path: &'a mut Vec<String>,
        found: &'a mut dyn FnMut(Finding<'_>),
    ) -> Self {
        Self { budget, said, path, found }
    }

    /// This stream is of this type.
    pub(super) fn is(&mut self, kind: Kind) {
        (self.found)(Finding::Type { kind, path: self.path });
    }

    /// Says a name, as long as there were not too many.
    pub(super) fn name(&mut self, heading: Heading, raw: &[u8]) {
        let count = &mut self.budget.names[heading as usize];
        *count = count.saturating_add(1);
        // Inside, headers and directories count together.
        let share = if heading == Heading::Inside { 2 } else { 1 };
        if *count / share > self.budget.limits.max_members {
            return self.reached(Limit::Members);
        }
        let Self { budget, path, found, .. } = self;
        let say = &mut |name: &str| found(Finding::Name { name, path });
        names::readings(raw, &budget.fallbacks, say);
    }

    /// Counts one more member that has no name of its own; false if there were too many.
    pub(super) fn counts_one_more(&mut self) -> bool {
        let count = &mut self.budget.names[Heading::Member as usize];
        *count = count.saturating_add(1);
        let fits = *count <= self.budget.limits.max_members;
        if !fits {
            self.reached(Limit::Members);
        }
        fits
    }

    /// Something is not looked into.
    pub(super) fn reached(&mut self, limit: Limit) {
        let bit = 1 << limit as u8;
        if *self.said & bit == 0 {
            *self.said |= bit;
            (self.found)(Finding::Limit { limit, path: self.path });
        }
    }

    /// Whether a stream that deep may be opened; says so if not.
    pub(super) fn may_descend(&mut self, depth: u8) -> bool {
        let may = depth <= self.budget.limits.max_depth;
        if !may {
            self.reached(Limit::Depth);
        }
        may && self.budget.names[Heading::Member as usize] <= self.budget.limits.max_members
    }

    /// A permit to open one more inflater, as long as there are any, and bytes left for them.
    pub(super) fn permit_inflater(&mut self) -> Option<Permit> {
        if !self.charge(0) {
            return None;
        }
        let permit = permit(&self.budget.inflaters, INFLATERS);
        self.or_overlap(permit)
    }

    /// A permit to read one more header.
    pub(super) fn permit_header(&mut self) -> Option<Permit> {
        let permit = permit(&self.budget.headers, HEADERS);
        self.or_overlap(permit)
    }

    /// A permit to look into one more stored member.
    pub(super) fn permit_stored(&mut self) -> Option<Permit> {
        let permit = permit(&self.budget.stored, STORED);
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
        self.budget.inflated = self.budget.inflated.saturating_add(bytes);
        let fits = self.budget.inflated <= self.budget.limits.max_inflated;
        if !fits {
            self.reached(Limit::Inflated);
        }
        fits
    }

    /// Whether one member has grown as no honest member does.
    pub(super) fn is_bomb(&mut self, packed: u64, unpacked: u64) -> bool {
        let most = packed.saturating_mul(u64::from(self.budget.limits.max_ratio));
        let is_bomb = unpacked > HARMLESS && unpacked > most;
        if is_bomb {
            self.reached(Limit::Ratio);
        }
        is_bomb
    }

    /// What a name is called in a path.
    pub(super) fn path_name(&self, raw: &[u8]) -> String {
        names::first_reading(raw, &self.budget.fallbacks)
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
/// How many stored members are open at a time, in all depths. Each sees all bytes, and opens those
/// that it finds in them: without a limit their number would grow with the mail, and so would the
/// cost of a byte. Honest archives have one open at each depth, and one that has just ended.
const STORED: usize = 2 * DEEPEST as usize;
/// Unpacked sizes of which the ratio does not matter.
const HARMLESS: u64 = 1 << 20;
