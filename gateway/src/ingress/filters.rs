//! Which filters of other people are ahead of a mail that comes in at a listener.

use std::sync::Arc;

use mailweir_archive::entry::Direction;
use mailweir_external::slip::{self, For, Slip};
use mailweir_filters::course::Arrival;
use mailweir_mail::{Envelope, Origin, QueueId, ReversePath, Transport};

use super::{inspection::Inspectors, milters::Milter};
use crate::config::Filters;

/// The filters, as a listener knows them.
#[derive(Clone)]
pub(crate) struct ListenerFilters {
    pub(crate) filters: Arc<Filters>,
    /// What slips are sealed with.
    pub(crate) slips: slip::Key,
    /// Those that are asked before mail is taken here.
    pub(crate) inspectors: Option<Arc<Inspectors>>,
    /// Those that hear its sessions.
    pub(crate) milters: Arc<[Arc<Milter>]>,
    pub(crate) source: Source,
}

/// Where the mail of a listener comes from.
#[derive(Clone)]
pub(crate) enum Source {
    /// From elsewhere, before any filter had it.
    Elsewhere,
    /// From filters: from this one, where it has the listener for its own. What still is in the hands of others, whose listener it
    /// was before a reload, comes in here, too.
    Filters(Option<Box<str>>),
    /// From a filter that has it while its client waits. Nothing else is taken.
    Proxies,
}

/// What a mail is that comes in where filters hand mail back.
pub(super) enum Back {
    /// One of the queue.
    Queued(Ahead),
    /// One that a client waits for: the name that it has there, and the filter that had it.
    Awaited(QueueId, Box<str>),
    /// Nobody can tell, or it was to come back elsewhere.
    Unknown,
}

/// What is ahead of a mail, and where it came from before its first filter.
#[derive(Clone, Debug, Default)]
pub(super) struct Ahead {
    pub(super) filters: Vec<Box<str>>,
    /// The filter that has handed it back.
    pub(super) behind: Option<Box<str>>,
    /// Absent: from where it came in.
    pub(super) origin: Option<Origin>,
}

impl ListenerFilters {
    /// The filters ahead of a mail that comes from elsewhere.
    pub(super) fn arriving(
        &self,
        listener: &str,
        direction: Direction,
        sender: &ReversePath,
    ) -> Ahead {
        let arrival = Arrival { listener, direction, sender };
        Ahead { filters: self.filters.course.ahead(&arrival), ..Ahead::default() }
    }

    /// Whether a slip is to be taken out of the mail that comes in here.
    pub(super) const fn takes_back(&self) -> bool {
        match self.source {
            Source::Elsewhere => false,
            Source::Filters(_) | Source::Proxies => true,
        }
    }

    /// What a mail is that a filter has handed back at `listener`; `None`: mail comes from elsewhere. `slip`: the slip that it
    /// brought. One that was to come back here is believed whoever's listener this is by now: it knows which filter had the
    /// mail. Any other is of another mail, and could lead it through a filter again. A mail that a client waits for is never
    /// taken for one of the queue: it has passed neither moderation nor archive.
    pub(super) fn handed_back(
        &self,
        listener: &str,
        slip: Option<&[u8]>,
        sender: &ReversePath,
    ) -> Option<Back> {
        if !self.takes_back() {
            return None;
        }
        let slip = slip.and_then(|slip| Slip::read(slip, &self.slips));
        let (is_here, waits) = match &slip {
            Some(slip) => (*slip.back_at == *listener, slip.back_for == For::Client),
            None => (false, false),
        };
        Some(match (slip, &self.source) {
            (Some(slip), _) if is_here && waits => Back::Awaited(slip.id, slip.filter),
            (Some(Slip { filter, origin, back_for: For::Queue { ahead }, .. }), _) if is_here => {
                Back::Queued(Ahead { filters: ahead, behind: Some(filter), origin: Some(origin) })
            }
            (_, Source::Filters(owner)) if !waits => {
                let from = owner.as_deref();
                let filters = from.map(|from| self.filters.course.may_be_ahead(from, sender));
                let filters = filters.unwrap_or_default();
                Back::Queued(Ahead { filters, behind: owner.clone(), origin: None })
            }
            (_, Source::Filters(_) | Source::Proxies | Source::Elsewhere) => Back::Unknown,
        })
    }

    /// Says it of a mail that goes into the queue, where an action may have the last word. One that names a filter before the
    /// queue has had it.
    pub(super) fn note(&self, ahead: Ahead, envelope: &mut Envelope) {
        let Ahead { filters, behind, .. } = ahead;
        let is_for_later = |it: &Transport| self.filters.before_queue(it.name()).is_none();
        let action = envelope.filter.take().filter(is_for_later);
        (envelope.filter, envelope.ahead) =
            self.filters.course.directed(action, behind.as_deref(), filters);
        envelope.behind = behind;
    }
}
