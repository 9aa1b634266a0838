//! Answers as people write them.

use super::*;

fn approve(comment: &str) -> Answer {
    Answer::Approve { comment: comment.into() }
}

fn reject(reason: &str) -> Answer {
    Answer::Reject { reason: reason.into() }
}

#[test]
fn the_first_word_decides_in_four_languages() {
    for (text, answer) in [
        ("approve", approve("")),
        ("Approved.", approve("")),
        ("OK", approve("")),
        ("Yes!", approve("")),
        ("승인", approve("")),
        ("승인. 수고하셨습니다", approve("수고하셨습니다")),
        ("承認", approve("")),
        ("承認、お願いします", approve("お願いします")),
        ("Valider", approve("")),
        ("ｏｋ", approve("")),
        ("reject: wrong price", reject("wrong price")),
        ("Reject - wrong price", reject("wrong price")),
        ("reject wrong price", reject("wrong price")),
        ("no", reject("")),
        ("반려: 금액 확인", reject("금액 확인")),
        ("却下", reject("")),
        ("Refuser, prix faux", reject("prix faux")),
        ("差戻し: 宛先", Answer::Return { reason: "宛先".into() }),
        ("差し戻し：宛先", Answer::Return { reason: "宛先".into() }),
        ("수정 요청: 제목", Answer::Return { reason: "제목".into() }),
        ("수정요청: 제목", Answer::Return { reason: "제목".into() }),
        ("return: the price", Answer::Return { reason: "the price".into() }),
        ("valider : merci", approve("merci")),
        ("valider\u{a0}: merci", approve("merci")),
        ("Validé\u{202f}!", approve("")),
        ("Oui\u{a0}!", approve("")),
        ("refuser\u{a0}: prix faux", reject("prix faux")),
        ("Renvoyer\u{a0}: le prix est faux", Answer::Return { reason: "le prix est faux".into() }),
        ("À corriger : le prix", Answer::Return { reason: "le prix".into() }),
        ("Corriger le prix", Answer::Return { reason: "le prix".into() }),
        ("Refuser, merci de corriger le prix", reject("merci de corriger le prix")),
        ("à corriger", Answer::Return { reason: "".into() }),
    ] {
        assert_eq!(read([text]), answer, "{text}");
    }
}

#[test]
fn what_is_not_clear_decides_nothing() {
    for text in [
        "",
        "No problem, approve it",
        "ok but not to the second one",
        "yes and no",
        "I approve",
        "Should I approve?",
        "approve?",
        "approve or reject",
        "approve, no wait, reject",
        "approval",
        "승인하지 마세요",
        "승인 안 합니다",
        "반려 하지 마세요",
        "approve not",
        "承認しません",
        "approver",
        "valider pas encore",
        "Je valide",
        "valider ou renvoyer ?",
        "renvoyer, puis valider",
        "approve - not",
        "> approve",
        "-- ",
    ] {
        assert_eq!(read([text]), Answer::Unclear, "{text}");
    }
    assert_eq!(read([]), Answer::Unclear);
}

#[test]
fn the_mail_that_is_answered_is_no_answer() {
    for quoted in [
        "> approve or reject this mail",
        "On Fri, 20 Nov 2026, Mailweir wrote:",
        "Le ven. 20 nov. 2026 à 10:00, Mailweir a écrit :",
        "2026년 11월 20일 (금) 오전 10:00, Mailweir <gate@example.org>님이 작성:",
        "2026年11月20日(金) 10:00 Mailweir <gate@example.org>:",
        "-----Original Message-----",
        "________________________________",
        "*From:* Mailweir <gate@example.org>",
        "De\u{a0}: Mailweir <gate@example.org>",
        "Le 20 nov. 2026 à 10:00, Mailweir <gate@example.org> a écrit\u{a0}:",
        "2026. 11. 20. 오전 10:00, Mailweir <gate@example.org> 작성:",
        "2026/11/20 10:00、Mailweir <gate@example.org>のメール:",
        "Sent from my iPhone",
        "Get Outlook for iOS<https://aka.ms/o0ukef>",
        "나의 iPhone에서 보냄",
        "iPhoneから送信",
        "Envoyé de mon iPhone",
        "보낸 사람: Mailweir",
        "差出人: Mailweir",
        "-- ",
    ] {
        assert_eq!(
            read(["", "reject", "too big", "", quoted, "approve"]).clone(),
            match quoted.starts_with('>') {
                true => reject("too big\n\napprove"),
                false => reject("too big"),
            }
        );
        assert_eq!(
            read([quoted, "reject"]),
            match quoted.starts_with('>') {
                true => reject(""),
                false => Answer::Unclear,
            }
        );
    }
}

#[test]
fn a_reason_is_kept_short() {
    let long = "x".repeat(3000);
    let Answer::Reject { reason } = read(["reject", &long]) else { panic!() };
    assert_eq!(reason.len(), 2000);
}

#[test]
fn an_attribution_may_go_over_several_lines() {
    for quoted in [
        &["On Fri, 20 Nov 2026 at 10:00, Mail approval <approval@gate.example.org>", "wrote:"][..],
        &["On Fri, 20 Nov 2026 at 10:00, Mail", "approval <approval@gate.example.org>", "wrote:"],
        &["Le ven. 20 nov. 2026 à 10:00, Mailweir <gate@example.org> a", "écrit\u{a0}:"],
        &["2026년 11월 20일 (금) 오전 10:00, Mailweir <gate@example.org>님이", "작성:"],
    ] {
        let lines = [&["reject: no"], quoted, &["> approve or reject"]].concat();
        assert_eq!(read(lines), reject("no"), "{quoted:?}");
    }
    // What begins like one and is none is a comment.
    assert_eq!(read(["reject", "On Friday it is too late."]), reject("On Friday it is too late."));
}

#[test]
fn an_answer_below_the_quoted_mail_is_not_clear() {
    assert_eq!(read(["On Fri, 20 Nov 2026, Ann wrote:", "> text", "", "approve"]), Answer::Unclear);
}
