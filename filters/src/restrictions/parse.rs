//! Lists of restrictions as Postfix writes them.

use std::sync::Arc;

use mailweir_policy::client::{Service, ServiceError};
use mailweir_tables::{Spec, SpecError};

use super::{
    complaint::complaint,
    dns_list::{DnsList, PatternError},
    names::{self, Meaning},
    restriction::{Restriction, Rule},
    subject::Subject,
};

/// What is wrong with a list of restrictions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestrictionError {
    /// There is no such restriction.
    #[error("there is no restriction {name:?}{}", hint(*nearest))]
    Unknown {
        /// The name as it was written.
        name: Box<str>,
        /// The name that was meant, perhaps.
        nearest: Option<&'static str>,
    },
    /// There is one in Postfix, and here there is not.
    #[error("{name}: {reason}")]
    Unsupported {
        /// The name as it was written.
        name: Box<str>,
        /// Why, or what to write instead.
        reason: &'static str,
    },
    /// What must follow the name is missing or is something else.
    #[error("after {name} must stand {expected}")]
    Argument {
        /// The name as it was written.
        name: Box<str>,
        /// What must follow.
        expected: &'static str,
    },
    /// A table's name cannot be read.
    #[error("{name}: {source}")]
    Table {
        /// The restriction, or the table if it stands alone.
        name: Box<str>,
        /// Why.
        source: SpecError,
    },
    /// The answers that a block list is asked for cannot be read.
    #[error("{name}: {source}")]
    Pattern {
        /// The restriction.
        name: Box<str>,
        /// Why.
        source: PatternError,
    },
    /// A policy server cannot be read.
    #[error("{name}: {source}")]
    Service {
        /// The restriction.
        name: Box<str>,
        /// Why.
        source: ServiceError,
    },
    /// What is to be done without an answer of a policy server cannot be done.
    #[error("{name}: default_action: {complaint}")]
    DefaultAction {
        /// The restriction.
        name: Box<str>,
        /// What is wrong with it.
        complaint: Box<str>,
    },
    /// A table without a name in front, in a list that says nothing of what to look up.
    #[error(
        "before the table {table:?} must stand check_client_access or another check_..._access"
    )]
    BareTable {
        /// The table.
        table: Box<str>,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; {name:?} was meant, perhaps")).unwrap_or_default()
}

/// What a table without a name in front looks up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bare {
    /// What the list is about.
    Means(Subject),
    /// In a restriction class: what the list is about that uses the class.
    Depends,
    /// Nothing: a name is needed.
    Nothing,
}

/// Reads restrictions one after the other, mistakes among them. `is_class` knows the restriction
/// classes.
pub(super) struct Reader<'t, C> {
    words: Words<'t>,
    bare: Bare,
    is_class: C,
}

impl<'t, C: Fn(&str) -> bool> Reader<'t, C> {
    pub(super) const fn new(text: &'t str, bare: Bare, is_class: C) -> Self {
        Self { words: Words(text), bare, is_class }
    }

    fn read(&mut self, name: &str) -> Result<Restriction, RestrictionError> {
        if name.contains(':') {
            return self.bare_table(name);
        }
        match names::find(name) {
            Some(Meaning::Alone(make)) => Ok(make()),
            Some(Meaning::Table(make)) => self.table(name).map(make),
            Some(Meaning::List(make)) => self.list(name).map(make),
            Some(Meaning::Service(make)) => self.service(name).map(make),
            Some(Meaning::Seconds(make)) => self.seconds(name).map(make),
            Some(Meaning::Unsupported(reason)) => {
                Err(RestrictionError::Unsupported { name: name.into(), reason })
            }
            None if (self.is_class)(name) => Ok(Restriction::Class),
            None => {
                Err(RestrictionError::Unknown { name: name.into(), nearest: names::nearest(name) })
            }
        }
    }

    fn bare_table(&self, name: &str) -> Result<Restriction, RestrictionError> {
        let spec = parse_table(name, name)?;
        match self.bare {
            Bare::Means(subject) => Ok(Restriction::CheckAccess(subject, spec)),
            Bare::Depends => Ok(Restriction::BareTable(spec)),
            Bare::Nothing => Err(RestrictionError::BareTable { table: name.into() }),
        }
    }

    fn table(&mut self, name: &str) -> Result<Spec, RestrictionError> {
        let written = self.words.next().filter(|word| word.contains(':'));
        let written = written.ok_or_else(|| argument(name, "a table, type:name"))?;
        parse_table(name, written)
    }

    fn list(&mut self, name: &str) -> Result<DnsList, RestrictionError> {
        let written = self.words.next().ok_or_else(|| argument(name, "the domain of a list"))?;
        DnsList::parse(written)
            .map_err(|source| RestrictionError::Pattern { name: name.into(), source })
    }

    fn service(&mut self, name: &str) -> Result<Arc<Service>, RestrictionError> {
        let is_place = |word: &&str| word.contains(':');
        let written = self.words.next_if(is_place);
        let written = written
            .ok_or_else(|| argument(name, "a policy server, inet:host:port or unix:/path"))?;
        let service = Service::parse(written)
            .map_err(|source| RestrictionError::Service { name: name.into(), source })?;
        // Not the type of the closure, or each list in a list would be read by a type of its own.
        let is_class: &dyn Fn(&str) -> bool = &self.is_class;
        let action = service.default_action();
        let wrong = action.and_then(|action| complaint(action.as_bytes(), is_class));
        match wrong {
            Some(wrong) => {
                Err(RestrictionError::DefaultAction { name: name.into(), complaint: wrong.into() })
            }
            None => Ok(Arc::new(service)),
        }
    }

    fn seconds(&mut self, name: &str) -> Result<u64, RestrictionError> {
        let number = self.words.next().filter(|word| word.bytes().all(|b| b.is_ascii_digit()));
        number
            .and_then(|word| word.parse().ok())
            .ok_or_else(|| argument(name, "a number of seconds"))
    }
}

impl<C: Fn(&str) -> bool> Iterator for Reader<'_, C> {
    type Item = Result<Rule, RestrictionError>;

    fn next(&mut self) -> Option<Self::Item> {
        let name = self.words.next()?;
        let read = self.read(name);
        if let Err(RestrictionError::Unknown { .. } | RestrictionError::Unsupported { .. }) = read {
            self.words.skip_arguments();
        }
        Some(read.map(|restriction| Rule { name: Arc::from(name), restriction }))
    }
}

fn parse_table(name: &str, written: &str) -> Result<Spec, RestrictionError> {
    let inner = written.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    // `{ type:name, search_order = ... }` is for check_ccert_access: the order is not an option here.
    if inner.is_some() {
        return Err(RestrictionError::Unsupported {
            name: name.into(),
            reason: "{ table, search_order = ... } is not read here; write the table alone",
        });
    }
    Spec::parse(written).map_err(|source| RestrictionError::Table { name: name.into(), source })
}

fn argument(name: &str, expected: &'static str) -> RestrictionError {
    RestrictionError::Argument { name: name.into(), expected }
}

/// Words between commas and white space; braces hold together what stands between them.
struct Words<'t>(&'t str);

impl<'t> Words<'t> {
    /// The next word, if it is wanted; otherwise it stays.
    fn next_if(&mut self, is_wanted: impl FnOnce(&&'t str) -> bool) -> Option<&'t str> {
        let mut ahead = Words(self.0);
        let word = ahead.next().filter(is_wanted)?;
        self.0 = ahead.0;
        Some(word)
    }

    /// What followed a name that means nothing is no restriction either: names have no dot and no
    /// colon.
    fn skip_arguments(&mut self) {
        while let Some(word) = Words(self.0).next()
            && word.contains([':', '.', '/'])
        {
            self.next();
        }
    }
}

impl<'t> Iterator for Words<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let text = self.0.trim_start_matches(SEPARATORS);
        let mut depth = 0_usize;
        let end = text.find(|c: char| {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && SEPARATORS.contains(&c)
        });
        let (word, rest) = text.split_at(end.unwrap_or(text.len()));
        self.0 = rest;
        (!word.is_empty()).then_some(word)
    }
}

const SEPARATORS: [char; 5] = [',', ' ', '\t', '\r', '\n'];

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<String>, String> {
        let rules = Reader::new(text, Bare::Means(Subject::Client), |name| name == "greylist");
        let words = rules.map(|rule| rule.map(|rule| format!("{:?}", rule.restriction)));
        words.collect::<Result<_, _>>().map_err(|error| error.to_string())
    }

    #[test]
    fn a_list_is_divided_by_commas_and_white_space() {
        let rules = parse(" permit_mynetworks,,reject_unauth_destination\n\tREJECT\r\n").unwrap();
        assert_eq!(rules, ["PermitMynetworks", "RejectUnauthDestination", "Reject"]);
        assert_eq!(parse(" ,\n").unwrap(), [""; 0]);
    }

    #[test]
    fn old_names_mean_what_the_new_ones_mean() {
        for (old, new) in [
            ("reject_invalid_hostname", "reject_invalid_helo_hostname"),
            ("reject_non_fqdn_hostname", "reject_non_fqdn_helo_hostname"),
            ("reject_unknown_hostname", "reject_unknown_helo_hostname"),
            ("reject_unknown_client", "reject_unknown_client_hostname"),
            ("reject_unknown_address", "reject_unknown_sender_domain"),
            ("check_recipient_maps", "reject_unlisted_recipient"),
        ] {
            assert_eq!(parse(old), parse(new), "{old}");
        }
    }

    #[test]
    fn a_table_alone_is_looked_up_for_what_the_list_is_about() {
        let rules = parse("hash:/etc/access, check_helo_access pcre:/etc/helo").unwrap();
        assert!(rules[0].starts_with("CheckAccess(Client"), "{rules:?}");
        assert!(rules[1].starts_with("CheckAccess(Helo"), "{rules:?}");
        let data: Vec<_> = Reader::new("hash:/etc/access", Bare::Nothing, |_| false).collect();
        assert!(matches!(data[..], [Err(RestrictionError::BareTable { .. })]));
    }

    #[test]
    fn braces_hold_a_table_together() {
        let rules = parse("check_client_access inline:{ {a.example = REJECT, no}, b=OK } reject");
        assert_eq!(rules.unwrap().len(), 2);
    }

    #[test]
    fn braces_hold_a_policy_server_and_its_terms_together() {
        let rules = parse(
            "check_policy_service inet:127.0.0.1:10023, check_policy_service {\n\tunix:/run/p, \
             timeout = 10s,\n default_action = greylist }, reject",
        );
        let rules = rules.unwrap();
        assert_eq!(rules.len(), 3, "{rules:?}");
        assert!(
            rules[1].starts_with("CheckPolicyService(Service { name: \"unix:/run/p\""),
            "{rules:?}"
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (list, error) in [
            (
                "permit_mynetwork",
                "there is no restriction \"permit_mynetwork\"; \"permit_mynetworks\" was meant, \
                 perhaps",
            ),
            ("xyzzy", "there is no restriction \"xyzzy\""),
            ("check_helo_access", "after check_helo_access must stand a table, type:name"),
            ("check_helo_access reject", "after check_helo_access must stand a table, type:name"),
            ("reject_rbl_client", "after reject_rbl_client must stand the domain of a list"),
            ("sleep soon", "after sleep must stand a number of seconds"),
            (
                "check_policy_service reject",
                "after check_policy_service must stand a policy server, inet:host:port or unix:/path",
            ),
            (
                "check_policy_service inet:localhost",
                "check_policy_service: \"inet:localhost\" is no policy server; write \
                 inet:host:port or unix:/path",
            ),
            (
                "check_policy_service { inet:localhost:1, default_action = DUNO }",
                "check_policy_service: default_action: there is no restriction \"DUNO\"",
            ),
        ] {
            assert_eq!(parse(list), Err(error.to_owned()), "{list}");
        }
    }

    #[test]
    fn classes_are_known_by_their_names_as_written() {
        assert_eq!(parse("greylist").unwrap(), ["Class"]);
        assert!(parse("Greylist").is_err());
    }
}
