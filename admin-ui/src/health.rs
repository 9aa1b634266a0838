//! Answers for programs: probes and Prometheus.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
};
use serde_json::json;

use crate::{AdminState, CheckResult, is_ready};

/// The process answers.
pub(crate) async fn livez() -> &'static str {
    "ok\n"
}

/// Whether mail can be accepted: 200 or 503, with all checks.
pub(crate) async fn readyz(State(state): State<AdminState>) -> impl IntoResponse {
    let checks = state.observability.readiness();
    let ready = is_ready(&checks);
    let checks: Vec<_> = checks
        .iter()
        .map(|check| match &check.result {
            CheckResult::Passed => json!({ "name": check.name, "ok": true }),
            CheckResult::Failed(why) => json!({ "name": check.name, "ok": false, "why": why }),
        })
        .collect();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "checks": checks })))
}

/// The counters.
pub(crate) async fn metrics(State(state): State<AdminState>) -> impl IntoResponse {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(CONTENT_TYPE, kind)], state.observability.metrics())
}
