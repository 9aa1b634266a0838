//! Queries as people type them.

use proptest::prelude::*;

use super::{Clause, MAX_CLAUSES, MAX_DEPTH, MAX_LENGTH, MAX_PARTS, Query, QueryError};
use crate::words::{PAIR, Pattern};

/// A query in a form that is easy to read in a test.
fn shown(text: &str) -> String {
    let query = Query::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut out = show(&query.clause);
    for status in &query.status {
        out += &format!(" {}status={}", if status.excluded { "not " } else { "" }, status.value);
    }
    out
}

fn show(clause: &Clause) -> String {
    let list = |clauses: &[Clause]| clauses.iter().map(show).collect::<Vec<_>>().join(" ");
    match clause {
        Clause::All(clauses) => format!("all({})", list(clauses)),
        Clause::Any(clauses) => format!("any({})", list(clauses)),
        Clause::Not(clause) => format!("not {}", show(clause)),
        Clause::Words(place, wanted) => {
            let mut parts: Vec<String> =
                wanted.phrase.iter().map(|(_, term)| term.clone()).collect();
            parts.extend(wanted.singles.iter().map(|c| format!("{c}…")));
            parts.extend(wanted.pattern.iter().map(|(pattern, part)| match pattern {
                Pattern::Begins => format!("{part}*"),
                Pattern::Ends => format!("*{part}"),
                Pattern::Within => format!("*{part}*"),
            }));
            format!("{place:?}[{}]", parts.join("+").replace(PAIR, ""))
        }
        Clause::Address(place, address) => format!("{place:?}.{address:?}"),
        Clause::Exact(key, value) => format!("{key:?}.{value:?}"),
        Clause::Days(from, before) => format!("days {from:?} {before:?}"),
        Clause::Larger(size) => format!("larger {size}"),
        Clause::Smaller(size) => format!("smaller {size}"),
        Clause::Attachment => "attachment".to_owned(),
        Clause::Unread => "unread".to_owned(),
    }
}

fn error(text: &str) -> QueryError {
    Query::parse(text).expect_err(text)
}

#[test]
fn words_phrases_and_choices() {
    assert_eq!(shown(""), "all()");
    assert_eq!(shown("Invoice"), "Anywhere[invoice]");
    assert_eq!(shown("invoice AND offer"), "all(Anywhere[invoice] Anywhere[offer])");
    assert_eq!(shown("\"annual report\""), "Anywhere[annual+report]");
    assert_eq!(
        shown("a1 b1 OR c1 d1"),
        "all(Anywhere[a1] any(Anywhere[b1] Anywhere[c1]) Anywhere[d1])"
    );
    assert_eq!(shown("(a1 b1) OR c1"), "any(all(Anywhere[a1] Anywhere[b1]) Anywhere[c1])");
    assert_eq!(shown("offer -draft"), "all(Anywhere[offer] not Anywhere[draft])");
    assert_eq!(shown("-(a1 OR b1)"), "not any(Anywhere[a1] Anywhere[b1])");
    assert_eq!(shown("l'avis e-mail"), "all(Anywhere[l+avis] Anywhere[e+mail])");
    assert_eq!(shown("!!! offer ?"), "Anywhere[offer]");
    assert_eq!(shown("見積書"), "Anywhere[見積+積書]");
    assert_eq!(shown("山"), "Anywhere[山…]");
}

#[test]
fn parts_of_words() {
    assert_eq!(shown("invo*"), "Anywhere[invo*]");
    assert_eq!(shown("*voic*"), "Anywhere[*voic*]");
    assert_eq!(shown("subject:*ices"), "Subject[*ices]");
    assert_eq!(shown("example.co*"), "Anywhere[example+co*]");
    assert_eq!(shown("*見積＊"), "Anywhere[見積]");
    assert_eq!(shown("*"), "all()");
}

#[test]
fn fields() {
    assert_eq!(shown("subject:offer"), "Subject[offer]");
    assert_eq!(shown("SUBJECT: \"the offer\""), "Subject[the+offer]");
    assert_eq!(shown("subject:(a1 OR b1)"), "any(Subject[a1] Subject[b1])");
    assert_eq!(shown("from:hans"), "From[hans]");
    assert_eq!(shown("from:<Hans@Example.COM>"), "From.Whole(\"hans@example.com\")");
    assert_eq!(shown("bcc:@example.com"), "Bcc.Domain(\"example.com\")");
    assert_eq!(shown("to:hans@ex*"), "To[hans+ex*]");
    assert_eq!(shown("hans@example.com"), "Anywhere[hans+example+com]");
    assert_eq!(shown("login:Hans"), "Login.Whole(\"hans\")");
    assert_eq!(shown("ip:192.0.2.*"), "Ip.Begins(\"192.0.2.\")");
    assert_eq!(shown("ip:2001:DB8:0:0::1"), "Ip.Whole(\"2001:db8::1\")");
    assert_eq!(shown("message-id:<A@b>"), "MessageId.Whole(\"a@b\")");
    assert_eq!(shown("id:4Xy direction:out"), "all(Id.Whole(\"4xy\") Direction.Whole(\"out\"))");
    assert_eq!(shown("date:2026-01..2026-03"), "days Some(20454) Some(20544)");
    assert_eq!(
        shown("after:2026-01-15 before:2026-02"),
        "all(days Some(20468) None days None Some(20485))"
    );
    assert_eq!(shown("larger:5M smaller:20K"), "all(larger 5242880 smaller 20480)");
    assert_eq!(shown("has:attachment -has:unread"), "all(attachment not unread)");
    assert_eq!(shown("direction:own"), "Direction.Whole(\"own\")");
    assert_eq!(
        shown("offer status:Held -status:erased"),
        "Anywhere[offer] status=held not status=erased"
    );
}

#[test]
fn what_names_no_field_is_a_word() {
    assert_eq!(shown("Re: offer"), "all(Anywhere[re] Anywhere[offer])");
    assert_eq!(
        shown("10:30 https://example.com"),
        "all(Anywhere[10+30] Anywhere[https+example+com])"
    );
}

#[test]
fn signs_of_other_keyboards_mean_the_same() {
    assert_eq!(shown("subject：見積"), "Subject[見積]");
    assert_eq!(shown("ｓｕｂｊｅｃｔ：見積"), "Subject[見積]");
    assert_eq!(shown("「見積 書」"), "Anywhere[見積+書…]");
    assert_eq!(
        shown("“annual report”　－draft"),
        "all(Anywhere[annual+report] not Anywhere[draft])"
    );
    assert_eq!(shown("« rapport annuel »"), "Anywhere[rapport+annuel]");
    assert_eq!(shown("（a1　OR　b1）"), "any(Anywhere[a1] Anywhere[b1])");
    assert_eq!(
        shown("larger:５Ｍ date:２０２６"),
        "all(larger 5242880 days Some(20454) Some(20819))"
    );
}

#[test]
fn mistakes_are_sentences_with_their_place() {
    for (text, at, part) in [
        ("a \"b", 3, "never closed"),
        ("(a b", 1, "never closed"),
        ("a) b", 2, "No parenthesis"),
        ("a OR", 3, "both sides"),
        ("OR a", 1, "both sides"),
        ("a OR OR b", 3, "both sides"),
        ("from:", 1, "Nothing stands behind from:"),
        ("a subject:!!!", 11, "No letter"),
        ("\"...\"", 1, "No letter"),
        ("date:soon", 6, "wants a day"),
        ("after:2026-02-30", 7, "wants a day"),
        ("larger:big", 8, "wants a size"),
        ("has:fun", 5, "has:attachment"),
        ("direction:up", 11, "in, out, internal or own"),
        ("in*ce", 1, "A star"),
        ("*a-b*", 1, "one word"),
        ("a*", 1, "two letters"),
        ("ip:*", 4, "star"),
        ("a OR status:held", 1, "status:"),
        ("(status:held)", 9, "parentheses"),
        ("subject:(from:a1)", 10, "within the parentheses"),
    ] {
        let error = error(text);
        assert!(error.at == at && error.message.contains(part), "{text}: {error}");
    }
}

#[test]
fn everything_is_bounded() {
    let deep = "(".repeat(MAX_DEPTH) + "a1" + &")".repeat(MAX_DEPTH);
    assert_eq!(shown(&deep), "Anywhere[a1]");
    assert!(error(&format!("({deep})")).message.contains("parentheses"));
    assert!(error(&"(".repeat(MAX_LENGTH)).message.contains("parentheses"));
    assert!(Query::parse(&"a1 ".repeat(MAX_CLAUSES)).is_ok());
    assert!(error(&"a1 ".repeat(MAX_CLAUSES + 1)).message.contains("at most"));
    assert!(Query::parse(&"山・".repeat(MAX_PARTS)).is_ok());
    for many in ["山・", "ab* ", "ip:1* "].map(|part| part.repeat(MAX_PARTS + 1)) {
        assert!(error(&many).message.contains("at most"), "{many}");
        assert!(error(&format!("\"{}\"", "山 川 ".repeat(MAX_PARTS))).message.contains("at most"));
    }
    assert!(Query::parse(&"-".repeat(MAX_LENGTH)).is_err());
    assert!(error(&"a".repeat(MAX_LENGTH + 1)).message.contains("characters"));
}

proptest! {
    /// Every text is a query or an error whose place is in the text or right behind it.
    #[test]
    fn parsing_is_total(text in "([a-c漢가*():：\"「」«» |－-]|OR |from:|date:|status:|-|2026|\\PC){0,60}") {
        if let Err(error) = Query::parse(&text) {
            prop_assert!((1..=text.chars().count() + 1).contains(&error.at), "{error}");
            prop_assert!(error.message.ends_with('.') || error.message.ends_with(':'));
        }
    }
}
