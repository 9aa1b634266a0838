//! Stories of senders and who may use them.

use mailweir_mail::TlsSummary;

use super::world::{World, stranger};
use crate::restrictions::*;

const NOT_LOGGED_IN: &str = "553 5.7.1 <a@a.example>: Sender address rejected: not logged in";

fn not_owned(sender: &str, user: &str) -> String {
    format!("553 5.7.1 <{sender}>: Sender address rejected: not owned by user {user}")
}

#[test]
fn a_sender_with_owners_is_theirs() {
    let world = World::default().owner("a@a.example", "alice, Anna\tann");
    let (any, authenticated, unauthenticated, known) = (
        "reject_sender_login_mismatch",
        "reject_authenticated_sender_login_mismatch",
        "reject_unauthenticated_sender_login_mismatch",
        "reject_known_sender_login_mismatch",
    );
    let says = |list: &str, login, sender| {
        world.recipient_list(list, &Transaction { login, sender: Some(sender), ..stranger() })
    };
    for list in [any, authenticated, unauthenticated, known] {
        for login in ["alice", "ANNA", "ann"] {
            assert_eq!(says(list, Some(login), "a@a.example"), "permit", "{list} {login}");
        }
        assert_eq!(says(list, None, "x@x.example"), "permit", "{list}");
        assert_eq!(says(list, Some("bob"), ""), "permit", "{list}");
    }
    assert_eq!(says(any, Some("bob"), "a@a.example"), not_owned("a@a.example", "bob"));
    assert_eq!(says(authenticated, Some("bob"), "a@a.example"), not_owned("a@a.example", "bob"));
    assert_eq!(says(known, Some("bob"), "a@a.example"), not_owned("a@a.example", "bob"));
    assert_eq!(says(unauthenticated, Some("bob"), "a@a.example"), "permit");
    assert_eq!(says(any, Some("bob"), "x@x.example"), not_owned("x@x.example", "bob"));
    assert_eq!(says(authenticated, Some("bob"), "x@x.example"), not_owned("x@x.example", "bob"));
    assert_eq!(says(known, Some("bob"), "x@x.example"), "permit");
    assert_eq!(says(any, None, "a@a.example"), NOT_LOGGED_IN);
    assert_eq!(says(unauthenticated, None, "a@a.example"), NOT_LOGGED_IN);
    assert_eq!(says(known, None, "a@a.example"), NOT_LOGGED_IN);
    assert_eq!(says(authenticated, None, "a@a.example"), "permit");
}

#[test]
fn a_table_of_logins_is_asked_only_of_who_logged_in() {
    let world = World::default().table("hash:/logins", "bob REJECT Not today\neve OK");
    let list = "check_sasl_access hash:/logins";
    let says = |login| world.recipient_list(list, &Transaction { login, ..stranger() });
    assert_eq!(says(Some("bob")), "554 5.7.1 <bob>: SASL login name rejected: Not today");
    assert_eq!(says(Some("eve")), "permit");
    assert_eq!(says(None), "permit");
}

#[test]
fn encryption_and_manners_can_be_asked_for() {
    let world = World::default();
    assert_eq!(
        world.recipient_list("reject_plaintext_session", &stranger()),
        "450 4.7.1 Session encryption is required"
    );
    let tls = TlsSummary { version: "TLSv1.3".into(), cipher: "x".into(), bits: 256 };
    let encrypted = Transaction { tls: Some(&tls), ..stranger() };
    assert_eq!(world.recipient_list("reject_plaintext_session", &encrypted), "permit");
    let hasty = Transaction { pipelined: true, ..stranger() };
    assert_eq!(
        world.recipient_list("reject_unauth_pipelining", &hasty),
        "503 5.5.0 <b@b.example>: Recipient address rejected: Improper use of SMTP command pipelining"
    );
}
