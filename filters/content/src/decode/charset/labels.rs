//! Names of charsets: the labels of the WHATWG Encoding Standard, and what mail writes besides.

use encoding_rs::Encoding;

use super::Kind;
use super::iso2022::Family;
use super::wide::Unit;

/// What a label names. `None` for unknown ones and for those that say nothing about 8-bit bytes.
pub(super) fn find(label: &[u8]) -> Option<Kind> {
    let label = label.split(|&byte| byte == b'*').next().unwrap_or_default();
    let is_margin = |byte: &u8| byte.is_ascii_whitespace() || b"\"';".contains(byte);
    let start = label.iter().take_while(|byte| is_margin(byte)).count();
    let end = label.iter().rev().take_while(|byte| is_margin(byte)).count();
    let label = label.get(start..label.len() - end).unwrap_or_default();
    if label.is_empty() || label.len() > LONGEST {
        return None;
    }
    let name: String = label
        .iter()
        .map(|byte| match byte.to_ascii_lowercase() {
            b'_' | b' ' => '-',
            other => char::from(other),
        })
        .collect();
    ours(&name).unwrap_or_else(|| whatwg(label, &name).map(Kind::Whatwg))
}

/// The labels that WHATWG lacks, or reads as mail does not mean them. `Some(None)`: known to say
/// nothing.
fn ours(name: &str) -> Option<Option<Kind>> {
    if NOTHING.contains(&name) {
        return Some(None);
    }
    Some(Some(match name {
        "utf-7" | "utf7" | "unicode-1-1-utf-7" | "unicode-2-0-utf-7" | "csutf7" => Kind::Utf7,
        "utf-16" | "utf16" | "csutf16" | "unicode" | "csunicode" | "ucs-2" | "iso-10646-ucs-2" => {
            Kind::Wide(Unit::TWO)
        }
        "utf-32" | "utf32" | "csutf32" | "ucs-4" | "iso-10646-ucs-4" => Kind::Wide(Unit::FOUR),
        "utf-32be" | "ucs-4be" => Kind::Wide(Unit::FOUR_BIG),
        "utf-32le" | "ucs-4le" => Kind::Wide(Unit::FOUR_LITTLE),
        "iso-2022-kr" | "csiso2022kr" => Kind::Iso2022(Family::Korean),
        "iso-2022-cn" | "iso-2022-cn-ext" | "csiso2022cn" => Kind::Iso2022(Family::Chinese),
        "jis" | "jis7" | "cp50220" | "cp50221" | "cp50222" | "csiso2022jp" | "csiso2022jp2" => {
            Kind::Iso2022(Family::Japanese)
        }
        "hz" | "hz-gb-2312" | "chinese.hz" => Kind::Hz,
        _ if name.starts_with("iso-2022-jp") => Kind::Iso2022(Family::Japanese),
        _ => return None,
    }))
}

fn whatwg(label: &[u8], name: &str) -> Option<&'static Encoding> {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, label)| *label);
    Encoding::for_label_no_replacement(alias.map_or(label, str::as_bytes))
        .or_else(|| Encoding::for_label_no_replacement(name.as_bytes()))
}

/// Longer names are none.
const LONGEST: usize = 64;

/// Names that leave open what 8-bit bytes mean. WHATWG reads the names of ASCII as windows-1252,
/// which is right for browsers alone.
const NOTHING: [&str; 16] = [
    "us-ascii",
    "ascii",
    "us",
    "csascii",
    "646",
    "iso646-us",
    "iso-ir-6",
    "ansi-x3.4-1968",
    "ansi-x3.4-1986",
    "cp367",
    "ibm367",
    "x-unknown",
    "unknown",
    "unknown-8bit",
    "x-user-defined",
    "default",
];

/// Names that WHATWG lacks, and the one it has instead. Written with `-` for `_`.
const ALIASES: [(&str, &str); 28] = [
    ("cp949", "euc-kr"),
    ("ms949", "euc-kr"),
    ("949", "euc-kr"),
    ("uhc", "euc-kr"),
    ("x-windows-949", "euc-kr"),
    ("euckr", "euc-kr"),
    ("x-euc-kr", "euc-kr"),
    ("ks-c-5601", "euc-kr"),
    ("ksc5601-1987", "euc-kr"),
    ("ksc-5601-1987", "euc-kr"),
    ("ks-x-1001", "euc-kr"),
    ("cp932", "shift_jis"),
    ("x-ms-cp932", "shift_jis"),
    ("shift-jis-2004", "shift_jis"),
    ("shift-jisx0213", "shift_jis"),
    ("sjis-win", "shift_jis"),
    ("cp51932", "euc-jp"),
    ("eucjp", "euc-jp"),
    ("eucjp-ms", "euc-jp"),
    ("euc-jp-ms", "euc-jp"),
    ("cp936", "gbk"),
    ("ms936", "gbk"),
    ("euc-cn", "gbk"),
    ("cp54936", "gb18030"),
    ("cp950", "big5"),
    ("ms950", "big5"),
    ("utf8mb4", "utf-8"),
    ("cp65001", "utf-8"),
];
