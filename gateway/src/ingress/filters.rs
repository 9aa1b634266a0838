//! Which filters of other people are ahead of a mail that comes in at a listener.

use std::sync::Arc;

use mailweir_archive::entry::Direction;
use mailweir_external::slip::{self, Slip};
use mailweir_filters::course::Arrival;
use mailweir_mail::{Envelope, Origin, ReversePath, Transport};

use super::inspection::Inspectors;
use crate::config::Filters;

/// The filters, as a listener knows them.
#[derive(Clone)]
pub(crate) struct ListenerFilters {
    pub(crate) filters: Arc<Filters>,
    /// What slips are sealed with.
    pub(crate) slips: slip::Key,
    /// Those that are asked before mail is taken here.
    pub(crate) inspectors: Option<Arc<Inspectors>>,
    /// The filter that hands mail back here; absent: mail comes from elsewhere.
    pub(crate) back_from: Option<Box<str>>,
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

    /// Those ahead of a mail that a filter has handed back. `slip`: the slip that it brought.
    pub(super) fn back_from(&self, from: &str, slip: Option<&[u8]>, sender: &ReversePath) -> Ahead {
        let (filters, origin) = match slip.and_then(|slip| Slip::read(slip, &self.slips, from)) {
            Some(slip) => (slip.ahead, Some(slip.origin)),
            None => (self.filters.course.may_be_ahead(from, sender), None),
        };
        Ahead { filters, behind: Some(from.into()), origin }
    }

    /// Says it of a mail that goes into the queue, where an action may have the last word.
    pub(super) fn note(&self, ahead: Ahead, envelope: &mut Envelope) {
        let Ahead { filters, behind, .. } = ahead;
        let action = envelope.filter.as_ref().map(Transport::name);
        let course = &self.filters.course;
        let named = action.and_then(|name| course.by_action(name, behind.as_deref(), &filters));
        if let (Some(named), Some(name)) = (&named, action)
            && named.first().is_none_or(|first| **first != *name)
        {
            envelope.filter = None;
        }
        envelope.ahead = named.unwrap_or(filters);
        envelope.behind = behind;
    }
}
