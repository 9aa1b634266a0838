//! Whatever is done to documents: no reader fails, and none does more than the limits allow.

use proptest::prelude::*;

use super::{
    build::*,
    compound::{doc, hwp, msg, ppt},
    pdf_file::{HELVETICA, Pdf, with_glyphs},
};
use crate::{Extracted, Limits, Reason, extract};

/// One document of each kind, with a bit of everything.
fn documents() -> Vec<(&'static str, Vec<u8>)> {
    let word = docx(
        "<w:p a=\"1\"><w:r><w:t>견적 &amp; &#44032;</w:t><w:tab/></w:r><!-- x --></w:p><![CDATA[y]]>",
    );
    let inner = zip(&[Member::deflated("c.txt", "文".as_bytes()), Member::stored("w.docx", &word)]);
    let page =
        "q BT /F1 12 Tf 1 0 0 1 9 9 Tm [(a) -300 (b\\351)] TJ T* (c) ' ET Q BI /W 1 ID x EI /X Do";
    let resources = "/Resources << /Font << /F1 10 0 R >> /XObject << /X 5 0 R >> >>";
    let objects = Pdf::new()
        .object(1, "<< /Type /Catalog /Pages 2 0 R >>")
        .object_stream(20, &[(2, "<< /Type /Pages /Kids [3 0 R] >>"), (9, "<< /Title (t) >>")])
        .object(3, &format!("<< /Type /Page /Contents 4 0 R {resources} /Annots [6 0 R] >>"))
        .stream(4, "", page.as_bytes())
        .stream(5, "/Subtype /Form", b"BT (f) Tj ET")
        .object(6, "<< /Contents (n) /AP << /N 5 0 R >> >>")
        .object(10, HELVETICA)
        .object(21, "<< /F (e.txt) /EF << /F 22 0 R >> >>")
        .stream(22, "/Filter [/ASCIIHexDecode /RunLengthDecode]", b"02616263 80>")
        .end();
    vec![
        ("a.docx", word.clone()),
        ("a.xlsx", xlsx("<si><t>x</t></si>", "<row><c t=\"s\"><v>0</v></c><c><v>7</v></c></row>")),
        ("a.pptx", pptx(&["one", "two"])),
        ("a.odt", odf("text", "<text:p>p<text:note><text:p>n</text:p></text:note></text:p>")),
        ("a.hwpx", hwpx("<hp:p><hp:run><hp:t>가</hp:t></hp:run></hp:p>")),
        ("a.zip", inner.clone()),
        ("a.gz", gzip(&inner)),
        ("a.pdf", objects),
        ("b.pdf", with_glyphs(&["한글", "漢字"])),
        ("a.hwp", hwp(&["한 줄", "두 줄"])),
        ("a.doc", doc(b"caf\xe9\x07", "見積書\r")),
        ("a.ppt", ppt("슬라이드")),
        ("a.msg", msg("s", "b", &word)),
        (
            "a.rtf",
            b"{\\rtf1{\\fonttbl{\\f1\\fcharset129 G;}}\\f1 \\'b0\\'df\\u-21504? x\\par}".to_vec(),
        ),
        ("a.eml", attach(&[("x.html", b"<p>h</p>"), ("y.docx", &word)])),
        ("a.txt", "\u{feff}text".encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ]
}

fn small() -> Limits {
    Limits {
        mail: 1 << 20,
        text: 10_000,
        names: 5_000,
        files: 20,
        mailboxes: 20,
        depth: 4,
        unpacked: 300_000,
        held: 100_000,
        work: 1_000_000,
    }
}

/// All that must hold whatever comes.
fn check(extracted: &Extracted, limits: &Limits) -> Result<(), TestCaseError> {
    let text: usize = extracted.text.iter().map(|piece| piece.text.len()).sum();
    prop_assert!(text <= limits.text, "{text}");
    prop_assert!(extracted.work <= limits.work);
    prop_assert!(extracted.files.len() <= limits.files);
    for mark in &extracted.marks {
        prop_assert!(mark.reason != Reason::Failed, "{:?}", mark);
    }
    let paths = extracted.text.iter().map(|piece| &piece.path);
    let paths = paths.chain(extracted.files.iter().map(|file| &file.path));
    let names: usize = paths.flatten().map(String::len).sum();
    prop_assert!(names <= limits.names, "{names}");
    for piece in &extracted.text {
        prop_assert!(piece.text.ends_with('\n') && piece.text.len() > 1);
    }
    Ok(())
}

fn damaged(mut bytes: Vec<u8>, damage: &[(usize, u8)], cut: Option<usize>) -> Vec<u8> {
    for (at, byte) in damage {
        let at = at % bytes.len();
        bytes[at] = *byte;
    }
    if let Some(cut) = cut {
        bytes.truncate(cut % (bytes.len() + 1));
    }
    bytes
}

/// Bytes that mean something to some reader.
fn word() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<&[u8]> = vec![
        b"PK\x03\x04".as_slice(),
        b"PK\x01\x02",
        b"PK\x05\x06",
        b"\xff\xff\xff\xff",
        b"\0\0",
        b"%PDF-1.7\n",
        b"1 0 obj",
        b"endobj ",
        b"<<",
        b">>",
        b"[",
        b"]",
        b"(",
        b")",
        b"stream\n",
        b"\nendstream",
        b"/Length 9",
        b"/Type /ObjStm /N 9 /First 9",
        b"/Kids [1 0 R 2 0 R]",
        b"/Type /Page ",
        b"/Contents 1 0 R",
        b"trailer",
        b"/Root 1 0 R",
        b"BT ",
        b" Tj ",
        b" TJ ",
        b"/Filter /FlateDecode",
        b"/Filter /LZWDecode",
        b"beginbfrange <00> <ff> <0041>",
        b"<w:t>",
        b"</w:t>",
        b"<w:p",
        b"&#",
        b"<![CDATA[",
        b"<!--",
        b"=\"",
        b"\r\n\r\n",
        b"--=_b\r\n",
        b"Content-Type: message/rfc822\r\n\r\n",
        b"\x1f\x8b\x08",
    ];
    prop_oneof![
        4 => prop::sample::select(words).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

proptest! {
    #[test]
    fn damaged_documents_are_read_within_bounds(
        (name, bytes) in prop::sample::select(documents()),
        damage in prop::collection::vec((any::<usize>(), any::<u8>()), 0..12),
        cut in prop::option::weighted(0.3, any::<usize>()),
    ) {
        let bytes = damaged(bytes, &damage, cut);
        let limits = small();
        let extracted = extract(&attach(&[(name, &bytes)]), &limits);
        check(&extracted, &limits)?;
        // Damage makes no work: what a document of some kilobytes costs is a matter of its size.
        prop_assert!(extracted.work < 400_000, "{}", extracted.work);
    }

    #[test]
    fn damage_inside_of_what_is_packed_is_survived(
        (_, document) in prop::sample::select(documents()),
        name in prop::sample::select(vec![
            "word/document.xml", "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml", "ppt/slides/slide1.xml",
            "content.xml", "Contents/section0.xml", "docProps/core.xml",
        ]),
        words in prop::collection::vec(word(), 0..40),
        damage in prop::collection::vec((any::<usize>(), any::<u8>()), 0..6),
    ) {
        let bytes = words.concat();
        let bytes = if bytes.is_empty() { document } else { damaged(bytes, &damage, None) };
        let archive = zip(&[
            Member::deflated("[Content_Types].xml", b""),
            Member::stored("mimetype", b""),
            Member::deflated(name, &bytes),
        ]);
        let limits = small();
        check(&extract(&attach(&[("a.zip", &archive)]), &limits), &limits)?;
    }

    #[test]
    fn words_in_any_order_are_read_within_bounds(
        begin in prop::sample::select(vec![b"%PDF-1.7\n".as_slice(), b"PK\x03\x04", b"\x1f\x8b\x08\0\0\0\0\0\0\0", b""]),
        words in prop::collection::vec(word(), 0..120),
        name in prop::sample::select(vec!["a.pdf", "a.docx", "a.eml", "a.html", ""]),
    ) {
        let bytes = [begin, &words.concat()].concat();
        let limits = small();
        check(&extract(&attach(&[(name, &bytes)]), &limits), &limits)?;
        check(&extract(&bytes, &limits), &limits)?;
    }

    #[test]
    fn content_of_pages_in_any_order_is_read_within_bounds(
        operators in prop::collection::vec(
            prop::sample::select(vec![
                "BT ", "ET ", "q ", "Q ", "/F1 12 Tf ", "/F2 -3 Tf ", "(abc) Tj ", "<00030004> Tj ", "[(a) -900 (b)] TJ ",
                "1 0 0 1 50 50 Tm ", "0 0 0 0 0 0 Tm ", "1e38 9 cm ", "0 -14 Td ", "T* ", "(x) ' ", "1 2 (y) \" ", "/X Do ",
                "/Span << /ActualText (z) >> BDC ", "EMC ", "BI ID ", " EI ", "99999999999999999999 TL ", "0 Tz ", "[ ", "<< ",
            ]),
            0..200,
        ),
    ) {
        let pdf = Pdf::of_page(&operators.concat(), "/F1 10 0 R /F2 11 0 R")
            .object(10, HELVETICA)
            .object(11, "<< /Subtype /Type0 /Encoding /Identity-V /DescendantFonts [<< /W [0 [1 2] 3 9999999 4] >>] >>");
        let limits = small();
        check(&extract(&attach(&[("a.pdf", &pdf.end())]), &limits), &limits)?;
    }

    #[test]
    fn every_limit_holds_however_small_it_is(
        (name, bytes) in prop::sample::select(documents()),
        text in 0_usize..200,
        names in 0_usize..200,
        files in 0_usize..4,
        depth in 0_usize..4,
        unpacked in 0_u64..5000,
        held in 0_usize..3000,
        work in 0_u64..50_000,
    ) {
        let limits = Limits { text, names, files, depth, unpacked, held, work, mailboxes: 2, mail: 1 << 20 };
        check(&extract(&attach(&[(name, &bytes)]), &limits), &limits)?;
    }
}
