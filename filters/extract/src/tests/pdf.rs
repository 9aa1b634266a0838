//! PDF files: their text, and the ways in which they lie.

use super::{
    build::zlib,
    marks, of_file,
    pdf_file::{HELVETICA, Pdf, with_glyphs},
    text, text_of_files,
};
use crate::{Limits, Reason, extract};

fn page(content: &str) -> Pdf {
    Pdf::of_page(content, "/F1 10 0 R").object(10, HELVETICA)
}

fn text_of_page(content: &str) -> String {
    text("a.pdf", &page(content).end())
}

#[test]
fn texts_are_words_and_lines_by_where_they_stand() {
    let content = "BT /F1 12 Tf 72 700 Td (Total ) Tj (amount: 1,200) Tj\n\
        0 -14 Td [(caf) -20 (\\351) -400 (noir)] TJ T* 0 -14 TD (third) Tj (fourth) ' ET\n\
        BT /F1 12 Tf 1 0 0 1 72 500 Tm (left) Tj 1 0 0 1 300 500 Tm (right) Tj ET";
    assert_eq!(
        text_of_page(content),
        "Total amount: 1,200\ncafé noir\nthird\nfourth\nleft right\n"
    );
}

#[test]
fn text_in_korean_japanese_and_chinese_is_read_by_its_map() {
    let lines = ["견적서 2026년", "見積書の件", "合同价格 12 元", "l'été à Noël"];
    let read = text("a.pdf", &with_glyphs(&lines));
    assert_eq!(read.lines().collect::<Vec<_>>(), lines);
}

#[test]
fn east_asian_charsets_behind_character_maps_are_decoded() {
    let cases: [(&str, &str, &str); 6] = [
        ("UniKS-UCS2-H", "ACAC C801", "견적"),
        ("KSCms-UHC-H", "B0DF C0FB", "견적"),
        ("UniJIS-UTF16-H", "898B 7A4D", "見積"),
        ("90ms-RKSJ-H", "8CA9 90CF", "見積"),
        ("GBK-EUC-H", "BACF CDAC", "合同"),
        ("ETenms-B5-H", "A658 AC50", "合約"),
    ];
    for (map, codes, wanted) in cases {
        let pdf = Pdf::of_page(&format!("BT /F1 12 Tf 72 700 Td <{codes}> Tj ET"), "/F1 10 0 R")
            .object(
                10,
                &format!(
                    "<< /Type /Font /Subtype /Type0 /Encoding /{map} /DescendantFonts [11 0 R] >>"
                ),
            )
            .object(11, "<< /Type /Font /Subtype /CIDFontType0 >>");
        if wanted != "合約" {
            assert_eq!(text("a.pdf", &pdf.end()), format!("{wanted}\n"), "{map}");
        } else {
            assert!(text("a.pdf", &pdf.end()).starts_with('合'), "{map}");
        }
    }
}

#[test]
fn a_word_that_goes_on_in_the_next_line_is_whole_in_scripts_without_blanks() {
    let pdf = Pdf::of_page(
        "BT /F1 12 Tf 14 TL 72 700 Td <898B7A4D> Tj T* <66F8> Tj ET",
        "/F1 10 0 R",
    )
    .object(
        10,
        "<< /Type /Font /Subtype /Type0 /Encoding /UniJIS-UCS2-H /DescendantFonts [11 0 R] >>",
    )
    .object(11, "<< /Type /Font /Subtype /CIDFontType0 >>");
    assert_eq!(text("a.pdf", &pdf.end()), "見積書\n");
}

#[test]
fn a_word_that_a_hyphen_breaks_is_found_whole_and_in_halves() {
    let content = "BT /F1 12 Tf 14 TL 72 700 Td (la commu-) Tj T* (nication) Tj ET";
    assert_eq!(text_of_page(content), "la commu-\nnication\ncommunication\n");
}

#[test]
fn names_of_glyphs_say_what_codes_are() {
    let pdf = Pdf::of_page("BT /F1 12 Tf 72 700 Td (\\001\\002\\003A) Tj ET", "/F1 10 0 R").object(
        10,
        "<< /Type /Font /Subtype /Type1 /Encoding << /Differences [1 /eacute /fi /uni20AC] >> >>",
    );
    assert_eq!(text("a.pdf", &pdf.end()), "éfi€A\n");
}

#[test]
fn objects_in_streams_are_found_and_later_ones_count() {
    let pdf = Pdf::new()
        .object_stream(20, &[
            (1, "<< /Type /Catalog /Pages 2 0 R >>"),
            (2, "<< /Type /Pages /Kids [3 0 R 5 0 R] /Resources << /Font << /F1 10 0 R >> >> >>"),
            (3, "<< /Type /Page /Contents [4 0 R 6 0 R] >>"),
            (5, "<< /Type /Page /Contents 7 0 R >>"),
            (9, "<< /Title <FEFFACC4C57DC11C> /Author (Elise \\(Paris\\)) >>"),
            (10, HELVETICA),
        ])
        .stream(4, "", b"BT /F1 12 Tf 72 700 Td (old) Tj ET")
        .packed(6, "", b"BT /F1 12 Tf 72 600 Td (second) Tj ET")
        .stream(7, "/Filter [/ASCIIHexDecode /FlateDecode]", hex(&zlib(b"BT /F1 12 Tf (page two) Tj ET")).as_bytes())
        .packed(4, "", b"BT /F1 12 Tf 72 700 Td (new) Tj ET")
        .packed(30, "/Type /XRef /Root 1 0 R /Info 9 0 R /W [1 2 1] /Size 40", b"\0\0\0\0")
        .trailer("<< >>");
    assert_eq!(text("a.pdf", &pdf.end()), "계약서\nElise (Paris)\nnew\nsecond\npage two\n");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + ">"
}

#[test]
fn forms_notes_and_fields_are_read() {
    let pdf = Pdf::new()
        .object(1, "<< /Type /Catalog /Pages 2 0 R >>")
        .object(2, "<< /Type /Pages /Kids [3 0 R] >>")
        .object(3, "<< /Type /Page /Contents 4 0 R /Resources << /Font << /F1 10 0 R >> /XObject << /X 5 0 R >> >> /Annots [6 0 R 7 0 R] >>")
        .packed(4, "", b"q 1 0 0 1 50 50 cm /X Do Q BT /F1 9 Tf 10 10 Td /Span << /ActualText (office) >> BDC (o) Tj (ce) Tj EMC ET")
        .packed(5, "/Subtype /Form /Matrix [1 0 0 1 0 300]", b"BT /F1 12 Tf (in a form) Tj ET /X Do")
        .object(6, "<< /Subtype /Text /Contents (a note) >>")
        .object(7, "<< /Subtype /Widget /FT /Tx /V (filled in) /AP << /N 8 0 R >> >>")
        .packed(8, "/Subtype /Form", b"BT /F1 12 Tf (as shown) Tj ET")
        .object(10, HELVETICA);
    assert_eq!(text("a.pdf", &pdf.end()), "in a form\noffice\na note\nfilled in\nas shown\n");
}

#[test]
fn attached_files_are_read_as_files() {
    let pdf = page("BT /F1 12 Tf (invoice) Tj ET")
        .object(20, "<< /Type /Filespec /F (factur-x.xml) /EF << /F 21 0 R >> >>")
        .packed(21, "/Type /EmbeddedFile", b"<?xml version=\"1.0\"?><total>1200</total>");
    let read = of_file("a.pdf", &pdf.end());
    assert!(text_of_files(&read).contains("1200"));
    assert_eq!(read.files[1].name, "factur-x.xml");
    assert_eq!(read.files[1].path, ["a.pdf"]);
}

#[test]
fn what_cannot_be_read_is_marked() {
    let encrypted = page("BT (x) Tj ET").object(40, "<< /Filter /Standard /V 4 >>");
    let encrypted = encrypted.trailer("<< /Root 1 0 R /Encrypt 40 0 R >>").end();
    let marked = |reason| [("a.pdf".to_owned(), reason)];
    assert_eq!(marks(&of_file("a.pdf", &encrypted)), marked(Reason::Encrypted));

    let no_map = Pdf::of_page("BT /F1 12 Tf <00030004> Tj ET", "/F1 10 0 R")
        .object(
            10,
            "<< /Type /Font /Subtype /Type0 /Encoding /Identity-H /DescendantFonts [11 0 R] >>",
        )
        .object(11, "<< /Subtype /CIDFontType2 >>");
    assert_eq!(marks(&of_file("a.pdf", &no_map.end())), marked(Reason::UnknownCharset));

    assert_eq!(marks(&of_file("a.pdf", b"%PDF-1.4\nnothing")), marked(Reason::Damaged));
}

#[test]
fn a_file_without_tables_and_tree_is_read_by_its_pages() {
    let pdf = Pdf::new()
        .object(3, "<< /Type /Page /Contents 4 0 R /Resources << /Font << /F1 10 0 R >> >> >>")
        .packed(4, "", b"BT /F1 12 Tf (saved) Tj ET")
        .object(10, HELVETICA)
        .trailer("<<");
    let mut bytes = pdf.end();
    bytes.truncate(bytes.len() - 60);
    assert_eq!(text("a.pdf", &bytes), "saved\n");
}

#[test]
fn pictures_in_the_content_are_passed() {
    let content = "BT /F1 12 Tf (before) Tj ET BI /W 2 /H 2 ID (Tj EIx \u{1}\u{2} EI BT /F1 12 Tf 0 -20 Td (behind) Tj ET";
    assert_eq!(text_of_page(content), "before\nbehind\n");
}

#[test]
fn references_that_go_in_circles_come_to_an_end() {
    let pdf = Pdf::new()
        .object(1, "<< /Type /Catalog /Pages 2 0 R >>")
        .object(2, "<< /Type /Pages /Kids [2 0 R 3 0 R 3 0 R 12 0 R] /Resources 13 0 R >>")
        .object(3, "<< /Type /Page /Contents [4 0 R 4 0 R] /Annots 12 0 R /Resources << /Font << /F1 10 0 R /F2 12 0 R >> /XObject << /X 5 0 R /Y 6 0 R >> >> >>")
        .packed(4, "", b"BT /F2 12 Tf (a) Tj /F1 12 Tf (b) Tj ET /X Do /Y Do")
        .packed(5, "/Subtype /Form", b"/X Do /Y Do BT /F1 12 Tf (x) Tj ET")
        .packed(6, "/Subtype /Form", b"/X Do /Y Do BT /F1 12 Tf (y) Tj ET")
        .object(10, "<< /Type /Font /Subtype /Type0 /ToUnicode 10 0 R /Encoding 12 0 R /DescendantFonts [10 0 R] >>")
        .object(12, "13 0 R")
        .object(13, "12 0 R")
        .stream(14, "/Type /ObjStm /N 2 /First 10 /Extends 14 0 R", b"14 0 15 0  << /Type /Page >>");
    let read = of_file("a.pdf", &pdf.end());
    assert!(read.work < 100_000, "{}", read.work);
}

#[test]
fn forms_that_double_at_each_level_end_with_the_work() {
    let mut pdf = Pdf::of_page("/X Do", "").object(
        3,
        "<< /Type /Page /Contents 4 0 R /Resources << /XObject << /A 100 0 R /X 100 0 R >> >> >>",
    );
    for level in 100..112 {
        let next = level + 1;
        let fields = format!("/Subtype /Form /Resources << /XObject << /A {next} 0 R >> >>");
        pdf = pdf.packed(level, &fields, &b"/A Do ".repeat(50));
    }
    let bytes = super::build::attach(&[("a.pdf", &pdf.end())]);
    let limits = Limits { work: 2_000_000, ..Limits::default() };
    let read = extract(&bytes, &limits);
    assert_eq!(read.work, 2_000_000);
    assert!(marks(&read).contains(&("a.pdf".to_owned(), Reason::TooLarge)));
}

#[test]
fn lengths_that_lie_are_not_believed() {
    let data = zlib(b"BT /F1 12 Tf (true) Tj ET");
    for length in ["0", "3", "99999999", "-1", "4 0 R", "99 0 R", "1e9", "/Length"] {
        let pdf = Pdf::new()
            .object(1, "<< /Type /Catalog /Pages 2 0 R >>")
            .object(2, "<< /Type /Pages /Kids [3 0 R] /Resources << /Font << /F1 10 0 R >> >> >>")
            .object(3, "<< /Type /Page /Contents 4 0 R >>")
            .raw_stream(4, &format!("/Length {length} /Filter /FlateDecode"), &data)
            .object(10, HELVETICA);
        assert_eq!(text("a.pdf", &pdf.end()), "true\n", "{length}");
    }
}

#[test]
fn a_stream_that_unpacks_without_end_is_cut() {
    let pdf = page("").packed(4, "", &vec![b' '; 20 << 20]);
    let read = of_file("a.pdf", &pdf.end());
    assert_eq!(marks(&read), [("a.pdf".to_owned(), Reason::TooLarge)]);
    assert!(read.work < 64 << 20, "{}", read.work);
}

#[test]
fn dictionaries_in_each_other_cost_no_stack() {
    for open in ["<< /A ", "[ ", "<< /A [ ", "("] {
        let pdf = page("BT /F1 12 Tf (fine) Tj ET").object(50, &open.repeat(100_000));
        let read = of_file("a.pdf", &pdf.end());
        assert!(text_of_files(&read).contains("fine"), "{open}");
        let deep = page(&format!("{} BT /F1 12 Tf (fine) Tj ET", open.repeat(100_000)));
        let read = of_file("a.pdf", &deep.end());
        assert!(!marks(&read).iter().any(|(_, reason)| *reason == Reason::Failed), "{open}");
    }
}
