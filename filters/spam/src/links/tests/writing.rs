//! How URLs are written, and what they lead to.

use proptest::prelude::*;

use super::super::{
    Host, Trick,
    text::of_line,
    url::{Target, read},
};

fn leads_to(raw: &str) -> (String, Vec<Trick>) {
    match read(raw) {
        Target::Host(host, tricks) => (host.to_string(), tricks),
        Target::Script => ("script".to_owned(), Vec::new()),
        Target::Nothing => (String::new(), Vec::new()),
    }
}

#[test]
fn urls_lead_where_browsers_go() {
    use Trick::{Address, DisguisedAddress, Obfuscated, Port, Userinfo};
    let table: &[(&str, &str, &[Trick])] = &[
        ("http://www.Example.COM/path?q#f", "www.example.com", &[]),
        ("HTTPS://example.com.", "example.com", &[]),
        ("  http://example.com/\n", "example.com", &[]),
        ("//example.com/x", "example.com", &[]),
        ("ftp://me:secret@example.com/", "example.com", &[]),
        ("http://bank.example@evil.example/", "evil.example", &[Userinfo]),
        ("http://bank.example:80%2Flogin@evil.example/", "evil.example", &[Userinfo]),
        ("http://user@example.com/", "example.com", &[]),
        ("http://a@b.example@evil.example", "evil.example", &[Userinfo]),
        ("http://192.0.2.1/", "192.0.2.1", &[Address]),
        ("http://192.0.2.1:8080/", "192.0.2.1", &[Address]),
        ("http://192.168.0.1:81/", "192.168.0.1", &[]),
        ("http://0xc0a80001/", "192.168.0.1", &[DisguisedAddress]),
        ("http://nas:5000/", "nas", &[]),
        ("http://3221225985/", "192.0.2.1", &[DisguisedAddress]),
        ("http://0300.0.2.1/", "192.0.2.1", &[DisguisedAddress]),
        ("http://0xc0.0x0.0x2.0x1/", "192.0.2.1", &[DisguisedAddress]),
        ("http://0xC0000201/", "192.0.2.1", &[DisguisedAddress]),
        ("http://192.0.513/", "192.0.2.1", &[DisguisedAddress]),
        ("http://%31%39%32.0.2.1/", "192.0.2.1", &[DisguisedAddress]),
        ("http://[2001:db8::1]/", "2001:db8::1", &[Address]),
        ("http://ex%61mple.com/", "example.com", &[Obfuscated]),
        ("http:\\\\example.com\\path", "example.com", &[Obfuscated]),
        ("http://exam\tple.c\nom/", "example.com", &[Obfuscated]),
        ("ht\ntp://example.com/", "example.com", &[]),
        ("http://example.com/a\nb", "example.com", &[]),
        ("http://exam\u{200b}ple.com/", "example.com", &[Obfuscated]),
        ("http://example\u{3002}com/", "example.com", &[Obfuscated]),
        ("http://\u{ff45}xample.com/", "example.com", &[Obfuscated]),
        ("http:example.com", "example.com", &[]),
        ("http:///example.com", "example.com", &[]),
        ("http://example.com:4711/", "example.com", &[Port]),
        ("http://example.com:443/", "example.com", &[Port][..0]),
        ("http://b\u{fc}cher.example/", "xn--bcher-kva.example", &[]),
        ("http://redirect.example/?to=http://evil.example/", "redirect.example", &[]),
        ("javascript:alert(1)", "script", &[]),
        (" java\nscript:alert(1)", "script", &[]),
        ("data:text/html;base64,AAAA", "script", &[]),
        ("data:image/png;base64,AAAA", "", &[]),
        ("mailto:a@example.com", "", &[]),
        ("cid:part1@example.com", "", &[]),
        ("#top", "", &[]),
        ("/relative/path", "", &[]),
        ("http://", "", &[]),
        ("http://a b.example/", "", &[]),
        ("", "", &[]),
    ];
    for (raw, host, tricks) in table {
        assert_eq!(leads_to(raw), ((*host).to_owned(), tricks.to_vec()), "{raw:?}");
    }
}

#[test]
fn a_host_knows_what_somebody_registered() {
    let domain = |name: &str| Host::Name(name.into()).domain().map(str::to_owned);
    assert_eq!(domain("www.example.co.uk").as_deref(), Some("example.co.uk"));
    assert_eq!(domain("a.b.example.com").as_deref(), Some("example.com"));
    assert_eq!(domain("shop.example.co.kr").as_deref(), Some("example.co.kr"));
    assert_eq!(domain("co.uk"), None);
    assert_eq!(domain("localhost"), None);
    assert_eq!(Host::V4("192.0.2.1".parse().unwrap()).domain(), None);
}

#[test]
fn links_are_found_in_lines_as_mail_programs_find_them() {
    let table: &[(&str, &[&str])] = &[
        ("See http://example.com/a.", &["http://example.com/a"]),
        ("(see:http://example.com/a)", &["http://example.com/a"]),
        (
            "<http://example.com/a>,<https://b.example>",
            &["http://example.com/a", "https://b.example"],
        ),
        ("http://en.example.org/wiki/A_(b)", &["http://en.example.org/wiki/A_(b)"]),
        ("[http://[::1]/x]", &["http://[::1]/x"]),
        ("http://3221225985/", &["http://3221225985/"]),
        ("www.example.com, WWW.example.org/x!", &["www.example.com", "WWW.example.org/x"]),
        ("buy at example.com/now or *shop.example.net*", &["example.com/now", "shop.example.net"]),
        ("write to me@example.com or README.md, main.rs, 3.14, e.g. v1.2", &[]),
        ("docs.example.md/x", &["docs.example.md/x"]),
        ("x://http://example.com", &["http://example.com"]),
        ("http:// www. . .. a..com -.- :", &[]),
    ];
    for (line, links) in table {
        let found: Vec<&str> = of_line(line).map(|found| found.written).collect();
        assert_eq!(found, *links, "{line:?}");
    }
}

proptest! {
    #[test]
    fn no_url_panics(raw in "(http|https|ftp|javascript|data|//)?:?[/\\\\]{0,3}[\\PC\t\n@:%.\\[\\]0-9x]{0,40}") {
        let _ = read(&raw);
    }

    #[test]
    fn no_line_panics(line in "[\\PC]{0,80}|([a-z.:/@\\-()\\[\\]<>\u{200b}\u{3002} ]|http://|www\\.|\\.com){0,40}") {
        for found in of_line(&line) {
            prop_assert!(line.contains(found.written) && !found.written.is_empty());
            let _ = read(found.written);
        }
    }
}
