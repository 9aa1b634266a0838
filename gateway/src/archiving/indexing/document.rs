//! From the record of a mail and what is in it to what the index has of it. Pure.

use std::collections::HashSet;

use mailweir_archive::{
    entry::{self, Capture},
    frame::Head,
};
use mailweir_extract::{Extracted, File, Mailbox, Reason};
use mailweir_mail::Address;
use mailweir_search::index::{self, Document};

/// A mail of the archive, as far as it could be read.
#[derive(Debug)]
pub(super) struct Mail {
    /// The head of its record.
    pub(super) head: Head,
    /// What the record says.
    pub(super) capture: Capture,
    /// What is in the mail.
    pub(super) found: Extracted,
    /// Whether its reader failed, so that `found` has its header at most.
    pub(super) has_failed: bool,
}

impl Mail {
    /// Calls `then` with the document of the mail.
    pub(super) fn with_document<R>(&self, then: impl FnOnce(&Document<'_>) -> R) -> R {
        let Self { head, capture, found, has_failed } = self;
        let People { from, to, cc, bcc, to_expanded, cc_expanded, owners } =
            People::of(capture, found);
        let text: Vec<&str> = found.text.iter().map(|piece| piece.text.as_str()).collect();
        let files: Vec<&str> = found.files.iter().flat_map(names).collect();
        let origin = &capture.origin;
        let id = capture.id.to_string();
        then(&Document {
            subject: &found.subject,
            text: &text,
            files: &files,
            has_attachment: !found.files.is_empty(),
            from: &from,
            to: &to,
            cc: &cc,
            bcc: &bcc,
            to_expanded: &to_expanded,
            cc_expanded: &cc_expanded,
            owners: &owners,
            login: origin.login.as_ref().map(|login| &*login.user),
            ip: Some(origin.client.ip()).filter(|ip| !ip.is_unspecified()),
            message_id: found.message_id.as_deref(),
            id: &id,
            direction: Some(direction(capture.note.direction)),
            size: capture.size,
            has_unread: *has_failed || has_unread(found),
            ..of_record(head)
        })
    }
}

/// Calls `then` with the document of a mail whose record cannot be read any more: that it came, and when.
pub(super) fn of_unreadable<R>(head: &Head, then: impl FnOnce(&Document<'_>) -> R) -> R {
    let id = head.queue_id().map_or_else(String::new, |id| id.to_string());
    then(&Document { id: &id, has_unread: true, ..of_record(head) })
}

/// What the head of a record says.
fn of_record(head: &Head) -> Document<'static> {
    let time = i64::try_from(head.at.as_secs()).unwrap_or(i64::MAX);
    Document { seq: head.seq, time, ..Document::default() }
}

/// Who sent a mail, who got it, and whose own it is.
struct People<'a> {
    from: Vec<index::Address<'a>>,
    to: Vec<index::Address<'a>>,
    cc: Vec<index::Address<'a>>,
    bcc: Vec<index::Address<'a>>,
    to_expanded: Vec<index::Address<'a>>,
    cc_expanded: Vec<index::Address<'a>>,
    owners: Vec<&'a str>,
}

impl<'a> People<'a> {
    fn of(capture: &'a Capture, found: &'a Extracted) -> Self {
        let named = |mailboxes: &'a [Mailbox]| mailboxes.iter().map(shown).collect::<Vec<_>>();
        let mut people = Self {
            from: named(&found.from),
            to: named(&found.to),
            cc: named(&found.cc),
            bcc: Vec::new(),
            to_expanded: Vec::new(),
            cc_expanded: Vec::new(),
            owners: Vec::new(),
        };
        people.add_sender(capture, found);
        let (to, cc) = (addresses(&found.to), addresses(&found.cc));
        for recipient in &capture.envelope.recipients {
            people.add_recipient(&recipient.address, recipient.original.as_ref(), &to, &cc);
        }
        people
    }

    fn add_sender(&mut self, capture: &'a Capture, found: &Extracted) {
        let sender = capture.envelope.sender.address();
        if let Some(sender) = sender.filter(|sender| !addresses(&found.from).contains(*sender)) {
            self.from.push(bare(sender));
        }
        // Anybody can write any sender; who has logged in writes their own.
        if let Some(login) = &capture.origin.login {
            self.owners.push(&login.user);
            self.owners.extend(sender.map(Address::as_str));
        }
    }

    /// `original`: what the sender wrote, where a rule has made `address` of it.
    fn add_recipient(
        &mut self,
        address: &'a Address,
        original: Option<&'a Address>,
        to: &HashSet<Address>,
        cc: &HashSet<Address>,
    ) {
        self.owners.push(address.as_str());
        self.owners.extend(original.map(Address::as_str));
        let is_named = |one: &Address| to.contains(one) || cc.contains(one);
        // The header accounts for whom the named address stands for, and not for one that led to a named one. Who
        // else a named address stands for is not for those who got the mail by it; neither is a hidden address by
        // which they got it: its name may be what the sender hid.
        match original {
            _ if is_named(address) => {}
            Some(original) if to.contains(original) => self.to_expanded.push(bare(address)),
            Some(original) if cc.contains(original) => self.cc_expanded.push(bare(address)),
            Some(_) | None => self.bcc.push(bare(address)),
        }
        if let Some(original) = original.filter(|original| !is_named(original)) {
            self.bcc.push(bare(original));
        }
    }
}

/// All names of a file.
fn names(file: &File) -> impl Iterator<Item = &str> {
    std::iter::once(&file.name).chain(&file.other_names).map(String::as_str)
}

fn shown(mailbox: &Mailbox) -> index::Address<'_> {
    index::Address { name: &mailbox.name, address: &mailbox.address }
}

fn bare(address: &Address) -> index::Address<'_> {
    index::Address { name: "", address: address.as_str() }
}

/// Those of the mailboxes that have an address.
fn addresses(mailboxes: &[Mailbox]) -> HashSet<Address> {
    mailboxes.iter().filter_map(|mailbox| Address::parse(&mailbox.address).ok()).collect()
}

const fn direction(direction: entry::Direction) -> index::Direction {
    match direction {
        entry::Direction::Inbound => index::Direction::In,
        entry::Direction::Outbound => index::Direction::Out,
        entry::Direction::Internal => index::Direction::Internal,
        entry::Direction::Own => index::Direction::Own,
    }
}

/// Whether searches may miss something. What was read in every plausible charset, they do not.
fn has_unread(found: &Extracted) -> bool {
    found.marks.iter().any(|mark| mark.reason != Reason::UnknownCharset)
}

#[cfg(test)]
mod tests {
    use mailweir_archive::{
        frame::{Brand, Kind, Packing},
        hash::Hash,
    };
    use mailweir_extract::{Mark, Origin, Piece};
    use mailweir_mail::{QueueId, ReversePath, Timestamp};

    use super::{super::super::sample, *};

    fn head() -> Head {
        Head {
            brand: Brand::from_bytes(*b"branded!"),
            kind: Kind::Capture,
            packing: Packing::Zstd,
            seq: 7,
            about: 7,
            id: QueueId::new(Timestamp::from_secs(1), 1).to_key(),
            at: Timestamp::from_secs(1_768_435_200),
            summary: 0,
            unpacked: 0,
            stored: 0,
            payload: Hash::ZERO,
            commitment: Hash::ZERO,
        }
    }

    /// `to` and `cc` are of the header; recipients `address` or `original>address`.
    fn mail(to: &[&str], cc: &[&str], recipients: &[&str], login: Option<&str>) -> Mail {
        let mut capture = sample::capture();
        capture.envelope = sample::envelope(recipients);
        capture.envelope.sender = ReversePath::Mailbox("bounce@a.example".parse().unwrap());
        capture.origin.login = login.map(sample::login);
        capture.size = 99;
        let mailboxes = |all: &[&str]| {
            all.iter()
                .map(|one| Mailbox { name: "N".to_owned(), address: (*one).to_owned() })
                .collect()
        };
        Mail {
            head: head(),
            capture,
            found: Extracted {
                from: mailboxes(&["ann@a.example"]),
                to: mailboxes(to),
                cc: mailboxes(cc),
                ..Extracted::default()
            },
            has_failed: false,
        }
    }

    /// Addresses of to, cc, bcc and owners; behind `to` and `cc` those whom they stand for.
    fn people(mail: &Mail) -> [String; 4] {
        mail.with_document(|it| {
            let all = |people: &[index::Address<'_>]| {
                people.iter().map(|one| one.address).collect::<Vec<_>>().join(" ")
            };
            let both = |named, expanded: &[_]| match expanded {
                [] => all(named),
                expanded => format!("{} > {}", all(named), all(expanded)),
            };
            [
                both(it.to, it.to_expanded),
                both(it.cc, it.cc_expanded),
                all(it.bcc),
                it.owners.join(" "),
            ]
        })
    }

    #[test]
    fn hidden_is_who_got_it_and_stands_nowhere() {
        let to = ["b@B.example", "not an address", "sales@b.example"];
        let got = ["b@b.example", "c@b.example", "d@b.example", "d@xn--bcher-kva.example"];
        let [to, cc, bcc, owners] =
            people(&mail(&to, &["c@b.example", "d@bücher.example"], &got, None));
        assert_eq!(to, "b@B.example not an address sales@b.example");
        assert_eq!(cc, "c@b.example d@bücher.example");
        assert_eq!(bcc, "d@b.example");
        assert_eq!(owners, got.join(" "));
    }

    #[test]
    fn whom_a_named_address_stands_for_is_found_beside_it() {
        let got =
            ["all@b.example>x@b.example", "team@b.example>y@b.example", "z@b.example>z1@b.example"];
        let found = people(&mail(&["all@b.example"], &["team@b.example"], &got, None));
        assert_eq!(found[0], "all@b.example > x@b.example");
        assert_eq!(found[1], "team@b.example > y@b.example");
        assert_eq!(found[2], "z1@b.example z@b.example");
        assert_eq!(found[3].split(' ').count(), 6);
    }

    /// The mail says who got it, and not by which address.
    #[test]
    fn an_address_that_leads_to_a_named_one_is_hidden() {
        let found = people(&mail(&["b@b.example"], &[], &["secret@b.example>b@b.example"], None));
        assert_eq!(found[0], "b@b.example");
        assert_eq!(found[2], "secret@b.example");
    }

    #[test]
    fn a_mail_is_its_senders_own_if_they_had_logged_in() {
        let of = |login| people(&mail(&[], &[], &["b@b.example"], login))[3].clone();
        assert_eq!(of(None), "b@b.example");
        assert_eq!(of(Some("ann")), "ann bounce@a.example b@b.example");
    }

    #[test]
    fn everything_else_is_what_record_and_mail_say() {
        let mut mail = mail(&[], &[], &["b@b.example"], Some("ann"));
        mail.found.subject = "見積書".to_owned();
        let piece =
            |text: &str| Piece { origin: Origin::Body, path: vec![], text: text.to_owned() };
        mail.found.text = vec![piece("one"), piece("two")];
        let other_names = vec!["b.pdf".to_owned()];
        mail.found.files = vec![File { name: "a.pdf".to_owned(), other_names, ..File::default() }];
        mail.found.message_id = Some("<1@a>".to_owned());
        mail.with_document(|it| {
            assert_eq!((it.seq, it.time, it.size), (7, 1_768_435_200, 99));
            assert_eq!(
                (it.subject, it.text, it.files),
                ("見積書", &["one", "two"][..], &["a.pdf", "b.pdf"][..])
            );
            let from: Vec<_> = it.from.iter().map(|one| (one.name, one.address)).collect();
            assert_eq!(from, [("N", "ann@a.example"), ("", "bounce@a.example")]);
            assert_eq!((it.login, it.message_id), (Some("ann"), Some("<1@a>")));
            assert_eq!(it.ip, Some([192, 0, 2, 1].into()));
            assert_eq!(it.id, mail.capture.id.to_string());
            assert_eq!(it.direction, Some(index::Direction::In));
            assert!(it.has_attachment && !it.has_unread);
        });
        mail.found.marks = vec![Mark { path: vec![], reason: Reason::UnknownCharset }];
        mail.with_document(|it| assert!(!it.has_unread));
        mail.found.marks.push(Mark { path: vec![], reason: Reason::Encrypted });
        mail.with_document(|it| assert!(it.has_unread));
        of_unreadable(&head(), |it| {
            assert_eq!((it.seq, it.id, it.has_unread), (7, &*mail.capture.id.to_string(), true));
        });
    }
}
