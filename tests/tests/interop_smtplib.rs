//! Python's smtplib: what a script of somebody else does with a gateway.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use mailweir_tests::{
    installation::{Installation, Plan},
    peers,
    sink::{Received, Script, Sink},
    tools,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_object_with_unicode_headers_arrives() {
    let Some((gateway, sink)) = gateway().await else { return };
    let said = python(
        &gateway,
        "mx",
        "
message = EmailMessage()
message['From'] = 'Åsa <a@sender.example>'
message['To'] = 'Bo <b@own.example>'
message['Subject'] = '見積書の送付について'
message.set_content('いつもお世話になっております。\\n')
with smtplib.SMTP(HOST, PORT) as client:
    print(client.send_message(message))
",
    );
    assert_eq!(said, "{}\n");
    let mail = sink.expect_one().await;
    assert_eq!(mail.recipients(), ["b@own.example"]);
    assert!(mail.text().contains("\r\nSubject: =?utf-8?"), "{}", mail.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn unicode_addresses_arrive_in_raw_headers() {
    let Some((gateway, sink)) = gateway().await else { return };
    let said = python(
        &gateway,
        "mx",
        "
message = EmailMessage(policy=SMTPUTF8)
message['From'] = 'αποστολέας@sender.example'
message['To'] = '受取人@own.example'
message['Subject'] = '見積書'
message.set_content('こんにちは\\n', cte='8bit')
with smtplib.SMTP(HOST, PORT) as client:
    print(client.send_message(message))
",
    );
    assert_eq!(said, "{}\n");
    let mail = sink.expect_one().await;
    assert_eq!(mail.sender(), "αποστολέας@sender.example");
    assert_eq!(mail.recipients(), ["受取人@own.example"]);
    assert!(mail.mail.contains("SMTPUTF8") && mail.mail.contains("BODY=8BITMIME"), "{}", mail.mail);
    assert!(mail.text().contains("\r\nSubject: 見積書\r\n"), "{}", mail.text());
    assert!(mail.text().contains("with UTF8SMTP id"), "{}", mail.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn five_megabytes_arrive_unchanged() {
    let Some((gateway, sink)) = gateway().await else { return };
    let said = python(
        &gateway,
        "mx",
        "
message = EmailMessage()
message['From'] = 'a@sender.example'
message['To'] = 'b@own.example'
message['Subject'] = 'large'
message.set_content('see the attachment\\n')
octets = random.Random(7).randbytes(5 * 1024 * 1024)
message.add_attachment(octets, maintype='application', subtype='octet-stream', filename='x.bin')
content = message.as_bytes(policy=message.policy.clone(linesep='\\r\\n'))
with smtplib.SMTP(HOST, PORT) as client:
    client.sendmail('a@sender.example', ['b@own.example'], content)
print(len(content), zlib.crc32(content))
",
    );
    let mail = sink.expect_one().await;
    let content = mail.content();
    let (length, _) = said.split_once(' ').unwrap();
    let original = &content[content.len() - length.parse::<usize>().unwrap()..];
    assert_eq!(said.trim(), format!("{} {}", original.len(), checksum(original)));
    assert!(mail.mail.contains(&format!("SIZE={}", content.len())), "{}", mail.mail);
    gateway.expect_empty_queue();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_too_large_is_refused_at_mail() {
    let Some((gateway, sink)) = gateway().await else { return };
    let said = python(
        &gateway,
        "small",
        "
with smtplib.SMTP(HOST, PORT) as client:
    try:
        client.sendmail('a@sender.example', ['b@own.example'], 'x' * 70 + '\\r\\n' * 30000)
    except smtplib.SMTPSenderRefused as refused:
        print(refused.smtp_code, refused.smtp_error.decode(), refused.sender)
",
    );
    assert!(said.starts_with("552 5.3.4 "), "{said}");
    assert!(said.trim_end().ends_with("a@sender.example"), "{said}");
    sink.expect_nothing();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refused_recipient_does_not_hold_up_the_others() {
    let Some((gateway, sink)) = gateway().await else { return };
    let said = python(
        &gateway,
        "strangers",
        "
with smtplib.SMTP(HOST, PORT) as client:
    refused = client.sendmail('a@sender.example',
        ['b@own.example', 'c@other.example', 'd@own.example'], 'Subject: x\\r\\n\\r\\nx\\r\\n')
for recipient, (code, text) in refused.items():
    print(recipient, code, text.decode())
",
    );
    assert_eq!(said, "c@other.example 554 5.7.1 <c@other.example>: Relay access denied\n");
    let mail = sink.expect_one().await;
    assert_eq!(mail.recipients(), ["b@own.example", "d@own.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_recipients_are_all_named_when_none_is_left() {
    let Some((gateway, sink)) = gateway().await else { return };
    let said = python(
        &gateway,
        "strangers",
        "
with smtplib.SMTP(HOST, PORT) as client:
    try:
        client.sendmail('a@sender.example', ['c@other.example', 'd@other.example'], 'x')
    except smtplib.SMTPRecipientsRefused as refused:
        print({recipient: answer[0] for recipient, answer in refused.recipients.items()})
    print(client.noop()[0])
",
    );
    assert_eq!(said, "{'c@other.example': 554, 'd@other.example': 554}\n250\n");
    sink.expect_nothing();
}

#[tokio::test(flavor = "multi_thread")]
async fn starttls_and_login_open_the_way() {
    let Some((gateway, sink)) = gateway().await else { return };
    let said = python(
        &gateway,
        "submission",
        "
with smtplib.SMTP(HOST, PORT) as client:
    client.ehlo()
    print(client.has_extn('auth'))
    client.starttls(context=INSECURE)
    client.ehlo()
    print(client.esmtp_features['auth'].split())
    try:
        client.login('alice@own.example', 'wrong horse')
    except smtplib.SMTPAuthenticationError as error:
        print(error.smtp_code)
    print(client.login('alice@own.example', 'correct horse')[0])
    client.sendmail('alice@own.example', ['c@other.example'], 'Subject: x\\r\\n\\r\\nx\\r\\n')
",
    );
    let bound = "'SCRAM-SHA-256-PLUS', 'SCRAM-SHA-512-PLUS', 'SCRAM-SHA-1-PLUS'";
    let offered =
        format!("[{bound}, 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'SCRAM-SHA-1', 'PLAIN', 'LOGIN']");
    assert_eq!(said, format!("False\n{offered}\n535\n235\n"));
    assert_eq!(sink.expect_one().await.sender(), "alice@own.example");
}

#[tokio::test(flavor = "multi_thread")]
async fn smtp_ssl_speaks_tls_from_the_first_byte() {
    let Some((gateway, sink)) = gateway().await else { return };
    let said = python(
        &gateway,
        "submissions",
        "
with smtplib.SMTP_SSL(HOST, PORT, context=INSECURE) as client:
    client.login('alice@own.example', 'correct horse')
    for n in range(3):
        client.sendmail('alice@own.example', ['c@other.example'], 'Subject: %d\\r\\n\\r\\nx\\r\\n' % n)
print('sent')
",
    );
    assert_eq!(said, "sent\n");
    let subjects: Vec<bool> = (0..)
        .zip(sorted(sink.expect(3).await))
        .map(|(n, mail)| mail.text().contains(&format!("Subject: {n}\r\n")))
        .collect();
    assert_eq!(subjects, [true; 3]);
}

/// A gateway with listeners for several kinds of people, and the sink behind it.
async fn gateway() -> Option<(Installation, Sink)> {
    if !tools::require(&["python3"]) {
        return None;
    }
    let sink = Sink::start(Script::smtp()).await;
    let gateway = Plan::new()?
        .mx()
        .listener("strangers", "mode = \"mx\"\ntls = \"optional\"")
        .listener("small", "mode = \"mx\"\ntls = \"optional\"\nmessage_size_limit = \"50 KiB\"")
        .listener("submission", "mode = \"submission\"\ntls = \"required\"")
        .listener("submissions", "mode = \"submission\"\ntls = \"implicit\"")
        .next_hop(sink.address())
        .user("alice@own.example", "correct horse")
        .start();
    Some((gateway, sink))
}

/// What a Python program printed that ended well.
fn python(gateway: &Installation, listener: &str, program: &str) -> String {
    let program = format!("{HEAD}{program}");
    peers::python(gateway.at(listener), &program).unwrap().expect_content()
}

fn sorted(mut mails: Vec<Received>) -> Vec<Received> {
    mails.sort_by_key(|mail| mail.text().split("Subject: ").nth(1).map(str::to_owned));
    mails
}

/// CRC-32 as `zlib.crc32` counts it.
fn checksum(content: &[u8]) -> u32 {
    !content.iter().fold(u32::MAX, |mut sum, byte| {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 };
        }
        sum
    })
}

const HEAD: &str = "
import random, zlib
from email.message import EmailMessage
from email.policy import SMTPUTF8
INSECURE = ssl._create_unverified_context()
";
