use mailweir_mail::{Address, Client, ReversePath};
use mailweir_moderation::{
    case::{
        Actor, AtExpiry, By, Case, Command, Expiry, Kind, Level, Moderator, OwnMail, Plan, Proof,
        RuleName, TellsSender,
    },
    case_file::Attach,
    notice::{Recipient, Summary},
};

use super::*;
use crate::cli::terminal::columns;

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn id() -> QueueId {
    "4jWT59000pz7".parse().unwrap()
}

fn hour(hours: u64) -> Timestamp {
    Timestamp::from_secs(1_795_210_205 + hours * 3_600)
}

fn file() -> CaseFile {
    let seat = |text: &str| Moderator::new(address(text));
    let lee = Moderator { deputy_of: Some(address("kim@own.example")), ..seat("lee@own.example") };
    let plan = Plan {
        rule: RuleName { name: "outside".into(), place: "mailweir.toml:23".into() },
        also: vec![RuleName { name: "large".into(), place: "mailweir.toml:31".into() }],
        kind: Kind::Approval,
        levels: vec![Level { moderators: vec![seat("boss@own.example"), lee], needed: 1 }],
        senders: vec![address("ann@own.example")],
        recipients: 2,
        content: [0; 32],
        own_mail: OwnMail::Never,
        remind_every: None,
        escalation: None,
        expiry: Some(Expiry { at: hour(48), warning: None, action: AtExpiry::Reject }),
        tells_sender: TellsSender::Always,
    };
    let recipient =
        |text: &str, is_outside| Recipient { address: address(text), is_outside, is_hidden: false };
    let mail = Summary {
        sent_to: 0,
        sender: ReversePath::Mailbox(address("ann@own.example")),
        from: "Ann <ann@own.example>".into(),
        login: Some("ann".into()),
        client: Some(Client::unnamed(([192, 0, 2, 1], 4_711).into())),
        recipients: vec![recipient("bob@own.example", false), recipient("x@far.example", true)],
        subject:
            "매우 중요한 계약서 초안을 검토해 주시기 바랍니다 \u{1b}[2J and some more of it\r\nX: y"
                .into(),
        size: 4_711,
        arrival: hour(0),
        attachments: Vec::new(),
        more_attachments: 0,
        reasons: Vec::new(),
        text: "".into(),
    };
    CaseFile::new(Case::open(plan, hour(0)), mail, Attach::Header)
}

fn rejected() -> CaseFile {
    let by = By { who: Actor::Administrator("root".into()), proof: Proof::CommandLine, from: None };
    let command = Command::Reject { by, reason: "not to them".into() };
    let file = file();
    CaseFile { case: file.case.take(&command, hour(1)).unwrap().case, ..file }
}

fn printed(json: bool, in_full: bool, answers: &[Answer]) -> (String, bool) {
    let (mut out, mut printer) = (Vec::new(), Printer::new(json, in_full));
    answers.iter().for_each(|answer| printer.print(&mut out, answer).unwrap());
    (String::from_utf8(out).unwrap(), printer.refused())
}

fn case(file: CaseFile) -> Answer {
    Answer::Case { id: id(), file: Box::new(file) }
}

#[test]
fn a_list_has_a_line_a_case_in_columns() {
    let (text, _) = printed(false, false, &[case(file()), case(rejected())]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    let waits = "4jWT59000pz7  waiting   2026-11-20 21:30  <ann@own.example> to <bob@own.example> and 1 more: 매우";
    assert!(lines[1].starts_with(waits), "{}", lines[1]);
    assert!(lines[2].starts_with("4jWT59000pz7  rejected  2026-11-20 21:30  <ann@"), "{text}");
    assert!(!text.contains('\u{1b}') && text.contains("[2J and some more of it X: y"), "{text}");
}

#[test]
fn a_case_is_shown_within_eighty_columns() {
    let (text, _) = printed(false, true, &[case(rejected())]);
    assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
    for line in [
        "mail          4jWT59000pz7",
        "state         rejected by administrator root",
        "rule          outside (mailweir.toml:23)",
        "also matched  large",
        "held          2026-11-20 21:30",
        "sender        <ann@own.example>",
        "client        192.0.2.1",
        "recipient     <x@far.example>, outside",
        "subject       매우 중요한 계약서 초안을 검토해 주시기 바랍니다 \u{fffd}[2J and some",
        "              more of it X: y",
        "level 1       1 of boss@own.example, lee@own.example for kim@own.example",
        "history       2026-11-20 21:30 held",
        "history       2026-11-20 22:30 rejected by administrator root: not to them",
    ] {
        assert!(text.lines().any(|printed| printed == line), "{line}\n{text}");
    }
}

#[test]
fn nobody_decided_is_said_so() {
    let file = file();
    let case = file.case.take(&Command::Clock, hour(49)).unwrap().case;
    let file = CaseFile { case, ..file };
    assert_eq!(file.standing(), "expired: nobody decided, rejected");
    let (text, _) = printed(false, true, &[super::tests::case(file)]);
    assert!(text.contains("history       2026-11-22 22:30 expired: nobody decided, rejected\n"));
}

#[test]
fn json_is_one_object_a_line_with_names_that_stay() {
    let (text, _) = printed(true, false, &[case(file()), case(rejected())]);
    let values: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(values[0]["state"], "waiting");
    assert_eq!(values[0]["expires"], "2026-11-22T21:30:05.000000Z");
    assert_eq!(values[0]["levels"][0]["moderators"][1], "lee@own.example");
    assert_eq!(values[1]["decision"]["by"], "administrator root");
    assert_eq!(values[1]["decision"]["proof"], "command_line");
    assert_eq!(values[1]["history"][1]["words"], "not to them");
    assert!(!text.contains("grants"));
}

fn entry(number: u64, text: &str) -> Answer {
    let (hash, before) = ("ab".into(), "cd".into());
    Answer::JournalEntry(Box::new(JournalEntry { number, hash, before, text: text.into() }))
}

fn verdict(broken: Option<&str>, missing: Vec<QueueId>) -> Answer {
    let (last, broken) = (Some("ab".into()), broken.map(Into::into));
    Answer::JournalVerdict(JournalVerdict { entries: 2, last, broken, missing })
}

#[test]
fn a_journal_says_who_how_from_where_and_when_and_whether_it_is_whole() {
    let json = format!(
        r#"{{"case":"4jWT59000pz7","at":{},"by":{{"who":{{"moderator":"boss@own.example"}},"proof":"link","from":"192.0.2.1"}},"step":{{"closed":"released"}},"words":"fine","rule":{{"name":"r","place":"p"}},"content":"00"}}"#,
        hour(0).as_micros()
    );
    let newer = r#"{"case":7,"of":"tomorrow"}"#;
    let answers = [entry(1, &json), entry(2, newer), verdict(None, Vec::new())];
    assert_eq!(
        printed(false, false, &answers),
        (
            "      1  2026-11-20 21:30  4jWT59000pz7  released by moderator boss@own.example \
             (link from 192.0.2.1): fine\n\
             \u{20}     2  {\"case\":7,\"of\":\"tomorrow\"}\n\
             mailweir: 2 entries, whole; the last is ab\n"
                .to_owned(),
            false
        )
    );
    let (text, _) = printed(true, false, &answers);
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!((&first["entry"]["words"], &first["hash"]), (&"fine".into(), &"ab".into()));
}

#[test]
fn a_journal_that_is_not_whole_is_a_failure() {
    for bad in [verdict(Some("entry 3 is missing"), Vec::new()), verdict(None, vec![id()])] {
        assert_eq!(printed(false, false, &[bad]), (String::new(), true));
    }
}
