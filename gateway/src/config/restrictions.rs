//! `[restrictions]`, their classes, and what a listener has instead.
//!
//! Promise 4 is kept here: a relay list that was written must end the question for strangers. Where
//! none was written, the built-in decision stands, and the list that stands in only gives it its
//! place among the others.

use std::sync::Arc;

use mailweir_filters::restrictions::{
    Codes, ListError, ListTexts, Restriction, RestrictionError, Restrictions, Rule, Settings,
    Unverified, complaint,
};
use mailweir_policy::client::Terms;
use mailweir_tables::Spec;

use super::{
    Mode, Surroundings, TempfailAction,
    check::{Written, positive},
    problem::Problems,
    raw::RawTable,
    schema::{ClassSection, ListenerSection, RestrictionsSection},
    setting::{Element, Refusal, Setting},
    table::{self, Usage, Values},
    value::RawValue,
};

/// The restrictions in force on a listener.
#[derive(Clone, Debug)]
pub struct ListenerRestrictions {
    /// The lists.
    pub lists: Arc<Restrictions>,
    /// Whether the relay list was written, and so decides who may relay. Else that is decided as
    /// without restrictions.
    pub relay_is_written: bool,
}

/// One or more restrictions, as Postfix writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RestrictionText(Box<str>);

impl Setting for RestrictionText {
    const ALLOWED: &'static str =
        "restrictions as Postfix writes them, such as \"permit_mynetworks\"";
    const EXAMPLE: &'static str = "\"permit_mynetworks\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        Ok(Self(value.text()?.into()))
    }
}

impl Element for RestrictionText {
    const LIST_ALLOWED: &'static str = "a list of restrictions as Postfix writes them, such as \
                                        [\"permit_mynetworks\", \"reject_unauth_destination\"]";
    const LIST_EXAMPLE: &'static str = "[\"permit_mynetworks\", \"reject_unauth_destination\"]";
}

/// `[restrictions]` and its classes, checked.
pub(super) struct CommonLists {
    settings: Settings,
    texts: Texts,
    /// Name and list.
    classes: Vec<(Box<str>, String)>,
    /// Whether all that stands there can be read.
    is_sound: bool,
}

/// The seven lists in the order of [`KEYS`]; `None`: not written.
#[derive(Clone)]
struct Texts([Option<String>; KEYS.len()]);

impl CommonLists {
    /// Checks what holds for all listeners.
    pub(super) fn check(
        written: &Written<RestrictionsSection>,
        classes: &[Written<ClassSection>],
        recipient_delimiter: Option<&str>,
        around: &Surroundings<'_>,
        problems: &mut Problems<'_>,
    ) -> Self {
        let Written { table, section } = written;
        let lists = section.lists();
        let mut common = Self {
            settings: settings(section, recipient_delimiter),
            texts: Texts(lists.map(|list| list.map(|list| joined(list)))),
            classes: classes
                .iter()
                .map(|class| (class.section.name.0.clone(), joined(&class.section.rules)))
                .collect(),
            is_sound: true,
        };
        let mut sound = common.check_classes(classes, around, problems);
        for (index, key) in KEYS.iter().enumerate() {
            sound &= common.check_list(table, key, index, lists[index], around, problems);
        }
        for (key, tables) in [
            ("rbl_reply_maps", &section.rbl_reply_maps),
            ("relay_clientcerts", &section.relay_clientcerts),
        ] {
            table::check(table, key, tables, Usage::ANY, around, problems);
        }
        check_policy_service(written, &common.class_names(), problems);
        common.is_sound = sound;
        if sound {
            common.check_all(table, problems);
        }
        common
    }

    /// Whether unknown recipients are refused, whatever the lists.
    pub(super) const fn reject_unlisted_recipient(&self) -> bool {
        self.settings.reject_unlisted_recipient
    }

    /// What holds on a listener; `None` where nothing is restricted. Mail that comes back from a
    /// filter was judged before; there only the listener's own lists count.
    pub(super) fn of(
        &self,
        written: &Written<ListenerSection>,
        around: &Surroundings<'_>,
        problems: &mut Problems<'_>,
    ) -> Option<ListenerRestrictions> {
        let Written { table, section } = written;
        let own = section.lists();
        let mut sound = self.is_sound;
        for (index, key) in KEYS.iter().enumerate() {
            let key = format!("{key}_restrictions");
            sound &= self.check_list(table, &key, index, own[index], around, problems);
        }
        let returns = matches!(section.mode, Mode::Filter | Mode::Lmtp);
        let mut texts = self.texts.clone();
        for (text, own) in texts.0.iter_mut().zip(own) {
            match own {
                Some(own) => *text = Some(joined(own)),
                None if returns => *text = None,
                None => {}
            }
        }
        let unlisted_sender = self.settings.reject_unlisted_sender && !returns;
        if !sound || (texts.are_empty() && !unlisted_sender) {
            return None;
        }
        if own[RELAY].is_some() {
            self.check_relay(table, "relay_restrictions", &texts, problems);
        }
        let relay_is_written = texts.0[RELAY].is_some();
        let lists = self.read(&texts, self.settings.clone()).ok()?;
        Some(ListenerRestrictions { lists: Arc::new(lists), relay_is_written })
    }

    fn check_classes(
        &self,
        classes: &[Written<ClassSection>],
        around: &Surroundings<'_>,
        problems: &mut Problems<'_>,
    ) -> bool {
        let mut sound = true;
        for (index, Written { table, section }) in classes.iter().enumerate() {
            let name = &section.name.0;
            if self.classes[..index].iter().any(|(known, _)| known == name) {
                problems.error(table, "name", format!("there are two classes {name:?}"));
                sound = false;
            }
            if Restrictions::knows(name) {
                let message = format!("{name:?} is the name of a restriction of Postfix");
                problems.error(table, "name", message).help("give the class another name");
                sound = false;
            }
            let mut texts = self.class_names();
            texts[index].1 = &self.classes[index].1;
            let lists = ListTexts { classes: &texts, ..PROTECTED };
            sound &= check_texts(table, "rules", &section.rules, &lists, around, problems);
        }
        sound
    }

    /// Checks one list by itself, so that every mistake is said where it stands.
    fn check_list(
        &self,
        table: &RawTable,
        key: &str,
        index: usize,
        written: Option<&Vec<RestrictionText>>,
        around: &Surroundings<'_>,
        problems: &mut Problems<'_>,
    ) -> bool {
        let Some(written) = written else { return true };
        let (text, classes) = (joined(written), self.class_names());
        let mut texts = [""; KEYS.len()];
        texts[index] = &text;
        let [client, helo, sender, relay, recipient, data, end_of_data] = texts;
        let recipient = if recipient.is_empty() { PROTECTED.recipient } else { recipient };
        let relay = if index == RECIPIENT { PROTECTED.recipient } else { relay };
        let classes = &classes;
        let lists =
            ListTexts { client, helo, sender, relay, recipient, data, end_of_data, classes };
        check_texts(table, key, written, &lists, around, problems)
    }

    /// What only the lists together can show.
    fn check_all(&self, table: &RawTable, problems: &mut Problems<'_>) {
        if self.texts.0[RELAY].is_some() {
            self.check_relay(table, "relay", &self.texts, problems);
        }
        for error in self.read(&self.texts, self.settings.clone()).err().unwrap_or_default() {
            if let ListError::RblReply { text } = error {
                let message = format!("{text:?} is no reply; it begins with $rbl_code or a code");
                problems.error(table, "default_rbl_reply", message);
            }
        }
    }

    /// A relay list that was written must end the question for strangers, and take nobody's word,
    /// in its classes neither.
    fn check_relay(&self, table: &RawTable, key: &str, texts: &Texts, problems: &mut Problems<'_>) {
        let lists = self.read(texts, Settings::default());
        let Ok(lists) = lists else { return open_relay(table, key, problems) };
        if !lists.relay_list_is_closed() {
            open_relay(table, key, problems);
        }
        for rule in lists.forgeable_relay_permits() {
            let (message, help) = claim(rule);
            problems.error(table, key, message).help(help);
        }
    }

    fn read(&self, texts: &Texts, settings: Settings) -> Result<Restrictions, Vec<ListError>> {
        let classes: Vec<(&str, &str)> =
            self.classes.iter().map(|(name, text)| (&**name, text.as_str())).collect();
        let text = |index: usize| texts.0[index].as_deref().unwrap_or_default();
        let relay = texts.0[RELAY].as_deref().unwrap_or(BUILT_IN_RELAY);
        let lists = ListTexts {
            client: text(0),
            helo: text(1),
            sender: text(2),
            relay,
            recipient: text(RECIPIENT),
            data: text(5),
            end_of_data: text(6),
            classes: &classes,
        };
        Restrictions::read(&lists, settings).map(|read| read.restrictions)
    }

    /// All classes, empty: their names are known.
    fn class_names(&self) -> Vec<(&str, &str)> {
        self.classes.iter().map(|(name, _)| (&**name, "")).collect()
    }
}

impl Texts {
    fn are_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }
}

fn joined(list: &[RestrictionText]) -> String {
    list.iter().map(|text| &*text.0).collect::<Vec<_>>().join(", ")
}

/// Says what is wrong with a list and its tables; whether it can be used.
fn check_texts(
    table: &RawTable,
    key: &str,
    written: &[RestrictionText],
    lists: &ListTexts<'_>,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> bool {
    let found = |word: &str| written.iter().position(|text| text.0.contains(word)).unwrap_or(0);
    match Restrictions::read(lists, Settings::default()) {
        Ok(read) => {
            for warning in &read.warnings {
                // The name of the list stands in front of it already.
                let (_, warning) = warning.split_once(": ").unwrap_or(("", warning));
                problems.warning(table, key, warning);
            }
            let is_class = |name: &str| lists.classes.iter().any(|&(class, _)| class == name);
            let values = Values::Access(&is_class);
            for spec in read.restrictions.tables() {
                let index = found(spec.name());
                let name = spec.clone().into();
                table::check_one(
                    table,
                    (key, index),
                    &name,
                    Usage { values, ..Usage::ANY },
                    around,
                    problems,
                );
            }
            true
        }
        Err(errors) => {
            let mut sound = true;
            for error in errors {
                // Whether strangers may relay is asked of all lists together.
                let ListError::Restriction { source, .. } = error else { continue };
                problems.element_error(table, key, found(word_of(&source)), source.to_string());
                sound = false;
            }
            sound
        }
    }
}

/// On which terms policy servers are asked.
fn check_policy_service(
    Written { table, section }: &Written<RestrictionsSection>,
    classes: &[(&str, &str)],
    problems: &mut Problems<'_>,
) {
    positive(
        table,
        &[
            ("policy_service_timeout", section.policy_service_timeout),
            ("policy_service_max_idle", section.policy_service_max_idle),
            ("policy_service_max_ttl", section.policy_service_max_ttl),
        ],
        problems,
    );
    let (key, action) =
        ("policy_service_default_action", section.policy_service_default_action.trim());
    let is_class = |name: &str| classes.iter().any(|&(class, _)| class == name);
    if action.is_empty() {
        problems.error(table, key, "is empty").help("write \"DUNNO\" to go on without an answer");
    } else if let Some(complaint) = complaint(action.as_bytes(), is_class) {
        problems.error(table, key, complaint);
    }
}

/// What to say of a rule that permits by what a stranger can claim.
fn claim(rule: &Rule) -> (String, &'static str) {
    if matches!(rule.restriction, Restriction::PermitNakedIpAddress) {
        let message = "permit_naked_ip_address lets everybody relay who greets with an address";
        return (message.to_owned(), "write permit_mynetworks instead");
    }
    let message = format!(
        "{}: whoever claims a name that the table says OK to could relay to anywhere",
        rule.name
    );
    (message, "move it to the sender or recipient list, where OK relays nothing")
}

fn open_relay(table: &RawTable, key: &str, problems: &mut Problems<'_>) {
    problems
        .error(
            table,
            key,
            "this would make us an open relay: nothing in the list refuses strangers before it \
             ends or permits everybody",
        )
        .help(
            "end it with \"reject_unauth_destination\", or leave the key out: then strangers can \
             write to domains.relay only",
        );
}

/// The word that an error is about.
fn word_of(error: &RestrictionError) -> &str {
    match error {
        RestrictionError::Unknown { name, .. }
        | RestrictionError::Unsupported { name, .. }
        | RestrictionError::Argument { name, .. }
        | RestrictionError::Table { name, .. }
        | RestrictionError::Pattern { name, .. }
        | RestrictionError::Service { name, .. }
        | RestrictionError::DefaultAction { name, .. } => name,
        RestrictionError::BareTable { table } => table,
        _ => "",
    }
}

fn settings(section: &RestrictionsSection, recipient_delimiter: Option<&str>) -> Settings {
    let specs = |tables: &[table::TableName]| -> Vec<Spec> {
        tables.iter().map(|name| name.spec().clone()).collect()
    };
    Settings {
        codes: codes(section),
        delay_reject: section.delay_reject,
        relay_before_recipient: section.relay_before_recipient,
        reject_unlisted_recipient: section.reject_unlisted_recipient,
        reject_unlisted_sender: section.reject_unlisted_sender,
        unknown_helo_waits: section.unknown_helo_hostname_tempfail_action
            == TempfailAction::DeferIfPermit,
        unknown_address_waits: section.unknown_address_tempfail_action
            == TempfailAction::DeferIfPermit,
        unverified_sender: Unverified {
            reject_code: section.unverified_sender_reject_code.0,
            defer_code: section.unverified_sender_defer_code.0,
            reason: section.unverified_sender_reject_reason.as_deref().unwrap_or_default().into(),
            waits: section.unverified_sender_tempfail_action == TempfailAction::DeferIfPermit,
        },
        unverified_recipient: Unverified {
            reject_code: section.unverified_recipient_reject_code.0,
            defer_code: section.unverified_recipient_defer_code.0,
            reason: section
                .unverified_recipient_reject_reason
                .as_deref()
                .unwrap_or_default()
                .into(),
            waits: section.unverified_recipient_tempfail_action == TempfailAction::DeferIfPermit,
        },
        parent_matches_subdomains: section.parent_domain_matches_subdomains,
        recipient_delimiter: recipient_delimiter.unwrap_or_default().into(),
        null_sender_key: section.null_access_lookup_key.as_str().into(),
        default_rbl_reply: section.default_rbl_reply.as_str().into(),
        rbl_reply_maps: specs(&section.rbl_reply_maps),
        relay_clientcerts: specs(&section.relay_clientcerts),
        mx_backup_networks: section.permit_mx_backup_networks.clone(),
        policy_service: policy_service(section),
        show_table_name: section.show_user_unknown_table_name,
    }
}

fn policy_service(section: &RestrictionsSection) -> Terms {
    Terms {
        timeout: section.policy_service_timeout,
        max_idle: section.policy_service_max_idle,
        max_ttl: section.policy_service_max_ttl,
        request_limit: section.policy_service_request_limit,
        try_limit: section.policy_service_try_limit.get(),
        retry_delay: section.policy_service_retry_delay,
        default_action: section.policy_service_default_action.trim().into(),
        context: section.policy_service_policy_context.as_deref().unwrap_or_default().into(),
    }
}

const fn codes(section: &RestrictionsSection) -> Codes {
    Codes {
        access_map: section.access_map_reject_code.0,
        access_map_defer: section.access_map_defer_code.0,
        defer: section.defer_code.0,
        invalid_hostname: section.invalid_hostname_reject_code.0,
        maps_rbl: section.maps_rbl_reject_code.0,
        multi_recipient_bounce: section.multi_recipient_bounce_reject_code.0,
        non_fqdn: section.non_fqdn_reject_code.0,
        plaintext: section.plaintext_reject_code.0,
        reject: section.reject_code.0,
        relay_domains: section.relay_domains_reject_code.0,
        unknown_address: section.unknown_address_reject_code.0,
        unknown_client: section.unknown_client_reject_code.0,
        unknown_hostname: section.unknown_hostname_reject_code.0,
        unknown_local_recipient: section.unknown_local_recipient_reject_code.0,
        unknown_relay_recipient: section.unknown_relay_recipient_reject_code.0,
        unknown_virtual_alias: section.unknown_virtual_alias_reject_code.0,
        unknown_virtual_mailbox: section.unknown_virtual_mailbox_reject_code.0,
    }
}

impl RestrictionsSection {
    fn lists(&self) -> [Option<&Vec<RestrictionText>>; KEYS.len()] {
        [
            self.client.as_ref(),
            self.helo.as_ref(),
            self.sender.as_ref(),
            self.relay.as_ref(),
            self.recipient.as_ref(),
            self.data.as_ref(),
            self.end_of_data.as_ref(),
        ]
    }
}

impl ListenerSection {
    fn lists(&self) -> [Option<&Vec<RestrictionText>>; KEYS.len()] {
        [
            self.client_restrictions.as_ref(),
            self.helo_restrictions.as_ref(),
            self.sender_restrictions.as_ref(),
            self.relay_restrictions.as_ref(),
            self.recipient_restrictions.as_ref(),
            self.data_restrictions.as_ref(),
            self.end_of_data_restrictions.as_ref(),
        ]
    }
}

/// In the order in which they are asked.
const KEYS: [&str; 7] = ["client", "helo", "sender", "relay", "recipient", "data", "end_of_data"];
const RELAY: usize = 3;
const RECIPIENT: usize = 4;

/// What `ingress::relay` decides, as a list.
const BUILT_IN_RELAY: &str =
    "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination";

/// No list, but nobody relays: for the check of another list.
const PROTECTED: ListTexts<'static> = ListTexts {
    client: "",
    helo: "",
    sender: "",
    relay: "",
    recipient: "reject_unauth_destination",
    data: "",
    end_of_data: "",
    classes: &[],
};
