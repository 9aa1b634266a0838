//! Row I4: policy servers that answer, and servers that hang, hang up, talk too much or nonsense.

use mailweir_tests::{
    gateway::{Gateway, Setup, TRUSTED, mail},
    policy_service::{PolicyService, Said, Script},
    sink::{Script as SinkScript, Sink},
};

const WAITS: &str =
    "451 4.3.5 <user@local.example>: Recipient address rejected: Server configuration problem";

#[tokio::test]
async fn an_answer_is_obeyed_and_a_mail_is_one_instance() {
    let service = PolicyService::start(|_, question| match question.get("recipient") {
        "bad@local.example" => Said::Action("550 5.7.1 not him"),
        "late@local.example" => Said::Action("DEFER_IF_PERMIT come again"),
        "spam@local.example" => Said::Action("PREPEND X-Policy: seen"),
        _ => Said::Action("DUNNO"),
    })
    .await;
    let lists = format!(
        "recipient = [\"check_policy_service {0}\"]\nend_of_data = [\"check_policy_service {0}\"]",
        service.name()
    );
    let (gateway, sink) = gateway(&lists).await;
    let mut peer = gateway.connect().await;
    peer.greet().await;
    peer.ask("MAIL FROM:<a@far.example>", "250 *").await;
    peer.ask("RCPT TO:<bad@local.example>", "550 5.7.1 <bad@local.example>: *: not him").await;
    peer.ask("RCPT TO:<late@local.example>", "450 4.7.1 <late@local.example>: *: come again").await;
    peer.ask("RCPT TO:<spam@local.example>", "250 *").await;
    peer.ask("RCPT TO:<user@local.example>", "250 *").await;
    peer.ask("DATA", "354 *").await;
    peer.ask("Subject: x\r\n\r\ntext\r\n.", "250 *").await;
    peer.leave().await;
    let _ = gateway.submit(mail()).await.expect_accepted();
    let mails = sink.expect(2).await;
    assert!(mails.iter().any(|mail| mail.text().starts_with("X-Policy: seen\r\n")), "{mails:?}");

    let questions = service.questions();
    let (first, second) = questions.split_at(5);
    assert_eq!((second.len(), service.connections()), (2, 1));
    let instance = first[0].get("instance");
    assert!(!instance.is_empty() && first.iter().all(|one| one.get("instance") == instance));
    assert!(second.iter().all(|one| one.get("instance") == second[0].get("instance")));
    assert_ne!(second[0].get("instance"), instance);
    let end = &first[4];
    assert_eq!(end.get("protocol_state"), "END-OF-MESSAGE");
    assert_eq!((end.get("recipient_count"), end.get("recipient")), ("2", ""));
    assert_eq!(end.get("size"), "20");
    assert!(!end.get("queue_id").is_empty() && first[3].get("queue_id").is_empty());
    gateway
        .log()
        .expect(&format!("reject: RCPT *not him*(check_policy_service: {}*", service.name()))
        .await;
}

#[tokio::test]
async fn i4_without_an_answer_the_mail_waits_and_the_log_says_whose_fault_it_is() {
    let megabyte: Script = |_, _| Said::Bytes(vec![b'a'; 1_000_000]);
    let scripts: [(Script, &str); 5] = [
        (|_, _| Said::Last(Vec::new()), "closed the connection without an answer"),
        (|_, _| Said::Last(b"action=OK\n".to_vec()), "closed the connection without an answer"),
        (|_, _| Said::Nothing, "has not answered within 1 s"),
        (
            |_, _| Said::Bytes(b"5.7.2\n\n".to_vec()),
            "answered nonsense: a line that is not name=value",
        ),
        (megabyte, "answered nonsense: more than 16384 bytes"),
    ];
    for (script, why) in scripts {
        let service = PolicyService::start(script).await;
        let (gateway, sink) = gateway(&format!(
            "policy_service_timeout = \"1s\"\npolicy_service_retry_delay = \"0s\"\n\
             recipient = [\"check_policy_service {}\"]",
            service.name()
        ))
        .await;
        gateway.submit(mail()).await.expect_refused(WAITS);
        gateway.log().expect(&format!("warning: *policy server {} {why}", service.name())).await;
        // It was asked again, on another connection.
        assert_eq!((service.questions().len(), service.connections()), (2, 2), "{why}");
        sink.expect_nothing();
    }
}

#[tokio::test]
async fn i4_a_second_answer_is_nobodys() {
    let service = PolicyService::start(|number, _| match number {
        0 => Said::Bytes(b"action=DUNNO\n\naction=REJECT\n\n".to_vec()),
        _ => Said::Action("DUNNO"),
    })
    .await;
    let (gateway, _sink) =
        gateway(&format!("recipient = [\"check_policy_service {}\"]", service.name())).await;
    for _ in 0..2 {
        let _ = gateway.submit(mail()).await.expect_accepted();
    }
    assert_eq!(service.connections(), 2);
    gateway.log().expect("warning: policy server * says more than one answer").await;
}

#[tokio::test]
async fn a_bare_status_is_no_action() {
    let service = PolicyService::start(|_, _| Said::Action("5.7.2")).await;
    let (gateway, sink) =
        gateway(&format!("recipient = [\"check_policy_service {}\"]", service.name())).await;
    gateway.submit(mail()).await.expect_refused("451 4.3.5 Server configuration error");
    gateway.log().expect("there is no restriction *5.7.2").await;
    sink.expect_nothing();
}

#[tokio::test]
async fn a_server_that_was_started_again_is_asked_as_before() {
    let mut service = PolicyService::start(|_, _| Said::Action("DUNNO")).await;
    let (gateway, _sink) = gateway(&format!(
        "policy_service_try_limit = 1\nrecipient = [\"check_policy_service {}\"]",
        service.name()
    ))
    .await;
    for connections in 1..4 {
        let _ = gateway.submit(mail()).await.expect_accepted();
        let _ = gateway.submit(mail()).await.expect_accepted();
        assert_eq!(service.connections(), connections);
        service.restart().await;
    }
    service.stop().await;
    gateway.submit(mail()).await.expect_refused(WAITS);
    gateway.log().expect("policy server * cannot be reached: *refused").await;
}

#[tokio::test]
async fn each_server_has_its_terms() {
    let service = PolicyService::start(|_, _| Said::Last(Vec::new())).await;
    let (gateway, _sink) = gateway(&format!(
        "policy_service_retry_delay = \"0s\"\nrecipient = [\"check_policy_service {{ {}, try_limit = 3, \
         default_action = DUNNO, policy_context = mx }}\"]",
        service.name()
    ))
    .await;
    let _ = gateway.submit(mail()).await.expect_accepted();
    let questions = service.questions();
    assert_eq!(questions.len(), 3);
    assert_eq!(questions[0].get("policy_context"), "mx");
}

#[tokio::test]
async fn at_each_step_it_hears_what_is_known() {
    let service = PolicyService::start(|_, _| Said::Action("DUNNO")).await;
    let list = format!("[\"check_policy_service {}\"]", service.name());
    let (gateway, sink) = gateway(&format!(
        "delay_reject = false\nclient = {list}\nhelo = {list}\nsender = {list}\ndata = {list}\n\
         recipient = {list}\nend_of_data = {list}\n\
         relay = [\"permit_mynetworks\", \"check_policy_service {}\", \"reject_unauth_destination\"]",
        service.name()
    ))
    .await;
    let mut peer = gateway.connect_from(TRUSTED, "mx").await;
    peer.greet().await;
    let _ = peer.send(&mail()).await.expect_accepted();
    peer.leave().await;
    let _ = sink.expect_one().await;
    let questions = service.questions();
    let states: Vec<_> = questions.iter().map(|one| one.get("protocol_state")).collect();
    assert_eq!(states, ["CONNECT", "EHLO", "MAIL", "RCPT", "RCPT", "DATA", "END-OF-MESSAGE"]);
    assert!(questions.iter().all(|one| one.get("client_address") == TRUSTED));
    assert_eq!((questions[0].get("helo_name"), questions[1].get("sender")), ("", ""));
    assert_eq!(questions[5].get("recipient"), "user@local.example");
}

#[tokio::test]
async fn a_client_that_only_makes_us_ask_is_stopped() {
    let service = PolicyService::start(|number, _| match number {
        ..180 if number % 30 == 29 => Said::Action("REJECT"),
        _ => Said::Action("DUNNO"),
    })
    .await;
    let list = format!("{:?}, ", format!("check_policy_service {}", service.name())).repeat(30);
    let lists =
        format!("policy_service_default_action = \"DUNNO\"\nrecipient = [{list} \"permit\"]");
    let (gateway, _sink) = gateway(&lists).await;
    let mut peer = gateway.connect().await;
    peer.greet().await;
    for number in 0..8 {
        peer.ask("MAIL FROM:<a@far.example>", "250 *").await;
        // The default action would permit from here on: it is no way in.
        let refused = if number < 6 { "554 5.7.1 *" } else { "451 4.3.*" };
        peer.ask("RCPT TO:<user@local.example>", refused).await;
        peer.ask("RSET", "250 *").await;
    }
    assert_eq!(service.questions().len(), 200);
    gateway.log().expect("was not asked: this client makes us ask too much").await;
    // Others have questions of their own.
    let _ = gateway.submit(mail()).await.expect_accepted();
    assert_eq!(service.questions().len(), 230);
}

async fn gateway(lists: &str) -> (Gateway, Sink) {
    let sink = Sink::start(SinkScript::smtp()).await;
    (Gateway::start(&Setup::before(&sink).section("restrictions", lists)).await, sink)
}
