//! A private Postfix with a listener for each set of lists.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
};

use mailweir_test_servers::{
    free_address,
    postfix::{Postfix, Settings},
    wait,
};

use crate::{
    Dialogue,
    lists::{CLASSES, LISTS, Lists, TABLES},
};

pub(crate) struct Theirs {
    postfix: Postfix,
    listeners: Vec<SocketAddr>,
}

impl Theirs {
    pub(crate) fn start(tables: &Path) -> Self {
        for (name, text) in TABLES {
            fs::write(tables.join(name), text).unwrap();
        }
        let mut settings = PARAMETERS
            .iter()
            .fold(Settings::new(), |settings, (name, value)| settings.parameter(name, value));
        let classes: Vec<_> = CLASSES.iter().map(|(name, _)| *name).collect();
        settings = settings.parameter("smtpd_restriction_classes", &classes.join(" "));
        for (name, list) in CLASSES {
            settings = settings.parameter(name, &with_tables(list, tables));
        }
        let mut listeners = Vec::new();
        for lists in LISTS {
            let address = free_address().unwrap();
            settings = settings.service(&service(address, lists, tables));
            listeners.push(address);
        }
        Self { postfix: settings.start().unwrap(), listeners }
    }

    /// What is replied to the connection and each command until one before RCPT is refused.
    pub(crate) fn hold(&self, listener: usize, dialogue: &Dialogue) -> Vec<String> {
        let mut peer = Peer::connect(self.listeners[listener]);
        let address = match dialogue.address {
            six if six.contains(':') => format!("IPV6:{six}"),
            four => four.to_owned(),
        };
        let name = match dialogue.name {
            None => "[UNAVAILABLE]",
            Some("") => "[TEMPUNAVAIL]",
            Some(name) => name,
        };
        assert!(peer.says("EHLO tester.example").starts_with("250"));
        let mut said = Vec::new();
        for command in [
            format!("XCLIENT NAME={name} ADDR={address}"),
            format!("EHLO {}", dialogue.helo),
            format!("MAIL FROM:<{}>", dialogue.sender),
        ] {
            said.push(unless_accepted(peer.says(&command)));
            if said.last().is_some_and(|reply| reply != PERMIT) {
                return said;
            }
        }
        let replies: Vec<_> = dialogue
            .recipients
            .iter()
            .map(|recipient| unless_accepted(peer.says(&format!("RCPT TO:<{recipient}>"))))
            .collect();
        let accepted = replies.iter().any(|reply| reply == PERMIT);
        said.extend(replies);
        if accepted {
            said.push(unless_accepted(peer.says("DATA")));
            if said.last().is_some_and(|last| last == PERMIT) {
                said.push(unless_accepted(peer.says("Subject: x\r\n\r\nx\r\n.")));
            }
        }
        peer.says("QUIT");
        said
    }

    /// What it logged of decisions, when there are at least `count`.
    pub(crate) fn log(&self, count: usize) -> Vec<String> {
        let decisions = || -> Vec<String> {
            self.postfix.log().lines().filter_map(decision).map(str::to_owned).collect()
        };
        let enough = || Some(decisions()).filter(|lines| lines.len() >= count);
        wait::within(wait::PATIENCE, enough).unwrap_or_else(decisions)
    }
}

/// `kind: COMMAND from name[address]: text; ...`
fn decision(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("postfix/smtpd[")?;
    let (_, rest) = rest.split_once("]: ")?;
    let (_, decision) = rest.split_once(": ")?;
    let (kind, rest) = decision.split_once(": ")?;
    let is_decision = KINDS.contains(&kind) && rest.contains(" from ");
    is_decision.then_some(decision)
}

fn service(address: SocketAddr, lists: &Lists, tables: &Path) -> String {
    let Lists { client, helo, sender, relay, recipient, data, end_of_data, delay } = lists;
    let parameters = [
        ("client", client),
        ("helo", helo),
        ("sender", sender),
        ("relay", relay),
        ("recipient", recipient),
        ("data", data),
        ("end_of_data", end_of_data),
    ];
    let options: String = parameters
        .iter()
        .map(|(list, text)| {
            format!(" -o {{ smtpd_{list}_restrictions = {} }}", with_tables(text, tables))
        })
        .collect();
    let delay = if *delay { "yes" } else { "no" };
    format!("{address} inet n - n - 1 smtpd -o smtpd_delay_reject={delay}{options}")
}

/// `%name` as a table of the directory.
pub(crate) fn with_tables(list: &str, directory: &Path) -> String {
    list.replace('%', &format!("texthash:{}/", directory.display()))
}

fn unless_accepted(reply: String) -> String {
    if reply.starts_with(['2', '3']) { PERMIT.to_owned() } else { reply }
}

struct Peer(BufReader<TcpStream>);

impl Peer {
    fn connect(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(wait::PATIENCE)).unwrap();
        let mut peer = Self(BufReader::new(socket));
        assert!(peer.hears().starts_with("220"));
        peer
    }

    fn says(&mut self, command: &str) -> String {
        self.0.get_mut().write_all(format!("{command}\r\n").as_bytes()).unwrap();
        self.hears()
    }

    /// The last line of a reply.
    fn hears(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the connection was closed");
            if line.as_bytes().get(3) != Some(&b'-') {
                return line.trim_end().to_owned();
            }
        }
    }
}

pub(crate) const PERMIT: &str = "permit";

const KINDS: [&str; 9] =
    ["reject", "reject_warning", "filter", "hold", "discard", "redirect", "bcc", "info", "warn"];

const PARAMETERS: &[(&str, &str)] = &[
    ("mydestination", "here.example"),
    ("relay_domains", "b.example relay.example"),
    ("local_recipient_maps", "pcre:{{!/^nobody(@|$$)/ x}}"),
    ("relay_recipient_maps", "pcre:{{!/^nobody@/ x}}"),
    ("mynetworks", "198.51.100.0/24"),
    ("recipient_delimiter", "+"),
    ("default_transport", "discard"),
    ("relay_transport", "discard"),
    ("local_transport", "discard"),
    ("smtpd_authorized_xclient_hosts", "127.0.0.1"),
    ("smtpd_peername_lookup", "no"),
    ("smtpd_error_sleep_time", "0"),
    ("smtpd_hard_error_limit", "1000"),
    ("smtpd_client_connection_count_limit", "0"),
    ("smtpd_helo_required", "no"),
    ("inet_protocols", "all"),
];
