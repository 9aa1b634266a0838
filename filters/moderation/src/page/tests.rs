use std::{net::IpAddr, time::Duration};

use mailweir_mail::{Address, Timestamp};

use super::*;
use crate::{
    case::{
        Actor, AtExpiry, Case, Command, Expiry, Kind, Level, Moderator, OwnMail, Plan, Proof,
        RuleName, TellsSender,
    },
    case_file::CaseFile,
    deed::Unfit,
    notice::Recipient,
    token::{Grant, Purpose, Token},
};

const NOW: Timestamp = Timestamp::from_secs(1_000_000);

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn open(kind: Kind) -> Case {
    let (moderators, own_mail) = match kind {
        Kind::Approval => (["boss@own.example", "cfo@own.example"].to_vec(), OwnMail::Never),
        Kind::Delay | Kind::Confirmation => (vec!["ann@own.example"], OwnMail::Allowed),
    };
    let moderators = moderators.into_iter().map(|one| Moderator::new(address(one))).collect();
    let plan = Plan {
        rule: RuleName { name: "r".into(), place: "p".into() },
        also: Vec::new(),
        kind,
        levels: vec![Level { moderators, needed: 2 }],
        senders: vec![address("ann@own.example")],
        recipients: 2,
        content: [0; 32],
        own_mail,
        remind_every: None,
        escalation: None,
        expiry: Some(Expiry {
            at: NOW.plus(Duration::from_secs(60)),
            warning: None,
            action: AtExpiry::Release,
        }),
        tells_sender: TellsSender::Always,
    };
    Case::open(plan, NOW)
}

fn grant(person: &str, purpose: Purpose) -> Grant {
    let expires = NOW.plus(Duration::from_secs(60));
    let token = Token::new([1; 32]).hash();
    Grant { token, answer: None, person: address(person), purpose, expires, sent: None }
}

fn offered(case: &Case, grant: &Grant) -> Vec<Choice> {
    choices(case, &grant.person, grant.purpose, NOW)
}

fn command(case: &Case, grant: &Grant, wish: &Wish) -> Option<Command> {
    proven(case, grant, wish, (Proof::Link, None)).ok()
}

fn proven(
    case: &Case,
    grant: &Grant,
    wish: &Wish,
    how: (Proof, Option<IpAddr>),
) -> Result<Command, Unfit> {
    let mut file = CaseFile { case: case.clone(), ..crate::case_file::tests::file() };
    let second =
        Recipient { address: address("two@other.example"), ..file.mail.recipients[0].clone() };
    file.mail.recipients.push(second);
    wish.command(&file, grant, how, &|_| None)
}

#[test]
fn each_link_offers_what_it_is_good_for_and_no_more() {
    use Choice::{Approve, Cancel, Comment, Decline, Discard, Forward, Reject, Return, Send};
    let boss = grant("boss@own.example", Purpose::Decide);
    let (confirms, own) =
        (grant("ann@own.example", Purpose::Decide), grant("ann@own.example", Purpose::Own));
    let all = [Approve, Reject, Return, Forward, Comment, Discard];
    assert_eq!(offered(&open(Kind::Approval), &boss), all);
    assert_eq!(offered(&open(Kind::Approval), &own), [Cancel]);
    assert_eq!(offered(&open(Kind::Approval), &confirms), [], "nobody decides about their own");
    assert_eq!(offered(&open(Kind::Confirmation), &confirms), [Send, Decline]);
    assert_eq!(offered(&open(Kind::Confirmation), &own), [Cancel]);
    assert_eq!(offered(&open(Kind::Delay), &own), [Send, Cancel]);
    let stranger = grant("eve@own.example", Purpose::Decide);
    assert_eq!(offered(&open(Kind::Approval), &stranger), []);
}

#[test]
fn who_has_approved_may_still_refuse_or_say_something_and_nothing_is_offered_at_the_end() {
    let boss = grant("boss@own.example", Purpose::Decide);
    let approve = command(&open(Kind::Approval), &boss, &Wish::new(Choice::Approve)).unwrap();
    let case = open(Kind::Approval).take(&approve, NOW).unwrap().case;
    let left = offered(&case, &boss);
    assert!(!left.contains(&Choice::Approve) && !left.contains(&Choice::Forward));
    assert!(left.contains(&Choice::Reject) && left.contains(&Choice::Comment));
    let reject = command(&case, &boss, &Wish::new(Choice::Reject)).unwrap();
    let case = case.take(&reject, NOW).unwrap().case;
    assert_eq!(offered(&case, &boss), []);
    assert_eq!(offered(&case, &grant("ann@own.example", Purpose::Own)), []);
}

#[test]
fn a_link_makes_no_command_of_another_purpose() {
    let own = grant("ann@own.example", Purpose::Own);
    let boss = grant("boss@own.example", Purpose::Decide);
    for choice in Choice::ALL {
        let wish = Wish::new(choice);
        let of_own = command(&open(Kind::Approval), &own, &wish);
        assert_eq!(of_own.is_some(), choice == Choice::Cancel, "{choice:?}");
        let of_boss = command(&open(Kind::Approval), &boss, &wish);
        let is_theirs =
            !matches!(choice, Choice::Send | Choice::Decline | Choice::Cancel | Choice::Forward);
        assert_eq!(of_boss.is_some(), is_theirs, "{choice:?}");
        assert_eq!(Choice::named(choice.name()), Some(choice));
    }
}

#[test]
fn recipients_are_meant_by_their_place_on_the_page() {
    let boss = grant("boss@own.example", Purpose::Decide);
    let only = |numbers: &[u32]| {
        let wish = Wish { only: Some(numbers.to_vec()), ..Wish::new(Choice::Approve) };
        proven(&open(Kind::Approval), &boss, &wish, (Proof::Link, None))
    };
    let made = only(&[1]);
    let Ok(Command::Approve { only: Some(chosen), .. }) = made else { panic!("{made:?}") };
    assert_eq!(chosen, [1]);
    assert_eq!(only(&[0, 9]), Err(Unfit::NoSuchRecipient("9".into())));
}

#[test]
fn a_command_says_who_how_and_from_where_and_a_sender_is_trusted_by_others_only() {
    let wish = |choice| Wish { trust_days: 9, words: "w".into(), ..Wish::new(choice) };
    let how = (Proof::Login, Some([192, 0, 2, 1].into()));
    let boss = grant("boss@own.example", Purpose::Decide);
    let made = proven(&open(Kind::Approval), &boss, &wish(Choice::Approve), how);
    let Ok(Command::Approve { by, comment, trust_days, .. }) = made else { panic!("{made:?}") };
    assert_eq!(by.who, Actor::Moderator(boss.person.clone()));
    assert_eq!((by.proof, by.from, &*comment, trust_days), (how.0, how.1, "w", 9));
    let own = grant("ann@own.example", Purpose::Own);
    let made = proven(&open(Kind::Delay), &own, &wish(Choice::Send), how);
    assert!(matches!(made, Ok(Command::Approve { trust_days: 0, .. })), "{made:?}");
    let made = proven(&open(Kind::Delay), &own, &wish(Choice::Cancel), how);
    let Ok(Command::Cancel { by }) = made else { panic!("{made:?}") };
    assert_eq!(by.who, Actor::Sender(own.person));
}
