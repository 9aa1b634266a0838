//! The order in which a mail passes what may refuse, hold or change it: written here and nowhere
//! else. Live sessions and `mailweir explain` follow it.

/// What a mail passes between its last byte and the reply, while it is still the client's.
///
/// The first stage that says no has the last word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BeforeQueue {
    /// The lists for the end of data (Postfix `smtpd_end_of_data_restrictions`), and what all lists
    /// before asked for: HOLD, FILTER, REDIRECT, BCC, DISCARD.
    EndOfData,
    /// What was said of its content as it came: header, body, decoded and attachment checks. Where
    /// lists and checks disagree about the way, the checks have the last word.
    Content,
    /// Addresses in its header are rewritten; Postfix has checked a header before it rewrites it.
    Header,
    /// Addresses of its envelope are rewritten, aliases expanded, copies added: those of
    /// [`Self::Content`] among them.
    Envelope,
    /// It has not come this way too often (Postfix `hopcount_limit`).
    Hops,
    /// Its sender may use the addresses in it and send as much. Behind all that refuses, so that only
    /// mail that is taken counts.
    Sender,
    /// Whether people must approve it, by its recipients as they are now. Last: what it holds is
    /// taken.
    Moderation,
}

/// The order. What is left then is the queue, whose receipt alone makes the 250.
pub const BEFORE_QUEUE: [BeforeQueue; 7] = [
    BeforeQueue::EndOfData,
    BeforeQueue::Content,
    BeforeQueue::Header,
    BeforeQueue::Envelope,
    BeforeQueue::Hops,
    BeforeQueue::Sender,
    BeforeQueue::Moderation,
];
