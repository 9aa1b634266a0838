//! Documents of office programs.

use super::{build::*, marks, of_file, text, text_of_files};
use crate::Reason;

#[test]
fn word_documents_are_read_paragraph_by_paragraph() {
    let body = "<w:p><w:r><w:t>견적</w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>서 12</w:t></w:r></w:p>\
        <w:p><w:pPr><w:tabs><w:tab w:val=\"left\"/></w:tabs></w:pPr><w:r><w:t xml:space=\"preserve\">l&apos;été </w:t><w:tab/><w:t>2026</w:t>\
        <w:br/><w:t>next</w:t></w:r></w:p>\
        <w:tbl><w:tr><w:tc><w:p><w:r><w:t>価格</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>&#x5408;&#21516;</w:t></w:r></w:p></w:tc></w:tr></w:tbl>\
        <w:p><w:ruby><w:rt><w:r><w:t>かな</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>仮名</w:t></w:r></w:rubyBase></w:ruby><w:r><w:instrText>PAGE</w:instrText></w:r></w:p>";
    assert_eq!(text("a.docx", &docx(body)), "견적서 12\nl'été  2026\nnext\n価格\n合同\n仮名\n");
}

#[test]
fn boxes_notes_headers_and_properties_of_word_are_read_once() {
    let bytes = document(&[
        ("[Content_Types].xml", "<Types/>"),
        (
            "docProps/core.xml",
            "<cp:coreProperties><dc:title>Contrat</dc:title><dc:creator>Élise</dc:creator><cp:revision>2</cp:revision></cp:coreProperties>",
        ),
        (
            "word/document.xml",
            "<w:p><w:r><w:t>ab</w:t></w:r><mc:AlternateContent><mc:Choice><w:txbxContent>\
            <w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent>\
            <w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent></mc:Fallback></mc:AlternateContent><w:r><w:t>cd</w:t></w:r></w:p>",
        ),
        ("word/footnotes.xml", "<w:footnote><w:p><w:r><w:t>note</w:t></w:r></w:p></w:footnote>"),
        ("word/header1.xml", "<w:hdr><w:p><w:r><w:t>head</w:t></w:r></w:p></w:hdr>"),
        ("word/comments.xml", "<w:comment><w:p><w:r><w:t>comment</w:t></w:r></w:p></w:comment>"),
        (
            "word/charts/chart1.xml",
            "<c:chart><a:p><a:r><a:t>Ventes</a:t></a:r></a:p><c:pt><c:v>42</c:v></c:pt></c:chart>",
        ),
        ("word/styles.xml", "<w:styles><w:t>never</w:t></w:styles>"),
    ]);
    assert_eq!(
        text("a.docx", &bytes),
        "Contrat\nÉlise\nhead\nabcd\nboxed\nnote\ncomment\nVentes\n42\n"
    );
}

#[test]
fn tables_of_excel_are_read_with_their_shared_and_own_texts() {
    let strings =
        "<si><t>매출</t><rPh><t>カナ</t></rPh></si><si><r><t>tot</t></r><r><t>al</t></r></si>";
    let rows = "<row><c t=\"s\"><v>0</v></c><c><v>1250000</v></c><c t=\"str\"><f>A1</f><v>calculé</v></c></row>\
        <row><c t=\"inlineStr\"><is><t>直接</t></is></c><c t=\"b\"><v>1</v></c><c/></row>";
    assert_eq!(
        text("a.xlsx", &xlsx(strings, rows)),
        "売上\n매출\ntotal\n1250000 calculé\n直接 1\n"
    );
}

#[test]
fn slides_are_read_in_the_order_of_their_numbers() {
    let texts: Vec<String> = (1..=11).map(|at| format!("슬라이드 {at}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let read = text("a.pptx", &pptx(&texts));
    assert_eq!(read.lines().collect::<Vec<_>>(), texts);
}

#[test]
fn open_documents_of_all_kinds_are_read() {
    let body = "<text:p>Le <text:span>prix</text:span><text:s/>est<text:note><text:note-citation>1</text:note-citation>\
        <text:note-body><text:p>hors taxe</text:p></text:note-body></text:note> fixe</text:p>\
        <table:table-cell office:value=\"3\"><text:p>三</text:p></table:table-cell>\
        <office:binary-data>AAAA</office:binary-data>";
    let wanted = "Le prix est fixe\nhors taxe\n三\n";
    for (name, kind) in [("a.odt", "text"), ("a.ods", "spreadsheet"), ("a.odp", "presentation")] {
        assert_eq!(text(name, &odf(kind, body)), wanted, "{name}");
    }
}

#[test]
fn hancom_documents_are_read() {
    let section = "<hp:p><hp:run><hp:t>제1조 (목<hp:markpenBegin/>적)</hp:t></hp:run><hp:run><hp:ctrl><hp:footNote><hp:subList>\
        <hp:p><hp:run><hp:t>각주</hp:t></hp:run></hp:p></hp:subList></hp:footNote></hp:ctrl><hp:t> 갑과 을<hp:lineBreak/>둘째</hp:t></hp:run></hp:p>";
    assert_eq!(text("a.hwpx", &hwpx(section)), "계약서\n제1조 (목적) 갑과 을\n둘째\n각주\n");
}

#[test]
fn documents_that_take_a_password_are_marked() {
    let manifest = "<manifest:file-entry><manifest:encryption-data/></manifest:file-entry>";
    let bytes = document(&[
        ("mimetype", "application/vnd.oasis.opendocument.text"),
        ("content.xml", "\u{1}\u{2}"),
        ("META-INF/manifest.xml", manifest),
    ]);
    let read = of_file("a.odt", &bytes);
    assert_eq!(marks(&read), [("a.odt".to_owned(), Reason::Encrypted)]);
}

#[test]
fn formats_without_a_reader_are_marked() {
    let read = of_file("a.7z", b"7z\xbc\xaf\x27\x1c\0\x04");
    assert_eq!(marks(&read), [("a.7z".to_owned(), Reason::Unsupported)]);
    assert_eq!(read.files[0].kind, "7z");
}

#[test]
fn rich_text_is_read_in_all_its_charsets() {
    let rtf = b"{\\rtf1\\ansi\\ansicpg1252\\uc1{\\fonttbl{\\f0 Arial;}{\\f1\\fcharset129 Gulim;}{\\f2\\fcharset128 Gothic;}}\
        {\\*\\generator Riched20;}{\\info{\\title hidden}}\\f0 caf\\'e9 {\\b no}ir\\par\r\n\
        \\f1\\'b0\\'df\\'c0\\'fb\\'bc\\'ad\\f2  \\'8c\\'a9\\'90\\'cf\\par\\f0 \\u-21504?\\u-11264?{\\uc2\\u26360\\'8f\\'91x}\\line a\\~b\\{\\}\\tab c{\\pict 0102}\\par}";
    assert_eq!(super::text("a.rtf", rtf), "café noir\n견적서 見積\n가퐀書x\na b{} c\n");
}

#[test]
fn files_in_documents_are_read_as_files() {
    let sheet = xlsx("<si><t>embedded</t></si>", "");
    let bytes = zip(&[
        Member::deflated("[Content_Types].xml", b"<Types/>"),
        Member::deflated("word/document.xml", b"<w:p><w:t>outer</w:t></w:p>"),
        Member::deflated("word/embeddings/sheet.xlsx", &sheet),
    ]);
    let read = of_file("a.docx", &bytes);
    assert_eq!(text_of_files(&read), "outer\n売上\nembedded\n");
    assert_eq!(read.text[1].path, ["a.docx", "word/embeddings/sheet.xlsx"]);
}

#[test]
fn markup_in_utf_16_is_read() {
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><w:p><w:t>유니코드</w:t></w:p>";
    let mut utf16 = b"\xff\xfe".to_vec();
    utf16.extend(xml.encode_utf16().flat_map(u16::to_le_bytes));
    let bytes = zip(&[
        Member::deflated("[Content_Types].xml", b"<Types/>"),
        Member::deflated("word/document.xml", &utf16),
    ]);
    assert_eq!(text("a.docx", &bytes), "유니코드\n");
}

#[test]
fn a_document_that_was_cut_is_read_as_far_as_it_goes() {
    let body = "<w:p><w:r><w:t>the beginning</w:t></w:r></w:p>".to_owned()
        + &"<w:p><w:t>padding 0123456789</w:t></w:p>".repeat(2000);
    let mut bytes = docx(&body);
    bytes.truncate(bytes.len() / 2);
    let read = of_file("a.docx", &bytes);
    assert!(text_of_files(&read).starts_with("the beginning\n"));
    assert!(marks(&read).contains(&("a.docx".to_owned(), Reason::Damaged)));
}
