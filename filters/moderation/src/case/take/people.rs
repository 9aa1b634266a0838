//! What people do besides: they talk, hand the decision on, and take trust back.

use super::{Act, Fate, said};
use crate::case::{Actor, By, Moderator, Refused, Step, To, Word};

impl Act {
    pub(super) fn comment(&mut self, by: &By, text: &str) -> Result<Fate, Refused> {
        self.still_open()?;
        said(text)?;
        let may = match &by.who {
            Actor::Sender(address) => self.case.is_from(address),
            Actor::Moderator(address) => self.case.is_for(address),
            Actor::Administrator(_) => true,
            Actor::Clock => false,
        };
        if !may {
            return Err(Refused::NotTheirs);
        }
        self.has_room()?;
        self.note(by, Step::Commented, text);
        Ok(Fate::Stays)
    }

    pub(super) fn forward(&mut self, by: &By, to: &Moderator) -> Result<Fate, Refused> {
        self.still_pending()?;
        let seat = self.seat(by)?;
        if let Some(seat) = &seat {
            self.case.not_voted(seat)?;
        }
        self.case.may_decide(to)?;
        self.has_room()?;
        let Some(level) =
            self.case.progress.levels.get_mut(usize::from(self.case.progress.at_level))
        else {
            return Err(Refused::NotTheirs);
        };
        if level.moderators.iter().any(|known| known.is(&to.address)) {
            return Err(Refused::DecidesAlready);
        }
        match seat {
            Some(seat) => {
                let place = level.moderators.iter_mut().find(|known| **known == seat);
                place.map(|place| *place = to.clone()).ok_or(Refused::NotTheirs)?;
            }
            // An administrator finds one more who decides.
            None => level.moderators.push(to.clone()),
        }
        self.note(by, Step::Forwarded(to.address.clone()), "");
        self.owe(To::Moderator(to.address.clone()), Word::Forwarded);
        Ok(Fate::Stays)
    }

    pub(super) fn distrust(&mut self, by: &By) -> Result<Fate, Refused> {
        let Actor::Administrator(_) = by.who else { return Err(Refused::NotTheirs) };
        self.note(by, Step::Distrusted, "");
        Ok(Fate::Stays)
    }

    fn has_room(&self) -> Result<(), Refused> {
        let is_said = |step: &Step| matches!(step, Step::Commented | Step::Forwarded(_));
        let history = &self.case.progress.history;
        let said = history.iter().filter(|entry| is_said(&entry.step)).count();
        if said < MOST_SAID { Ok(()) } else { Err(Refused::Full) }
    }
}

/// What people say about one mail ends somewhere; what decides is always kept.
const MOST_SAID: usize = 200;
