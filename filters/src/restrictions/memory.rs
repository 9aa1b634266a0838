//! What is remembered between the commands of a session.

use std::{collections::HashMap, sync::Arc};

use mailweir_mail::Reply;
use mailweir_tables::Place;

use super::facts::{DnsError, Record, RecordKind};

/// What one evaluation leaves for the next. One per session.
///
/// Answers of DNS and what tables asked for ([`Effects`]) are of one mail;
/// [`Memory::end_transaction`] forgets them.
#[derive(Debug, Default)]
pub struct Memory {
    pub(super) effects: Effects,
    pub(super) records: HashMap<(RecordKind, Box<str>), Answer>,
    /// `defer_if_permit` as it stood after the client, HELO and sender lists.
    pub(super) after_client: Option<Deferral>,
    pub(super) after_helo: Option<Deferral>,
    pub(super) after_sender: Option<Deferral>,
    /// Whether `reject_unlisted_sender` was already applied to this sender.
    pub(super) sender_checked: bool,
}

/// What DNS said.
pub(super) type Answer = Result<Arc<[Record]>, DnsError>;

impl Memory {
    /// What tables asked for so far, for the mail as a whole: whichever recipient it was found for.
    #[must_use]
    pub const fn effects(&self) -> &Effects {
        &self.effects
    }

    /// The mail is over: queued, refused or reset. To be called before the next MAIL.
    pub fn end_transaction(&mut self) {
        self.effects = Effects::default();
        self.records.clear();
        self.after_sender = None;
        self.sender_checked = false;
    }
}

/// What tables asked for besides accepting or refusing (access(5), "OTHER ACTIONS").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Claim success and keep nothing. Nothing is checked any more.
    pub discard: Option<Wish>,
    /// Put the mail on hold; the text is the reason.
    pub hold: Option<Wish>,
    /// Send the mail through this filter, `transport:destination`. The last word counts.
    pub filter: Option<Wish>,
    /// Send the mail to this address instead. The last word counts.
    pub redirect: Option<Wish>,
    /// Send a copy to these addresses too.
    pub bcc: Vec<Wish>,
    /// Headers to put on top; the first stands first. Once for each time the rule was reached: for
    /// each recipient, if it stands in a recipient list, as in Postfix.
    pub prepend: Vec<Wish>,
}

impl Effects {
    /// More BCC or PREPEND than these are not kept: their number must not grow with the number of
    /// recipients without bound.
    pub const MAX_OF_A_KIND: usize = 1_000;
}

/// What a rule asked for, and which rule it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What stands behind the action's name.
    pub text: Box<str>,
    /// The rule.
    pub place: Place,
}

/// A refusal that is only spoken if otherwise there would be (or not be) one.
#[derive(Clone, Debug)]
pub(super) struct Deferral {
    pub(super) reply: Reply,
    pub(super) restriction: Arc<str>,
    pub(super) place: Option<Place>,
}
