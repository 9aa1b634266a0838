//! A world where tables, DNS and destinations are what the story says.

use std::{
    collections::HashMap,
    net::IpAddr,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use mailweir_mail::{Network, Protocol};
use mailweir_policy::client::{Service, Terms, Trouble};
use mailweir_tables::{Found, LookupError, Place, Spec};

use crate::{
    restrictions::*,
    verification::{Answer, Status},
};

/// A client that nobody knows, with a mail from a@a.example to b@b.example.
pub(in crate::restrictions) fn stranger() -> Transaction<'static> {
    Transaction {
        address: "192.0.2.1".parse().unwrap(),
        port: 4711,
        server: ([192, 0, 2, 99], 25).into(),
        name: HostName::Unknown,
        reverse_name: HostName::Unknown,
        helo: Some("pc.example"),
        protocol: Protocol::Esmtp,
        tls: None,
        certificate: None,
        login: None,
        mechanism: "",
        sender: Some("a@a.example"),
        recipient: Some("b@b.example"),
        recipients: 0,
        instance: Instance { run: "1", number: 1 },
        queue_id: "",
        size: 0,
        smtputf8: false,
        pipelined: false,
    }
}

/// What a policy server makes of a question.
type Policy = Box<dyn Fn(&str) -> Result<&'static str, Trouble> + Send + Sync>;

/// b.example and relay.example are served, here.example is local, the rest is elsewhere. All
/// users exist but nobody@.
#[derive(Default)]
pub(super) struct World {
    tables: HashMap<&'static str, Vec<(&'static str, &'static str)>>,
    records: HashMap<(RecordKind, String), Result<Vec<Record>, DnsError>>,
    owners: HashMap<&'static str, &'static str>,
    verified: HashMap<&'static str, Answer>,
    policy: Option<Policy>,
    pub(super) trusted: Vec<Network>,
    pub(super) asked: Mutex<Vec<String>>,
}

impl World {
    /// A table in which each line is `key value`. A table named `fail:` cannot answer.
    pub(super) fn table(mut self, name: &'static str, lines: &'static str) -> Self {
        let lines = lines.lines().filter_map(|line| line.trim().split_once(' '));
        self.tables.insert(name, lines.collect());
        self
    }

    pub(super) fn address(self, host: &str, address: &str) -> Self {
        let (kind, record) = match address.parse().unwrap() {
            IpAddr::V4(address) => (RecordKind::A, Record::A(address)),
            IpAddr::V6(address) => (RecordKind::Aaaa, Record::Aaaa(address)),
        };
        self.record(host, kind, record)
    }

    pub(super) fn exchanger(self, domain: &str, preference: u16, host: &str) -> Self {
        self.record(domain, RecordKind::Mx, Record::Mx { preference, host: host.into() })
    }

    pub(super) fn name_server(self, domain: &str, host: &str) -> Self {
        self.record(domain, RecordKind::Ns, Record::Ns(host.into()))
    }

    pub(super) fn text(self, name: &str, text: &str) -> Self {
        self.record(name, RecordKind::Txt, Record::Txt(text.into()))
    }

    fn record(mut self, name: &str, kind: RecordKind, record: Record) -> Self {
        let records = self.records.entry((kind, name.to_owned())).or_insert(Ok(Vec::new()));
        records.as_mut().unwrap().push(record);
        self
    }

    /// Nothing of the name can be looked up now.
    pub(super) fn silent(self, name: &str) -> Self {
        self.failing(name, DnsError::Temporary)
    }

    pub(super) fn failing(mut self, name: &str, error: DnsError) -> Self {
        use RecordKind::{A, Aaaa, Mx, Ns, Txt};
        for kind in [A, Aaaa, Mx, Ns, Txt] {
            self.records.insert((kind, name.to_owned()), Err(error));
        }
        self
    }

    pub(super) fn owner(mut self, sender: &'static str, logins: &'static str) -> Self {
        self.owners.insert(sender, logins);
        self
    }

    /// What a next hop says of an address. All others take mail.
    pub(super) fn verified(mut self, address: &'static str, status: Status, why: &str) -> Self {
        self.verified.insert(address, Answer { status, text: why.into() });
        self
    }

    /// What each policy server says to a question.
    pub(super) fn policy(
        mut self,
        says: impl Fn(&str) -> Result<&'static str, Trouble> + Send + Sync + 'static,
    ) -> Self {
        self.policy = Some(Box::new(says));
        self
    }

    pub(super) fn trusts(mut self, network: &str) -> Self {
        self.trusted.push(network.parse().unwrap());
        self
    }

    /// What the lists say of one recipient: `permit`, or the reply.
    pub(super) fn rcpt(&self, texts: &ListTexts<'_>, transaction: &Transaction<'_>) -> String {
        Session::new(self, texts).rcpt(transaction)
    }

    /// What a recipient list says, before the implied end that protects from relaying.
    pub(super) fn recipient_list(&self, list: &str, transaction: &Transaction<'_>) -> String {
        let texts = ListTexts {
            recipient: list,
            relay: "permit_mynetworks reject_unauth_destination",
            ..ListTexts::default()
        };
        self.rcpt(&texts, transaction)
    }

    fn answer<'w>(&'w self, table: &Spec, key: &[u8]) -> Result<Option<Found<'w>>, LookupError> {
        let table_name = Arc::clone(table.name());
        if table_name.starts_with("fail:") {
            return Err(LookupError::Remote { table: table_name, reason: "no answer".into() });
        }
        let lines = self.tables.get(&*table_name).map(Vec::as_slice).unwrap_or_default();
        let found = lines.iter().zip(1..).find(|((known, _), _)| known.as_bytes() == key);
        Ok(found.map(|((_, value), line)| Found {
            value: value.as_bytes().into(),
            place: Place { table: table_name, line: Some(line) },
        }))
    }
}

impl Facts for World {
    async fn look_up<'a>(
        &'a self,
        table: &'a Spec,
        key: &'a [u8],
    ) -> Result<Option<Found<'a>>, LookupError> {
        self.answer(table, key)
    }

    fn takes_partial_keys(&self, table: &Spec) -> bool {
        !table.name().starts_with("pcre:")
    }

    async fn records(&self, name: &str, kind: RecordKind) -> Result<Vec<Record>, DnsError> {
        self.asked.lock().unwrap().push(format!("{kind:?} {name}"));
        let known = self.records.get(&(kind, name.to_owned()));
        known.cloned().unwrap_or(Err(DnsError::DoesNotExist))
    }

    async fn is_trusted(&self, client: IpAddr, name: &str) -> Result<bool, LookupError> {
        if name == "broken.example" {
            let reason = "no answer".into();
            return Err(LookupError::Remote { table: "fail:".into(), reason });
        }
        Ok(self.trusted.iter().any(|network| network.contains(client)))
    }

    fn is_own_address(&self, address: IpAddr) -> bool {
        address.to_string() == "192.0.2.99"
    }

    fn is_own_name(&self, host: &str) -> bool {
        host == "here.example"
    }

    async fn destination(&self, address: &str) -> Result<Destination, LookupError> {
        let (user, domain) = address.rsplit_once('@').unwrap_or((address, "here.example"));
        if domain == "broken.example" {
            let reason = "no answer".into();
            return Err(LookupError::Remote { table: "fail:".into(), reason });
        }
        let class = match domain {
            "here.example" => AddressClass::Local,
            "boxes.example" => AddressClass::VirtualMailbox,
            "b.example" | "relay.example" => AddressClass::Relay,
            _ => AddressClass::Default,
        };
        Ok(Destination { class, routed: user.contains(['%', '@']) })
    }

    async fn is_listed(&self, address: &str, _: Destination) -> Result<bool, LookupError> {
        Ok(!address.starts_with("nobody@"))
    }

    async fn verified(&self, address: &str) -> Answer {
        self.asked.lock().unwrap().push(format!("verify {address}"));
        let good = || Answer { status: Status::Deliverable, text: "250 2.1.5 Ok".into() };
        self.verified.get(address).cloned().unwrap_or_else(good)
    }

    async fn ask_policy(
        &self,
        _: &Service,
        _: &Terms,
        question: &[u8],
    ) -> Result<Box<str>, Trouble> {
        let question = String::from_utf8(question.to_vec()).unwrap();
        self.asked.lock().unwrap().push(question.clone());
        self.policy.as_ref().unwrap()(&question).map(Into::into)
    }

    async fn owners(&self, sender: &str) -> Result<Option<Box<str>>, LookupError> {
        Ok(self.owners.get(sender).map(|&owners| owners.into()))
    }
}

/// A session with our server.
pub(super) struct Session<'w> {
    world: &'w World,
    pub(super) rules: Restrictions,
    pub(super) memory: Memory,
    pub(super) decisions: Vec<Decision>,
    pub(super) last: Option<Outcome>,
}

impl<'w> Session<'w> {
    pub(super) fn new(world: &'w World, texts: &ListTexts<'_>) -> Self {
        Self::with(world, texts, Settings::default())
    }

    pub(super) fn with(world: &'w World, texts: &ListTexts<'_>, settings: Settings) -> Self {
        let rules = Restrictions::read(texts, settings).unwrap().restrictions;
        let (memory, decisions) = (Memory::default(), Vec::new());
        Self { world, rules, memory, decisions, last: None }
    }

    pub(super) fn rcpt(&mut self, transaction: &Transaction<'_>) -> String {
        self.at(ProtocolState::Rcpt, transaction)
    }

    pub(super) fn at(&mut self, state: ProtocolState, transaction: &Transaction<'_>) -> String {
        let outcome = wait(evaluate(&self.rules, state, transaction, &mut self.memory, self.world));
        self.decisions.extend(outcome.decisions.iter().cloned());
        let said = match outcome.ruling.refusal() {
            Some(refusal) => refusal.reply.to_string(),
            None => "permit".to_owned(),
        };
        self.last = Some(outcome);
        said
    }

    /// The log so far: kind and text.
    pub(super) fn log(&self) -> Vec<String> {
        let lines = self.decisions.iter();
        lines.map(|line| format!("{}: {}", line.kind.word(), line.text)).collect()
    }
}

/// Nothing in this world has to be waited for.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a fake fact made us wait"),
    }
}
