//! Writers of mails, archives and documents.

use std::io::Write as _;

use flate2::{
    Compression, Crc,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};

/// A mail with these files.
pub(super) fn attach(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut mail = b"Subject: files\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n"
        .to_vec();
    for (name, bytes) in files {
        let head = format!(
            "--=_b\r\nContent-Type: application/octet-stream\r\n\
            Content-Disposition: attachment; filename=\"{name}\"\r\n\
            Content-Transfer-Encoding: base64\r\n\r\n"
        );
        mail.extend(head.as_bytes());
        mail.extend(base64(bytes));
        mail.extend(b"\r\n");
    }
    mail.extend(b"--=_b--\r\n");
    mail
}

pub(super) fn base64(bytes: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = Vec::new();
    for (at, three) in bytes.chunks(3).enumerate() {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        for place in 0..4 {
            let sextet = (bits >> (18 - 6 * place)) & 63;
            let is_there = place <= three.len();
            text.push(if is_there { ALPHABET[sextet as usize] } else { b'=' });
        }
        if at % 19 == 18 {
            text.extend(b"\r\n");
        }
    }
    text
}

pub(super) fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// A file in an archive.
#[derive(Clone, Default)]
pub(super) struct Member {
    pub(super) name: Vec<u8>,
    pub(super) data: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    /// What the archive claims of the packed size, if that is a lie.
    pub(super) claimed: Option<u32>,
}

impl Member {
    pub(super) fn stored(name: impl AsRef<[u8]>, data: &[u8]) -> Self {
        Self { name: name.as_ref().to_vec(), data: data.to_vec(), ..Self::default() }
    }

    pub(super) fn deflated(name: impl AsRef<[u8]>, data: &[u8]) -> Self {
        Self { method: 8, ..Self::stored(name, data) }
    }

    fn fields(&self, packed: usize) -> Vec<u8> {
        let mut crc = Crc::new();
        crc.update(&self.data);
        let packed = self.claimed.unwrap_or(u32::try_from(packed).unwrap());
        let size = u32::try_from(self.data.len()).unwrap();
        let mut fields = Vec::new();
        for word in [self.flags, self.method, 0, 0x21] {
            fields.extend(word.to_le_bytes());
        }
        for long in [crc.sum(), packed, size] {
            fields.extend(long.to_le_bytes());
        }
        fields.extend(u16::try_from(self.name.len()).unwrap().to_le_bytes());
        fields.extend([0, 0]);
        fields
    }
}

/// A zip archive.
pub(super) fn zip(members: &[Member]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        let packed = if member.method == 8 { deflate(&member.data) } else { member.data.clone() };
        let fields = member.fields(packed.len());
        let at = u32::try_from(archive.len()).unwrap();
        archive.extend(b"PK\x03\x04\x14\0");
        archive.extend(&fields);
        archive.extend(&member.name);
        archive.extend(packed);
        directory.extend(b"PK\x01\x02\x14\0\x14\0");
        directory.extend(&fields);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(&member.name);
    }
    let (at, size) = (archive.len(), directory.len());
    archive.extend(directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    let count = u16::try_from(members.len() & 0xffff).unwrap();
    archive.extend(count.to_le_bytes());
    archive.extend(count.to_le_bytes());
    archive.extend(u32::try_from(size).unwrap().to_le_bytes());
    archive.extend(u32::try_from(at).unwrap().to_le_bytes());
    archive.extend([0, 0]);
    archive
}

/// A document of these members, as office programs write it.
pub(super) fn document(members: &[(&str, &str)]) -> Vec<u8> {
    let members: Vec<Member> = members
        .iter()
        .map(|(name, text)| match *name {
            "mimetype" => Member::stored(name, text.as_bytes()),
            _ => Member::deflated(name, text.as_bytes()),
        })
        .collect();
    zip(&members)
}

pub(super) fn docx(body: &str) -> Vec<u8> {
    let document_xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<w:document \
        xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>{body}</w:body></w:document>"
    );
    document(&[("[Content_Types].xml", "<Types/>"), ("word/document.xml", &document_xml)])
}

pub(super) fn xlsx(strings: &str, rows: &str) -> Vec<u8> {
    document(&[
        ("[Content_Types].xml", "<Types/>"),
        (
            "xl/workbook.xml",
            "<workbook><sheets><sheet name=\"売上\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>",
        ),
        ("xl/sharedStrings.xml", &format!("<sst count=\"9\">{strings}</sst>")),
        (
            "xl/worksheets/sheet1.xml",
            &format!("<worksheet><sheetData>{rows}</sheetData></worksheet>"),
        ),
    ])
}

pub(super) fn pptx(slides: &[&str]) -> Vec<u8> {
    let slide = |text: &&str| {
        format!("<p:sld><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sld>")
    };
    let mut members = vec![Member::deflated("[Content_Types].xml", b"<Types/>")];
    for (at, text) in slides.iter().map(slide).enumerate() {
        members.push(Member::deflated(format!("ppt/slides/slide{}.xml", at + 1), text.as_bytes()));
    }
    zip(&members)
}

pub(super) fn odf(kind: &str, body: &str) -> Vec<u8> {
    document(&[
        ("mimetype", &format!("application/vnd.oasis.opendocument.{kind}")),
        (
            "content.xml",
            &format!(
                "<office:document-content><office:body>{body}</office:body></office:document-content>"
            ),
        ),
        ("META-INF/manifest.xml", "<manifest:manifest/>"),
    ])
}

pub(super) fn hwpx(section: &str) -> Vec<u8> {
    document(&[
        ("mimetype", "application/hwp+zip"),
        ("version.xml", "<hv:HCFVersion/>"),
        (
            "Contents/content.hpf",
            "<opf:package><opf:metadata><opf:title>계약서</opf:title></opf:metadata></opf:package>",
        ),
        ("Contents/section0.xml", &format!("<hs:sec>{section}</hs:sec>")),
        ("META-INF/manifest.xml", "<odf:manifest/>"),
    ])
}
