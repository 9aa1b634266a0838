//! The same lists, the same dialogues: what Postfix's smtpd replies and logs, and what we say.
//!
//! One private Postfix has a listener for each set of lists; XCLIENT makes us any client. What
//! needs DNS, a login or a certificate is told in the stories beside the code. So is
//! `permit_inet_interfaces`, which looks at the address that XCLIENT does not change.

#![allow(clippy::unwrap_used, reason = "a tool that cannot do its work ends the test that uses it")]

mod lists;
mod ours;
mod theirs;

use mailweir_filters::restrictions::ProtocolState;
use mailweir_test_servers::tools;

use crate::{
    lists::{LISTS, Lists, TABLES},
    ours::Ours,
    theirs::Theirs,
};

/// A client with a mail for some recipients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dialogue {
    pub(crate) address: &'static str,
    /// `None`: the address has no name. `Some("")`: DNS cannot tell.
    pub(crate) name: Option<&'static str>,
    pub(crate) helo: &'static str,
    pub(crate) sender: &'static str,
    pub(crate) recipients: &'static [&'static str],
}

const DIALOGUES: &[Dialogue] = &[
    Dialogue {
        address: "192.0.2.1",
        name: None,
        helo: "pc.example",
        sender: "a@a.example",
        recipients: &["b@b.example", "c@c.example", "nobody@b.example", "b@here.example"],
    },
    Dialogue {
        address: "198.51.100.7",
        name: Some("host.c.example"),
        helo: "pc",
        sender: "",
        recipients: &["B+x@B.Example", "c@c.example"],
    },
    Dialogue {
        address: "2001:db8::7",
        name: Some(""),
        helo: "[192.0.2.9]",
        sender: "A+Ext@Sub.Known.example",
        recipients: &["b@relay.example"],
    },
    Dialogue {
        address: "192.0.2.77",
        name: Some("mail.known.example"),
        helo: "a..b",
        sender: "a@pc",
        recipients: &["b@b.example", "Postmaster", "c@c.example", "x@b.example"],
    },
    Dialogue {
        address: "203.0.113.9",
        name: None,
        helo: "[nonsense]",
        sender: "b@known.example",
        recipients: &["nobody@here.example", "c%c.example@b.example"],
    },
    Dialogue {
        address: "203.0.113.9",
        name: None,
        helo: "1-2.3.",
        sender: "b@known.example.",
        recipients: &["b@b.example"],
    },
    Dialogue {
        address: "203.0.113.9",
        name: None,
        helo: "203.0.113.9",
        sender: "bounce@[203.0.113.9]",
        recipients: &["b@b.example"],
    },
];

#[test]
fn smtpd_replies_and_logs_the_same() {
    if !tools::require(&["postfix"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let theirs = Theirs::start(directory.path());
    let ours = Ours::new(directory.path());
    let (mut differences, mut expected_log) = (Vec::new(), Vec::new());
    for (index, lists) in LISTS.iter().enumerate() {
        for dialogue in DIALOGUES {
            let said = ours.hold(lists, dialogue, &mut expected_log);
            let heard = theirs.hold(index, dialogue);
            if said != heard {
                differences.push(format!(
                    "{lists:?}\n{dialogue:?}\n  Postfix: {heard:#?}\n  we: {said:#?}"
                ));
            }
        }
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
    let log = theirs.log(expected_log.len());
    for (line, (expected, logged)) in expected_log.iter().zip(&log).enumerate() {
        assert!(logged.starts_with(&format!("{expected};")), "{line}: {expected}\n{logged}");
    }
    assert_eq!(expected_log.len(), log.len());
    assert!(log.len() > 100, "{}", log.len());
}

/// What Postfix calls a command in its log. Our clients come by XCLIENT, not by CONNECT.
pub(crate) const fn command(state: ProtocolState) -> &'static str {
    match state {
        ProtocolState::Connect => "XCLIENT",
        ProtocolState::Helo => "EHLO",
        ProtocolState::Mail => "MAIL",
        ProtocolState::Rcpt => "RCPT",
        ProtocolState::Data => "DATA",
        ProtocolState::EndOfMessage => "END-OF-MESSAGE",
    }
}

/// Every table has a line for each key, so that a typing error in a list is found out.
#[test]
fn the_lists_name_tables_that_there_are() {
    let names: Vec<_> = TABLES.iter().map(|(name, _)| *name).collect();
    for Lists { client, helo, sender, relay, recipient, data, end_of_data, .. } in LISTS {
        for list in [client, helo, sender, relay, recipient, data, end_of_data] {
            let tables = list.split([' ', ',']).filter_map(|word| word.strip_prefix('%'));
            for table in tables {
                assert!(names.contains(&table), "{table}");
            }
        }
    }
}
