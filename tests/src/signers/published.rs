//! Where public keys are found: as texts by name, or at a name server.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
};

use mailweir_spam::dns::{Answer, Dns};

use super::PrivateKey;

/// Where public keys are found.
#[derive(Clone)]
pub enum Published {
    /// The records that we print, by name.
    Texts(Vec<(Box<str>, Box<str>)>),
    /// A name server. Only other programs ask it.
    Server(SocketAddr),
}

impl Published {
    /// The records of these keys, as texts.
    #[must_use]
    pub fn of(keys: &[PrivateKey]) -> Self {
        let records = keys.iter().map(PrivateKey::record);
        Self::Texts(records.map(|record| (record.name, record.text)).collect())
    }

    /// A file of lines, each a name and a text. It is empty if there is a server.
    pub(super) fn write(&self, file: &Path) {
        let line = |(name, text): &(Box<str>, Box<str>)| format!("{name} {text}\n");
        let lines: String = match self {
            Self::Texts(texts) => texts.iter().map(line).collect(),
            Self::Server(_) => String::new(),
        };
        fs::write(file, lines).unwrap();
    }
}

impl Dns for Published {
    async fn txt(&self, name: &str) -> Answer<Box<str>> {
        let Self::Texts(texts) = self else { return Answer::Unclear };
        let found = texts.iter().filter(|(known, _)| **known == *name);
        let found: Vec<Box<str>> = found.map(|(_, text)| text.clone()).collect();
        if found.is_empty() { Answer::NoSuchName } else { Answer::Found(found) }
    }

    async fn a(&self, _: &str) -> Answer<Ipv4Addr> {
        Answer::Unclear
    }

    async fn aaaa(&self, _: &str) -> Answer<Ipv6Addr> {
        Answer::Unclear
    }

    async fn mx(&self, _: &str) -> Answer<Box<str>> {
        Answer::Unclear
    }

    async fn ptr(&self, _: IpAddr) -> Answer<Box<str>> {
        Answer::Unclear
    }
}
