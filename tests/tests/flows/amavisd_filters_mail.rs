//! The real amavisd-new, set up by the lines of the manual, filters mail behind the queue.

use std::{net::SocketAddr, path::Path};

use mailweir::control::operation::Place;
use mailweir_tests::{
    free_address,
    gateway::{Gateway, Mail, Setup, mail_to},
    scanners::{Amavis, Clamd},
    sink::{Script, Sink},
    tools,
};

/// A gateway in front of a sink, and the amavisd that its mail passes.
struct Setting {
    gateway: Gateway,
    sink: Sink,
    clamd: Clamd,
    address: SocketAddr,
}

impl Setting {
    /// `None`: something is missing here.
    async fn new() -> Option<Self> {
        if !tools::require(&["amavisd", "clamd"]) {
            return None;
        }
        let clamd = tokio::task::spawn_blocking(Clamd::start).await.unwrap();
        let (sink, address) = (Sink::start(Script::smtp()).await, free_address().unwrap());
        let filter = format!(
            "[[filter]]\nname = \"virus\"\ntype = \"smtp\"\nto = \"smtp://{address}\"\nreturns_to = \"behind-virus\"\n"
        );
        let back =
            "mode = \"filter\"\nnetworks = [\"127.0.0.0/8\"]\nxforward_hosts = [\"127.0.0.0/8\"]";
        let setup = Setup::before(&sink)
            .listener("mx", "mode = \"mx\"\nxclient_hosts = [\"127.0.0.0/8\"]")
            .listener("behind-virus", back)
            .sections(&filter);
        Some(Self { gateway: Gateway::start(&setup).await, sink, clamd, address })
    }

    async fn amavis(&self) -> Amavis {
        let (address, clamd) = (self.address, self.clamd.address());
        let back = self.gateway.address("behind-virus");
        let lines = lines_of_the_manual()
            .replace("10024", &address.port().to_string())
            .replace("[127.0.0.1]:10026", &format!("[{}]:{}", back.ip(), back.port()));
        tokio::task::spawn_blocking(move || Amavis::start(address, clamd, &lines)).await.unwrap()
    }
}

fn lines_of_the_manual() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/filters.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, lines) = page.split_once("```perl\n").unwrap();
    lines.split("```").next().unwrap().to_owned()
}

fn with_attachment(name: &str, text: &str) -> Mail {
    let content = format!(
        "From: bob@far.example\r\nTo: user@local.example\r\nSubject: x\r\nMessage-ID: <1@far.example>\r\n\
         Date: Mon, 1 Jun 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\n\r\nhello\r\n--b\r\nContent-Type: application/octet-stream; name=\"{name}\"\r\n\
         Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n{text}\r\n--b--\r\n"
    );
    mail_to("user").from("bob@far.example").content(content)
}

#[tokio::test(flavor = "multi_thread")]
async fn clean_mail_comes_back_marked_and_amavisd_knows_the_true_client() {
    let Some(setting) = Setting::new().await else { return };
    let amavis = setting.amavis().await;
    let mut peer = setting.gateway.connect_to("mx").await;
    peer.greet().await;
    peer.say("XCLIENT NAME=mail.far.example ADDR=192.0.2.7 HELO=far.example PROTO=ESMTP").await;
    peer.greet().await;
    peer.send(&with_attachment("a.txt", "fine")).await.expect_accepted();

    let text = setting.sink.expect_one().await.text();
    assert!(text.contains("\r\nX-Virus-Scanned: "), "{text}");
    assert!(text.contains(" by localhost (amavis.local.example [127.0.0.1]) (amavis, "), "{text}");
    assert!(text.ends_with("\r\n\r\nfine\r\n--b--\r\n"), "{text}");
    assert!(!text.contains("X-Mailweir-Slip"), "{text}");
    setting.gateway.queue().expect_empty().await;
    let log = amavis.log();
    assert!(log.contains("Passed CLEAN ") && log.contains("[192.0.2.7]"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_amavisd_refuses_goes_back_and_what_it_throws_away_is_gone() {
    let Some(setting) = Setting::new().await else { return };
    let _amavis = setting.amavis().await;
    let (gateway, sink) = (&setting.gateway, &setting.sink);
    gateway.accept(with_attachment("game.exe", "MZ")).await;
    let report = sink.expect_one().await;
    assert_eq!((report.sender(), report.recipients()), ("", vec!["bob@far.example"]));
    assert!(report.text().contains("554 5.7.0 Reject, id="), "{}", report.text());

    gateway.accept(with_attachment("a.txt", &Clamd::eicar())).await;
    let _ = gateway.log().expect("status=sent (250 2.7.0 Ok, discarded, *INFECTED").await;
    gateway.queue().expect_empty().await;
    sink.expect(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_waits_while_amavisd_is_down_and_goes_when_it_is_back() {
    let Some(setting) = Setting::new().await else { return };
    let (gateway, sink) = (&setting.gateway, &setting.sink);
    let amavis = setting.amavis().await;
    gateway.accept(with_attachment("a.txt", "before")).await;
    sink.expect_one().await;
    // It has said of that mail what it has to say: otherwise the mail would go there again.
    gateway.queue().expect_empty().await;
    tokio::task::spawn_blocking(|| drop(amavis)).await.unwrap();

    let id = gateway.accept(with_attachment("a.txt", "meanwhile")).await;
    gateway.queue().expect(id, Place::Deferred).await;
    let _back = setting.amavis().await;
    gateway.queue().flush().await;
    let text = sink.expect(2).await.remove(1).text();
    assert!(text.contains("X-Virus-Scanned") && text.contains("meanwhile"), "{text}");
    gateway.queue().expect_empty().await;
}
