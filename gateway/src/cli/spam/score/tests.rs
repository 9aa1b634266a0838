use mailweir_mail::{Points, Timestamp};

use super::*;
use crate::spam::words::{
    Judgement,
    score::{BuiltIn, GroupEntry},
};

fn told(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn noticed(symbol: &str, tenths: i32, description: &str, seen: &str) -> Noticed {
    Noticed {
        symbol: symbol.into(),
        adds: Points::from_tenths(tenths),
        unlimited: None,
        group: "text".into(),
        description: description.into(),
        seen: seen.into(),
    }
}

fn explained(symbols: Vec<Noticed>) -> Explanation {
    Explanation {
        score: symbols.iter().map(|noticed| noticed.adds).sum(),
        action: SpamAction::Quarantine,
        from: Thresholds {
            greylist: None,
            tag: Some(Points::from_tenths(50)),
            quarantine: Some(Points::from_tenths(80)),
            reject: None,
        },
        weights: WeightsOf::Configuration,
        arrival: Timestamp::from_secs(1_795_210_205),
        symbols,
        classifier: Judgement::silent("it rests"),
    }
}

#[test]
fn a_person_sees_what_adds_what_and_what_it_comes_to() {
    let cut = Noticed {
        unlimited: Some(Points::from_tenths(25)),
        ..noticed("HTML_FORM", 10, "It has a form to fill in.", "http://192.0.2.1/x")
    };
    let symbols = vec![
        noticed("BAYES_SURE_SPAM", 80, "The classifier is sure.", "99.9 %: free money, click"),
        noticed("MISSING_DATE", 15, "It has no Date, which every mail must have (RFC 5322).", ""),
        cut,
        noticed("HTML_ALONE", -1, "It has HTML and no plain text.", ""),
    ];
    assert_eq!(
        told(|out| explanation(out, &explained(symbols))),
        "\
points  symbol           what it means [what was seen]
------  ---------------  -------------------------------------------------------
   8.0  BAYES_SURE_SPAM  The classifier is sure.
                         [99.9 %: free money, click]
   1.5  MISSING_DATE     It has no Date, which every mail must have (RFC 5322).
   1.0  HTML_FORM        It has a form to fill in.
                         [http://192.0.2.1/x]
                         (2.5 without the limit of its group)
  -0.1  HTML_ALONE       It has HTML and no plain text.
------  ---------------  -------------------------------------------------------
  10.4  quarantine: by its content alone it is held. A stranger's mail is marked
        from 5.0 points on, held from 8.0 points on, never refused. Who hands it
        in, lists and DMARC were not asked.

"
    );
}

#[test]
fn a_mail_of_which_nothing_was_noticed_has_a_table_too() {
    let none = Thresholds { greylist: None, tag: None, quarantine: None, reject: None };
    let told = told(|out| {
        let weights = WeightsOf::Program;
        let pass = SpamAction::Pass;
        explanation(out, &Explanation { action: pass, from: none, weights, ..explained(vec![]) })
    });
    assert!(told.contains("        -       Nothing was noticed.\n"), "{told}");
    assert!(told.contains("   0.0  pass: by its content alone it goes on."), "{told}");
    assert!(told.contains("is never\n        marked, never held, never refused."), "{told}");
    assert!(told.contains("those built in"), "{told}");
}

/// attacks.md H13
#[test]
fn h13_what_strangers_wrote_stays_in_its_column_and_moves_no_cursor() {
    let long = format!("광고 {} \x1b[2J\x1b]0;x\x07 中文", "x".repeat(150));
    let wide = "ATTACHMENT_DOUBLE_EXTENSION";
    let symbols = vec![noticed(wide, 1000, &"word ".repeat(30), &long)];
    let told = told(|out| explanation(out, &explained(symbols)));
    assert!(told.lines().all(|line| columns(line) <= COLUMNS), "{told}");
    assert!(!told.chars().any(|c| c.is_control() && c != '\n'), "{told:?}");
    let rows: Vec<_> = told.lines().skip(3).collect();
    let begin = " ".repeat(6 + 2 + wide.len() + 2);
    let text = rows.iter().take_while(|line| !line.starts_with('-'));
    assert!(
        text.clone().count() > 5 && text.clone().all(|line| line.starts_with(&begin)),
        "{told}"
    );
}

fn entry(symbol: &str, tenths: i32, built_in: Option<(i32, &str)>) -> SymbolEntry {
    SymbolEntry {
        symbol: symbol.into(),
        weight: Points::from_tenths(tenths),
        is_on: true,
        description: "It was noticed.".into(),
        built_in: built_in.map(|(tenths, group)| BuiltIn {
            weight: Points::from_tenths(tenths),
            group: group.into(),
        }),
    }
}

#[test]
fn symbols_stand_in_groups_and_what_was_changed_is_marked() {
    let limits = |most| Limits { most: Points::from_tenths(most), least: Points::ZERO };
    let text = GroupEntry {
        group: "text".into(),
        description: "HTML and text.".into(),
        limits: limits(60),
        built_in: Some(limits(40)),
        symbols: vec![
            entry("HTML_FORM", 25, Some((10, "text"))),
            SymbolEntry { is_on: false, ..entry("HTML_ALONE", 5, Some((5, "text"))) },
            entry("HTML_SCRIPT", 5, Some((5, "links"))),
            entry("HTML_REFRESH", -15, Some((-15, "text"))),
        ],
    };
    let own = GroupEntry {
        group: "own".into(),
        description: "".into(),
        limits: limits(0),
        built_in: None,
        symbols: vec![entry("URL_PORT", 15, None)],
    };
    let all = Catalogue { weights: WeightsOf::Configuration, groups: vec![text, own] };
    assert_eq!(
        told(|out| catalogue(out, &all)),
        "\
text: HTML and text. Together 0.0 to 6.0. [built in: 0.0 to 4.0]
  *2.5  HTML_FORM     It was noticed.
                      [built in: 1.0]
  *off  HTML_ALONE    It was noticed.
                      [built in: 0.5]
  *0.5  HTML_SCRIPT   It was noticed.
                      [built in: in links]
 *-1.5  HTML_REFRESH  It was noticed.

own: Together 0.0 to 0.0.
   1.5  URL_PORT  It was noticed.

5 symbols, 4 are changed (*), 1 is off.
"
    );
}

#[test]
fn all_symbols_fit_on_a_terminal() {
    let told = told(|out| catalogue(out, &crate::spam::Scale::default().catalogue()));
    assert!(told.lines().all(|line| columns(line) <= COLUMNS), "{told}");
    assert!(told.ends_with("spam.enabled.\n") && told.contains("symbols. "), "{told}");
}
