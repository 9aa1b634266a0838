//! `virtual_alias_maps`: one recipient becomes others, of any domain, and the sender is told as RFC
//! 3461 wants it. Domains that have aliases only are served for strangers, and nothing else is.

use mailweir_tests::{
    gateway::{Gateway, Setup, TRUSTED, mail},
    sink::{Point, Script, Sink},
};

#[tokio::test]
async fn an_alias_sends_mail_to_each_of_its_addresses_once() {
    let (gateway, sink) = gateway(
        "virtual_alias_maps = [\"inline:{ {team@local.example = ann@local.example, \
         bob@far.example, chief@local.example} {chief@local.example = ann@local.example} }\"]",
    )
    .await;
    let id = gateway.submit(mail().to("team@local.example")).await.expect_accepted();
    assert_eq!(all_recipients(&sink.expect(1).await), ["ann@local.example", "bob@far.example"]);
    gateway.log().expect("from=<sender@client.example>*nrcpt=2").await;
    let sent = "to=<bob@far.example>, orig_to=<team@local.example>, relay=*status=sent";
    gateway.log().expect(&format!("{id}: {sent}")).await;
}

#[tokio::test]
async fn who_is_no_alias_has_no_orig_to() {
    let (gateway, sink) =
        gateway("virtual_alias_maps = [\"inline:{a@local.example=b@x.test}\"]").await;
    let id = gateway.submit(mail().to("user@local.example")).await.expect_accepted();
    sink.expect_one().await;
    gateway.log().expect(&format!("{id}: to=<user@local.example>, relay=")).await;
    gateway.log().expect_none("orig_to");
}

#[tokio::test]
async fn a_domain_of_aliases_is_served_for_strangers_and_takes_no_unknown_user() {
    let (gateway, sink) =
        gateway("virtual_alias_maps = [\"inline:{alias.test=x, joe@alias.test=joe@far.example}\"]")
            .await;
    let _ = gateway.submit(mail().to("joe@alias.test")).await.expect_accepted();
    assert_eq!(sink.expect_one().await.recipients(), ["joe@far.example"]);
    let refused = |to: &str| gateway.submit(mail().to(to));
    refused("jim@alias.test").await.expect_refused(
        "550 5.1.1 <jim@alias.test>: Recipient address rejected: User unknown in virtual alias table",
    );
    refused("joe@far.example").await.expect_refused("554 5.7.1 *: Relay access denied");
    refused("joe%far.example@alias.test").await.expect_refused("554 5.7.1 *: Relay access denied");
    refused("joe@sub.alias.test").await.expect_refused("554 5.7.1 *: Relay access denied");
}

#[tokio::test]
async fn an_alias_of_a_foreign_domain_opens_no_relay_and_holds_for_those_who_may_send_there() {
    let sink = Sink::start(Script::smtp()).await;
    let mx = format!("mode = \"mx\"\nnetworks = [\"{TRUSTED}\"]");
    let lines = "virtual_alias_maps = [\"inline:{joe@far.example=ann@local.example}\"]";
    let setup = Setup::before(&sink).listener("mx", &mx).section("rewriting", lines);
    let gateway = Gateway::start(&setup).await;
    let outward = mail().to("joe@far.example");
    gateway.submit(outward.clone()).await.expect_refused("554 5.7.1 *: Relay access denied");
    let mut trusted = gateway.connect_from(TRUSTED, "mx").await;
    trusted.greet().await;
    let _ = trusted.send(&outward).await.expect_accepted();
    assert_eq!(sink.expect_one().await.recipients(), ["ann@local.example"]);
}

#[tokio::test]
async fn domains_of_aliases_may_be_named_by_themselves() {
    let (gateway, sink) = gateway(
        "virtual_alias_domains = [\"!closed.test\", \"inline:{open.example=x}\", \".test\"]\n\
         virtual_alias_maps = [\"static:joe@far.example\"]",
    )
    .await;
    for domain in ["open.example", "a.test"] {
        let _ = gateway.submit(mail().to(&format!("joe@{domain}"))).await.expect_accepted();
    }
    sink.expect(2).await;
    let closed = gateway.submit(mail().to("joe@closed.test")).await;
    closed.expect_refused("554 5.7.1 *: Relay access denied");
}

#[tokio::test]
async fn an_extension_goes_on_to_the_address_of_the_alias() {
    let (gateway, sink) = gateway(
        "recipient_delimiter = \"+\"\n\
         virtual_alias_maps = [\"inline:{joe@local.example=joseph@far.example}\"]",
    )
    .await;
    let _ = gateway.submit(mail().to("joe+lists@local.example")).await.expect_accepted();
    assert_eq!(sink.expect_one().await.recipients(), ["joseph+lists@far.example"]);
}

#[tokio::test]
async fn a_report_about_an_alias_names_whom_the_sender_wrote_to() {
    let script = Script::smtp().replying_for("joe@far.example", Point::Rcpt, "550 5.1.1 Gone");
    let sink = Sink::start(script).await;
    let lines = "virtual_alias_maps = [\"inline:{joe@local.example=joe@far.example}\"]";
    let gateway = Gateway::start(&Setup::before(&sink).section("rewriting", lines)).await;
    let _ = gateway.submit(mail().to("joe@local.example")).await.expect_accepted();
    let report = sink.expect_one().await.text();
    assert!(report.contains("Original-Recipient: rfc822; joe@local.example\r\n"), "{report}");
    assert!(report.contains("Final-Recipient: rfc822; joe@far.example\r\n"), "{report}");
}

#[tokio::test]
async fn the_next_hop_hears_what_the_sender_wrote_as_orcpt() {
    let lines = "virtual_alias_maps = [\"inline:{joe@local.example=joe@far.example}\"]";
    let (gateway, sink) = gateway(lines).await;
    let _ = gateway.submit(mail().to("joe@local.example")).await.expect_accepted();
    let told = sink.expect_one().await.rcpt;
    assert_eq!(told, ["TO:<joe@far.example> ORCPT=rfc822;joe@local.example"]);
    let named = mail().to("joe@local.example").asking("ORCPT=rfc822;first@x.test");
    let _ = gateway.submit(named).await.expect_accepted();
    let told = &sink.expect(2).await[1].rcpt;
    assert_eq!(told[..], ["TO:<joe@far.example> ORCPT=rfc822;first@x.test"]);
}

#[tokio::test]
async fn a_sender_who_asked_hears_once_that_an_alias_was_expanded() {
    let lines = "virtual_alias_maps = [\"inline:{ {team@local.example = a@x.test, b@x.test} }\"]";
    let (gateway, sink) = gateway(lines).await;
    let asking = mail().saying("ENVID=QQ7").to("team@local.example");
    let asking = asking.asking("NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Team@local.example");
    let id = gateway.submit(asking).await.expect_accepted();
    let arrived = sink.expect(2).await;
    let report = arrived.iter().find(|mail| mail.sender().is_empty()).expect("a report");
    for line in [
        "Original-Envelope-Id: QQ7",
        "Original-Recipient: rfc822; Team@local.example",
        "Final-Recipient: rfc822; team@local.example",
        "Action: expanded",
        "Status: 2.0.0",
    ] {
        assert!(report.text().lines().any(|found| found == line), "{line}\n{}", report.text());
    }
    let mail = arrived.iter().find(|mail| !mail.sender().is_empty()).expect("the mail");
    let told = " NOTIFY=FAILURE ORCPT=rfc822;Team@local.example";
    assert_eq!(mail.rcpt, [format!("TO:<a@x.test>{told}"), format!("TO:<b@x.test>{told}")]);
    gateway.log().expect(&format!("{id}: sender delivery status notification: ")).await;
    gateway.queue().expect_empty().await;
    assert_eq!(gateway.log().count("sender delivery status notification"), 1);
}

#[tokio::test]
async fn a_report_to_a_sender_who_is_an_alias_goes_where_the_alias_leads() {
    let script = Script::smtp().replying_for("user@local.example", Point::Rcpt, "550 5.1.1 No");
    let sink = Sink::start(script).await;
    let lines = "always_bcc = \"spy@x.test\"\n\
                 virtual_alias_maps = [\"inline:{sender@client.example=box@store.test}\"]";
    let gateway = Gateway::start(&Setup::before(&sink).section("rewriting", lines)).await;
    let _ = gateway.submit(mail()).await.expect_accepted();
    let arrived = sink.expect(2).await;
    let report = arrived.iter().find(|mail| mail.sender().is_empty()).expect("a report");
    assert_eq!(report.recipients(), ["box@store.test"], "and nobody has a copy of it");
}

async fn gateway(lines: &str) -> (Gateway, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    let gateway = Gateway::start(&Setup::before(&sink).section("rewriting", lines)).await;
    (gateway, sink)
}

fn all_recipients(mails: &[mailweir_tests::sink::Received]) -> Vec<&str> {
    mails.iter().flat_map(|mail| mail.recipients()).collect()
}
