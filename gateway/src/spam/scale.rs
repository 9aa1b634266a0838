//! What a mail weighs by what it shows by itself, for people who ask: by the weights and thresholds of the configuration, or by
//! those that are built in. Nobody is asked about it, so who hands it in, lists and DMARC have no say.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use mailweir_mail::{Points, Timestamp};
use mailweir_spam::{
    authentication::Ruling,
    bayes::Opinion,
    decide::{Answers, Attempt, Client, Facts, Policy, decide},
    evidence::{Own, date_of},
    examination::{Examined, Examiner},
    findings::of_opinion,
    symbols::{Entry, Group, Score, Symbol, Weights},
};

use super::{
    Classifier,
    checks::own,
    word_of,
    words::{
        Judgement,
        score::{
            BuiltIn, Catalogue, Explanation, GroupEntry, Limits, Noticed, SymbolEntry, Thresholds,
            WeightsOf,
        },
    },
};
use crate::config::Config;

/// By what mail is weighed. The default is what is built in.
pub struct Scale {
    own: Arc<Own>,
    weights: Arc<Weights>,
    policy: Policy,
    of: WeightsOf,
}

impl Scale {
    /// That of a configuration; one without `[spam]` says who is ours, and the rest is built in.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        match &config.spam {
            Some(rules) => Self {
                own: Arc::new(own(config, &rules.people)),
                weights: Arc::clone(&rules.weights),
                policy: rules.inbound,
                of: WeightsOf::Configuration,
            },
            None => Self { own: Arc::new(own(config, &[])), ..Self::default() },
        }
    }

    /// Weighs a mail. Without a classifier that knows anything, `silence` says why there is none. Takes as long as the mail is.
    pub(crate) fn explain(
        &self,
        mail: &[u8],
        classifier: Result<&Classifier, &str>,
        now: Timestamp,
    ) -> Explanation {
        let arrival = noted_arrival(mail).unwrap_or(now).min(now);
        let mut examiner = Examiner::new(Arc::clone(&self.own), arrival);
        examiner.feed(mail);
        let Examined { tokens, findings, .. } = examiner.finish();
        let (opinion, classifier) = match classifier {
            Ok(it) => it.opinion_told(&tokens),
            Err(silence) => (Opinion::unknown(), Judgement::silent(silence)),
        };
        let score = self.weights.score(findings.into_iter().chain(of_opinion(&opinion)));
        let facts = Facts {
            client: Client::Waits,
            malware: None,
            author: &Ruling::Accept,
            answers: Answers::Complete,
            attempt: Attempt::Again,
        };
        let Policy { greylist, tag, quarantine, reject, .. } = self.policy;
        Explanation {
            score: score.total(),
            action: word_of(&decide(&self.policy, &score, &facts)),
            from: Thresholds { greylist, tag, quarantine, reject },
            weights: self.of,
            arrival,
            symbols: self.noticed(&score),
            classifier,
        }
    }

    fn noticed(&self, score: &Score) -> Vec<Noticed> {
        let noticed = score.rows().map(|row| Noticed {
            symbol: row.symbol.name().into(),
            adds: row.points,
            unlimited: row.unlimited,
            group: self.weights.of(row.symbol).group.clone(),
            description: row.description.into(),
            seen: row.evidence.into(),
        });
        noticed.collect()
    }

    /// What all symbols weigh.
    pub(crate) fn catalogue(&self) -> Catalogue {
        let built_in = Weights::default();
        let limits = limits(&built_in);
        let groups: BTreeMap<&str, &Group> = self.weights.groups().collect();
        let mut entries: Vec<GroupEntry> = Vec::new();
        for symbol in Symbol::ALL.iter().copied() {
            let entry = self.weights.of(symbol);
            let place = entries.iter().position(|it| it.group == entry.group);
            let place = place.unwrap_or_else(|| {
                let limits = limits.get(&*entry.group).copied();
                entries.push(group_entry(&entry.group, groups.get(&*entry.group).copied(), limits));
                entries.len() - 1
            });
            if let Some(group) = entries.get_mut(place) {
                group.symbols.push(symbol_entry(symbol, entry, built_in.of(symbol)));
            }
        }
        Catalogue { weights: self.of, groups: entries }
    }
}

impl Default for Scale {
    fn default() -> Self {
        Self {
            own: Arc::default(),
            weights: Arc::default(),
            // Nobody is put off unless the configuration says so.
            policy: Policy { greylist: None, ..Policy::INBOUND },
            of: WeightsOf::Program,
        }
    }
}

fn limits(weights: &Weights) -> BTreeMap<&str, Limits> {
    weights.groups().map(|(name, group)| (name, limits_of(group))).collect()
}

const fn limits_of(group: &Group) -> Limits {
    Limits { most: group.most, least: group.least }
}

/// `built_in`: what is built in of it, if it is no group of the administrator's own.
fn group_entry(name: &str, group: Option<&Group>, built_in: Option<Limits>) -> GroupEntry {
    let none = Limits { most: Points::ZERO, least: Points::ZERO };
    let limits = group.map_or(none, limits_of);
    GroupEntry {
        group: name.into(),
        description: group.map(|group| group.description.clone()).unwrap_or_default(),
        limits,
        built_in: built_in.filter(|built_in| *built_in != limits),
        symbols: Vec::new(),
    }
}

fn symbol_entry(symbol: Symbol, entry: &Entry, built_in: &Entry) -> SymbolEntry {
    let is_changed = entry != built_in;
    let Entry { weight, is_on, description, .. } = entry;
    SymbolEntry {
        symbol: symbol.name().into(),
        weight: *weight,
        is_on: *is_on,
        description: description.clone(),
        built_in: is_changed
            .then(|| BuiltIn { weight: built_in.weight, group: built_in.group.clone() }),
    }
}

/// When the last host took the mail, as it noted in the field on top of the others: a mail in a file is older than now, and what is
/// late then was not when it came.
fn noted_arrival(mail: &[u8]) -> Option<Timestamp> {
    let header = mail.get(..MOST_HEADER).unwrap_or(mail);
    let lines = header.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let mut lines = lines.take_while(|line| !line.is_empty());
    let is_received = |line: &&[u8]| {
        line.split_at_checked(RECEIVED.len())
            .is_some_and(|(name, _)| name.eq_ignore_ascii_case(RECEIVED))
    };
    let mut field = lines.find(is_received)?.to_vec();
    for more in lines.take_while(|line| line.starts_with(b" ") || line.starts_with(b"\t")) {
        field.extend_from_slice(more);
    }
    let field = String::from_utf8_lossy(&field);
    date_of(field.rsplit_once(';')?.1)
}

const RECEIVED: &[u8] = b"received:";

/// Bytes in which the field is looked for: it stands on top.
const MOST_HEADER: usize = 64 * 1024;
