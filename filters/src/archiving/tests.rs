//! Which mail a rule means.

use super::*;

fn fields(header: &str, rules: &Rules) -> Fields {
    let mut fields = rules.fields();
    fields.feed(header.as_bytes());
    fields.finish();
    fields
}

fn rule(name: &str, action: Action) -> Rule {
    Rule {
        name: name.into(),
        action,
        directions: Vec::new(),
        senders: Vec::new(),
        recipients: Vec::new(),
        headers: Vec::new(),
        larger_than: None,
    }
}

fn patterns(texts: &[&str]) -> Vec<AddressPattern> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// A mail of ann's.
struct Mail {
    direction: Direction,
    sender: ReversePath,
    recipients: Vec<Recipient>,
    header: &'static str,
    size: u64,
}

fn to(recipients: &[&str]) -> Mail {
    let recipient = |text: &&str| Recipient::new(text.parse().unwrap());
    Mail {
        direction: Direction::Inbound,
        sender: ReversePath::Mailbox("ann@far.example".parse().unwrap()),
        recipients: recipients.iter().map(recipient).collect(),
        header: "",
        size: 1_000,
    }
}

/// For how many days a mail is kept; `Some(None)`: for ever; and by which rule.
fn kept<'a>(rules: &'a Rules, mail: &Mail) -> Option<(Option<&'a str>, Option<u32>)> {
    let fields = fields(mail.header, rules);
    let kept = rules.judge(&Facts {
        direction: mail.direction,
        sender: &mail.sender,
        recipients: &mail.recipients,
        fields: &fields,
        size: mail.size,
    });
    kept.map(|kept| (kept.rule, kept.term.days()))
}

const ANY: Option<(Option<&str>, Option<u32>)> = Some((None, Some(365)));

fn rules(rules: Vec<Rule>) -> Rules {
    Rules { rules, otherwise: Term::Days(365) }
}

#[test]
fn without_rules_all_mail_is_kept() {
    assert_eq!(kept(&rules(vec![]), &to(&["bob@own.example"])), ANY);
}

#[test]
fn the_first_rule_that_means_a_mail_decides() {
    let contracts = Rule {
        recipients: patterns(&["legal@own.example"]),
        ..rule("contracts", Action::Keep(Term::Forever))
    };
    let inbound = Rule {
        directions: vec![Direction::Inbound, Direction::Internal],
        ..rule("inbound", Action::Keep(Term::Days(30)))
    };
    let rules = rules(vec![contracts, inbound]);
    assert_eq!(kept(&rules, &to(&["legal@own.example"])), Some((Some("contracts"), None)));
    assert_eq!(kept(&rules, &to(&["bob@own.example"])), Some((Some("inbound"), Some(30))));
    let outbound = Mail { direction: Direction::Outbound, ..to(&["them@far.example"]) };
    assert_eq!(kept(&rules, &outbound), ANY);
}

/// Row A2: not the mail to root, security reports, cron mail.
#[test]
fn a2_what_machines_write_is_left_out_unless_a_person_gets_it_too() {
    let root = Rule {
        recipients: patterns(&["root@own.example", "/^security-report@/"]),
        ..rule("root", Action::Skip)
    };
    let test = |text| HeaderTest::parse(text).unwrap();
    let cron = Rule {
        headers: vec![test("X-Cron-Env"), test("Subject: ^Cron <")],
        ..rule("cron", Action::Skip)
    };
    let large = Rule {
        senders: patterns(&["@far.example"]),
        larger_than: Some(5_000),
        ..rule("large", Action::Skip)
    };
    let rules = rules(vec![root, cron, large]);
    assert_eq!(kept(&rules, &to(&["root@own.example"])), None);
    assert_eq!(kept(&rules, &to(&["ROOT@own.example", "security-report@own.example"])), None);
    assert_eq!(kept(&rules, &to(&["root@own.example", "bob@own.example"])), ANY);
    let alias = Recipient {
        original: Some("root@own.example".parse().unwrap()),
        ..Recipient::new("bob@own.example".parse().unwrap())
    };
    assert_eq!(kept(&rules, &Mail { recipients: vec![alias], ..to(&[]) }), None);
    for header in ["X-Cron-Env: <A=1>\r\n\r\n", "subject: cron <root@gate> run\r\n\r\n"] {
        assert_eq!(kept(&rules, &Mail { header, ..to(&["bob@own.example"]) }), None, "{header}");
    }
    for header in ["Subject: about Cron <\r\n\r\n", "X: y\r\n\r\nX-Cron-Env: in the text\r\n"] {
        assert_eq!(kept(&rules, &Mail { header, ..to(&["bob@own.example"]) }), ANY, "{header}");
    }
    let of_size = |size| Mail { size, ..to(&["bob@own.example"]) };
    assert_eq!((kept(&rules, &of_size(5_000)), kept(&rules, &of_size(5_001))), (ANY, None));
    let report = Mail { sender: ReversePath::Null, ..of_size(9_999) };
    assert_eq!(kept(&rules, &report), ANY, "the null sender is nobody of far.example");
}

#[test]
fn a_test_of_a_header_has_a_name_and_a_sound_expression() {
    for bad in ["", ":", " : x", "a b: x", "Subject: (", "Subject: [z-a]"] {
        HeaderTest::parse(bad).unwrap_err();
    }
    for good in ["Subject", "Subject:", "Subject: a:b", "List-Id: ^<"] {
        HeaderTest::parse(good).unwrap();
    }
}
