//! `/api/v1/held`.

use axum::{
    Json,
    body::Bytes,
    extract::{
        Path, State,
        rejection::{BytesRejection, PathRejection},
    },
    http::request::Parts,
    response::{IntoResponse, Response},
};
use mailweir_mail::QueueId;
use serde_json::json;

use super::{Page, query, request, words::Denied};
use crate::AdminState;

/// Some of the cases that the caller may see.
pub(crate) async fn list(
    State(state): State<AdminState>,
    parts: Parts,
) -> Result<Response, Denied> {
    let caller = request::caller(&state, &parts).await?;
    let wanted = query::read(parts.uri.query().unwrap_or_default())?;
    let Page { held, next } = state.held.list(&caller, wanted).await;
    Ok(Json(json!({ "held": held, "next": next })).into_response())
}

/// One case.
pub(crate) async fn show(
    State(state): State<AdminState>,
    path: Result<Path<String>, PathRejection>,
    parts: Parts,
) -> Result<Response, Denied> {
    let caller = request::caller(&state, &parts).await?;
    let Path(id) = path.map_err(|_| Denied::NotFound)?;
    let id: QueueId = id.parse().map_err(|_| Denied::NotFound)?;
    let case = state.held.show(&caller, id).ok_or(Denied::NotFound)?;
    Ok(Json(case).into_response())
}

/// Does something about a case.
pub(crate) async fn act(
    State(state): State<AdminState>,
    path: Result<Path<(String, String)>, PathRejection>,
    parts: Parts,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Denied> {
    request::is_json(&parts.headers)?;
    let caller = request::caller(&state, &parts).await?;
    let Path((id, deed)) = path.map_err(|_| Denied::NotFound)?;
    let id: QueueId = id.parse().map_err(|_| Denied::NotFound)?;
    let deed = query::deed(&deed, &body.map_err(|rejection| request::unread(&rejection))?)?;
    let case = state.held.act(&caller, id, deed).await?;
    Ok(Json(case).into_response())
}
