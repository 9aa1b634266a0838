//! What HTTP makes of a request before and after the gateway is asked.

use std::{
    future::ready,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use serde_json::json;

use super::*;
use crate::tests::{Answer, Gateway, ask_at, start_with, state};

/// One mail that the token `good` knows of, and a note of what was asked.
#[derive(Default)]
pub(crate) struct Office {
    asked: Mutex<Vec<String>>,
    /// What comes of every deed.
    fate: Option<DeedError>,
    /// What comes of every log-in.
    entry: Option<NoEntry>,
    /// Why nothing of the archive is shown.
    shown: Option<NotShown>,
}

impl Office {
    fn note(&self, what: String) {
        self.asked.lock().unwrap().push(what);
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

impl HeldMail for Office {
    fn log_in<'a>(&'a self, claim: Claim<'a>, from: Source) -> Later<'a, Result<Caller, NoEntry>> {
        let who = Who::Token { name: "program".into(), decides: true };
        let entry = match (self.entry, claim) {
            (Some(no), _) => Err(no),
            (None, Claim::Bearer("good") | Claim::Basic("YWxpY2U6c2VjcmV0")) => {
                Ok(Caller { who, from: from.address, archive: ArchiveSight::Everything })
            }
            (None, _) => Err(NoEntry::Wrong),
        };
        Box::pin(ready(entry))
    }

    fn list<'a>(&'a self, _: &'a Caller, wanted: Wanted) -> Later<'a, Page> {
        self.note(format!("{wanted:?}"));
        Box::pin(ready(Page { held: vec![json!({ "id": ID })], next: ID.parse().ok() }))
    }

    fn show(&self, _: &Caller, id: QueueId) -> Option<Value> {
        (id.to_string() == ID).then(|| json!({ "id": ID }))
    }

    fn act<'a>(
        &'a self,
        _: &'a Caller,
        id: QueueId,
        deed: Deed,
    ) -> Later<'a, Result<Value, DeedError>> {
        self.note(format!("{deed:?}"));
        let done = json!({ "id": id });
        Box::pin(ready(self.fate.clone().map_or(Ok(done), Err)))
    }
}

impl ArchivedMail for Office {
    fn search<'a>(&'a self, _: &'a Caller, wanted: Search) -> Later<'a, Result<Value, NotShown>> {
        self.note(format!("{wanted:?}"));
        Box::pin(ready(self.shown.clone().map_or(Ok(json!({ "mails": [] })), Err)))
    }

    fn show<'a>(&'a self, _: &'a Caller, id: QueueId) -> Later<'a, Result<Value, NotShown>> {
        self.note(format!("show {id}"));
        Box::pin(ready(self.shown.clone().map_or(Ok(json!({ "id": id })), Err)))
    }

    fn content<'a>(&'a self, _: &'a Caller, id: QueueId) -> Later<'a, Result<Content, NotShown>> {
        self.note(format!("content {id}"));
        let (parts, content) = tokio::sync::mpsc::channel(2);
        for part in ["Subject: x\r\n", "\r\nx\r\n"] {
            parts.try_send(Ok(part.into())).unwrap();
        }
        let content = Content { size: 17, parts: content };
        Box::pin(ready(self.shown.clone().map_or(Ok(content), Err)))
    }
}

struct Place {
    office: Arc<Office>,
    address: SocketAddr,
}

impl Place {
    async fn of(office: Office) -> Self {
        let office = Arc::new(office);
        let (held, archive) = (Arc::clone(&office) as _, Arc::clone(&office) as _);
        let state = AdminState { held, archive, ..state(Gateway::default()) };
        Self { office, address: start_with(state).await }
    }

    async fn new() -> Self {
        Self::of(Office::default()).await
    }

    async fn get(&self, path: &str, headers: &str) -> Answer {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        ask_at(self.address, &request).await
    }

    async fn post(&self, path: &str, headers: &str, body: &str) -> Answer {
        let length = body.len();
        let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}");
        let request = format!("{head}Content-Length: {length}\r\n\r\n{body}");
        ask_at(self.address, &request).await
    }

    async fn deed(&self, deed: &str, body: &str) -> Answer {
        let path = format!("/api/v1/held/{ID}/{deed}");
        self.post(&path, &format!("{GOOD}{JSON}"), body).await
    }
}

#[tokio::test]
async fn a_list_is_asked_for_with_all_that_the_query_says() {
    let place = Place::new().await;
    let query = "state=all&mine=kim%40own.example&sender=%40own.example&rule=to+the+outside\
                 &search=%EB%8C%80%EC%99%B8%EB%B9%84&after=4jWT59000pz7&limit=7";
    let answer = place.get(&format!("/api/v1/held?{query}"), GOOD).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((&body["held"][0]["id"], &body["next"]), (&json!(ID), &json!(ID)));
    let asked = place.office.asked().concat();
    for part in ["All", "kim@own.example", "@own.example", "to the outside", "대외비", "limit: 7"]
    {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    let answer = place.get("/api/v1/held?state=approved", GOOD).await;
    assert_eq!(answer.status, 200, "what a case is said to be can be asked for: {}", answer.body);
    assert!(place.office.asked().concat().contains("Approved"));
    for bad in
        ["stat=all", "state=sent", "state=%2", "limit=0", "limit=1001", "after=x", "search=%C3"]
    {
        let answer = place.get(&format!("/api/v1/held?{bad}"), GOOD).await;
        assert_eq!(answer.status, 400, "{bad}");
    }
    assert_eq!(place.office.asked(), [""; 0], "what makes no sense shows nothing");
}

#[tokio::test]
async fn whoever_is_nobody_hears_so_in_the_same_words_whatever_they_ask() {
    let place = Place::new().await;
    let mut heard = Vec::new();
    for headers in [
        "",
        "Authorization: Bearer bad\r\n",
        "Authorization: Basic !!!\r\n",
        "Authorization: Digest good\r\n",
        "Authorization: good\r\n",
        &format!("{GOOD}{GOOD}"),
    ] {
        for path in ["/api/v1/held", "/api/v1/held/4jWT59000pz7", "/api/v1/held/nothing"] {
            let answer = place.get(path, headers).await;
            let challenge = answer.header("www-authenticate").to_owned();
            assert_eq!((answer.status, &*challenge), (401, BASIC), "{headers}");
            heard.push(answer.body);
        }
    }
    heard.dedup();
    assert_eq!(heard.len(), 1);
}

#[tokio::test]
async fn how_a_log_in_fails_is_told_apart_only_where_it_says_nothing_of_the_account() {
    let seconds = Duration::from_secs(59);
    for (entry, status) in [
        (NoEntry::Wrong, 401),
        (NoEntry::InClear, 401),
        (NoEntry::Throttled(seconds), 429),
        (NoEntry::Unavailable, 503),
    ] {
        let place = Place::of(Office { entry: Some(entry), ..Office::default() }).await;
        let answer = place.get("/api/v1/held", GOOD).await;
        assert_eq!(answer.status, status);
        if status == 429 {
            assert_eq!(answer.header("retry-after"), "60");
        }
        if entry == NoEntry::InClear {
            assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"Mailweir\"");
        }
    }
}

#[tokio::test]
async fn each_deed_is_read_from_its_body_and_nothing_is_guessed() {
    let place = Place::new().await;
    for (deed, body, expected) in [
        ("approve", "", "Approve { comment: \"\", only: None, at: None, trust_days: 0 }"),
        ("approve", "{\"only\":[\"a@b.example\"],\"trust_days\":3}", "a@b.example"),
        ("approve", "{\"at\":\"2026-11-20T21:30:05Z\"}", "Timestamp(1795210205000000)"),
        ("reject", "{\"reason\":\"no\"}", "Reject { reason: \"no\" }"),
        ("return", "{\"reason\":\"fix\"}", "Return"),
        ("discard", "{}", "Discard"),
        ("comment", "{\"text\":\"hm\"}", "Comment { text: \"hm\" }"),
        ("forward", "{\"to\":\"lee@own.example\"}", "Forward"),
        ("cancel", "{}", "Cancel"),
    ] {
        let answer = place.deed(deed, body).await;
        assert_eq!(answer.status, 200, "{deed}: {}", answer.body);
        let asked = place.office.asked().concat();
        assert!(asked.contains(expected), "{expected}: {asked}");
    }
    for (deed, body) in [
        ("approve", "{\"onyl\":[\"a@b.example\"]}"),
        ("approve", "{\"at\":\"tomorrow\"}"),
        ("approve", "{\"trust_days\":-1}"),
        ("reject", "no"),
        ("comment", "{}"),
        ("forward", "{\"to\":\"nobody\"}"),
        ("cancel", "{\"reason\":\"no\"}"),
    ] {
        assert_eq!(place.deed(deed, body).await.status, 422, "{deed} {body}");
    }
    assert_eq!(place.deed("delete", "{}").await.status, 404);
    assert_eq!(place.office.asked(), [""; 0]);
}

#[tokio::test]
async fn what_came_of_a_deed_is_told_with_who_was_first() {
    let decision = json!({ "by": "moderator kim@own.example" });
    for (fate, status) in [
        (DeedError::NotFound, 404),
        (DeedError::NotTheirs("no".into()), 403),
        (DeedError::TooLate("late".into(), Some(decision.clone())), 409),
        (DeedError::Senseless("what".into()), 422),
        (DeedError::Failed("disk".into()), 503),
    ] {
        let place = Place::of(Office { fate: Some(fate), ..Office::default() }).await;
        let answer = place.deed("approve", "{}").await;
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(answer.status, status);
        assert!(body["error"].is_string());
        let told = if status == 409 { decision.clone() } else { Value::Null };
        assert_eq!(body["decision"], told);
    }
}

#[tokio::test]
async fn h5_a_page_of_another_site_does_nothing() {
    let place = Place::new().await;
    let path = format!("/api/v1/held/{ID}/approve");
    for headers in [
        "Origin: https://attacker.example\r\n",
        "Origin: null\r\n",
        // No name can rebind an address, but a page may come from one.
        "Origin: http://203.0.113.5\r\n",
        "Origin: http://localhost:1\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
    ] {
        let headers = format!("{GOOD}{JSON}{headers}");
        assert_eq!(place.post(&path, &headers, "{}").await.status, 403, "{headers}");
        assert_eq!(place.get("/api/v1/held", &headers).await.status, 403, "{headers}");
    }
    for kind in ["", "Content-Type: text/plain\r\n", "Content-Type: application/jsonp\r\n"] {
        let headers = format!("{GOOD}{kind}");
        let answer = place.post(&path, &headers, "{}").await;
        assert!(answer.status == 415 && is_error(&answer), "{kind}: {}", answer.body);
    }
    let allows =
        "OPTIONS /api/v1/held HTTP/1.1\r\nHost: localhost\r\nOrigin: https://a.example\r\n\r\n";
    let answer = ask_at(place.address, allows).await;
    assert!(answer.status == 405 && is_error(&answer), "{}", answer.body);
    assert_eq!(place.office.asked(), [""; 0]);
    for ours in ["Origin: http://localhost\r\n", "Origin: https://gate.example.org:8443\r\n"] {
        let headers = format!("{GOOD}{JSON}{ours}Sec-Fetch-Site: same-origin\r\n");
        assert_eq!(place.post(&path, &headers, "{}").await.status, 200, "{ours}");
    }
}

#[tokio::test]
async fn reading_changes_nothing_and_only_deeds_are_posted() {
    let place = Place::new().await;
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let path = format!("/api/v1/held/{ID}/approve");
        let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{GOOD}\r\n");
        let answer = ask_at(place.address, &request).await;
        assert_eq!((answer.status, answer.header("allow")), (405, "POST"), "{method}");
        assert!(method == "HEAD" || is_error(&answer), "{method}: {}", answer.body);
    }
    for path in ["/api/v1/held", "/api/v1/held/4jWT59000pz7"] {
        let answer = place.post(path, &format!("{GOOD}{JSON}"), "{}").await;
        assert_eq!((answer.status, answer.header("allow")), (405, "GET,HEAD"), "{path}");
        assert!(is_error(&answer), "{path}: {}", answer.body);
    }
    for path in ["/", "/metrics", "/apiary"] {
        let answer = place.post(path, &format!("{GOOD}{JSON}"), "{}").await;
        assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD"), "{path}");
    }
    assert_eq!(place.office.asked(), [""; 0]);
}

#[tokio::test]
async fn what_is_no_path_of_the_api_is_told_in_its_own_words() {
    let place = Place::new().await;
    let long = format!("/api/{}", "a".repeat(2_000));
    for (path, status) in [
        ("/api", 404),
        ("/api/", 404),
        ("/api/v1", 404),
        ("/api/v2/held", 404),
        ("/api/v1/held/", 404),
        ("/api/v1/held/a/b/c", 404),
        ("/api/v1/held/%ff", 404),
        (&*long, 414),
    ] {
        let answer = place.get(path, GOOD).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(is_error(&answer), "{path}: {}", answer.body);
        let answer = place.post(path, &format!("{GOOD}{JSON}"), "{}").await;
        let status = if path.ends_with("%ff") { 405 } else { status };
        assert_eq!(answer.status, status, "{path}");
        assert!(is_error(&answer), "{path}: {}", answer.body);
    }
    assert_eq!(place.get("/apiary", GOOD).await.body, "", "that is no path of the API");
    assert_eq!(place.office.asked(), [""; 0]);
}

#[tokio::test]
async fn another_name_than_ours_is_answered_in_json_and_hears_nothing_else() {
    let place = Place::new().await;
    for request in [
        format!("GET /api/v1/held HTTP/1.1\r\nHost: attacker.example\r\n{GOOD}\r\n"),
        format!("GET /api/v1/held HTTP/1.1\r\n{GOOD}\r\n"),
        format!("POST /api/v1/held/{ID}/cancel HTTP/1.1\r\nHost: attacker.example\r\n{GOOD}\r\n"),
    ] {
        let answer = ask_at(place.address, &request).await;
        assert!(answer.status == 421 && is_error(&answer), "{}: {}", answer.status, answer.body);
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    assert_eq!(place.office.asked(), [""; 0]);
}

#[tokio::test]
async fn h12_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not() {
    let place = Place::new().await;
    let large = "a".repeat(MAX_BODY + 1);
    let answer = place.deed("reject", &large).await;
    assert!(answer.status == 413 && is_error(&answer), "{}", answer.body);
    let head = format!(
        "POST /api/v1/held/{ID}/reject HTTP/1.1\r\nHost: localhost\r\n{GOOD}{JSON}\
         Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{large}\r\n0\r\n\r\n",
        large.len()
    );
    let answer = ask_at(place.address, &head).await;
    assert!(answer.status == 413 && is_error(&answer), "{}", answer.body);
    let answer = place.get("/api/v1/held", &format!("{GOOD}Content-Length: 2\r\n")).await;
    assert!(answer.status == 413 && is_error(&answer), "{}", answer.body);
    assert_eq!(place.office.asked(), [""; 0]);
}

/// Whether the body is JSON that says what is wrong.
fn is_error(answer: &Answer) -> bool {
    let body: Result<Value, _> = serde_json::from_str(&answer.body);
    answer.header("content-type") == "application/json"
        && body.is_ok_and(|body| body["error"].as_str().is_some_and(|words| !words.is_empty()))
}

const ID: &str = "4jWT59000pz7";

const GOOD: &str = "Authorization: Bearer good\r\n";

const JSON: &str = "Content-Type: application/json; charset=utf-8\r\n";

const BASIC: &str = "Basic realm=\"Mailweir\", charset=\"UTF-8\"";

#[tokio::test]
async fn the_archive_is_searched_and_read_by_post_alone() {
    let place = Place::new().await;
    let json = format!("{GOOD}{JSON}");
    let wanted = r#"{"query":"見積 from:ann","before":7,"limit":3,"utc_offset":32400}"#;
    let found = place.post("/api/v1/archive/search", &json, wanted).await;
    assert_eq!((found.status, &*found.body), (200, r#"{"mails":[]}"#));
    let asked = place.office.asked().concat();
    for part in ["見積 from:ann", "Some(7)", "Some(3)", "32400"] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    let shown = place.post(&format!("/api/v1/archive/{ID}/show"), &json, "").await;
    assert_eq!((shown.status, &*shown.body), (200, &*format!(r#"{{"id":"{ID}"}}"#)));
    let content = place.post(&format!("/api/v1/archive/{ID}/content"), &json, "").await;
    assert_eq!((content.status, &*content.body), (200, "Subject: x\r\n\r\nx\r\n"));
    assert_eq!(content.header("content-type"), "message/rfc822");
    let name = format!("attachment; filename=\"{ID}.eml\"");
    assert_eq!(content.header("content-disposition"), name);
    place.office.asked();
    for path in ["search", &format!("{ID}/show"), &format!("{ID}/content")] {
        let answer = place.get(&format!("/api/v1/archive/{path}"), GOOD).await;
        assert_eq!(answer.status, 405, "{path}");
    }
    for bad in [r#"{"limit":0}"#, r#"{"limit":1001}"#, r#"{"quary":"x"}"#, "7", "\u{0}"] {
        let answer = place.post("/api/v1/archive/search", &json, bad).await;
        assert_eq!(answer.status, 422, "{bad}");
    }
    let answer = place.post("/api/v1/archive/search", GOOD, wanted).await;
    assert_eq!(answer.status, 415, "a page of somebody else can send this");
    assert_eq!(place.office.asked(), [""; 0], "what makes no sense shows nothing");
}

#[tokio::test]
async fn what_of_the_archive_is_not_shown_has_its_status() {
    for (reason, status) in [
        (NotShown::NotFound, 404),
        (NotShown::NotTheirs("no".into()), 403),
        (NotShown::Senseless("no".into()), 422),
        (NotShown::Failed("no".into()), 503),
    ] {
        let place = Place::of(Office { shown: Some(reason), ..Office::default() }).await;
        let json = format!("{GOOD}{JSON}");
        for path in ["search", &format!("{ID}/show"), &format!("{ID}/content")] {
            let answer = place.post(&format!("/api/v1/archive/{path}"), &json, "").await;
            assert_eq!(answer.status, status, "{path}");
        }
    }
}
