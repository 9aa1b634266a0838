//! Mails made at random, under every rule set.

use crate::{
    beside::{Beside, Both, RuleSet},
    mails,
    outcome::{differ_in_empty_lines_only, difference, indented},
    random::Random,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_do_to_generated_mails_what_postfix_does() {
    let Some(mut beside) = Beside::start(&SETS).await else { return };
    let mut random = Random::new(4);
    let mut contents = Vec::new();
    for set in &SETS {
        let mails: Vec<(String, Vec<u8>)> = (0..MAILS)
            .map(|number| {
                let sender = format!("{}.{number}@client.example", set.name);
                (sender, mails::content(&mut random))
            })
            .collect();
        beside.send(set.name, &mails).await;
        contents.extend(mails);
    }
    let outcomes = beside.outcomes().await;
    let (mut seen, mut equal) = ([0; 4], 0);
    let mut differences = Vec::new();
    for (sender, content) in contents {
        let both = outcomes[&sender].clone();
        let accepted = both.postfix.reply.starts_with('2');
        seen[0] += usize::from(accepted && !both.postfix.copies.is_empty());
        seen[1] += usize::from(!accepted);
        seen[2] += usize::from(both.postfix.was_held);
        seen[3] += usize::from(accepted && both.postfix.copies.is_empty());
        let Both { postfix, gateway } = both;
        equal += usize::from(postfix == gateway);
        if postfix != gateway && !differ_in_empty_lines_only(&postfix, &gateway) {
            let (difference, content) = (difference(&postfix, &gateway), indented(&content));
            differences.push(format!("{sender}\n{difference}{content}"));
        }
    }
    let shown = differences.iter().take(5).cloned().collect::<Vec<_>>().join("\n----\n");
    assert!(differences.is_empty(), "{} differences\n{shown}", differences.len());
    assert!(equal * 10 >= SETS.len() * MAILS * 8, "no more than {equal} are wholly equal");
    // Mails of every fate, or the comparison says little.
    assert!(seen.iter().all(|&count| count >= 20), "{seen:?}");
}

/// How many mails each rule set gets.
const MAILS: usize = 150;

const SETS: [RuleSet; 7] = [
    RuleSet {
        name: "actions-pcre",
        tables: &[
            ("header_checks", "pcre", include_str!("tables/actions.pcre")),
            ("mime_header_checks", "pcre", ""),
            ("nested_header_checks", "pcre", ""),
        ],
    },
    RuleSet {
        name: "actions-regexp",
        tables: &[
            ("header_checks", "regexp", include_str!("tables/actions.regexp")),
            ("mime_header_checks", "regexp", ""),
            ("nested_header_checks", "regexp", ""),
        ],
    },
    RuleSet {
        name: "classes",
        tables: &[
            ("header_checks", "pcre", include_str!("tables/header.pcre")),
            ("mime_header_checks", "pcre", include_str!("tables/mime.pcre")),
            ("nested_header_checks", "pcre", include_str!("tables/nested.pcre")),
        ],
    },
    RuleSet {
        name: "inherited",
        tables: &[("header_checks", "pcre", include_str!("tables/actions.pcre"))],
    },
    RuleSet { name: "body", tables: &[("body_checks", "pcre", include_str!("tables/body.pcre"))] },
    RuleSet {
        name: "all",
        tables: &[
            ("header_checks", "regexp", include_str!("tables/actions.regexp")),
            ("mime_header_checks", "pcre", include_str!("tables/mime.pcre")),
            ("body_checks", "pcre", include_str!("tables/body.pcre")),
        ],
    },
    RuleSet {
        name: "greedy",
        tables: &[("header_checks", "pcre", include_str!("tables/greedy.pcre"))],
    },
];
