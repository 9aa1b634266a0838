//! What is found, how much of it, and in which order.

use proptest::prelude::*;

use super::*;

/// A mail with everything, and one with little.
fn rich_and_poor() -> Bench {
    Bench::holding(&[
        Document {
            seq: 1,
            time: 1_768_435_200, // 2026-01-15 00:00 UTC
            size: 20_480,
            subject: "見積書の件",
            text: &["Bonjour, le café est prêt.", "text of a sheet"],
            files: &["Rapport annuel.pdf"],
            has_attachment: true,
            from: &[HANS],
            to: &[JI],
            cc: &[Address { name: "Cécile", address: "cecile@example.fr" }],
            login: Some("Hans"),
            ip: "2001:db8::1".parse().ok(),
            message_id: Some("<AbC@mail.example.com>"),
            id: "4XyZ",
            direction: Some(Direction::Out),
            has_unread: true,
            ..Document::default()
        },
        Document { seq: 2, size: 10, time: 1_768_521_600, text: &["nothing of that"], ..mail(2) },
    ])
}

#[test]
fn every_field_is_found_by_its_own_words() {
    let bench = rich_and_poor();
    for query in [
        "見積",
        "書の",
        "件",
        "subject:見積書",
        "cafe",
        "text:café",
        "\"le café est\"",
        "sheet",
        "file:annuel",
        "*nnue*",
        "rapp*",
        "from:hans",
        "from:müller",
        "from:muller",
        "from:hans@mail.example.com",
        "from:@example.com",
        "from:@mail.example.com",
        "from:mail.example",
        "to:지훈",
        "to:@co.kr",
        "cc:cecile",
        "hans@mail.example.com",
        "login:hans",
        "ip:2001:DB8::1",
        "ip:2001:*",
        "message-id:<abc@mail.example.com>",
        "id:4xyz",
        "direction:out",
        "has:attachment",
        "has:unread",
        "larger:20K",
        "date:2026-01-15",
        "before:2026-01-16",
        "-nothing",
        "ji OR nothing to:ji",
        "(见 OR 見積) -draft",
    ] {
        assert_eq!(bench.find(query), [1], "{query}");
    }
    for query in [
        "from:ji",
        "to:hans",
        "cc:hans",
        "subject:cafe",
        "text:見積",
        "file:見積",
        "from:hans@example.com",
        "to:@kr",
        "id:4xy",
        "direction:in",
        "date:2026-01-14",
        "\"est café\"",
        "积书",
    ] {
        assert_eq!(bench.find(query), [0; 0], "{query}");
    }
    for query in ["", "after:2026-01-15", "larger:1", "hans OR nothing", "-draft"] {
        assert_eq!(bench.find(query), [2, 1], "{query}");
    }
    for query in ["smaller:20K", "after:2026-01-16", "-has:attachment", "\"nothing of\""] {
        assert_eq!(bench.find(query), [2], "{query}");
    }
}

#[test]
fn a_day_begins_where_the_reader_is() {
    let bench = Bench::holding(&[Document { time: 1_768_435_200 - 3_600, ..mail(1) }]);
    let query = Query::parse("date:2026-01-15").unwrap();
    let find = |utc_offset| {
        let page = Page { utc_offset, ..Page::default() };
        bench.index.searcher().search(&query, &Scope::WithBcc, &page, &|_| true).unwrap().seqs
    };
    assert_eq!(find(0), [0; 0]);
    assert_eq!(find(9 * 3_600), [1], "in Seoul it is the 15th already");
}

#[test]
fn pages_follow_each_other_and_counts_say_how_far_they_went() {
    let mut bench = Bench::new();
    for round in 0..5 {
        let batch: Vec<Document<'_>> =
            (0..20).map(|i| Document { text: &["offer"], ..mail(round * 20 + i) }).collect();
        bench.add(&batch);
    }
    let query = Query::parse("offer").unwrap();
    let search = |page: &Page| {
        bench.index.searcher().search(&query, &Scope::WithBcc, page, &|seq| seq % 2 == 0).unwrap()
    };
    let mut all: Vec<u64> = Vec::new();
    let mut page = Page { size: 7, count_to: 20, ..Page::default() };
    let first = search(&page);
    assert_eq!(first.count, Count::MoreThan(20));
    loop {
        let found = search(&page);
        all.extend(&found.seqs);
        page.before = found.next;
        if found.next.is_none() {
            assert_eq!(found.count, Count::Exactly(found.seqs.len() as u64));
            break;
        }
        assert_eq!(found.seqs.len(), 7);
    }
    assert_eq!(all, (0..50).rev().map(|i| i * 2).collect::<Vec<u64>>());
    assert_eq!(search(&Page { before: Some(0), ..page }).count, Count::Exactly(0));
    assert_eq!(
        search(&Page { size: 50, count_to: 0, before: None, ..page }).count,
        Count::Exactly(50)
    );
}

/// What is left out may begin behind the first mail that is found.
#[test]
fn phrases_that_are_left_out_leave_out_what_a_reader_would() {
    let of_three = |mut seed: u64, parts: [&str; 3], between: &str| {
        let mut next = || {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            parts[(seed >> 33) as usize % 3]
        };
        [next(), next(), next(), next(), next()].join(between)
    };
    let texts: Vec<_> = (1..=300u64)
        .map(|seq| {
            let latin = of_three(seq, ["ro", "mi", "ka"], " ");
            let hangul = of_three(seq + 1_000, ["가", "나", "다"], "");
            format!("{latin} {hangul}")
        })
        .collect();
    let mut bench = Bench::new();
    for (group, first) in texts.chunks(30).zip((1..).step_by(30)) {
        for (text, seq) in group.iter().zip(first..) {
            let _ = bench.indexer.add(&Document { text: &[text], ..mail(seq) }).unwrap();
        }
        bench.commit(first + 29);
    }
    for (query, wanted, left_out) in [
        ("ro -\"mi ka\"", "ro", "mi ka"),
        ("ka -\"ro ro mi\"", "ka", "ro ro mi"),
        ("가나 -다다", "가나", "다다"),
        ("나 -가나다", "나", "가나다"),
        ("-\"ka ka\"", "", "ka ka"),
    ] {
        let is_meant = |text: &String| text.contains(wanted) && !text.contains(left_out);
        let meant = texts.iter().zip(1..).filter(|(text, _)| is_meant(text));
        let mut expected: Vec<u64> = meant.map(|(_, seq)| seq).collect();
        expected.reverse();
        assert!((10..290).contains(&expected.len()), "{query}");
        let page = Page { size: 300, ..Page::default() };
        let parsed = Query::parse(query).unwrap();
        let found = bench.index.searcher().search(&parsed, &Scope::WithBcc, &page, &|_| true);
        assert_eq!(found.unwrap().seqs, expected, "{query}");
    }
}

#[test]
fn what_is_added_twice_is_there_once() {
    let mut bench = Bench::new();
    bench.add(&[mail(3), mail(5)]);
    for seq in [5, 4, 3] {
        assert_eq!(bench.indexer.add(&mail(seq)).unwrap(), Added::Already);
    }
    bench.commit(9);
    assert_eq!(bench.indexer.add(&mail(9)).unwrap(), Added::Already);
    assert_eq!(bench.find(""), [5, 3]);
}

#[test]
fn a_mail_taken_out_is_not_found_any_more() {
    let mut bench = Bench::new();
    bench.add(&[Document { text: &["offer"], ..mail(1) }, mail(2)]);
    bench.indexer.remove(1).unwrap();
    bench.commit(3);
    assert_eq!(bench.find(""), [2]);
    assert_eq!(bench.find("offer"), [0; 0]);
    assert_eq!(bench.find("-draft"), [2]);
    bench.indexer.finish().unwrap();
    assert!(matches!(Index::open(&bench.dir.path().join("index")), Opened::Ready(_)));
}

#[test]
fn a_mail_with_more_text_than_agreed_is_cut_and_said_to_be() {
    let mut bench = Bench::new();
    let long = "漢字 ".repeat(MAX_MAIL_TEXT / 7 + 1) + " end";
    let document = Document { subject: "offer", text: &["start", &long, "more"], ..mail(1) };
    assert_eq!(bench.indexer.add(&document).unwrap(), Added::Cut);
    bench.commit(1);
    assert_eq!(bench.find("offer start 漢字"), [1]);
    assert_eq!(bench.find("end"), [0; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Segments come and merge as they like: what is found is what a list would give.
    #[test]
    fn order_and_pages_hold_over_commits_and_merges(
        gaps in prop::collection::vec((1u64..5, 0u8..4, any::<bool>()), 1..80),
        size in 1usize..9, before in prop::option::of(0u64..200),
    ) {
        let mut bench = Bench::new();
        let mut model = Vec::new();
        let mut seq = 0;
        for (gap, word, commit) in gaps {
            seq += gap;
            let texts = [&["alpha gamma"] as &[&str], &["beta delta"], &["beta alpha gamma"], &[]];
            let text = texts[usize::from(word)];
            let _ = bench.indexer.add(&Document { text, ..mail(seq) }).unwrap();
            model.push((seq, word == 0 || word == 2));
            if commit {
                bench.indexer.commit(seq).unwrap();
            }
        }
        bench.commit(seq);
        let Bench { index, indexer, dir } = bench;
        let check = |index: &Index| {
            let expected: Vec<u64> = model.iter().rev()
                .filter(|(seq, alpha)| *alpha && before.is_none_or(|before| *seq < before))
                .map(|(seq, _)| *seq).collect();
            let page = Page { size, before, ..Page::default() };
            for query in ["alpha", "\"alpha gamma\"", "al* -delta", "alpha (gamma OR beta)"] {
                let query = Query::parse(query).unwrap();
                let found = index.searcher().search(&query, &Scope::WithBcc, &page, &|_| true).unwrap();
                assert_eq!(found.seqs, expected[..size.min(expected.len())]);
                assert_eq!(found.count, Count::Exactly(expected.len() as u64));
                assert_eq!(found.next, (expected.len() > size).then(|| expected[size - 1]));
            }
        };
        check(&index);
        indexer.finish().unwrap();
        index.searcher().refresh().unwrap();
        check(&index);
        drop(index);
        let Opened::Ready(index) = Index::open(&dir.path().join("index")) else { panic!("not ready") };
        check(&index);
    }
}
