//! What names look like.

use super::super::{
    Host, OwnDomains, Trick,
    disguise::of_host,
    skeleton::{is_disguised, looks_latin, skeleton},
};

fn tricks(shown: &str, own: &[&str]) -> Vec<Trick> {
    let name = idna::domain_to_ascii(shown).unwrap();
    of_host(&Host::Name(name.into()), &OwnDomains::new(own.iter().copied()))
}

#[test]
fn names_that_look_like_others_are_told() {
    let table: &[(&str, &[Trick])] = &[
        // Cyrillic throughout, and Latin in looks.
        ("\u{430}\u{440}\u{440}\u{4cf}\u{435}.com", &[Trick::Homograph]),
        // One Cyrillic letter among Latin ones.
        ("p\u{430}ypal.com", &[Trick::MixedScript]),
        ("g\u{3bf}\u{3bf}gle.com", &[Trick::MixedScript]),
        ("www.p\u{430}ypal.com.example", &[Trick::MixedScript]),
        // At home where they are.
        ("b\u{fc}cher.example", &[]),
        ("\u{43f}\u{440}\u{438}\u{43c}\u{435}\u{440}.com", &[]),
        ("\u{441}\u{430}\u{445}\u{430}\u{440}.\u{440}\u{444}", &[]),
        ("\u{c608}\u{c2dc}.kr", &[]),
        ("\u{4f8b}\u{5b50}a.example", &[]),
        ("plain.example", &[]),
    ];
    for (shown, expected) in table {
        assert_eq!(tricks(shown, &[]), *expected, "{shown}");
    }
}

#[test]
fn what_looks_like_a_domain_of_ours_is_told() {
    let own = ["mail.modern-bank.example", "B\u{fc}cher.example"];
    let table: &[(&str, &[Trick])] = &[
        ("modern-bank.example", &[]),
        ("www.mail.modern-bank.example", &[]),
        ("modem-bank.example", &[Trick::LikeOwnDomain]),
        ("www.m0dern-bank.example", &[Trick::LikeOwnDomain]),
        ("m\u{f6}dern-bank.example", &[Trick::LikeOwnDomain]),
        ("bucher.example", &[Trick::LikeOwnDomain]),
        ("mail.modern-bank.example.evil.test", &[Trick::OwnDomainInside]),
        ("x.mail.modern-bank.example.evil.co.uk", &[Trick::OwnDomainInside]),
        ("xmail.modern-bank.example.evil.test", &[]),
        ("mail.modern-bank.test", &[]),
    ];
    for (shown, expected) in table {
        assert_eq!(tricks(shown, &own), *expected, "{shown}");
    }
}

#[test]
fn skeletons_are_the_same_for_what_people_take_for_each_other() {
    for (one, other) in [
        ("paypal", "\u{440}\u{430}\u{443}\u{440}\u{430}\u{4cf}"),
        ("PayPal", "paypa1"),
        ("google", "g00gle"),
        ("modern", "modem"),
        ("www", "vvvvvv"),
        ("apple", "\u{1d41a}pp1\u{e9}"),
        ("ibank", "lbank"),
        ("oslo", "\u{f8}slo"),
    ] {
        assert_eq!(skeleton(one), skeleton(other), "{one} {other}");
    }
    for (one, other) in
        [("apple", "apply"), ("\u{c608}\u{c2dc}", "\u{c608}\u{c2e4}"), ("bank", "rank")]
    {
        assert_ne!(skeleton(one), skeleton(other), "{one} {other}");
    }
}

#[test]
fn words_that_mix_scripts_for_their_looks_are_disguised() {
    for word in [
        "P\u{430}yPal",
        "\u{420}\u{430}ypal",
        "\u{412}ank",
        "m\u{3bf}ney",
        "\u{43f}\u{440}\u{435}\u{434}p\u{43e}\u{436}\u{435}\u{43d}\u{438}e",
    ] {
        assert!(is_disguised(word), "{word}");
    }
    for word in [
        "PayPal",
        "b\u{fc}cher",
        "USB\u{448}\u{43d}\u{44b}\u{439}",
        "\u{43f}\u{440}\u{438}\u{43c}\u{435}\u{440}",
        "5\u{3bc}m",
        "\u{3bc}m",
        "\u{c608}\u{c2dc}abc",
        "",
    ] {
        assert!(!is_disguised(word), "{word}");
    }
    assert!(looks_latin("\u{430}\u{440}\u{440}\u{4cf}\u{435}"));
    assert!(!looks_latin("apple"));
    assert!(!looks_latin("\u{436}\u{430}"));
    assert!(!looks_latin(""));
}
