//! Mail that wants to deceive whoever reads of it, or to break the notice (`attacks.md` E8, H6).

use mailweir_mail::compose::is_harmful;
use mailweir_moderation::{
    Sketch,
    case::{Actor, By, Command, Kind, MOST_WORDS, Proof, To, Word},
    notice::{
        Answered, Attachment, Composed, Gathered, Language, MOST_IN_DIGEST, Notice, Recipient,
    },
    rule::Reason,
};
use proptest::prelude::*;

use super::{
    read::{Part, visible},
    sample::{Sample, address, after, by, recipient, sender},
};

/// All that strangers and colleagues choose.
#[derive(Clone, Debug)]
struct Words {
    from: String,
    subject: String,
    login: String,
    name: String,
    kind: String,
    text: String,
    reason: String,
    administrator: String,
}

impl Words {
    fn same(words: &str) -> Self {
        let words = || words.to_owned();
        Self {
            from: words(),
            subject: words(),
            login: words(),
            name: words(),
            kind: words(),
            text: words(),
            reason: words(),
            administrator: words(),
        }
    }

    fn sample(&self, language: Language) -> Sample {
        let mut sample = Sample::new(language);
        let mail = &mut sample.mail;
        mail.from = self.from.as_str().into();
        mail.subject = self.subject.as_str().into();
        mail.login = Some(self.login.as_str().into());
        mail.text = self.text.as_str().into();
        mail.attachments = vec![Attachment {
            name: self.name.as_str().into(),
            kind: Some(self.kind.as_str().into()),
            size: Some(1),
        }];
        mail.reasons = vec![
            Reason::Subject(self.subject.as_str().into()),
            Reason::Text(self.text.as_str().into()),
            Reason::AttachmentName(self.name.as_str().into()),
            Reason::AttachmentType(self.kind.as_str().into()),
        ];
        sample
    }

    /// A notice of each way in which foreign words are shown.
    fn notices(&self, language: Language) -> Vec<Composed> {
        let sample = self.sample(language);
        let open = sample.open(Kind::Approval);
        let boss = address("boss@own.example");
        let reason = format!("{}!", self.reason).into_boxed_str();
        let said = after(&open, &[Command::Comment { by: by(&boss), text: reason.clone() }]);
        let administrator = Actor::Administrator(self.administrator.as_str().into());
        let root = By { who: administrator, proof: Proof::Api, from: None };
        let rejected = after(&open, &[Command::Reject { by: root, reason }]);
        let late = Notice::Answered { result: Answered::Done, about: sample.about(&rejected) };
        vec![
            sample.owed(&said, Word::Request, &To::Moderator(boss.clone())),
            sample.owed(&open, Word::Held, &To::Sender),
            sample.owed(&open, Word::NoModerator, &To::Administrators),
            sample.owed(&rejected, Word::Decided, &To::Sender),
            sample.owed(&rejected, Word::Decided, &To::Moderator(boss.clone())),
            sample.compose(&late, &boss),
            sample.digest(Gathered::Requests, &open, 2),
            sample.digest(Gathered::News, &rejected, MOST_IN_DIGEST),
        ]
    }
}

fn nasty() -> impl Strategy<Value = String> {
    let evil = prop_oneof![
        Just("\r\nBcc: <victim@x.example>\r\n".to_owned()),
        Just("\r\n\r\n--=_a0000000000005eed--\r\n".to_owned()),
        Just("\0\u{1b}[2J\u{202e}\u{2066}\u{85}".to_owned()),
        Just("</td></table><script>alert(1)</script>".to_owned()),
        Just("\" onmouseover=\"x\" a='".to_owned()),
        Just("=?UTF-8?B?DQpCY2M6IHg=?=".to_owned()),
        Just("a".repeat(998)),
        Just("한".repeat(1_000)),
        Just("e\u{301}".repeat(500) + &"\u{301}".repeat(500)),
        any::<String>(),
    ];
    prop::collection::vec(evil, 0..4).prop_map(|parts| parts.concat())
}

fn words() -> impl Strategy<Value = Words> {
    let texts = (nasty(), nasty(), nasty(), nasty(), nasty(), nasty(), nasty(), nasty());
    texts.prop_map(|(from, subject, login, name, kind, text, reason, administrator)| Words {
        from,
        subject,
        login,
        name,
        kind,
        text,
        // A case takes no more, with the sign that ends it.
        reason: reason.chars().take(MOST_WORDS - 1).collect(),
        administrator,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is in a mail: no field and no part is added, lines stay short, nothing hidden is left,
    /// no markup is made, and the notice stays small.
    #[test]
    fn foreign_words_add_nothing_to_a_notice(
        words in words(), language in prop::sample::select(Language::ALL.to_vec()),
    ) {
        for mail in words.notices(language) {
            assert_sound(&mail);
        }
    }
}

fn assert_sound(mail: &Composed) {
    let bytes = std::str::from_utf8(&mail.before).unwrap();
    assert!(bytes.is_ascii() && mail.before.len() < 100_000, "{}", mail.before.len());
    let mut lines = bytes.split("\r\n");
    assert!(lines.all(|line| line.len() <= 100 && !line.contains(['\r', '\n', '\0'])), "{bytes}");
    let mail = Part::of(&mail.before);
    let names: Vec<&str> = mail
        .header
        .lines()
        .filter(|line| !line.starts_with(' '))
        .map(|line| line.split(':').next().unwrap())
        .collect();
    assert!(names.iter().all(|name| KNOWN.contains(name)), "{names:?}");
    assert_eq!(names.iter().filter(|name| **name == "Subject").count(), 1);
    assert!(!mail.subject().contains(is_harmful) && mail.subject().chars().count() < 250);
    let (text, html) = mail.both();
    assert!(!text.replace("\r\n", "").contains(is_harmful), "{text:?}");
    assert!(!html.replace("\r\n", "").contains(is_harmful), "{html:?}");
    for tag in html.split('<').skip(1) {
        let name = tag.split([' ', '>', '\n', '\r']).next().unwrap();
        assert!(TAGS.contains(&name.trim_start_matches('/')), "<{name}");
        assert!(!tag.split('>').next().unwrap().contains("onmouseover="), "{tag}");
    }
    assert!(html.ends_with("</html>\r\n") && html.matches("</html>").count() == 1);
}

#[test]
fn markup_is_shown_as_it_was_written() {
    let evil = "<b onclick=\"x('&amp;')\">bold</b>";
    for mail in Words::same(evil).notices(Language::En) {
        let (text, html) = Part::of(&mail.before).both();
        assert!(text.contains(evil) && !html.contains("<b ") && !html.contains("onclick=\""));
        assert!(visible(&html).contains(evil), "{html}");
    }
}

#[test]
fn a_link_of_the_mail_is_no_link_of_the_notice() {
    for mail in Words::same("https://evil.example/x www.evil.example").notices(Language::Fr) {
        let (text, html) = Part::of(&mail.before).both();
        // What moderators say stands as they said it.
        for line in text.lines().filter(|line| line.contains("evil.example")) {
            assert!(line.ends_with("www.evil.example!"), "{line}");
        }
        assert!(!Part::of(&mail.before).subject().contains("https:"));
        assert!(!html.contains("href=\"https://evil") && !html.contains("href=\"http://evil"));
    }
}

#[test]
fn no_crowd_of_colleagues_hides_the_one_outside() {
    let mut sample = Sample::new(Language::En);
    let colleague = |n: u32| recipient(&format!("colleague{n}@own.example"), false, false);
    let mut all: Vec<Recipient> = (0..500).map(colleague).collect();
    all.push(recipient("rival@outside.example", true, true));
    sample.mail.recipients = all;
    let boss = To::Moderator(address("boss@own.example"));
    let mail = sample.owed(&sample.open(Kind::Approval), Word::Request, &boss);
    let mail = Part::of(&mail.before);
    let (text, _) = mail.both();
    assert!(mail.subject().ends_with("501 recipients (1 outside)"), "{}", mail.subject());
    assert!(text.contains("- rival@outside.example [outside] [Bcc]\r\n"), "{text}");
    assert!(text.contains("- and 491 more\r\n") && text.len() < 5_000);
}

#[test]
fn moderator_and_sender_read_that_others_have_the_mail_already() {
    for (language, one, some) in [
        (Language::En, "1 other recipient (already sent)", "3 other recipients (already sent)"),
        (Language::Ko, "다른 수신자 1명(이미 발송됨)", "다른 수신자 3명(이미 발송됨)"),
        (Language::Ja, "ほか1名(送信済み)", "ほか3名(送信済み)"),
        (
            Language::Fr,
            "1 autre destinataire (déjà envoyé)",
            "3 autres destinataires (déjà envoyé)",
        ),
    ] {
        for (count, said) in [(1, one), (3, some)] {
            let mut sample = Sample::new(language);
            sample.mail.sent_to = count;
            let boss = To::Moderator(address("boss@own.example"));
            for (word, to) in [(Word::Request, boss), (Word::Held, To::Sender)] {
                let mail = sample.owed(&sample.open(Kind::Approval), word, &to);
                let (text, html) = Part::of(&mail.before).both();
                assert!(text.contains(said), "{text}");
                assert!(visible(&html).contains(said), "{html}");
            }
        }
    }
}

#[test]
fn what_was_kept_of_a_mail_is_shown_as_far_as_it_goes() {
    let sketch = Sketch {
        subject: "Kept".into(),
        text: vec!["one".into(), "two".into()],
        attachments: vec!["a.pdf".into(); 12],
        more_attachments: 3,
    };
    let mut sample = Sample::new(Language::En);
    sample.mail = sample.mail.with(&sketch);
    let boss = To::Moderator(address("boss@own.example"));
    let mail = sample.owed(&sample.open(Kind::Approval), Word::Request, &boss);
    let (text, _) = Part::of(&mail.before).both();
    assert!(text.contains("\r\nSubject: Kept\r\n") && text.contains("\r\n| one\r\n| two\r\n"));
    assert_eq!(text.matches("  - a.pdf\r\n").count(), 10);
    assert!(text.contains("  - and 5 more\r\n"), "{text}");
}

#[test]
fn a_from_field_that_lies_stands_beside_the_envelope_sender() {
    let mut sample = Sample::new(Language::En);
    let text = |sample: &Sample| {
        let mail =
            sample.owed(&sample.open(Kind::Approval), Word::Request, &To::Moderator(sender()));
        Part::of(&mail.before).both().0
    };
    assert!(!text(&sample).contains("Envelope sender"));
    sample.mail.from = "kim@own.example <ceo@own.example>".into();
    assert!(text(&sample).contains("\r\nEnvelope sender: kim@own.example\r\n"));
}

const KNOWN: [&str; 14] = [
    "Date",
    "From",
    "Reply-To",
    "To",
    "Subject",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "Content-Language",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

const TAGS: [&str; 18] = [
    "!DOCTYPE",
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "table",
    "tr",
    "td",
    "span",
    "h1",
    "p",
    "div",
    "a",
    "!--[if",
    "![endif]--",
    "![endif]",
];
