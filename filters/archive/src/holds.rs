//! Legal holds: nothing that one means is erased, whatever rules and requests say. Pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use mailweir_mail::{Address, Domain, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    catalogue::Row,
    entry::{self, Capture, LegalHold, Lift, Lifted},
    frame::{Kind, Seq},
    read::Reader,
    span::Span,
};

/// All holds that have not ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holds {
    cases: BTreeMap<Box<str>, Hold>,
}

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// When it began.
    pub since: Timestamp,
    /// Who asked for it first.
    pub by: Box<str>,
    /// Why, as they said first.
    pub reason: Box<str>,
    /// The captures of the mails that it means.
    pub mails: BTreeSet<Seq>,
    /// Whose mail it means.
    pub people: BTreeSet<Person>,
}

/// Somebody whose mail is held: a mailbox, whatever the case of its letters, or everybody at a domain and below it
/// (`@example.org`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Box<str>", into = "Box<str>")]
pub struct Person {
    /// In lower case, without quotes; absent: everybody.
    local: Option<Box<str>>,
    domain: Domain,
}

/// A text that is nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address and no domain such as @example.org")]
pub struct NoPerson(Box<str>);

/// What the records of an archive say of legal holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The holds that can be read.
    pub holds: Holds,
    /// What cannot be read, and may be a hold: while there is any, nothing may be erased.
    pub unread: Vec<Unread>,
    /// What could not be read either, or was lost, and is no hold any more, as somebody has said; and when.
    pub passed: Vec<(Timestamp, Lifted)>,
}

/// Records that may be legal holds, and cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Which.
    pub records: Span,
    /// Why.
    pub why: Box<str>,
}

/// What a record says of a hold.
enum Said {
    Begins(LegalHold),
    Ends(Lifted),
}

impl Standing {
    /// What the records of holds and their ends come to. `missing`: records that are not there any more, and may
    /// have been such.
    #[must_use]
    pub fn read(rows: &[Row], reader: &Reader, missing: &[Span]) -> Self {
        let said: Vec<_> = rows.iter().map(|row| (row, said(row, reader))).collect();
        let passed = said.iter().filter_map(|(row, said)| match said {
            Ok(Said::Ends(lifted)) => match lifted.what {
                Lift::Unread(_) | Lift::Lost(_) => Some((row.at, lifted.clone())),
                Lift::Case(_) => None,
            },
            Ok(Said::Begins(_)) | Err(_) => None,
        });
        let mut standing = Self { passed: passed.collect(), ..Self::default() };
        let unread = |lifted: &Lifted| match lifted.what {
            Lift::Unread(records) => Some(records),
            Lift::Case(_) | Lift::Lost(_) => None,
        };
        let passed: Vec<Span> =
            standing.passed.iter().filter_map(|(_, lifted)| unread(lifted)).collect();
        let left = missing.iter().flat_map(|records| records.without(&passed));
        let damaged = |records| Unread { records, why: DAMAGED.into() };
        standing.unread.extend(left.map(damaged));
        for (row, said) in said {
            // Also if it can be read again: it has ended.
            if passed.iter().any(|records| records.has(row.seq)) {
                continue;
            }
            match said {
                Ok(Said::Begins(hold)) => standing.holds.begin(hold, row.at),
                Ok(Said::Ends(Lifted { what: Lift::Case(case), .. })) => {
                    standing.holds.lift(&case);
                }
                Ok(Said::Ends(_)) => {}
                Err(why) => standing.unread.push(Unread { records: Span::of(row.seq), why }),
            }
        }
        standing
    }
}

fn said(row: &Row, reader: &Reader) -> Result<Said, Box<str>> {
    let mut record = reader.read_sound(row.place).map_err(|error| error.to_string())?;
    let summary = record.payload.summary().map_err(|error| error.to_string())?;
    let said = match row.kind {
        Kind::Lifted => entry::decode(&summary).map(Said::Ends),
        _ => entry::decode(&summary).map(Said::Begins),
    };
    Ok(said.map_err(|error| error.to_string())?)
}

impl Holds {
    /// A hold begins, or means more.
    pub fn begin(
        &mut self,
        LegalHold { case, by, reason, mails, people }: LegalHold,
        at: Timestamp,
    ) {
        let fresh =
            || Hold { since: at, by, reason, mails: BTreeSet::new(), people: BTreeSet::new() };
        let hold = self.cases.entry(case).or_insert_with(fresh);
        hold.mails.extend(mails);
        hold.people.extend(people);
    }

    /// A hold ends. Whether there was one.
    pub fn lift(&mut self, case: &str) -> bool {
        self.cases.remove(case).is_some()
    }

    /// All of them, by their names.
    pub fn cases(&self) -> impl ExactSizeIterator<Item = (&str, &Hold)> {
        self.cases.iter().map(|(case, hold)| (&**case, hold))
    }

    /// The holds that name a mail by its number. Nothing is read for it.
    pub fn naming(&self, seq: Seq) -> impl Iterator<Item = &str> {
        self.cases().filter(move |(_, hold)| hold.mails.contains(&seq)).map(|(case, _)| case)
    }

    /// The holds that mean a mail.
    pub fn of<'a>(&'a self, seq: Seq, capture: &'a Capture) -> impl Iterator<Item = &'a str> {
        self.cases().filter(move |(_, hold)| hold.means(seq, capture)).map(|(case, _)| case)
    }
}

impl Hold {
    fn means(&self, seq: Seq, capture: &Capture) -> bool {
        self.mails.contains(&seq)
            || self.people.iter().any(|person| {
                let login = capture.origin.login.as_ref();
                addresses(capture).any(|address| person.is(address))
                    || login.is_some_and(|login| person.has_name(&login.user))
            })
    }
}

/// Of the envelope: a header may say anything.
fn addresses(capture: &Capture) -> impl Iterator<Item = &Address> {
    let recipients = capture.envelope.recipients.iter();
    let recipients =
        recipients.flat_map(|recipient| [Some(&recipient.address), recipient.original.as_ref()]);
    capture.envelope.sender.address().into_iter().chain(recipients.flatten())
}

impl Person {
    fn is(&self, address: &Address) -> bool {
        match &self.local {
            None => address.domain().is_within(&self.domain),
            Some(local) => *address.domain() == self.domain && *folded(address) == **local,
        }
    }

    /// Whether a log-in may be theirs. One without a domain is that of everybody with that local part: a hold means
    /// rather too much.
    fn has_name(&self, login: &str) -> bool {
        match login.parse() {
            Ok(address) => self.is(&address),
            Err(_) => self.local.as_deref().is_some_and(|local| login.to_lowercase() == local),
        }
    }
}

impl fmt::Display for Unread {
    /// What it is, and what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records, why } = self;
        write!(
            f,
            "record {records} cannot be read and may be a legal hold, so nothing is erased: {why}; \
             mailweir archive hold lift --record {records} ends whatever legal hold it is"
        )
    }
}

const DAMAGED: &str = "it is damaged, as mailweir archive verify shows";

/// To a court, letters of any case are one mailbox.
fn folded(address: &Address) -> String {
    address.unquoted_local_part().to_lowercase()
}

impl FromStr for Person {
    type Err = NoPerson;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let wrong = |_| NoPerson(text.into());
        match text.strip_prefix('@') {
            Some(domain) => Ok(Self { local: None, domain: domain.parse().map_err(wrong)? }),
            None => {
                let address: Address = text.parse().map_err(wrong)?;
                let local = Some(folded(&address).into());
                Ok(Self { local, domain: address.domain().clone() })
            }
        }
    }
}

impl TryFrom<Box<str>> for Person {
    type Error = NoPerson;

    fn try_from(text: Box<str>) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Person> for Box<str> {
    fn from(person: Person) -> Self {
        person.to_string().into()
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { local, domain } = self;
        match local.as_deref() {
            None => write!(f, "@{domain}"),
            // A local part that needs quotes was written with them.
            Some(local) if format!("{local}@{domain}").parse::<Address>().is_ok() => {
                write!(f, "{local}@{domain}")
            }
            Some(local) => {
                let quoted = local.replace('\\', "\\\\").replace('"', "\\\"");
                write!(f, "\"{quoted}\"@{domain}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use mailweir_mail::{Envelope, Login, Recipient};

    use super::*;
    use crate::sample;

    fn hold(case: &str, mails: &[Seq], people: &[&str]) -> LegalHold {
        LegalHold {
            case: case.into(),
            by: "Ann".into(),
            reason: "a court asked".into(),
            mails: mails.to_vec(),
            people: people.iter().map(|person| person.parse().unwrap()).collect(),
        }
    }

    fn of(holds: &Holds, seq: Seq, capture: &Capture) -> Vec<String> {
        holds.of(seq, capture).map(str::to_owned).collect()
    }

    #[test]
    fn a_hold_means_mails_and_people_until_it_is_lifted() {
        let sender = "Ann@Own.example".parse::<Address>().unwrap();
        let to = Recipient {
            original: Some("sales@shop.example".parse().unwrap()),
            ..Recipient::new("bob@bücher.example".parse().unwrap())
        };
        let mut capture = sample::capture();
        capture.envelope = Envelope::from_sender(sender.into());
        capture.envelope.recipients.push(to);
        let now = Timestamp::from_secs(9);
        let mut holds = Holds::default();
        holds.begin(hold("numbers", &[4], &[]), now);
        assert_eq!(
            (of(&holds, 4, &capture), of(&holds, 5, &capture)),
            (vec!["numbers".into()], vec![])
        );
        for (person, is_meant) in [
            ("ann@own.example", true),
            ("\"aNN\"@OWN.example.", true),
            ("an@own.example", false),
            ("bob@xn--bcher-kva.example", true),
            ("SALES@shop.example", true),
            ("@own.example", true),
            ("@example", true),
            ("@wn.example", false),
            ("login@own.example", false),
        ] {
            let mut holds = Holds::default();
            holds.begin(hold("a", &[], &[person]), now);
            assert_eq!(!of(&holds, 5, &capture).is_empty(), is_meant, "{person}");
        }
        holds.begin(hold("login", &[], &["login@own.example"]), now);
        capture.origin.login =
            Some(Login { user: "Login@own.example".into(), mechanism: "PLAIN".into() });
        holds.begin(hold("numbers", &[5], &[]), Timestamp::from_secs(10));
        assert_eq!(of(&holds, 5, &capture), ["login", "numbers"]);
        capture.origin.login = Some(Login { user: "LOGIN".into(), mechanism: "PLAIN".into() });
        assert_eq!(of(&holds, 5, &capture), ["login", "numbers"]);
        assert_eq!(holds.cases().map(|(_, hold)| hold.since).max(), Some(now), "it began then");
        assert!(holds.lift("numbers") && !holds.lift("numbers"));
        assert_eq!(of(&holds, 4, &capture), ["login"]);
    }

    #[test]
    fn a_person_is_read_as_it_is_written() {
        for text in ["ann@own.example", "@own.example", "\"an n\\\"x\"@own.example"] {
            let person: Person = text.parse().unwrap();
            assert_eq!(person.to_string(), text);
            let stored = entry::encode(&hold("a", &[], &[text])).unwrap();
            let read: LegalHold = entry::decode(&stored).unwrap();
            assert_eq!(read.people, [person]);
        }
        for text in ["", "ann", "@", "ann@", "a b@own.example", "@a@b"] {
            assert!(text.parse::<Person>().is_err(), "{text}");
        }
    }
}
