//! What the tests of this module share.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use mailweir_mail::Address;
use mailweir_tables::{LookupError, Matching, RemoteMap, Spec, Table};

use super::Maps;
use crate::{RemoteAnswer, RemoteMaps};

/// No other server can be asked.
pub(super) struct NoRemote;

impl RemoteMaps for NoRemote {
    fn ask<'a>(&'a self, _: &'a RemoteMap, _: &'a [u8]) -> RemoteAnswer<'a> {
        let error = LookupError::Remote { table: "remote".into(), reason: "there is none".into() };
        Box::pin(std::future::ready(Err(error)))
    }
}

/// What comes of a future that waits for nothing.
pub(super) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the tables of the tests are in memory"),
    }
}

pub(super) fn address(text: &str) -> Address {
    Address::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A table of a test, such as `inline:{a@x=b@y}`; `lines` is the text of any file it names.
pub(super) fn table_of(spec: &str, lines: &str) -> Arc<Table> {
    let spec = Spec::parse(spec).unwrap();
    let mut read = |_: &std::path::Path| Ok(lines.as_bytes().to_vec());
    Arc::new(Table::load(&spec, Matching::Bytes, &mut read).unwrap().table)
}

pub(super) fn table(spec: &str) -> Arc<Table> {
    table_of(spec, "")
}

/// The map of an indexed file with these lines.
pub(super) fn map(lines: &str) -> Maps {
    Maps::from(vec![table_of("hash:/etc/postfix/map", lines)])
}
