//! Which elements there are, and which end others.

/// Elements without content (HTML, void elements), and those of which there is one, whatever ends.
pub(super) fn is_void(name: &str) -> bool {
    VOID.binary_search(&name).is_ok()
}

/// Elements that end where this one begins, up to the barriers around it.
pub(super) fn ended_by(name: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match name {
        "td" | "th" => (&["td", "th"], &["table", "tr"]),
        "tr" => (&["tr"], &["table"]),
        "li" => (&["li"], &["ul", "ol"]),
        "dt" | "dd" => (&["dt", "dd"], &["dl"]),
        "option" => (&["option"], &["select"]),
        "p" | "div" | "table" | "ul" | "ol" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "hr"
        | "pre" | "form" | "blockquote" | "center" => {
            (&["p"], &["table", "td", "th", "div", "li", "blockquote", "center"])
        }
        _ => (&[], &[]),
    }
}

/// Elements at whose edges no word goes on.
pub(super) fn ends_word(name: &str) -> bool {
    BLOCKS.binary_search(&name).is_ok()
}

/// Elements that exist, or did. Those of Office and others have a colon in their names.
pub(super) fn is_known(name: &str) -> bool {
    name.contains([':', '-'])
        || ends_word(name)
        || is_void(name)
        || INLINE.binary_search(&name).is_ok()
}

/// Attributes that hold scripts: `onload`, `onclick` and their kin.
pub(super) fn is_handler(attribute: &str) -> bool {
    let event = attribute.strip_prefix("on").unwrap_or_default();
    [
        "load", "unload", "click", "dblclick", "mouse", "key", "error", "focus", "blur", "submit",
        "change", "pointer",
    ]
    .iter()
    .any(|known| event.starts_with(known))
}

/// Elements within lines, in the order of the alphabet.
const INLINE: [&str; 80] = [
    "a",
    "abbr",
    "acronym",
    "applet",
    "audio",
    "b",
    "bdi",
    "bdo",
    "bgsound",
    "big",
    "blink",
    "button",
    "canvas",
    "cite",
    "code",
    "colgroup",
    "data",
    "datalist",
    "del",
    "details",
    "dfn",
    "dialog",
    "em",
    "figcaption",
    "figure",
    "font",
    "frameset",
    "hgroup",
    "i",
    "ilayer",
    "ins",
    "isindex",
    "kbd",
    "keygen",
    "label",
    "layer",
    "legend",
    "listing",
    "map",
    "mark",
    "marquee",
    "math",
    "meter",
    "multicol",
    "nobr",
    "noembed",
    "noframes",
    "noscript",
    "optgroup",
    "output",
    "picture",
    "plaintext",
    "progress",
    "q",
    "rb",
    "rp",
    "rt",
    "rtc",
    "ruby",
    "s",
    "samp",
    "search",
    "slot",
    "small",
    "spacer",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "svg",
    "template",
    "time",
    "tt",
    "u",
    "var",
    "video",
    "xml",
    "xmp",
];

/// Elements without content, in the order of the alphabet.
const VOID: [&str; 19] = [
    "area", "base", "basefont", "body", "br", "col", "embed", "frame", "head", "hr", "html", "img",
    "input", "link", "meta", "param", "source", "track", "wbr",
];

/// Elements with lines of their own, or something that is no letter, in the order of the alphabet.
const BLOCKS: [&str; 55] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "br",
    "caption",
    "center",
    "dd",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "iframe",
    "img",
    "input",
    "li",
    "link",
    "main",
    "menu",
    "meta",
    "nav",
    "object",
    "ol",
    "option",
    "p",
    "pre",
    "script",
    "section",
    "select",
    "style",
    "table",
    "tbody",
    "td",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "ul",
    "wbr",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_the_order_in_which_they_are_searched() {
        for table in [&VOID[..], &BLOCKS, &INLINE] {
            assert!(table.is_sorted());
        }
        assert!(
            is_void("br")
                && ends_word("p")
                && is_known("span")
                && is_known("o:p")
                && !is_known("zz")
        );
    }
}
