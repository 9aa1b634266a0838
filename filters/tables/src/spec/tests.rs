use proptest::prelude::*;

use super::*;

fn source_of(text: &str) -> Source {
    Spec::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).source
}

fn error_of(text: &str) -> String {
    match Spec::parse(text) {
        Ok(spec) => panic!("{text} was read as {spec:?}"),
        Err(error) => error.to_string(),
    }
}

fn pairs(text: &str) -> Vec<(String, String)> {
    match source_of(text) {
        Source::Inline(pairs) => {
            pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
        }
        other => panic!("{text} was read as {other:?}"),
    }
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

#[test]
fn what_postmap_would_make_is_read_from_its_text_source() {
    for kind in ["hash", "btree", "lmdb", "dbm", "sdbm", "cdb", "texthash", "proxy:hash"] {
        let text = format!("{kind}:/etc/postfix/access");
        assert_eq!(source_of(&text), Source::Text("/etc/postfix/access".into()), "{text}");
        assert_eq!(&**Spec::parse(&text).unwrap().name(), text);
    }
}

#[test]
fn a_name_without_type_or_a_type_without_name_is_refused() {
    for text in ["", "/etc/postfix/access", ":x", "hash:", "proxy:", "proxy:x"] {
        assert_eq!(Spec::parse(text), Err(SpecError::NoType), "{text}");
    }
}

#[test]
fn a_type_that_is_not_possible_here_is_refused_with_those_that_are() {
    for kind in ["ldap", "mysql", "nis", "memcache", "environ", "internal", "HASH", "{static"] {
        let error = error_of(&format!("{kind}:x"));
        assert!(error.contains(&format!("\"{kind}\"")) && error.contains("pcre"), "{error}");
    }
}

#[test]
fn an_inline_table_lists_its_keys_and_values() {
    assert_eq!(pairs("inline:{a=b, c=d}"), [pair("a", "b"), pair("c", "d")]);
    assert_eq!(pairs("inline:{,,a=b,,}"), [pair("a", "b")]);
    assert_eq!(pairs("inline:{ {a = b c} , { D= x}}"), [pair("a", "b c"), pair("D", "x")]);
    assert_eq!(pairs("inline:{{ x=y, z=w}}"), [pair("x", "y, z=w")]);
    assert_eq!(pairs("inline:{x{a=y}=2}"), [pair("x{a", "y}=2")]);
    assert_eq!(pairs("inline:{{\"a b\\\" = c\" = d}}"), [pair("\"a b\\\" = c\"", "d")]);
    assert_eq!(pairs("inline:{=b}"), [pair("", "b")]);
}

#[test]
fn a_broken_inline_table_is_refused_in_postfixs_words() {
    for (table, reason) in [
        ("inline:{}", "bad syntax"),
        ("inline:{ }", "empty table"),
        ("inline:a=b", "bad syntax"),
        ("inline:{a=b", "bad syntax"),
        ("inline:{a=b}x", "bad syntax"),
        ("inline:{a}", "missing '=' after attribute name"),
        ("inline:{x = y}", "missing '=' after attribute name"),
        ("inline:{{a=b}c=d, e=f}", "syntax error after '}' in \"{a=b}c=d\""),
        ("inline:{{x=y},{}}", "no key found; expected format: key = value"),
        ("inline:{\"a=b}", "unbalanced '\"'"),
    ] {
        let expected = format!("{reason}: \"{table}\"; need \"inline:{{name=value...}}\"");
        assert_eq!(error_of(table), expected);
    }
}

#[test]
fn a_static_value_may_stand_in_braces() {
    assert_eq!(source_of("static: x y "), Source::Static(" x y ".into()));
    assert_eq!(source_of("static:{ x y }"), Source::Static("x y".into()));
    assert_eq!(source_of("static:{{x}}"), Source::Static("{x}".into()));
    assert!(error_of("static:{x}y").starts_with("bad static:name syntax: syntax error after '}'"));
    assert!(error_of("static:{x").starts_with("bad static:name syntax: missing '}'"));
}

#[test]
fn unions_and_pipes_stand_inside_each_other() {
    let Source::Union(members) = source_of("unionmap:{static:{a b},pipemap:{hash:/a, pcre:/b}}")
    else {
        panic!("no union");
    };
    let names: Vec<&str> = members.iter().map(|member| &**member.name()).collect();
    assert_eq!(names, ["static:{a b}", "pipemap:{hash:/a, pcre:/b}"]);
    for list in ["unionmap:{}", "unionmap:{foo}", "pipemap:{ }", "pipemap:x:y", "unionmap:{a:b"] {
        assert!(error_of(list).starts_with("bad syntax"), "{list}");
    }
    assert!(error_of("unionmap:{ldap:x static:y}").contains("\"ldap\""));
}

#[test]
fn a_union_in_a_union_without_end_is_refused_and_no_overflow() {
    let deep = format!("{}static:x{}", "unionmap:{".repeat(10_000), "}".repeat(10_000));
    assert_eq!(Spec::parse(&deep), Err(SpecError::TooDeep));
    let proxied = format!("{}static:x", "proxy:".repeat(100));
    assert_eq!(Spec::parse(&proxied), Err(SpecError::TooDeep));
}

#[test]
fn lines_of_patterns_may_stand_in_the_name() {
    let lines = Content::Inline("1.2.3.4 x\n1.2.0.0/16  y\n".into());
    assert_eq!(source_of("cidr:{{1.2.3.4 x},{ 1.2.0.0/16  y }}"), Source::Cidr(lines));
    let file = Content::File("/etc/postfix/header_checks".into());
    assert_eq!(source_of("pcre:/etc/postfix/header_checks"), Source::Rules(Dialect::Pcre, file));
    assert!(error_of("cidr:{1.2.3.4 x}").starts_with("no '{' at start of text in \"1.2.3.4\""));
    assert!(error_of("regexp:{ {/a/ x} ").starts_with("missing '}'"));
}

#[test]
fn a_remote_table_names_its_server() {
    assert_eq!(
        source_of("tcp:[::1]:9000"),
        Source::Remote(RemoteMap::Tcp { host: "::1".into(), port: 9000 })
    );
    assert_eq!(
        source_of("socketmap:inet:localhost:9000:aliases"),
        Source::Remote(RemoteMap::SocketmapInet {
            host: "localhost".into(),
            port: 9000,
            map: "aliases".into()
        })
    );
    assert_eq!(
        source_of("socketmap:unix:/run/maps:aliases"),
        Source::Remote(RemoteMap::SocketmapUnix {
            path: "/run/maps".into(),
            map: "aliases".into()
        })
    );
    for text in [
        "tcp:host",
        "tcp:host:smtp",
        "tcp::9",
        "tcp:host:0",
        "socketmap:host:9:x",
        "socketmap:inet:host:x",
        "socketmap:unix:x",
        "socketmap:unix::x",
        "socketmap:unix:/p:",
    ] {
        assert!(error_of(text).starts_with("bad syntax"), "{text}");
    }
}

#[test]
fn a_list_of_tables_is_divided_outside_braces() {
    let list = "hash:/etc/a, pcre:/etc/b\n inline:{a=b, c=d} unionmap:{static:x,static:y}";
    let list = Spec::parse_list(list).unwrap();
    let names: Vec<&str> = list.iter().map(|spec| &**spec.name()).collect();
    assert_eq!(
        names,
        ["hash:/etc/a", "pcre:/etc/b", "inline:{a=b, c=d}", "unionmap:{static:x,static:y}"]
    );
    assert_eq!(Spec::parse_list(" , "), Ok(Vec::new()));
}

proptest! {
    #[test]
    fn no_name_makes_it_panic(
        kind in prop::sample::select(vec![
            "inline", "static", "randmap", "unionmap", "pipemap", "cidr", "tcp", "socketmap",
        ]),
        name in "[a{}=, :\\\\\"\\[\\]0é]{0,24}",
    ) {
        let _ = Spec::parse(&format!("{kind}:{name}"));
        let _ = Spec::parse_list(&name);
    }
}
