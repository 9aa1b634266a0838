//! A small mail to one recipient, said at once to the gateway that runs us as a filter.

use std::{
    io::{self, Read, Write as _},
    time::Duration,
};

use mailweir_mail::Domain;
use mailweir_smtp::client::{AtOnce, Attempt, Loss, Outgoing};

use super::stream::{READ_BUFFER, Stream, is_time_out};
use crate::clock;

/// Sends a mail that [suits](AtOnce::suits).
///
/// # Errors
/// If the content cannot be read. Nobody gets it then.
pub(super) fn send(
    mut stream: Stream,
    to: &str,
    hostname: &Domain,
    mail: &Outgoing,
    mut content: impl Read,
) -> io::Result<Attempt> {
    let mut plain = Vec::new();
    content.read_to_end(&mut plain)?;
    let said = AtOnce::say(hostname, mail, &plain);
    let mut replies = AtOnce::new(to);
    let written = stream.set_write_timeout(PATIENCE).and_then(|()| stream.write_all(&said));
    Ok(match written {
        Ok(()) => hear(&mut stream, &mut replies),
        Err(error) => {
            let mut outcome = None;
            stream.hear_last_words(|words| {
                outcome = outcome.take().or_else(|| replies.receive(words));
            });
            outcome.unwrap_or_else(|| replies.lost(loss(&error)))
        }
    })
}

/// Whoever talks on and on does not put the end off.
fn hear(stream: &mut Stream, replies: &mut AtOnce) -> Attempt {
    let end = clock::monotonic() + PATIENCE;
    let mut buffer = [0; READ_BUFFER];
    loop {
        let left = end.saturating_duration_since(clock::monotonic());
        if left.is_zero() {
            return replies.timed_out();
        }
        match stream.set_read_timeout(left).and_then(|()| stream.read(&mut buffer)) {
            Ok(0) => return replies.lost(Loss::Closed),
            Ok(length) => {
                if let Some(attempt) = replies.receive(&buffer[..length]) {
                    return attempt;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted || is_time_out(&error) => {}
            Err(error) => return replies.lost(loss(&error)),
        }
    }
}

fn loss(error: &io::Error) -> Loss {
    Loss::Failed(error.to_string().into())
}

/// All that a client waits for in a dialogue (greeting, EHLO, MAIL, RCPT, the end of data), since it is waited for at once.
const PATIENCE: Duration = Duration::from_secs(4 * 300 + 600);
