//! Answers by mail: what proves them, and when they count.

use mailweir_moderation::{
    case::State,
    token::{AnswerCode, Grant, Purpose, Token},
};
use mailweir_spam::dkim::SignatureReader;

use super::{super::reply::ReplyError, *};
use crate::egress::resolve::table::TableResolver;

#[tokio::test]
async fn an_answer_that_cannot_be_stored_is_put_off_and_counts_when_it_comes_again() {
    let asked = Asked::new().await;
    let end = CancellationToken::new();
    end.cancel();
    let stopped = Arc::new(asked.home.another(end));
    stopped.keep(asked.id, asked.file.clone());
    let refused = asked.answer(&stopped, BOSS).await;
    assert!(matches!(refused, Err(ReplyError::Take(TakeError::Stopping))), "{refused:?}");
    assert!(asked.is_open(&stopped));

    let moderation = asked.home.app.moderation();
    moderation.keep(asked.id, asked.file.clone());
    asked.answer(moderation, BOSS).await.unwrap();
    assert!(!asked.is_open(moderation));
    // The case has sent nothing yet, and this is what came of the answer.
    assert_eq!((asked.home.queue().stats().held, asked.home.queue().stats().ready), (0, 1));
}

#[tokio::test]
async fn an_app_password_decides_nothing_where_a_log_in_is_needed() {
    let asked = Asked::new().await;
    let moderation = asked.home.app.moderation();
    let program = LoggedIn { own_password: false, ..BOSS };
    moderation.keep(asked.id, CaseFile { sensitive: true, ..asked.file.clone() });
    asked.answer(moderation, program).await.unwrap();
    assert!(asked.is_open(moderation));
    moderation.keep(asked.id, asked.file.clone());
    asked.answer(moderation, program).await.unwrap();
    assert!(!asked.is_open(moderation), "it is good elsewhere");
}

#[tokio::test]
async fn a_credential_for_other_addresses_proves_no_answer() {
    let asked = Asked::new().await;
    let moderation = asked.home.app.moderation();
    moderation.keep(asked.id, asked.file.clone());
    let printer = "printer@own.example".parse().unwrap();
    asked.answer(moderation, LoggedIn { senders: Some(&printer), ..BOSS }).await.unwrap();
    assert!(asked.is_open(moderation));
    let boss = "boss@own.example".parse().unwrap();
    asked.answer(moderation, LoggedIn { senders: Some(&boss), ..BOSS }).await.unwrap();
    assert!(!asked.is_open(moderation), "one for their own address does");
}

/// A case whose moderator has a notice, and has not answered it.
struct Asked {
    home: Home,
    id: QueueId,
    code: AnswerCode,
    file: CaseFile,
}

impl Asked {
    async fn new() -> Self {
        let home = Home::new();
        let id = home.hold(b"text\r\n", Fingerprint::of(b"text\r\n")).await;
        let token = Token::new([9; 32]);
        let code = token.answer_code();
        let mut file = (*home.app.moderation().case(id).unwrap()).clone();
        file.give(Grant {
            token: token.hash(),
            answer: Some(code.hash()),
            person: "boss@own.example".parse().unwrap(),
            purpose: Purpose::Decide,
            sent: Some(clock::now()),
            expires: clock::now().plus(Duration::from_secs(60)),
        });
        Self { home, id, code, file }
    }

    /// The moderator answers that it is to be rejected, logged in so.
    async fn answer(
        &self,
        moderation: &Arc<Moderation>,
        login: LoggedIn<'_>,
    ) -> Result<(), ReplyError> {
        let mut text = ReplyReader::default();
        text.feed(b"\r\nreject\r\n");
        let reply = Reply {
            id: self.id,
            code: &self.code,
            from: None,
            login: Some(login),
            client: std::net::Ipv4Addr::LOCALHOST.into(),
            has_null_sender: false,
            signed: &SignatureReader::default().finish(),
            text: &text.finish(),
        };
        moderation.reply(&reply, &TableResolver::new()).await
    }

    fn is_open(&self, moderation: &Moderation) -> bool {
        moderation.case(self.id).unwrap().case.progress.state == State::Pending
    }
}

const BOSS: LoggedIn<'static> =
    LoggedIn { name: "Boss@own.example", senders: None, own_password: true };
