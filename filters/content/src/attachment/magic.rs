//! Types by the first bytes of a stream, for what is not text.

use super::kind::Kind;

/// Says each type that the head of a stream shows. `whole` says that the stream is no longer.
pub(super) fn judge(head: &[u8], whole: bool) -> Option<Kind> {
    fixed(head)
        .or_else(|| is_dos_program(head, whole).then_some(Kind::EXE))
        .or_else(|| cafe_babe(head))
        .or_else(|| is_lzh(head).then_some(Kind::LZH))
        .or_else(|| is_bzip2(head).then_some(Kind::BZIP2))
        .or_else(|| is_swf(head).then_some(Kind::SWF))
        .or_else(|| is_arj(head).then_some(Kind::ARJ))
        .or_else(|| is_compress(head).then_some(Kind::COMPRESS))
}

/// What another table knows: pictures, sound, films, fonts.
pub(super) fn media(head: &[u8]) -> Option<Kind> {
    use infer::MatcherType as M;
    // The look for documents and archives takes far longer than that for media, and they are told elsewhere.
    let may_be_media = infer::is_image(head)
        || infer::is_video(head)
        || infer::is_audio(head)
        || infer::is_font(head)
        || infer::is_book(head);
    if !may_be_media {
        return None;
    }
    let kind = infer::get(head)?;
    // Programs, documents and archives are told here, by more than two bytes.
    let is_media =
        matches!(kind.matcher_type(), M::Audio | M::Image | M::Video | M::Font | M::Book);
    is_media.then(|| Kind::other(kind.mime_type(), kind.extension()))
}

fn fixed(head: &[u8]) -> Option<Kind> {
    // Nearly all differ in the first byte.
    let is_here = |(offset, magic, _): &&(usize, &[u8], Kind)| {
        head.get(*offset) == magic.first()
            && head.get(*offset..).is_some_and(|from| from.starts_with(magic))
    };
    FIXED.iter().find(is_here).map(|&(_, _, kind)| kind)
}

/// `MZ` alone begins texts as well. Windows goes by the offset of the next header (the field
/// `e_lfanew`), DOS by the sizes.
fn is_dos_program(head: &[u8], whole: bool) -> bool {
    if !head.starts_with(b"MZ") && !head.starts_with(b"ZM") {
        return false;
    }
    let word = |at: usize| head.get(at..at + 2).map(|w| u16::from_le_bytes([w[0], w[1]]));
    let next = head.get(0x3c..0x40).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize);
    let is_windows = next.is_some_and(|next| match head.get(next..next.saturating_add(2)) {
        Some(magic) => [b"PE", b"NE", b"LE", b"LX"].iter().any(|&known| known == magic),
        None => !whole && next < FARTHEST_HEADER,
    });
    let is_dos = word(2).is_some_and(|last| last <= 512)
        && word(4).is_some_and(|pages| pages > 0)
        && word(8).is_some_and(|paragraphs| (2..=0x1000).contains(&paragraphs));
    is_windows || is_dos
}

/// Java classes and Mach-O files for several processors share a magic number. The versions of Java
/// begin with 45, and no file holds that many processors.
fn cafe_babe(head: &[u8]) -> Option<Kind> {
    let &[0xca, 0xfe, 0xba, 0xbe | 0xbf, a, b, c, d, ..] = head else { return None };
    let is_java = u32::from_be_bytes([a, b, c, d]) >= 45;
    Some(if is_java { Kind::JAVA_CLASS } else { Kind::MACH_O })
}

fn is_lzh(head: &[u8]) -> bool {
    matches!(head, [_, _, b'-', b'l', b'h' | b'z', _, b'-', ..])
}

fn is_bzip2(head: &[u8]) -> bool {
    let block = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
    let end = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90];
    matches!(head, [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..]
        if rest.starts_with(&block) || rest.starts_with(&end))
}

fn is_swf(head: &[u8]) -> bool {
    matches!(head, [b'F' | b'C' | b'Z', b'W', b'S', 1..=60, ..])
}

/// A header of at most 2600 bytes, in which the first part has at least 30.
fn is_arj(head: &[u8]) -> bool {
    let &[0x60, 0xea, low, high, first, ..] = head else { return false };
    let size = u16::from_le_bytes([low, high]);
    first >= 30 && size <= 2600 && u16::from(first) <= size
}

/// Codes of 9 to 16 bits.
fn is_compress(head: &[u8]) -> bool {
    matches!(head, [0x1f, 0x9d, flags, ..] if (9..=16).contains(&(flags & 0x1f)))
}

/// No linker puts the header of a program further back.
const FARTHEST_HEADER: usize = 16 << 20;

/// Offset, bytes, type. The first that fits counts.
const FIXED: &[(usize, &[u8], Kind)] = &[
    (0, b"\x7fELF", Kind::ELF),
    (0, b"\xfe\xed\xfa\xce", Kind::MACH_O),
    (0, b"\xfe\xed\xfa\xcf", Kind::MACH_O),
    (0, b"\xce\xfa\xed\xfe", Kind::MACH_O),
    (0, b"\xcf\xfa\xed\xfe", Kind::MACH_O),
    (0, b"dex\n", Kind::DEX),
    (0, b"\0asm", Kind::WASM),
    (0, b"FasdUAS ", Kind::APPLESCRIPT),
    (0, b"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0F", Kind::LNK),
    (0, b"regf", Kind::HIVE),
    (0, b"ITSF", Kind::CHM),
    (0, b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3", Kind::ONENOTE),
    (0, b"\0\x01\0\0Standard Jet DB", Kind::ACCESS),
    (0, b"\0\x01\0\0Standard ACE DB", Kind::ACCESS),
    (0, b"\x78\x9f\x3e\x22", Kind::TNEF),
    (0, b"ActiveMime\0", Kind::ACTIVE_MIME),
    (0, b"\x1f\x8b\x08", Kind::GZIP),
    (0, b"\xfd7zXZ\0", Kind::XZ),
    (0, b"LZIP\x01", Kind::LZIP),
    (0, b"\x28\xb5\x2f\xfd", Kind::ZSTD),
    (0, b"\x04\x22\x4d\x18", Kind::LZ4),
    (0, b"7z\xbc\xaf\x27\x1c", Kind::SEVEN_ZIP),
    (0, b"Rar!\x1a\x07", Kind::RAR),
    (7, b"**ACE**", Kind::ACE),
    (0, b"MSCF\0\0\0\0", Kind::CAB),
    (0, b"ISc(", Kind::CAB),
    (0, b"xar!", Kind::XAR),
    (0, b"!<arch>\n", Kind::AR),
    (0, b"\xed\xab\xee\xdb", Kind::RPM),
    (0, b"07070", Kind::CPIO),
    (0, b"conectix", Kind::VHD),
    (0, b"vhdxfile", Kind::VHDX),
    (0, b"KDMV", Kind::VMDK),
    (0, b"PK\x05\x06\0\0", Kind::ZIP),
    (0, b"MSWIM\0\0\0", Kind::WIM),
];
