//! The next hop of the demo: our own SMTP session with nothing behind it.

use std::{
    io::{self, Write as _},
    net::SocketAddr,
    sync::Arc,
};

use mailweir_mail::{Address, Client, QueueId, compose::decode_unstructured};
use mailweir_smtp::{
    replies::{RecipientTable, Refusal},
    server::{Answer, Peer, Question, Rights, Session, Settings, Step},
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};

use crate::{clock, wire::Wire};

/// Takes connections for ever.
pub(super) async fn run(socket: TcpListener) {
    while let Ok((tcp, peer)) = socket.accept().await {
        tokio::spawn(serve(tcp, peer));
    }
}

async fn serve(tcp: TcpStream, peer: SocketAddr) -> io::Result<()> {
    let mut settings = Settings::new(HOSTNAME.parse().map_err(io::Error::other)?);
    settings.limits.message_size = 0;
    let rights = Rights { trusted: true, ..Rights::NONE };
    let peer = Peer { client: Client::unnamed(peer), local: tcp.local_addr()?, rights };
    let mut session = Session::new(Arc::new(settings), peer, clock::monotonic());
    let mut wire = Wire::Plain(tcp);
    let mut mail = Arrival::default();
    let mut buffer = Vec::new();
    loop {
        let mut input = &buffer[..];
        loop {
            match session.next(&mut input, clock::monotonic()) {
                Step::Read => break,
                Step::Write(bytes) => wire.write_all(bytes).await?,
                Step::Content(piece) => mail.feed(piece),
                Step::Abandoned(_) => mail = Arrival::default(),
                Step::StartTls | Step::Close => return Ok(()),
                Step::Ask(question) => {
                    let answer = answer(&question, &mut session, &mut mail);
                    session.answer(answer);
                }
            }
        }
        buffer = wire.read_some(BUFFER).await?;
        if buffer.is_empty() {
            return Ok(());
        }
    }
}

fn answer(question: &Question, session: &mut Session, mail: &mut Arrival) -> Answer {
    if let Question::Recipient(recipient) = question {
        return recipient_answer(&recipient.address);
    }
    if *question != Question::EndOfData {
        return Answer::Proceed;
    }
    if let Some(envelope) = session.take_envelope() {
        let to: Vec<&str> = envelope.recipients.iter().map(|r| r.address.as_str()).collect();
        let (to, size) = (to.join(", "), mail.size);
        let link = mail.link().map(|link| format!("sink: link for {to}: {link}\n"));
        // Whoever started the demo may have gone by now.
        let _ = write!(
            io::stdout(),
            "sink: {size} bytes from <{}> to {to}: {}\n{}",
            envelope.sender,
            mail.subject(),
            link.unwrap_or_default()
        );
    }
    *mail = Arrival::default();
    Answer::Accepted(QueueId::new(clock::now(), 0))
}

/// Two names are not taken, so that there is something to see: one for good, one for now.
fn recipient_answer(recipient: &Address) -> Answer {
    match recipient.local_part() {
        "nobody" => {
            Answer::Refuse(Refusal::UnknownRecipient(recipient.clone(), RecipientTable::Relay))
        }
        "later" => Answer::Refuse(Refusal::InsufficientStorage),
        _ => Answer::Proceed,
    }
}

/// What is remembered of a mail while it arrives.
#[derive(Default)]
struct Arrival {
    size: usize,
    /// The beginning, as far as subject and link can be expected in it.
    beginning: Vec<u8>,
}

impl Arrival {
    fn feed(&mut self, piece: &[u8]) {
        self.size += piece.len();
        let room = BEGINNING.saturating_sub(self.beginning.len()).min(piece.len());
        self.beginning.extend_from_slice(&piece[..room]);
    }

    fn subject(&self) -> String {
        let text = String::from_utf8_lossy(&self.beginning).replace("\r\n ", " ");
        let mut lines = text.lines().take_while(|line| !line.is_empty());
        let subject = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("subject").then(|| value.trim().to_owned())
        });
        let subject = subject.unwrap_or_else(|| "(no subject)".to_owned());
        let read = decode_unstructured(subject.as_bytes()).unwrap_or(subject);
        read.replace(char::is_control, "?")
    }

    /// The page of a notice: the address that ends in its token.
    fn link(&self) -> Option<String> {
        // The soft line breaks of quoted-printable.
        let text = String::from_utf8_lossy(&self.beginning).replace("=\r\n", "");
        let (before, rest) = text.split_once(PAGE)?;
        let start = before.rfind("http")?;
        let token: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
        let host = before.get(start..)?;
        let is_plain = host.chars().all(|c| c.is_ascii_graphic());
        (is_plain && !token.is_empty()).then(|| format!("{host}{PAGE}{token}"))
    }
}

const HOSTNAME: &str = "sink.demo.example";
const BUFFER: usize = 16 * 1024;
const BEGINNING: usize = 32 * 1024;
/// What stands before the token of a notice.
const PAGE: &str = "/m/";

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(text: &str) -> Arrival {
        let mut arrival = Arrival::default();
        arrival.feed(text.as_bytes());
        arrival
    }

    #[test]
    fn the_link_of_a_notice_is_found_over_soft_line_breaks() {
        let notice =
            "Subject: x\r\n\r\nApprove: http=\r\n://127.0.0.1:8025/m/ab=\r\nc2?approve\r\n";
        assert_eq!(arrival(notice).link().as_deref(), Some("http://127.0.0.1:8025/m/abc2"));
        for none in ["", "http://x.example/m", "no link /m/abc", "http://a b/m/abc", "http://a/m/"]
        {
            assert_eq!(arrival(none).link(), None, "{none}");
        }
    }

    #[test]
    fn a_subject_is_read_and_moves_no_cursor() {
        let subject = |text: &str| arrival(text).subject();
        assert_eq!(
            subject("A: b\r\nSubject: =?utf-8?B?6rSR?=\r\n =?utf-8?B?6rOg?=\r\n\r\n"),
            "광고"
        );
        assert_eq!(subject("Subject: =?utf-8?Q?=1B[2J?=\r\n\r\n"), "?[2J");
        assert_eq!(subject("\r\nSubject: body\r\n"), "(no subject)");
    }
}
