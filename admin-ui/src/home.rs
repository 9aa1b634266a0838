//! The first page: what this is, whether it works, what waits, where mail comes in.

use std::{fmt::Display, time::Duration};

use axum::{
    extract::State,
    http::header::CONTENT_TYPE,
    response::{Html, IntoResponse},
};

use crate::{
    AdminState, Check, CheckResult, FilterStatus, ListenerStatus, Overview, QueueCounts, is_ready,
};

/// The page.
pub(crate) async fn page(State(state): State<AdminState>) -> Html<String> {
    Html(render(&state.observability.overview(), &state.observability.readiness()))
}

/// Its style sheet. A file of its own, so that the content security policy allows no inline style.
pub(crate) async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("home/style.css"))
}

/// Its icon.
pub(crate) async fn icon() -> impl IntoResponse {
    ([(CONTENT_TYPE, "image/svg+xml")], include_str!("home/icon.svg"))
}

fn render(overview: &Overview, checks: &[Check]) -> String {
    format!(
        include_str!("home/page.html"),
        hostname = escape(&overview.hostname),
        version = escape(&overview.version),
        uptime = in_words(overview.uptime),
        state = state(checks),
        queue = queue(overview.queue),
        listeners = overview.listeners.iter().map(listener).collect::<String>(),
        filters = filters(&overview.filters),
    )
}

/// Whether mail can be accepted, and if not, why.
fn state(checks: &[Check]) -> String {
    if is_ready(checks) {
        return "<p class=\"state good\">Accepting mail</p>".to_owned();
    }
    let failed: String = checks
        .iter()
        .filter_map(|check| match &check.result {
            CheckResult::Passed => None,
            CheckResult::Failed(why) => {
                Some(format!("<li><b>{}</b> {}</li>", escape(&check.name), escape(why)))
            }
        })
        .collect();
    let reasons = if failed.is_empty() { "<li>Still starting</li>".to_owned() } else { failed };
    format!("<p class=\"state bad\">Not accepting mail</p><ul class=\"why\">{reasons}</ul>")
}

fn queue(counts: QueueCounts) -> String {
    [
        (counts.ready, "ready", "on their way now"),
        (counts.deferred, "deferred", "waiting for another attempt"),
        (counts.held, "held", "waiting for a person"),
    ]
    .map(|(count, name, meaning)| {
        let empty = if count == 0 { " class=\"none\"" } else { "" };
        format!(
            "<div{empty}><dt>{name}<small>{meaning}</small></dt><dd>{}</dd></div>",
            grouped(count)
        )
    })
    .concat()
}

fn listener(listener: &ListenerStatus) -> String {
    format!(
        "<li><b>{}</b><code>{}</code><span>{}</span><span>{}</span></li>",
        escape(&listener.name),
        listener.address,
        escape(mode(&listener.mode)),
        escape(tls(&listener.tls)),
    )
}

/// Nothing where there are none.
fn filters(filters: &[FilterStatus]) -> String {
    if filters.is_empty() {
        return String::new();
    }
    let rows: String = filters.iter().map(filter).collect();
    format!(
        "<section aria-labelledby=\"filters\">\n<h2 id=\"filters\">Filters</h2>\n\
         <ul class=\"listeners\">{rows}</ul>\n</section>"
    )
}

fn filter(filter: &FilterStatus) -> String {
    let state = match (filter.is_left_alone, filter.asked) {
        (true, _) => "left alone: it fails again and again",
        (false, 0) => "not asked yet",
        (false, _) => "at work",
    };
    format!(
        "<li><b>{}</b><code>{} mails</code><span>{state}</span><span>failed with {}</span></li>",
        escape(&filter.name),
        grouped(filter.asked),
        grouped(filter.failed),
    )
}

/// The word of the configuration, in plain words.
fn mode(mode: &str) -> &str {
    match mode {
        "mx" => "mail from anywhere to our domains",
        "submission" => "mail from people who log in",
        "filter" => "mail that comes back from a filter",
        "lmtp" => "mail by LMTP",
        other => other,
    }
}

fn tls(tls: &str) -> &str {
    match tls {
        "none" => "without TLS",
        "optional" => "TLS offered",
        "required" => "TLS required",
        "implicit" => "TLS from the start",
        other => other,
    }
}

/// `12 345`, with narrow spaces.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// The two largest units: `3 days 4 h`.
fn in_words(span: Duration) -> String {
    let seconds = span.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, ..) => format!("{hours} h {minutes} min"),
        (1, ..) => format!("1 day {hours} h"),
        _ => format!("{days} days {hours} h"),
    }
}

/// Text for HTML, inside elements and quoted attributes.
fn escape(text: impl Display) -> String {
    mailweir_moderation::notice::escaped(&text.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_easy_to_read() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        let words = [59, 60, 3_660, 90_000, 200_000].map(|s| in_words(Duration::from_secs(s)));
        assert_eq!(words, ["59 s", "1 min", "1 h 1 min", "1 day 1 h", "2 days 7 h"]);
    }

    #[test]
    fn foreign_text_cannot_become_markup() {
        let overview = Overview {
            hostname: "<script>".into(),
            version: "\"'>".into(),
            uptime: Duration::ZERO,
            listeners: vec![ListenerStatus {
                name: "<b onclick=x>".into(),
                mode: "<i>".into(),
                tls: "&amp;".into(),
                address: "127.0.0.1:25".parse().unwrap(),
            }],
            filters: vec![FilterStatus {
                name: "<q onclick=x>".into(),
                asked: 1_200,
                failed: 5,
                is_left_alone: true,
            }],
            queue: QueueCounts::default(),
        };
        let failed = CheckResult::Failed("<video>".into());
        let html = render(&overview, &[Check { name: "<a>".into(), result: failed }]);
        for tag in ["<script", "<b onclick", "<i>", "<video", "<a>", "<q"] {
            assert!(!html.contains(tag), "{tag}");
        }
        assert!(html.contains("left alone") && html.contains("1\u{202f}200 mails"), "{html}");
        assert!(html.contains("&lt;video&gt;") && html.contains("&amp;amp;"));
    }
}
