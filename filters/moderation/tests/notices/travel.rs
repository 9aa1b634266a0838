//! How notices travel: threads, answers, the original, and addresses that need more than ASCII.

use mailweir_mail::{Domain, QueueId};
use mailweir_moderation::{
    case::{Kind, To, Word},
    notice::{Attached, Gathered, Language, MOST_IN_DIGEST, MessageId, Octets, words::Verb},
    reply::{Answer, read},
};

use super::{
    read::Part,
    sample::{EIGHT_BIT, NOW, ORIGINAL, Sample, address, all},
};

fn request(attached: Attached) -> (Vec<u8>, Vec<u8>) {
    let sample = Sample { attached, ..Sample::new(Language::Ko) };
    let boss = To::Moderator(address("boss@own.example"));
    let mail = sample.owed(&sample.open(Kind::Approval), Word::Request, &boss);
    (mail.before, mail.behind)
}

#[test]
fn no_notice_is_answered_by_a_machine() {
    for (_, mail) in all(Language::Ja) {
        let mail = Part::of(&mail.before);
        assert_eq!(mail.field("Auto-Submitted").as_deref(), Some("auto-generated"));
        assert_eq!(mail.field("X-Auto-Response-Suppress").as_deref(), Some("All"));
    }
}

#[test]
fn a_flood_of_requests_is_one_mail_that_stays_small() {
    let sample = Sample::new(Language::Fr);
    let digest = sample.digest(Gathered::Requests, &sample.open(Kind::Approval), 500);
    assert!(digest.before.len() < 60_000, "{}", digest.before.len());
    let mail = Part::of(&digest.before);
    assert!(mail.subject().contains("500 messages"));
    let (text, _) = mail.both();
    assert_eq!(text.matches("\r\n* ").count(), MOST_IN_DIGEST);
    assert!(text.contains("\r\net 480 autres\r\n"));
}

#[test]
fn a_request_opens_a_thread_and_a_reminder_joins_it() {
    let all = all(Language::En);
    let field = |at: usize, name| Part::of(&all[at].1.before).field(name);
    assert_eq!(field(0, "In-Reply-To"), None);
    let references = field(1, "References").unwrap();
    assert_eq!(field(1, "In-Reply-To").as_ref(), Some(&references));
    assert_ne!(field(1, "Message-ID").unwrap(), references);
}

#[test]
fn a_message_id_is_of_one_case_one_person_and_one_notice() {
    let host = Domain::parse("gate.own.example").unwrap();
    let id = |serial, who: &str, number| {
        MessageId::of(QueueId::new(NOW, serial), &address(who), number, &host).to_string()
    };
    let one = id(7, "boss@own.example", 1);
    assert_eq!(one, id(7, "boss@OWN.example", 1));
    for other in
        [id(8, "boss@own.example", 1), id(7, "cfo@own.example", 1), id(7, "boss@own.example", 2)]
    {
        assert_ne!(one, other);
    }
    assert!(!one.contains("boss") && one.ends_with("@gate.own.example>"), "{one}");
}

#[test]
fn the_original_stands_between_the_halves_byte_for_byte() {
    let (before, behind) = request(EIGHT_BIT);
    assert!(before.is_ascii() && before.ends_with(b"\r\n\r\n"));
    let mail = Part::of(&[&before[..], ORIGINAL, &behind].concat());
    assert_eq!(mail.field("Content-Transfer-Encoding").as_deref(), Some("8bit"));
    let parts = mail.parts();
    assert_eq!(parts.len(), 2);
    assert_eq!(parts[0].both().0.matches("원본 메일이 첨부되어 있습니다.").count(), 1);
    assert_eq!(parts[1].field("Content-Type").as_deref(), Some("message/rfc822"));
    assert_eq!(parts[1].field("Content-Transfer-Encoding").as_deref(), Some("8bit"));
    assert_eq!(parts[1].body, ORIGINAL);
}

#[test]
fn what_is_attached_is_called_what_it_is() {
    for (attached, kind, encoding) in [
        (Attached::Mail(Octets::SevenBit), "message/rfc822", "7bit"),
        (Attached::Mail(Octets::Global), "message/global", "8bit"),
        (Attached::Header(Octets::SevenBit), "text/rfc822-headers", "7bit"),
        (Attached::Header(Octets::Global), "message/global-headers", "8bit"),
    ] {
        let (before, behind) = request(attached);
        let mail = Part::of(&[&before[..], b"A: b\r\n\r\n", &behind].concat());
        assert_eq!(mail.field("Content-Transfer-Encoding").as_deref(), Some(encoding));
        let original = mail.parts().remove(1);
        assert_eq!(original.field("Content-Type").as_deref(), Some(kind));
        assert_eq!(original.field("Content-Transfer-Encoding").as_deref(), Some(encoding));
    }
    assert_eq!(request(Attached::Nothing).1, b"");
}

#[test]
fn only_a_local_part_beyond_ascii_needs_smtputf8() {
    let sample = Sample::new(Language::Ko);
    let case = sample.open(Kind::Approval);
    let to = |name: &str| sample.owed(&case, Word::Request, &To::Moderator(address(name)));
    let german = to("boss@b\u{fc}cher.example");
    assert!(!german.needs_smtputf8());
    assert_eq!(
        Part::of(&german.before).field("To").as_deref(),
        Some("<boss@xn--bcher-kva.example>")
    );
    assert!(to("\u{c0ac}\u{c7a5}@own.example").needs_smtputf8());
}

#[test]
fn the_words_that_notices_ask_for_are_the_words_that_answers_are_read_by() {
    for language in Language::ALL {
        let approve = Verb::Approve.answer(language).unwrap();
        assert!(matches!(read([approve]), Answer::Approve { .. }), "{approve}");
        let reject = Verb::Reject.answer(language).unwrap();
        assert!(matches!(read([reject, "why"]), Answer::Reject { reason } if &*reason == "why"));
    }
}

#[test]
fn a_notice_that_comes_back_as_an_answer_decides_nothing() {
    for language in Language::ALL {
        for (name, mail) in all(language) {
            let (text, _) = Part::of(&mail.before).both();
            assert_eq!(read(text.lines()), Answer::Unclear, "{name}");
        }
    }
}
