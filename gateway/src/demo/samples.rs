//! Sample mail in four languages, submitted as a mail program would: STARTTLS, AUTH, SMTPUTF8. One of
//! them waits for approval.

use std::{io, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use mailweir_mail::{Address, BodyType, Envelope};
use mailweir_queue::Content;
use mailweir_smtp::client::{Attempt, ContentText, Credentials, Outgoing, Settings, TlsPolicy};

use crate::{
    clock,
    egress::{Connection, Sent, Target},
    tls::{Authorities, ClientTls, PeerCheck},
};

/// Submits all samples, and says what to do about the one that waits; says so if it cannot.
/// `mailweir` is how this program is called for the data directory: its name goes before, and its option behind
/// a command.
pub(super) async fn send(submission: SocketAddr, (program, option): (String, String)) {
    match submit(submission).await {
        Ok(replies) => {
            let held = replies.iter().find_map(|reply| held_as(reply));
            if let Some(id) = held {
                // Whoever started it may have gone by now.
                let _ = explain(&mut io::stdout().lock(), id, &program, &option);
            }
        }
        Err(reason) => eprintln!("mailweir: the sample mails were not sent: {reason}"),
    }
}

/// The name of a mail that waits, as its sender is told.
fn held_as(reply: &str) -> Option<&str> {
    let (_, rest) = reply.split_once("queued as ")?;
    rest.strip_suffix(" (held for approval)")
}

fn explain(out: &mut impl io::Write, id: &str, program: &str, option: &str) -> io::Result<()> {
    writeln!(
        out,
        "\nMail {id} waits for the approval of {MODERATOR}. Open the link of the notice to"
    )?;
    writeln!(
        out,
        "{MODERATOR} (\"sink: link\"), approve, and see it arrive. Or, in another terminal:\n"
    )?;
    for words in ["list".to_owned(), format!("show {id}"), format!("approve {id}")] {
        writeln!(out, "  {program} moderation {words} {option}")?;
    }
    writeln!(out)
}

/// The replies to each.
async fn submit(submission: SocketAddr) -> Result<Vec<String>, String> {
    let say = |error: &dyn std::fmt::Display| error.to_string();
    let tls = ClientTls::new(PeerCheck::Any, Authorities::public()).map_err(|e| say(&e))?;
    let mut settings = Settings::new("sampler.demo.example".parse().map_err(|e| say(&e))?);
    settings.tls = TlsPolicy::Required;
    let (user, password) = super::USERS[0];
    settings.credentials =
        Some(Credentials { user: user.into(), password: password.into(), allow_clear: false });
    let target = Target { name: "localhost".into(), address: submission };
    let connection = Connection::open(&target, Arc::new(settings), Arc::new(tls)).await;
    let mut connection = connection.map_err(|error| error.to_string())?;
    let sender: Address = user.parse().map_err(|e| say(&e))?;
    let mut replies = Vec::new();
    for (to, subject, text) in SAMPLES {
        let sender = sender.clone();
        let content = content(user, to, subject, text);
        let size = content.len() as u64;
        let mut envelope = Envelope::from_sender(sender.into());
        envelope = envelope.to(to.parse().map_err(|e| say(&e))?);
        envelope.body = BodyType::EightBitMime;
        envelope.smtputf8 = true;
        let mail = Outgoing::to_all(Arc::new(envelope), size, ContentText::Utf8Header);
        let content = Content::Memory(Bytes::from(content));
        if let Sent::Finished(attempts) = connection.send(mail, (&content).into()).await {
            let taken = attempts.into_iter().find_map(|attempt| match attempt {
                Attempt::Delivered { reply, .. } => Some(reply.to_string()),
                _ => None,
            });
            replies.extend(taken);
        }
    }
    connection.quit().await;
    Ok(replies)
}

fn content(from: &str, to: &str, subject: &str, text: &str) -> String {
    let now = clock::now();
    format!(
        "Date: {}\r\nFrom: Alice <{from}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n\
         Message-ID: <{}@demo.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n",
        now.rfc5322(),
        now.as_micros(),
    )
}

/// Recipient, subject and text.
const SAMPLES: [(&str, &str, &str); 5] = [
    (
        "bob@demo.example",
        "The weir holds the river back",
        "and lets it go on in measure. This mail came through a queue that survives power loss.",
    ),
    (
        "customer@example.net",
        "Our offer for a new weir",
        "Dear customer, here is our offer. It waits until somebody else has read it, too.",
    ),
    (
        "customer@example.net",
        "견적서를 보내 드립니다",
        "안녕하세요. 요청하신 견적서를 첨부하여 보내 드립니다. 확인 부탁드립니다.",
    ),
    (
        "kyaku@example.net",
        "見積書の送付について",
        "いつもお世話になっております。ご依頼の見積書をお送りいたします。",
    ),
    (
        "client@example.net",
        "Votre devis du mois de décembre",
        "Bonjour, vous trouverez ci-joint le devis demandé. Bien à vous.",
    ),
];

/// Who approves, in `demo.toml`.
const MODERATOR: &str = "bob@demo.example";
