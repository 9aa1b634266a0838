//! Where a mail server asks us as a milter (`[[milter_server]]`): the rules of a listener judge mail that stays there.
//!
//! The protocol, and its words as those of an SMTP client, are [`mailweir_external::milter`]'s; who judges is a session
//! of the listener without a connection ([`Rehearsal::elsewhere`](crate::ingress::Rehearsal::elsewhere)); the sockets are
//! [`crate::asked`]'s.

mod connection;
mod verdict;

use std::sync::Arc;

use arc_swap::ArcSwap;
use futures_util::{FutureExt as _, future::BoxFuture};
use mailweir_mail::SessionEvent;
use tokio_util::sync::CancellationToken;

use crate::{
    asked::{Answerer, Stream},
    config::{self, AskedAt},
    ingress::Listener,
    observe::Observer,
};

/// A `[[milter_server]]` at work.
pub(crate) struct MilterServer {
    /// What is configured.
    rules: config::MilterServer,
    /// Whose rules are asked.
    listener: Arc<Listener>,
    /// Where events go.
    observer: Observer,
}

impl MilterServer {
    /// A server that asks the rules of `listener`.
    pub(crate) const fn new(
        rules: config::MilterServer,
        listener: Arc<Listener>,
        observer: Observer,
    ) -> Self {
        Self { rules, listener, observer }
    }
}

impl Answerer for MilterServer {
    const NAME: &'static str = "milter server";

    fn at(&self) -> &AskedAt {
        &self.rules.at
    }

    fn warn(&self, text: &str) {
        self.observer.session(&SessionEvent::Warning { part: "milter", text: text.into() });
    }

    fn serve(
        stream: Stream,
        peer: String,
        current: Arc<ArcSwap<Self>>,
        close: CancellationToken,
    ) -> BoxFuture<'static, ()> {
        connection::serve(stream, peer, current, close).boxed()
    }
}
