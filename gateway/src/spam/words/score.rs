//! What people are told of scores: what a mail comes to and why, and what all symbols weigh. In JSON points are numbers with
//! one decimal, and names are those of the event `scored`.

use mailweir_mail::{Points, SpamAction, Timestamp};
use serde::{Deserialize, Serialize};

use super::Judgement;

/// What a mail comes to by what it shows by itself, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The sum.
    #[serde(with = "points")]
    pub score: Points,
    /// What would become of it for its score alone as mail of a stranger, once it has waited where that is asked for.
    #[serde(with = "ActionWord")]
    pub action: SpamAction,
    /// From how many points on what is done.
    pub from: Thresholds,
    /// Whose weights and thresholds these are.
    pub weights: WeightsOf,
    /// When it came, as far as it says so itself: its Date is held against that.
    pub arrival: Timestamp,
    /// What adds what: what adds most first.
    pub symbols: Vec<Noticed>,
    /// What the classifier thinks of it.
    pub classifier: Judgement,
}

/// From how many points on something becomes of mail of strangers; what is absent never does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thresholds {
    /// It is put off once.
    #[serde(default, with = "some_points", skip_serializing_if = "Option::is_none")]
    pub greylist: Option<Points>,
    /// It is marked.
    #[serde(default, with = "some_points", skip_serializing_if = "Option::is_none")]
    pub tag: Option<Points>,
    /// It is held.
    #[serde(default, with = "some_points", skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<Points>,
    /// It is refused.
    #[serde(default, with = "some_points", skip_serializing_if = "Option::is_none")]
    pub reject: Option<Points>,
}

/// Whose weights and thresholds are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightsOf {
    /// Those of the configuration.
    Configuration,
    /// Those that are built in: no configuration says that mail is looked at.
    Program,
}

/// Something that was noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noticed {
    /// Its name.
    pub symbol: Box<str>,
    /// What it adds.
    #[serde(with = "points")]
    pub adds: Points,
    /// What it would add without the limit of its group, if that is something else.
    #[serde(default, with = "some_points", skip_serializing_if = "Option::is_none")]
    pub unlimited: Option<Points>,
    /// What it counts among.
    pub group: Box<str>,
    /// What it means.
    pub description: Box<str>,
    /// What was seen, on one line; may be empty.
    pub seen: Box<str>,
}

/// What all symbols weigh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// Whose weights these are.
    pub weights: WeightsOf,
    /// The groups, in the order in which things are noticed.
    pub groups: Vec<GroupEntry>,
}

/// Symbols that count together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupEntry {
    /// The name of the group.
    pub group: Box<str>,
    /// What they have in common.
    pub description: Box<str>,
    /// What they count together.
    #[serde(flatten)]
    pub limits: Limits,
    /// The same as it is built in, if that is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built_in: Option<Limits>,
    /// Its symbols.
    pub symbols: Vec<SymbolEntry>,
}

/// What a group counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// At most.
    #[serde(with = "points")]
    pub most: Points,
    /// At least.
    #[serde(with = "points")]
    pub least: Points,
}

/// What a symbol weighs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SymbolEntry {
    /// Its name.
    pub symbol: Box<str>,
    /// What it adds at its usual strength.
    #[serde(with = "points")]
    pub weight: Points,
    /// Whether it counts at all.
    #[serde(rename = "on")]
    pub is_on: bool,
    /// What it means.
    pub description: Box<str>,
    /// What is built in, if anything of it was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built_in: Option<BuiltIn>,
}

/// What is built in of a symbol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuiltIn {
    /// What it adds.
    #[serde(with = "points")]
    pub weight: Points,
    /// What it counts among.
    pub group: Box<str>,
}

/// The words of [`SpamAction::as_str`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "SpamAction", rename_all = "snake_case")]
enum ActionWord {
    Pass,
    Tag,
    Greylist,
    Defer,
    Quarantine,
    Reject,
    Discard,
}

mod points {
    use mailweir_mail::Points;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(points: &Points, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(points.as_f64())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Points, D::Error> {
        f64::deserialize(from).map(Points::round)
    }
}

mod some_points {
    use mailweir_mail::Points;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(super) fn serialize<S: Serializer>(
        points: &Option<Points>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        points.map(Points::as_f64).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Points>, D::Error> {
        Ok(Option::<f64>::deserialize(from)?.map(Points::round))
    }
}
