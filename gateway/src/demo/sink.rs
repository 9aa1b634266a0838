//! The next hop of the demo: our own SMTP session with nothing behind it.

use std::{
    io::{self, Write as _},
    net::SocketAddr,
    sync::Arc,
};

use mailweir_mail::{Address, Client, QueueId};
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
        let size = mail.size;
        // Whoever started the demo may have gone by now.
        let _ = writeln!(
            io::stdout(),
            "sink: {size} bytes from <{}> to {}: {}",
            envelope.sender,
            to.join(", "),
            mail.subject()
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
    /// The beginning, as far as the subject can be expected in it.
    beginning: Vec<u8>,
}

impl Arrival {
    fn feed(&mut self, piece: &[u8]) {
        self.size += piece.len();
        let room = BEGINNING.saturating_sub(self.beginning.len()).min(piece.len());
        self.beginning.extend_from_slice(&piece[..room]);
    }

    fn subject(&self) -> String {
        let text = String::from_utf8_lossy(&self.beginning);
        let subject = text.lines().take_while(|line| !line.is_empty()).find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("subject")
                .then(|| value.trim().replace(char::is_control, "?"))
        });
        subject.unwrap_or_else(|| "(no subject)".to_owned())
    }
}

const HOSTNAME: &str = "sink.demo.example";
const BUFFER: usize = 16 * 1024;
const BEGINNING: usize = 8 * 1024;
