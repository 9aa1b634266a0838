//! Name servers for tests: a table.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::atomic::{AtomicU32, Ordering},
};

use super::{Answer, Dns};

/// Says what it was told; a name that it knows nothing of does not exist.
#[derive(Debug, Default)]
pub(crate) struct Table {
    txt: BTreeMap<String, Answer<Box<str>>>,
    a: BTreeMap<String, Answer<Ipv4Addr>>,
    aaaa: BTreeMap<String, Answer<Ipv6Addr>>,
    mx: BTreeMap<String, Answer<Box<str>>>,
    ptr: BTreeMap<IpAddr, Answer<Box<str>>>,
    asked: AtomicU32,
}

impl Table {
    pub(crate) fn txt(mut self, name: &str, texts: &[&str]) -> Self {
        let texts = texts.iter().map(|&text| text.into()).collect();
        self.txt.insert(name.to_ascii_lowercase(), Answer::Found(texts));
        self
    }

    pub(crate) fn a(mut self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
        self.a.insert(name.to_ascii_lowercase(), Answer::Found(addresses));
        self
    }

    pub(crate) fn aaaa(mut self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
        self.aaaa.insert(name.to_ascii_lowercase(), Answer::Found(addresses));
        self
    }

    pub(crate) fn mx(mut self, name: &str, hosts: &[&str]) -> Self {
        let hosts = hosts.iter().map(|&host| host.into()).collect();
        self.mx.insert(name.to_ascii_lowercase(), Answer::Found(hosts));
        self
    }

    pub(crate) fn ptr(mut self, address: &str, names: &[&str]) -> Self {
        let names = names.iter().map(|&name| name.into()).collect();
        self.ptr.insert(address.parse().unwrap(), Answer::Found(names));
        self
    }

    /// Nobody knows the texts of this name.
    pub(crate) fn unclear_txt(mut self, name: &str) -> Self {
        self.txt.insert(name.to_ascii_lowercase(), Answer::Unclear);
        self
    }

    /// Nobody knows the IPv4 addresses of this name.
    pub(crate) fn unclear_a(mut self, name: &str) -> Self {
        self.a.insert(name.to_ascii_lowercase(), Answer::Unclear);
        self
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }

    fn answer<T: Clone>(&self, of: &BTreeMap<String, Answer<T>>, name: &str) -> Answer<T> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let name = name.to_ascii_lowercase();
        let below = format!(".{name}");
        let exists = |known: &String| *known == name || known.ends_with(&below);
        let names =
            self.txt.keys().chain(self.a.keys()).chain(self.aaaa.keys()).chain(self.mx.keys());
        match of.get(&name) {
            Some(answer) => answer.clone(),
            None if names.into_iter().any(exists) => Answer::NoRecords,
            None => Answer::NoSuchName,
        }
    }
}

impl Dns for Table {
    async fn txt(&self, name: &str) -> Answer<Box<str>> {
        self.answer(&self.txt, name)
    }

    async fn a(&self, name: &str) -> Answer<Ipv4Addr> {
        self.answer(&self.a, name)
    }

    async fn aaaa(&self, name: &str) -> Answer<Ipv6Addr> {
        self.answer(&self.aaaa, name)
    }

    async fn mx(&self, name: &str) -> Answer<Box<str>> {
        self.answer(&self.mx, name)
    }

    async fn ptr(&self, address: IpAddr) -> Answer<Box<str>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.ptr.get(&address).cloned().unwrap_or(Answer::NoSuchName)
    }
}

/// What a future comes to that never waits.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("a table answers at once"),
    }
}
