//! What name servers say about a mail while its client waits for the reply.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use mailweir_mail::Domain;
use mailweir_spam::dns::{Answer, Dns};
use tokio::time::{Instant, timeout_at};

use crate::egress::resolve::{self, Exchange, Lookup, Resolver};

/// The name servers, until a time: behind it every answer is unclear.
pub(crate) struct Names<'r> {
    resolver: &'r dyn Resolver,
    until: Instant,
}

impl<'r> Names<'r> {
    pub(crate) const fn new(resolver: &'r dyn Resolver, until: Instant) -> Self {
        Self { resolver, until }
    }

    /// For the keys of signatures, where nothing else says how long its client may wait.
    pub(crate) fn for_keys(resolver: &'r dyn Resolver) -> Self {
        Self::new(resolver, Instant::now() + KEY_TIME)
    }

    async fn answer<T>(&self, look_up: Lookup<'_, T>) -> Answer<T> {
        match timeout_at(self.until, look_up).await {
            Ok(resolve::Answer::Found(records)) => Answer::Found(records),
            Ok(resolve::Answer::NoSuchDomain) => Answer::NoSuchName,
            Ok(resolve::Answer::NoRecords) => Answer::NoRecords,
            Ok(resolve::Answer::Temporary(_)) | Err(_) => Answer::Unclear,
        }
    }
}

impl Dns for Names<'_> {
    async fn txt(&self, name: &str) -> Answer<Box<str>> {
        match Domain::in_dns(name) {
            Ok(name) => self.answer(self.resolver.txt(&name)).await,
            Err(_) => Answer::NoSuchName,
        }
    }

    async fn a(&self, name: &str) -> Answer<Ipv4Addr> {
        match Domain::in_dns(name) {
            Ok(name) => self.answer(self.resolver.a(&name)).await,
            Err(_) => Answer::NoSuchName,
        }
    }

    async fn aaaa(&self, name: &str) -> Answer<Ipv6Addr> {
        match Domain::in_dns(name) {
            Ok(name) => self.answer(self.resolver.aaaa(&name)).await,
            Err(_) => Answer::NoSuchName,
        }
    }

    async fn mx(&self, name: &str) -> Answer<Box<str>> {
        let Ok(name) = Domain::in_dns(name) else { return Answer::NoSuchName };
        map(self.answer(self.resolver.mx(&name)).await, |mut exchangers| {
            exchangers.sort_by_key(|mx| mx.preference);
            exchangers.into_iter().map(|mx| host(mx.exchange)).collect()
        })
    }

    async fn ptr(&self, address: IpAddr) -> Answer<Box<str>> {
        map(self.answer(self.resolver.ptr(address)).await, |names| {
            names.iter().map(|name| name.as_ascii().into()).collect()
        })
    }
}

fn host(exchange: Exchange) -> Box<str> {
    match exchange {
        Exchange::Host(name) => name.as_ascii().into(),
        Exchange::Null => Box::default(),
        Exchange::Malformed(name) => name,
    }
}

fn map<T, U>(answer: Answer<T>, change: impl FnOnce(Vec<T>) -> Vec<U>) -> Answer<U> {
    match answer {
        Answer::Found(records) => Answer::Found(change(records)),
        Answer::NoSuchName => Answer::NoSuchName,
        Answer::NoRecords => Answer::NoRecords,
        Answer::Unclear => Answer::Unclear,
        Answer::NotAsked => Answer::NotAsked,
    }
}

/// In which all keys must be found. The peer waits for it.
const KEY_TIME: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::resolve::{Mx, Trouble, table::TableResolver};

    fn domain(text: &str) -> Domain {
        text.parse().unwrap()
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[tokio::test]
    async fn g1_only_a_definite_answer_says_that_there_is_nothing() {
        let table = TableResolver::new()
            .txt(domain("one.example"), "v=spf1 -all")
            .trouble(domain("broken.example"), Trouble::ServerFailure);
        let names = Names::new(&table, soon());
        assert_eq!(names.txt("one.example").await, Answer::Found(vec!["v=spf1 -all".into()]));
        assert_eq!(names.a("one.example").await, Answer::NoRecords);
        assert_eq!(names.txt("none.example").await, Answer::NoSuchName);
        assert_eq!(names.txt("broken.example").await, Answer::Unclear);
        assert_eq!(names.aaaa("broken.example").await, Answer::Unclear);
    }

    #[tokio::test]
    async fn exchangers_come_in_the_order_of_their_preference() {
        let mx = |preference, exchange| Mx { preference, exchange };
        let table = TableResolver::new()
            .mx(domain("one.example"), mx(20, Exchange::Host(domain("B.example"))))
            .mx(domain("one.example"), mx(10, Exchange::Host(domain("a.example"))))
            .mx(domain("never.example"), mx(0, Exchange::Null));
        let names = Names::new(&table, soon());
        let found = Answer::Found(vec!["a.example".into(), "b.example".into()]);
        assert_eq!(names.mx("one.example").await, found);
        assert_eq!(names.mx("never.example").await, Answer::Found(vec!["".into()]));
    }

    #[tokio::test]
    async fn g6_names_that_no_host_has_are_asked_for_and_such_that_nobody_has_are_not() {
        let local_part = "Ann+tag=x._spf.example";
        let table = TableResolver::new()
            .ptr("192.0.2.1".parse().unwrap(), domain("Host.example"))
            .address(Domain::in_dns(local_part).unwrap(), Ipv4Addr::LOCALHOST.into());
        let names = Names::new(&table, soon());
        assert_eq!(names.a(local_part).await, Answer::Found(vec![Ipv4Addr::LOCALHOST]));
        assert_eq!(names.txt("-.example").await, Answer::NoSuchName);
        assert_eq!(names.a("\u{1}.example").await, Answer::NoSuchName);
        let found = Answer::Found(vec!["host.example".into()]);
        assert_eq!(names.ptr("192.0.2.1".parse().unwrap()).await, found);
    }

    /// Answers nothing.
    struct Silent;

    impl Resolver for Silent {
        fn mx<'a>(&'a self, _: &'a Domain) -> Lookup<'a, Mx> {
            Box::pin(std::future::pending())
        }

        fn a<'a>(&'a self, _: &'a Domain) -> Lookup<'a, Ipv4Addr> {
            Box::pin(std::future::pending())
        }

        fn aaaa<'a>(&'a self, _: &'a Domain) -> Lookup<'a, Ipv6Addr> {
            Box::pin(std::future::pending())
        }

        fn ns<'a>(&'a self, _: &'a Domain) -> Lookup<'a, Domain> {
            Box::pin(std::future::pending())
        }

        fn txt<'a>(&'a self, _: &'a Domain) -> Lookup<'a, Box<str>> {
            Box::pin(std::future::pending())
        }

        fn ptr(&self, _: IpAddr) -> Lookup<'_, Domain> {
            Box::pin(std::future::pending())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn g4_name_servers_that_are_silent_cost_a_mail_its_time_once() {
        let names = Names::new(&Silent, soon());
        let begun = Instant::now();
        assert_eq!(names.txt("one.example").await, Answer::Unclear);
        assert_eq!(names.mx("two.example").await, Answer::Unclear);
        assert_eq!(names.ptr("192.0.2.1".parse().unwrap()).await, Answer::Unclear);
        assert_eq!(begun.elapsed(), Duration::from_secs(60));
    }
}
