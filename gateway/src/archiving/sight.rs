//! What somebody may see of a mail: all of it; or, of mail that is their own, everything but who else got it hidden.
//! Pure.

use std::collections::HashSet;

use mailweir_archive::{
    entry::{Capture, Outcome, Source},
    import::envelope::Beside,
};
use mailweir_extract::{Extracted, Mailbox};
use mailweir_mail::{Address, Client, Recipient};

use super::{indexing::Sight, words::Shown};

/// Whether a mail may be seen at all.
pub(super) fn may_see(sight: &Sight, capture: &Capture) -> bool {
    match sight {
        Sight::WithBcc => true,
        Sight::Own(own) => {
            let recipients = capture.envelope.recipients.iter();
            sent_it(own, capture)
                || recipients.flat_map(names).any(|name| is_own(own, name.as_str()))
        }
    }
}

/// Whether hidden recipients are shown.
pub(super) const fn shows_hidden(sight: &Sight) -> bool {
    matches!(sight, Sight::WithBcc)
}

/// A sender is proven by a log-in alone; as the index has it.
fn sent_it(own: &[String], capture: &Capture) -> bool {
    let Some(login) = &capture.origin.login else { return false };
    let sender = capture.envelope.sender.address().map(Address::as_str);
    is_own(own, &login.user) || sender.is_some_and(|sender| is_own(own, sender))
}

/// Those of the recipients that may be seen; `header`: what the header of the mail says.
pub(super) fn recipients<'a>(
    sight: &'a Sight,
    recipients: &'a [Recipient],
    header: &Extracted,
) -> impl Iterator<Item = Recipient> + 'a {
    let named = named(sight, header);
    recipients.iter().filter_map(move |recipient| visible(sight, recipient, &named))
}

/// Whom the header names, where that matters.
fn named(sight: &Sight, header: &Extracted) -> HashSet<Address> {
    match shows_hidden(sight) {
        true => HashSet::new(),
        false => header.to.iter().chain(&header.cc).filter_map(address).collect(),
    }
}

/// Whether the content of a mail may be seen, whose header names these besides those whom everybody sees. What was
/// accepted here everybody got as it is; what came from a file is the copy of one of them, and may say who else got it.
pub(super) fn may_see_content(sight: &Sight, beside: &Beside) -> bool {
    match sight {
        Sight::WithBcc => true,
        Sight::Own(own) => {
            let mut people = beside.people.iter();
            !beside.may_name_others && people.all(|address| is_own(own, address.as_str()))
        }
    }
}

/// Takes out what may not be seen.
pub(super) fn veil(sight: &Sight, shown: &mut Shown, header: &Extracted) {
    if shows_hidden(sight) {
        return;
    }
    let named = named(sight, header);
    let seen: Vec<Option<Recipient>> = shown
        .capture
        .iter()
        .flat_map(|capture| &capture.envelope.recipients)
        .map(|recipient| visible(sight, recipient, &named))
        .collect();
    for Outcome { recipients, decisions, .. } in &mut shown.outcomes {
        let mut number = 0;
        recipients.retain(|_| {
            number += 1;
            seen.get(number - 1).is_some_and(Option::is_some)
        });
        decisions.clear();
    }
    if let Some(capture) = &mut shown.capture {
        capture.envelope.recipients = seen.into_iter().flatten().collect();
        if !matches!(sight, Sight::Own(own) if sent_it(own, capture)) {
            veil_origin(capture);
        }
    }
    shown.legal_holds.clear();
    shown.legal_hold_doubt = None;
    shown.accesses.clear();
}

/// From where it came in, and what was decided about it, is not for who got it.
fn veil_origin(Capture { origin, note, .. }: &mut Capture) {
    origin.client = Client::unnamed(([0, 0, 0, 0], 0).into());
    origin.helo = "".into();
    (origin.login, origin.tls) = (None, None);
    (note.rule, note.held) = (None, None);
    if let Source::Imported { by, from } = &mut note.source {
        (*by, *from) = ("".into(), "".into());
    }
}

fn visible(sight: &Sight, recipient: &Recipient, named: &HashSet<Address>) -> Option<Recipient> {
    let own = match sight {
        Sight::WithBcc => return Some(recipient.clone()),
        Sight::Own(own) => own,
    };
    let may = |address: &Address| named.contains(address) || is_own(own, address.as_str());
    // An address that led to a named one is named nowhere itself.
    let original = recipient.original.clone().filter(|original| may(original));
    // Nor is one that it was led to: it may be somebody's private one.
    let (address, original) = match (may(&recipient.address), original) {
        (true, original) => (recipient.address.clone(), original),
        (false, Some(original)) => (original, None),
        (false, None) => return None,
    };
    // What the sender asked for names the address that was written to.
    Some(Recipient { address, original, orcpt: None, ..recipient.clone() })
}

fn names(recipient: &Recipient) -> impl Iterator<Item = &Address> {
    [Some(&recipient.address), recipient.original.as_ref()].into_iter().flatten()
}

fn is_own(own: &[String], name: &str) -> bool {
    own.iter().any(|own| own.to_lowercase() == name.to_lowercase())
}

fn address(mailbox: &Mailbox) -> Option<Address> {
    mailbox.address.parse().ok()
}

#[cfg(test)]
mod tests {
    use mailweir_archive::entry::{Ending, Fared};
    use mailweir_mail::{QueueId, Timestamp};

    use super::{super::sample, *};

    fn own(names: &[&str]) -> Sight {
        Sight::Own(names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn capture(recipients: &[&str], login: Option<&str>) -> Capture {
        let mut capture = Capture { envelope: sample::envelope(recipients), ..sample::capture() };
        capture.origin.login = login.map(sample::login);
        capture
    }

    fn header(to: &[&str]) -> Extracted {
        let mailbox = |one: &&str| Mailbox { name: String::new(), address: (*one).to_owned() };
        Extracted { to: to.iter().map(mailbox).collect(), ..Extracted::default() }
    }

    #[test]
    fn a_mail_is_its_recipients_own_and_its_senders_if_they_had_logged_in() {
        let got = capture(&["alias@own.example>bob@own.example"], None);
        for (name, may) in [
            ("BOB@own.example", true),
            ("alias@own.example", true),
            ("ann@own.example", false),
            ("bob", false),
        ] {
            assert_eq!(may_see(&own(&[name]), &got), may, "{name}");
        }
        let sent = capture(&["bob@own.example"], Some("ann"));
        assert!(may_see(&own(&["ann"]), &sent) && may_see(&own(&["ann@own.example"]), &sent));
        assert!(!may_see(&own(&[]), &sent) && may_see(&Sight::WithBcc, &sent));
    }

    #[test]
    fn who_got_it_hidden_is_seen_by_auditors_and_by_themselves() {
        let got = [
            "named@a.example",
            "hidden@a.example",
            "secret@a.example>list@a.example",
            "list@a.example>x@a.example",
        ];
        let header = header(&["named@a.example", "list@a.example"]);
        let seen = |sight: &Sight| {
            let shown = capture(&got, None);
            let seen = recipients(sight, &shown.envelope.recipients, &header);
            let text = |one: Recipient| match one.original {
                Some(original) => format!("{original}>{}", one.address),
                None => one.address.to_string(),
            };
            seen.map(text).collect::<Vec<_>>()
        };
        assert_eq!(seen(&Sight::WithBcc), got);
        let named = ["named@a.example", "list@a.example", "list@a.example"];
        assert_eq!(seen(&own(&["named@a.example"])), named);
        let hidden = seen(&own(&["hidden@a.example"]));
        assert_eq!(
            hidden,
            ["named@a.example", "hidden@a.example", "list@a.example", "list@a.example"]
        );
    }

    #[test]
    fn how_hidden_recipients_fared_is_hidden_with_them() {
        let fared = |relay: &str| Fared {
            delivered: true,
            relay: Some(relay.into()),
            reply: None,
            at: None,
        };
        let outcome = Outcome {
            id: QueueId::new(Timestamp::from_secs(1), 1),
            end: Ending::Delivered,
            recipients: vec![fared("one"), fared("two"), fared("three")],
            decisions: Vec::new(),
        };
        let capture = capture(&["a@a.example", "hidden@a.example", "b@a.example"], None);
        let shown = Shown {
            id: capture.id,
            seq: Some(1),
            capture: Some(capture),
            outcomes: vec![outcome],
            erased: None,
            keep_until: None,
            legal_holds: vec!["case".into()],
            legal_hold_doubt: Some("record 3 was lost".into()),
            accesses: Vec::new(),
            damage: Vec::new(),
        };
        let header = header(&["a@a.example", "b@a.example"]);
        let mut whole = shown.clone();
        veil(&Sight::WithBcc, &mut whole, &header);
        assert_eq!(whole, shown);
        let mut veiled = shown;
        veil(&own(&["a@a.example"]), &mut veiled, &header);
        assert_eq!(veiled.capture.unwrap().envelope.recipients.len(), 2);
        let relays: Vec<_> =
            veiled.outcomes[0].recipients.iter().flat_map(|it| &it.relay).collect();
        assert_eq!(relays, [&"one".into(), &"three".into()] as [&Box<str>; 2]);
        assert!(veiled.legal_holds.is_empty() && veiled.legal_hold_doubt.is_none());
    }
}
