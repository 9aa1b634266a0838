//! What the fake name server knows, and how it reacts to a question.

use std::collections::HashMap;

use hickory_proto::{
    op::{Message, OpCode, ResponseCode},
    rr::{
        Name, RData, Record, RecordType,
        rdata::{A, AAAA, CNAME, MX, NS, PTR, SOA, TXT},
    },
};

/// Records and faults by name.
#[derive(Default)]
pub(super) struct Zone(HashMap<Name, Entry>);

#[derive(Default)]
struct Entry {
    records: Vec<Record>,
    /// A fault, and the type of record it is limited to.
    faults: Vec<(Fault, Option<RecordType>)>,
}

/// How a question came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Udp,
    Tcp,
}

/// What the server does about a question.
pub(super) enum Reaction {
    Answer(Vec<u8>),
    Silence,
    Close,
}

#[derive(Clone, Copy)]
enum Fault {
    Code(ResponseCode),
    Timeout,
    Truncated,
    TruncatedForGood,
    WrongId,
    Garbage,
    Referral,
    NoData,
    NoDataWithoutSoa,
    AboutSomethingElse,
}

impl Zone {
    pub(super) fn parse(text: &str) -> Self {
        let mut zone = Self::default();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = line.split_whitespace().collect();
            if !words.is_empty() {
                zone.add(&words).unwrap_or_else(|| panic!("cannot read this line: {line}"));
            }
        }
        zone
    }

    fn add(&mut self, words: &[&str]) -> Option<()> {
        let (owner, rest) = words.split_first()?;
        let owner = name(owner);
        let entry = self.0.entry(owner.clone()).or_default();
        let (ttl, rest) = match rest.split_first()? {
            (first, rest) if first.parse::<u32>().is_ok() => (first.parse().ok()?, rest),
            (&"IN", rest) => (300, rest),
            _ => (300, rest),
        };
        match rest {
            ["EXISTS"] => {}
            [word] if fault(word).is_some() => entry.faults.push((fault(word)?, None)),
            [word, kind] if fault(word).is_some() => {
                entry.faults.push((fault(word)?, Some(kind.parse().ok()?)));
            }
            [kind, data @ ..] => {
                entry.records.push(Record::from_rdata(owner, ttl, record(kind, data)?));
            }
            [] => return None,
        }
        Some(())
    }

    pub(super) fn react(&self, question: &Message, transport: Transport) -> Reaction {
        let mut answer = Message::response(question.metadata.id, OpCode::Query);
        answer.metadata.recursion_desired = true;
        answer.metadata.recursion_available = true;
        answer.add_queries(question.queries.iter().cloned());
        let Some(query) = question.queries.first() else {
            return code(&mut answer, ResponseCode::FormErr);
        };
        let (owner, kind) = (query.name().to_lowercase(), query.query_type());
        let fault = self.fault(&owner, kind);
        if let Some(reaction) = fault.and_then(|fault| commit(fault, &mut answer, transport)) {
            return reaction;
        }
        self.look_up(owner, kind, &mut answer);
        match transport {
            Transport::Udp => fit(&answer, usize::from(question.max_payload())),
            Transport::Tcp => send(&answer),
        }
    }

    /// Follows aliases, then takes what fits. An alias that comes back to itself is left at that.
    fn look_up(&self, mut owner: Name, kind: RecordType, answer: &mut Message) {
        for _ in 0..MAX_ALIASES {
            let Some(entry) = self.0.get(&owner) else {
                answer.metadata.response_code = ResponseCode::NXDomain;
                break;
            };
            answer.add_answers(of_kind(entry, kind).cloned());
            let alias =
                of_kind(entry, RecordType::CNAME).next().filter(|_| kind != RecordType::CNAME);
            let Some(RData::CNAME(target)) = alias.map(|record| &record.data) else { break };
            answer.add_answers(alias.cloned());
            owner = target.0.to_lowercase();
            if answer.answers.iter().any(|record| record.name == owner) {
                break;
            }
        }
        if answer.answers.is_empty() {
            with_soa(answer);
        }
    }

    fn fault(&self, owner: &Name, kind: RecordType) -> Option<Fault> {
        let faults = &self.0.get(owner)?.faults;
        let hit = faults.iter().find(|(_, only)| only.is_none_or(|only| only == kind));
        hit.map(|(fault, _)| *fault)
    }
}

/// Does what is wrong, unless it spoils only the other transport or only the id.
fn commit(fault: Fault, answer: &mut Message, transport: Transport) -> Option<Reaction> {
    Some(match (fault, transport) {
        (Fault::Truncated, Transport::Tcp) => return None,
        (Fault::WrongId, _) => {
            answer.metadata.id = answer.metadata.id.wrapping_add(1);
            return None;
        }
        (Fault::Code(response), _) => code(answer, response),
        (Fault::Timeout, _) => Reaction::Silence,
        (Fault::TruncatedForGood, Transport::Tcp) => Reaction::Close,
        (Fault::Truncated | Fault::TruncatedForGood, Transport::Udp) => send(&answer.truncate()),
        (Fault::Garbage, _) => Reaction::Answer(garbage(answer.metadata.id)),
        (Fault::NoData, _) => send(with_soa(answer)),
        (Fault::NoDataWithoutSoa, _) => send(answer),
        (Fault::Referral, _) => {
            answer.add_authority(record_of("test", RData::NS(NS(name("ns.elsewhere.test")))));
            send(answer)
        }
        (Fault::AboutSomethingElse, _) => {
            answer.add_answer(record_of("else.test", RData::A(A::new(192, 0, 2, 66))));
            send(answer)
        }
    })
}

fn code(answer: &mut Message, code: ResponseCode) -> Reaction {
    answer.metadata.response_code = code;
    if code == ResponseCode::NXDomain {
        with_soa(answer);
    }
    send(answer)
}

/// A name of the zone: absolute, lower case, and not checked for being a host name.
pub(super) fn name(text: &str) -> Name {
    let labels = text.split('.').filter(|label| !label.is_empty()).map(str::as_bytes);
    let mut name = Name::from_labels(labels).unwrap_or_else(|error| panic!("{text}: {error}"));
    name.set_fqdn(true);
    name.to_lowercase()
}

fn of_kind(entry: &Entry, kind: RecordType) -> impl Iterator<Item = &Record> {
    entry.records.iter().filter(move |record| record.record_type() == kind)
}

fn record(kind: &str, data: &[&str]) -> Option<RData> {
    Some(match (kind, data) {
        ("MX", [preference, host]) => RData::MX(MX::new(preference.parse().ok()?, name(host))),
        ("A", [address]) => RData::A(A(address.parse().ok()?)),
        ("AAAA", [address]) => RData::AAAA(AAAA(address.parse().ok()?)),
        ("CNAME", [target]) => RData::CNAME(CNAME(name(target))),
        ("NS", [host]) => RData::NS(NS(name(host))),
        ("TXT", words) => RData::TXT(TXT::new(strings(&words.join(" ")))),
        ("PTR", [host]) => RData::PTR(PTR(name(host))),
        _ => return None,
    })
}

/// What stands between quotation marks; without any, all of it is one string.
fn strings(text: &str) -> Vec<String> {
    match text.contains('"') {
        true => text.split('"').skip(1).step_by(2).map(str::to_owned).collect(),
        false => vec![text.to_owned()],
    }
}

fn fault(word: &str) -> Option<Fault> {
    Some(match word {
        "SERVFAIL" => Fault::Code(ResponseCode::ServFail),
        "REFUSED" => Fault::Code(ResponseCode::Refused),
        "FORMERR" => Fault::Code(ResponseCode::FormErr),
        "NOTIMP" => Fault::Code(ResponseCode::NotImp),
        "NXDOMAIN" => Fault::Code(ResponseCode::NXDomain),
        "TIMEOUT" => Fault::Timeout,
        "TRUNCATED" => Fault::Truncated,
        "TRUNCATED-FOR-GOOD" => Fault::TruncatedForGood,
        "WRONG-ID" => Fault::WrongId,
        "GARBAGE" => Fault::Garbage,
        "REFERRAL" => Fault::Referral,
        "NODATA" => Fault::NoData,
        "NODATA-WITHOUT-SOA" => Fault::NoDataWithoutSoa,
        "ABOUT-SOMETHING-ELSE" => Fault::AboutSomethingElse,
        _ => return None,
    })
}

/// The mark of a definite negative answer (RFC 2308 section 2).
fn with_soa(answer: &mut Message) -> &Message {
    let soa = SOA::new(name("ns.test"), name("root.test"), 1, 3600, 600, 86_400, 60);
    answer.add_authority(record_of("test", RData::SOA(soa)));
    answer
}

fn record_of(owner: &str, data: RData) -> Record {
    Record::from_rdata(name(owner), 60, data)
}

fn fit(answer: &Message, limit: usize) -> Reaction {
    match send(answer) {
        Reaction::Answer(whole) if whole.len() > limit => send(&answer.truncate()),
        fits => fits,
    }
}

fn send(answer: &Message) -> Reaction {
    Reaction::Answer(answer.to_vec().expect("the zone fits into messages"))
}

/// The right id, and nothing that makes sense behind it.
fn garbage(id: u16) -> Vec<u8> {
    [&id.to_be_bytes()[..], &[0xff; 40]].concat()
}

const MAX_ALIASES: usize = 8;
