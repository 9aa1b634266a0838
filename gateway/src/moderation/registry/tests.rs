use mailweir_mail::{Address, ReversePath};
use mailweir_moderation::{
    case::{
        Actor, AtExpiry, By, Case, Command, Expiry, Kind, Level, Moderator, OwnMail, Plan, Proof,
        QueueDeed, RuleName, TellsSender, Trust,
    },
    case_file::Attach,
    notice::Summary,
    token::{Purpose, Token},
};

use super::*;

const KEEP: Duration = Duration::from_secs(1_000);

fn second(seconds: u64) -> Timestamp {
    Timestamp::from_secs(1_000_000 + seconds)
}

fn id(number: u32) -> QueueId {
    QueueId::new(second(0).plus(Duration::from_micros(number.into())), 1)
}

fn boss() -> Address {
    "boss@own.example".parse().unwrap()
}

/// A case that expires at a second.
pub(in crate::moderation) fn open(expires: u64) -> CaseFile {
    let plan = Plan {
        rule: RuleName { name: "r".into(), place: "p".into() },
        also: Vec::new(),
        kind: Kind::Approval,
        levels: vec![Level { moderators: vec![Moderator::new(boss())], needed: 1 }],
        senders: Vec::new(),
        recipients: 1,
        content: [0; 32],
        own_mail: OwnMail::Never,
        remind_every: None,
        escalation: None,
        expiry: Some(Expiry { at: second(expires), warning: None, action: AtExpiry::Reject }),
        tells_sender: TellsSender::Never,
    };
    let mail = Summary {
        sender: ReversePath::Null,
        from: "".into(),
        login: Some("ann".into()),
        client: None,
        recipients: Vec::new(),
        sent_to: 0,
        subject: "".into(),
        size: 1,
        arrival: second(0),
        attachments: Vec::new(),
        more_attachments: 0,
        reasons: Vec::new(),
        text: "".into(),
    };
    CaseFile::new(Case::open(plan, second(0)), mail, Attach::Nothing)
}

/// It asks two people.
fn for_two() -> CaseFile {
    let mut two = open(30);
    let other = Moderator::new("other@own.example".parse().unwrap());
    two.case.plan.levels[0].moderators.push(other);
    two.case = Case::open(two.case.plan, second(0));
    two
}

fn settled(mut file: CaseFile) -> CaseFile {
    for owed in file.case.progress.owed.clone() {
        file.case = file.case.take(&Command::Settle { owed: owed.number }, second(0)).unwrap().case;
    }
    file
}

fn decided(file: CaseFile, at: u64) -> CaseFile {
    let by = By { who: Actor::Administrator("root".into()), proof: Proof::CommandLine, from: None };
    let command = Command::Discard { by, reason: "".into() };
    let case = file.case.take(&command, second(at)).unwrap().case;
    settled(CaseFile { case, ..file })
}

fn released(file: CaseFile, at: u64) -> CaseFile {
    let by = By { who: Actor::Administrator("root".into()), proof: Proof::CommandLine, from: None };
    let command = Command::Approve { by, comment: "".into(), only: None, at: None, trust_days: 0 };
    let case = file.case.take(&command, second(at)).unwrap().case;
    settled(CaseFile { case, ..file })
}

fn registry(cases: impl IntoIterator<Item = (QueueId, CaseFile)>) -> Registry {
    let mut registry = Registry::default();
    cases.into_iter().for_each(|(id, file)| registry.put(id, Arc::new(file)));
    registry
}

#[test]
fn a_case_is_found_when_its_time_has_come_and_no_earlier() {
    let cases = [(id(1), settled(open(30))), (id(2), settled(open(10)))];
    let registry = registry(cases);
    assert_eq!(registry.next(KEEP), Some(second(10)));
    assert_eq!(registry.due(second(9), 9), []);
    assert_eq!(registry.due(second(30), 9), [id(2), id(1)]);
    assert_eq!(registry.due(second(30), 1), [id(2)]);
}

#[test]
fn what_is_owed_is_found_until_it_is_settled() {
    let mut registry = registry([(id(1), open(30))]);
    assert_eq!(registry.owing(second(0), 9), [id(1)]);
    registry.put(id(1), Arc::new(settled(open(30))));
    assert_eq!(registry.owing(second(99), 9), []);
}

#[test]
fn what_goes_out_together_with_others_is_not_owed_by_itself() {
    let two = for_two();
    let numbers: Vec<u32> = two.case.progress.owed.iter().map(|owed| owed.number).collect();
    let mut registry = registry([(id(1), two.clone())]);
    registry.gather(id(1), numbers[0]);
    assert_eq!(registry.owing(second(0), 9), [id(1)]);
    let owed = |registry: &Registry| registry.owed(id(1), second(0)).map(|owed| owed.number);
    assert_eq!(owed(&registry), Some(numbers[1]));
    registry.gather(id(1), numbers[1]);
    assert_eq!((registry.owing(second(99), 9), registry.next_owed()), (Vec::new(), None));
    assert_eq!(owed(&registry), None);
    // A change of the case changes nothing of that; what is settled is forgotten.
    registry.put(id(1), Arc::new(two.clone()));
    assert_eq!(registry.owing(second(99), 9), []);
    registry.put(id(1), Arc::new(settled(two.clone())));
    registry.put(id(1), Arc::new(two));
    assert_eq!(registry.owing(second(0), 9), [id(1)]);
}

#[test]
fn a_new_case_wakes_nobody_unless_it_is_next_or_owes_something_now() {
    let mut registry = Registry::default();
    let (all, none) = (|| BTreeSet::from([0]), BTreeSet::new());
    assert!(registry.open(id(1), Arc::new(open(50)), all()), "it is the first that expires");
    assert!(!registry.open(id(2), Arc::new(open(60)), all()));
    assert!(registry.open(id(3), Arc::new(open(40)), all()), "it expires before all others");
    assert!(registry.open(id(4), Arc::new(open(60)), none), "its request goes out by itself");
    assert_eq!(registry.owing(second(99), 9), [id(4)]);
    assert_eq!(registry.due(second(99), 9), [id(3), id(1), id(2), id(4)]);
}

#[test]
fn what_fails_is_tried_again_ever_later_until_it_is_done() {
    let mut registry = registry([(id(1), open(3))]);
    assert_eq!(registry.postpone(id(1), second(0)), second(5));
    assert_eq!(registry.due(second(4), 9), []);
    assert_eq!(registry.due(second(5), 9), [id(1)]);
    assert_eq!(registry.owing(second(0), 9), [id(1)], "notices do not wait for it");
    assert_eq!(registry.postpone(id(1), second(5)), second(15));
    for _ in 0..50 {
        assert!(registry.postpone(id(1), second(5)) <= second(3_605));
    }
    registry.put(id(1), Arc::new(open(3)));
    assert_eq!(registry.due(second(3), 9), [id(1)], "a change is a new beginning");
}

#[test]
fn a_notice_that_cannot_be_sent_delays_no_other_and_not_what_the_clock_asks() {
    let two = for_two();
    let numbers: Vec<u32> = two.case.progress.owed.iter().map(|owed| owed.number).collect();
    let mut registry = registry([(id(1), two.clone())]);
    let owed = |registry: &Registry, now| registry.owed(id(1), second(now)).map(|one| one.number);
    assert_eq!(owed(&registry, 0), Some(numbers[0]));
    assert_eq!(registry.postpone_notice((id(1), numbers[0]), second(0)), second(5));
    assert_eq!((owed(&registry, 4), registry.owing(second(4), 9)), (Some(numbers[1]), vec![id(1)]));
    assert_eq!(registry.due(second(30), 9), [id(1)], "it expires in time");
    assert_eq!(registry.next(KEEP), Some(second(30)));
    // The second is sent, which does not call the first any sooner.
    let mut one = two;
    let command = Command::Settle { owed: numbers[1] };
    one.case = one.case.take(&command, second(1)).unwrap().case;
    registry.put(id(1), Arc::new(one.clone()));
    assert_eq!((owed(&registry, 4), registry.owing(second(4), 9)), (None, Vec::new()));
    assert_eq!(registry.next_owed(), Some(second(5)));
    assert_eq!((owed(&registry, 5), registry.owing(second(5), 9)), (Some(numbers[0]), vec![id(1)]));
    assert_eq!(registry.postpone_notice((id(1), numbers[0]), second(5)), second(15));
    registry.put(id(1), Arc::new(settled(one)));
    assert_eq!((registry.owing(second(99), 9), registry.late_notices.len()), (Vec::new(), 0));
}

#[test]
fn what_was_opened_or_asked_by_a_clock_that_was_ahead_is_not_put_off() {
    let ahead = |file: &mut CaseFile| {
        file.case.progress.opened = second(90_000);
        file.case.progress.asked = second(90_000);
        file.case.plan.remind_every = Some(60);
        file.case.plan.expiry = None;
    };
    let (mut owes, mut asked) = (open(30), settled(open(30)));
    [&mut owes, &mut asked].into_iter().for_each(ahead);
    let mut registry = registry([(id(1), owes), (id(2), asked.clone())]);
    assert_eq!(registry.owing(second(10_000), 9), [id(1)]);
    assert_eq!(registry.due(second(10_000), 9), []);
    // Seen at the first look after a start, and whenever the clock is set back.
    registry.look_at_clock(second(10_000));
    assert_eq!(registry.due(second(10_000), 9), [id(1), id(2)]);
    registry.put(id(2), Arc::new(asked.clone()));
    assert_eq!(registry.due(second(10_000), 9), [id(1), id(2)], "a change is no look at the clock");
    let mended = asked.take(&Command::Clock, second(10_000)).unwrap().0;
    registry.put(id(2), Arc::new(mended));
    registry.looked_at(id(1));
    assert_eq!(registry.due(second(10_060), 9), [id(2)]);
    registry.look_at_clock(second(90_000));
    registry.look_at_clock(second(10_000));
    assert_eq!(registry.due(second(10_000), 9), [id(1)]);
}

#[test]
fn what_failed_is_tried_again_soon_though_the_clock_was_set_back() {
    let mut registry = registry([(id(1), open(3)), (id(2), decided(open(3), 5))]);
    registry.look_at_clock(second(90_000));
    for _ in 0..3 {
        registry.postpone(id(1), second(90_000));
    }
    registry.postpone(id(2), second(90_000));
    assert_eq!(registry.next(KEEP), Some(second(90_005)));
    registry.look_at_clock(second(10_000));
    assert_eq!(registry.next(KEEP), Some(second(10_005)));
    assert_eq!(registry.old(second(10_005), KEEP, 9), [id(2)]);
    assert_eq!(registry.due(second(10_019), 9), []);
    assert_eq!(registry.due(second(10_020), 9), [id(1)]);
    // Forward it goes as it was said.
    registry.look_at_clock(second(10_019));
    assert_eq!(registry.due(second(10_019), 9), []);
    assert_eq!(registry.due(second(10_020), 9), [id(1)]);
    let number = registry.owed(id(1), second(10_020)).unwrap().number;
    registry.postpone_notice((id(1), number), second(10_020));
    registry.look_at_clock(second(10_000));
    assert_eq!(registry.owing(second(10_004), 9), []);
    assert_eq!(registry.owing(second(10_005), 9), [id(1)]);
}

#[test]
fn what_cannot_be_forgotten_waits_its_turn_and_what_an_operator_has_is_kept() {
    let left = CaseFile { also_held: Some("a table".into()), ..released(open(30), 5) };
    let mut registry = registry([(id(1), decided(open(30), 5)), (id(2), left.clone())]);
    assert_eq!(registry.old(second(9_999), KEEP, 9), [id(1)]);
    assert!(!registry.is_old(id(2), second(9_999), KEEP));
    registry.postpone(id(1), second(9_999));
    assert_eq!(registry.old(second(10_003), KEEP, 9), []);
    assert_eq!(registry.next(KEEP), Some(second(10_004)));
    assert_eq!(registry.old(second(10_004), KEEP, 9), [id(1)]);
    // It was to be kept for longer meanwhile.
    let longer = KEEP * 99;
    assert!(!registry.is_old(id(1), second(10_004), longer));
    registry.calm(id(1));
    assert_eq!(registry.old(second(10_004), longer, 9), []);
    let sent = left.operated(QueueDeed::Released, "root", second(6)).unwrap();
    registry.put(id(2), Arc::new(settled(sent)));
    assert_eq!(registry.old(second(9_999), KEEP, 9), [id(1), id(2)]);
}

#[test]
fn a_token_leads_to_its_case_while_it_is_good() {
    let token = Token::new([7; 32]).hash();
    let mut file = open(30);
    let (person, purpose) = (boss(), Purpose::Decide);
    let grant = Grant { token, answer: None, person, purpose, expires: second(20), sent: None };
    file.give(grant.clone());
    let mut registry = registry([(id(1), file)]);
    let found = registry.find(token, second(19)).map(|(id, _, grant)| (id, grant.clone()));
    assert_eq!(found, Some((id(1), grant)));
    assert!(registry.find(token, second(20)).is_none());
    assert!(registry.find(Token::new([8; 32]).hash(), second(1)).is_none());
    registry.remove(id(1));
    assert!(registry.find(token, second(1)).is_none());
}

#[test]
fn the_token_of_a_notice_is_known_before_the_notice_is_written_and_not_if_it_never_is() {
    let [first, other] = [7, 8].map(|byte| Token::new([byte; 32]));
    let grant = |token: &Token| Grant {
        token: token.hash(),
        answer: Some(token.answer_code().hash()),
        person: boss(),
        purpose: Purpose::Decide,
        expires: second(20),
        sent: None,
    };
    let mut file = open(30);
    file.give(grant(&first));
    let mut registry = registry([(id(1), file.clone())]);
    let knows = |registry: &Registry, token: &Token| {
        let opens = registry.find(token.hash(), second(1)).is_some();
        assert_eq!(registry.find_answered(&token.answer_code(), second(1)).is_some(), opens);
        opens
    };
    registry.foretell(id(1), &[grant(&first), grant(&other)]);
    assert!(knows(&registry, &first) && knows(&registry, &other));
    assert_eq!(registry.owing(second(0), 9), [id(1)], "it is owed until it is written");
    registry.foretell(id(1), &file.grants);
    assert!(knows(&registry, &first) && !knows(&registry, &other));
    registry.foretell(id(1), &[grant(&other)]);
    registry.remove(id(1));
    assert!(!knows(&registry, &first) && !knows(&registry, &other));
}

#[test]
fn decided_cases_are_old_after_a_while_and_open_ones_never() {
    let cases = [(id(1), decided(open(30), 5)), (id(2), settled(open(30)))];
    let mut registry = registry(cases);
    assert_eq!(registry.old(second(1_004), KEEP, 9), []);
    assert_eq!(registry.old(second(9_999), KEEP, 9), [id(1)]);
    registry.remove(id(1));
    assert_eq!(registry.old(second(9_999), KEEP, 9), []);
    assert!(registry.get(id(1)).is_none());
    assert_eq!(registry.all(None).map(|(id, ..)| id).collect::<Vec<_>>(), [id(2)]);
}

#[test]
fn a_case_that_makes_its_sender_trusted_is_kept_as_long() {
    let file = CaseFile { trust: Some(Trust { until: second(5_000) }), ..decided(open(30), 5) };
    let mut registry = registry([(id(1), file)]);
    let rule = registry.get(id(1)).unwrap().case.plan.rule.name.clone();
    assert!(registry.trusts("ann", &rule, second(4_999)));
    assert!(!registry.trusts("ann", &rule, second(5_000)));
    assert!(!registry.trusts("bob", &rule, second(1)));
    assert!(!registry.trusts("ann", "another rule", second(1)));
    assert_eq!(registry.old(second(5_999), KEEP, 9), []);
    registry.remove(id(1));
    assert!(!registry.trusts("ann", &rule, second(1)));
}

#[test]
fn trust_is_over_when_no_case_says_it_any_more() {
    let file =
        |until| CaseFile { trust: Some(Trust { until: second(until) }), ..decided(open(30), 5) };
    let mut registry = registry([(id(1), file(5_000)), (id(2), file(6_000))]);
    let until = |registry: &Registry, now| {
        let mut all: Vec<_> = registry.trusted(second(now)).map(|(one, _)| one.until).collect();
        all.sort_unstable();
        all
    };
    assert_eq!(until(&registry, 1), [second(5_000), second(6_000)]);
    registry.put(id(2), Arc::new(CaseFile { trust: None, ..file(0) }));
    assert_eq!(until(&registry, 1), [second(5_000)]);
    assert_eq!(until(&registry, 5_000), []);
    registry.remove(id(1));
    assert_eq!(registry.trusted.len(), 0);
    // Said by a clock that was months ahead.
    registry.put(id(3), Arc::new(file(10_000_000)));
    assert_eq!(until(&registry, 1), []);
    assert!(
        !registry.trusts("ann", "r", second(1)) && registry.trusts("ann", "r", second(9_999_999))
    );
}

#[test]
fn one_at_a_time_changes_a_case() {
    let mut registry = Registry::default();
    assert!(registry.begin(id(1)) && !registry.begin(id(1)) && registry.begin(id(2)));
    registry.end(id(1));
    assert!(registry.begin(id(1)));
}

/// Many cases, changed in any order: what the indices say is what the cases say.
#[test]
fn of_many_cases_each_index_knows_what_it_must() {
    let count = 2_000;
    let mut registry = registry((0..count).map(|number| (id(number), open(number.into()))));
    for number in (0..count).filter(|number| number % 2 == 0) {
        registry.put(id(number), Arc::new(decided(open(number.into()), 1)));
    }
    for number in (0..count).filter(|number| number % 4 == 1) {
        registry.remove(id(number));
    }
    let all = usize::MAX;
    assert_eq!(registry.all(None).count(), 1_500);
    assert_eq!(registry.due(second(9_999), all).len(), 500);
    assert_eq!(registry.owing(second(0), all).len(), 500);
    assert_eq!(registry.old(second(9_999), KEEP, all).len(), 1_000);
    assert_eq!(
        registry.all(Some(id(1_997))).map(|(id, ..)| id).collect::<Vec<_>>(),
        [id(1_998), id(1_999)]
    );
}
