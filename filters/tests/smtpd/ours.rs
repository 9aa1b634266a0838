//! Our side: the same tables and destinations as facts.

use std::{
    collections::HashMap,
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use mailweir_filters::{restrictions::*, verification::Answer};
use mailweir_mail::Protocol;
use mailweir_policy::client::{Service, Terms, Trouble};
use mailweir_tables::{Found, LookupError, Place, Spec};

use crate::{
    Dialogue, command,
    lists::{CLASSES, Lists},
    theirs::{PERMIT, with_tables},
};

pub(crate) struct Ours {
    directory: PathBuf,
    tables: HashMap<Box<str>, Vec<(String, String)>>,
}

impl Ours {
    pub(crate) fn new(directory: &Path) -> Self {
        let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        let tables = files.map(|file| {
            let text = fs::read_to_string(&file).unwrap();
            let lines = text.lines().filter_map(|line| line.split_once(' '));
            let lines = lines.map(|(key, value)| (key.to_owned(), value.trim().to_owned()));
            (format!("texthash:{}", file.display()).into_boxed_str(), lines.collect())
        });
        Self { directory: directory.to_owned(), tables: tables.collect() }
    }

    /// As [`crate::theirs::Theirs::hold`], and what is logged.
    pub(crate) fn hold(
        &self,
        lists: &Lists,
        dialogue: &Dialogue,
        log: &mut Vec<String>,
    ) -> Vec<String> {
        let rules = self.rules(lists);
        let mut memory = Memory::default();
        let name = match dialogue.name {
            None => HostName::Unknown,
            Some("") => HostName::Unclear,
            Some(name) => HostName::Known(name),
        };
        let mut transaction = Transaction {
            address: dialogue.address.parse().unwrap(),
            port: 0,
            server: ([127, 0, 0, 1], 25).into(),
            name,
            reverse_name: name,
            helo: None,
            protocol: Protocol::Esmtp,
            tls: None,
            certificate: None,
            login: None,
            mechanism: "",
            sender: None,
            recipient: None,
            recipients: 0,
            instance: Instance::default(),
            queue_id: "",
            size: 0,
            smtputf8: false,
            pipelined: false,
        };
        let mut judge = |state, transaction: &Transaction<'_>| {
            let outcome = wait(evaluate(&rules, state, transaction, &mut memory, self));
            log.extend(outcome.decisions.iter().filter_map(|decision| {
                logged(state, &transaction.name, transaction.address, decision)
            }));
            match outcome.ruling.refusal() {
                Some(refusal) => refusal.reply.to_string(),
                None => PERMIT.to_owned(),
            }
        };
        let mut said = Vec::new();
        for (state, helo, sender) in [
            (ProtocolState::Connect, None, None),
            (ProtocolState::Helo, Some(dialogue.helo), None),
            (ProtocolState::Mail, Some(dialogue.helo), Some(dialogue.sender)),
        ] {
            (transaction.helo, transaction.sender) = (helo, sender);
            said.push(judge(state, &transaction));
            if said.last().is_some_and(|reply| reply != PERMIT) {
                return said;
            }
        }
        let mut last = None;
        for recipient in dialogue.recipients {
            transaction.recipient = Some(recipient);
            said.push(judge(ProtocolState::Rcpt, &transaction));
            if said.last().is_some_and(|reply| reply == PERMIT) {
                transaction.recipients += 1;
                last = Some(*recipient);
            }
        }
        if transaction.recipients == 0 {
            return said;
        }
        transaction.recipient = last;
        for state in [ProtocolState::Data, ProtocolState::EndOfMessage] {
            said.push(judge(state, &transaction));
            if said.last().is_some_and(|reply| reply != PERMIT) {
                break;
            }
        }
        said
    }

    fn rules(&self, lists: &Lists) -> Restrictions {
        let written = |list| with_tables(list, &self.directory);
        let Lists { client, helo, sender, relay, recipient, data, end_of_data, .. } = *lists;
        let all = [client, helo, sender, relay, recipient, data, end_of_data].map(written);
        let [client, helo, sender, relay, recipient, data, end_of_data] = &all;
        let classes: Vec<_> = CLASSES.iter().map(|&(name, list)| (name, written(list))).collect();
        let classes: Vec<_> = classes.iter().map(|(name, list)| (*name, list.as_str())).collect();
        let texts = ListTexts {
            client,
            helo,
            sender,
            relay,
            recipient,
            data,
            end_of_data,
            classes: &classes,
        };
        let settings = Settings {
            recipient_delimiter: "+".into(),
            delay_reject: lists.delay,
            ..Settings::default()
        };
        Restrictions::read(&texts, settings).unwrap().restrictions
    }
}

fn logged(
    state: ProtocolState,
    name: &HostName<'_>,
    address: IpAddr,
    decision: &Decision,
) -> Option<String> {
    let ours_alone = matches!(decision.kind, DecisionKind::Prepend | DecisionKind::Trouble);
    let (kind, command, name) = (decision.kind.word(), command(state), name.or_unknown());
    (!ours_alone).then(|| format!("{kind}: {command} from {name}[{address}]: {}", decision.text))
}

impl Facts for Ours {
    async fn look_up<'a>(
        &'a self,
        table: &'a Spec,
        key: &'a [u8],
    ) -> Result<Option<Found<'a>>, LookupError> {
        let lines = self.tables.get(&**table.name()).unwrap();
        let key = String::from_utf8_lossy(key).to_lowercase();
        Ok(lines.iter().find(|(known, _)| *known == key).map(|(_, value)| Found {
            value: value.as_bytes().into(),
            place: Place { table: Arc::clone(table.name()), line: None },
        }))
    }

    fn takes_partial_keys(&self, _: &Spec) -> bool {
        true
    }

    async fn records(&self, name: &str, _: RecordKind) -> Result<Vec<Record>, DnsError> {
        panic!("{name} was looked up");
    }

    async fn is_trusted(&self, client: IpAddr, _: &str) -> Result<bool, LookupError> {
        Ok(client.to_string().starts_with("198.51.100."))
    }

    fn is_own_address(&self, address: IpAddr) -> bool {
        address.is_loopback()
    }

    fn is_own_name(&self, host: &str) -> bool {
        host == "here.example"
    }

    async fn destination(&self, address: &str) -> Result<Destination, LookupError> {
        let (user, domain) = address.rsplit_once('@').unwrap();
        let class = match domain.to_lowercase().as_str() {
            "here.example" => AddressClass::Local,
            "b.example" | "relay.example" => AddressClass::Relay,
            _ => AddressClass::Default,
        };
        Ok(Destination { class, routed: user.contains('%') })
    }

    async fn is_listed(&self, address: &str, at: Destination) -> Result<bool, LookupError> {
        Ok(at.class == AddressClass::Default || !address.starts_with("nobody@"))
    }

    async fn verified(&self, address: &str) -> Answer {
        panic!("{address} was verified");
    }

    async fn ask_policy(&self, _: &Service, _: &Terms, _: &[u8]) -> Result<Box<str>, Trouble> {
        Err(Trouble::Supposed)
    }

    async fn owners(&self, _: &str) -> Result<Option<Box<str>>, LookupError> {
        Ok(None)
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a table made us wait"),
    }
}
