//! What tables and keys are put together from.

#[rustfmt::skip]
pub const ODD_LINES: &[&str] = &[
    "iffy\n", "word value\n", "/open\n", "!\n", "/a/q x\n", "/a/ $x\n", "/a/ ${1\n",
    "/a/ $0 $2\n", "/b/\n", " /a/ continues\n", "/c/ $\n", "!/(a)/ $1\n", "if\n", "/(a)/ $2 x\n",
    "if /(/\n", "/[a/ x\n", "!aba x\n", "if/a/\n", "/b/ ${}\n",
];

#[rustfmt::skip]
pub const KEY_PARTS: &[&str] = &[
    "a", "b", "c", "A", "B", "C", "aa", "ab", "abc", "ba", "bc", "cab", "a b", "@", ".", "-", "_",
    "0", "12", " ", "\t", "\u{e9}", "\u{c3}\u{a9}", "Z", "$", "{", "}", "]", "[", "^", "*", "+",
    "\\", "(", ")", "|", "aaa", "bbb", "\u{a0}", "\u{85}", "\r", "{2}", "Subject: ", "money", "x",
    "y",
];

#[rustfmt::skip]
pub const GROUPS: &[&str] = &[
    "[$1]", "<${1}>", "$(1)x", "$1$2", "[$1][$2]", "$$1", "a$$b", "$3", "[${2}]",
];

#[rustfmt::skip]
pub const PCRE_QUANTIFIERS: &[&str] = &[
    "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0}", "{2,}", "{1,2}?", "*+", "++", "{",
    "{a}", "{2", "{0,1}", "{3,1}",
];

/// None of two in a row: with some of them the library never ends.
#[rustfmt::skip]
pub const REGEXP_QUANTIFIERS: &[&str] = &[
    "*", "+", "?", "{2}", "{1,2}", "{0}", "{2,}", "{,2}", "{0,2}", "{3,1}", "{",
    "{a}", "{2", "{}", "}",
];

#[rustfmt::skip]
pub const PCRE_OPEN: &[&str] = &[
    "(", "(", "(", "(", "(?:", "(?:", "(?i:", "(?-i:", "(?>", "(?=", "(?!", "(?s-i:",
    "(?<n>", "(?|",
];

#[rustfmt::skip]
pub const PCRE_ESCAPES: &[&str] = &[
    "\\d", "\\D", "\\s", "\\S", "\\w", "\\W", "\\h", "\\H", "\\v", "\\R", "\\b", "\\B", "\\A",
    "\\z", "\\Z", "\\t", "\\x41", "\\x{61}", "\\101", "\\0", "\\Qa.b\\E", "\\Q*", "\\N", "\\K",
    "\\1", "(?i)", "(?-i)", "(?#c)", "^", "$", "\\y", "\\e", "[[:<:]]", "\\cA", "\\o{141}",
    "\\E", "(?x)", "(?U)", "\\G", "\\.", "\\\u{e9}", "(?s)", "(?m)", "\\X", "\\g{1}", "(?1)",
    "(?R)?", "\\2", "(*FAIL)", "\\pL", "(?<=a)", "(?<!b|cd)",
];

#[rustfmt::skip]
pub const REGEXP_ESCAPES: &[&str] = &[
    "\\w", "\\W", "\\s", "\\S", "\\b", "\\B", "\\<", "\\>", "\\`", "\\'", "\\.", "\\1", "\\2",
    "^", "$", "\\a", "\\*", "\\(", "\\n", "\\\u{e9}", "\\]", "\\/", "\\-", "()", "(|a)", ")",
];

#[rustfmt::skip]
pub const LITERALS: &[&str] = &[
    "a", "b", "c", "ab", "bc", "A", "B", "abc", "@", "\\.", "-", "_", "0", "1", " ", "Z",
    "\u{e9}", "money", "Subject:", "x", "y", "}", "]", "\\{", "#", ",",
];

#[rustfmt::skip]
pub const PCRE_MEMBERS: &[&str] = &[
    "a", "b", "a-c", "A-C", "0-9", ".", "-", "@", "\\d", "\\w", "\\s", "\\-", "\\]", "\\n",
    "[:alpha:]", "[:^digit:]", "[:upper:]", "[:punct:]", "\\x41", "&&", "[", "^", "a-",
    "\u{e0}-\u{ff}", "\\b", "\\h", "[:word:]", "[:space:]", "\\Qa-c\\E", "\\101", "\\D", "Z-a",
    "[:xx:]", "[.a.]", "#", " ", "--",
];

#[rustfmt::skip]
pub const REGEXP_MEMBERS: &[&str] = &[
    "a", "b", "a-c", "A-C", "0-9", ".", "-", "@", "\\", "[:alpha:]", "[:digit:]", "[:upper:]",
    "[:lower:]", "[:punct:]", "[:space:]", "[", "^", "a-", "\u{e0}-\u{ff}", "[:xdigit:]", "[.a.]",
    "[=b=]", "Z-a", "[:xx:]", "[.ab.]", "\\n", "---", "--a", "[.a.]-c", "[:alnum:]", "[:blank:]",
    "[:print:]", "_-b", "c-a",
];

#[rustfmt::skip]
pub const BASIC_QUANTIFIERS: &[&str] = &[
    "*", "\\+", "\\?", "\\{2\\}", "\\{1,2\\}", "\\{,2\\}", "\\{2", "+", "?", "{", "}", "\\|", "|",
    "\\|", "**",
];

#[rustfmt::skip]
pub const BASIC_ESCAPES: &[&str] = &[
    "^", "$", ".", "\\1", "\\w", "\\b", "\\<", "\\.", "(", ")", "\\*", "^*", "\\(*a\\)",
];
