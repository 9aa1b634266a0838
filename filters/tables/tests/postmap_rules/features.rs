//! Tables for one feature each, and keys that meet it.

use mailweir_test_servers::tools;

use crate::postmap::{Postmap, compare};

/// Compares answers and warnings; every table has at least one key that matches.
fn same(kind: &str, mode: &str, table: &str, keys: &[&str]) {
    if !tools::require(&["postmap"]) {
        return;
    }
    let keys: Vec<Vec<u8>> = keys.iter().map(|key| key.as_bytes().to_vec()).collect();
    match compare(&Postmap::new(), kind, table.as_bytes(), mode, &keys) {
        Ok(matches) => assert!(matches > 0, "nothing matched in {kind}:\n{table}"),
        Err(difference) => panic!("{difference}"),
    }
}

fn both(mode: &str, table: &str, keys: &[&str]) {
    same("pcre", mode, table, keys);
    same("regexp", mode, table, keys);
}

#[test]
fn the_examples_of_the_manual() {
    let pcre = "/^(?!owner-)(.*)-outgoing@(.*)/ 550 Use ${1}@${2} instead\n\
                /^(friend@(?!my\\.domain$).*)$/  550 Stick this in your pipe $1\n\
                # A multi-line entry. The text is sent as one line.\n#\n/^noddy@my\\.domain$/\n \
                550 This user is a funny one. You really\n don't\n";
    let regexp = "/[%!@].*[%!@]/       550 Sender-specified routing rejected\n\
                  /^postmaster@/       OK\nif !/^owner-/\n\
                  /^(.*)-outgoing@(.*)$/  550 Use ${1}@${2} instead\nendif\n\
                  ~^[[:alnum:]+/]{10,}$~          OK\n";
    let keys = [
        "owner-x-outgoing@y",
        "list-outgoing@example.org",
        "friend@my.domain",
        "friend@your.domain",
        "NODDY@my.domain",
        "a%b@c",
        "postmaster@x",
        "QUJDREVGR0hJSktMTU5P",
    ];
    same("pcre", "-q", pcre, &keys);
    same("regexp", "-q", regexp, &keys);
}

#[test]
fn delimiters_flags_and_negation() {
    let table =
        "~a/b~ 1\n%c\\%d%i 2\n!!/e/ 3\n! /[a-z]/ 4\n\"f\"ii 5\n!xgxi 6\n,h\\,, 7\n|j\\|| 8\n";
    both("-q", table, &["a/b", "C%D", "c%d", "E", "123", "F", "G", "h,", "xyz", "j|"]);
    same(
        "pcre",
        "-q",
        "/a b #c\n/x 1\n/^d/A 2\n/(e+)/U [$1]\n/f$/E 3\n/g/X 4\n",
        &["ab", "d", "xd", "eee", "f", "g"],
    );
    same(
        "regexp",
        "-q",
        "/a+/x 1\n/b\\+c/x 2\n/\\(d\\)\\1/x [$1]\n/e/xx 3\n",
        &["a+", "aa", "bbc", "dd", "e"],
    );
}

#[test]
fn scopes_that_are_skipped_left_open_or_closed_twice() {
    let table = "if /a/\nif /[/\n/b/ 1\nendif\n/c/ 2\nendif x\nendif\nif !/d/ extra\n/e/ 3\n\
                 if /f/\n/g/ 4\n";
    both("-q", table, &["ab", "c", "ac", "e", "de", "fg", "dfg", "g"]);
}

#[test]
fn results_right_and_wrong() {
    let table = "/^1(.)(.)$/ <$1$2>\n/^2(.)/ ${1}x$(1)$$1\n/^3(.)?/ [$1]\n/4/ $1\n/5/ ${x}\n/6/ $\n\
                 /7(a)/ $0\n/8/\n!/9(a)/ $1\n/(a)b/ ${1\n/(c)/ $1_2 x\n/(d)/ $11\n/(e)/ a $(1) $ 1\n\
                 /(f)/ $99999999999999999999\n/(g)/ ${001}\n/(((h)))/ {$3}\n";
    both(
        "-q",
        table,
        &["1ab", "2z", "3", "3a", "4", "5", "6", "7a", "8", "ab", "c", "d", "e", "f", "g", "h"],
    );
}

#[test]
fn lines_that_continue_across_comments_and_blank_lines() {
    let table = "/a/ 1\n  2\n# c\n\n\t3\n   # d\n/b/\n 4 \n\n\n#e\n/c/   5\n /d/ 6";
    both("-q", table, &["a", "b", "c", "d"]);
}

#[test]
fn headers_of_several_lines() {
    let table =
        "/^b$/m 1\n/^Subject: x.+z$/s 2\n/^ c/m 3\n/^To:.*d$/ 4\n/e.f/ 5\n/^From: \\w+$/m 6\n";
    let keys =
        ["Subject: a\n b\n c", "Subject: x\n y z", "To: a,\n d", "To: e\n\tf", "From: g\n <h>"];
    both("-hmq", table, &keys);
}

#[test]
fn sets_of_characters() {
    let sets = "/^1[]a]$/ 1\n/^2[^]a]$/ 2\n/^3[a-]$/ 3\n/^4[[:upper:]]$/i 4\n/^5[[:alpha:][:digit:]]$/ 5\n\
                /^6[a&&b]$/ 6\n/^7[^a-c]$/i 7\n/^8[[a]$/ 8\n/^9[\\]a]$/ 9\n";
    let keys = [
        "1]", "1a", "2]", "2b", "3-", "3b", "4a", "4A", "5b", "5-", "6&", "6b", "7A", "7a", "7d",
        "8[", "9]", "9\\", "9\\a]", "9a",
    ];
    both("-q", sets, &keys);
}

#[test]
fn repetitions_one_after_the_other() {
    let extended =
        "/^1a**$/ 1\n/^2(ab)+*$/ 2\n/^3a{2}{2}$/ 3\n/^4a?+$/ 4\n/*a/ 5\n/^*a/ 6\n/(+a)/ 7\n";
    let basic = "/^1a**$/x 1\n/^2a\\+\\?$/x 2\n/*a/x 3\n/^4a\\{2\\}*$/x 4\n/^5\\(*a\\)/x 5\n";
    let keys = ["1", "1aa", "2", "2abab", "3aaaa", "3aaa", "4aa", "*a", "a", "2aa", "5*a", "+a"];
    same("regexp", "-q", extended, &keys);
    same("regexp", "-q", basic, &keys);
}
