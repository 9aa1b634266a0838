//! What is found out about strangers before their mail is taken, and who has to come again. Rows A11 and F8.

use mailweir::control::operation::Place;
use mailweir_tests::{
    dns::FakeDns,
    gateway::{Gateway, Mail, Peer, Setup, TRUSTED, mail},
    sink::{Script, Sink},
    wait,
};

#[tokio::test]
async fn who_comes_for_the_first_time_has_to_come_again() {
    let (mut home, _dns) = with(ALWAYS, "").await;
    home.gateway.submit(ann()).await.expect_refused(WAITS);
    home.gateway.submit(ann()).await.expect_refused(WAITS);
    home.change(SOON).await;
    let _ = home.gateway.submit(ann()).await.expect_accepted();
    let line = "greylist*: action=pass, reason=triplet found, delay=0, client_address=127.0.0.1, \
                sender=ann@author.test, recipient=user@local.example";
    home.gateway.log().expect(line).await;
    home.change(ALWAYS).await;
    let _ = home.gateway.submit(ann()).await.expect_accepted();
    home.gateway.submit(ann().from("bob@author.test")).await.expect_refused(WAITS);
}

#[tokio::test]
async fn each_recipient_waits_for_itself() {
    let (mut home, _dns) = with(ALWAYS, "").await;
    home.gateway.submit(ann()).await.expect_refused(WAITS);
    home.change(SOON).await;
    let _ = home.gateway.submit(ann()).await.expect_accepted();
    home.change(ALWAYS).await;
    let mut peer = home.gateway.connect().await;
    peer.greet().await;
    peer.ask("MAIL FROM:<ann@author.test>", "250 *").await;
    peer.ask("RCPT TO:<user@local.example>", "250 *").await;
    // More than make an end of a session that errs.
    for number in 0..30 {
        peer.ask(&format!("RCPT TO:<other{number}@local.example>"), "451 4.7.1 *Greylisted, *")
            .await;
    }
    peer.ask("RCPT TO:<abuse@local.example>", "250 *").await;
    peer.ask("RCPT TO:<Postmaster@local.example>", "250 *").await;
    peer.ask("DATA", "354 *").await;
}

#[tokio::test]
async fn bounces_wait_at_data_so_that_addresses_can_be_tried_out() {
    let (mut home, _dns) = with(ALWAYS, "").await;
    let mut peer = home.gateway.connect().await;
    peer.greet().await;
    peer.ask("MAIL FROM:<>", "250 *").await;
    peer.ask("RCPT TO:<user@local.example>", "250 *").await;
    peer.ask("DATA", "451 4.7.1 Error: Greylisted, try again in 300 seconds").await;
    home.change(SOON).await;
    let _ = home.gateway.submit(mail().from("")).await.expect_accepted();
}

#[tokio::test]
async fn a_bounce_in_chunks_that_has_to_wait_hears_one_reply_to_each_command() {
    let (mut home, _dns) = with(ALWAYS, "").await;
    let mut peer = home.gateway.connect().await;
    peer.greet().await;
    let envelope = "MAIL FROM:<>\r\nRCPT TO:<user@local.example>\r\n";
    let chunks =
        "BDAT 14\r\nSubject: one\r\nBDAT 10\r\n\r\ntwo RSETBDAT 7 LAST\r\nthree\r\nNOOP\r\n";
    peer.write(format!("{envelope}{chunks}").as_bytes()).await;
    peer.hear("250 2.1.0 *").await;
    peer.hear("250 2.1.5 *").await;
    peer.hear("451 4.7.1 Error: Greylisted, try again in 300 seconds").await;
    for _ in 0..2 {
        peer.hear("503 5.5.1 *").await;
    }
    peer.hear("250 2.0.0 *").await;
    home.change(SOON).await;
    peer.write(format!("{envelope}{chunks}").as_bytes()).await;
    for reply in
        ["250 2.1.0 *", "250 2.1.5 *", "250 *14*", "250 *10*", "250 2.0.0 Ok: 31 bytes queued as *"]
    {
        peer.hear(reply).await;
    }
    assert!(home.sink.expect_one().await.text().ends_with("Subject: one\r\n\r\ntwo RSETthree\r\n"));
}

#[tokio::test]
async fn whom_a_domain_vouches_for_does_not_wait() {
    let zone = "author.test TXT v=spf1 ip4:127.0.0.1 -all\nopen.test TXT v=spf1 +all";
    let (home, _dns) = with(ALWAYS, zone).await;
    let _ = home.gateway.submit(ann()).await.expect_accepted();
    home.gateway.submit(ann().from("a@open.test")).await.expect_refused(WAITS);
}

#[tokio::test]
async fn whom_our_people_have_written_to_does_not_wait() {
    let (mut home, _dns) = with(ALWAYS, "").await;
    let mut ours = home.gateway.connect_from(TRUSTED, "mx").await;
    ours.greet().await;
    let _ =
        ours.send(&mail().from("user@local.example").to("Ann@author.test")).await.expect_accepted();
    let _ = home.gateway.submit(ann()).await.expect_accepted();
    home.gateway.submit(ann().from("bob@author.test")).await.expect_refused(WAITS);
    home.gateway.restart().await;
    let _ = home.gateway.submit(ann()).await.expect_accepted();
}

#[tokio::test]
async fn a_correspondent_whose_domain_vouches_for_it_scores_less_where_nobody_is_greylisted() {
    let zone = "author.test TXT v=spf1 ip4:127.0.0.1 -all";
    let (home, _dns) = with("enabled = true\ndmarc = \"note\"", zone).await;
    // What is handed on of the next mail, which is the `count`th of all.
    let hand_in = async |sender: &str, count: usize| {
        let _ = home.gateway.submit(ann().from(sender)).await.expect_accepted();
        home.sink.expect(count).await.pop().unwrap().text()
    };
    let mut ours = home.gateway.connect_from(TRUSTED, "mx").await;
    ours.greet().await;
    let written = mail().from("user@local.example").to("ann@author.test").to("eve@forged.test");
    let _ = ours.send(&written).await.expect_accepted();
    let before = home.sink.expect(1).await.len();
    let known = hand_in("ann@author.test", before + 1).await;
    assert!(known.contains("KNOWN_CORRESPONDENT"), "{known}");
    // Anybody can write the address of somebody whose domain vouches for nobody.
    let forged = hand_in("eve@forged.test", before + 2).await;
    assert!(!forged.contains("KNOWN_CORRESPONDENT"), "{forged}");
}

#[tokio::test]
async fn whom_our_people_would_have_written_to_in_mail_that_is_held_waits() {
    let held = format!("{ALWAYS}\noutbound_quarantine_from = 0.5");
    let (home, _dns) = with(&held, "").await;
    let mut ours = home.gateway.connect_from(TRUSTED, "mx").await;
    ours.greet().await;
    let suspicious = "From: user@local.example\r\nTo: ann@author.test\r\nSubject: VIAGRA $$$ FREE MONEY!!!\r\n\
                      Date: Thu, 1 Jan 1970 00:00:00 +0000\r\nContent-Type: text/html\r\n\r\n\
                      <a href=\"http://192.0.2.1/x\">http://bank.example/</a>\r\n";
    let written = mail().from("user@local.example").to("ann@author.test").content(suspicious);
    let id = ours.send(&written).await.expect_accepted();
    home.gateway.queue().expect(id, Place::Hold).await;
    home.gateway.submit(ann()).await.expect_refused(WAITS);
}

#[tokio::test]
async fn our_people_and_whom_a_relay_of_ours_speaks_for_do_not_wait() {
    let (home, _dns) = with(ALWAYS, "").await;
    let mut ours = home.gateway.connect_from(TRUSTED, "mx").await;
    ours.greet().await;
    let _ = ours.send(&ann()).await.expect_accepted();
    ours.ask("XFORWARD NAME=x.test ADDR=192.0.2.9 HELO=x.test", "250 *").await;
    let _ = ours.send(&ann()).await.expect_accepted();
}

#[tokio::test]
async fn a_restart_makes_nobody_new_again() {
    let (mut home, _dns) = with(ALWAYS, "").await;
    home.gateway.submit(ann()).await.expect_refused(WAITS);
    home.gateway.restart().await;
    home.change(SOON).await;
    let _ = home.gateway.submit(ann()).await.expect_accepted();
}

#[tokio::test]
async fn lists_say_by_their_weights_who_is_suspicious() {
    let zone = "1.2.0.192.bl.test A 127.0.0.2\n2.2.0.192.bl.test A 127.0.0.9\n\
                1.2.0.192.wl.test A 127.0.3.1\n3.2.0.192.bl.test A 127.0.0.2\n\
                spam.test.dbl.test A 127.0.1.2";
    let (home, dns) = with(LISTS, zone).await;
    let waits = "451 4.7.1 *Greylisted, *";
    // Two lists say other things of it: it is welcome.
    home.speak_as("192.0.2.1", "ann@author.test", "250 2.1.5 Ok").await;
    // With an answer that was not named.
    home.speak_as("192.0.2.2", "ann@author.test", "250 2.1.5 Ok").await;
    home.speak_as("192.0.2.3", "ann@author.test", waits).await;
    home.speak_as("192.0.2.4", "ann@spam.test", waits).await;
    home.speak_as("192.0.2.5", "ann@author.test", "250 2.1.5 Ok").await;
    let log = home.gateway.log();
    log.expect("dnsblog*: addr 192.0.2.3 listed by domain bl.test as 127.0.0.2").await;
    log.expect("dnsblog*: domain spam.test listed by domain dbl.test as 127.0.1.2").await;
    assert_eq!(dns.queries("3.2.0.192.bl.test", "A"), 1);
}

#[tokio::test]
async fn without_lists_a_client_is_judged_by_its_names() {
    let zone = "1.2.0.192.in-addr.arpa PTR mx.test\nmx.test A 192.0.2.1\nclient.example A 192.0.2.9\n\
                2.2.0.192.in-addr.arpa PTR 192-0-2-2.dyn.isp.test\n\
                192-0-2-2.dyn.isp.test A 192.0.2.2\n4.2.0.192.in-addr.arpa SERVFAIL";
    let suspicious = "enabled = true\ngreylist = \"suspicious\"";
    let (home, _dns) = with(suspicious, zone).await;
    let waits = "451 4.7.1 *Greylisted, *";
    home.speak_as("192.0.2.1", "ann@author.test", "250 2.1.5 Ok").await;
    home.speak_as("192.0.2.2", "ann@author.test", waits).await;
    home.speak_as("192.0.2.3", "ann@author.test", waits).await;
    // F8: what nobody tells speaks against nobody.
    home.speak_as("192.0.2.4", "ann@author.test", "250 2.1.5 Ok").await;
}

#[tokio::test]
async fn f8_lists_that_do_not_tell_speak_against_nobody() {
    let zone = "1.2.0.192.bl.test SERVFAIL\n2.2.0.192.bl.test A 127.255.255.254\n\
                3.2.0.192.bl.test A 203.0.113.1\nauthor.test SERVFAIL\n\
                author.test.dbl.test TIMEOUT";
    let (home, _dns) = with(LISTS, zone).await;
    for client in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
        home.speak_as(client, "ann@author.test", "250 2.1.5 Ok").await;
    }
    let log = home.gateway.log();
    log.expect("warning: bl.test lists nobody for now: it does not answer").await;
    log.expect("warning: dbl.test lists nobody for now").await;
    // Once is enough.
    assert_eq!(log.count("lists nobody for now"), 2, "{log}");
}

#[tokio::test]
async fn nothing_is_asked_of_others_that_nobody_has_written() {
    let (home, dns) = with("enabled = true", "").await;
    let mut peer = home.gateway.connect().await;
    peer.greet().await;
    peer.ask("MAIL FROM:<ann@author.test>", "250 *").await;
    peer.ask("RCPT TO:<user@local.example>", "250 *").await;
    assert_eq!(dns.all_queries(), 0);
}

#[tokio::test]
async fn a11_who_talks_while_it_has_to_wait_is_not_served() {
    let (mut home, _dns) = with("enabled = true\ngreet_wait = \"1 min\"", "").await;
    let mut hasty = home.gateway.connect().await;
    hasty.say("EHLO client.example").await;
    hasty.hear("554 5.5.0 Error: SMTP protocol synchronization").await;
    hasty.expect_closed().await;
    let mut leaving = home.gateway.connect().await;
    leaving.hang_up().await;
    leaving.expect_closed().await;
    home.gateway.connect_from(TRUSTED, "mx").await.greet().await;
    home.gateway.expect_no_sessions().await;

    home.change("enabled = true\ngreet_wait = \"50 ms\"").await;
    home.gateway.connect().await.greet().await;
    home.change("enabled = true\ngreet_wait = \"1 min\"").await;
    // It has waited, and need not again.
    home.gateway.connect().await.greet().await;
}

#[tokio::test]
async fn who_waits_for_its_greeting_keeps_nobody_out() {
    let dns = FakeDns::start("").await;
    let sink = Sink::start(Script::smtp()).await;
    let setup = setup(&sink, &dns.address().to_string(), "enabled = true\ngreet_wait = \"1 min\"")
        .section("limits", "session_limit = 2");
    let gateway = Gateway::start(&setup).await;
    let mut waiting = gateway.connect().await;
    wait::until_true("a session", async || gateway.sessions() == 1).await;
    gateway.connect().await.greet().await;
    waiting.say("EHLO client.example").await;
    waiting.hear("554 5.5.0 Error: SMTP protocol synchronization").await;
}

#[tokio::test]
async fn who_waits_for_its_greeting_keeps_no_gateway_from_stopping() {
    let (mut home, _dns) = with("enabled = true\ngreet_wait = \"1 min\"", "").await;
    let mut waiting = home.gateway.connect().await;
    let stopping = home.gateway.begin_to_stop().await;
    waiting.hear("220 *").await;
    waiting.hear("421 4.3.2 *").await;
    stopping.finished().await;
}

#[tokio::test]
async fn a_network_hands_in_so_many_mails_an_hour() {
    let (home, _dns) = with("enabled = true\nnetwork_rate = 2", "").await;
    for _ in 0..2 {
        let _ = home.gateway.submit(ann()).await.expect_accepted();
    }
    let too_much =
        "451 4.7.1 Error: too much mail from 127.0.0.0/24: more than 2 an hour, try again later";
    home.gateway.submit(ann()).await.expect_refused(too_much);
    let mut ours = home.gateway.connect_from(TRUSTED, "mx").await;
    ours.greet().await;
    let _ = ours.send(&ann()).await.expect_accepted();
}

#[tokio::test]
async fn what_forgers_send_in_its_name_uses_up_nothing_of_a_domain() {
    let zone = "author.test TXT v=spf1 ip4:192.0.2.1 -all";
    let (home, _dns) = with("enabled = true\ndmarc = \"note\"\nsender_rate = 1", zone).await;
    let _ = home.gateway.submit(ann()).await.expect_accepted();
    let too_much = "451 4.7.1 Error: too much mail from author.test: more than 1 an hour, *";
    home.gateway.submit(ann().from("other@author.test")).await.expect_refused(too_much);
    home.speak_as("192.0.2.1", "ann@author.test", "250 2.1.5 Ok").await;
    let _ = home.gateway.submit(mail().from("")).await.expect_accepted();
}

const ALWAYS: &str = "enabled = true\ndmarc = \"note\"\ngreylist = \"always\"";

/// Whoever has come once has stayed away long enough by the time it comes again.
const SOON: &str =
    "enabled = true\ndmarc = \"note\"\ngreylist = \"always\"\ngreylist_delay = \"1 ms\"";

const WAITS: &str = "451 4.7.1 <user@local.example>: Recipient address rejected: Greylisted, try again in * seconds";

const LISTS: &str = "enabled = true\ndns_time_limit = \"2s\"\n\
                     dnsbl_sites = [\"bl.test=127.0.0.[2..4]*2\", \"wl.test*-3\"]\n\
                     rhsbl_sites = [\"dbl.test\"]\ngreylist = \"suspicious\"\n\
                     greylist_from = 3.5";

fn ann() -> Mail {
    mail().from("ann@author.test")
}

/// A gateway whose section `[spam]` can be changed.
struct Home {
    gateway: Gateway,
    sink: Sink,
    dns: String,
}

impl Home {
    fn setup(&self, spam: &str) -> Setup {
        setup(&self.sink, &self.dns, spam)
    }

    async fn change(&mut self, spam: &str) {
        let setup = self.setup(spam);
        self.gateway.reload(&setup).await.unwrap();
    }

    /// What a client of this address hears to its recipient.
    async fn speak_as(&self, client: &str, sender: &str, hears: &str) {
        let mut peer: Peer = self.gateway.connect_from(PROXY, "mx").await;
        peer.greet().await;
        peer.ask(&format!("XCLIENT ADDR={client}"), "220 *").await;
        peer.ask("EHLO client.example", "250 *").await;
        peer.ask(&format!("MAIL FROM:<{sender}>"), "250 *").await;
        peer.ask("RCPT TO:<user@local.example>", hears).await;
    }
}

async fn with(spam: &str, zone: &str) -> (Home, FakeDns) {
    let dns = FakeDns::start(zone).await;
    let sink = Sink::start(Script::smtp()).await;
    let address = dns.address().to_string();
    let gateway = Gateway::start(&setup(&sink, &address, spam)).await;
    (Home { gateway, sink, dns: address }, dns)
}

fn setup(sink: &Sink, dns: &str, spam: &str) -> Setup {
    let listener = format!(
        "mode = \"mx\"\nnetworks = [\"{TRUSTED}\"]\nxforward_hosts = [\"{TRUSTED}\"]\n\
         xclient_hosts = [\"{PROXY}\"]"
    );
    Setup::before(sink)
        .listener("mx", &listener)
        .section("dns", &format!("servers = [\"{dns}\"]\ntimeout = \"1s\""))
        .section("spam", spam)
}

/// Says who its clients are.
const PROXY: &str = "127.0.0.9";
