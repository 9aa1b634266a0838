//! What the tests of this module share.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use mailweir_mail::Address;
use mailweir_tables::{LookupError, RemoteMap};

use super::seam::{RemoteAnswer, RemoteMaps};

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
