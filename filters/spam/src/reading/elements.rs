//! Which elements of HTML there are, how they part text, and which end others.

use mailweir_content::decode::text::is_block;

/// The name of an element, to be compared at once: its first eight bytes, in which no two elements that exist are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name(u64);

impl Name {
    pub(crate) const fn of(name: &str) -> Self {
        let mut rest = name.as_bytes();
        let mut packed = 0;
        let mut left = size_of::<u64>();
        while let ([first, behind @ ..], 1..) = (rest, left) {
            packed = packed << 8 | *first as u64;
            rest = behind;
            left -= 1;
        }
        Self(packed)
    }

    const fn all<const N: usize>(names: [&str; N]) -> [Self; N] {
        let mut all = [Self(0); N];
        let mut at = 0;
        while at < N {
            all[at] = Self::of(names[at]);
            at += 1;
        }
        all
    }
}

/// How text around an element belongs together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// It begins and ends on a line of its own.
    Block,
    /// It is a cell or something else that is no letter: words do not go on across its edges.
    Apart,
    /// It stands within a line, and within words.
    Inline,
}

impl Layout {
    /// Of elements that exist, or did. Those of Office and others have a colon or a hyphen in their names.
    pub(crate) fn of(name: &str) -> Option<Self> {
        if is_block(name.as_bytes()) {
            return Some(Self::Block);
        }
        if is_apart(name) {
            return Some(Self::Apart);
        }
        let is_inline = is_inline(name) || is_old(name) || name.contains([':', '-']);
        is_inline.then_some(Self::Inline)
    }
}

/// How an element stands in others.
#[derive(Clone, Copy, Debug)]
pub(super) enum Nesting {
    /// It has text, and ends at its end tag.
    Open,
    /// The same, and where it begins the innermost of some elements ends, with what is open in it.
    Ends {
        /// Which.
        names: &'static [Name],
        /// They are looked for up to these.
        barriers: &'static [Name],
    },
    /// It has no text and no end (HTML, void elements).
    Void,
    /// The same, and it ends a paragraph.
    Rule,
    /// There is one in a document, whatever ends.
    Document,
}

impl Nesting {
    pub(super) const fn of(name: &str) -> Self {
        match name.as_bytes() {
            b"td" | b"th" => Self::Ends { names: &CELLS, barriers: &ROWS },
            b"tr" => Self::Ends { names: &ROW, barriers: &TABLE },
            b"li" => Self::Ends { names: &ITEM, barriers: &LISTS },
            b"dt" | b"dd" => Self::Ends { names: &TERMS, barriers: &TERM_LIST },
            b"option" => Self::Ends { names: &OPTION, barriers: &SELECT },
            b"p" | b"div" | b"table" | b"ul" | b"ol" | b"h1" | b"h2" | b"h3" | b"h4" | b"h5"
            | b"h6" | b"pre" | b"form" | b"blockquote" | b"center" => {
                Self::Ends { names: &PARAGRAPH, barriers: &AROUND_PARAGRAPHS }
            }
            b"hr" => Self::Rule,
            b"body" | b"html" | b"head" => Self::Document,
            b"area" | b"base" | b"basefont" | b"br" | b"col" | b"embed" | b"frame" | b"img"
            | b"input" | b"link" | b"meta" | b"param" | b"source" | b"track" | b"wbr" => Self::Void,
            _ => Self::Open,
        }
    }
}

const CELLS: [Name; 2] = Name::all(["td", "th"]);
const ROW: [Name; 1] = Name::all(["tr"]);
const ROWS: [Name; 2] = Name::all(["table", "tr"]);
const TABLE: [Name; 1] = Name::all(["table"]);
const ITEM: [Name; 1] = Name::all(["li"]);
const LISTS: [Name; 2] = Name::all(["ul", "ol"]);
const TERMS: [Name; 2] = Name::all(["dt", "dd"]);
const TERM_LIST: [Name; 1] = Name::all(["dl"]);
const OPTION: [Name; 1] = Name::all(["option"]);
const SELECT: [Name; 1] = Name::all(["select"]);
pub(super) const PARAGRAPH: [Name; 1] = Name::all(["p"]);
pub(super) const AROUND_PARAGRAPHS: [Name; 7] =
    Name::all(["table", "td", "th", "div", "li", "blockquote", "center"]);

const fn is_apart(name: &str) -> bool {
    matches!(
        name.as_bytes(),
        b"iframe"
            | b"img"
            | b"input"
            | b"link"
            | b"meta"
            | b"object"
            | b"option"
            | b"script"
            | b"select"
            | b"style"
            | b"td"
            | b"textarea"
            | b"th"
            | b"title"
            | b"wbr"
    )
}

/// Elements within lines.
const fn is_inline(name: &str) -> bool {
    matches!(
        name.as_bytes(),
        b"a" | b"abbr"
            | b"area"
            | b"audio"
            | b"b"
            | b"base"
            | b"bdi"
            | b"bdo"
            | b"button"
            | b"canvas"
            | b"cite"
            | b"code"
            | b"col"
            | b"colgroup"
            | b"data"
            | b"datalist"
            | b"del"
            | b"dfn"
            | b"em"
            | b"embed"
            | b"font"
            | b"hgroup"
            | b"i"
            | b"ins"
            | b"kbd"
            | b"label"
            | b"map"
            | b"mark"
            | b"math"
            | b"meter"
            | b"noscript"
            | b"optgroup"
            | b"output"
            | b"param"
            | b"picture"
            | b"progress"
            | b"q"
            | b"rp"
            | b"rt"
            | b"ruby"
            | b"s"
            | b"samp"
            | b"search"
            | b"slot"
            | b"small"
            | b"source"
            | b"span"
            | b"strong"
            | b"sub"
            | b"sup"
            | b"svg"
            | b"template"
            | b"time"
            | b"track"
            | b"u"
            | b"var"
            | b"video"
            | b"xml"
    )
}

/// Elements within lines that browsers no longer know, or only know still.
const fn is_old(name: &str) -> bool {
    matches!(
        name.as_bytes(),
        b"acronym"
            | b"applet"
            | b"basefont"
            | b"bgsound"
            | b"big"
            | b"blink"
            | b"frameset"
            | b"ilayer"
            | b"isindex"
            | b"keygen"
            | b"layer"
            | b"listing"
            | b"marquee"
            | b"multicol"
            | b"nobr"
            | b"noembed"
            | b"noframes"
            | b"plaintext"
            | b"rb"
            | b"rtc"
            | b"spacer"
            | b"strike"
            | b"tt"
            | b"xmp"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_known_by_what_they_are_to_text() {
        for (name, layout) in [
            ("p", Some(Layout::Block)),
            ("br", Some(Layout::Block)),
            ("td", Some(Layout::Apart)),
            ("img", Some(Layout::Apart)),
            ("b", Some(Layout::Inline)),
            ("marquee", Some(Layout::Inline)),
            ("o:p", Some(Layout::Inline)),
            ("zz", None),
            ("", None),
        ] {
            assert_eq!(Layout::of(name), layout, "{name}");
        }
    }

    #[test]
    fn long_names_differ_in_their_first_bytes() {
        let names = [
            "basefont",
            "blockquote",
            "colgroup",
            "datalist",
            "fieldset",
            "figcaption",
            "figure",
            "frame",
            "frameset",
            "multicol",
            "noembed",
            "noframes",
            "noscript",
            "optgroup",
            "option",
            "plaintext",
            "progress",
            "template",
            "textarea",
            "table",
            "tbody",
            "th",
            "t",
        ];
        for (at, name) in names.iter().enumerate() {
            assert!(
                names.iter().skip(at + 1).all(|other| Name::of(other) != Name::of(name)),
                "{name}"
            );
        }
    }
}
