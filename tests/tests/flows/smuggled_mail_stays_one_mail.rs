//! Rows A1, A2, A4 and B1: what looks like the end of a mail, or like the beginning of another,
//! leaves as text of one mail, and no bare CR or LF leaves at all.

use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn a1_a2_no_false_end_of_data_makes_two_mails() {
    for mode in ["normalize", "note"] {
        let sink = Sink::start(Script::smtp()).await;
        let mx = format!("mode = \"mx\"\nforbid_bare_newline = \"{mode}\"");
        let gateway = Gateway::start(&Setup::before(&sink).listener("mx", &mx)).await;
        for end in FALSE_ENDS {
            let mut attacker = gateway.connect().await;
            attacker.greet().await;
            attacker.ask("MAIL FROM:<a@client.example>", "250 *").await;
            attacker.ask("RCPT TO:<user@local.example>", "250 *").await;
            attacker.ask("DATA", "354 *").await;
            attacker.write(b"Subject: one\r\n\r\nx").await;
            attacker.write(end).await;
            attacker.write(SMUGGLED).await;
            attacker.ask("\r\n.", "250 2.0.0 Ok: queued *").await;
            attacker.ask("QUIT", "221 *").await;
            attacker.expect_closed().await;
        }
        for (mail, end) in sink.expect(FALSE_ENDS.len()).await.iter().zip(FALSE_ENDS) {
            assert_eq!(mail.sender(), "a@client.example", "{}", end.escape_ascii());
            assert_eq!(mail.recipients(), ["user@local.example"]);
            assert!(mail.text().contains("MAIL FROM:<evil@client.example>"));
        }
        gateway.queue().expect_empty().await;
        for connection in 0..sink.connections() {
            expect_no_bare_line_end(&sink.bytes(connection));
        }
    }
}

#[tokio::test]
async fn a3_where_they_are_rejected_nothing_of_such_a_mail_is_queued() {
    let sink = Sink::start(Script::smtp()).await;
    let mx = "mode = \"mx\"\nforbid_bare_newline = \"reject\"";
    let gateway = Gateway::start(&Setup::before(&sink).listener("mx", mx)).await;
    let smuggler = mail().content(b"Subject: x\r\n\r\na\n.\nb\r\n");
    gateway.submit(smuggler).await.expect_refused("550 5.5.2 *bare <LF> received");
    gateway.expect_no_sessions().await;
    assert!(gateway.queue().list().await.is_empty());
}

#[tokio::test]
async fn b1_what_is_sent_along_with_starttls_is_forgotten() {
    let sink = Sink::start(Script::smtp()).await;
    let gateway = Gateway::start(&Setup::before(&sink)).await;
    let mut victim = gateway.connect().await;
    victim.greet().await;
    victim.write(b"STARTTLS\r\nMAIL FROM:<evil@client.example>\r\n").await;
    victim.hear("220 2.0.0 *").await;
    victim.handshake().await;
    victim.ask("RCPT TO:<user@local.example>", "503 *").await;
    victim.ask("EHLO client.example", "250 *").await;
    victim.ask("RCPT TO:<user@local.example>", "503 5.5.1 Error: need MAIL command").await;
}

/// Every CR stands before an LF, and every LF behind a CR.
fn expect_no_bare_line_end(bytes: &[u8]) {
    let pairs = bytes.windows(2).filter(|pair| pair == b"\r\n").count();
    let single = |end: u8| bytes.iter().filter(|&&byte| byte == end).count();
    assert_eq!((single(b'\r'), single(b'\n')), (pairs, pairs), "{}", bytes.escape_ascii());
}

const SMUGGLED: &[u8] = b"MAIL FROM:<evil@client.example>\r\nRCPT TO:<user@local.example>\r\n\
    DATA\r\nSubject: two\r\n\r\nsmuggled";

/// The ends that the attack tools try.
const FALSE_ENDS: [&[u8]; 12] = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\n",
    b"\n.\r",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\r\n\0.\r\n",
    b"\r\n.\r\r\n",
    b"\r\r\n.\r\r\n",
    b"\r\n.\n\r",
];
