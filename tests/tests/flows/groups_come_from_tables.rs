//! Which groups a sender is in stands in a table of any type.

use mailweir_tests::{
    gateway::{Gateway, Mail, Setup, USER, USER_PASSWORD, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn the_log_in_is_asked_for_then_the_sender_then_its_domain() {
    let (gateway, _sink) = gateway(
        "group_maps = [\"inline:{alice=audit, {bob@local.example = sales staff}, \
         @local.example=audit, @other.example=staff}\"]",
    )
    .await;
    for (login, sender, waits) in [
        // The log-in has the last word, whatever the address says.
        (true, "bob@local.example", false),
        (false, "bob@local.example", true),
        (false, "Bob@LOCAL.example", true),
        (false, "eve@local.example", false),
        (false, "eve@other.example", true),
        (false, "eve@third.example", false),
    ] {
        expect(&gateway, login, mail().from(sender), waits).await;
    }
}

#[tokio::test]
async fn a_table_that_answers_for_any_key_puts_everybody_into_a_group() {
    let (gateway, _sink) = gateway("group_maps = [\"static:staff\"]").await;
    expect(&gateway, false, mail().from("eve@third.example"), true).await;
    expect(&gateway, true, mail().from("eve@third.example"), true).await;
    expect(&gateway, false, mail().from(""), false).await;
}

#[tokio::test]
async fn patterns_are_asked_for_the_log_in_and_for_the_whole_address() {
    let tables = tempfile::tempdir().unwrap();
    let file = tables.path().join("groups");
    std::fs::write(&file, "/^alice$/ audit\n/^s-.*@local\\.example$/ staff\n").unwrap();
    let (gateway, _sink) = gateway(&format!("group_maps = [\"pcre:{}\"]", file.display())).await;
    expect(&gateway, false, mail().from("s-ann@local.example"), true).await;
    expect(&gateway, false, mail().from("ann@local.example"), false).await;
    expect(&gateway, true, mail().from("s-ann@local.example"), false).await;
}

#[tokio::test]
async fn where_a_table_cannot_tell_the_mail_is_put_off_and_nothing_is_kept() {
    let (gateway, sink) = gateway("group_maps = [\"inline:{a=b}\", \"fail:broken\"]").await;
    gateway.submit(mail()).await.expect_refused("451 4.3.0 *");
    gateway.log().expect("warning: *: the mail is put off: *fail:broken").await;
    assert!(gateway.queue().list().await.is_empty());
    sink.expect_nothing();
}

#[tokio::test]
async fn no_table_is_asked_if_no_rule_names_a_group() {
    let sink = Sink::start(Script::smtp()).await;
    let rule = "[[moderation.rule]]\nname = \"all\"\naction = \"approval\"\n\
                moderators = [\"ann@local.example\"]\n";
    let setup =
        Setup::before(&sink).section("moderation", "group_maps = [\"fail:broken\"]").sections(rule);
    let gateway = Gateway::start(&setup).await;
    expect(&gateway, false, mail(), true).await;
}

async fn gateway(lines: &str) -> (Gateway, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    let rule = "[[moderation.rule]]\nname = \"staff\"\naction = \"approval\"\n\
                moderators = [\"ann@local.example\"]\ngroups = [\"staff\"]\n";
    let listener = "mode = \"submission\"\ntls = \"none\"\nauth_in_clear = true";
    let setup = Setup::before(&sink)
        .section("moderation", lines)
        .sections(rule)
        .listener("mx", "mode = \"mx\"")
        .listener("submission", listener);
    (Gateway::start(&setup).await, sink)
}

async fn expect(gateway: &Gateway, logs_in: bool, mail: Mail, waits: bool) {
    let mut peer = gateway.connect_to(if logs_in { "submission" } else { "mx" }).await;
    peer.greet().await;
    if logs_in {
        peer.log_in(USER, USER_PASSWORD, "235 2.7.0 *").await;
    }
    let answer = peer.send(&mail).await;
    assert_eq!(
        answer.reply().contains("(held for approval)"),
        waits,
        "{mail:?} {}",
        answer.reply()
    );
    let _ = answer.expect_accepted();
    peer.leave().await;
}
