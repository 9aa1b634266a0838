//! The answers to GET and POST.

use std::{net::IpAddr, sync::Arc};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_TYPE, LOCATION, SET_COOKIE, USER_AGENT},
        request::Parts,
    },
    response::{Html, IntoResponse, Response},
};
use mailweir_moderation::{
    case::Proof,
    notice::words::{PageWord, refusal},
    page::Choice,
    token::Token,
};

use super::{
    ApprovalPages, LogInForm, MAX_BODY, NotDone, NotLoggedIn, PREFIX, Sight, cookie, form::Form,
    forms::Draft, html, nonce,
};
use crate::AdminState;

/// GET and HEAD: shows the mail, and changes nothing.
pub(crate) async fn show(State(state): State<AdminState>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let Some(opened) = Opened::look(&state, &parts) else { return nothing_here() };
    if let Some(from) = opened.from {
        let agent =
            parts.headers.get(USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        opened.pages.approvals.visited(&opened.token, from, agent.as_deref().unwrap_or_default());
    }
    let deed = parts.uri.query().unwrap_or_default();
    let focus = Choice::ALL.into_iter().filter(|choice| choice.is_meant_by(deed)).collect();
    opened.answer(StatusCode::OK, None, &Draft { focus, words: String::new() })
}

/// POST: does what a form of the page says, once.
pub(crate) async fn decide(State(state): State<AdminState>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(opened) = Opened::look(&state, &parts) else { return nothing_here() };
    let Some(form) = read(body).await else {
        return opened.object(StatusCode::BAD_REQUEST, PageWord::NotUnderstood, &Draft::default());
    };
    let draft = Draft { focus: form.choice().into_iter().collect(), words: form.words() };
    let Some(cookie) = opened.cookie.as_deref() else {
        return opened.object(StatusCode::FORBIDDEN, PageWord::NoCookie, &draft);
    };
    let nonce = form.one("nonce").unwrap_or_default();
    if !opened.pages.nonces.take(nonce, &opened.name, cookie) {
        return opened.object(StatusCode::FORBIDDEN, PageWord::TooOld, &draft);
    }
    match (form.one("choice"), opened.is_locked()) {
        (Some(LOG_IN), true) => opened.log_in(&form).await,
        (_, true) => opened.object(StatusCode::FORBIDDEN, PageWord::TooOld, &draft),
        (_, false) => opened.carry_out(&form, &draft).await,
    }
}

/// The style sheet of these pages. A file of its own: no inline style is allowed.
pub(crate) async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("style.css"))
}

/// One page for all links that lead nowhere.
fn nothing_here() -> Response {
    (StatusCode::NOT_FOUND, Html(html::nothing_here())).into_response()
}

async fn read(body: Body) -> Option<Form> {
    Form::read(&to_bytes(body, MAX_BODY).await.ok()?)
}

/// The page of a token that is good, in one browser.
struct Opened {
    pages: Arc<ApprovalPages>,
    token: Token,
    /// The token in its one form, for addresses.
    name: String,
    sight: Sight,
    cookie: Option<String>,
    from: Option<IpAddr>,
}

impl Opened {
    fn look(state: &AdminState, parts: &Parts) -> Option<Self> {
        let token: Token = parts.uri.path().strip_prefix(PREFIX)?.parse().ok()?;
        let pages = Arc::clone(&state.approval);
        let sight = pages.approvals.look(&token)?;
        Some(Self {
            name: token.to_string(),
            token,
            sight,
            cookie: cookie::of(&parts.headers),
            from: state.proxies.source(&parts.headers, &parts.extensions).map(|from| from.address),
            pages,
        })
    }

    /// Whether the mail may not be shown before a log-in.
    fn is_locked(&self) -> bool {
        self.sight.needs_login && !self.is_logged_in()
    }

    fn is_logged_in(&self) -> bool {
        let cookie = self.cookie.as_deref();
        cookie.is_some_and(|cookie| self.pages.sessions.is_open(cookie, &self.name))
    }

    /// The page as it is now, and what was wrong.
    fn answer(&self, status: StatusCode, alert: Option<&str>, draft: &Draft) -> Response {
        let Some(cookie) = self.cookie.clone().or_else(nonce::random) else {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        };
        let page = html::Leaf {
            sight: &self.sight,
            name: &self.name,
            nonce: &self.pages.nonces.make(&self.name, &cookie),
            alert,
            draft,
        };
        let page = if self.is_locked() { page.locked() } else { page.open() };
        (status, self.set_cookie(&cookie), Html(page)).into_response()
    }

    /// The page, and why nothing was done.
    fn object(&self, status: StatusCode, why: PageWord, draft: &Draft) -> Response {
        self.answer(status, Some(why.text(self.sight.language)), draft)
    }

    fn set_cookie(&self, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if self.cookie.as_deref() != Some(value)
            && let Some(field) =
                cookie::field(value, &self.pages.cookie_path(&self.name), self.pages.is_secure)
        {
            headers.insert(SET_COOKIE, field);
        }
        headers
    }

    /// Back to the page, so that loading it again sends nothing again.
    fn back(&self, headers: HeaderMap) -> Response {
        (StatusCode::SEE_OTHER, headers, [(LOCATION, self.name.clone())]).into_response()
    }

    async fn log_in(&self, form: &Form) -> Response {
        let field = |name| form.one(name).unwrap_or_default().into();
        let login = LogInForm { name: field("name"), password: field("password") };
        let why = match self.pages.approvals.log_in(&self.token, login, self.from).await {
            Ok(()) => return self.unlock(),
            Err(why) => why,
        };
        let (status, word) = match why {
            NotLoggedIn::Denied => (StatusCode::FORBIDDEN, PageWord::LogInFailed),
            NotLoggedIn::Later => (StatusCode::TOO_MANY_REQUESTS, PageWord::LogInLater),
            NotLoggedIn::Failed => (StatusCode::SERVICE_UNAVAILABLE, PageWord::Failed),
        };
        self.object(status, word, &Draft::default())
    }

    /// Gives the browser a cookie that nobody can have known before.
    fn unlock(&self) -> Response {
        match nonce::random() {
            Some(fresh) if self.pages.sessions.begin(&fresh, &self.name) => {
                self.back(self.set_cookie(&fresh))
            }
            _ => self.object(StatusCode::SERVICE_UNAVAILABLE, PageWord::Failed, &Draft::default()),
        }
    }

    async fn carry_out(mut self, form: &Form, draft: &Draft) -> Response {
        let wish = match form.wish(&self.sight) {
            Ok(wish) => wish,
            Err(why) => return self.object(StatusCode::BAD_REQUEST, why, draft),
        };
        let proof = if self.is_logged_in() { Proof::Login } else { Proof::Link };
        let done = self.pages.approvals.decide(&self.token, wish, (proof, self.from)).await;
        let Err(why) = done else { return self.back(HeaderMap::new()) };
        // As it is now: somebody else may have been faster.
        match self.pages.approvals.look(&self.token) {
            Some(sight) => self.sight = sight,
            None => return nothing_here(),
        }
        let (status, word) = match why {
            NotDone::Unknown => return nothing_here(),
            NotDone::Refused(refused) => {
                let why = refusal(&refused, self.sight.language);
                return self.answer(StatusCode::CONFLICT, Some(why), draft);
            }
            NotDone::NotOffered => (StatusCode::CONFLICT, PageWord::NotOffered),
            NotDone::Handled => (StatusCode::CONFLICT, PageWord::Handled),
            NotDone::NoModerator => (StatusCode::BAD_REQUEST, PageWord::NoModerator),
            NotDone::Failed => (StatusCode::SERVICE_UNAVAILABLE, PageWord::Failed),
        };
        self.object(status, word, draft)
    }
}

/// The choice that is a log-in.
pub(super) const LOG_IN: &str = "login";
