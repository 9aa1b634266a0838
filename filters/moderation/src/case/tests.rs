//! Stories of cases: who does what at which minute, and what comes of it.

mod any_order;

use mailweir_mail::{Address, Timestamp};

use super::*;

/// A case and a clock.
struct Story {
    case: Case,
    now: Timestamp,
    fates: Vec<Fate>,
    trust: Option<Trust>,
}

impl Story {
    fn of(plan: Plan) -> Self {
        let now = minute(0);
        Self { case: Case::open(plan, now), now, fates: Vec::new(), trust: None }
    }

    fn at(&mut self, minutes: u64) -> &mut Self {
        self.now = minute(minutes);
        self
    }

    fn does(&mut self, command: &Command) -> Result<&mut Self, Refused> {
        let outcome = self.case.take(command, self.now)?;
        self.case = outcome.case;
        self.trust = outcome.trust.or(self.trust);
        self.fates.push(outcome.fate);
        Ok(self)
    }

    fn ticks(&mut self, minutes: u64) -> &mut Self {
        self.at(minutes).does(&Command::Clock).unwrap()
    }

    /// All notices are sent. Says who gets which: `ann Request`.
    fn sends(&mut self) -> Vec<String> {
        let owed = self.case.progress.owed.clone();
        for owed in &owed {
            self.does(&Command::Settle { owed: owed.number }).unwrap();
        }
        let to = |to: &To| match to {
            To::Moderator(address) => address.as_str().replace("@x.example", ""),
            To::Sender => "(sender)".to_owned(),
            To::Administrators => "(administrators)".to_owned(),
        };
        owed.iter().map(|owed| format!("{} {:?}", to(&owed.to), owed.word)).collect()
    }

    fn closing(&self) -> &Closing {
        match &self.case.progress.state {
            State::Closed(closing) => closing,
            other => panic!("{other:?}"),
        }
    }

    fn last_fate(&self) -> &Fate {
        self.fates.last().unwrap()
    }
}

fn minute(minutes: u64) -> Timestamp {
    Timestamp::from_secs(1_000_000 + minutes * 60)
}

fn address(name: &str) -> Address {
    format!("{name}@x.example").parse().unwrap()
}

fn level(needed: u8, names: &[&str]) -> Level {
    Level { moderators: names.iter().map(|name| Moderator::new(address(name))).collect(), needed }
}

/// Sam's mail to three recipients.
fn plan(levels: Vec<Level>) -> Plan {
    Plan {
        rule: RuleName { name: "outside".into(), place: "mailweir.toml, line 9".into() },
        also: Vec::new(),
        kind: Kind::Approval,
        levels,
        senders: vec![address("sam")],
        recipients: 3,
        content: [7; 32],
        own_mail: OwnMail::Never,
        remind_every: None,
        escalation: None,
        expiry: None,
        tells_sender: TellsSender::Always,
    }
}

fn by(name: &str) -> By {
    let who = match name {
        "root" => Actor::Administrator(name.into()),
        "sam" => Actor::Sender(address(name)),
        _ => Actor::Moderator(address(name)),
    };
    By { who, proof: Proof::Link, from: None }
}

fn approve(name: &str) -> Command {
    Command::Approve { by: by(name), comment: "".into(), only: None, at: None, trust_days: 0 }
}

fn reject(name: &str) -> Command {
    Command::Reject { by: by(name), reason: "no".into() }
}

fn cancel(name: &str) -> Command {
    Command::Cancel { by: by(name) }
}

#[test]
fn one_of_two_approves_and_all_hear_of_it() {
    let mut story = Story::of(plan(vec![level(1, &["ann", "bob"])]));
    assert_eq!(story.sends(), ["(sender) Held", "ann Request", "bob Request"]);
    story.at(5).does(&approve("ann")).unwrap();
    assert_eq!(story.last_fate(), &Fate::Released(None));
    assert_eq!((story.closing().decision, &story.closing().by), (Decision::Released, &by("ann")));
    assert_eq!(story.sends(), ["(sender) Decided", "bob Decided"]);
}

#[test]
fn whoever_comes_late_hears_who_decided_and_when() {
    let mut story = Story::of(plan(vec![level(1, &["ann", "bob"])]));
    story.at(5).does(&reject("ann")).unwrap();
    let late = story.at(6).does(&approve("bob")).map(|_| ()).unwrap_err();
    let Refused::Closed(closing) = late else { panic!("{late:?}") };
    assert_eq!((closing.by, closing.at), (by("ann"), minute(5)));
    assert_eq!((closing.decision, &*closing.words), (Decision::Rejected, "no"));
    assert_eq!(story.fates, [Fate::Dropped]);
}

#[test]
fn two_of_three_are_needed_and_one_who_refuses_is_enough() {
    let mut story = Story::of(plan(vec![level(2, &["ann", "bob", "cho"])]));
    story.does(&approve("ann")).unwrap();
    assert_eq!(story.last_fate(), &Fate::Stays);
    let again = story.does(&approve("ann")).map(|_| ());
    assert_eq!(again, Err(Refused::VotedAlready { at: minute(0) }));
    story.does(&approve("cho")).unwrap();
    assert_eq!(story.last_fate(), &Fate::Released(None));

    let mut story = Story::of(plan(vec![level(2, &["ann", "bob", "cho"])]));
    story.does(&approve("ann")).unwrap().does(&reject("bob")).unwrap();
    assert_eq!(story.last_fate(), &Fate::Dropped);
}

#[test]
fn levels_decide_one_after_the_other() {
    let mut story = Story::of(plan(vec![level(1, &["ann"]), level(1, &["bob"])]));
    assert_eq!(story.sends(), ["(sender) Held", "ann Request"]);
    assert_eq!(story.does(&approve("bob")).map(|_| ()), Err(Refused::NotTheirs));
    story.does(&approve("ann")).unwrap();
    assert_eq!(story.sends(), ["bob Request"]);
    assert_eq!(story.does(&reject("ann")).map(|_| ()), Err(Refused::NotTheirs));
    story.does(&approve("bob")).unwrap();
    assert_eq!(story.last_fate(), &Fate::Released(None));
    assert_eq!(story.sends(), ["(sender) Decided", "ann Decided"]);
}

#[test]
fn nobody_decides_about_their_own_mail() {
    let mut own = plan(vec![level(1, &["sam", "ann"])]);
    let as_moderator = |name: &str| By { who: Actor::Moderator(address(name)), ..by("ann") };
    let sam = Command::Reject { by: as_moderator("sam"), reason: "".into() };
    let mut story = Story::of(own.clone());
    assert_eq!(story.sends(), ["(sender) Held", "ann Request"]);
    assert_eq!(story.does(&sam).map(|_| ()), Err(Refused::OwnMail));

    own.own_mail = OwnMail::Allowed;
    let mut story = Story::of(own);
    assert_eq!(story.sends(), ["(sender) Held", "sam Request", "ann Request"]);
    story.does(&sam).unwrap();
}

#[test]
fn a_person_is_one_whatever_the_case_of_their_letters() {
    // Kim logged in as kim@, and the rule names Kim@.
    let mut own = plan(vec![level(2, &["Kim", "ann", "bob"])]);
    own.senders = vec![address("kim")];
    let mut story = Story::of(own);
    assert_eq!(story.sends(), ["(sender) Held", "ann Request", "bob Request"]);
    for kim in ["kim", "Kim", "KIM"] {
        assert_eq!(story.does(&approve(kim)).map(|_| ()), Err(Refused::OwnMail), "{kim}");
        let kim = By { who: Actor::Administrator(address(kim).as_str().into()), ..by("ann") };
        let reject = Command::Reject { by: kim, reason: "".into() };
        assert_eq!(story.does(&reject).map(|_| ()), Err(Refused::OwnMail));
    }
    // Nobody has two words.
    story.does(&approve("Ann")).unwrap();
    assert!(matches!(story.does(&approve("ann")), Err(Refused::VotedAlready { .. })));
    assert!(!story.case.waits_for(&address("ANN")) && story.case.waits_for(&address("BOB")));
    let twice = Command::Forward { by: by("bob"), to: Moderator::new(address("ANN")) };
    assert_eq!(story.does(&twice).map(|_| ()), Err(Refused::DecidesAlready));
    story.does(&approve("BOB")).unwrap();
    assert_eq!(story.last_fate(), &Fate::Released(None));
}

#[test]
fn a_deputy_counts_as_the_one_who_is_away_and_not_for_the_sender() {
    let deputy =
        |name: &str, of: &str| Moderator { address: address(name), deputy_of: Some(address(of)) };
    let mut both = level(2, &["ann", "bob"]);
    both.moderators.push(deputy("dee", "ann"));
    let mut story = Story::of(plan(vec![both]));
    story.does(&approve("dee")).unwrap();
    assert!(matches!(story.does(&approve("ann")), Err(Refused::VotedAlready { .. })));
    story.does(&approve("bob")).unwrap();
    assert_eq!(story.last_fate(), &Fate::Released(None));

    let of_sender = Level { moderators: vec![deputy("dee", "sam")], needed: 1 };
    let mut story = Story::of(plan(vec![of_sender]));
    assert_eq!(story.sends(), ["(sender) Held", "(administrators) NoModerator"]);
    assert_eq!(story.does(&approve("dee")).map(|_| ()), Err(Refused::OwnMail));
}

#[test]
fn where_too_few_can_decide_the_mail_waits_and_somebody_is_alerted() {
    let mut story = Story::of(plan(vec![level(2, &["sam", "ann"])]));
    assert_eq!(story.sends(), ["(sender) Held", "ann Request", "(administrators) NoModerator"]);
    let to = Moderator::new(address("eve"));
    story.does(&Command::Forward { by: by("root"), to }).unwrap();
    assert_eq!(story.sends(), ["eve Forwarded"]);
    story.does(&approve("ann")).unwrap().does(&approve("eve")).unwrap();
    assert_eq!(story.last_fate(), &Fate::Released(None));
}

#[test]
fn an_administrator_decides_alone_and_is_named() {
    let mut story = Story::of(plan(vec![level(2, &["ann", "bob"]), level(1, &["cho"])]));
    story.does(&approve("root")).unwrap();
    assert_eq!(story.closing().by.who, Actor::Administrator("root".into()));
    let mut own = plan(vec![level(1, &["ann"])]);
    own.senders.push("root@x.example".parse().unwrap());
    let root = By { who: Actor::Administrator("root@x.example".into()), ..by("root") };
    let command = Command::Discard { by: root, reason: "".into() };
    assert_eq!(Story::of(own).does(&command).map(|_| ()), Err(Refused::OwnMail));
}

#[test]
fn an_administrator_takes_it_back_for_the_sender_who_hears_of_it() {
    let mut story = Story::of(plan(vec![level(1, &["ann"])]));
    story.sends();
    story.does(&cancel("root")).unwrap();
    assert_eq!(story.closing().to_string(), "cancelled by administrator root");
    assert_eq!(story.sends(), ["(sender) Decided", "ann Decided"]);
}

#[test]
fn what_an_operator_has_done_already_is_recorded_and_undone_by_nobody() {
    let deeds =
        [(QueueDeed::Released, Decision::Released), (QueueDeed::Deleted, Decision::Discarded)];
    for (deed, decision) in deeds {
        let mut story = Story::of(plan(vec![level(2, &["ann", "bob"])]));
        story.sends();
        let overtake = Command::Overtake { by: by("root"), deed };
        story.does(&overtake).unwrap();
        assert_eq!((story.closing().decision, story.last_fate()), (decision, &Fate::Stays));
        let history = &story.case.progress.history;
        assert!(history.iter().all(|entry| entry.words.is_empty()), "{history:?}");
        assert_eq!(history[history.len() - 2].step, Step::InQueue(deed));
        let told = story.sends();
        let hears = told.contains(&"(sender) Decided".to_owned());
        assert_eq!(hears, decision == Decision::Released, "{told:?}");
        assert!(matches!(story.does(&overtake), Err(Refused::Closed(_))));
    }
}

#[test]
fn of_a_mail_that_is_gone_nobody_is_said_to_have_sent_or_deleted_it() {
    let mut story = Story::of(plan(vec![level(1, &["ann"])]));
    story.sends();
    story.does(&Command::Lose).unwrap();
    assert_eq!((story.closing().decision, story.last_fate()), (Decision::Gone, &Fate::Stays));
    assert_eq!(story.closing().by, By::clock());
    let words = "gone: it has left the queue, and how is not known here";
    assert_eq!(story.case.standing(), words);
    assert_eq!(story.case.progress.history.last().unwrap().to_string(), words);
    assert_eq!(story.sends(), ["(sender) Decided", "ann Decided"]);
    assert!(matches!(story.does(&Command::Lose), Err(Refused::Closed(_))));
}

#[test]
fn a_damaged_mail_is_for_an_operator_and_for_nobody_else() {
    let mut story = Story::of(plan(vec![level(1, &["ann"])]));
    story.sends();
    story.does(&Command::Condemn).unwrap();
    assert_eq!((story.closing().decision, story.last_fate()), (Decision::Damaged, &Fate::Stays));
    let words = "gone: what is stored of it is not what was held, and is not released";
    assert_eq!((&*story.case.standing(), story.case.progress.state.as_str()), (words, "gone"));
    assert_eq!(story.case.progress.history.last().unwrap().to_string(), words);
    assert_eq!(story.case.due(), None);
    assert_eq!(story.sends(), ["(sender) Decided", "ann Decided"]);
    assert!(matches!(story.does(&approve("ann")), Err(Refused::Closed(_))));
}

#[test]
fn a_decision_is_handed_on() {
    let mut story = Story::of(plan(vec![level(1, &["ann", "bob"])]));
    let forward = |to: &str| Command::Forward { by: by("ann"), to: Moderator::new(address(to)) };
    assert_eq!(story.does(&forward("sam")).map(|_| ()), Err(Refused::OwnMail));
    assert_eq!(story.does(&forward("bob")).map(|_| ()), Err(Refused::DecidesAlready));
    story.sends();
    story.does(&forward("eve")).unwrap();
    assert_eq!(story.sends(), ["eve Forwarded"]);
    assert_eq!(story.does(&approve("ann")).map(|_| ()), Err(Refused::NotTheirs));
    story.does(&approve("eve")).unwrap();
}

#[test]
fn the_sender_takes_it_back_also_while_it_waits_for_its_time() {
    let mut story = Story::of(plan(vec![level(1, &["ann"])]));
    assert_eq!(story.does(&cancel("ann")).map(|_| ()), Err(Refused::NotTheirs));
    story.sends();
    story.does(&cancel("sam")).unwrap();
    assert_eq!(
        (story.closing().decision, story.last_fate()),
        (Decision::Cancelled, &Fate::Dropped)
    );
    assert_eq!(story.sends(), ["ann Decided"]);

    let mut story = Story::of(plan(vec![level(1, &["ann"])]));
    let later = Command::Approve {
        by: by("ann"),
        comment: "".into(),
        only: None,
        at: Some(minute(60)),
        trust_days: 0,
    };
    story.does(&later).unwrap();
    assert_eq!(story.last_fate(), &Fate::Stays);
    assert_eq!(story.does(&reject("ann")).map(|_| ()), Err(Refused::Scheduled { at: minute(60) }));
    assert_eq!(story.case.due(), Some(minute(60)));
    story.ticks(59);
    assert_eq!(story.last_fate(), &Fate::Stays);
    let mut cancelled = Story { fates: Vec::new(), ..Story::of(plan(Vec::new())) };
    cancelled.case = story.case.clone();
    cancelled.does(&cancel("sam")).unwrap();
    assert_eq!(cancelled.last_fate(), &Fate::Dropped);
    story.ticks(60);
    assert_eq!((story.last_fate(), &story.closing().by), (&Fate::Released(None), &by("ann")));
}

#[test]
fn it_is_released_for_those_whom_everybody_agrees_on() {
    let only = |name: &str, only: &[u32]| Command::Approve {
        by: by(name),
        comment: "".into(),
        only: Some(only.into()),
        at: None,
        trust_days: 0,
    };
    let mut story = Story::of(plan(vec![level(2, &["ann", "bob"])]));
    assert_eq!(story.does(&only("ann", &[3])).map(|_| ()), Err(Refused::NoSuchRecipient));
    assert_eq!(story.does(&only("ann", &[])).map(|_| ()), Err(Refused::NoSuchRecipient));
    story.does(&only("ann", &[2, 0, 0])).unwrap();
    assert_eq!(story.does(&only("bob", &[1])).map(|_| ()), Err(Refused::NoSuchRecipient));
    story.does(&only("bob", &[1, 2])).unwrap();
    assert_eq!(story.last_fate(), &Fate::Released(Some(vec![2])));
}

fn trusting(name: &str, trust_days: u16) -> Command {
    Command::Approve { by: by(name), comment: "".into(), only: None, at: None, trust_days }
}

#[test]
fn nobody_frees_their_own_mail_from_a_rule() {
    for kind in [Kind::Delay, Kind::Confirmation, Kind::Approval] {
        let own =
            Plan { kind, own_mail: OwnMail::Allowed, ..plan(vec![level(1, &["sam", "ann"])]) };
        let mut story = Story::of(own);
        let mut sam = by("ann");
        sam.who = Actor::Moderator(address("sam"));
        let trust = |by: &By, trust_days| Command::Approve {
            by: by.clone(),
            comment: "".into(),
            only: None,
            at: None,
            trust_days,
        };
        assert_eq!(story.does(&trust(&sam, 1)).map(|_| ()), Err(Refused::NoTrust), "{kind:?}");
        // Nor does an administrator, of what its sender decides.
        let of_root = story.case.take(&trusting("root", 1), minute(0));
        assert_eq!(of_root.is_ok(), kind == Kind::Approval, "{kind:?}");
        let own_root = By { who: Actor::Administrator("sam@x.example".into()), ..by("root") };
        let refused = story.case.take(&trust(&own_root, 1), minute(0));
        assert_eq!(refused, Err(Refused::NoTrust), "{kind:?}");
        story.does(&trust(&sam, 0)).unwrap();
        assert_eq!((story.last_fate(), story.trust), (&Fate::Released(None), None));
    }
}

#[test]
fn trust_is_for_a_month_at_most() {
    for name in ["ann", "root"] {
        let mut story = Story::of(plan(vec![level(1, &["ann"])]));
        let refused = story.does(&trusting(name, MOST_DAYS + 1)).map(|_| ());
        assert_eq!(refused, Err(Refused::TrustTooLong));
        story.does(&trusting(name, MOST_DAYS)).unwrap();
        assert_eq!(story.trust, Some(Trust { until: minute(31 * 24 * 60) }));
    }
}

#[test]
fn only_an_administrator_ends_trust_and_it_is_recorded() {
    let mut story = Story::of(plan(vec![level(1, &["ann"])]));
    story.does(&trusting("ann", 3)).unwrap();
    let distrust = |name| Command::Distrust { by: by(name) };
    assert_eq!(story.does(&distrust("ann")).map(|_| ()), Err(Refused::NotTheirs));
    story.does(&distrust("root")).unwrap();
    let last = story.case.progress.history.last().unwrap();
    assert_eq!(last.to_string(), "trust ended by administrator root");
    assert_eq!(story.closing().decision, Decision::Released);
}

#[test]
fn nothing_is_sent_at_a_time_that_is_over() {
    let at = |time| Command::Approve {
        by: by("ann"),
        comment: "".into(),
        only: None,
        at: Some(time),
        trust_days: 0,
    };
    let mut story = Story::of(plan(vec![level(1, &["ann"])]));
    story.at(60);
    assert_eq!(story.does(&at(minute(58))).map(|_| ()), Err(Refused::Past));
    assert_eq!(story.case.progress.state, State::Pending);
    story.does(&at(minute(59))).unwrap();
    assert_eq!(story.last_fate(), &Fate::Released(None));
}

#[test]
fn what_was_sent_is_not_said_to_be_expired() {
    for (kind, words) in [
        (Kind::Delay, "released: its time had come"),
        (Kind::Approval, "released: nobody decided in time"),
        (Kind::Confirmation, "released: nobody decided in time"),
    ] {
        let expiry = Expiry { at: minute(5), warning: None, action: AtExpiry::Release };
        let own = Plan { kind, expiry: Some(expiry), ..plan(vec![level(1, &["ann"])]) };
        let mut story = Story::of(own);
        story.ticks(5);
        assert_eq!((&*story.case.standing(), story.last_fate()), (words, &Fate::Released(None)));
        assert_eq!(story.case.progress.state.as_str(), "released");
        let last = story.case.progress.history.last().unwrap();
        assert_eq!(last.to_string(), "released: its time had come");
    }
    let rejected = Decision::Expired(AtExpiry::Reject);
    assert_eq!(rejected.as_str(), "expired");
}

#[test]
fn mail_that_never_waited_says_so() {
    for (readers, words) in
        [(&["ann"][..], "sent at once, 1 was told"), (&["ann", "bob"], "sent at once, 2 were told")]
    {
        let readers: Vec<Address> = readers.iter().map(|one| address(one)).collect();
        let own = Plan { kind: Kind::Delay, tells_sender: TellsSender::Never, ..plan(Vec::new()) };
        let case = Case::passed(own, &readers, minute(0));
        assert_eq!((&*case.standing(), case.progress.state.as_str()), (words, "released"));
        let steps: Vec<String> = case.progress.history.iter().map(Entry::to_string).collect();
        assert_eq!((steps, case.progress.owed.len()), (vec![words.to_owned()], readers.len()));
    }
}

#[test]
fn a_sender_is_trusted_as_long_as_all_wish() {
    let mut story = Story::of(plan(vec![level(2, &["ann", "bob"])]));
    story.does(&trusting("ann", 30)).unwrap();
    assert_eq!(story.trust, None);
    story.does(&trusting("bob", 7)).unwrap();
    assert_eq!(story.trust, Some(Trust { until: minute(7 * 24 * 60) }));
    let mut story = Story::of(plan(vec![level(2, &["ann", "bob"])]));
    story.does(&trusting("ann", 30)).unwrap().does(&approve("bob")).unwrap();
    assert_eq!(story.trust, None);
    // At whatever level.
    let mut story = Story::of(plan(vec![level(1, &["ann"]), level(1, &["bob"])]));
    story.does(&trusting("ann", 2)).unwrap().does(&trusting("bob", 7)).unwrap();
    assert_eq!(story.trust, Some(Trust { until: minute(2 * 24 * 60) }));
    let mut story = Story::of(plan(vec![level(1, &["ann"]), level(1, &["bob"])]));
    story.does(&approve("ann")).unwrap().does(&trusting("bob", 7)).unwrap();
    assert_eq!(story.trust, None);
}

#[test]
fn it_is_given_back_with_words_and_thrown_away_without() {
    let back = |reason: &str| Command::Return { by: by("ann"), reason: reason.into() };
    let mut story = Story::of(plan(vec![level(1, &["ann"])]));
    assert_eq!(story.does(&back(" ")).map(|_| ()), Err(Refused::NoWords));
    story.sends();
    story.does(&back("name the project")).unwrap();
    assert_eq!(story.closing().decision, Decision::Returned);
    assert_eq!(story.sends(), ["(sender) Decided"]);

    let mut story = Story::of(plan(vec![level(1, &["ann", "bob"])]));
    story.sends();
    story.does(&Command::Discard { by: by("ann"), reason: "".into() }).unwrap();
    assert_eq!(story.sends(), ["bob Decided"]);
}

#[test]
fn what_is_said_decides_nothing() {
    let says = |name: &str| Command::Comment { by: by(name), text: "hm".into() };
    let mut story = Story::of(plan(vec![level(1, &["ann"])]));
    story.sends();
    story.does(&says("ann")).unwrap().does(&says("sam")).unwrap();
    assert_eq!(story.does(&says("eve")).map(|_| ()), Err(Refused::NotTheirs));
    assert_eq!(story.last_fate(), &Fate::Stays);
    assert_eq!(story.sends(), Vec::<String>::new());
    for _ in 0..1000 {
        let _ = story.does(&says("ann"));
    }
    assert_eq!(story.does(&says("ann")).map(|_| ()), Err(Refused::Full));
    story.does(&approve("ann")).unwrap();
}

#[test]
fn whoever_says_too_much_is_refused_by_the_case_itself() {
    let words = |count| "\u{ac01}".repeat(count).into_boxed_str();
    let all = |count| {
        let (by, at) = (by("ann"), None);
        let (only, trust_days) = (None, 0);
        [
            Command::Comment { by: by.clone(), text: words(count) },
            Command::Reject { by: by.clone(), reason: words(count) },
            Command::Return { by: by.clone(), reason: words(count) },
            Command::Discard { by: by.clone(), reason: words(count) },
            Command::Approve { by, comment: words(count), only, at, trust_days },
        ]
    };
    let story = Story::of(plan(vec![level(1, &["ann"])]));
    for (long, short) in all(MOST_WORDS + 1).iter().zip(&all(MOST_WORDS)) {
        assert_eq!(story.case.take(long, minute(1)), Err(Refused::TooLong));
        assert!(story.case.take(short, minute(1)).is_ok(), "{short:?}");
    }
    // Whoever comes late hears who decided, however much they say.
    let mut story = story;
    story.does(&approve("ann")).unwrap();
    let late = story.case.take(&all(MOST_WORDS + 1)[1], minute(1));
    assert!(matches!(late, Err(Refused::Closed(_))), "{late:?}");
}

#[test]
fn reminders_without_end_make_a_case_no_larger_and_nobody_silent() {
    let remind_every = Some(60);
    let mut story = Story::of(Plan { remind_every, ..plan(vec![level(1, &["ann", "bob"])]) });
    let says = Command::Comment { by: by("ann"), text: "hm".into() };
    story.ticks(1).ticks(2).ticks(3).does(&says).unwrap();
    for minutes in 4..=500 {
        story.ticks(minutes);
    }
    let history: Vec<String> = story.case.progress.history.iter().map(Entry::to_string).collect();
    let reminded = "people were reminded";
    let folded = "people were reminded 495 times more";
    let said = "comment by moderator ann@x.example";
    assert_eq!(history, ["held", reminded, reminded, said, folded, reminded, reminded, reminded]);
    let times: Vec<u64> = story.case.progress.history.iter().map(|one| one.at.as_secs()).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(story.case.progress.all_steps(), 502);
    // None of them was sent yet: one says as much as five hundred.
    let owed = ["(sender) Held", "ann Request", "bob Request", "ann Reminder", "bob Reminder"];
    assert_eq!(story.sends(), owed);
    story.does(&says).unwrap().does(&approve("ann")).unwrap();
    assert_eq!(story.last_fate(), &Fate::Released(None));
}

#[test]
fn what_expires_goes_to_those_and_at_the_time_that_were_said() {
    let expiry = Some(Expiry { at: minute(9), warning: None, action: AtExpiry::Release });
    let both = || Plan { expiry, recipients: 3, ..plan(vec![level(2, &["ann", "bob"])]) };
    let some = |at| Command::Approve {
        by: by("ann"),
        comment: "".into(),
        only: Some(vec![1]),
        at,
        trust_days: 0,
    };
    let case = Case::open(both(), minute(0)).take(&some(None), minute(1)).unwrap().case;
    let ended = case.take(&Command::Clock, minute(9)).unwrap();
    assert_eq!(ended.fate, Fate::Released(Some(vec![1])));
    let case = Case::open(both(), minute(0)).take(&some(Some(minute(30))), minute(1)).unwrap().case;
    let waits = case.take(&Command::Clock, minute(9)).unwrap();
    assert_eq!((&waits.fate, waits.case.due()), (&Fate::Stays, Some(minute(30))));
    let sent = waits.case.take(&Command::Clock, minute(30)).unwrap();
    assert_eq!(sent.fate, Fate::Released(Some(vec![1])));
    // An operator sends it to all, and so nobody is said to be left out.
    let by = By { who: Actor::Administrator("root".into()), proof: Proof::CommandLine, from: None };
    let taken = case.take(&Command::Overtake { by, deed: QueueDeed::Released }, minute(2)).unwrap();
    assert_eq!(taken.case.progress.only, None);
}

#[test]
fn people_are_reminded_others_asked_and_all_warned_before_it_expires() {
    let mut timed = plan(vec![level(1, &["ann"])]);
    timed.remind_every = Some(40 * 60);
    let to = vec![Moderator::new(address("bob")), Moderator::new(address("ann"))];
    timed.escalation = Some(Escalation { at: minute(60), to });
    timed.expiry =
        Some(Expiry { at: minute(120), warning: Some(minute(100)), action: AtExpiry::Reject });
    let mut story = Story::of(timed);
    story.sends();
    let mut heard = Vec::new();
    while let Some(due) = story.case.due() {
        let minutes = (due.as_secs() - minute(0).as_secs()) / 60;
        let told = story.ticks(minutes).sends();
        heard.push(format!("{minutes}: {}", told.join(", ")));
    }
    assert_eq!(
        heard,
        [
            "40: ann Reminder",
            "60: bob Escalation",
            "80: ann Reminder, bob Reminder",
            "100: ann ExpiryWarning, bob ExpiryWarning, (sender) ExpiryWarning",
            "120: (sender) Decided, ann Decided, bob Decided",
        ]
    );
    assert_eq!(story.closing().decision, Decision::Expired(AtExpiry::Reject));
    assert!(story.fates.contains(&Fate::Dropped));
}

#[test]
fn after_a_long_sleep_nobody_is_flooded_and_the_warning_still_comes_first() {
    let mut timed = plan(vec![level(1, &["ann"])]);
    timed.remind_every = Some(60);
    timed.expiry =
        Some(Expiry { at: minute(120), warning: Some(minute(100)), action: AtExpiry::Release });
    let mut story = Story::of(timed);
    story.sends();
    let mut told = story.ticks(10_000).sends();
    told.sort();
    assert_eq!(told, ["(sender) ExpiryWarning", "ann ExpiryWarning", "ann Reminder"]);
    story.case.plan.remind_every = None;
    assert_eq!(story.case.due(), Some(minute(10_020)));
    story.ticks(10_020);
    assert_eq!(story.last_fate(), &Fate::Released(None));
}

#[test]
fn what_was_written_by_a_clock_that_was_ahead_puts_nothing_off() {
    let year = 365 * 24 * 60;
    let mut timed = plan(vec![level(1, &["ann"])]);
    timed.remind_every = Some(60 * 60);
    timed.expiry =
        Some(Expiry { at: minute(200), warning: Some(minute(100)), action: AtExpiry::Release });
    let mut case = Case::open(timed, minute(0));
    (case.progress.asked, case.progress.warned) = (minute(year), Some(minute(year)));
    assert!(case.is_ahead(minute(10)) && !case.is_ahead(minute(year)));
    let mended = case.take(&Command::Clock, minute(10)).unwrap();
    assert!(!mended.case.is_ahead(minute(10)));
    assert_eq!((mended.fate, mended.case.due()), (Fate::Stays, Some(minute(70))));
    assert_eq!(mended.case.expires(), Some(minute(200)));
    let mut story = Story { case: mended.case, now: minute(10), fates: Vec::new(), trust: None };
    assert_eq!(story.ticks(70).case.due(), Some(minute(130)));
    story.ticks(200);
    assert_eq!(story.last_fate(), &Fate::Released(None));
}

#[test]
fn what_came_while_the_clock_was_ahead_waits_as_long_as_anything_else() {
    let year = 365 * 24 * 60;
    let mut timed = plan(vec![level(1, &["ann"])]);
    let (at, warning) = (minute(year + 200), Some(minute(year + 100)));
    timed.expiry = Some(Expiry { at, warning, action: AtExpiry::Release });
    timed.escalation = Some(Escalation { at: minute(year + 50), to: Vec::new() });
    let case = Case::open(timed, minute(year));
    assert!(case.is_ahead(minute(10)) && !case.is_ahead(minute(year)));
    let mended = case.take(&Command::Clock, minute(10)).unwrap().case;
    assert!(!mended.is_ahead(minute(10)));
    assert_eq!((mended.due(), mended.expires()), (Some(minute(60)), Some(minute(210))));
    let mut story = Story { case: mended, now: minute(10), fates: Vec::new(), trust: None };
    story.ticks(110);
    story.ticks(210);
    assert_eq!(story.last_fate(), &Fate::Released(None));
}

#[test]
fn a_delay_goes_by_itself_unless_the_sender_takes_it_back() {
    let mut delay = plan(vec![level(1, &["sam"])]);
    delay.kind = Kind::Delay;
    delay.own_mail = OwnMail::Allowed;
    delay.expiry = Some(Expiry { at: minute(5), warning: None, action: AtExpiry::Release });
    let mut story = Story::of(delay.clone());
    assert_eq!(story.sends(), ["(sender) Held"]);
    story.ticks(5);
    assert_eq!(story.last_fate(), &Fate::Released(None));
    assert_eq!(story.sends(), ["(sender) Decided"]);
    let mut story = Story::of(delay);
    story.at(4).does(&cancel("sam")).unwrap();
    assert_eq!(story.last_fate(), &Fate::Dropped);
}

#[test]
fn a_sender_confirms_their_own_mail() {
    let mut confirmation = plan(vec![level(1, &["sam"])]);
    confirmation.kind = Kind::Confirmation;
    confirmation.own_mail = OwnMail::Allowed;
    let mut story = Story::of(confirmation);
    assert_eq!(story.sends(), ["sam Request"]);
    let sam = By { who: Actor::Moderator(address("sam")), ..by("ann") };
    let command =
        Command::Approve { by: sam, comment: "".into(), only: None, at: None, trust_days: 0 };
    story.does(&command).unwrap();
    assert_eq!(story.last_fate(), &Fate::Released(None));
}

#[test]
fn a_sender_hears_of_the_wait_of_the_outcome_or_nothing() {
    for (tells_sender, all) in [
        (TellsSender::Always, ["Held", "ExpiryWarning", "Decided"].as_slice()),
        (TellsSender::Outcome, &["Decided"]),
        (TellsSender::Never, &[]),
    ] {
        let mut plan = plan(vec![level(1, &["ann"])]);
        let warning = Some(minute(5));
        plan.expiry = Some(Expiry { at: minute(9), warning, action: AtExpiry::Reject });
        plan.tells_sender = tells_sender;
        let mut story = Story::of(plan);
        let mut heard = story.sends();
        for minutes in [5, 9] {
            story.ticks(minutes);
            heard.extend(story.sends());
        }
        heard.retain(|one| one.starts_with("(sender)"));
        let all: Vec<String> = all.iter().map(|word| format!("(sender) {word}")).collect();
        assert_eq!(heard, all, "{tells_sender:?}");
    }
}

#[test]
fn whoever_may_not_be_the_sender_is_asked_and_told_nothing() {
    for (kind, asked) in [
        (Kind::Approval, ["ann Request"].as_slice()),
        (Kind::Delay, &[]),
        (Kind::Confirmation, &["(administrators) NoModerator"]),
    ] {
        let decides = if kind == Kind::Approval { "ann" } else { "sam" };
        let mut plan = plan(vec![level(1, &[decides])]);
        plan.kind = kind;
        plan.own_mail = if kind == Kind::Approval { OwnMail::Never } else { OwnMail::Allowed };
        let mut story = Story::of(plan.of_uncertain_sender());
        assert_eq!(story.sends(), asked, "{kind:?}");
        story.at(5).does(&reject("root")).unwrap();
        let heard = story.sends();
        assert!(heard.iter().all(|one| one.starts_with("ann")), "{kind:?} {heard:?}");
    }
}

#[test]
fn questions_that_were_not_sent_yet_are_not_sent_any_more() {
    let mut story = Story::of(plan(vec![level(1, &["ann", "bob"])]));
    story.does(&approve("ann")).unwrap();
    assert_eq!(story.sends(), ["(sender) Held", "(sender) Decided", "bob Decided"]);
}

#[test]
fn a_case_reads_back_as_it_was_written() {
    let mut story = Story::of(plan(vec![level(2, &["ann", "bob"])]));
    story.does(&approve("ann")).unwrap();
    let written = serde_json::to_string(&story.case).unwrap();
    assert_eq!(serde_json::from_str::<Case>(&written).unwrap(), story.case);
}
