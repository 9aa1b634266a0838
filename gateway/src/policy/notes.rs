//! What one question says and something later needs: the recipients of a mail for its DATA, and who
//! logged in at the Postfix for the mail that it hands over.
//!
//! Lost with the process. Then recipients are not known, and neither is who logged in: rules that ask
//! for it hold the mail.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use mailweir_mail::{Address, Login};
use mailweir_policy::{Action, Bounds, Memory, Request, Stage};

use crate::{clock, ingress::foresight::Asked};

/// What is known of mails that a Postfix has.
#[derive(Debug)]
pub(crate) struct Notes {
    start: Instant,
    /// By `instance`.
    mails: Mutex<Memory<Noted>>,
    /// By the id of the queue over there.
    logins: Mutex<Memory<Told>>,
}

/// A mail whose recipients come one by one.
#[derive(Clone, Debug)]
struct Noted {
    sender: Box<str>,
    /// All that were asked about; `None`: one of them cannot be read.
    recipients: Option<Vec<Address>>,
    /// How many addresses they stand for.
    addresses: usize,
    /// The answer that Postfix follows already, whatever is said later: of one recipient, for all.
    said: Option<Action>,
}

/// Who handed in a mail that comes to us.
#[derive(Clone, Debug)]
struct Told {
    sender: Box<str>,
    login: Option<Login>,
}

impl Notes {
    pub(crate) fn new() -> Self {
        Self {
            start: clock::monotonic(),
            mails: Mutex::new(Memory::new(MAILS)),
            logins: Mutex::new(Memory::new(LOGINS)),
        }
    }

    /// What Postfix was told already to do with the mail.
    pub(super) fn said(&self, request: &Request) -> Option<Action> {
        let mut mails = lock(&self.mails);
        let known = mails.get(&request.instance, self.now())?;
        known.said.clone().filter(|_| known.sender == request.sender)
    }

    /// What is known of the recipients, this request among what is known.
    pub(super) fn recipients(&self, request: &Request) -> Asked {
        match request.stage {
            Stage::Rcpt => self.next(request),
            Stage::Data | Stage::EndOfMessage if request.recipient_count == 1 => {
                let only = Address::parse(&request.recipient);
                only.map_or(Asked::Unknown, |only| Asked::Exactly(vec![only]))
            }
            Stage::Data | Stage::EndOfMessage => self.all(request),
            Stage::Early | Stage::Mail | Stage::NoMail => Asked::Unknown,
        }
    }

    /// One more recipient.
    fn next(&self, request: &Request) -> Asked {
        if request.instance.is_empty() {
            return Asked::Unknown;
        }
        let (key, now, mut mails) = (&*request.instance, self.now(), lock(&self.mails));
        let recipient = Address::parse(&request.recipient).ok();
        let is_known = mails.get(key, now).is_some_and(|known| known.sender == request.sender);
        if !is_known {
            let noted = Noted {
                sender: request.sender.clone(),
                recipients: Some(Vec::new()),
                addresses: 0,
                said: None,
            };
            mails.put(key, noted, request.sender.len(), now);
        }
        let before = mails.get(key, now).map_or(0, |known| known.addresses);
        let weight = ADDRESS + request.recipient.len();
        mails.grow(key, weight, now, |noted| match (&recipient, &mut noted.recipients) {
            (Some(recipient), Some(recipients)) => recipients.push(recipient.clone()),
            _ => noted.recipients = None,
        });
        recipient.map_or(Asked::Unknown, |recipient| Asked::Next(recipient, before))
    }

    /// All recipients, if all that were accepted were asked about, and no other.
    fn all(&self, request: &Request) -> Asked {
        let (now, mut mails) = (self.now(), lock(&self.mails));
        let known = mails.get(&request.instance, now);
        let known = known.filter(|known| known.sender == request.sender);
        let recipients = known.and_then(|known| known.recipients.clone());
        let accepted = usize::try_from(request.recipient_count).unwrap_or(usize::MAX);
        match recipients {
            Some(recipients) if recipients.len() == accepted => Asked::Exactly(recipients),
            Some(_) | None => Asked::Unknown,
        }
    }

    /// Notes what came of a question.
    pub(super) fn answered(&self, request: &Request, addresses: usize, action: &Action) {
        let (key, now) = (&*request.instance, self.now());
        let mut mails = lock(&self.mails);
        if request.stage == Stage::EndOfMessage {
            mails.remove(key);
            return;
        }
        mails.grow(key, 0, now, |noted| {
            if request.stage == Stage::Rcpt {
                noted.addresses += addresses;
            }
            noted.said = Some(action.clone()).filter(|action| *action != Action::Dunno);
        });
    }

    /// The mail comes to us: whoever logged in there.
    pub(super) fn expect(&self, request: &Request) {
        if request.queue_id.is_empty() {
            return;
        }
        let told = Told { sender: request.sender.clone(), login: login(request) };
        let weight = ADDRESS + request.sender.len() + request.sasl_username.len();
        lock(&self.logins).put(&request.queue_id, told, weight, self.now());
    }

    /// Whoever handed in the mail of this id over there. `None`: that is not known.
    pub(crate) fn login_of(&self, queue_id: &str, sender: &str) -> Option<Option<Login>> {
        let mut logins = lock(&self.logins);
        let told = logins.get(queue_id, self.now())?;
        (*told.sender == *sender).then(|| told.login.clone())
    }

    fn now(&self) -> Duration {
        clock::monotonic().saturating_duration_since(self.start)
    }
}

/// Whoever logged in at the Postfix.
pub(super) fn login(request: &Request) -> Option<Login> {
    let (user, mechanism) = (&request.sasl_username, &request.sasl_method);
    (!user.is_empty()).then(|| Login { user: user.clone(), mechanism: mechanism.clone() })
}

/// What the locks guard is changed by single calls, so a panic elsewhere leaves it sound.
fn lock<V>(memory: &Mutex<Memory<V>>) -> MutexGuard<'_, Memory<V>> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A mail whose recipients come is over within this time: Postfix `smtpd_timeout` is 300 s for each.
const MAILS: Bounds = Bounds { weight: 64 << 20, age: Duration::from_secs(3 * 3_600) };

/// Postfix tries for five days to hand over a mail (`maximal_queue_lifetime`).
const LOGINS: Bounds = Bounds { weight: 32 << 20, age: Duration::from_secs(5 * 86_400) };

/// Bytes of an address besides its text, about.
const ADDRESS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn request(stage: Stage, recipient: &str, recipient_count: u32) -> Request {
        Request {
            stage,
            instance: "1.2.3".into(),
            sender: "a@own.example".into(),
            recipient: recipient.into(),
            recipient_count,
            ..Request::default()
        }
    }

    fn exactly(addresses: &[&str]) -> Asked {
        Asked::Exactly(addresses.iter().map(|one| one.parse().unwrap()).collect())
    }

    #[test]
    fn all_that_were_asked_about_are_all_there_are_only_if_the_number_is_right() {
        let notes = Notes::new();
        for (recipient, before) in [("b@x.example", 0), ("c@x.example", 1)] {
            let asked = notes.recipients(&request(Stage::Rcpt, recipient, 0));
            assert_eq!(asked, Asked::Next(recipient.parse().unwrap(), before));
            notes.answered(&request(Stage::Rcpt, recipient, 0), 1, &Action::Dunno);
        }
        let data = |count| notes.recipients(&request(Stage::Data, "", count));
        assert_eq!(data(2), exactly(&["b@x.example", "c@x.example"]));
        // One was accepted that nobody asked about, or one was refused.
        assert_eq!((data(3), data(0)), (Asked::Unknown, Asked::Unknown));
        let only = notes.recipients(&request(Stage::Data, "c@x.example", 1));
        assert_eq!(only, exactly(&["c@x.example"]));
        let other = Request { sender: "e@own.example".into(), ..request(Stage::Data, "", 2) };
        assert_eq!(notes.recipients(&other), Asked::Unknown);
        notes.answered(&request(Stage::EndOfMessage, "", 2), 2, &Action::Dunno);
        assert_eq!(data(2), Asked::Unknown);
    }

    #[test]
    fn one_that_cannot_be_read_makes_all_unknown() {
        let notes = Notes::new();
        assert_eq!(notes.recipients(&request(Stage::Rcpt, "root", 0)), Asked::Unknown);
        let _ = notes.recipients(&request(Stage::Rcpt, "b@x.example", 0));
        assert_eq!(notes.recipients(&request(Stage::Data, "", 2)), Asked::Unknown);
        assert_eq!(notes.recipients(&request(Stage::Data, "root", 1)), Asked::Unknown);
        assert_eq!(notes.recipients(&request(Stage::Mail, "", 0)), Asked::Unknown);
        let nameless = Request { instance: "".into(), ..request(Stage::Rcpt, "b@x.example", 0) };
        assert_eq!(notes.recipients(&nameless), Asked::Unknown);
    }

    #[test]
    fn what_was_said_of_one_recipient_holds_for_the_mail_until_another_begins() {
        let notes = Notes::new();
        let (rcpt, hold) = (request(Stage::Rcpt, "b@x.example", 0), Action::Hold("r".into()));
        let _ = notes.recipients(&rcpt);
        assert_eq!(notes.said(&rcpt), None);
        notes.answered(&rcpt, 1, &Action::Dunno);
        assert_eq!(notes.said(&rcpt), None);
        notes.answered(&rcpt, 1, &hold);
        assert_eq!(notes.said(&request(Stage::Data, "", 1)), Some(hold));
        let next = Request { sender: "e@own.example".into(), ..rcpt };
        assert_eq!(notes.said(&next), None);
        let _ = notes.recipients(&next);
        assert_eq!(notes.said(&next), None);
    }

    #[test]
    fn who_logged_in_is_known_of_this_mail_alone() {
        let notes = Notes::new();
        let named = |queue_id: &str, user: &str| Request {
            queue_id: queue_id.into(),
            sasl_username: user.into(),
            ..request(Stage::Data, "", 1)
        };
        notes.expect(&named("4c1", "ann"));
        notes.expect(&named("4c2", ""));
        notes.expect(&named("", "bob"));
        let user = |id: &str, sender: &str| {
            notes.login_of(id, sender).map(|login| login.map(|login| login.user))
        };
        assert_eq!(user("4c1", "a@own.example"), Some(Some("ann".into())));
        assert_eq!(user("4c2", "a@own.example"), Some(None));
        assert_eq!(user("4c1", "e@own.example"), None);
        assert_eq!(user("", "a@own.example"), None);
    }
}
