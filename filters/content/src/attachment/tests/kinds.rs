//! A sample of each type.

use super::{
    super::Kind,
    archives::{Member, gzip, program, tar, zip},
    types,
};

/// A compound file with these entries in its directory.
fn compound(class: [u8; 16], names: &[&str]) -> Vec<u8> {
    let mut file = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    file.resize(512, 0);
    file.extend(entry(5, class, "Root Entry"));
    names.iter().for_each(|name| file.extend(entry(2, [0; 16], name)));
    file.resize(file.len().next_multiple_of(512), 0);
    file
}

fn entry(kind: u8, class: [u8; 16], name: &str) -> Vec<u8> {
    let mut entry: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let length = u8::try_from(entry.len() + 2).unwrap();
    entry.resize(128, 0);
    (entry[64], entry[66], entry[67]) = (length, kind, 1);
    entry[80..96].copy_from_slice(&class);
    entry
}

fn office(names: &[&str]) -> Vec<u8> {
    zip(&names.iter().map(|name| Member::stored(name, b"x")).collect::<Vec<_>>())
}

fn at(offset: usize, mark: &[u8], end: usize) -> Vec<u8> {
    let mut bytes = vec![0; offset];
    bytes.extend(mark);
    bytes.resize(bytes.len() + end, 0);
    bytes
}

fn utf_16(text: &str) -> Vec<u8> {
    [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

fn letters() -> Vec<(Kind, Vec<u8>)> {
    let samples: &[(Kind, &str)] = &[
        (Kind::SCRIPT, "#!/bin/sh\necho\n"),
        (Kind::BATCH, "@ECHO OFF\r\ndel *.*\r\n"),
        (Kind::URL, "[InternetShortcut]\r\nURL=file://server/share/a.exe\r\n"),
        (Kind::REG, "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER]\r\n"),
        (Kind::REG, "REGEDIT4\r\n"),
        (Kind::HTA, "<html><head><HTA:APPLICATION id=a></head></html>"),
        (Kind::PDF, "%PDF-1.7\n1 0 obj\n"),
        (Kind::PDF_JAVASCRIPT, "%PDF-1.7\n<< /S /JavaScript /JS (app.alert(1)) >>"),
        (Kind::PDF_LAUNCH, "%PDF-1.7\n<< /S /Launch /F (cmd.exe) >>"),
        (Kind::PDF_EMBEDDED, "%PDF-1.7\n<< /Type /EmbeddedFile >>"),
        (Kind::RTF, "{\\rt{\\object}}"),
        (Kind::HTML, "\r\n <!DOCTYPE HTML><p>Hello"),
        (Kind::HTML, "<script>alert()</script>"),
        (Kind::HTML, "<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'>"),
        (Kind::XML, "<?xml version='1.0'?><job/>"),
        (Kind::SVG, "<?xml version='1.0'?><svg onload='alert()'/>"),
        (Kind::SVG, "<svg onload='alert()'/>"),
        (Kind::POSTSCRIPT, "%!PS-Adobe-3.0\n"),
        (Kind::SYLK, "ID;PWXL;N;E\n"),
        (Kind::MAIL, "MIME-Version: 1.0\nContent-Type: multipart/related\n"),
        (Kind::PEM, "-----BEGIN CERTIFICATE-----\nMII\n"),
        (Kind::TEXT, "Hello."),
        (
            Kind::TEXT,
            "MZ is how programs begin, and this is a letter about them and many other things",
        ),
        (Kind::TEXT, "<hello, said he"),
        (Kind::TEXT, "광고"),
    ];
    samples.iter().map(|(kind, text)| (*kind, text.as_bytes().to_vec())).collect()
}

fn magic() -> Vec<(Kind, Vec<u8>)> {
    let samples: &[(Kind, &[u8])] = &[
        (Kind::ELF, b"\x7fELF\x02\x01\x01"),
        (Kind::MACH_O, b"\xcf\xfa\xed\xfe\x07\0\0\x01"),
        (Kind::MACH_O, b"\xfe\xed\xfa\xce\0\0\0\x12"),
        (Kind::MACH_O, b"\xca\xfe\xba\xbe\0\0\0\x02"),
        (Kind::JAVA_CLASS, b"\xca\xfe\xba\xbe\0\0\0\x34"),
        (Kind::DEX, b"dex\n035\0"),
        (Kind::WASM, b"\0asm\x01\0\0\0"),
        (Kind::SWF, b"CWS\x0a\x10\0\0\0"),
        (Kind::APPLESCRIPT, b"FasdUAS 1.101.10"),
        (Kind::LNK, b"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0F\x81"),
        (Kind::HIVE, b"regf\x01\0\0\0"),
        (Kind::CHM, b"ITSF\x03\0\0\0"),
        (Kind::ONENOTE, b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3"),
        (Kind::ACCESS, b"\0\x01\0\0Standard ACE DB\0"),
        (Kind::ACCESS, b"\0\x01\0\0Standard Jet DB\0"),
        (Kind::TNEF, b"\x78\x9f\x3e\x22\x01\0"),
        (Kind::ACTIVE_MIME, b"ActiveMime\0\0"),
        (Kind::BZIP2, b"BZh91AY&SY\0\0"),
        (Kind::BZIP2, b"BZh9\x17\x72\x45\x38\x50\x90"),
        (Kind::XZ, b"\xfd7zXZ\0\0\x04"),
        (Kind::LZIP, b"LZIP\x01\x0c"),
        (Kind::ZSTD, b"\x28\xb5\x2f\xfd\x04"),
        (Kind::LZ4, b"\x04\x22\x4d\x18\x64"),
        (Kind::COMPRESS, b"\x1f\x9d\x90\x41"),
        (Kind::SEVEN_ZIP, b"7z\xbc\xaf\x27\x1c\0\x04"),
        (Kind::RAR, b"Rar!\x1a\x07\x01\0"),
        (Kind::RAR, b"Rar!\x1a\x07\0\xcf"),
        (Kind::ACE, b"\x12\x34\x31\0\0\0\x90**ACE**\x14"),
        (Kind::ARJ, b"\x60\xea\x2b\0\x22\x0b\x01\x0b"),
        (Kind::LZH, b"\x16\x5d-lh5-\0"),
        (Kind::CAB, b"MSCF\0\0\0\0\x20"),
        (Kind::CAB, b"ISc(\x01"),
        (Kind::XAR, b"xar!\0\x1c"),
        (Kind::AR, b"!<arch>\ndebian-binary   "),
        (Kind::RPM, b"\xed\xab\xee\xdb\x03"),
        (Kind::CPIO, b"070701000"),
        (Kind::VHDX, b"vhdxfile\0"),
        (Kind::VMDK, b"KDMV\x01"),
        (Kind::WIM, b"MSWIM\0\0\0"),
        (Kind::EXE, b"ZM\x90\0\x03\0\0\0\x04\0\0\0"),
        (Kind::BINARY, b"\0\x01\x02\x03 no type"),
    ];
    samples.iter().map(|(kind, bytes)| (*kind, bytes.to_vec())).collect()
}

fn built() -> Vec<(Kind, Vec<u8>)> {
    let msi = [0x84, 0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];
    let parts = "[Content_Types].xml";
    let flags = |flags| Member { flags, ..Member::stored("a", b"a") };
    let unlisted = Member { listed: Some(b"b".to_vec()), ..Member::stored("a", b"a") };
    vec![
        (Kind::EXE, program()),
        (Kind::REG, utf_16("Windows Registry Editor Version 5.00\r\n")),
        (Kind::HTML, utf_16("<html><body>")),
        (Kind::PDF, [vec![b'\n'; 1000], b"%PDF-1.4".to_vec()].concat()),
        (Kind::MSI, compound(msi, &["Property"])),
        (Kind::OLE, compound([0; 16], &["Contents"])),
        (Kind::DOC, compound([0; 16], &["WordDocument"])),
        (Kind::XLS, compound([0; 16], &["Workbook"])),
        (Kind::XLS, compound([0; 16], &["Book"])),
        (Kind::PPT, compound([0; 16], &["PowerPoint Document"])),
        (Kind::VSD, compound([0; 16], &["VisioDocument"])),
        (Kind::MSG, compound([0; 16], &["__substg1.0_1000001F"])),
        (Kind::VBA, compound([0; 16], &["WordDocument", "mAcRoS", "_VBA_PROJECT"])),
        (Kind::ENCRYPTED, compound([0; 16], &["EncryptedPackage"])),
        (Kind::ENCRYPTED, zip(&[flags(1)])),
        (Kind::ZIP, zip(&[flags(0)])),
        (Kind::ZIP, zip(&[])),
        (Kind::AMBIGUOUS, zip(&[unlisted])),
        (Kind::DOCX, office(&[parts, "word/document.xml"])),
        (Kind::XLSX, office(&[parts, "xl/workbook.xml"])),
        (Kind::PPTX, office(&[parts, "ppt/presentation.xml"])),
        (Kind::DOCM, office(&[parts, "word/vbaProject.bin"])),
        (Kind::XLSM, office(&[parts, "xl/vbaProject.bin"])),
        (Kind::XLSB, office(&[parts, "xl/workbook.bin"])),
        (Kind::PPTM, office(&[parts, "ppt/vbaProject.bin"])),
        (Kind::ODF, office(&["mimetype", "META-INF/manifest.xml"])),
        (Kind::EPUB, office(&["mimetype", "META-INF/container.xml"])),
        (Kind::JAR, office(&["META-INF/MANIFEST.MF"])),
        (Kind::APK, office(&["AndroidManifest.xml", "classes.dex"])),
        (Kind::APPX, office(&["AppxManifest.xml", parts])),
        (Kind::TAR, tar(&[("a", b"a")])),
        (Kind::GZIP, gzip(b"a")),
        (Kind::ISO, at(32_769, b"CD001", 4000)),
        (Kind::ISO, at(32_769, b"BEA01", 4000)),
        (Kind::VHD, at(10_000, b"conectix", 504)),
        (Kind::VHD, at(10_000, b"conectix", 503)),
        (Kind::VHD, at(0, b"conectix", 2000)),
        (Kind::DMG, at(10_000, b"koly", 508)),
    ]
}

/// Every type, and bytes that have it.
pub(super) fn samples() -> Vec<(Kind, Vec<u8>)> {
    [letters(), magic(), built()].concat()
}

#[test]
fn every_sample_has_its_type() {
    for (kind, bytes) in samples() {
        let found = types(&bytes);
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        assert!(
            found.iter().any(|found| found == kind.mime_type()),
            "{kind:?} {shown:?}: {found:?}"
        );
    }
}

#[test]
fn every_type_has_a_sample() {
    let samples = samples();
    for kind in Kind::ALL {
        assert!(samples.iter().any(|(sample, _)| sample == kind), "{kind:?}");
    }
}

#[test]
fn no_two_types_have_one_name() {
    for (at, kind) in Kind::ALL.iter().enumerate() {
        for other in &Kind::ALL[at + 1..] {
            assert_ne!(kind.mime_type(), other.mime_type());
            assert_ne!(kind.short_name(), other.short_name());
        }
    }
}

#[test]
fn a_sample_has_no_type_beside_its_own() {
    let second = [
        Kind::PDF_JAVASCRIPT,
        Kind::PDF_LAUNCH,
        Kind::PDF_EMBEDDED,
        Kind::VBA,
        Kind::ENCRYPTED,
        Kind::AMBIGUOUS,
    ];
    for (kind, bytes) in samples() {
        if !second.contains(&kind) {
            assert_eq!(types(&bytes), [kind.mime_type()]);
        }
    }
}

#[test]
fn pictures_have_the_types_that_infer_gives_them() {
    assert_eq!(types(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), ["image/png"]);
    assert_eq!(types(b"\xff\xd8\xff\xe0\0\x10JFIF"), ["image/jpeg"]);
    assert_eq!(types(b"GIF89a\x01\0"), ["image/gif"]);
    // A comment that is longer than what is looked at.
    let commented = [b"\xff\xd8\xff\xfe  ".as_slice(), &[b' '; 8_222]].concat();
    assert_eq!(types(&commented), ["image/jpeg"]);
}

#[test]
fn a_program_is_one_whatever_lies_beyond_the_head() {
    let mut far = vec![0; 100_000];
    far[..2].copy_from_slice(b"MZ");
    far[0x3c..0x40].copy_from_slice(&50_000u32.to_le_bytes());
    assert_eq!(types(&far), ["application/x-dosexec"]);
}

#[test]
fn macros_are_found_wherever_the_directory_lies() {
    let text: Vec<u8> =
        "Macros and WordDocument are words. ".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut file = compound([0; 16], &["WordDocument"]);
    file.extend(text.iter().copied().cycle().take(50 * 512));
    assert_eq!(types(&file), ["application/msword"]);
    file.extend(entry(1, [0; 16], "VBA"));
    assert_eq!(types(&file), ["application/msword", "application/vnd.ms-office.vbaProject"]);
}

#[test]
fn the_actions_of_a_pdf_are_found_across_blocks() {
    for junk in 4070..4100 {
        let mut file = b"%PDF-1.4\n".to_vec();
        file.resize(junk, b' ');
        file.extend(b"/EmbeddedFile");
        assert_eq!(types(&file), ["application/pdf", "application/x-pdf-embedded-file"], "{junk}");
    }
}

#[test]
fn nothing_has_no_type() {
    assert_eq!(types(b""), [""; 0]);
}
