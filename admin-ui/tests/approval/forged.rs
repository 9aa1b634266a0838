//! Requests that no reader of a page would send: forged, replayed, from elsewhere, too large.

use mailweir_moderation::{case::State, notice::Language};

use crate::{
    browser::Site,
    sample::{Links, NOW, draft},
};

async fn site() -> (Site, Links) {
    let site = Site::start().await;
    let links = site.desk.open(draft(Language::En));
    (site, links)
}

#[tokio::test]
async fn a_form_counts_once() {
    let (site, links) = site().await;
    let mut browser = site.browser();
    let nonce = browser.get(&links.boss).await.nonce();
    let body = format!("nonce={nonce}&choice=comment&words=once");
    browser.post(&links.boss, &body).await.expect_done(&links.boss);
    for _ in 0..3 {
        browser.post(&links.boss, &body).await.expect(403, "Nothing has changed.");
    }
    assert_eq!(site.desk.decided(), 1);
}

#[tokio::test]
async fn a_nonce_is_of_one_page_in_one_browser() {
    let (site, links) = site().await;
    let other = site.desk.open(draft(Language::En));
    let mut browser = site.browser();
    let mine = browser.get(&links.boss).await.nonce();
    let approve = |nonce: &str| format!("nonce={nonce}&choice=approve");
    for token in [&links.cfo, &other.boss, &links.sender] {
        browser.get(token).await;
        browser.post(token, &approve(&mine)).await.expect(403, "choose again");
        // The cookie of the other page does not help.
        let mut swapped = browser.clone();
        swapped.cookies.insert(token.clone(), browser.cookies[&links.boss].clone());
        swapped.post(token, &approve(&mine)).await.expect(403, "choose again");
    }
    let mut stranger = site.browser();
    stranger.post(&links.boss, &approve(&mine)).await.expect(403, "allow cookies");
    stranger.get(&links.boss).await;
    stranger.post(&links.boss, &approve(&mine)).await.expect(403, "choose again");
    for bad in ["", "0", &"a".repeat(112), &mine[2..]] {
        browser.post(&links.boss, &approve(bad)).await.expect(403, "choose again");
    }
    browser.post(&links.boss, "choice=approve").await.expect(403, "choose again");
    let twice = format!("nonce={mine}&nonce={mine}&choice=approve");
    browser.post(&links.boss, &twice).await.expect(403, "choose again");
    assert_eq!(site.desk.decided(), 0);
    browser.post(&links.boss, &approve(&mine)).await.expect_done(&links.boss);
}

#[tokio::test]
async fn a_page_that_is_not_ours_makes_a_browser_do_nothing() {
    let (site, links) = site().await;
    let mut browser = site.browser();
    let nonce = browser.get(&links.boss).await.nonce();
    let body = format!("nonce={nonce}&choice=approve");
    for lines in [
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\n",
        "Origin: https://attacker.example\r\n",
        "Origin: http://localhost.attacker.example\r\n",
        "Origin: http://localhost:81\r\n",
        "Origin: nonsense\r\n",
        "Origin: null\r\nOrigin: https://attacker.example\r\n",
        "Origin: null\r\nSec-Fetch-Site: cross-site\r\n",
    ] {
        browser.post_saying(&links.boss, &body, lines).await.expect(403, "not ours");
    }
    assert_eq!(site.desk.decided(), 0);
    for (lines, token) in [
        ("", &links.boss),
        ("Origin: http://localhost\r\n", &links.boss),
        ("Origin: https://gate.example.org\r\nSec-Fetch-Site: same-origin\r\n", &links.boss),
    ] {
        let nonce = browser.get(token).await.nonce();
        let body = format!("nonce={nonce}&choice=comment&words=x");
        browser.post_saying(token, &body, lines).await.expect_done(token);
    }
}

#[tokio::test]
async fn only_small_forms_are_taken() {
    let (site, links) = site().await;
    let mut browser = site.browser();
    let nonce = browser.get(&links.boss).await.nonce();
    let cookie = &browser.cookies[&links.boss];
    let body = format!("nonce={nonce}&choice=approve");
    let start =
        format!("POST /m/{} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n", links.boss);
    for kind in [
        "Content-Type: text/plain\r\n",
        "Content-Type: multipart/form-data; boundary=x\r\n",
        "Content-Type: application/json\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Type: text/plain\r\n",
        "",
    ] {
        let request = format!("{start}{kind}Content-Length: {}\r\n\r\n{body}", body.len());
        assert_eq!(site.ask(&request).await.status, 415, "{kind}");
    }
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let huge = format!("{body}&words={}", "x".repeat(70_000));
    let request = format!("{start}{form}Content-Length: {}\r\n\r\n{huge}", huge.len());
    assert_eq!(site.ask(&request).await.status, 413);
    // One that does not say how large it is.
    let chunk = format!("{:x}\r\n{huge}\r\n0\r\n\r\n", huge.len());
    let request = format!("{start}{form}Transfer-Encoding: chunked\r\n\r\n{chunk}");
    assert_eq!(site.ask(&request).await.status, 400);
    let many = format!("{body}{}", "&a=b".repeat(1_000));
    let request = format!("{start}{form}Content-Length: {}\r\n\r\n{many}", many.len());
    assert_eq!(site.ask(&request).await.status, 400);
    assert_eq!(site.desk.decided(), 0);
}

#[tokio::test]
async fn other_methods_are_not_answered() {
    let (site, links) = site().await;
    for method in ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT", "PROPFIND"] {
        let request = format!("{method} /m/{} HTTP/1.1\r\nHost: localhost\r\n\r\n", links.boss);
        let answer = site.ask(&request).await;
        assert!(matches!(answer.status, 400 | 405 | 421), "{method} {}", answer.status);
        if answer.status == 405 {
            assert_eq!(answer.header("allow"), Some("GET, HEAD, POST"));
        }
    }
    // Elsewhere nothing is taken.
    let request = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(site.ask(request).await.status, 405);
    let foreign = format!("GET /m/{} HTTP/1.1\r\nHost: attacker.example\r\n\r\n", links.boss);
    assert_eq!(site.ask(&foreign).await.status, 421);
    assert_eq!(site.desk.state(&links), State::Pending);
}

/// Nobody learns by trying whether a link was ever good.
#[tokio::test]
async fn all_links_that_lead_nowhere_are_one_page() {
    let (site, links) = site().await;
    let over = site.desk.open(draft(Language::Ko));
    site.desk.change(&over, |file| file.grants.iter_mut().for_each(|grant| grant.expires = NOW));
    let never = "a".repeat(52);
    let mistyped = format!("b{}", &links.boss[1..]);
    let longer = format!("{}a", links.boss);
    let encoded = format!("%61{}", &links.boss[1..]);
    let mut seen = Vec::new();
    for token in
        [&*never, &mistyped, &longer, &encoded, &over.boss, "x", "a/b", "%00", "%ff", "..%2f"]
    {
        let get = format!("GET /m/{token} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let body = "nonce=0&choice=approve";
        let post = format!(
            "POST /m/{token} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
            body.len()
        );
        for request in [get, post] {
            let answer = site.ask(&request).await;
            assert_eq!(answer.status, 404, "{request}");
            let lines = answer.head.lines().filter(|line| !line.starts_with("date"));
            seen.push((lines.map(str::to_owned).collect::<Vec<_>>(), answer.body));
        }
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:#?}");
    for words in ["nothing behind this link", "유효하지 않은 링크", "無効です", "ne mène à rien"]
    {
        assert!(seen[0].1.contains(words), "{words}");
    }
}
