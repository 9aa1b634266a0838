//! The encodings of simple fonts (ISO 32000-1, annex D), and what the names of glyphs mean (Adobe
//! Glyph List, by its rules where it has any).

use mailweir_content::decode::charset::Charset;

/// An encoding that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Standard,
    WinAnsi,
    MacRoman,
}

impl Encoding {
    /// The encoding with this name.
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"WinAnsiEncoding" | b"PDFDocEncoding" => Some(Self::WinAnsi),
            b"MacRomanEncoding" | b"MacExpertEncoding" => Some(Self::MacRoman),
            b"StandardEncoding" => Some(Self::Standard),
            _ => None,
        }
    }

    /// What its codes stand for.
    pub(super) fn table(self) -> Vec<String> {
        let label: &[u8] = match self {
            Self::MacRoman => b"macintosh",
            Self::Standard | Self::WinAnsi => b"windows-1252",
        };
        let charset = Charset::for_label(label).unwrap_or(Charset::UTF_8);
        let mut table: Vec<String> = (0..=255).map(|code| charset.decode(&[code])).collect();
        if self == Self::Standard {
            let upper = table.iter_mut().skip(0xa0);
            upper.zip(STANDARD.chars()).for_each(|(place, character)| {
                *place = if character == '.' { String::new() } else { character.to_string() };
            });
            for (code, character) in [(0x27, "’"), (0x60, "‘")] {
                if let Some(place) = table.get_mut(code) {
                    character.clone_into(place);
                }
            }
        }
        table
    }
}

/// What a glyph with this name shows; `None` if the name says nothing.
pub(super) fn text_of(name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok()?;
    // A variant: `a.sc`. Parts of a ligature: `f_i`.
    let name = name.split('.').next().filter(|name| !name.is_empty())?;
    if name.contains('_') {
        return name.split('_').map(simple).collect();
    }
    simple(name)
}

fn simple(name: &str) -> Option<String> {
    let mut characters = name.chars();
    if let (Some(letter), None) = (characters.next(), characters.next()) {
        return letter.is_ascii_alphabetic().then(|| letter.to_string());
    }
    if let Some((_, text)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some((*text).to_owned());
    }
    by_number(name).or_else(|| accented(name)).or_else(|| cyrillic(name))
}

/// `uniAC00`, `uniD55CAE00`, `u1F600`.
fn by_number(name: &str) -> Option<String> {
    if let Some(digits) = name.strip_prefix("uni").filter(|digits| digits.len() >= 4) {
        let units = digits
            .as_bytes()
            .chunks(4)
            .map(|unit| u16::from_str_radix(std::str::from_utf8(unit).ok()?, 16).ok());
        return String::from_utf16(&units.collect::<Option<Vec<u16>>>()?).ok();
    }
    let digits = name.strip_prefix('u').filter(|digits| (4..=6).contains(&digits.len()))?;
    let code = u32::from_str_radix(digits, 16).ok()?;
    char::from_u32(code).map(String::from)
}

/// A letter and its accent, which the form of all text (NFKC) makes one.
fn accented(name: &str) -> Option<String> {
    let mut characters = name.chars();
    let letter = characters.next().filter(char::is_ascii_alphabetic)?;
    let accent = characters.as_str();
    let (_, mark) = ACCENTS.iter().find(|(known, _)| *known == accent)?;
    Some([letter, *mark].iter().collect())
}

/// `afii10017` is А.
fn cyrillic(name: &str) -> Option<String> {
    let number: u32 = name.strip_prefix("afii")?.parse().ok()?;
    let code = match number {
        10017..=10022 => 0x410 + number - 10017,
        10023 => 0x401,
        10024..=10049 => 0x416 + number - 10024,
        10065..=10070 => 0x430 + number - 10065,
        10071 => 0x451,
        10072..=10097 => 0x436 + number - 10072,
        _ => return None,
    };
    char::from_u32(code).map(String::from)
}

/// From 0xa0 on; a dot for codes without a glyph.
const STANDARD: &str = ".¡¢£⁄¥ƒ§¤'“«‹›ﬁﬂ.–†‡·.¶•‚„”»…‰.¿.`´ˆ˜¯˘˙¨.˚¸.˝˛ˇ—................Æ.ª....ŁØŒº.....æ...ı..łøœß....";

const ACCENTS: [(&str, char); 15] = [
    ("grave", '\u{300}'),
    ("acute", '\u{301}'),
    ("circumflex", '\u{302}'),
    ("tilde", '\u{303}'),
    ("macron", '\u{304}'),
    ("breve", '\u{306}'),
    ("dotaccent", '\u{307}'),
    ("dot", '\u{307}'),
    ("dieresis", '\u{308}'),
    ("ring", '\u{30a}'),
    ("hungarumlaut", '\u{30b}'),
    ("caron", '\u{30c}'),
    ("cedilla", '\u{327}'),
    ("commaaccent", '\u{326}'),
    ("ogonek", '\u{328}'),
];

/// Names that follow no rule.
const NAMES: &[(&str, &str)] = &[
    ("space", " "),
    ("nbspace", " "),
    ("exclam", "!"),
    ("quotedbl", "\""),
    ("numbersign", "#"),
    ("dollar", "$"),
    ("percent", "%"),
    ("ampersand", "&"),
    ("quotesingle", "'"),
    ("parenleft", "("),
    ("parenright", ")"),
    ("asterisk", "*"),
    ("plus", "+"),
    ("comma", ","),
    ("hyphen", "-"),
    ("period", "."),
    ("slash", "/"),
    ("zero", "0"),
    ("one", "1"),
    ("two", "2"),
    ("three", "3"),
    ("four", "4"),
    ("five", "5"),
    ("six", "6"),
    ("seven", "7"),
    ("eight", "8"),
    ("nine", "9"),
    ("colon", ":"),
    ("semicolon", ";"),
    ("less", "<"),
    ("equal", "="),
    ("greater", ">"),
    ("question", "?"),
    ("at", "@"),
    ("bracketleft", "["),
    ("backslash", "\\"),
    ("bracketright", "]"),
    ("asciicircum", "^"),
    ("underscore", "_"),
    ("grave", "`"),
    ("braceleft", "{"),
    ("bar", "|"),
    ("braceright", "}"),
    ("asciitilde", "~"),
    ("exclamdown", "¡"),
    ("cent", "¢"),
    ("sterling", "£"),
    ("currency", "¤"),
    ("yen", "¥"),
    ("brokenbar", "¦"),
    ("section", "§"),
    ("copyright", "©"),
    ("ordfeminine", "ª"),
    ("guillemotleft", "«"),
    ("logicalnot", "¬"),
    ("registered", "®"),
    ("degree", "°"),
    ("plusminus", "±"),
    ("mu", "µ"),
    ("paragraph", "¶"),
    ("periodcentered", "·"),
    ("ordmasculine", "º"),
    ("guillemotright", "»"),
    ("onequarter", "¼"),
    ("onehalf", "½"),
    ("threequarters", "¾"),
    ("questiondown", "¿"),
    ("AE", "Æ"),
    ("ae", "æ"),
    ("OE", "Œ"),
    ("oe", "œ"),
    ("Oslash", "Ø"),
    ("oslash", "ø"),
    ("Lslash", "Ł"),
    ("lslash", "ł"),
    ("Eth", "Ð"),
    ("eth", "ð"),
    ("Thorn", "Þ"),
    ("thorn", "þ"),
    ("germandbls", "ß"),
    ("multiply", "×"),
    ("divide", "÷"),
    ("dotlessi", "ı"),
    ("dcroat", "đ"),
    ("Dcroat", "Đ"),
    ("fi", "fi"),
    ("fl", "fl"),
    ("ff", "ff"),
    ("ffi", "ffi"),
    ("ffl", "ffl"),
    ("endash", "–"),
    ("emdash", "—"),
    ("quoteleft", "‘"),
    ("quoteright", "’"),
    ("quotesinglbase", "‚"),
    ("quotedblleft", "“"),
    ("quotedblright", "”"),
    ("quotedblbase", "„"),
    ("guilsinglleft", "‹"),
    ("guilsinglright", "›"),
    ("dagger", "†"),
    ("daggerdbl", "‡"),
    ("bullet", "•"),
    ("ellipsis", "…"),
    ("perthousand", "‰"),
    ("fraction", "⁄"),
    ("Euro", "€"),
    ("euro", "€"),
    ("trademark", "™"),
    ("minus", "−"),
    ("florin", "ƒ"),
    ("won", "₩"),
    ("alpha", "α"),
    ("beta", "β"),
    ("gamma", "γ"),
    ("delta", "δ"),
    ("epsilon", "ε"),
    ("zeta", "ζ"),
    ("eta", "η"),
    ("theta", "θ"),
    ("iota", "ι"),
    ("kappa", "κ"),
    ("lambda", "λ"),
    ("nu", "ν"),
    ("xi", "ξ"),
    ("omicron", "ο"),
    ("pi", "π"),
    ("rho", "ρ"),
    ("sigma", "σ"),
    ("tau", "τ"),
    ("upsilon", "υ"),
    ("phi", "φ"),
    ("chi", "χ"),
    ("psi", "ψ"),
    ("omega", "ω"),
    ("Gamma", "Γ"),
    ("Delta", "Δ"),
    ("Theta", "Θ"),
    ("Lambda", "Λ"),
    ("Xi", "Ξ"),
    ("Pi", "Π"),
    ("Sigma", "Σ"),
    ("Phi", "Φ"),
    ("Psi", "Ψ"),
    ("Omega", "Ω"),
    ("arrowright", "→"),
    ("arrowleft", "←"),
    ("infinity", "∞"),
    ("lessequal", "≤"),
    ("greaterequal", "≥"),
    ("notequal", "≠"),
    ("sfthyphen", "\u{ad}"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use mailweir_content::decode::visible;

    #[test]
    fn glyphs_are_what_their_names_say() {
        let cases = [
            ("a", "a"),
            ("eacute", "é"),
            ("Ccedilla", "Ç"),
            ("scaron", "š"),
            ("uni00E9", "é"),
            ("uniD55CAE00", "한글"),
            ("u1F600", "😀"),
            ("f_i", "fi"),
            ("a.sc", "a"),
            ("ffi", "ffi"),
            ("afii10017", "А"),
            ("afii10097", "я"),
            ("Euro", "€"),
        ];
        for (name, wanted) in cases {
            let text = text_of(name.as_bytes()).unwrap();
            assert_eq!(visible(&text), wanted, "{name}");
        }
        for name in ["", ".notdef", "g123", "uniZZZZ", "uniD800", "u110000", "cid:12", "7"] {
            assert_eq!(text_of(name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn each_encoding_has_all_codes() {
        for (encoding, code, wanted) in [
            (Encoding::Standard, 0xaa, "“"),
            (Encoding::Standard, 0xfb, "ß"),
            (Encoding::Standard, 0xe1, "Æ"),
            (Encoding::Standard, 0x27, "’"),
            (Encoding::Standard, 0xd0, "—"),
            (Encoding::WinAnsi, 0xe9, "é"),
            (Encoding::WinAnsi, 0x80, "€"),
            (Encoding::MacRoman, 0x8e, "é"),
        ] {
            let table = encoding.table();
            assert_eq!(table.len(), 256);
            assert_eq!(table[code], wanted, "{encoding:?} {code:x}");
        }
    }
}
