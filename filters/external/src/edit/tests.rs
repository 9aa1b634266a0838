use proptest::prelude::*;

use super::*;

const HEADER: &str =
    "Received: by us\r\nReceived: by them\r\nSubject: a\r\n b\r\nX-Spam: 1\r\nx-spam: 2\r\n";

fn append(name: &str, value: &str) -> Edit {
    Edit::Append { name: name.into(), value: value.as_bytes().into() }
}

fn insert(above: usize, name: &str, value: &str) -> Edit {
    Edit::Insert { above, name: name.into(), value: value.as_bytes().into() }
}

fn replace(name: &str, nth: usize, value: &str) -> Edit {
    Edit::Change { name: name.into(), nth, value: value.as_bytes().into() }
}

fn remove(name: &str, nth: Option<usize>) -> Edit {
    Edit::Remove { name: name.into(), nth }
}

fn own(fields: &[&str]) -> OwnFields {
    let mut own = OwnFields::default();
    fields.iter().for_each(|field| own.add(field.as_bytes()));
    own
}

/// The lines of the header after `edits`, with one field of our own.
fn edited(edits: &[Edit]) -> Vec<String> {
    let new = header(HEADER.as_bytes(), &own(&["Received: by us\r\n"]), edits, 10_000).unwrap();
    let new = String::from_utf8(new).unwrap();
    new.strip_suffix("\r\n").unwrap().split("\r\n").map(str::to_owned).collect()
}

#[test]
fn each_change_stands_where_postfix_puts_it() {
    let (us, them, subject, b) = ("Received: by us", "Received: by them", "Subject: a", " b");
    let (one, two) = ("X-Spam: 1", "x-spam: 2");
    for (edits, expected) in [
        (vec![], vec![us, them, subject, b, one, two]),
        (vec![append("A", " 1")], vec![us, them, subject, b, one, two, "A: 1"]),
        (vec![insert(0, "A", " 1")], vec![us, "A: 1", them, subject, b, one, two]),
        (vec![insert(2, "A", "1")], vec![us, them, subject, b, "A:1", one, two]),
        (vec![insert(99, "A", "1")], vec![us, them, subject, b, one, two, "A:1"]),
        // Our own Received is not counted, nor can it be changed.
        (vec![replace("received", 1, " x")], vec![us, "received: x", subject, b, one, two]),
        (vec![remove("Received", None)], vec![us, subject, b, one, two]),
        (vec![replace("X-SPAM", 2, " 3")], vec![us, them, subject, b, one, "X-SPAM: 3"]),
        (vec![replace("X-Spam", 3, " 3")], vec![us, them, subject, b, one, two, "X-Spam: 3"]),
        (vec![replace("X-Spam", 0, " 3")], vec![us, them, subject, b, "X-Spam: 3", two]),
        (vec![remove("X-Spam", Some(2))], vec![us, them, subject, b, one]),
        (vec![remove("X-Spam", Some(3))], vec![us, them, subject, b, one, two]),
        // Each change sees what those before it have done.
        (vec![remove("X-Spam", Some(1)), remove("X-Spam", Some(1))], vec![us, them, subject, b]),
        (
            vec![insert(0, "X-Spam", " 0"), remove("X-Spam", Some(2))],
            vec![us, "X-Spam: 0", them, subject, b, two],
        ),
        (vec![remove("Subject", Some(1))], vec![us, them, one, two]),
    ] {
        assert_eq!(edited(&edits), expected, "{edits:?}");
    }
}

#[test]
fn our_own_fields_stand_where_they_stand_between_others() {
    let mail = "X-Mark: 1\r\nX-Policy: seen\r\nReceived: by us\r\n\tat home\r\nReceived: by us\r\n\tat home\r\nSubject: a\r\n\r\nb: c\r\n";
    let ours = "Received: by us\r\n\tat home\r\n";
    let own = own(&["X-Mark: 1\r\n", ours, "X-Gone: 1\r\n"]);
    let seen: Vec<&[u8]> = shown(mail.as_bytes(), &own).collect();
    assert_eq!(seen, [b"X-Policy: seen\r\n", ours.as_bytes(), b"Subject: a\r\n"]);
    for (edit, expected) in [
        (insert(0, "A", "1"), "mark A policy ours again subject"),
        (insert(1, "A", "1"), "mark policy ours A again subject"),
        (insert(2, "A", "1"), "mark policy ours again A subject"),
        (insert(9, "A", "1"), "mark policy ours again subject A"),
        (append("A", "1"), "mark policy ours again subject A"),
        (replace("X-Policy", 1, "1"), "mark A ours again subject"),
        (replace("Received", 1, "1"), "mark policy ours A subject"),
        (remove("X-Policy", None), "mark ours again subject"),
        (remove("Received", None), "mark policy ours subject"),
        (remove("X-Mark", Some(1)), "mark policy ours again subject"),
        (replace("X-Mark", 1, "1"), "mark policy ours again subject A"),
    ] {
        let new = String::from_utf8(
            header(mail.as_bytes(), &own, std::slice::from_ref(&edit), 999).unwrap(),
        );
        let new = new.unwrap();
        let (new, body) = new.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, "b: c\r\n");
        let names = expected.split(' ').map(|name| match name {
            "mark" => "X-Mark: 1".to_owned(),
            "policy" => "X-Policy: seen".to_owned(),
            "ours" | "again" => ours.trim_end().to_owned(),
            "subject" => "Subject: a".to_owned(),
            _ => match &edit {
                Edit::Change { name, .. } => format!("{name}:1"),
                _ => "A:1".to_owned(),
            },
        });
        assert_eq!(new, names.collect::<Vec<_>>().join("\r\n"), "{edit:?}");
    }
}

#[test]
fn a_value_stays_one_field() {
    for (value, expected) in [
        ("a\nb", "a\r\n\tb"),
        ("a\r\n b", "a\r\n b"),
        ("a\n\tb", "a\r\n\tb"),
        ("a\r\n\r\nBcc: x", "a\r\n\tBcc: x"),
        ("a\n \n\t\nb", "a\r\n\tb"),
        ("a\n\n", "a"),
        ("a\rb\r\r\nc", "a b \r\n\tc"),
        ("a\0b", "a b"),
        ("", ""),
        ("\n x", "\r\n x"),
    ] {
        let folded = value::folded(value.as_bytes());
        assert_eq!(String::from_utf8(folded).unwrap(), expected, "{value:?}");
    }
}

#[test]
fn what_is_no_name_is_refused_and_a_header_has_an_end() {
    for name in ["", "a b", "a:", "a\r\nb", "\u{e9}", &"x".repeat(901)] {
        let refused = header(b"A: b\r\n", &own(&[]), &[append(name, "x")], 10_000);
        assert!(matches!(refused, Err(EditError::Name(_))), "{name:?}");
    }
    let long = vec![append("A", &"x".repeat(96)); 10];
    assert_eq!(header(b"", &own(&[]), &long, 1_000).map(|new| new.len()), Ok(1_000));
    assert_eq!(header(b"", &own(&[]), &long, 999), Err(EditError::LongHeader(999)));
    // What is taken out makes room.
    let again: Vec<Edit> = long.iter().flat_map(|edit| [edit.clone(), remove("a", None)]).collect();
    assert_eq!(header(b"", &own(&[]), &again, 200), Ok(Vec::new()));
}

#[test]
fn a_header_without_its_last_line_end_or_with_the_empty_line_stays_a_header() {
    let edits = [append("B", " 2")];
    assert_eq!(header(b"A: 1", &own(&[]), &edits, 99).unwrap(), b"A: 1\r\nB: 2\r\n");
    assert_eq!(
        header(b"A: 1\r\n\r\nbody", &own(&[]), &edits, 99).unwrap(),
        b"A: 1\r\nB: 2\r\n\r\nbody"
    );
    assert_eq!(header(b"", &own(&["A: b\r\n"]), &edits, 99).unwrap(), b"B: 2\r\n");
}

#[test]
fn a_body_has_crlf_everywhere() {
    assert_eq!(body(&[append("A", "x")]), None);
    let edits =
        [Edit::Body(b"no".as_slice().into()), Edit::Body(b"a\nb\r\nc\rd".as_slice().into())];
    assert_eq!(body(&edits).unwrap(), b"a\r\nb\r\nc d");
}

fn any_edit() -> impl Strategy<Value = Edit> {
    let name = || prop::sample::select(vec!["A", "b", "Subject", "received"]);
    let value = || prop::collection::vec(prop::sample::select(b" \t\r\n\0:xA".to_vec()), 0..12);
    prop_oneof![
        (name(), value())
            .prop_map(|(name, value)| Edit::Append { name: name.into(), value: value.into() }),
        (0..9_usize, name(), value()).prop_map(|(above, name, value)| Edit::Insert {
            above,
            name: name.into(),
            value: value.into()
        }),
        (0..4_usize, name(), value()).prop_map(|(nth, name, value)| Edit::Change {
            nth,
            name: name.into(),
            value: value.into()
        }),
        (prop::option::of(0..4_usize), name())
            .prop_map(|(nth, name)| Edit::Remove { name: name.into(), nth }),
    ]
}

/// What the names in the header must be, said once more in another way.
fn model(names: &mut Vec<String>, edit: &Edit) {
    let same = |known: &String, name: &str| known.eq_ignore_ascii_case(name);
    let place = |names: &[String], name: &str, nth: usize| {
        let mut left = nth.max(1);
        names.iter().position(|known| {
            left -= usize::from(same(known, name) && left > 0);
            left == 0
        })
    };
    match edit {
        Edit::Append { name, .. } => names.push(name.to_string()),
        Edit::Insert { above, name, .. } => {
            names.insert((*above).min(names.len()), name.to_string());
        }
        Edit::Change { name, nth, .. } => match place(names, name, *nth) {
            Some(at) => names[at] = name.to_string(),
            None => names.push(name.to_string()),
        },
        Edit::Remove { name, nth: Some(nth) } => {
            if let Some(at) = place(names, name, *nth) {
                names.remove(at);
            }
        }
        Edit::Remove { name, nth: None } => names.retain(|known| !same(known, name)),
        _ => {}
    }
}

proptest! {
    #[test]
    fn whatever_is_changed_fields_stay_fields_and_the_body_begins_where_it_should(
        edits in prop::collection::vec(any_edit(), 0..8),
    ) {
        let mail = [HEADER, "\r\nA: of the body\r\n"].concat();
        let new = header(mail.as_bytes(), &own(&["Received: by us\r\n"]), &edits, 100_000).unwrap();
        let new = String::from_utf8(new).unwrap();
        prop_assert!(!new.replace("\r\n", "").contains(['\r', '\n', '\0']), "{:?}", new);
        let (fields, body) = new.split_once("\r\n\r\n").unwrap();
        prop_assert_eq!(body, "A: of the body\r\n");
        let mut lines = fields.split("\r\n");
        prop_assert!(lines.clone().skip(1).all(|line| !line.trim().is_empty()) , "{:?}", new);
        prop_assert_eq!(lines.next(), Some("Received: by us"));
        let found: Vec<&str> = lines
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split(':').next().unwrap())
            .collect();
        let mut expected: Vec<String> =
            ["Received", "Subject", "X-Spam", "x-spam"].map(str::to_owned).to_vec();
        edits.iter().for_each(|edit| model(&mut expected, edit));
        prop_assert_eq!(found, expected);
    }
}

fn lines(fields: &[&str]) -> Vec<u8> {
    fields.iter().flat_map(|field| [field.as_bytes(), b"\r\n"].concat()).collect()
}

#[test]
fn between_two_headers_are_the_fewest_changes() {
    let before = ["Received: a", "Subject: b\r\n c", "X: 1", "X: 2", "To: t"];
    for (after, expected) in [
        (&before[..], vec![]),
        // What is put above, below and between.
        (
            &["A: 1", "Received: a", "B: 2", "Subject: b\r\n c", "X: 1", "X: 2", "To: t", "C:"],
            vec![insert(0, "A", " 1"), insert(2, "B", " 2"), insert(7, "C", "")],
        ),
        // Of two of a name it is said which.
        (&["Received: a", "Subject: b\r\n c", "X: 1", "To: t"], vec![remove("X", Some(2))]),
        (
            &["Received: a", "subject: d", "X: 1", "X: 3", "To: t"],
            vec![replace("Subject", 1, " d"), replace("X", 2, " 3")],
        ),
        // PREPEND to a field that is replaced.
        (
            &["Received: a", "N: 1", "Subject: d", "X: 1", "X: 2", "To: t"],
            vec![insert(1, "N", " 1"), replace("Subject", 1, " d")],
        ),
        (&[], ["Received", "Subject", "X", "X", "To"].map(|name| remove(name, Some(1))).into()),
    ] {
        let (before, after) = (lines(&before), lines(after));
        assert_eq!(between(&before, &after), expected);
    }
    assert_eq!(between(b"A: 1\r\n\r\nB: 2\r\n", b"A: 1\r\n\r\nC: 3\r\n"), []);
    assert_eq!(between(b"A: 1\r\n", b"no field\r\nA: 1\r\n"), []);
}

#[test]
fn headers_that_are_too_large_to_compare_are_exchanged() {
    let many = |mark: &str| -> Vec<u8> {
        let field = |n: usize| format!("F{}: {mark}{n}\r\n", n % 7).into_bytes();
        (0..3_000).flat_map(field).collect()
    };
    let (before, after) = (many("a"), many("b"));
    let edits = between(&before, &after);
    assert_eq!(header(&before, &OwnFields::default(), &edits, 1 << 20).unwrap(), after);
}

#[test]
fn a_header_ends_at_the_first_empty_line_however_the_mail_comes() {
    for (mail, end) in [
        (&b"A: b\r\n\r\nbody\r\n\r\n"[..], Some(8)),
        (b"A: b\r\n", None),
        // One without fields: all else is its body, whatever empty lines are in it.
        (b"\r\nbody\r\n\r\nmore", Some(2)),
        (b"", None),
    ] {
        assert_eq!(end_of_header(mail, 0), end, "{mail:?}");
        let found = (1..=mail.len()).find_map(|len| end_of_header(&mail[..len], len - 1));
        assert_eq!(found, end, "{mail:?}");
    }
}

fn any_header() -> impl Strategy<Value = Vec<u8>> {
    let field = ("[AaBb]", "( [x-z]{0,2}(\r\n\t[x-z]{1,2})?)?");
    let field = field.prop_map(|(name, value)| format!("{name}:{value}\r\n"));
    proptest::collection::vec(field, 0..12).prop_map(|fields| fields.concat().into_bytes())
}

proptest! {
    #[test]
    fn the_changes_between_two_headers_lead_from_one_to_the_other(
        before in any_header(),
        after in any_header(),
    ) {
        let edits = between(&before, &after);
        let made = header(&before, &OwnFields::default(), &edits, 10_000).unwrap();
        prop_assert!(made.eq_ignore_ascii_case(&after), "{edits:?}");
        prop_assert!(edits.len() <= before.len() + after.len());
    }
}
