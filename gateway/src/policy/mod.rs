//! Where a Postfix in front asks which mail needs an approval (`[[policy_server]]`).
//!
//! The protocol is [`mailweir_policy`]'s, what the rules say [`crate::ingress::foresight`]'s, and the sockets are
//! [`crate::asked`]'s.

mod answer;
mod connection;
mod notes;

use std::sync::Arc;

use arc_swap::ArcSwap;
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio_util::sync::CancellationToken;

pub(crate) use self::{answer::PolicyServer, notes::Notes};
use crate::{
    asked::{Answerer, Stream},
    config::{self, AskedAt},
    ingress::Listener,
    observe::Observer,
};

impl PolicyServer {
    /// A server that asks the rules of `listener`.
    pub(crate) const fn new(
        rules: config::PolicyServer,
        listener: Arc<Listener>,
        notes: Arc<Notes>,
        observer: Observer,
    ) -> Self {
        Self { rules, listener, notes, observer }
    }
}

impl Answerer for PolicyServer {
    const NAME: &'static str = "policy server";

    fn at(&self) -> &AskedAt {
        &self.rules.at
    }

    fn warn(&self, text: &str) {
        connection::warn(self, text);
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
