//! The data behind the header of a member.

use super::header::{Header, Part, Standing, has_known_method};
use crate::attachment::{
    Limit,
    budget::{Permit, View},
    inflate::{Inflate, Progress},
    stream::Stream,
};

/// A member whose data goes past.
#[derive(Debug)]
pub(super) struct Member {
    name: String,
    data: Data,
    /// The header speaks against this reading: what does not unpack to its end was none.
    is_trial: bool,
}

#[derive(Debug)]
enum Data {
    Deflated(Inflate),
    Stored {
        content: Box<Stream>,
        /// How much is left of what the header said.
        left: u64,
        _permit: Permit,
    },
}

impl Member {
    /// What follows a header, if it is of use.
    pub(super) fn behind(header: &Header, depth: u8, view: &mut View<'_>) -> Option<Self> {
        let is_member = header.part() == Part::Local && header.standing() != Standing::Inside;
        if !is_member || is_folder(header) {
            return None;
        }
        // The directory may say that a member takes no password, and is stored or deflated.
        let is_nonsense = !has_known_method(header.method());
        let is_trial = header.is_encrypted() || is_nonsense;
        let data = match header.method() {
            0 if view.may_descend(depth) => {
                let _permit = view.permit_stored()?;
                let (content, left) = (Box::new(Stream::new(depth)), header.packed_size());
                Data::Stored { content, left, _permit }
            }
            0 => return None,
            8 => Data::Deflated(Inflate::begin(depth, view)?),
            _ => {
                if !header.is_encrypted() {
                    view.reached(Limit::Method);
                }
                Data::Deflated(is_nonsense.then(|| Inflate::begin(depth, view)).flatten()?)
            }
        };
        let name = header.names().last().map(|name| view.path_name(name)).unwrap_or_default();
        Some(Self { name, data, is_trial })
    }

    /// How many of the next bytes are this member's, where its own stream looks for archives.
    pub(super) fn covers(&self) -> usize {
        match self.data {
            Data::Deflated(_) => 0,
            Data::Stored { left, .. } => usize::try_from(left).unwrap_or(usize::MAX),
        }
    }

    pub(super) fn is_deflated(&self) -> bool {
        matches!(self.data, Data::Deflated(_))
    }

    /// Whether the next header ends it: the size was unknown, or is used up.
    pub(super) fn is_overdue(&self) -> bool {
        matches!(self.data, Data::Stored { left: 0, .. })
    }

    /// Takes more data, and says what is left to do.
    pub(super) fn feed(mut self, bytes: &[u8], view: &mut View<'_>) -> Option<Self> {
        match &mut self.data {
            Data::Deflated(inflate) => {
                match inflate.feed(bytes, &self.name, view) {
                    Progress::More => return Some(self),
                    Progress::Stopped if self.is_trial => {}
                    Progress::Stopped | Progress::End(_) => self.finish(view),
                }
                None
            }
            Data::Stored { content, left, .. } => {
                *left = left.saturating_sub(bytes.len() as u64);
                view.inside(&self.name, |view| content.feed(bytes, view));
                Some(self)
            }
        }
    }

    /// There is no more of it.
    pub(super) fn finish(self, view: &mut View<'_>) {
        match self.data {
            Data::Deflated(inflate) => inflate.finish(&self.name, view),
            Data::Stored { mut content, .. } => {
                view.inside(&self.name, |view| content.finish(view));
            }
        }
    }

    pub(super) fn buffered(&self) -> usize {
        self.name.capacity()
            + match &self.data {
                Data::Deflated(inflate) => inflate.buffered(),
                Data::Stored { content, .. } => content.buffered(),
            }
    }
}

fn is_folder(header: &Header) -> bool {
    header.name().ends_with(b"/") && header.packed_size() == 0
}
