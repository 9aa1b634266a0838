//! One connection of a Postfix: questions and answers, one after the other.
//!
//! Whatever goes wrong, the connection is closed without an answer: Postfix then asks once more, and
//! puts the mail off with 451 (`SMTPD_POLICY_README`). No trouble is ever a DUNNO.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use mailweir_mail::SessionEvent;
use mailweir_policy::{Malformed, Reader, Request};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::answer::PolicyServer;

/// Answers until the Postfix has no more questions, or `close` is cancelled.
pub(super) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: String,
    server: Arc<ArcSwap<PolicyServer>>,
    close: CancellationToken,
) {
    let mut connection = Connection { stream, reader: Reader::default(), unread: Vec::new() };
    loop {
        let patience = server.load().rules.at.timeout;
        let question = tokio::select! {
            () = close.cancelled() => return,
            question = connection.question(patience) => question,
        };
        let current = server.load_full();
        let request = match question {
            Ok(Some(request)) => request,
            Ok(None) => return,
            Err(malformed) => {
                return warn(&current, &format!("{peer} sends {malformed}: is it a Postfix?"));
            }
        };
        // A question that was read is answered, whatever ends meanwhile.
        let action = match Box::pin(current.answer(&request)).await {
            Ok(action) => action,
            Err(reason) => {
                let sender = request.sender;
                let text = format!("{peer} hears nothing about the mail of <{sender}>: {reason}");
                return warn(&current, &text);
            }
        };
        // Whoever does not read its answers is no Postfix.
        let bytes = action.to_bytes();
        match timeout(patience, connection.stream.write_all(&bytes)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}

struct Connection<S> {
    stream: S,
    reader: Reader,
    /// What came behind the last question.
    unread: Vec<u8>,
}

impl<S: AsyncRead + Unpin> Connection<S> {
    /// The next question. `None`: there is none, within this time.
    async fn question(&mut self, patience: Duration) -> Result<Option<Request>, Malformed> {
        let end = Instant::now() + patience;
        loop {
            let mut input = self.unread.as_slice();
            let read = self.reader.read(&mut input);
            let taken = self.unread.len() - input.len();
            self.unread.drain(..taken);
            if let Some(request) = read? {
                return Ok(Some(request));
            }
            self.unread.reserve(READ);
            let more = tokio::select! {
                () = sleep_until(end) => return Ok(None),
                more = self.stream.read_buf(&mut self.unread) => more,
            };
            if more.unwrap_or(0) == 0 {
                return Ok(None);
            }
        }
    }
}

pub(super) fn warn(server: &PolicyServer, text: &str) {
    let event = SessionEvent::Warning { part: "policy", text: text.into() };
    server.observer.session(&event);
}

/// Bytes; a request of Postfix 3.10 has about 900.
const READ: usize = 2 * 1024;
