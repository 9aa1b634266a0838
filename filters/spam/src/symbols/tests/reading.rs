use super::*;

fn mistakes(text: &str) -> Vec<String> {
    Weights::with_file(text).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn a_file_changes_what_it_names_and_nothing_else() {
    let text = "[symbol.SPF_FAIL]\nweight = 1.25\n\n[symbol.URIBL]\nrepeats = \"strongest\"\ngroup = \"mine\"\n[group.mine]\nmost = 2\n";
    let (built_in, changed) = (Weights::default(), Weights::with_file(text).unwrap());
    assert_eq!(changed.of(Symbol::SpfFail).weight, points(13));
    assert_eq!(changed.of(Symbol::SpfFail).description, built_in.of(Symbol::SpfFail).description);
    assert_eq!(changed.of(Symbol::Uribl).repeats, Repeats::Strongest);
    assert_eq!(changed.of(Symbol::SpfPass), built_in.of(Symbol::SpfPass));
    let findings = ["a", "b"].map(|list| Finding::new(Symbol::Uribl, list));
    assert_eq!(changed.score(findings).total(), points(20));
}

#[test]
fn all_mistakes_are_told_with_their_lines() {
    let text = "[symbol.SPF_FIAL]\nweight = 1\n[symbol.SPF_FAIL]\nweigth = 1\nweight = \"much\"\non = 1\n\
                [symbols]\n[group.text]\nmost = -1\nleast = 1\n[symbol.URIBL]\ngroup = \"txt\"\nrepeats = \"often\"\ndescription = \"\"\n";
    assert_eq!(
        mistakes(text),
        [
            "line 1: \"SPF_FIAL\": there is no such symbol; did you mean SPF_FAIL?",
            "line 4: \"weigth\" is no key here; did you mean weight? (there are weight, on, group, description, repeats, alone)",
            "line 5: weight: expected a number from -1000 to 1000",
            "line 6: on: expected true or false",
            "line 7: \"symbols\": expected [symbol.NAME] or [group.NAME]",
            "line 9: most: expected a number from 0 to 1000",
            "line 10: least: expected a number from -1000 to 0",
            "line 12: group: there is no [group.txt]",
            "line 13: repeats: expected \"strongest\" or \"each\"",
            "line 14: description: expected text on one line, of 1 to 160 characters",
        ]
    );
}

#[test]
fn a_symbol_that_would_quarantine_alone_needs_its_reason() {
    let group = "[group.header]\nmost = 20\n";
    let wrong = "would quarantine a mail without any other symbol, by";
    let told = mistakes(&format!("{group}[symbol.MISSING_TO]\nweight = 8\n"));
    let expected = "expected a weight below 8.0, or the reason why it may (alone)";
    assert_eq!(told, [format!("line 3: MISSING_TO {wrong} 8.0 points of 8.0: {expected}")]);
    let told = mistakes("symbol.SPF_FAIL.repeats = \"each\"\ngroup.authentication.most = 9");
    assert_eq!(told, [format!("line 1: SPF_FAIL {wrong} 9.0 points of 8.0: {expected}")]);
    let high =
        "symbol.ATTACHMENT_EXECUTABLE.group = \"text\"\nsymbol.ATTACHMENT_EXECUTABLE.weight = 9";
    for right in [
        &format!("{group}[symbol.MISSING_TO]\nweight = 7.9\n"),
        &format!("{group}[symbol.MISSING_TO]\nweight = 8\nalone = \"we say so\"\n"),
        &format!("{group}[symbol.MISSING_TO]\nweight = 8\non = false\n"),
        // Its group has no room for it.
        "symbol.MISSING_TO.weight = 8",
        high,
        "symbol.DNSBL.weight = 9",
    ] {
        assert!(Weights::with_file(right).is_ok(), "{right}");
    }
    let two = format!("{high}\nsymbol.HTML_FORM.weight = 9\ngroup.text.most = 10");
    let told = mistakes(&two);
    assert!(told[0].starts_with("line 1: ATTACHMENT_EXECUTABLE"), "{told:?}");
    assert!(told[1].starts_with("line 3: HTML_FORM"), "{told:?}");
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    let told = mistakes("[symbol.SPF_FAIL]\nweight = = 1\n");
    assert!(told[0].starts_with("line 2: this is not TOML"), "{told:?}");
    assert!(mistakes("symbol = 3")[0].starts_with("line 1: symbol: expected a table"));
    assert!(mistakes("symbol.SPF_FAIL = 3")[0].starts_with("line 1: SPF_FAIL: expected a table"));
    for weight in ["nan", "inf", "1e9", "99999999999"] {
        let told = mistakes(&format!("symbol.SPF_FAIL.weight = {weight}"));
        assert_eq!(told, ["line 1: weight: expected a number from -1000 to 1000"], "{weight}");
    }
}

#[test]
fn what_is_told_of_a_mistake_is_one_printable_line() {
    for told in
        mistakes("[symbol.\"A\\n\\u001b[2J\"]\n[\"x\\ny\"]\n[symbol.URIBL]\ngroup = \"a\\nb\"")
    {
        assert!(!told.chars().any(char::is_control), "{told:?}");
    }
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    assert_eq!(mistakes(&"#\n".repeat(200_000)).len(), 1);
}

proptest! {
    #[test]
    fn no_file_panics(text in "(\\[(symbol|group)\\.[A-Z_a-z]{1,9}\\]\n|(weight|on|most) ?= ?[-0-9a-z\"\\[{.]{0,6}\n|[\\PC\n]{0,9}){0,12}") {
        let _ = Weights::with_file(&text);
    }
}
