//! Which mail the archive keeps, and for how long: the first rule that means a mail decides.
//!
//! All conditions of a rule must hold; of a list, any entry. A condition that is not written holds.

mod fields;

use mailweir_archive::entry::Direction;
use mailweir_mail::{Recipient, ReversePath};
use mailweir_moderation::rule::{AddressPattern, BadPattern, Regex, What};

pub use self::fields::Fields;

/// The name of the field that says of a mail that it is archived.
pub const MARK_NAME: &str = "X-Archive-Status";

/// That field, as it stands above the header of mail that is archived.
pub const MARK: &[u8] = b"X-Archive-Status: Archived\r\n";

/// Rules in order, and what becomes of mail that none of them means.
#[derive(Clone, Debug)]
pub struct Rules {
    /// In the order in which they are asked.
    pub rules: Vec<Rule>,
    /// How long other mail is kept.
    pub otherwise: Term,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name: it stands in the record of each mail that it has kept.
    pub name: Box<str>,
    /// What it does.
    pub action: Action,
    /// Which way the mail goes. Empty: any.
    pub directions: Vec<Direction>,
    /// Who sends it. Empty: anybody. The null sender is none of them.
    pub senders: Vec<AddressPattern>,
    /// Who gets it, under the name of now or the one that was written to. Empty: anybody. A rule that keeps
    /// mail needs one of its recipients; a rule that leaves mail out needs all of them, so that nothing is
    /// left out because a copy went to somebody else.
    pub recipients: Vec<AddressPattern>,
    /// What stands in its header. Empty: anything.
    pub headers: Vec<HeaderTest>,
    /// Only mail of more bytes than this.
    pub larger_than: Option<u64>,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The mail is kept.
    Keep(Term),
    /// The mail is left out.
    Skip,
}

/// For how long a mail is kept, from its record on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// For ever.
    Forever,
    /// For so many days.
    Days(u32),
}

impl Term {
    /// In days; `None`: for ever.
    #[must_use]
    pub const fn days(self) -> Option<u32> {
        match self {
            Self::Forever => None,
            Self::Days(days) => Some(days),
        }
    }
}

/// A field of the header, and what stands in it.
#[derive(Clone, Debug)]
pub struct HeaderTest {
    name: Box<str>,
    /// Absent: anything, as long as the field is there.
    pattern: Option<Regex>,
}

impl HeaderTest {
    /// `Name` for mail that has such a field; `Name: expression` for mail in which the regular expression
    /// matches somewhere in its value, as a person reads it. Case does not matter.
    ///
    /// # Errors
    /// There is no name, or no regular expression behind it.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        let (name, pattern) = match text.split_once(':') {
            Some((name, pattern)) => (name.trim(), pattern.trim()),
            None => (text.trim(), ""),
        };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            let reason = "the name of a header field is missing".into();
            return Err(BadPattern { text: text.into(), reason });
        }
        let pattern = (!pattern.is_empty()).then(|| What::pattern(pattern)).transpose()?;
        Ok(Self { name: name.to_ascii_lowercase().into(), pattern })
    }

    fn holds(&self, fields: &Fields) -> bool {
        let mut values = fields.values(&self.name);
        match &self.pattern {
            None => values.next().is_some(),
            Some(pattern) => values.any(|value| pattern.is_match(value)),
        }
    }
}

/// A mail, as rules are asked about it.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Which way it goes.
    pub direction: Direction,
    /// The envelope sender.
    pub sender: &'a ReversePath,
    /// Who gets it.
    pub recipients: &'a [Recipient],
    /// Its header, as far as rules ask for it.
    pub fields: &'a Fields,
    /// Its size in bytes.
    pub size: u64,
}

/// That a mail is kept, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept<'a> {
    /// The rule that means it; absent: none does.
    pub rule: Option<&'a str>,
    /// For how long.
    pub term: Term,
}

impl Rules {
    /// Whether a mail is kept.
    #[must_use]
    pub fn judge(&self, facts: &Facts<'_>) -> Option<Kept<'_>> {
        match self.rules.iter().find(|rule| rule.means(facts)) {
            None => Some(Kept { rule: None, term: self.otherwise }),
            Some(Rule { action: Action::Skip, .. }) => None,
            Some(Rule { action: Action::Keep(term), name, .. }) => {
                Some(Kept { rule: Some(name), term: *term })
            }
        }
    }

    /// What is to be read of the header of a mail.
    #[must_use]
    pub fn fields(&self) -> Fields {
        let tests = self.rules.iter().flat_map(|rule| &rule.headers);
        Fields::named(tests.map(|test| test.name.clone()))
    }
}

impl Rule {
    fn means(&self, facts: &Facts<'_>) -> bool {
        (self.directions.is_empty() || self.directions.contains(&facts.direction))
            && self.larger_than.is_none_or(|size| facts.size > size)
            && (self.senders.is_empty()
                || facts.sender.address().is_some_and(|sender| any(&self.senders, sender)))
            && (self.recipients.is_empty() || self.means_recipients(facts.recipients))
            && (self.headers.is_empty() || self.headers.iter().any(|test| test.holds(facts.fields)))
    }

    fn means_recipients(&self, all: &[Recipient]) -> bool {
        let is_meant = |one: &Recipient| {
            let mut names = [Some(&one.address), one.original.as_ref()].into_iter().flatten();
            names.any(|name| any(&self.recipients, name))
        };
        match self.action {
            Action::Keep(_) => all.iter().any(is_meant),
            Action::Skip => all.iter().all(is_meant),
        }
    }
}

fn any(patterns: &[AddressPattern], address: &mailweir_mail::Address) -> bool {
    patterns.iter().any(|pattern| pattern.matches(address))
}

#[cfg(test)]
mod tests;
