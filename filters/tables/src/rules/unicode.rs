//! Sets of characters by their names, as the C locale has them and as Unicode does.

use regex_syntax::hir::{Class, ClassUnicode, HirKind};

/// Ranges of bytes.
pub(super) type Ranges = &'static [(u8, u8)];

/// `\w` of the C locale.
pub(super) const WORD: Ranges = &[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')];

/// What `[:name:]` has in the C locale.
pub(super) fn ascii_named(name: &str) -> Option<Ranges> {
    Some(match name {
        "alnum" => &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')],
        "alpha" => &[(b'A', b'Z'), (b'a', b'z')],
        "blank" => &[(b'\t', b'\t'), (b' ', b' ')],
        "cntrl" => &[(0, 0x1f), (0x7f, 0x7f)],
        "digit" => &[(b'0', b'9')],
        "graph" => &[(0x21, 0x7e)],
        "lower" => &[(b'a', b'z')],
        "print" => &[(0x20, 0x7e)],
        "punct" => &[(0x21, 0x2f), (0x3a, 0x40), (0x5b, 0x60), (0x7b, 0x7e)],
        "space" => &[(b'\t', b'\r'), (b' ', b' ')],
        "upper" => &[(b'A', b'Z')],
        "xdigit" => &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')],
        _ => return None,
    })
}

/// What `[:name:]` has in text; `None` where it is what the C locale has (`xdigit`), or where
/// there is no such name.
pub(super) fn named(name: &str) -> Option<ClassUnicode> {
    let pattern = match name {
        "alnum" => r"[\p{L}\p{N}]",
        "alpha" => r"\p{L}",
        "blank" => r"[\p{Zs}\t]",
        "cntrl" => r"\p{Cc}",
        "digit" => r"\p{Nd}",
        "graph" => r"[^\p{Z}\p{C}]",
        "lower" => r"\p{Ll}",
        "print" => r"[^\p{Zl}\p{Zp}\p{C}]",
        "punct" => r"[\p{P}[$+<=>^`|~]]",
        "space" => r"\s",
        "upper" => r"\p{Lu}",
        "word" => r"\w",
        _ => return None,
    };
    match regex_syntax::parse(pattern).ok()?.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class),
        _ => None,
    }
}
