use super::*;
use proptest::prelude::*;

/// Everything that was said of a mail.
#[derive(Debug, Default, PartialEq)]
struct Read {
    parts: Vec<(Part, Vec<u8>)>,
    headers: Vec<(usize, String)>,
    doubts: Vec<Ambiguity>,
    open: usize,
}

impl Read {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Header { depth, text } => {
                self.headers.push((depth, String::from_utf8_lossy(text).into_owned()));
            }
            Event::Start(part) => {
                assert_eq!(part.id.0 as usize, self.parts.len());
                self.parts.push((part.clone(), Vec::new()));
                self.open += 1;
            }
            Event::Data { part, bytes } => self.parts[part.0 as usize].1.extend_from_slice(bytes),
            Event::End(_) => self.open -= 1,
            Event::Ambiguous(ambiguity) => self.doubts.push(ambiguity),
        }
    }

    /// Type and bytes of the parts that are no containers.
    fn leaves(&self) -> Vec<(&str, String)> {
        let leaves = self.parts.iter().filter(|(part, _)| !part.is_container);
        leaves
            .map(|(part, data)| {
                (part.content_type.as_str(), String::from_utf8_lossy(data).into_owned())
            })
            .collect()
    }

    fn has(&self, text: &str) -> bool {
        self.leaves().iter().any(|(_, data)| data.contains(text))
    }
}

fn read_in_pieces(mail: &[u8], size: usize, limits: PartLimits) -> Read {
    let mut read = Read::default();
    let mut reader = PartReader::new(limits, HeaderDecoder::default());
    mail.chunks(size).for_each(|piece| reader.feed(piece, &mut |event| read.take(event)));
    reader.finish(&mut |event| read.take(event));
    assert_eq!(read.open, 0, "parts without an end");
    read
}

fn read(mail: &str) -> Read {
    read_in_pieces(mail.as_bytes(), usize::MAX, PartLimits::default())
}

#[test]
fn a_plain_mail_is_one_part() {
    let read = read("Subject: a\n b\r\nFrom: c\r\n\r\nline 1\r\nline 2\r\n");
    assert_eq!(read.leaves(), [("text/plain", "line 1\r\nline 2\r\n".to_owned())]);
    assert_eq!(read.headers, [(0, "Subject: a\n b".to_owned()), (0, "From: c".to_owned())]);
    assert!(read.doubts.is_empty());
}

#[test]
fn parts_are_decoded_and_the_line_end_before_a_boundary_is_none_of_them() {
    let read = read(
        "Content-Type: multipart/mixed; boundary=\"x\"\n\npreamble\n--x\n\nplain\n--x\n\
         Content-Type: text/html; charset=euc-kr\nContent-Transfer-Encoding: quoted-printable\n\n\
         a=3Db =\nc \n=\n--x\nContent-Type: application/zip; name=a.zip\n\
         Content-Transfer-Encoding: BASE64\n\nUEsD\nBA==\n--x--\nepilogue",
    );
    assert_eq!(
        read.leaves(),
        [
            ("text/plain", "plain".to_owned()),
            ("text/html", "a=b c\n".to_owned()),
            ("application/zip", "PK\u{3}\u{4}".to_owned())
        ]
    );
    assert_eq!(read.parts[0].1, b"preamble\nepilogue");
    assert_eq!(read.parts[2].0.charset, Charset::for_label(b"euc-kr"));
    assert_eq!(read.parts[3].0.names, ["a.zip"]);
    assert_eq!(read.parts[3].0.depth, 1);
    assert!(read.doubts.is_empty(), "{:?}", read.doubts);
}

#[test]
fn attached_mails_are_opened_even_if_encoded() {
    let plain = read("Content-Type: message/rfc822\n\nSubject: inner\n\ntext\n");
    assert_eq!(plain.headers[1], (1, "Subject: inner".to_owned()));
    assert!(plain.has("text"));
    let encoded = read(
        "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n\
         U3ViamVjdDogaW5uZXIKQ29udGVudC1UeXBlOiB0ZXh0L2h0bWwKCmJvZHkK\n",
    );
    assert_eq!(encoded.headers[2], (1, "Subject: inner".to_owned()));
    assert_eq!(encoded.leaves().pop(), Some(("text/html", "body\n".to_owned())));
    assert_eq!(encoded.leaves().len(), 1);
    // A program that ignores the encoding sees a mail in the raw lines.
    let both = read(
        "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nSubject: raw\n\nraw body\n",
    );
    assert!(both.has("raw body"));
    assert_eq!(both.doubts, [Ambiguity::EncodedContainer]);
}

#[test]
fn parts_of_a_digest_are_mails() {
    let read =
        read("Content-Type: multipart/digest; boundary=x\n\n--x\n\nSubject: a\n\nb\n--x--\n");
    assert_eq!(read.headers[1], (2, "Subject: a".to_owned()));
    assert_eq!(read.leaves(), [("text/plain", "b".to_owned())]);
}

#[test]
fn every_boundary_that_a_type_may_mean_parts_the_mail() {
    let types = [
        "multipart/mixed; boundary=aa; boundary=bb",
        "multipart/mixed; boundary=aa\nContent-Type: multipart/mixed; boundary=bb",
        "multipart/mixed; x=\"; boundary=aa; \"; boundary=bb",
        "multipart/mixed; boundary=aa (x; boundary=bb)",
        "multipart/mixed; boundary=\"aa\"; boundary*=us-ascii''bb",
        "multipart/mixed; boundary=\"aa\"; BOUNDARY*0=b; boundary*1=b",
        "multipart/(a comment)mixed; boundary=bb aa",
    ];
    for kind in types {
        for delimiter in ["aa", "bb"] {
            let mail = format!(
                "Content-Type: {kind}\n\n--{delimiter}\nContent-Type: application/x-evil\n\
                 Content-Transfer-Encoding: base64\n\nZXZpbA==\n--{delimiter}--\n"
            );
            let read = read(&mail);
            let is_found = read.leaves().contains(&("application/x-evil", "evil".to_owned()));
            // The last one is unquoted with a blank in it: `bb` and `bb aa` are its readings.
            assert!(is_found || (kind.ends_with("bb aa") && delimiter == "aa"), "{mail}");
            assert!(read.doubts.contains(&Ambiguity::Boundaries), "{mail}");
            assert!(read.has(&format!("--{delimiter}\n")), "the whole as text: {mail}");
        }
    }
}

#[test]
fn a_part_with_two_types_or_encodings_is_read_both_ways() {
    let read = read(
        "Content-Type: text/plain\nContent-Type: application/zip\n\
         Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n\nZXZpbA==\n",
    );
    let wanted = [
        ("text/plain", "ZXZpbA==\n".to_owned()),
        ("text/plain", "evil".to_owned()),
        ("application/zip", "ZXZpbA==\n".to_owned()),
        ("application/zip", "evil".to_owned()),
    ];
    assert_eq!(read.leaves(), wanted);
    assert_eq!(read.doubts, [Ambiguity::ContentTypes, Ambiguity::Encodings]);
}

#[test]
fn types_that_say_the_same_of_a_part_are_one_reading() {
    let types: String =
        (0..8).map(|n| format!("Content-Type: text/html; boundary={n}\n")).collect();
    let read = read(&format!("{types}\n<p>"));
    assert_eq!(read.leaves(), [("text/html", "<p>".to_owned())]);
    assert!(read.doubts.contains(&Ambiguity::ContentTypes));
}

#[test]
fn a_multipart_that_may_be_text_is_also_text() {
    let read = read(
        "Content-Type: text/plain\nContent-Type: multipart/mixed; boundary=x\n\n\
         --x\n\nspam\n--x--\n",
    );
    assert_eq!(read.leaves()[0], ("text/plain", "--x\n\nspam\n--x--\n".to_owned()));
    assert_eq!(read.leaves()[1], ("text/plain", "spam".to_owned()));
}

#[test]
fn a_garbled_header_is_read_to_its_end_and_as_the_begin_of_a_body() {
    let read =
        read("Content-Type: text/html\nno header\nContent-Transfer-Encoding: base64\n\nZXZpbA==\n");
    assert!(read.leaves().contains(&("text/html", "evil".to_owned())), "{:?}", read.leaves());
    let strict = "no header\nContent-Transfer-Encoding: base64\n\nZXZpbA==\n";
    assert!(read.leaves().contains(&("text/html", strict.to_owned())), "{:?}", read.leaves());
    assert_eq!(read.doubts, [Ambiguity::GarbledHeader]);
}

#[test]
fn a_first_line_that_is_no_field_hides_no_header_from_programs_that_see_ours_above_it() {
    for first in [" folded", "no field", "From here"] {
        let mail = format!("{first}\nContent-Type: text/html\n\n<p>a");
        assert!(read(&mail).leaves().contains(&("text/html", "<p>a".to_owned())), "{first}");
    }
    let read = read("no field\nContent-Type: text/html\n\n<p>a");
    let whole = "no field\nContent-Type: text/html\n\n<p>a".to_owned();
    assert!(read.leaves().contains(&("text/plain", whole)));
    assert_eq!(read.doubts, [Ambiguity::GarbledHeader]);
}

#[test]
fn a_missing_end_and_parts_behind_the_end_are_told() {
    let outer = "Content-Type: multipart/mixed; boundary=a\n\n--a\n\
                 Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--a\n\ntwo\n";
    let read_outer = read(outer);
    assert_eq!(read_outer.leaves().len(), 2);
    assert_eq!(read_outer.doubts, [Ambiguity::MissingEnd]);
    let late =
        read("Content-Type: multipart/mixed; boundary=a\n\n--a\n\none\n--a--\n--a\n\ntwo\n--a--\n");
    assert_eq!(late.leaves()[1], ("text/plain", "two".to_owned()));
    assert_eq!(late.doubts, [Ambiguity::PartAfterEnd]);
}

#[test]
fn a_line_that_only_begins_like_a_delimiter_parts_and_does_not() {
    let mail = "Content-Type: multipart/mixed; boundary=ab\n\n--ab\n\none\n--ab c\nX: y\n\ntwo\n\
                --ab\n\nthree\n--ab-- end\nbehind\n";
    let read = read(mail);
    let wanted = ["one\n--ab c\nX: y\n\ntwo\n", "two", "three\n--ab-- end\nbehind\n"];
    assert_eq!(read.leaves().into_iter().map(|(_, text)| text).collect::<Vec<_>>(), wanted);
    assert_eq!(read.doubts, [Ambiguity::Delimiter]);
    // A line of an inner multipart does not hide what follows in it.
    let inner = "Content-Type: multipart/mixed; boundary=ab\n\n--ab\n\
                 Content-Type: multipart/mixed; boundary=xy\n\n--xy\n\none\n--ab c\n--xy\n\
                 Content-Type: a/b; name=evil.exe\n\nevil\n--xy--\n--ab--\n";
    assert!(self::read(inner).parts.iter().any(|(part, _)| part.names == ["evil.exe"]));
    // The boundary of an inner multipart often begins like the one of the outer.
    let nested = "Content-Type: multipart/mixed; boundary=ab\n\n--ab\n\
                  Content-Type: multipart/alternative; boundary=abc\n\n--abc\n\none\n--abc--\n--ab--\n";
    assert!(self::read(nested).doubts.is_empty());
}

#[test]
fn a_multipart_without_boundary_is_text() {
    let read = read("Content-Type: multipart/mixed\n\n--x\n\na\n");
    assert_eq!(read.leaves(), [("multipart/mixed", "--x\n\na\n".to_owned())]);
    assert_eq!(read.doubts, [Ambiguity::MissingBoundary]);
}

#[test]
fn uuencoded_files_in_a_text_are_parts() {
    let read =
        read("Subject: a\n\ntext\nbegin 644 =?euc-kr?B?saSw7Q==?=.exe\n#86)C\n`\nend\nmore\n");
    let (file, data) = &read.parts[1];
    assert_eq!(
        (file.names.as_slice(), data.as_slice()),
        (&["광고.exe".to_owned()][..], &b"abc"[..])
    );
    assert!(read.has("more"));
}

#[test]
fn names_come_in_every_way_that_a_program_may_read_them() {
    let names = |header: &str| read(&format!("{header}\n\n")).parts[0].0.names.clone();
    let both = names(
        "Content-Type: a/b; name=a.txt\nContent-Disposition: attachment; filename=\"b.exe. \"",
    );
    assert_eq!(both, ["a.txt", "b.exe. ", "b.exe"]);
    let nul = names("Content-Type: a/b; name*=utf-8''b.exe%00.txt");
    assert_eq!(nul, ["b.exe.txt", "b.exe"]);
    let two =
        names("Content-Disposition: attachment; filename=\"a.txt\"; filename*=euc-kr''%B1%A4.exe");
    assert_eq!(two, ["광.exe", "a.txt"]);
    let bidi = names("Content-Type: a/b; name*=utf-8''%E2%80%AEgpj.exe");
    assert_eq!(bidi, ["gpj.exe"]);
    assert_eq!(names("Content-Type: a/b; name=two words.exe; x=y"), ["two words.exe", "two"]);
    assert_eq!(names("Content-Type: a/b; name=\"a\".exe"), ["a", "a.exe"]);
    assert!(names("Content-Type: a/b; name=\"\u{b1}\u{a4}.exe\"").contains(&"±¤.exe".to_owned()));
}

#[test]
fn sections_of_a_name_are_put_together_as_every_program_does() {
    let names = |params: &str| {
        read(&format!("Content-Disposition: attachment; {params}\n\n")).parts[0].0.names.clone()
    };
    assert_eq!(names("filename*0=b.exe; filename*2=.txt"), ["b.exe.txt", "b.exe"]);
    assert_eq!(names("filename*0=a.txt; filename*0=b.exe"), ["a.txt", "b.exe"]);
}

#[test]
fn no_number_of_names_or_parameters_hides_another() {
    let has_it = |header: &str| {
        let read = read(&format!("{header}\n\n"));
        read.parts[0].0.names.contains(&"b.exe".to_owned())
    };
    let eight = |from: usize| (from..from + 8).map(|n| format!("; name=a{n}")).collect::<String>();
    let types = format!("Content-Type: a/b{}\nContent-Type: a/b{}", eight(0), eight(8));
    assert!(has_it(&format!("{types}\nContent-Disposition: attachment; filename=b.exe")));
    assert!(has_it(&format!("Content-Type: a/b{}; name=b.exe", eight(0))));
    let unlabelled = "name*=x-none''%B0%A1%B0%A2.%00.; name=*%B0%A1%B0%A2.%00.; name=a; name=c";
    let wide = format!("Content-Type: a/b; {unlabelled}\nContent-Disposition: b; filename=b.exe");
    assert!(has_it(&wide));
    let params: String = (0..200).map(|n| format!("; x{n}=y")).collect();
    assert!(has_it(&format!("Content-Disposition: attachment{params}; filename=b.exe")));
}

#[test]
fn more_names_than_are_kept_are_told() {
    let names: String = (0..65).map(|n| format!("; name*{n}=a; x=y")).collect();
    assert!(read(&format!("Content-Type: a/b{names}\n\n")).doubts.is_empty());
    let names: String = (0..9).map(|n| format!("; name=a{n}")).collect();
    assert!(
        read(&format!("Content-Type: a/b{names}\n\n")).doubts.contains(&Ambiguity::TooManyReadings)
    );
}

#[test]
fn comments_and_what_stands_behind_change_neither_type_nor_encoding() {
    for header in [
        "Content-Type: text/html (a)\nContent-Transfer-Encoding: (b) base64",
        "Content-Type: (a) text/(b)html\nContent-Transfer-Encoding: base64 (c)",
        "Content-Type: text / html charset=utf-8\nContent-Transfer-Encoding: base64",
        "Content-Type: \"text/html\", x\nContent-Transfer-Encoding: base64; x=y",
    ] {
        let read = read(&format!("{header}\n\naGVsbG8="));
        assert_eq!(read.leaves(), [("text/html", "hello".to_owned())], "{header}");
    }
}

#[test]
fn fields_of_no_use_do_not_crowd_out_what_describes_a_part() {
    let described = "Content-Type: text/html\nContent-Transfer-Encoding: base64\n\naGVsbG8=";
    let many = "Content-Description: a\nContent-X: b\n".repeat(20);
    let long = format!("Content-Disposition: inline; x={}\n", "y".repeat(200_000));
    for before in [many, long] {
        let read = read(&format!("{before}{described}"));
        assert_eq!(read.leaves(), [("text/html", "hello".to_owned())]);
    }
}

#[test]
fn what_is_said_too_often_of_a_part_is_told() {
    let types: String = (0..9).map(|kind| format!("Content-Type: text/x{kind}\n")).collect();
    assert!(read(&format!("{types}\nx")).doubts.contains(&Ambiguity::TooManyReadings));
    let same = "Content-Type: text/plain\n".repeat(9);
    assert!(read(&format!("{same}\nx")).doubts.is_empty());
}

#[test]
fn nesting_ends_at_the_limit_and_what_is_deeper_is_opaque() {
    let mut mail = String::new();
    for level in 0..150 {
        mail += &format!("Content-Type: multipart/mixed; boundary=b{level}.\n\n--b{level}.\n");
    }
    let read = read(&mail);
    assert_eq!(read.parts.len(), 101);
    assert_eq!(read.parts[100].0.content_type, "multipart/mixed");
    assert!(!read.parts[100].0.is_container);
    assert!(read.doubts.contains(&Ambiguity::TooDeep));
}

#[test]
fn further_parts_and_readings_than_the_limits_are_told() {
    let mut mail = "Content-Type: multipart/mixed; boundary=x\n\n".to_owned();
    mail += &"--x\n\n\n".repeat(20_000);
    let read_many = read(&mail);
    assert_eq!(read_many.parts.len(), 10_000);
    assert!(read_many.doubts.contains(&Ambiguity::TooManyParts));
    // Each mail in here may be read in two ways, and so on: the work must not double each time.
    let mut mail = String::new();
    for _ in 0..60 {
        mail += "Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n";
    }
    let read_nested = read(&mail);
    assert!(read_nested.parts.len() < 2_000, "{}", read_nested.parts.len());
    assert!(read_nested.doubts.contains(&Ambiguity::TooDeep));
}

#[test]
fn a_line_costs_the_same_however_deep_it_stands() {
    let mut mail = String::new();
    for level in 0..90 {
        mail += &format!(
            "Content-Type: multipart/mixed; boundary=b{level}.\nContent-Type: a/b\n\n--b{level}.\n"
        );
    }
    mail += "\n";
    let head = mail.len();
    mail += &"line\n".repeat(1000);
    let read = read(&mail);
    let bytes: usize = read.parts.iter().map(|(_, data)| data.len()).sum();
    assert!(bytes < 9 * (head + 5000), "{bytes} bytes from {head} and 5000");
    assert!(read.doubts.contains(&Ambiguity::TooManyReadings));
}

#[test]
fn a_hundred_thousand_headers_are_each_told_once() {
    let mail = "X: y\n".repeat(100_000) + "\nbody";
    assert_eq!(read(&mail).headers.len(), 100_000);
}

fn mail_line() -> impl Strategy<Value = String> {
    let words = [
        "--x",
        "--x--",
        "--y",
        "--y--",
        "",
        "",
        "Content-Type: multipart/mixed; boundary=x",
        "Content-Type: multipart/digest; boundary=y; boundary=x",
        "Content-Type: message/rfc822",
        "Content-Transfer-Encoding: base64",
        "Content-Transfer-Encoding: quoted-printable",
        "Content-Type: text/html; charset=utf-8",
        "junk",
        " folded",
        "a=3D=",
        "ZXZpbA==",
        "begin 644 a",
        "#86)C",
        "end",
        "Q29udGVudC1UeXBlOiBtdWx0aXBhcnQvbWl4ZWQ7IGJvdW5kYXJ5PXgKCi0teAoK",
    ];
    proptest::sample::select(words.to_vec()).prop_map(str::to_owned)
}

proptest! {
    #[test]
    fn mails_read_the_same_however_split(
        lines in proptest::collection::vec((mail_line(), proptest::sample::select(vec!["\n", "\r\n", "\r", ""])), 0..40),
        size in 1_usize..30,
    ) {
        let mail: String = lines.into_iter().map(|(line, end)| line + end).collect();
        let limits = PartLimits { depth: 6, parts: 40 };
        let whole = read_in_pieces(mail.as_bytes(), usize::MAX, limits);
        prop_assert!(whole.parts.len() <= 41);
        prop_assert_eq!(read_in_pieces(mail.as_bytes(), size, limits), whole);
    }

    #[test]
    fn any_bytes_are_a_mail(bytes in proptest::collection::vec(any::<u8>(), 0..600), size in 1_usize..40) {
        let whole = read_in_pieces(&bytes, usize::MAX, PartLimits::default());
        prop_assert_eq!(read_in_pieces(&bytes, size, PartLimits::default()), whole);
    }
}
