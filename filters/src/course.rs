//! Which filters of other people a mail passes, and in which order.
//!
//! For the queue, a mail is done once a filter has it: what the filter hands back is another mail. That comes in where
//! this filter alone hands mail back, and only the filters behind it are ahead of it. So no mail passes a filter twice,
//! whatever the filter does.

use mailweir_archive::entry::Direction;
use mailweir_mail::{Address, Recipient, ReversePath, Transport};
use mailweir_moderation::rule::AddressPattern;

/// All filters, in their order.
#[derive(Clone, Debug, Default)]
pub struct Course(Vec<Stop>);

/// A filter, and the mail that it means.
#[derive(Clone, Debug)]
pub struct Stop {
    /// Its name, used once.
    pub name: Box<str>,
    /// Whether only an action FILTER sends mail there.
    pub only_by_action: bool,
    /// Where the mail came in. Empty: anywhere.
    pub listeners: Vec<Box<str>>,
    /// Which way it goes. Empty: any.
    pub directions: Vec<Direction>,
    /// Who sends it. Empty: anybody. The null sender is none of them.
    pub senders: Vec<AddressPattern>,
    /// Who gets it, under the name of now or the one that was written to. Empty: anybody. Only those pass it.
    pub recipients: Vec<AddressPattern>,
    /// The listener where it hands mail back; absent: it never does. No two filters have the same.
    pub returns_to: Option<Box<str>>,
}

/// A mail that comes from elsewhere, before any filter had it.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// Where it came in.
    pub listener: &'a str,
    /// Which way it goes.
    pub direction: Direction,
    /// The envelope sender.
    pub sender: &'a ReversePath,
}

impl Course {
    /// In this order.
    #[must_use]
    pub const fn new(stops: Vec<Stop>) -> Self {
        Self(stops)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The filter that hands mail back at a listener.
    #[must_use]
    pub fn returning_to(&self, listener: &str) -> Option<&str> {
        let returns = |stop: &&Stop| stop.returns_to.as_deref() == Some(listener);
        self.0.iter().find(returns).map(|stop| &*stop.name)
    }

    /// The listener where a filter hands mail back.
    #[must_use]
    pub fn hands_back_to(&self, name: &str) -> Option<&str> {
        self.position(name).and_then(|at| self.0[at].returns_to.as_deref())
    }

    /// The filters that are ahead of a mail, by name, in order. Whom of its recipients each of them means is asked when
    /// it is their turn.
    #[must_use]
    pub fn ahead(&self, arrival: &Arrival<'_>) -> Vec<Box<str>> {
        let means = |stop: &&Stop| stop.means_way(arrival) && stop.means_sender(arrival.sender);
        self.0.iter().filter(means).map(|stop| stop.name.clone()).collect()
    }

    /// Those that may be ahead of a mail that a filter has handed back, if nobody can tell any more how it came: all behind it,
    /// whatever way they mean. What the filter means says nothing of that: it may have got the mail for the same reason.
    #[must_use]
    pub fn may_be_ahead(&self, back_from: &str, sender: &ReversePath) -> Vec<Box<str>> {
        let behind = self.position(back_from).map_or(self.0.len(), |at| at + 1);
        let may_mean = |stop: &&Stop| !stop.only_by_action && stop.means_sender(sender);
        self.0.iter().skip(behind).filter(may_mean).map(|stop| stop.name.clone()).collect()
    }

    /// Those of the filters ahead of a mail that stand behind one of them, or behind the one that an action sends it to. One
    /// that is gone stays: the mail waits for it, as nobody can tell whether it would have let the mail pass.
    #[must_use]
    pub fn behind(&self, name: &str, ahead: &[Box<str>]) -> Vec<Box<str>> {
        let at = self.position(name);
        let is_behind =
            |one: &str| one != name && self.position(one).is_none_or(|it| Some(it) > at);
        ahead.iter().filter(|one| is_behind(one)).cloned().collect()
    }

    /// What an action FILTER makes of the way of a mail: the action, if it stands, and the filters that are ahead. One that names
    /// what the mail has passed says nothing; one that names no filter is for the way past all of them. `behind`: the filter that has
    /// handed the mail back.
    #[must_use]
    pub fn directed(
        &self,
        action: Option<Transport>,
        behind: Option<&str>,
        ahead: Vec<Box<str>>,
    ) -> (Option<Transport>, Vec<Box<str>>) {
        let named = action.as_ref().and_then(|it| self.by_action(it.name(), behind, &ahead));
        let Some(named) = named else { return (action, ahead) };
        let goes_there = |it: &Transport| named.first().is_some_and(|first| **first == *it.name());
        (action.filter(goes_there), named)
    }

    /// Those ahead of a mail that an action sends to one of them: that one, and those behind it. `None`: there is no such
    /// filter. `behind`: the filter that has handed the mail back; what it has passed it does not pass again, whatever an action
    /// says.
    fn by_action(
        &self,
        name: &str,
        behind: Option<&str>,
        ahead: &[Box<str>],
    ) -> Option<Vec<Box<str>>> {
        let at = self.position(name)?;
        if behind.and_then(|behind| self.position(behind)) >= Some(at) {
            return Some(ahead.to_vec());
        }
        Some(std::iter::once(name.into()).chain(self.behind(name, ahead)).collect())
    }

    /// Those ahead of a mail, by the filters of now, which was judged by those of another day. `behind`: the filter that
    /// has handed it back, if one has; `were`: those that were ahead of it.
    #[must_use]
    pub fn anew(
        &self,
        arrival: &Arrival<'_>,
        behind: Option<&str>,
        were: &[Box<str>],
    ) -> Vec<Box<str>> {
        let Some(behind) = behind else { return self.ahead(arrival) };
        let at = self.position(behind);
        let mut all = match at {
            // Nobody knows any more what it has passed.
            None => were.to_vec(),
            Some(_) if self.returning_to(arrival.listener).is_some() => {
                self.may_be_ahead(behind, arrival.sender)
            }
            Some(_) => self.ahead(arrival),
        };
        all.retain(|name| self.position(name) > at);
        all
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|stop| *stop.name == *name)
    }

    /// Which of the filters that were ahead of a mail a recipient's copy goes to now.
    #[must_use]
    pub fn next<'a>(&self, ahead: &'a [Box<str>], recipient: &Recipient) -> Next<'a> {
        for name in ahead {
            match self.0.iter().find(|stop| stop.name == *name) {
                None => return Next::Gone(name),
                Some(stop) if stop.means_recipient(recipient) => return Next::Filter(name),
                Some(_) => {}
            }
        }
        Next::Onward
    }
}

/// Where a recipient's copy goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// To this filter.
    Filter(&'a str),
    /// This filter was ahead when the mail came, and is there no longer: nobody can tell whether it would have let the
    /// copy pass.
    Gone(&'a str),
    /// Past all of them.
    Onward,
}

impl Stop {
    fn means_way(&self, arrival: &Arrival<'_>) -> bool {
        !self.only_by_action
            && (self.listeners.is_empty()
                || self.listeners.iter().any(|name| **name == *arrival.listener))
            && (self.directions.is_empty() || self.directions.contains(&arrival.direction))
    }

    fn means_sender(&self, sender: &ReversePath) -> bool {
        self.senders.is_empty()
            || sender.address().is_some_and(|sender| one_means(&self.senders, sender))
    }

    fn means_recipient(&self, recipient: &Recipient) -> bool {
        let mut names =
            [Some(&recipient.address), recipient.original.as_ref()].into_iter().flatten();
        self.recipients.is_empty() || names.any(|name| one_means(&self.recipients, name))
    }
}

fn one_means(patterns: &[AddressPattern], address: &Address) -> bool {
    patterns.iter().any(|pattern| pattern.matches(address))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stop(name: &str) -> Stop {
        Stop {
            name: name.into(),
            only_by_action: false,
            listeners: Vec::new(),
            directions: Vec::new(),
            senders: Vec::new(),
            recipients: Vec::new(),
            returns_to: Some(format!("behind-{name}").into()),
        }
    }

    fn patterns(texts: &[&str]) -> Vec<AddressPattern> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn recipients(texts: &[&str]) -> Vec<Recipient> {
        texts.iter().map(|text| Recipient::new(text.parse().unwrap())).collect()
    }

    const MX: (&str, Direction) = ("mx", Direction::Inbound);
    const SUBMISSION: (&str, Direction) = ("submission", Direction::Outbound);

    fn sender() -> ReversePath {
        ReversePath::Mailbox("bob@far.example".parse().unwrap())
    }

    fn ahead(course: &Course, (listener, direction): (&str, Direction)) -> Vec<String> {
        let arrival = Arrival { listener, direction, sender: &sender() };
        course.ahead(&arrival).iter().map(ToString::to_string).collect()
    }

    fn may_be_ahead(course: &Course, back_from: &str) -> Vec<String> {
        course.may_be_ahead(back_from, &sender()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn mail_passes_the_filters_that_mean_it_in_their_order() {
        let course = Course::new(vec![
            stop("virus"),
            Stop { listeners: vec!["mx".into()], ..stop("spam") },
            Stop { directions: vec![Direction::Outbound], ..stop("dlp") },
            Stop { senders: patterns(&["@far.example"]), ..stop("far") },
            Stop { senders: patterns(&["@other.example"]), ..stop("other") },
            Stop { only_by_action: true, ..stop("named") },
            stop("disclaimer"),
        ]);
        assert_eq!(ahead(&course, MX), ["virus", "spam", "far", "disclaimer"]);
        assert_eq!(ahead(&course, SUBMISSION), ["virus", "dlp", "far", "disclaimer"]);
        assert_eq!(course.returning_to("behind-spam"), Some("spam"));
        assert_eq!(course.returning_to("mx"), None);
    }

    #[test]
    fn mail_of_which_nobody_knows_how_it_came_passes_all_that_may_mean_it() {
        let of =
            |listener: &str, name: &str| Stop { listeners: vec![listener.into()], ..stop(name) };
        let course = Course::new(vec![
            of("mx", "virus"),
            Stop { only_by_action: true, ..stop("named") },
            of("submission", "dlp"),
            Stop { senders: patterns(&["@other.example"]), ..stop("other") },
            Stop { directions: vec![Direction::Inbound], ..of("mx", "last") },
        ]);
        assert_eq!(may_be_ahead(&course, "virus"), ["dlp", "last"]);
        assert_eq!(may_be_ahead(&course, "dlp"), ["last"]);
        assert_eq!(may_be_ahead(&course, "last"), [""; 0]);
        assert_eq!(may_be_ahead(&course, "gone"), [""; 0]);
    }

    #[test]
    fn a_copy_goes_to_the_first_filter_that_means_its_recipient() {
        let course = Course::new(vec![
            Stop { recipients: patterns(&["@own.example"]), ..stop("own") },
            stop("all"),
            Stop { recipients: patterns(&["eve@own.example"]), ..stop("eve") },
        ]);
        let [ann, far] = recipients(&["ann@own.example", "x@far.example"]).try_into().unwrap();
        let ahead: Vec<Box<str>> = vec!["own".into(), "all".into()];
        assert_eq!(course.next(&ahead, &ann), Next::Filter("own"));
        assert_eq!(course.next(&ahead, &far), Next::Filter("all"));
        assert_eq!(course.next(&ahead[..1], &far), Next::Onward);
        let gone: Vec<Box<str>> = vec!["gone".into(), "all".into()];
        assert_eq!(course.next(&gone, &ann), Next::Gone("gone"));
        let written_to = Recipient { original: Some(ann.address.clone()), ..far };
        assert_eq!(course.next(&ahead, &written_to), Next::Filter("own"));
    }

    fn any_stop(name: usize) -> impl Strategy<Value = Stop> {
        (any::<bool>(), 0..3_usize, 0..3_usize).prop_map(
            move |(only_by_action, listener, direction)| Stop {
                only_by_action,
                listeners: ["mx", "submission"]
                    .get(listener)
                    .map(|&it| it.into())
                    .into_iter()
                    .collect(),
                directions: [Direction::Inbound, Direction::Outbound]
                    .get(direction)
                    .copied()
                    .into_iter()
                    .collect(),
                ..stop(&name.to_string())
            },
        )
    }

    #[test]
    fn an_action_names_the_first_and_never_one_that_was_passed() {
        let course = Course::new(["a", "b", "c", "d"].map(stop).into());
        let ahead = ["a", "c", "d"].map(Box::from);
        let by = |name, behind| course.by_action(name, behind, &ahead);
        assert_eq!(by("x", None), None);
        assert_eq!(by("b", None).unwrap(), ["b", "c", "d"].map(Box::from));
        assert_eq!(by("c", Some("a")).unwrap(), ["c", "d"].map(Box::from));
        assert_eq!(by("c", Some("gone")).unwrap(), ["c", "d"].map(Box::from));
        for passed in ["c", "d"] {
            assert_eq!(by("c", Some(passed)).unwrap(), ahead);
        }
        let directed = |name, behind| {
            let (action, ahead) =
                course.directed(Some(Transport::named(name)), behind, ahead.to_vec());
            (action.map(|it| it.name().to_owned()), ahead.join(" "))
        };
        assert_eq!(directed("b", None), (Some("b".into()), "b c d".into()));
        assert_eq!(directed("b", Some("b")), (None, "a c d".into()));
        assert_eq!(directed("relay", Some("b")), (Some("relay".into()), "a c d".into()));
    }

    #[test]
    fn a_filter_that_is_gone_stays_ahead() {
        let course = Course::new(["a", "b", "c"].map(stop).into());
        let behind = |name, ahead: &[&str]| {
            course.behind(name, &ahead.iter().map(|&it| it.into()).collect::<Vec<_>>()).join(" ")
        };
        assert_eq!(behind("a", &["a", "gone", "c"]), "gone c");
        assert_eq!(behind("b", &["a", "gone", "c"]), "gone c");
        assert_eq!(behind("gone", &["gone", "gone too", "c"]), "gone too c");
    }

    #[test]
    fn mail_of_another_day_passes_the_filters_of_now_but_those_that_it_has_passed() {
        let only_mx = Stop { listeners: vec!["mx".into()], ..stop("c") };
        let course = Course::new(vec![stop("a"), stop("b"), only_mx, stop("d")]);
        let sender = ReversePath::Null;
        let anew = |listener, behind, were: &[&str]| {
            let arrival = Arrival { listener, direction: Direction::Inbound, sender: &sender };
            let were: Vec<Box<str>> = were.iter().map(|name| Box::from(*name)).collect();
            course.anew(&arrival, behind, &were).join(" ")
        };
        assert_eq!(anew("mx", None, &["gone"]), "a b c d");
        assert_eq!(anew("submission", None, &[]), "a b d");
        assert_eq!(anew("mx", Some("b"), &["gone"]), "c d");
        assert_eq!(anew("submission", Some("b"), &["c"]), "d");
        assert_eq!(anew("behind-b", Some("b"), &[]), "c d");
        assert_eq!(anew("mx", Some("gone"), &["gone too", "b", "d"]), "b d");
        assert_eq!(anew("mx", Some("d"), &["d"]), "");
    }

    proptest! {
        /// Whatever filters there are, and wherever what says how it came is lost: no mail passes one twice, and none is left
        /// out that was ahead.
        #[test]
        fn no_filter_is_passed_twice_and_none_is_left_out(
            stops in (0..8_usize).prop_flat_map(|count| (0..count).map(any_stop).collect::<Vec<_>>()),
            lost in any::<bool>(),
        ) {
            let course = Course::new(stops);
            let mut expected = ahead(&course, MX);
            let mut open = expected.clone();
            let mut passed = Vec::new();
            while !open.is_empty() {
                let name = open.remove(0);
                prop_assert!(!passed.contains(&name), "{} twice", name);
                expected.retain(|it| *it != name);
                if lost {
                    open = may_be_ahead(&course, &name);
                }
                prop_assert!(expected.iter().all(|it| open.contains(it)), "{:?} of {:?}", open, expected);
                passed.push(name);
            }
            prop_assert!(expected.is_empty());
        }
    }
}
