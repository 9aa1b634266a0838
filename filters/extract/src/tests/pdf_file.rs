//! A writer of PDF files.

use super::build::zlib;

/// A file that is written object by object.
pub(super) struct Pdf {
    bytes: Vec<u8>,
    trailer: String,
}

impl Pdf {
    pub(super) fn new() -> Self {
        let bytes = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
        Self { bytes, trailer: "<< /Root 1 0 R /Info 9 0 R >>".to_owned() }
    }

    /// A file of one page with this content and these fonts, `/F1 10 0 R` and so on.
    pub(super) fn of_page(content: &str, fonts: &str) -> Self {
        let resources = format!("/Resources << /Font << {fonts} >> >>");
        Self::new()
            .object(1, "<< /Type /Catalog /Pages 2 0 R >>")
            .object(2, &format!("<< /Type /Pages /Kids [3 0 R] /Count 1 {resources} >>"))
            .object(3, "<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>")
            .packed(4, "", content.as_bytes())
    }

    pub(super) fn object(mut self, number: u32, object: &str) -> Self {
        self.bytes.extend(format!("{number} 0 obj\n{object}\nendobj\n").as_bytes());
        self
    }

    /// A stream as it is.
    pub(super) fn stream(self, number: u32, fields: &str, data: &[u8]) -> Self {
        let fields = format!("/Length {} {fields}", data.len());
        self.raw_stream(number, &fields, data)
    }

    /// A stream with all its fields.
    pub(super) fn raw_stream(mut self, number: u32, fields: &str, data: &[u8]) -> Self {
        self.bytes.extend(format!("{number} 0 obj\n<< {fields} >>\nstream\n").as_bytes());
        self.bytes.extend(data);
        self.bytes.extend(b"\nendstream\nendobj\n");
        self
    }

    pub(super) fn packed(self, number: u32, fields: &str, data: &[u8]) -> Self {
        self.stream(number, &format!("{fields} /Filter /FlateDecode"), &zlib(data))
    }

    /// Objects in a stream of their own.
    pub(super) fn object_stream(self, number: u32, objects: &[(u32, &str)]) -> Self {
        let (mut head, mut body) = (String::new(), String::new());
        for (number, object) in objects {
            head.push_str(&format!("{number} {} ", body.len()));
            body.push_str(object);
            body.push(' ');
        }
        let fields = format!("/Type /ObjStm /N {} /First {}", objects.len(), head.len());
        self.packed(number, &fields, (head + &body).as_bytes())
    }

    pub(super) fn trailer(mut self, trailer: &str) -> Self {
        trailer.clone_into(&mut self.trailer);
        self
    }

    pub(super) fn end(mut self) -> Vec<u8> {
        let end = format!(
            "xref\n0 1\n0000000000 65535 f\ntrailer\n{}\nstartxref\n9\n%%EOF\n",
            self.trailer
        );
        self.bytes.extend(end.as_bytes());
        self.bytes
    }
}

/// A simple font of Western Europe.
pub(super) const HELVETICA: &str =
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>";

/// A map that says of each of these codes of two bytes which character it is.
pub(super) fn to_unicode(codes: &[(u16, char)]) -> String {
    let mut map = format!(
        "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange\n\
        {} beginbfchar\n",
        codes.len()
    );
    for (code, character) in codes {
        let mut units = [0; 2];
        let units: String =
            character.encode_utf16(&mut units).iter().map(|unit| format!("{unit:04X}")).collect();
        map.push_str(&format!("<{code:04X}> <{units}>\n"));
    }
    map + "endbfchar endcmap end"
}

/// A page in a font whose codes only its map explains, as programs of today write Korean.
pub(super) fn with_glyphs(lines: &[&str]) -> Vec<u8> {
    let mut codes: Vec<(u16, char)> = Vec::new();
    let mut content = "BT /F1 12 Tf 72 700 Td".to_owned();
    for line in lines {
        content.push_str(" <");
        for character in line.chars() {
            let known = codes.iter().find(|(_, known)| *known == character).map(|(code, _)| *code);
            let code = known.unwrap_or_else(|| {
                let code = u16::try_from(codes.len() + 3).unwrap();
                codes.push((code, character));
                code
            });
            content.push_str(&format!("{code:04X}"));
        }
        content.push_str("> Tj 0 -40 Td");
    }
    Pdf::of_page(&(content + " ET"), "/F1 10 0 R")
        .object(10, "<< /Type /Font /Subtype /Type0 /BaseFont /AAAAAA+Nanum /Encoding /Identity-H /DescendantFonts [11 0 R] /ToUnicode 12 0 R >>")
        .object(11, "<< /Type /Font /Subtype /CIDFontType2 /DW 1000 /W [3 [500 1000] 20 30 900] >>")
        .packed(12, "", to_unicode(&codes).as_bytes())
        .end()
}
