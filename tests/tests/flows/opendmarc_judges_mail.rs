//! The real OpenDMARC judges mail by what a policy server has found out about SPF: by a field that a table puts above the mail.

use std::net::SocketAddr;

use mailweir_tests::{
    dns::FakeDns,
    gateway::{Gateway, Mail, Setup, loopback_address, mail_to},
    scanners::OpenDmarc,
    sink::{Script, Sink},
    tools,
};

#[tokio::test(flavor = "multi_thread")]
async fn opendmarc_knows_what_was_found_out_before_it() {
    if !tools::require(&["opendmarc"]) {
        return;
    }
    let zone =
        "_dmarc.far.example TXT v=DMARC1; p=reject\n_dmarc.bad.example TXT v=DMARC1; p=reject\n";
    let name_server = loopback_address();
    let _dns = FakeDns::start_at(SocketAddr::from((name_server, 53)), zone).await;
    let start = move || OpenDmarc::start(name_server);
    let Some(opendmarc) = tokio::task::spawn_blocking(start).await.unwrap() else { return };

    let sink = Sink::start(Script::smtp()).await;
    let found = "Received-SPF: Pass (mailfrom) identity=mailfrom; client-ip=127.0.0.1; \
                 helo=far.example; envelope-from=bob@far.example; receiver=gate.example";
    let lists = format!(
        "sender = [\"check_sender_access inline:{{ {{far.example = PREPEND {found}}} }}\"]"
    );
    let at = opendmarc.address();
    let milter =
        format!("[[filter]]\nname = \"opendmarc\"\ntype = \"milter\"\nserver = \"inet:{at}\"\n");
    let setup = Setup::before(&sink)
        .listener("mx", "mode = \"mx\"")
        .section("restrictions", &lists)
        .sections(&milter);
    let gateway = Gateway::start(&setup).await;
    gateway.accept(from("bob@far.example")).await;
    let text = sink.expect_one().await.text();
    let judged = "Authentication-Results: gate.example; dmarc=pass (p=reject dis=none) header.from=far.example";
    assert!(text.replace("\r\n\t", " ").contains(judged), "{text}");
    assert!(text.contains("Received-SPF: Pass "), "{text}");

    let refused = gateway.submit(from("eve@bad.example")).await;
    refused.expect_refused("550 5.7.1 rejected by DMARC policy for bad.example");
    sink.expect(1).await;
}

fn from(author: &str) -> Mail {
    let content = format!(
        "From: {author}\r\nSubject: x\r\nDate: Mon, 1 Jun 2026 10:00:00 +0000\r\n\r\nhello\r\n"
    );
    mail_to("user").from(author).content(content)
}
