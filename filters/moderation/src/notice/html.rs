//! The HTML part: tables, since Outlook knows nothing else; one column of at most 600 pixels; colours
//! for light and dark screens; nothing that is fetched, nothing that runs.

use std::fmt::Write as _;

use super::{
    Language,
    document::{Block, Button, Document, Fact, Link, Tone, Value, Weight},
};

/// The document as HTML, with CRLF between lines.
pub(super) fn render(document: &Document, language: Language) -> String {
    let breaks = match language {
        Language::En | Language::Ja | Language::Fr => BREAK,
        Language::Ko => BREAK_AT_SPACES,
    };
    let mut page = Page { html: String::with_capacity(8192), breaks, colon: document.colon };
    page.head(document, language);
    for block in &document.blocks {
        page.block(block);
    }
    page.foot(document);
    page.html.replace('\n', "\r\n")
}

/// Text in HTML, also in an attribute with quotes.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

struct Page {
    html: String,
    /// Where lines of foreign text may break.
    breaks: &'static str,
    /// What stands between a name and its value.
    colon: &'static str,
}

impl Page {
    fn head(&mut self, document: &Document, language: Language) {
        let breaks = self.breaks;
        let (tag, accent) = (escaped(document.tag), accent(document.tone));
        let _ = write!(
            self.html,
            r#"<!DOCTYPE html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>{subject}</title>
<style>{STYLE}</style>
</head>
<body class="g" style="margin:0;padding:0;background-color:#eef1f5;-webkit-text-size-adjust:100%">
<table role="presentation" class="g" width="100%" cellpadding="0" cellspacing="0" border="0" style="background-color:#eef1f5"><tr><td align="center" style="padding:16px 8px">
<!--[if mso]><table role="presentation" width="600" cellpadding="0" cellspacing="0" border="0"><tr><td><![endif]-->
<table role="presentation" class="c" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:600px;background-color:#ffffff;border:1px solid #d5dbe3;border-top:4px solid {accent};border-radius:8px;font-family:{FONTS};color:#1b2430;text-align:left">
<tr><td style="padding:20px 20px 4px 20px">
<span style="display:inline-block;padding:3px 10px;border-radius:12px;background-color:{accent};color:#ffffff;font-size:13px;line-height:18px;font-weight:bold">{tag}</span>
<h1 class="t" style="margin:12px 0 4px 0;font-size:19px;line-height:27px;font-weight:bold;color:#1b2430;{breaks}">{opening}</h1>
</td></tr>
"#,
            lang = language.tag(),
            subject = escaped(&document.subject),
            opening = escaped(&document.opening),
        );
    }

    fn block(&mut self, block: &Block) {
        self.html.push_str("<tr><td style=\"padding:8px 20px\">");
        match block {
            Block::Note(sentence) => self.note(sentence),
            Block::Facts(facts) => self.facts(facts),
            Block::Details(facts) => self.details(facts),
            Block::Quote { label, lines } => self.quote(label, lines),
            Block::Entry { heading, facts, link } => self.entry(heading, facts, link.as_ref()),
            Block::Buttons(buttons) => self.buttons(buttons),
            Block::Links { label, links } => self.links(label, links),
        }
        self.html.push_str("</td></tr>\n");
    }

    fn note(&mut self, sentence: &str) {
        let breaks = self.breaks;
        let _ = write!(
            self.html,
            "<p class=\"t\" style=\"margin:0;font-size:15px;line-height:22px;color:#1b2430;{breaks}\">{}</p>",
            escaped(sentence)
        );
    }

    /// The name above its values: the same on a phone and on a wide screen, in every language.
    fn facts(&mut self, facts: &[Fact]) {
        self.html.push_str(TABLE);
        for fact in facts {
            let _ = write!(
                self.html,
                "<tr><td class=\"l m\" style=\"padding:7px 0 6px 0;border-top:1px solid #e6eaf0;font-size:13px;line-height:18px;color:#5a6675\">{}",
                escaped(fact.label)
            );
            for value in &fact.values {
                self.value(value);
            }
            self.html.push_str("</td></tr>\n");
        }
        self.html.push_str("</table>");
    }

    fn value(&mut self, value: &Value) {
        let breaks = self.breaks;
        let weight = if value.is_title { "font-weight:bold;" } else { "" };
        let _ = write!(
            self.html,
            "\n<div class=\"t\" style=\"font-size:15px;line-height:22px;color:#1b2430;{weight}{breaks}\"><span dir=\"auto\">{}</span>",
            escaped(&value.text)
        );
        for mark in &value.marks {
            let _ = write!(
                self.html,
                " <span class=\"w\" style=\"display:inline-block;padding:0 7px;border-radius:9px;background-color:#fdecd2;color:#8a4b08;font-size:12px;line-height:18px\">{}</span>",
                escaped(mark)
            );
        }
        self.html.push_str("</div>");
    }

    fn quote(&mut self, label: &str, lines: &[String]) {
        let breaks = self.breaks;
        let _ = write!(
            self.html,
            "<p class=\"m\" style=\"margin:0 0 4px 0;font-size:13px;line-height:18px;color:#5a6675\">{}</p>{TABLE}<tr><td class=\"q\" style=\"padding:10px 12px;background-color:#f4f6f9;border-left:3px solid #b9c3d0;font-size:14px;line-height:21px;color:#33404f;{breaks}\">",
            escaped(label)
        );
        for line in lines {
            let shown = if line.is_empty() { "&nbsp;".to_owned() } else { escaped(line) };
            let _ = write!(self.html, "\n<div dir=\"auto\">{shown}</div>");
        }
        self.html.push_str("</td></tr></table>");
    }

    fn entry(&mut self, heading: &str, facts: &[Fact], link: Option<&Link>) {
        let breaks = self.breaks;
        let _ = write!(
            self.html,
            "{TABLE}<tr><td class=\"q\" style=\"padding:12px 14px;background-color:#f4f6f9;border-radius:6px\">\
             <div class=\"t\" dir=\"auto\" style=\"margin:0 0 6px 0;font-size:16px;line-height:23px;font-weight:bold;color:#1b2430;{breaks}\">{}</div>",
            escaped(heading)
        );
        self.details(facts);
        if let Some(link) = link {
            let _ = write!(
                self.html,
                "\n<div style=\"padding:8px 0 2px 0\"><a class=\"a\" href=\"{}\" style=\"display:inline-block;padding:11px 0;font-size:16px;line-height:22px;font-weight:bold;color:#1d5fc4\">{}</a></div>",
                escaped(&link.url),
                escaped(link.text)
            );
        }
        self.html.push_str("</td></tr></table>");
    }

    /// Name and value on one line.
    fn details(&mut self, facts: &[Fact]) {
        let breaks = self.breaks;
        for Fact { label, values } in facts {
            let values: Vec<String> = values.iter().map(|value| escaped(&value.text)).collect();
            let _ = write!(
                self.html,
                "\n<div class=\"t\" style=\"font-size:14px;line-height:21px;color:#1b2430;{breaks}\"><span class=\"m\" style=\"color:#5a6675\">{}</span>&nbsp; <span dir=\"auto\">{}</span></div>",
                escaped(label),
                values.join(", ")
            );
        }
    }

    /// Two beside each other; what only shows stands below them over the whole width.
    fn buttons(&mut self, buttons: &[Button]) {
        let (deeds, shows): (Vec<_>, Vec<_>) =
            buttons.iter().partition(|button| button.weight != Weight::Plain);
        self.row(&deeds);
        for button in shows {
            self.row(&[button]);
        }
    }

    fn row(&mut self, buttons: &[&Button]) {
        if buttons.is_empty() {
            return;
        }
        let width = 100 / buttons.len();
        self.html.push_str(TABLE_OF_BUTTONS);
        self.html.push_str("<tr>");
        for (at, button) in buttons.iter().enumerate() {
            let (class, colours, letters) = look(button.weight);
            let gap = if at > 0 { "padding:4px 0 4px 6px" } else { "padding:4px 6px 4px 0" };
            let gap = if buttons.len() == 1 { "padding:4px 0" } else { gap };
            let _ = write!(
                self.html,
                "<td width=\"{width}%\" style=\"{gap}\">{TABLE}<tr><td class=\"{class}\" align=\"center\" style=\"border-radius:6px;{colours}\">\
                 <a class=\"{class}l\" href=\"{}\" style=\"display:block;padding:13px 6px;font-size:16px;line-height:22px;font-weight:bold;text-decoration:none;color:{letters}\">{}</a></td></tr></table></td>",
                escaped(&button.link.url),
                escaped(button.link.text)
            );
        }
        self.html.push_str("</tr></table>\n");
    }

    fn links(&mut self, label: &str, links: &[Link]) {
        let _ = write!(
            self.html,
            "<p class=\"m\" style=\"margin:0;font-size:13px;line-height:19px;color:#5a6675\">{}</p>",
            escaped(label)
        );
        let colon = self.colon;
        for Link { text, url } in links {
            let (text, url) = (escaped(text), escaped(url));
            let _ = write!(
                self.html,
                "\n<p class=\"m\" style=\"margin:4px 0 0 0;font-size:12px;line-height:17px;color:#5a6675;word-break:break-all\">{text}{colon}<a class=\"a\" href=\"{url}\" style=\"color:#1d5fc4\">{url}</a></p>"
            );
        }
    }

    fn foot(&mut self, document: &Document) {
        let breaks = self.breaks;
        self.html.push_str(
            "<tr><td class=\"m\" style=\"padding:12px 20px 18px 20px;font-size:12px;line-height:18px;color:#5a6675\">",
        );
        for line in &document.footer {
            let _ =
                write!(self.html, "\n<div dir=\"auto\" style=\"{breaks}\">{}</div>", escaped(line));
        }
        self.html.push_str(
            "</td></tr>\n</table>\n<!--[if mso]></td></tr></table><![endif]-->\n</td></tr></table>\n</body>\n</html>\n",
        );
    }
}

/// Dark enough for white letters on it.
const fn accent(tone: Tone) -> &'static str {
    match tone {
        Tone::Ask => "#1d5fc4",
        Tone::Warning => "#a85507",
        Tone::Good => "#1a7a3c",
        Tone::Bad => "#b3261e",
        Tone::Calm => "#566273",
    }
}

/// The class, the colours of the field for light screens, and those of the letters.
const fn look(weight: Weight) -> (&'static str, &'static str, &'static str) {
    match weight {
        Weight::Yes => ("y", "background-color:#1d5fc4;border:1px solid #1d5fc4", "#ffffff"),
        Weight::No => ("n", "background-color:#ffffff;border:1px solid #b3261e", "#b3261e"),
        Weight::Plain => ("p", "background-color:#ffffff;border:1px solid #9aa6b5", "#33404f"),
    }
}

const TABLE: &str =
    "<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\">";

const TABLE_OF_BUTTONS: &str = "<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" style=\"table-layout:fixed\">";

/// Long words break rather than widen the page.
const BREAK: &str = "word-break:break-word;overflow-wrap:anywhere";

/// Korean words stay whole as long as there is room.
const BREAK_AT_SPACES: &str = "word-break:keep-all;overflow-wrap:anywhere";

/// What is there on phones and desktops, for all four languages.
const FONTS: &str = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,'Noto Sans','Apple SD Gothic Neo','Malgun Gothic','Hiragino Sans','Yu Gothic UI',Meiryo,sans-serif";

/// Dark screens; the rest is inline, since many programs take nothing else.
const STYLE: &str = "
:root{color-scheme:light dark;supported-color-schemes:light dark}
@media (prefers-color-scheme:dark){
.g{background-color:#12161c!important}
.c{background-color:#1c222b!important;border-left-color:#343d4a!important;border-right-color:#343d4a!important;border-bottom-color:#343d4a!important}
.t{color:#e8edf4!important}
.m{color:#a3afbf!important}
.l{border-color:#313a47!important}
.q{background-color:#252d38!important;border-color:#55637a!important;color:#d3dbe6!important}
.w{background-color:#4a3413!important;color:#ffd591!important}
.a{color:#8ab8ff!important}
.n{background-color:#1c222b!important;border-color:#f2a29c!important}
.nl{color:#f7b5b0!important}
.p{background-color:#1c222b!important;border-color:#66748a!important}
.pl{color:#d3dbe6!important}
}
";
