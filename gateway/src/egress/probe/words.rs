//! An answer as verify(8) keeps it, in the words of Postfix's SMTP client.

use mailweir_smtp::client::{Attempt, Cause, Phase};

/// One line of at most [`LONGEST`] bytes. `relay`: who was asked, as `name[address]:port`.
pub(super) fn said(attempt: &Attempt, relay: Option<&str>) -> Box<str> {
    let reply = attempt.reply();
    let text = match (attempt, relay) {
        (
            Attempt::Deferred { cause: Cause::Replied(phase), .. }
            | Attempt::Failed { cause: Cause::Replied(phase), .. },
            Some(relay),
        ) => refused(*phase, without_port(relay), &reply.to_string()),
        (Attempt::Accepted { .. } | Attempt::Delivered { .. }, _) => reply.to_string(),
        // Our own words have no code.
        _ => reply.text.lines().collect::<Vec<_>>().join(" "),
    };
    text[..text.floor_char_boundary(LONGEST)].into()
}

fn refused(phase: Phase, host: &str, reply: &str) -> String {
    match phase {
        Phase::Greeting | Phase::Hello => format!("host {host} refused to talk to me: {reply}"),
        Phase::StartTls => {
            format!("TLS is required, but host {host} refused to start TLS: {reply}")
        }
        Phase::Auth => format!("SASL authentication failed; server {host} said: {reply}"),
        Phase::Idle
        | Phase::Rset
        | Phase::Forward
        | Phase::Mail
        | Phase::Rcpt
        | Phase::Data
        | Phase::Content
        | Phase::EndOfData => {
            format!("host {host} said: {reply} (in reply to {})", phase.command())
        }
    }
}

fn without_port(relay: &str) -> &str {
    relay.rsplit_once(':').map_or(relay, |(host, _)| host)
}

/// Long enough for what is shown of it to clients, and short enough to be kept for many addresses.
const LONGEST: usize = 500;

#[cfg(test)]
mod tests {
    use mailweir_mail::{Enhanced, Reply};

    use super::*;

    fn failed(phase: Phase, text: String) -> Box<str> {
        let reply = Reply::with_text(550, Enhanced(5, 1, 1), text);
        let attempt = Attempt::Failed { reply, cause: Cause::Replied(phase) };
        said(&attempt, Some("mx.example[2001:db8::1]:25"))
    }

    #[test]
    fn refusals_are_told_as_postfix_tells_them() {
        for (phase, expected) in [
            (
                Phase::Rcpt,
                "host mx.example[2001:db8::1] said: 550 5.1.1 no such user (in reply to RCPT TO command)",
            ),
            (
                Phase::Mail,
                "host mx.example[2001:db8::1] said: 550 5.1.1 no such user (in reply to MAIL FROM command)",
            ),
            (
                Phase::Hello,
                "host mx.example[2001:db8::1] refused to talk to me: 550 5.1.1 no such user",
            ),
            (
                Phase::Auth,
                "SASL authentication failed; server mx.example[2001:db8::1] said: 550 5.1.1 no such user",
            ),
        ] {
            assert_eq!(&*failed(phase, "no such\nuser".to_owned()), expected);
        }
    }

    #[test]
    fn what_we_say_ourselves_has_no_code() {
        let reply = Reply::new(450, Enhanced(4, 4, 1), "connect to mx.example: refused");
        let attempt = Attempt::Deferred { reply, cause: Cause::Local };
        assert_eq!(&*said(&attempt, None), "connect to mx.example: refused");
    }

    #[test]
    fn a_long_reply_is_cut_between_characters() {
        let text = failed(Phase::Rcpt, "é".repeat(40_000));
        assert!((LONGEST - 1..=LONGEST).contains(&text.len()), "{}", text.len());
    }
}
