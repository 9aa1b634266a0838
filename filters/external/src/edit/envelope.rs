//! What makes one envelope of another.

use std::collections::HashSet;

use mailweir_mail::{Address, Domain, Envelope, ReversePath};

use crate::verdict::Edit;

/// What makes one envelope of another.
///
/// Letter case alone makes no other address: some programs change it on the way, and the queue takes recipients that differ in
/// nothing else for one (Postfix `been_here(3)`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopeChanges {
    /// The new sender; absent: it is the same.
    pub sender: Option<ReversePath>,
    /// The recipients that are there no longer, in each way in which they were written.
    pub gone: Vec<Address>,
    /// Those that were not there before, each once.
    pub new: Vec<Address>,
}

impl EnvelopeChanges {
    /// What makes `after` of `before`.
    #[must_use]
    pub fn between(before: &Envelope, after: &Envelope) -> Self {
        let is_same = before.sender.address().map(key) == after.sender.address().map(key);
        let (mut known, kept) = (keys(before), keys(after));
        let (gone, new) = (addresses(before), addresses(after));
        Self {
            sender: (!is_same).then(|| after.sender.clone()),
            gone: gone.filter(|address| !kept.contains(&key(address))).cloned().collect(),
            new: new.filter(|address| known.insert(key(address))).cloned().collect(),
        }
    }

    /// Whether the envelope is the same.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.sender.is_none() && self.gone.is_empty() && self.new.is_empty()
    }

    /// In an order in which the mail is never without recipients: for a mail server, which takes that for none.
    pub fn new_first(self) -> impl Iterator<Item = Edit> {
        let Self { sender, gone, new } = self;
        let new = new.into_iter().map(Edit::AddRecipient);
        let gone = gone.into_iter().map(Edit::RemoveRecipient);
        sender.map(Edit::Sender).into_iter().chain(new).chain(gone)
    }

    /// In an order in which one that is new stays, although it was the alias of one that is gone.
    pub fn gone_first(self) -> impl Iterator<Item = Edit> {
        let Self { sender, gone, new } = self;
        let new = new.into_iter().map(Edit::AddRecipient);
        let gone = gone.into_iter().map(Edit::RemoveRecipient);
        sender.map(Edit::Sender).into_iter().chain(gone).chain(new)
    }
}

fn addresses(envelope: &Envelope) -> impl Iterator<Item = &Address> {
    envelope.recipients.iter().map(|one| &one.address)
}

fn keys(envelope: &Envelope) -> HashSet<(String, &Domain)> {
    addresses(envelope).map(key).collect()
}

/// What addresses have in common that are the same.
fn key(address: &Address) -> (String, &Domain) {
    (address.unquoted_local_part().to_lowercase(), address.domain())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(sender: &str, recipients: &[&str]) -> Envelope {
        let sender = match sender {
            "" => ReversePath::Null,
            address => ReversePath::Mailbox(address.parse().unwrap()),
        };
        let add = |envelope: Envelope, to: &&str| envelope.to(to.parse().unwrap());
        recipients.iter().fold(Envelope::from_sender(sender), add)
    }

    fn list(texts: &[&str]) -> Vec<Address> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn an_envelope_in_other_letters_is_the_same() {
        let one = envelope("bob@far.example", &["ann@own.example", "\u{c9}va@own.example"]);
        let other = envelope("BOB@FAR.example", &["\u{e9}va@OWN.example.", "\"ann\"@own.example"]);
        let changes = EnvelopeChanges::between(&one, &other);
        assert!(changes.is_empty(), "{changes:?}");
        let reports = [envelope("", &["a@x"]), envelope("", &["A@X"])];
        assert!(EnvelopeChanges::between(&reports[0], &reports[1]).is_empty());
    }

    #[test]
    fn what_differs_is_found_whoever_stands_where() {
        let before = envelope("bob@far.example", &["ann@own.example", "Eve@own.example"]);
        let after = envelope("", &["new@own.example", "ANN@own.example"]);
        let changes = EnvelopeChanges::between(&before, &after);
        let (gone, new) = (list(&["Eve@own.example"]), list(&["new@own.example"]));
        let sender = Some(ReversePath::Null);
        assert_eq!(changes, EnvelopeChanges { sender, gone: gone.clone(), new: new.clone() });
        let back = EnvelopeChanges::between(&after, &before);
        let sender = Some(before.sender);
        assert_eq!(back, EnvelopeChanges { sender, gone: new, new: gone });
        let elsewhere = envelope("bob@other.example", &[]);
        let sender = EnvelopeChanges::between(&envelope("bob@far.example", &[]), &elsewhere).sender;
        assert_eq!(sender, Some(elsewhere.sender));
    }

    /// Whoever is told compares letter by letter, and would keep one of them, or get it twice.
    #[test]
    fn who_was_written_twice_is_gone_twice_and_new_once() {
        let (nobody, twice) = (envelope("", &[]), envelope("", &["a@x", "A@x"]));
        assert_eq!(EnvelopeChanges::between(&twice, &nobody).gone, list(&["a@x", "A@x"]));
        assert_eq!(EnvelopeChanges::between(&nobody, &twice).new, list(&["a@x"]));
    }

    #[test]
    fn whoever_is_told_hears_it_in_an_order_that_suits_it() {
        let changes = EnvelopeChanges {
            sender: Some(ReversePath::Null),
            gone: list(&["a@x"]),
            new: list(&["b@x"]),
        };
        let (sender, gone, new) = (
            Edit::Sender(ReversePath::Null),
            Edit::RemoveRecipient("a@x".parse().unwrap()),
            Edit::AddRecipient("b@x".parse().unwrap()),
        );
        let told: Vec<Edit> = changes.clone().new_first().collect();
        assert_eq!(told, [sender.clone(), new.clone(), gone.clone()]);
        let told: Vec<Edit> = changes.gone_first().collect();
        assert_eq!(told, [sender, gone, new]);
    }
}
