//! What a browser sends with a form (`application/x-www-form-urlencoded`), and the wish in it.

use mailweir_mail::{Address, Timestamp};
use mailweir_moderation::{
    notice::{Zone, words::PageWord},
    page::{Choice, Wish},
};

use super::Sight;

/// The fields of a form.
pub(super) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Reads a body. `None`: it has more fields than any form of ours.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let fields: Vec<_> =
            url::form_urlencoded::parse(body).take(MOST_FIELDS + 1).map(owned).collect();
        (fields.len() <= MOST_FIELDS).then_some(Self { fields })
    }

    /// The field of this name, if there is exactly one.
    pub(super) fn one<'f>(&'f self, name: &'f str) -> Option<&'f str> {
        let mut found = self.all(name);
        let value = found.next()?;
        found.next().is_none().then_some(value)
    }

    fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.fields.iter().filter(move |(found, _)| found == name).map(|(_, value)| &**value)
    }

    /// What was chosen.
    pub(super) fn choice(&self) -> Option<Choice> {
        Choice::named(self.one("choice")?)
    }

    /// What was written, with line ends of one form.
    pub(super) fn words(&self) -> String {
        self.one("words").unwrap_or_default().replace("\r\n", "\n").trim().to_owned()
    }

    /// What its sender wants done.
    ///
    /// # Errors
    /// What is wrong with it, in words for them.
    pub(super) fn wish(&self, sight: &Sight) -> Result<Wish, PageWord> {
        let choice = self.choice().ok_or(PageWord::NotUnderstood)?;
        Ok(Wish {
            choice,
            words: self.words().into(),
            only: self.only(sight)?,
            at: self.at(sight)?,
            trust_days: self.trust_days()?,
            to: self.to()?,
        })
    }

    /// The recipients that are left; `None`: all, or the form does not ask.
    fn only(&self, sight: &Sight) -> Result<Option<Vec<u32>>, PageWord> {
        if self.one(ASKS_FOR_RECIPIENTS).is_none() {
            return Ok(None);
        }
        let numbers: Result<Vec<u32>, _> = self.all("for").map(str::parse).collect();
        let mut numbers = numbers.map_err(|_| PageWord::NotUnderstood)?;
        numbers.sort_unstable();
        numbers.dedup();
        let is_all = numbers.len() == sight.file.mail.recipients.len();
        Ok((!is_all).then_some(numbers))
    }

    /// When it is to be sent.
    fn at(&self, sight: &Sight) -> Result<Option<Timestamp>, PageWord> {
        match self.one("at").map(str::trim).filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => {
                let at = local_time(text, sight.zone).ok_or(PageWord::NoTime)?;
                let is_soon = sight.now < at && at.since(sight.now).as_secs() < MOST_SECONDS_AHEAD;
                if is_soon { Ok(Some(at)) } else { Err(PageWord::NoTime) }
            }
        }
    }

    fn trust_days(&self) -> Result<u16, PageWord> {
        let days = self.one("days").filter(|text| !text.is_empty());
        days.map_or(Ok(0), |days| days.parse().map_err(|_| PageWord::NotUnderstood))
    }

    fn to(&self) -> Result<Option<Address>, PageWord> {
        let to = self.one("to").map(str::trim).filter(|text| !text.is_empty());
        to.map(|to| Address::parse(to).map_err(|_| PageWord::NoModerator)).transpose()
    }
}

fn owned(
    (name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>),
) -> (String, String) {
    (name.into_owned(), value.into_owned())
}

/// A time as `<input type="datetime-local">` gives it: `2026-11-22T09:30`, perhaps with seconds.
fn local_time(text: &str, zone: Zone) -> Option<Timestamp> {
    Some(zone.universal(format!("{text}Z").parse().ok()?))
}

/// A field that says that the form asks for recipients: if none is ticked, none is sent.
pub(super) const ASKS_FOR_RECIPIENTS: &str = "asks";

/// More than the recipients that a page lists, and a few.
const MOST_FIELDS: usize = 300;

/// A year.
const MOST_SECONDS_AHEAD: u64 = 366 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_the_zone_of_the_reader() {
        let seoul = Zone::from_minutes(540).unwrap();
        let utc = Zone::default();
        let read = |text: &str, zone| local_time(text, zone).map(|time: Timestamp| time.rfc3339());
        assert!(read("2026-11-22T09:30", seoul).unwrap().starts_with("2026-11-22T00:30:00"));
        assert!(read("2026-11-22T09:30:59", utc).unwrap().starts_with("2026-11-22T09:30:59"));
        assert!(read("2028-02-29T00:00", utc).unwrap().starts_with("2028-02-29T00:00:00"));
        assert!(read("1970-01-01T00:00", utc).unwrap().starts_with("1970-01-01T00:00:00"));
        for bad in [
            "",
            "2026-11-22",
            "2026-11-31T09:30",
            "2026-11-22T24:00",
            "2026-11-22T9",
            "2026-11-22T09:30Z",
            "T:",
        ] {
            assert_eq!(read(bad, utc), None, "{bad}");
        }
    }

    #[test]
    fn a_field_that_is_there_twice_is_not_there() {
        let form = Form::read(b"a=1&a=2&b=%ED%95%9C+c&words=x%0D%0Ay%0D%0A").unwrap();
        assert_eq!((form.one("a"), form.one("b"), form.one("c")), (None, Some("한 c"), None));
        assert_eq!(form.words(), "x\ny");
        assert!(Form::read("a=1&".repeat(1_000).as_bytes()).is_none());
    }
}
