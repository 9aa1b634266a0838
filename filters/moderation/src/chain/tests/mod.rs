//! The scenes that people ask for, one by one; each rule of the walk; and hostile mails.

mod forgery;
mod hostile;
mod rules;
mod scenes;

use std::net::IpAddr;

use super::*;

/// The organisation of the scenes: 192.0.2.1 and .2 send, .3 and .4 relay.
const OURS: &[&str] = &["127.0.0.1", "::1", r"^192\.0\.2\.[1-4]$", "2001:db8:0:1::/64"];

/// Walks down a header whose lines end with LF.
fn walked(peer: &str, header: &str, options: &WalkOptions) -> Walk {
    let hosts = TrustedHosts::parse(OURS.iter().copied()).unwrap();
    let headers = ReceivedHeaders::of(header.as_bytes());
    walk(ip(peer), &headers, &hosts, options)
}

/// The same by default, without the explanation: `trusted`, or `untrusted at 2`.
fn verdict(peer: &str, header: &str) -> String {
    verdict_with(peer, header, WalkOptions::default())
}

fn verdict_with(peer: &str, header: &str, options: WalkOptions) -> String {
    match walked(peer, header, &options).verdict() {
        Verdict::Trusted => "trusted".to_owned(),
        Verdict::Untrusted { hop, .. } => format!("untrusted at {hop}"),
    }
}

/// As Postfix writes it.
fn from(address: &str) -> String {
    format!(
        "Received: from host.example.org (host.example.org [{address}])\n\
         \tby mx.example.org (Postfix) with ESMTPS id 4FqPZz1\n\
         \tfor <list@example.org>; Sat, 21 Nov 2026 10:00:00 +0900 (JST)\n"
    )
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}
