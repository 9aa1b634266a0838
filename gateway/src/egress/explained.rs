//! Where the recipients of a mail would go, and which rule or route says so.

use mailweir_mail::{Address, Envelope, Recipient};

use super::{
    Egress,
    by_tables::{self, Chosen},
    destination::{NextHop, Protocol},
    dispatch::{Goal, goal, unless_dropped},
    replies,
    transport::End,
};
use crate::rewriting::ByTable;

/// Where a recipient's mail goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Explained {
    /// `smtp to [192.0.2.1]:25`, or the end that it comes to.
    pub(crate) way: String,
    /// What says so.
    pub(crate) because: String,
}

impl Egress {
    /// The ways of all recipients, in their order.
    pub(crate) async fn explain(&self, envelope: &Envelope) -> Vec<Explained> {
        let mut ways = Vec::with_capacity(envelope.recipients.len());
        for recipient in &envelope.recipients {
            ways.push(self.explain_one(envelope, recipient).await);
        }
        ways
    }

    async fn explain_one(&self, envelope: &Envelope, to: &Recipient) -> Explained {
        let (routes, recipient) = (self.routes(), &to.address);
        let (chosen, rule) = match &envelope.filter {
            Some(filter) => (Chosen::Way(filter.clone()), Some("FILTER".to_owned())),
            None => self.by_tables(envelope, recipient).await,
        };
        let (chosen, rule) = match routes.filter_for(envelope, to) {
            Some(filter) => (filter, Some("[[filter]]".to_owned())),
            None => (chosen, rule),
        };
        let chosen = unless_dropped(&routes, recipient, chosen);
        match goal(&routes, chosen, recipient.domain()) {
            Goal::To(destination, _) => {
                let exchangers = matches!(destination.next_hop, NextHop::Exchangers(_));
                let mx = if exchangers { " (MX)" } else { "" };
                let protocol = match destination.protocol {
                    Protocol::Smtp => "smtp",
                    Protocol::Smtps => "smtps",
                    Protocol::Lmtp => "lmtp",
                };
                let way = format!("{protocol} to {destination}{mx}");
                let route = || format!("[[route]] number {}", destination.route.0 + 1);
                Explained { way, because: rule.unwrap_or_else(route) }
            }
            Goal::Program(program, _) => {
                let way = format!("to the program {}", program.path());
                Explained { way, because: rule.unwrap_or_else(|| "[[filter]]".to_owned()) }
            }
            Goal::End(end) => {
                let because = rule.unwrap_or_else(|| "its [[route]]".to_owned());
                Explained { way: ended(&end), because }
            }
        }
    }

    async fn by_tables(
        &self,
        envelope: &Envelope,
        recipient: &Address,
    ) -> (Chosen, Option<String>) {
        let live = self.rewriting();
        let rules = live.current();
        if !rules.routes_mail() {
            return (Chosen::Nothing, None);
        }
        let may_relay = self.routes().is_left_to_relays(recipient.domain());
        match rules.way(&envelope.sender, recipient, may_relay, live.remote()).await {
            Ok(way) => {
                let rule = way.as_ref().map(rule);
                (by_tables::chosen(way), rule)
            }
            Err(error) => (Chosen::End(End::Deferred(replies::UNCLEAR)), Some(error.to_string())),
        }
    }
}

fn rule(way: &ByTable) -> String {
    match way {
        ByTable::Moved(moved) => format!("relocated_maps: {}", moved.place),
        ByTable::NoAlias => "virtual_alias_domains".to_owned(),
        ByTable::Transport(way) => format!("transport_maps: {}", way.place),
        ByTable::Relay(way) => format!("sender_dependent_relayhost_maps: {}", way.place),
    }
}

fn ended(end: &End) -> String {
    match end {
        End::Discarded(_) | End::Unread(_) => "thrown away".to_owned(),
        End::Failed(reply) => format!("returned to its sender: {reply}"),
        End::Deferred(reply) => format!("kept for later: {reply}"),
    }
}
