//! Who finds what: recipients in Bcc, and one's own mail.

use super::*;

#[test]
fn whoever_sees_all_mail_finds_recipients_in_bcc() {
    let bench = Bench::holding(&[
        Document { from: &[HANS], to: &[JI], bcc: &[BOSS], ..offer(1) },
        Document { from: &[HANS], to: &[JI], ..offer(2) },
    ]);
    for query in [
        "boss",
        "bcc:boss",
        "bcc:@secret.example",
        "boss@secret.example",
        "secre*",
        "*ecret*",
        "bcc:*oss",
    ] {
        assert_eq!(bench.find(query), [1], "{query}");
    }
}

/// Members of a list do not learn who the others are; see `gateway/src/archiving/sight.rs`.
#[test]
fn whom_a_named_address_stands_for_is_found_as_if_named_and_by_themselves_alone() {
    let bench = Bench::holding(&[
        Document { to: &[LIST], to_expanded: &[JI, BOSS], owners: &[J, B], ..offer(1) },
        Document { cc: &[LIST], cc_expanded: &[JI, HANS], owners: &[J, H], ..offer(2) },
    ]);
    for (query, found) in [
        ("to:ji", &[1][..]),
        ("to:@secret.example", &[1]),
        ("cc:hans@mail.example.com", &[2]),
        ("to:hans", &[]),
        ("bcc:ji", &[]),
        ("boss", &[1]),
        ("to:list", &[1]),
    ] {
        assert_eq!(bench.find(query), found, "{query}");
    }
    let of = |query: &str, own: &str| bench.search(query, Scope::Addresses(&[own])).unwrap().seqs;
    for (query, found) in [
        ("to:ji", &[1][..]),
        ("to:ji@example.co.kr", &[1]),
        ("cc:@example.co.kr", &[2]),
        ("ji", &[2, 1]),
        ("to:list", &[1]),
        ("list@lists.example", &[2, 1]),
    ] {
        assert_eq!(of(query, J), found, "{query}");
    }
    for query in ["to:boss", "to:@secret.example", "boss@secret.example", "secre*", "cc:hans"] {
        assert_eq!(of(query, J), [0; 0], "{query}");
        assert_eq!(of(&format!("offer -{query}"), J), [2, 1], "{query}");
    }
}

const LIST: Address<'_> = Address { name: "", address: "list@lists.example" };
const H: &str = "hans@mail.example.com";
const J: &str = "ji@example.co.kr";
const B: &str = "boss@secret.example";

fn offer(seq: u64) -> Document<'static> {
    Document { text: &["offer"], ..mail(seq) }
}

#[test]
fn people_find_their_own_mail_and_their_own_bcc_only() {
    let bench = Bench::holding(&[
        Document { from: &[HANS], to: &[JI], bcc: &[BOSS], owners: &[H, J, B], ..offer(1) },
        Document { from: &[JI], bcc: &[HANS, BOSS], owners: &[J, H, B], ..offer(2) },
        // A header that names others makes nobody an owner.
        Document { from: &[HANS], to: &[HANS], owners: &[B], ..offer(3) },
        Document { owners: &["Hans"], ..offer(4) },
    ]);
    let of = |query: &str, own: &[&str]| bench.search(query, Scope::Addresses(own)).unwrap().seqs;
    let hans: &[&str] = &["HANS@mail.example.com", "hans"];
    assert_eq!(of("offer", hans), [4, 2, 1]);
    assert_eq!(of("bcc:hans", hans), [2]);
    assert_eq!(of("bcc:@example.com", hans), [2]);
    assert_eq!(of("bcc:hans@mail.example.com", hans), [2]);
    assert_eq!(of("hans@mail.example.com", hans), [2, 1]);
    for query in ["boss", "bcc:boss", "bcc:@secret.example", "secre*", "*oss*"] {
        assert_eq!(of(query, hans), [0; 0], "{query}");
        assert_eq!(of(&format!("offer -{query}"), hans), [4, 2, 1], "{query}");
    }
    assert_eq!(of("offer", &[B]), [3, 2, 1]);
    assert_eq!(of("offer", &[J, "hans"]), [4, 2, 1]);
    assert_eq!(of("offer", &[]), [0; 0]);
    assert_eq!(of("", &["nobody@example.com"]), [0; 0]);
}
