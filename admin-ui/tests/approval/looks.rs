//! What every page is made of: no script, nothing from elsewhere, foreign words as they are.

use mailweir_moderation::{
    case::Kind,
    notice::{Attachment, Language},
    rule::Reason,
};

use crate::{
    browser::{Answer, Site},
    sample::{Draft, draft, plan},
};

#[tokio::test]
async fn every_page_forbids_scripts_frames_caching_and_foreign_forms() {
    let site = Site::start().await;
    let links = site.desk.open(draft(Language::En));
    let mut answers = vec![site.ask("GET /m/x HTTP/1.1\r\nHost: localhost\r\n\r\n").await];
    let mut browser = site.browser();
    answers.push(browser.get(&links.boss).await);
    answers.push(browser.choose(&links.boss, "choice=nothing").await);
    answers.push(browser.choose(&links.boss, "choice=approve").await);
    for answer in &answers {
        let policy = answer.header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("script-src") && !policy.contains("unsafe"), "{policy}");
        for (name, value) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-robots-tag", "noindex, nofollow"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{}", answer.head);
        }
    }
    // Only these pages may send forms.
    let first = site.ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(first.header("content-security-policy").unwrap().contains("form-action 'none'"));
    let style = site.ask("GET /m.css HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
    assert!(!style.body.contains("url(") && !style.body.contains("@import"));
}

#[tokio::test]
async fn the_cookie_is_for_one_page_and_no_script_can_read_it() {
    for (public_url, base, is_secure) in [
        (Some("https://gate.example.org"), "", true),
        (Some("https://gate.example.org/mail/?x"), "/mail", true),
        (Some("http://gate.example.org/a;b"), "", false),
        (None, "", false),
    ] {
        let site = Site::at(public_url).await;
        let links = site.desk.open(draft(Language::En));
        let page = site.browser().get(&links.boss).await;
        let cookie = page.header("set-cookie").unwrap();
        let (_, attributes) = cookie.split_once("; ").unwrap();
        let secure = if is_secure { "; Secure" } else { "" };
        let path = format!("Path={base}/m/{}", links.boss);
        let expected = format!("{path}; Max-Age=86400; HttpOnly; SameSite=Strict{secure}");
        assert_eq!(attributes, expected);
    }
}

#[tokio::test]
async fn no_page_has_a_script_or_anything_from_elsewhere() {
    let site = Site::start().await;
    let mut browser = site.browser();
    for language in Language::ALL {
        for kind in [Kind::Approval, Kind::Delay, Kind::Confirmation] {
            let links = site.desk.open(Draft { plan: plan(kind, 3), ..draft(language) });
            for token in [&links.boss, &links.sender] {
                expect_calm(&browser.get(token).await);
            }
        }
        let locked = site.desk.open(Draft { sensitive: true, ..draft(language) });
        expect_calm(&browser.get(&locked.boss).await);
    }
}

/// `attacks.md` H6.
#[tokio::test]
async fn markup_in_any_field_is_shown_as_it_was_written() {
    let site = Site::start().await;
    let mut hostile = draft(Language::En);
    let evil: Box<str> = EVIL.into();
    let mail = &mut hostile.mail;
    mail.from = evil.clone();
    mail.login = Some(evil.clone());
    mail.subject = evil.clone();
    mail.text = format!("{EVIL}\n{EVIL}").into();
    mail.attachments =
        vec![Attachment { name: evil.clone(), kind: Some(evil.clone()), size: None }];
    mail.reasons = vec![Reason::Subject(evil.clone()), Reason::AttachmentName(evil.clone())];
    mail.recipients[0].address = "\"<script>x</script>\"@customer.example".parse().unwrap();
    hostile.plan.rule.name = evil.clone();
    let links = site.desk.open(hostile);
    let scan =
        format!("GET /m/{} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {EVIL}\r\n\r\n", links.boss);
    site.ask(&scan).await;
    let mut browser = site.browser();
    let words: String = url(EVIL);
    browser.choose(&links.boss, &format!("choice=comment&words={words}")).await;
    let kept = format!("choice=approve&words={words}&at=never");
    for page in [
        browser.get(&links.boss).await,
        browser.get_ready(&links.boss, "?approve%22%3E%3Cscript%3E").await,
        browser.choose(&links.boss, &kept).await,
        browser.get(&links.sender).await,
    ] {
        expect_calm(&page);
        assert!(page.body.contains("&lt;script&gt;"), "{}", page.body);
    }
    browser.choose(&links.boss, &format!("choice=reject&words={words}")).await;
    for token in [&links.boss, &links.cfo, &links.sender] {
        expect_calm(&browser.get(token).await);
    }
}

/// Tags of ours only, with attributes of ours only, and no address of another site in any of them.
#[track_caller]
fn expect_calm(page: &Answer) {
    for tag in page.body.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').expect("a whole tag");
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap();
        assert!(TAGS.contains(&name), "<{tag}>");
        assert_eq!(tag.matches('"').count() % 2, 0, "<{tag}>");
        let (outside, inside): (Vec<_>, Vec<_>) =
            tag.split('"').enumerate().partition(|(at, _)| at % 2 == 0);
        let names = outside.iter().flat_map(|(_, part)| part.split([' ', '=']));
        for name in names.skip(1) {
            assert!(!name.starts_with("on") && name != "style" && name != "src", "<{tag}>");
        }
        assert!(inside.iter().all(|(_, value)| !value.contains("://")), "<{tag}>");
    }
}

fn url(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

const EVIL: &str = "</textarea></title>\"'><script>alert(1)</script><img src=x onerror=alert(1)> &lt;b&gt; https://evil.example/";

const TAGS: [&str; 36] = [
    "!doctype",
    "html",
    "head",
    "meta",
    "title",
    "link",
    "body",
    "main",
    "header",
    "footer",
    "section",
    "p",
    "h1",
    "h2",
    "dl",
    "dt",
    "dd",
    "div",
    "span",
    "blockquote",
    "details",
    "summary",
    "form",
    "input",
    "label",
    "textarea",
    "fieldset",
    "legend",
    "select",
    "option",
    "button",
    "ul",
    "li",
    "br",
    "code",
    "",
];
