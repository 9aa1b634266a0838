//! Access tables: what is looked up for whom, and what comes of the value (access(5)).

use std::{borrow::Cow, sync::Arc};

use mailweir_mail::{Enhanced, IpText};
use mailweir_tables::{
    LookupError, Place, Spec,
    keys::{self, Extensions, Key},
};

use super::{
    action::{self, Action},
    evaluator::{Context, Evaluator, Judgement, Opinion},
    facts::Facts,
    hostname,
    outcome::DecisionKind,
    parse::{Bare, Reader},
    replies::{Reason, Who},
    restriction::{Restriction, Rule},
    settings::Settings,
    subject::Subject,
};

/// What a table has, by the first key that it has something for.
pub(super) struct Entry {
    value: String,
    place: Place,
}

impl Entry {
    /// What was said as a whole, and not in a line.
    pub(super) fn new(value: &str, by: &Arc<str>) -> Self {
        Self { value: value.to_owned(), place: Place { table: Arc::clone(by), line: None } }
    }
}

/// What came of a look-up: nothing was found, or what was found has this opinion.
pub(super) enum Access {
    Missed,
    Found(Opinion),
}

impl Access {
    pub(super) const fn opinion(&self) -> Opinion {
        match self {
            Self::Missed => Opinion::Dunno,
            Self::Found(opinion) => *opinion,
        }
    }
}

impl<'a, F: Facts> Evaluator<'a, F> {
    pub(super) async fn check_access(
        &mut self,
        subject: Subject,
        table: &Spec,
        context: Context<'_>,
    ) -> Judgement {
        let t = self.transaction;
        let settings = &self.rules.settings;
        let (client, network);
        let (value, keys) = match subject {
            Subject::Client => {
                (client, network) = (context.client(t), IpText::of(t.address));
                let name = keys::host(t.name.or_unknown(), settings.parents());
                (&*client, vec![name, keys::network(&network)])
            }
            Subject::ReverseClient => {
                network = IpText::of(t.address);
                let name = t.reverse_name.or_unknown();
                (name, vec![keys::host(name, settings.parents()), keys::network(&network)])
            }
            Subject::Certificate => return self.check_certificate(table, context).await,
            Subject::Login => match t.login.filter(|login| !login.is_empty()) {
                Some(login) => (login, vec![whole(login)]),
                None => return Ok(Opinion::Dunno),
            },
            Subject::Helo => match t.helo {
                Some(helo) => (helo, vec![keys::host(helo, settings.parents())]),
                None => return Ok(Opinion::Dunno),
            },
            Subject::Sender => match t.sender {
                Some("") => ("", vec![whole(&settings.null_sender_key)]),
                Some(sender) => (sender, vec![address_keys(sender, settings)]),
                None => return Ok(Opinion::Dunno),
            },
            Subject::Recipient => match t.recipient {
                Some(recipient) => (recipient, vec![address_keys(recipient, settings)]),
                None => return Ok(Opinion::Dunno),
            },
            Subject::Data | Subject::EndOfData => return Ok(Opinion::Dunno),
        };
        let judged = self.first_access(table, &keys, Who { subject, value }, context).await?;
        match subject {
            // Anybody can give an address of his any name.
            Subject::ReverseClient => self.forbid_permit(judged.opinion(), context.who),
            Subject::Recipient if judged.opinion() == Opinion::Permit => {
                self.permit_unless_routed(Who { subject, value }).await
            }
            _ => Ok(judged.opinion()),
        }
    }

    /// The value for the first group of keys that has one.
    async fn first_access(
        &mut self,
        table: &Spec,
        groups: &[Vec<Key<'_>>],
        who: Who<'_>,
        context: Context<'_>,
    ) -> Result<Access, Box<super::Refusal>> {
        for keys in groups {
            if let found @ Access::Found(_) = self.access(table, keys, who, context).await? {
                return Ok(found);
            }
        }
        Ok(Access::Missed)
    }

    /// The value for the first of these keys that has one, and what comes of it.
    pub(super) async fn access(
        &mut self,
        table: &Spec,
        keys: &[Key<'_>],
        who: Who<'_>,
        context: Context<'_>,
    ) -> Result<Access, Box<super::Refusal>> {
        let entry = match self.look_up(table, keys).await {
            Ok(Some(entry)) => entry,
            Ok(None) => return Ok(Access::Missed),
            Err(error) => {
                self.trouble(&error.to_string());
                Entry::new(CONFIGURATION_ERROR, table.name())
            }
        };
        self.obey(entry, who, context).await.map(Access::Found)
    }

    /// What comes of a value that a table or a policy server has given.
    pub(super) async fn obey(
        &mut self,
        entry: Entry,
        who: Who<'_>,
        context: Context<'_>,
    ) -> Judgement {
        let outer = self.place.replace(entry.place.clone());
        let opinion = self.act(&entry, who, context).await?;
        self.place = outer;
        if opinion == Opinion::Permit {
            self.permitted_by.get_or_insert(entry.place);
        }
        Ok(opinion)
    }

    async fn look_up(&self, table: &Spec, keys: &[Key<'_>]) -> Result<Option<Entry>, LookupError> {
        let partial = self.facts.takes_partial_keys(table);
        for key in keys.iter().filter(|key| key.is_whole || partial) {
            if let Some(found) = self.facts.look_up(table, key.text.as_bytes()).await? {
                let value = String::from_utf8_lossy(&found.value);
                let value = value.trim_ascii_end().to_owned();
                return Ok(Some(Entry { value, place: found.place }));
            }
        }
        Ok(None)
    }

    async fn act(&mut self, entry: &Entry, who: Who<'_>, context: Context<'_>) -> Judgement {
        let codes = &self.rules.settings.codes;
        let (reject, defer) = (codes.access_map, codes.access_map_defer);
        match Action::parse(&entry.value) {
            Action::Dunno => Ok(Opinion::Dunno),
            Action::Permit => Ok(Opinion::Permit),
            Action::Reject(text) => self.refuse(says(reject, PERMANENT, text, DENIED), who),
            Action::Defer(text) => self.refuse(says(defer, TRANSIENT, text, DENIED), who),
            Action::Code(code, text) => self.refuse(says(code, PERMANENT, text, DENIED), who),
            Action::Hangup => self.refuse(says(421, TRANSIENT, "", UNAVAILABLE), who),
            Action::DeferIfPermit(text) => {
                self.defer_if_permit(true, says(defer, TRANSIENT, text, UNAVAILABLE), who)
            }
            Action::DeferIfReject(text) => {
                self.defer_if_reject(says(defer, TRANSIENT, text, UNAVAILABLE), who)
            }
            Action::Restrictions(list) => self.act_as_list(list, who, context.bare).await,
            Action::Info(text) => {
                self.log(DecisionKind::Info, text);
                Ok(Opinion::Dunno)
            }
            Action::Warn(text) => {
                self.log(DecisionKind::Warn, text);
                Ok(Opinion::Dunno)
            }
            Action::Filter(text) => Ok(self.filter(text, who)),
            Action::Hold(text) => Ok(self.hold(text, who)),
            Action::Discard(text) => Ok(self.discard(text, who)),
            Action::Redirect(text) => Ok(self.redirect(text, who)),
            Action::Bcc(text) => Ok(self.bcc(text, who)),
            Action::Prepend(text) => Ok(self.prepend(text)),
        }
    }

    /// Restrictions and classes in the value of a table. What cannot be read is found out when the
    /// mail comes to it, as in Postfix; a table in a value is never opened.
    async fn act_as_list(&mut self, list: &str, who: Who<'_>, bare: Option<Subject>) -> Judgement {
        if list.contains(':') {
            let why = format!("do not specify lookup tables inside SMTPD access maps: {list}");
            return self.give_up(&why, who);
        }
        let is_class = |name: &str| self.rules.classes.contains_key(name);
        let rules: Vec<Rule> = Reader::new(list, Bare::Nothing, is_class)
            .map(|rule| {
                rule.unwrap_or_else(|error| Rule {
                    name: Arc::from(list),
                    restriction: Restriction::Unusable(error),
                })
            })
            .collect();
        if rules.is_empty() {
            self.trouble("the value is empty");
            return Ok(Opinion::Permit);
        }
        self.run(&rules, Context { who, bare }).await
    }

    async fn check_certificate(&mut self, table: &Spec, context: Context<'_>) -> Judgement {
        let Some(certificate) = self.transaction.certificate else { return Ok(Opinion::Dunno) };
        let who = Who { subject: Subject::Certificate, value: certificate.name };
        for print in [certificate.fingerprint, certificate.key_fingerprint] {
            if print.is_empty() {
                continue;
            }
            if self.access(table, &whole(print), who, context).await?.opinion() == Opinion::Permit {
                return Ok(Opinion::Permit);
            }
        }
        Ok(Opinion::Dunno)
    }

    /// OK where a stranger could bring it about: a mistake that would open the gate.
    pub(super) fn forbid_permit(&mut self, opinion: Opinion, who: Who<'_>) -> Judgement {
        if opinion == Opinion::Permit && self.memory.effects.discard.is_none() {
            let why = format!(
                "restriction {} returns OK; this is not allowed for security reasons; use DUNNO \
                 instead of OK if you want to make an exception",
                self.rule_name()
            );
            return self.give_up(&why, who);
        }
        Ok(opinion)
    }

    /// `user%elsewhere@here` is too suspicious for OK.
    async fn permit_unless_routed(&mut self, who: Who<'_>) -> Judgement {
        let routed = self.destination(who).await?.routed;
        Ok(if routed { Opinion::Dunno } else { Opinion::Permit })
    }
}

/// The keys of an address. Addresses are rewritten before they are looked up; that drops a final
/// dot.
fn address_keys<'k>(address: &'k str, settings: &Settings) -> Vec<Key<'k>> {
    let address = hostname::without_final_dot(address);
    keys::access(address, settings.parents(), &Extensions::new(&settings.recipient_delimiter))
}

fn whole(text: &str) -> Vec<Key<'_>> {
    vec![Key { text: text.into(), is_whole: true, extension: None }]
}

/// What a table says, with the enhanced status code in front of its text.
fn says<'t>(code: u16, default: Enhanced, text: &'t str, otherwise: &'t str) -> Reason<'t> {
    let (status, text) = action::split_status(text, default);
    Reason::Table(code, status, if text.is_empty() { otherwise } else { text })
}

const PERMANENT: Enhanced = Enhanced(5, 7, 1);
const TRANSIENT: Enhanced = Enhanced(4, 7, 1);
const DENIED: &str = "Access denied";
const UNAVAILABLE: &str = "Service unavailable";
/// What Postfix takes for the value of a table that cannot be asked.
const CONFIGURATION_ERROR: &str = "451 4.3.5 Server configuration error";

/// The text of an action in a log line: `<value>: Subject text`.
pub(super) fn about<'t>(who: Who<'_>, text: impl Into<Cow<'t, str>>) -> String {
    format!("<{}>: {} {}", who.value, who.subject.words(), text.into())
}
