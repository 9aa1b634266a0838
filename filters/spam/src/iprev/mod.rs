//! Whether the name of a client leads back to its address: iprev (RFC 8601 section 3), and what the name says of it.
//!
//! Whoever owns an address can give it any name; only the owner of the name can lead the name back. A name that does is
//! proven, and says nothing good yet: [`Look`] tells those that providers give out by the thousand.

mod look;

use std::net::IpAddr;

pub use look::Look;

use crate::{
    dns::{Answer, Dns, is_name},
    results::{Method, MethodName, PropertyName, ResultName},
};

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Iprev {
    /// This name leads back to the address; the first that does, in lower case, without a dot at the end.
    Pass(Box<str>),
    /// There are names, and none of them leads back.
    Fail,
    /// A name server does not tell.
    TempError,
    /// The address has no name (RFC 8601 section 2.7.3).
    PermError,
}

impl Iprev {
    /// Asks for the names of an address and for the addresses of the first [`MOST_NAMES`] of them.
    pub async fn check(client: IpAddr, dns: &impl Dns) -> Self {
        let client = client.to_canonical();
        let names = match dns.ptr(client).await {
            Answer::Unclear | Answer::NotAsked => return Self::TempError,
            Answer::NoSuchName | Answer::NoRecords => return Self::PermError,
            Answer::Found(names) => names,
        };
        let mut otherwise = Self::Fail;
        for name in names.iter().take(MOST_NAMES) {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            match leads_to(&name, client, dns).await {
                Leads::Back => return Self::Pass(name.into()),
                Leads::Elsewhere => {}
                Leads::Unclear => otherwise = Self::TempError,
            }
        }
        otherwise
    }

    /// The name, if it is proven.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Pass(name) => Some(name),
            Self::Fail | Self::TempError | Self::PermError => None,
        }
    }

    /// The result in a word.
    #[must_use]
    pub const fn result(&self) -> ResultName {
        match self {
            Self::Pass(_) => ResultName::Pass,
            Self::Fail => ResultName::Fail,
            Self::TempError => ResultName::TempError,
            Self::PermError => ResultName::PermError,
        }
    }

    /// The result as it is written into an Authentication-Results field.
    #[must_use]
    pub fn method(&self, client: IpAddr) -> Method {
        let method = Method::new(MethodName::Iprev, self.result());
        let method = match self.name() {
            Some(name) => method.comment(name),
            None => method,
        };
        method.property(PropertyName::PolicyIprev, &client.to_canonical().to_string())
    }
}

enum Leads {
    Back,
    Elsewhere,
    Unclear,
}

async fn leads_to(name: &str, client: IpAddr, dns: &impl Dns) -> Leads {
    if !is_name(name) {
        return Leads::Elsewhere;
    }
    match client {
        IpAddr::V4(client) => among(&client, &dns.a(name).await),
        IpAddr::V6(client) => among(&client, &dns.aaaa(name).await),
    }
}

fn among<T: PartialEq>(client: &T, answer: &Answer<T>) -> Leads {
    match answer {
        Answer::Found(addresses) if addresses.contains(client) => Leads::Back,
        Answer::Found(_) | Answer::NoSuchName | Answer::NoRecords => Leads::Elsewhere,
        Answer::Unclear | Answer::NotAsked => Leads::Unclear,
    }
}

/// As many names of an address are asked for, as RFC 8601 section 3 and RFC 7208 section 4.6.4 have it.
pub const MOST_NAMES: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dns::{
            Budget,
            table::{Table, at_once},
        },
        results::{AuthservId, Results},
    };

    fn check(client: &str, table: &Table) -> Iprev {
        at_once(Iprev::check(client.parse().unwrap(), table))
    }

    #[test]
    fn a_name_passes_only_if_it_leads_back() {
        let table = Table::default()
            .ptr("192.0.2.1", &["mx.other.example", "MX.own.example."])
            .a("mx.other.example", &["192.0.2.9"])
            .a("mx.own.example", &["192.0.2.8", "192.0.2.1"])
            .ptr("192.0.2.2", &["mx.own.example"])
            .ptr("192.0.2.3", &["nowhere.example"])
            .ptr("2001:db8::1", &["six.example"])
            .aaaa("six.example", &["2001:db8::1"]);
        assert_eq!(check("192.0.2.1", &table), Iprev::Pass("mx.own.example".into()));
        assert_eq!(check("::ffff:192.0.2.1", &table), Iprev::Pass("mx.own.example".into()));
        assert_eq!(check("2001:db8::1", &table), Iprev::Pass("six.example".into()));
        assert_eq!(check("192.0.2.2", &table), Iprev::Fail);
        assert_eq!(check("192.0.2.3", &table), Iprev::Fail);
        assert_eq!(check("192.0.2.4", &table), Iprev::PermError);
    }

    #[test]
    fn f8_a_name_server_that_does_not_tell_is_a_temporary_error_unless_another_name_leads_back() {
        let table = Table::default()
            .ptr("192.0.2.1", &["unclear.example", "mx.own.example"])
            .unclear_a("unclear.example")
            .a("mx.own.example", &["192.0.2.1"])
            .ptr("192.0.2.2", &["unclear.example", "mx.own.example"]);
        assert_eq!(check("192.0.2.1", &table), Iprev::Pass("mx.own.example".into()));
        assert_eq!(check("192.0.2.2", &table), Iprev::TempError);
        let silent = Budget::new(&table, 0);
        assert_eq!(at_once(Iprev::check("192.0.2.1".parse().unwrap(), &silent)), Iprev::TempError);
    }

    #[test]
    fn f5_a_name_cannot_forge_another_result() {
        let forged = Iprev::Pass("x);dmarc=pass(header.from=bank.example".into());
        let mut results = Results::new(AuthservId::parse("mx.own.example").unwrap());
        results.add(forged.method("192.0.2.1".parse().unwrap()));
        let expected = "Authentication-Results: mx.own.example;\r\n\tiprev=pass \
                        (x??dmarc?pass?header.from?bank.example)\r\n\tpolicy.iprev=192.0.2.1\r\n";
        assert_eq!(results.field(), expected);
    }

    #[test]
    fn g4_of_a_thousand_names_ten_are_asked_for() {
        let names: Vec<_> = (0..1_000).map(|i| format!("n{i}.example")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let table = Table::default().ptr("192.0.2.1", &names).a("n10.example", &["192.0.2.1"]);
        assert_eq!(check("192.0.2.1", &table), Iprev::Fail);
        assert_eq!(table.asked(), 11);
    }

    #[test]
    fn g6_names_out_of_form_are_not_asked_for() {
        let long = "a".repeat(300);
        let table = Table::default()
            .ptr("192.0.2.1", &["", "a b.example", "b\u{fc}cher.example", "x..example", &long]);
        assert_eq!(check("192.0.2.1", &table), Iprev::Fail);
        assert_eq!(table.asked(), 1);
    }
}
