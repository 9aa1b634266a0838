use super::{
    Answer, Budget, Dns, is_name,
    table::{Table, at_once},
};

#[test]
fn g4_beyond_its_budget_a_mail_learns_nothing_and_asks_nobody() {
    let table = Table::default().txt("one.example", &["v=spf1 -all"]);
    let budget = Budget::new(&table, 2);
    assert_eq!(at_once(budget.txt("one.example")), Answer::Found(vec!["v=spf1 -all".into()]));
    assert_eq!(at_once(budget.a("two.example")), Answer::NoSuchName);
    assert_eq!(at_once(budget.txt("one.example")), Answer::NotAsked);
    assert_eq!(at_once(budget.ptr("192.0.2.1".parse().unwrap())), Answer::NotAsked);
    assert_eq!(table.asked(), 2);
}

#[test]
fn only_what_certainly_is_not_there_is_void() {
    assert!(Answer::<Box<str>>::NoSuchName.is_void());
    assert!(Answer::<Box<str>>::NoRecords.is_void());
    assert!(!Answer::<Box<str>>::Unclear.is_void());
    assert!(!Answer::<Box<str>>::NotAsked.is_void());
    assert!(!Answer::Found(vec![1]).is_void());
}

#[test]
fn names_have_labels_of_1_to_63_printable_characters() {
    let longest = "a".repeat(63);
    assert!(is_name("example.com"));
    assert!(is_name("_dmarc.example.com"));
    assert!(is_name(&format!("{longest}.example.com")));
    for bad in
        ["", ".", "a..b", "example.com.", "a b.example", "b\u{fc}cher.example", "a\0.example"]
    {
        assert!(!is_name(bad), "{bad:?}");
    }
    assert!(!is_name(&format!("a{longest}.example.com")));
    assert!(!is_name(&[longest.as_str(); 5].join(".")));
}
