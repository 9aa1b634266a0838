//! The lists of an administrator, read and checked as a whole.

use std::collections::HashMap;

use mailweir_tables::Spec;

use super::{
    names,
    parse::{Bare, Reader, RestrictionError},
    rbl_reply,
    restriction::{Restriction, Rule},
    settings::Settings,
    strangers::{End, Strangers},
    subject::Subject,
    transaction::ProtocolState,
};

/// The lists as they are written, each under Postfix's parameter (`smtpd_..._restrictions`).
#[derive(Clone, Copy, Debug, Default)]
#[expect(missing_docs, reason = "each is the parameter of the same name")]
pub struct ListTexts<'t> {
    pub client: &'t str,
    pub helo: &'t str,
    pub sender: &'t str,
    pub relay: &'t str,
    pub recipient: &'t str,
    pub data: &'t str,
    pub end_of_data: &'t str,
    /// Restriction classes: name and list (`smtpd_restriction_classes`).
    pub classes: &'t [(&'t str, &'t str)],
}

/// The lists in force.
#[derive(Clone, Debug)]
pub struct Restrictions {
    pub(super) settings: Settings,
    pub(super) client: Vec<Rule>,
    pub(super) helo: Vec<Rule>,
    pub(super) sender: Vec<Rule>,
    pub(super) relay: Vec<Rule>,
    pub(super) recipient: Vec<Rule>,
    pub(super) data: Vec<Rule>,
    pub(super) end_of_data: Vec<Rule>,
    pub(super) classes: HashMap<Box<str>, Vec<Rule>>,
}

impl Restrictions {
    /// Whether [`evaluate`](super::evaluate) asks anything at this step.
    #[must_use]
    pub fn ask_at(&self, state: ProtocolState) -> bool {
        let delayed = self.settings.delay_reject;
        match state {
            ProtocolState::Connect | ProtocolState::Helo | ProtocolState::Mail => !delayed,
            ProtocolState::Rcpt => true,
            ProtocolState::Data => !self.data.is_empty(),
            ProtocolState::EndOfMessage => !self.end_of_data.is_empty(),
        }
    }
}

/// What is wrong with the lists.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// A list cannot be read.
    #[error("{list}: {source}")]
    Restriction {
        /// The parameter or the class.
        list: Box<str>,
        /// Why.
        source: RestrictionError,
    },
    /// Nothing keeps strangers from relaying. Postfix does not start then either.
    #[error(
        "in smtpd_relay_restrictions or smtpd_recipient_restrictions, specify at least one working \
         instance of: reject_unauth_destination, defer_unauth_destination, reject, defer or \
         defer_if_permit"
    )]
    OpenRelay,
    /// `default_rbl_reply` cannot be read.
    #[error("default_rbl_reply: {text:?} is no reply; it begins with $rbl_code or a code")]
    RblReply {
        /// As it was written.
        text: Box<str>,
    },
}

/// The lists, and what looks wrong with them though they can be used.
#[derive(Clone, Debug)]
pub struct Read {
    /// The lists.
    pub restrictions: Restrictions,
    /// For the log, a sentence each.
    pub warnings: Vec<String>,
}

impl Restrictions {
    /// Reads the lists.
    ///
    /// # Errors
    /// Everything that is wrong, not the first mistake alone.
    pub fn read(texts: &ListTexts<'_>, settings: Settings) -> Result<Read, Vec<ListError>> {
        let mut reading = Reading { texts, errors: Vec::new(), warnings: Vec::new() };
        let about = Bare::Means;
        let restrictions = Self {
            client: reading.list("smtpd_client_restrictions", texts.client, about(Subject::Client)),
            helo: reading.list("smtpd_helo_restrictions", texts.helo, about(Subject::Helo)),
            sender: reading.list("smtpd_sender_restrictions", texts.sender, about(Subject::Sender)),
            relay: reading.list("smtpd_relay_restrictions", texts.relay, about(Subject::Recipient)),
            recipient: reading.list(
                "smtpd_recipient_restrictions",
                texts.recipient,
                about(Subject::Recipient),
            ),
            data: reading.list("smtpd_data_restrictions", texts.data, Bare::Nothing),
            end_of_data: reading.list(
                "smtpd_end_of_data_restrictions",
                texts.end_of_data,
                Bare::Nothing,
            ),
            classes: reading.classes(),
            settings,
        };
        if reading.errors.is_empty() && !restrictions.protects_from_relaying() {
            reading.errors.push(ListError::OpenRelay);
        }
        if !rbl_reply::is_template(&restrictions.settings.default_rbl_reply) {
            let text = restrictions.settings.default_rbl_reply.clone();
            reading.errors.push(ListError::RblReply { text });
        }
        let Reading { errors, warnings, .. } = reading;
        if errors.is_empty() { Ok(Read { restrictions, warnings }) } else { Err(errors) }
    }

    /// The settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The same without the relay list: for mail that somebody else relays.
    #[must_use]
    pub fn without_relay_list(&self) -> Self {
        Self { relay: Vec::new(), ..self.clone() }
    }

    /// Whether a restriction of Postfix has this name. A class must have another one.
    #[must_use]
    pub fn knows(name: &str) -> bool {
        names::find(name).is_some()
    }

    /// Every table that the lists look up, to be loaded before they are used. A table may come
    /// more than once.
    pub fn tables(&self) -> impl Iterator<Item = &Spec> {
        let tables = self.rules().filter_map(|rule| match &rule.restriction {
            Restriction::CheckAccess(_, table)
            | Restriction::CheckServers(_, _, table)
            | Restriction::BareTable(table) => Some(table),
            _ => None,
        });
        tables.chain(&self.settings.rbl_reply_maps).chain(&self.settings.relay_clientcerts)
    }

    /// All of the lists, and of the classes.
    fn rules(&self) -> impl Iterator<Item = &Rule> {
        let lists = [
            &self.client,
            &self.helo,
            &self.sender,
            &self.relay,
            &self.recipient,
            &self.data,
            &self.end_of_data,
        ];
        lists.into_iter().chain(self.classes.values()).flatten()
    }

    /// Whether anything asks for the client's certificate: also the values of access tables may, so
    /// any of these counts.
    #[must_use]
    pub fn ask_for_certificates(&self) -> bool {
        self.rules().any(|rule| {
            matches!(
                rule.restriction,
                Restriction::PermitTlsClientcerts
                    | Restriction::PermitTlsAllClientcerts
                    | Restriction::CheckAccess(..)
                    | Restriction::CheckServers(..)
                    | Restriction::CheckPolicyService(_)
                    | Restriction::BareTable(_)
            )
        })
    }

    /// Whether the relay list by itself ends the question for strangers: nothing unconditional lets
    /// them pass before something refuses them. What tables say in front of that is the
    /// administrator's word.
    #[must_use]
    pub fn relay_list_is_closed(&self) -> bool {
        Strangers::new(&self.classes, false).end_of(&self.relay) == End::Refuses
    }

    /// What in the relay list, or in a class that it uses, permits by what a stranger can claim: its
    /// greeting or the sender. What stands behind the end of the question is not among it.
    #[must_use]
    pub fn forgeable_relay_permits(&self) -> Vec<&Rule> {
        let mut strangers = Strangers::new(&self.classes, false);
        strangers.end_of(&self.relay);
        strangers.claims
    }

    fn protects_from_relaying(&self) -> bool {
        [&self.relay, &self.recipient]
            .into_iter()
            .any(|list| Strangers::new(&self.classes, true).end_of(list) == End::Refuses)
    }
}

struct Reading<'t> {
    texts: &'t ListTexts<'t>,
    errors: Vec<ListError>,
    warnings: Vec<String>,
}

impl Reading<'_> {
    fn list(&mut self, list: &str, text: &str, bare: Bare) -> Vec<Rule> {
        let is_class = |name: &str| self.texts.classes.iter().any(|&(class, _)| class == name);
        let mut rules = Vec::new();
        for rule in Reader::new(text, bare, is_class) {
            match rule {
                Ok(rule) => rules.push(rule),
                Err(source) => {
                    self.errors.push(ListError::Restriction { list: list.into(), source });
                }
            }
        }
        self.look_for_trouble(list, &rules);
        rules
    }

    fn classes(&mut self) -> HashMap<Box<str>, Vec<Rule>> {
        let classes = self.texts.classes.iter();
        classes.map(|&(name, text)| (name.into(), self.list(name, text, Bare::Depends))).collect()
    }

    fn look_for_trouble(&mut self, list: &str, rules: &[Rule]) {
        let mut warned = false;
        for (rule, next) in rules.iter().zip(rules.iter().skip(1).map(Some).chain([None])) {
            if let Some(next) = next
                && !warned
                && matches!(
                    rule.restriction,
                    Restriction::Permit | Restriction::Reject | Restriction::Defer
                )
            {
                let Rule { name, .. } = rule;
                self.warnings
                    .push(format!("{list}: restriction `{}' after `{name}' is ignored", next.name));
            }
            warned = matches!(rule.restriction, Restriction::WarnIfReject);
            if matches!(rule.restriction, Restriction::PermitNakedIpAddress) {
                self.warnings.push(format!(
                    "{list}: restriction {} permits every client that greets with an address; \
                     write permit_mynetworks or permit_sasl_authenticated instead",
                    rule.name
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &ListTexts<'_>) -> Result<Read, Vec<String>> {
        Restrictions::read(texts, Settings::default())
            .map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_mistake_is_reported_and_where() {
        let texts = ListTexts {
            client: "permit_mynetwork hash:/x, sleep soon, reject_rbl_clent bl.example",
            data: "hash:/etc/access",
            classes: &[("strict", "reject_invalid_helo")],
            ..ListTexts::default()
        };
        let errors = read(&texts).unwrap_err();
        assert_eq!(errors.len(), 5, "{errors:?}");
        assert!(errors[0].starts_with("smtpd_client_restrictions: there is no restriction"));
        assert!(errors[1].starts_with("smtpd_client_restrictions: after sleep must stand"));
        assert!(errors[2].contains("\"reject_rbl_client\" was meant"), "{errors:?}");
        assert!(errors[3].starts_with("smtpd_data_restrictions: before the table"));
        assert!(errors[4].starts_with("strict: there is no restriction"));
    }

    #[test]
    fn lists_that_let_everybody_relay_are_refused() {
        for recipient in [
            "",
            "permit_mynetworks",
            "permit, reject",
            "warn_if_reject reject_unauth_destination",
            "harmless",
            "loop",
            "open, reject_unauth_destination",
        ] {
            let classes = [
                ("harmless", "permit_mynetworks"),
                ("loop", "loop"),
                ("strict", "reject"),
                ("open", "permit"),
            ];
            let texts = ListTexts { recipient, classes: &classes, ..ListTexts::default() };
            assert_eq!(
                read(&texts).unwrap_err(),
                [ListError::OpenRelay.to_string()],
                "{recipient}"
            );
        }
        for recipient in
            ["permit_mynetworks reject_unauth_destination", "strict", "defer_if_permit"]
        {
            let classes = [("strict", "reject")];
            let texts = ListTexts { recipient, classes: &classes, ..ListTexts::default() };
            assert!(read(&texts).is_ok(), "{recipient}");
        }
    }

    #[test]
    fn a_relay_list_is_closed_by_what_refuses_strangers_and_by_nothing_else() {
        let closed = |relay| {
            let classes = [("strict", "reject"), ("open", "permit"), ("looks", "static:permit")];
            let recipient = "reject_unauth_destination";
            let texts = ListTexts { relay, recipient, classes: &classes, ..ListTexts::default() };
            read(&texts).unwrap().restrictions.relay_list_is_closed()
        };
        for relay in ["reject", "permit_mynetworks defer_unauth_destination", "sleep 1 strict"] {
            assert!(closed(relay), "{relay}");
        }
        for relay in [
            "",
            "permit",
            "permit_mynetworks",
            "defer_if_permit",
            "open reject",
            "warn_if_reject reject",
            "warn_if_reject permit reject",
            "warn_if_reject open reject",
            "warn_if_reject strict",
            "check_client_access static:OK",
            "check_client_access static:OK reject",
            "check_recipient_access static:open reject",
            "looks reject",
        ] {
            assert!(!closed(relay), "{relay}");
        }
    }

    #[test]
    fn what_strangers_can_claim_is_found_in_classes_and_only_where_they_come_to_it() {
        let claims = |relay| {
            let classes = [
                ("legacy", "permit_mynetworks, permit_naked_ip_address"),
                ("outer", "sleep 1, legacy, outer"),
                ("strict", "reject"),
            ];
            let texts = ListTexts { relay, classes: &classes, ..ListTexts::default() };
            let read = read(&texts).unwrap().restrictions;
            let rules = read.forgeable_relay_permits();
            rules.iter().map(|rule| rule.name.to_string()).collect::<Vec<_>>()
        };
        let naked = ["permit_naked_ip_address"];
        assert_eq!(claims("permit_mynetworks, legacy, reject_unauth_destination"), naked);
        assert_eq!(claims("outer, outer, reject_unauth_destination"), naked);
        assert_eq!(claims("warn_if_reject legacy, reject_unauth_destination"), naked);
        assert_eq!(
            claims("check_helo_access hash:/a, check_sender_access hash:/b, reject"),
            ["check_helo_access", "check_sender_access"]
        );
        for relay in [
            "permit_mynetworks, reject_unauth_destination, legacy",
            "strict, check_helo_access hash:/a",
            "check_client_access hash:/a, check_recipient_access hash:/b, reject",
        ] {
            assert!(claims(relay).is_empty(), "{relay}");
        }
    }

    #[test]
    fn classes_that_contain_each_other_many_times_are_read_at_once() {
        let names: Vec<String> = (0..200).map(|n| format!("class{n}")).collect();
        let texts: Vec<String> =
            names.iter().skip(1).map(|next| format!("{next} {next} {next} {next}")).collect();
        let mut classes: Vec<(&str, &str)> =
            names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
        classes.push(("class199", "class0"));
        let relay = "class0 reject_unauth_destination";
        let texts = ListTexts { relay, classes: &classes, ..ListTexts::default() };
        assert!(read(&texts).unwrap().restrictions.relay_list_is_closed());
    }

    #[test]
    fn what_can_never_be_reached_is_warned_about() {
        let texts = ListTexts {
            relay: "permit_mynetworks reject, permit_sasl_authenticated",
            helo: "warn_if_reject reject permit_naked_ip_address",
            ..ListTexts::default()
        };
        let warnings = read(&texts).unwrap().warnings;
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings[0].starts_with("smtpd_helo_restrictions: restriction permit_naked_ip"));
        assert_eq!(
            warnings[1],
            "smtpd_relay_restrictions: restriction `permit_sasl_authenticated' after `reject' is \
             ignored"
        );
    }

    #[test]
    fn the_tables_of_lists_and_classes_are_named() {
        let texts = ListTexts {
            relay: "reject_unauth_destination",
            helo: "hash:/helo strict",
            classes: &[("strict", "check_sender_mx_access cidr:/mx pcre:/bare")],
            ..ListTexts::default()
        };
        let read = read(&texts).unwrap();
        let tables: Vec<_> =
            read.restrictions.tables().map(|spec| spec.name().to_string()).collect();
        assert_eq!(tables, ["hash:/helo", "cidr:/mx", "pcre:/bare"]);
    }
}
