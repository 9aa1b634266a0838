//! Pages as HTML: no script, no inline style, nothing from elsewhere. All foreign text was cleaned where it
//! was said, and is escaped here.

use std::fmt::Write as _;

use mailweir_moderation::{
    notice::{
        Language, clean, escaped,
        page::{Fact, Page, Part, Tone, Value, View},
        words::PageWord,
    },
    page::choices,
    token::Purpose,
};

use super::{Sight, Visit, forms, forms::Draft};

/// One page of one reader.
pub(super) struct Leaf<'a> {
    pub(super) sight: &'a Sight,
    /// The token, for addresses.
    pub(super) name: &'a str,
    pub(super) nonce: &'a str,
    /// Why nothing was done.
    pub(super) alert: Option<&'a str>,
    pub(super) draft: &'a Draft,
}

impl Leaf<'_> {
    /// All of it.
    pub(super) fn open(&self) -> String {
        let Sight { id, file, grant, language, zone, now, .. } = self.sight;
        let about = file.about(*id);
        let (person, purpose) = (&grant.person, grant.purpose);
        let view = View { about, person, purpose, language: *language, zone: *zone, now: *now };
        let page = view.page();
        let choices = choices(&file.case, person, purpose, *now);
        let mut html = head(&page.title, *language, tone(page.tone));
        self.opening(&page, &mut html);
        html.push_str("<section class=\"card\">");
        page.parts.iter().for_each(|part| self::part(part, &mut html));
        html.push_str("</section>");
        html.push_str(&forms::all(self, &choices));
        if purpose == Purpose::Decide {
            self.visits(&mut html);
        }
        html.push_str("<footer>");
        for line in &page.footer {
            let _ = write!(html, "<p>{}</p>", escaped(line));
        }
        html.push_str("</footer>");
        html.push_str(&forms::bar(self, &choices));
        html.push_str(END);
        html
    }

    /// Nothing of the mail: fields for name and password.
    pub(super) fn locked(&self) -> String {
        let language = self.sight.language;
        let text = |word: PageWord| escaped(word.text(language));
        let mut html = head(PageWord::LogIn.text(language), language, "ask");
        let _ = write!(html, "<header><h1>{}</h1></header>", text(PageWord::LogIn));
        self.alert(&mut html);
        html.push_str("<section class=\"card\">");
        let _ = write!(html, "<p>{}</p>", text(PageWord::LogInWhy));
        html.push_str(&forms::log_in(self));
        html.push_str("</section>");
        html.push_str(END);
        html
    }

    fn opening(&self, page: &Page, html: &mut String) {
        let (tag, opening) = (escaped(page.tag), escaped(&page.opening));
        let _ = write!(html, "<header><p class=\"tag\">{tag}</p><h1>{opening}</h1></header>");
        self.alert(html);
    }

    fn alert(&self, html: &mut String) {
        if let Some(alert) = self.alert {
            let _ = write!(html, "<p class=\"alert\" role=\"alert\">{}</p>", escaped(alert));
        }
    }

    /// Who has opened the page. It decides nothing; but it is good to know.
    fn visits(&self, html: &mut String) {
        let Sight { visits, language, .. } = self.sight;
        if visits.is_empty() {
            return;
        }
        let _ = write!(
            html,
            "<details class=\"card visits\"><summary>{} ({})</summary><p>{}</p><ul>",
            escaped(PageWord::Opened.text(*language)),
            visits.len(),
            escaped(PageWord::OpeningDecidesNothing.text(*language)),
        );
        visits.iter().for_each(|visit| self.visit(visit, html));
        html.push_str("</ul></details>");
    }

    fn visit(&self, visit: &Visit, html: &mut String) {
        let Sight { language, zone, .. } = self.sight;
        let last = language.time(visit.last, *zone);
        let agent = clean::name(&visit.agent, MOST_AGENT);
        let times = if visit.times > 1 { format!(" \u{d7}{}", visit.times) } else { String::new() };
        let _ = write!(
            html,
            "<li>{}{times}<br><code>{}</code> <span dir=\"auto\">{}</span>",
            escaped(&last),
            escaped(&visit.from.to_string()),
            escaped(&clean::defanged(&agent)),
        );
        if visit.is_scanner {
            mark(PageWord::Scanner.text(*language), html);
        }
        html.push_str("</li>");
    }
}

/// The one page for links that lead nowhere, in all languages: nobody knows who reads it.
pub(super) fn nothing_here() -> String {
    let mut html = head(PageWord::NothingHere.text(Language::En), Language::En, "calm");
    for language in Language::ALL {
        let _ = write!(
            html,
            "<section class=\"card\" lang=\"{}\"><h1>{}</h1><p>{}</p></section>",
            language.tag(),
            escaped(PageWord::NothingHere.text(language)),
            escaped(PageWord::NothingHereHelp.text(language)),
        );
    }
    html.push_str(END);
    html
}

/// Addresses are relative: a proxy may have put the pages below another path.
fn head(title: &str, language: Language, class: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"format-detection\" content=\"telephone=no, date=no, address=no, email=no\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>{}</title>\n\
         <link rel=\"icon\" href=\"../icon.svg\" type=\"image/svg+xml\">\n\
         <link rel=\"stylesheet\" href=\"../m.css\">\n</head>\n<body class=\"{class}\">\n<main>\n",
        language.tag(),
        escaped(title),
    )
}

fn part(part: &Part, html: &mut String) {
    match part {
        Part::Note(sentence) => {
            let _ = write!(html, "<p>{}</p>", escaped(sentence));
        }
        Part::Facts(facts) => self::facts(facts, "facts", html),
        Part::Details(facts) => self::facts(facts, "details", html),
        Part::Quote { label, lines } => {
            let _ = write!(html, "<h2>{}</h2><blockquote>", escaped(label));
            for line in lines {
                let _ = write!(html, "<p dir=\"auto\">{}</p>", escaped(line));
            }
            html.push_str("</blockquote>");
        }
    }
}

fn facts(facts: &[Fact], class: &str, html: &mut String) {
    let _ = write!(html, "<dl class=\"{class}\">");
    for Fact { label, values } in facts {
        let _ = write!(html, "<div><dt>{}</dt>", escaped(label));
        values.iter().for_each(|value| self::value(value, html));
        html.push_str("</div>\n");
    }
    html.push_str("</dl>");
}

fn value(value: &Value, html: &mut String) {
    let class = if value.is_title { " class=\"title\"" } else { "" };
    let _ = write!(html, "<dd{class}><span dir=\"auto\">{}</span>", escaped(&value.text));
    value.marks.iter().for_each(|word| mark(word, html));
    html.push_str("</dd>");
}

pub(super) fn mark(word: &str, html: &mut String) {
    let _ = write!(html, " <span class=\"mark\">{}</span>", escaped(word));
}

const fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Ask => "ask",
        Tone::Warning => "warning",
        Tone::Good => "good",
        Tone::Bad => "bad",
        Tone::Calm => "calm",
    }
}

const END: &str = "</main>\n</body>\n</html>\n";

/// Characters of what a program calls itself.
const MOST_AGENT: usize = 120;
