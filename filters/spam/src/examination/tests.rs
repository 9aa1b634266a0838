//! Whole mails, as they come.

mod bounds;
mod corpus;

use proptest::prelude::*;

use super::*;
use crate::{links::OwnDomains, symbols::Symbol};

const ARRIVAL: Timestamp = Timestamp::from_secs(1_795_210_205);

fn examiner() -> Examiner {
    let own =
        Own::new(OwnDomains::new(["own.example"])).with_person("Anna Kim", "anna@own.example");
    Examiner::new(Arc::new(own), ARRIVAL)
}

fn examined(mail: &[u8]) -> Examined {
    let mut examiner = examiner();
    examiner.feed(mail);
    examiner.finish()
}

fn symbols(examined: &Examined) -> Vec<Symbol> {
    examined.findings.iter().map(Finding::symbol).collect()
}

/// All that was found, in words.
fn in_words(examined: &Examined) -> (Vec<String>, Vec<Finding>, String) {
    let Examined { tokens, findings, links } = examined;
    let tokens = tokens.as_slice().iter().map(|token| tokens.text(token)).collect();
    (tokens, findings.clone(), format!("{:?} {}", links.found(), links.scripts()))
}

const HEADER: &str = "From: Anna Lee <anna@else.example>\r\nTo: bob@own.example\r\n\
    Date: Fri, 20 Nov 2026 21:30:05 +0000\r\nSubject: Lunch\r\nMessage-ID: <1.2@else.example>\r\n\
    MIME-Version: 1.0\r\n";

const PHISH: &str = "From: Anna Kim <x@gmail.com>\r\nTo: bob@own.example\r\nSubject: =?utf-8?B?VVJHRU5U?= PAYMENT\r\n\
    Message-ID: <1.2@gmail.com>\r\nDate: Fri, 20 Nov 2026 21:30:05 +0000\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\r\nnot seen\r\n--b\r\n\
    Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
    <a href=3D\"http://evil.test/login\">https://own.example/</a><form action=3D\"http://form.test/\">\r\n\
    <input type=3Dpassword></form>Vi<!-- x -->ag<b style=3D'display:none'>y</b>ra=\r\n now\r\n--b\r\n\
    Content-Type: application/pdf; name=\"a.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n\
    UEsDBAoAAAAAAAAAAAAAAAAAAAAAAAAAAAAHAAAAcnVuLmV4ZQ==\r\n--b\r\n\
    Content-Disposition: attachment; filename*=utf-8''a%E2%80%AEgpj.exe\r\n\r\nMZ\r\n--b--\r\n";

#[test]
fn an_ordinary_mail_shows_nothing() {
    let mail = format!("{HEADER}\r\nSee you at noon.\r\n");
    let examined = examined(mail.as_bytes());
    assert_eq!(symbols(&examined), []);
    assert!(examined.tokens.as_slice().len() > 10);
    assert!(examined.links.to_ask(10).is_empty());
}

#[test]
fn all_sorts_of_evidence_come_together() {
    let examined = examined(PHISH.as_bytes());
    assert_eq!(
        symbols(&examined),
        [
            Symbol::FromNameSpoofsUser,
            Symbol::HeaderNeedlessEncoding,
            Symbol::SubjectAllCapitals,
            Symbol::HtmlForm,
            Symbol::HtmlFormPassword,
            Symbol::HtmlAlone,
            Symbol::UrlShowsOwnDomain,
            Symbol::AttachmentExecutable,
            Symbol::ArchiveExecutable,
            Symbol::AttachmentTypeMismatch,
            Symbol::AttachmentNameBidi,
        ]
    );
    let asked: Vec<_> = examined.links.to_ask(10).iter().map(ToString::to_string).collect();
    assert_eq!(asked, ["evil.test", "form.test"]);
    let tokens: Vec<_> = in_words(&examined).0;
    assert!(tokens.contains(&"viagra".to_owned()), "{tokens:?}");
}

#[test]
fn text_in_a_charset_that_it_is_not_in_is_told_of_each_kind_of_text() {
    let garbled = "\u{be}\u{c8}\u{b3}\u{e7}\u{c7}\u{cf}\u{bc}\u{bc}\u{bf}\u{e4} ".repeat(5);
    let garbled: Vec<u8> = garbled.chars().map(|letter| u8::try_from(letter).unwrap()).collect();
    for kind in ["plain", "html"] {
        let head = format!("{HEADER}Content-Type: text/{kind}; charset=\"ISO-8859-1\"\r\n\r\n");
        let mut wanted = vec![Symbol::CharsetOtherScript];
        wanted.splice(0..0, (kind == "html").then_some(Symbol::HtmlAlone));
        assert_eq!(symbols(&examined(&[head.as_bytes(), &garbled].concat())), wanted, "{kind}");
    }
}

#[test]
fn each_symbol_is_told_once_with_what_was_seen_first() {
    let part = |name: &str| {
        format!("--b\r\nContent-Disposition: attachment; filename={name}\r\n\r\nx\r\n")
    };
    let mail = format!(
        "{HEADER}Content-Type: multipart/mixed; boundary=b\r\n\r\n{}{}--b--\r\n",
        part("first.exe"),
        part("second.exe")
    );
    let found = examined(mail.as_bytes()).findings;
    let [found] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((found.symbol(), found.evidence()), (Symbol::AttachmentExecutable, "first.exe"));
}

#[test]
fn fields_of_parts_are_none_of_the_mail() {
    let mail = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nFrom: a@b.example\r\n\r\nx\r\n--b--\r\n";
    assert!(symbols(&examined(mail.as_bytes())).contains(&Symbol::MissingFrom));
}

#[test]
fn an_examiner_lives_between_pieces_wherever_its_session_does() {
    fn is_send<T: Send + 'static>(_: &T) {}
    is_send(&examiner());
}

proptest! {
    #[test]
    fn how_a_mail_is_divided_changes_nothing(
        cuts in proptest::collection::vec(0..PHISH.len(), 0..12), times in 1_usize..12,
    ) {
        let mail = PHISH.repeat(times);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut * times).collect();
        cuts.sort_unstable();
        let mut examiner = examiner();
        let mut from = 0;
        for cut in cuts.into_iter().chain([mail.len()]) {
            examiner.feed(&mail.as_bytes()[from..cut]);
            from = cut;
        }
        prop_assert_eq!(in_words(&examiner.finish()), in_words(&examined(mail.as_bytes())));
    }

    #[test]
    fn no_mail_panics(
        pieces in proptest::collection::vec(
            prop_oneof![
                "[\\PC]{0,12}",
                "(From|Subject|Date|Content-Type|Content-Disposition|Content-Transfer-Encoding): ?",
                "(text/html|text/plain|multipart/mixed|message/rfc822|application/zip|base64|quoted-printable)",
                "(; ?(boundary|charset|name|filename\\*?)=\"?(a|b|euc-kr|iso-2022-jp|utf-8''%E2%80%AE)?)",
                "(--a|--b|--a--)?\r\n", "\r\n\r\n", "<(a href|p style|font color|img src|!--|/a|/p|td)[ =\"':;#a-z0-9/.%-]{0,20}>?",
                "(PK\u{3}\u{4}|MZ|%PDF-|begin 644 x\r\n|=\\?utf-8\\?[bq]\\?)",
            ],
            0..40,
        ),
    ) {
        let mail = pieces.concat();
        let found = examined(mail.as_bytes());
        prop_assert!(found.findings.is_sorted_by_key(Finding::symbol));
    }

    #[test]
    fn no_bytes_panic(mail in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = examined(&mail);
    }
}
