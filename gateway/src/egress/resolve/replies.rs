//! What is said when no next hop is found: Postfix's words and enhanced status codes.
//!
//! Postfix's SMTP client has no reply code for what it finds out itself; ours are chosen so that
//! the class agrees with the enhanced code. They end up in the log and in delivery reports.

use std::net::IpAddr;

use mailweir_mail::{Domain, Enhanced, Reply};

use super::{NextHops, Trouble};

/// The domain takes no mail at all (RFC 7505 section 4.2).
pub(super) fn null_mx(domain: &Domain) -> NextHops {
    fail(556, Enhanced(5, 1, 10), format!("Domain {domain} does not accept mail (nullMX)"))
}

/// A definite "does not exist".
pub(super) fn not_found(name: &Domain, kind: &str) -> NextHops {
    fail(550, Enhanced(5, 4, 4), service_error(name, kind, "Host not found"))
}

/// The name exists, but leads nowhere.
pub(super) fn no_data(name: &Domain, kind: &str) -> NextHops {
    let words = "Host found but no data record of requested type";
    fail(550, Enhanced(5, 4, 4), service_error(name, kind, words))
}

/// The MX records name no hosts.
pub(super) fn malformed(domain: &Domain, example: &str) -> NextHops {
    let words = format!("Malformed or unexpected name server reply: {example}");
    fail(550, Enhanced(5, 4, 4), service_error(domain, "MX", &words))
}

/// All addresses lie where mail must not go.
pub(super) fn out_of_reach(domain: &Domain, example: IpAddr) -> NextHops {
    let text =
        format!("no mail exchanger for {domain} has an address that mail may go to: [{example}]");
    fail(550, Enhanced(5, 4, 4), text)
}

/// We are the best mail exchanger, but were not told that the domain is ours.
pub(super) fn loops_back(domain: &Domain) -> NextHops {
    fail(554, Enhanced(5, 4, 6), format!("mail for {domain} loops back to myself"))
}

/// We are a backup, and no better host can be found now.
pub(super) fn no_primary(domain: &Domain) -> NextHops {
    defer(Enhanced(4, 4, 4), format!("unable to find primary relay for {domain}"))
}

/// Trouble with name service: try again.
pub(super) fn try_again(name: &Domain, kind: &str, trouble: &Trouble) -> NextHops {
    let words = format!("Host not found, try again: {trouble}");
    defer(Enhanced(4, 4, 3), service_error(name, kind, &words))
}

fn service_error(name: &Domain, kind: &str, words: &str) -> String {
    let name = name.as_ascii();
    format!(
        "Host or domain name not found. Name service error for name={name} type={kind}: {words}"
    )
}

fn fail(code: u16, enhanced: Enhanced, text: String) -> NextHops {
    NextHops::Fail { reply: Reply::with_text(code, enhanced, text) }
}

fn defer(enhanced: Enhanced, text: String) -> NextHops {
    NextHops::Defer { reply: Reply::with_text(451, enhanced, text) }
}
