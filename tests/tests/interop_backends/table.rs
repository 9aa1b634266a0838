//! Which mechanism works with which back end, who shows it, and why not where it does not.
//!
//! The tests of [`crate::backends`] go by this table, and a gateway must offer what it says and
//! nothing else. `MAILWEIR_TABLE=1` prints it for the manual.

use std::{collections::BTreeSet, fmt::Write as _};

use crate::clients::Client;

/// A back end, in one of its ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Column {
    Users,
    PasswdFile,
    Saslauthd,
    Dovecot,
    LdapBind,
    LdapRead,
    PostgreSql,
    MariaDb,
    OAuth,
    Certificate,
}

/// What holds for each of these mechanisms with each of these back ends.
struct Entry {
    mechanisms: &'static [&'static str],
    columns: &'static [Column],
    cell: Cell,
}

#[derive(Clone, Copy)]
enum Cell {
    /// These log in, and are refused when they are wrong.
    By(&'static [Client]),
    /// It cannot be, or is not served; this is why.
    Not(&'static str),
}

/// The mechanisms that a gateway with this back end offers to a client that has shown a
/// certificate, in the order of EHLO.
pub(crate) fn offered(column: Column) -> Vec<&'static str> {
    // CRAM-MD5 is for those alone who are told to use it.
    let served = |mechanism: &&str| {
        *mechanism != "CRAM-MD5" && matches!(cell(mechanism, column), Cell::By(_))
    };
    MECHANISMS.into_iter().filter(served).collect()
}

/// Who logs in by what, with this back end.
pub(crate) fn proofs(column: Column) -> Vec<(&'static str, Client)> {
    let clients = |mechanism| match cell(mechanism, column) {
        Cell::By(clients) => clients,
        Cell::Not(_) => &[],
    };
    let each = |mechanism| clients(mechanism).iter().map(move |&client| (mechanism, client));
    MECHANISMS.into_iter().flat_map(each).collect()
}

#[test]
fn every_mechanism_and_back_end_has_one_cell() {
    for mechanism in MECHANISMS {
        for column in Column::ALL {
            let entries = TABLE.iter().filter(|entry| entry.is_about(mechanism, column)).count();
            assert_eq!(entries, 1, "{mechanism} with {column:?}");
        }
    }
    for entry in TABLE {
        assert!(entry.mechanisms.iter().all(|name| MECHANISMS.contains(name)));
    }
    if std::env::var_os("MAILWEIR_TABLE").is_some() {
        println!("{}", markdown());
    }
}

fn cell(mechanism: &str, column: Column) -> Cell {
    let entry = TABLE.iter().find(|entry| entry.is_about(mechanism, column));
    entry.unwrap_or_else(|| panic!("{mechanism} with {column:?} is not in the table")).cell
}

fn markdown() -> String {
    let reasons: BTreeSet<&str> = TABLE.iter().filter_map(Entry::reason).collect();
    let note = |reason| reasons.iter().position(|known| *known == reason).unwrap() + 1;
    let mut text = String::from("| |");
    for column in Column::ALL {
        write!(text, " {} |", column.heading()).unwrap();
    }
    text += &format!("\n|---|{}\n", "---|".repeat(Column::ALL.len()));
    for mechanism in MECHANISMS {
        write!(text, "| {mechanism} |").unwrap();
        for column in Column::ALL {
            match cell(mechanism, column) {
                Cell::By(clients) => {
                    let names: Vec<&str> = clients.iter().map(|client| client.name()).collect();
                    write!(text, " {} |", names.join(", ")).unwrap();
                }
                Cell::Not(reason) => write!(text, " no ({}) |", note(reason)).unwrap(),
            }
        }
        text.push('\n');
    }
    text.push('\n');
    for reason in &reasons {
        writeln!(text, "{}. {reason}", note(reason)).unwrap();
    }
    text
}

impl Entry {
    fn is_about(&self, mechanism: &str, column: Column) -> bool {
        self.mechanisms.contains(&mechanism) && self.columns.contains(&column)
    }

    const fn reason(&self) -> Option<&'static str> {
        match self.cell {
            Cell::By(_) => None,
            Cell::Not(reason) => Some(reason),
        }
    }
}

impl Column {
    const ALL: [Self; 10] = [
        Self::Users,
        Self::PasswdFile,
        Self::Saslauthd,
        Self::Dovecot,
        Self::LdapBind,
        Self::LdapRead,
        Self::PostgreSql,
        Self::MariaDb,
        Self::OAuth,
        Self::Certificate,
    ];

    const fn heading(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::PasswdFile => "passwd-file",
            Self::Saslauthd => "saslauthd",
            Self::Dovecot => "dovecot",
            Self::LdapBind => "ldap (bind)",
            Self::LdapRead => "ldap (read)",
            Self::PostgreSql => "sql (PostgreSQL)",
            Self::MariaDb => "sql (MariaDB)",
            Self::OAuth => "oauth",
            Self::Certificate => "certificate",
        }
    }
}

/// In the order of EHLO.
const MECHANISMS: [&str; 12] = [
    "EXTERNAL",
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-512-PLUS",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-512",
    "SCRAM-SHA-1",
    "OAUTHBEARER",
    "XOAUTH2",
    "CRAM-MD5",
    "PLAIN",
    "LOGIN",
];

const TABLE: &[Entry] = &[
    Entry {
        mechanisms: &["PLAIN"],
        columns: PASSWORDS,
        cell: Cell::By(&[Client::Swaks, Client::Curl]),
    },
    Entry {
        mechanisms: &["LOGIN"],
        columns: PASSWORDS,
        cell: Cell::By(&[Client::Msmtp, Client::Python]),
    },
    Entry {
        mechanisms: &["SCRAM-SHA-256", "SCRAM-SHA-1"],
        columns: KEYS,
        cell: Cell::By(&[Client::Gsasl, Client::Msmtp]),
    },
    Entry { mechanisms: &["SCRAM-SHA-512"], columns: KEYS, cell: Cell::By(&[Client::Postfix]) },
    Entry {
        mechanisms: &["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"],
        columns: KEYS,
        cell: Cell::By(&[Client::Gsasl]),
    },
    Entry {
        mechanisms: &["SCRAM-SHA-512-PLUS"],
        columns: KEYS,
        cell: Cell::By(&[Client::OpenSsl]),
    },
    Entry {
        mechanisms: &["SCRAM-SHA-256", "SCRAM-SHA-1"],
        columns: &[Column::Dovecot],
        cell: Cell::By(&[Client::Gsasl, Client::Msmtp]),
    },
    Entry {
        mechanisms: &["SCRAM-SHA-512"],
        columns: &[Column::Dovecot],
        cell: Cell::Not("Dovecot conducts these log-ins, and has SHA-256 and SHA-1 alone"),
    },
    Entry {
        mechanisms: &["SCRAM-SHA-256-PLUS", "SCRAM-SHA-512-PLUS", "SCRAM-SHA-1-PLUS"],
        columns: &[Column::Dovecot],
        cell: Cell::Not("Dovecot conducts these log-ins, and cannot bind to our TLS connection"),
    },
    Entry {
        mechanisms: SCRAM,
        columns: &[Column::Saslauthd],
        cell: Cell::Not("saslauthd takes passwords only"),
    },
    Entry {
        mechanisms: SCRAM,
        columns: &[Column::LdapBind],
        cell: Cell::Not("a bind takes a password; password_check = \"read\" serves SCRAM"),
    },
    Entry {
        mechanisms: &["EXTERNAL"],
        columns: &[Column::Users, Column::Certificate],
        cell: Cell::By(&[Client::Gsasl, Client::Msmtp]),
    },
    Entry {
        mechanisms: &["EXTERNAL"],
        columns: &[
            Column::PasswdFile,
            Column::Saslauthd,
            Column::Dovecot,
            Column::LdapBind,
            Column::LdapRead,
            Column::PostgreSql,
            Column::MariaDb,
            Column::OAuth,
        ],
        cell: Cell::Not("it does not vouch for certificates; add the back end \"certificate\""),
    },
    Entry {
        mechanisms: TOKENS,
        columns: &[Column::OAuth],
        cell: Cell::By(&[Client::Curl, Client::Msmtp]),
    },
    Entry {
        mechanisms: TOKENS,
        columns: PASSWORDS,
        cell: Cell::Not("access tokens are for the back end \"oauth\""),
    },
    Entry {
        mechanisms: &["CRAM-MD5"],
        columns: KEYS,
        cell: Cell::By(&[Client::Swaks, Client::Msmtp, Client::Python]),
    },
    Entry {
        mechanisms: &["CRAM-MD5"],
        columns: &[Column::Dovecot],
        cell: Cell::Not("the challenge comes before anybody knows whom to ask for it"),
    },
    Entry {
        mechanisms: &["CRAM-MD5"],
        columns: &[Column::Saslauthd],
        cell: Cell::Not("saslauthd takes passwords only"),
    },
    Entry {
        mechanisms: &["CRAM-MD5"],
        columns: &[Column::LdapBind],
        cell: Cell::Not("a bind takes a password; password_check = \"read\" serves CRAM-MD5 too"),
    },
    Entry {
        mechanisms: BY_PASSWORD,
        columns: &[Column::OAuth],
        cell: Cell::Not("the back end \"oauth\" has tokens, no passwords"),
    },
    Entry {
        mechanisms: BY_PASSWORD,
        columns: &[Column::Certificate],
        cell: Cell::Not("the back end \"certificate\" has no passwords and no tokens"),
    },
    Entry {
        mechanisms: TOKENS,
        columns: &[Column::Certificate],
        cell: Cell::Not("the back end \"certificate\" has no passwords and no tokens"),
    },
];

/// Back ends that check passwords.
const PASSWORDS: &[Column] = &[
    Column::Users,
    Column::PasswdFile,
    Column::Saslauthd,
    Column::Dovecot,
    Column::LdapBind,
    Column::LdapRead,
    Column::PostgreSql,
    Column::MariaDb,
];

/// Those of them that give us what SCRAM and CRAM-MD5 need.
const KEYS: &[Column] =
    &[Column::Users, Column::PasswdFile, Column::LdapRead, Column::PostgreSql, Column::MariaDb];

const SCRAM: &[&str] = &[
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-512-PLUS",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-512",
    "SCRAM-SHA-1",
];

const TOKENS: &[&str] = &["OAUTHBEARER", "XOAUTH2"];

const BY_PASSWORD: &[&str] = &[
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-512-PLUS",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-512",
    "SCRAM-SHA-1",
    "CRAM-MD5",
    "PLAIN",
    "LOGIN",
];
