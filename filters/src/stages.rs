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
    /// Who really sent it, if a stranger hands it in. Before filters of other people, who may write such results under our
    /// name; behind the rewriting of its header, for only then fields are put into it and taken out.
    Authentication,
    /// What filters of other people say of it that are asked before it is taken. They see it as it was rewritten, and
    /// change it; behind all that can refuse it for nothing.
    Inspection,
    /// How much it looks like spam, by all that was found out, and what its author's domain wants to become of it. Behind
    /// filters of other people, whose scores join in.
    Score,
    /// Whether the archive keeps it, which asks for its recipients as they are now. While it must and cannot,
    /// the mail is put off.
    Archive,
    /// Which filters of other people are ahead of it, once it is in the queue.
    Filters,
    /// It is signed, if it is of our own people and no filter is ahead of it that could still change it.
    Signing,
    /// Its sender may use the addresses in it and send as much. Behind all that refuses, so that only
    /// mail that is taken counts.
    Sender,
    /// Whether people must approve it, by its recipients as they are now. Last: what it holds is
    /// taken.
    Moderation,
}

/// The order. What is left then is the queue, whose receipt alone makes the 250.
pub const BEFORE_QUEUE: [BeforeQueue; 13] = [
    BeforeQueue::EndOfData,
    BeforeQueue::Content,
    BeforeQueue::Header,
    BeforeQueue::Envelope,
    BeforeQueue::Hops,
    BeforeQueue::Authentication,
    BeforeQueue::Inspection,
    BeforeQueue::Score,
    BeforeQueue::Archive,
    BeforeQueue::Filters,
    BeforeQueue::Signing,
    BeforeQueue::Sender,
    BeforeQueue::Moderation,
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// The stages that must have been passed before.
    fn needs(stage: BeforeQueue) -> &'static [BeforeQueue] {
        match stage {
            BeforeQueue::EndOfData => &[],
            // It says what becomes of what the lists asked for.
            BeforeQueue::Content => &[BeforeQueue::EndOfData],
            // Checks see headers as they came, and pass them on.
            BeforeQueue::Header => &[BeforeQueue::Content],
            // BCC of the checks are recipients like others.
            BeforeQueue::Envelope => &[BeforeQueue::Content],
            BeforeQueue::Hops => &[],
            // It asks about the header as it came, and about all who get the mail.
            BeforeQueue::Archive => &[BeforeQueue::Content, BeforeQueue::Score],
            // It changes the mail, and who gets it.
            BeforeQueue::Inspection => &[
                BeforeQueue::Header,
                BeforeQueue::Envelope,
                BeforeQueue::Hops,
                BeforeQueue::Authentication,
            ],
            BeforeQueue::Authentication => &[BeforeQueue::Header],
            BeforeQueue::Score => &[BeforeQueue::Authentication, BeforeQueue::Inspection],
            BeforeQueue::Filters => &[BeforeQueue::Envelope],
            // What is signed is not changed any more; moderation hashes what is stored.
            BeforeQueue::Signing => {
                &[BeforeQueue::Header, BeforeQueue::Score, BeforeQueue::Filters]
            }
            // It counts, and what is refused then would be counted too.
            BeforeQueue::Sender => &[
                BeforeQueue::EndOfData,
                BeforeQueue::Content,
                BeforeQueue::Header,
                BeforeQueue::Envelope,
                BeforeQueue::Hops,
                BeforeQueue::Authentication,
                BeforeQueue::Inspection,
                BeforeQueue::Score,
                BeforeQueue::Archive,
                BeforeQueue::Filters,
                BeforeQueue::Signing,
            ],
            // Nobody is asked about a mail that is refused; all others were passed before this one.
            BeforeQueue::Moderation => &[BeforeQueue::Sender],
        }
    }

    #[test]
    fn every_stage_stands_there_once_behind_those_that_it_needs() {
        let mut passed = HashSet::new();
        for stage in BEFORE_QUEUE {
            assert!(needs(stage).iter().all(|needed| passed.contains(needed)), "{stage:?}");
            assert!(passed.insert(stage), "{stage:?} twice");
        }
        assert_eq!(passed.len(), needs(BeforeQueue::Sender).len() + 2);
    }
}
