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
    /// Nobody can tell, or it was to come back elsewhere: the filter keeps it until somebody has set that right.
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
    /// brought.
    pub(super) fn handed_back(
        &self,
        listener: &str,
        slip: Option<&[u8]>,
        sender: &ReversePath,
    ) -> Option<Back> {
        let slip = slip.and_then(|slip| Slip::read(slip, &self.slips));
        match (&self.source, slip) {
            (Source::Elsewhere, _) => None,
            (Source::Filters(_) | Source::Proxies, Some(slip)) => {
                Some(self.by_slip(slip, listener))
            }
            (Source::Filters(owner), None) => {
                Some(Back::Queued(self.by_listener(owner.as_deref(), sender)))
            }
            (Source::Proxies, None) => Some(Back::Unknown),
        }
    }

    /// What a mail is by its slip. That knows which filter had the mail, so it is believed where the mail was to come back,
    /// whoever's listener that is by now, and where a reload has moved the filter to. Anywhere else the mail would pass by the
    /// filters between, or through one again. One that a client waits for is never taken for one of the queue: it has passed
    /// neither moderation nor archive.
    fn by_slip(&self, slip: Slip, listener: &str) -> Back {
        let Slip { filter, back_at, back_for, id, origin } = slip;
        let today = self.filters.hands_back_to(&filter);
        if *back_at != *listener && today != Some(listener) {
            return Back::Unknown;
        }
        match back_for {
            For::Queue { ahead } => {
                Back::Queued(Ahead { filters: ahead, behind: Some(filter), origin: Some(origin) })
            }
            For::Client => Back::Awaited(id, filter),
        }
    }

    /// What may be ahead of a mail of which only the listener tells how it came. `owner`: the filter that hands mail back there.
    fn by_listener(&self, owner: Option<&str>, sender: &ReversePath) -> Ahead {
        let behind = |owner| self.filters.course.may_be_ahead(owner, sender);
        let filters = owner.map(behind).unwrap_or_default();
        Ahead { filters, behind: owner.map(Into::into), origin: None }
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
