//! What a rewriting step did and which rule made it do so, for `explain` and the log.

use std::fmt;

use mailweir_mail::Address;
use mailweir_tables::Place;

/// A setting that changes or adds addresses, by the name Postfix gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Parameter {
    /// `sender_canonical_maps`.
    SenderCanonical,
    /// `recipient_canonical_maps`.
    RecipientCanonical,
    /// `canonical_maps`.
    Canonical,
    /// `masquerade_domains`.
    Masquerade,
    /// `sender_bcc_maps`.
    SenderBcc,
    /// `recipient_bcc_maps`.
    RecipientBcc,
    /// `always_bcc`.
    AlwaysBcc,
    /// `virtual_alias_maps`.
    VirtualAlias,
    /// `smtp_generic_maps`.
    Generic,
}

impl Parameter {
    /// The name in `main.cf`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SenderCanonical => "sender_canonical_maps",
            Self::RecipientCanonical => "recipient_canonical_maps",
            Self::Canonical => "canonical_maps",
            Self::Masquerade => "masquerade_domains",
            Self::SenderBcc => "sender_bcc_maps",
            Self::RecipientBcc => "recipient_bcc_maps",
            Self::AlwaysBcc => "always_bcc",
            Self::VirtualAlias => "virtual_alias_maps",
            Self::Generic => "smtp_generic_maps",
        }
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One step: an address before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The setting.
    pub by: Parameter,
    /// The rule of a table, if the setting has tables.
    pub place: Option<Place>,
    /// The address that was looked up. Of `always_bcc`, empty.
    pub before: Box<str>,
    /// What came of it; several are divided by `, `, and at most ten are named.
    pub after: Box<str>,
}

impl Decision {
    pub(crate) fn by(
        by: Parameter,
        place: Place,
        before: &Address,
        after: Option<&Address>,
    ) -> Self {
        let after = after.map_or("<>", Address::as_str).into();
        Self { by, place: Some(place), before: before.as_str().into(), after }
    }

    pub(crate) fn without_place(by: Parameter, before: &Address, after: &Address) -> Self {
        Self { by, place: None, before: before.as_str().into(), after: after.as_str().into() }
    }

    pub(crate) fn of_many(place: Place, before: &Address, after: &[Address]) -> Self {
        let mut named: Vec<_> = after.iter().take(MAX_NAMED).map(Address::as_str).collect();
        if after.len() > MAX_NAMED {
            named.push("...");
        }
        let after = named.join(", ").into();
        let before = before.as_str().into();
        Self { by: Parameter::VirtualAlias, place: Some(place), before, after }
    }
}

impl fmt::Display for Decision {
    /// `canonical_maps: a@x becomes b@y (hash:/etc/postfix/canonical, line 3)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { by, place, before, after } = self;
        match by {
            Parameter::AlwaysBcc => write!(f, "{by}: copy to {after}")?,
            Parameter::SenderBcc | Parameter::RecipientBcc => {
                write!(f, "{by}: {before} has a copy to {after}")?;
            }
            _ => write!(f, "{by}: {before} becomes {after}")?,
        }
        place.as_ref().map_or(Ok(()), |place| write!(f, " ({place})"))
    }
}

/// What was done to a mail's addresses, step by step. The first hundred steps are kept, the
/// others counted: a mail can have thousands of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    kept: Vec<Decision>,
    dropped: usize,
}

impl Decisions {
    /// The steps that were kept, in order.
    #[must_use]
    pub fn kept(&self) -> &[Decision] {
        &self.kept
    }

    /// How many steps there were besides.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    pub(crate) fn add(&mut self, decision: Decision) {
        // A rule that gives an address as it is (`joe joe@our.example`) did nothing to tell of.
        if decision.before == decision.after {
            return;
        }
        if self.kept.len() < MAX_KEPT { self.kept.push(decision) } else { self.dropped += 1 }
    }
}

const MAX_KEPT: usize = 100;
const MAX_NAMED: usize = 10;
