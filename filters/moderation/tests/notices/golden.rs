//! What each notice looks like: all of a language in one file, for those who speak it, and the HTML in
//! English. `BLESS=1` writes the files anew.

use std::{fmt::Write as _, path::PathBuf};

use mailweir_moderation::{
    case::{Actor, By, Command, Kind, Proof, QueueDeed, To},
    case_file::LastWord,
    notice::Language,
};

use super::{
    read::{Part, visible},
    sample,
};

#[test]
fn notices_read_like_this_in_each_language() {
    for language in Language::ALL {
        let mut file = String::new();
        for (name, mail) in sample::all(language) {
            let mail = Part::of(&mail.before);
            let (text, _) = mail.both();
            let _ = write!(file, "==== {name} ====\n{}\n\n{text}\n", mail.subject());
        }
        assert_golden(&format!("{}.txt", language.tag()), &file);
    }
}

#[test]
fn the_html_looks_like_this() {
    for (name, mail) in sample::all(Language::En) {
        assert_golden(&format!("{name}.html"), &Part::of(&mail.before).both().1);
    }
}

#[test]
fn of_a_damaged_mail_its_sender_hears_when_an_operator_has_sent_it() {
    let sample = sample::Sample::new(Language::En);
    let damaged = sample::after(&sample.open(Kind::Approval), &[Command::Condemn]);
    let follow = |deed| {
        let who = Actor::Administrator("root".into());
        let by = By { who, proof: Proof::CommandLine, from: None };
        sample::after(&damaged, &[Command::Follow { by, deed }])
    };
    let said = LastWord::Said;
    for (case, last_word, tag) in [
        (&damaged, LastWord::Awaited, "[Damaged]"),
        (&follow(QueueDeed::Deleted), said(QueueDeed::Deleted), "[Discarded]"),
        (&follow(QueueDeed::Released), said(QueueDeed::Released), "[Sent]"),
    ] {
        let mail = Part::of(&sample.left(case, last_word, &To::Sender).before);
        assert!(mail.subject().starts_with(tag), "{}", mail.subject());
        assert!(!mail.both().0.contains("Decided"), "{}", mail.both().0);
    }
}

/// `PAGES=directory` writes the HTML of all languages there, to be looked at in a browser.
#[test]
#[expect(clippy::disallowed_methods, reason = "a switch for the person who runs the test")]
fn every_page_is_small_and_needs_nothing_from_elsewhere() {
    let directory = std::env::var_os("PAGES").map(PathBuf::from);
    for language in Language::ALL {
        for (name, mail) in sample::all(language) {
            let (_, html) = Part::of(&mail.before).both();
            assert!(html.len() < 100_000, "{name}");
            for bad in ["<script", "<img", "<link", "<iframe", "url(", "@import", " src=", " on"] {
                let in_tags = html.split('<').filter_map(|tag| tag.split('>').next());
                assert!(
                    !in_tags.map(|tag| format!("<{tag}")).any(|tag| tag.contains(bad)),
                    "{bad}"
                );
            }
            if let Some(directory) = &directory {
                let page = directory.join(format!("{name}.{}.html", language.tag()));
                std::fs::write(page, html).unwrap();
            }
        }
    }
}

#[test]
fn the_header_looks_like_this() {
    let mut file = String::new();
    for language in Language::ALL {
        let [(_, request), (_, reminder), ..] = &sample::all(language)[..] else { panic!() };
        for mail in [request, reminder] {
            file.push_str(&Part::of(&mail.before).header);
            file.push('\n');
        }
    }
    assert_golden("headers.txt", &file);
}

#[test]
fn text_and_html_say_the_same() {
    for language in Language::ALL {
        for (name, mail) in sample::all(language) {
            let (text, html) = Part::of(&mail.before).both();
            let shown = visible(&html);
            for line in text.lines().filter(|line| !line.is_empty() && *line != "-- ") {
                let line = line.trim_start_matches(['|', '*', '-', ' ']);
                // Behind a word that stands for it, an address need not be seen.
                let (line, url) = line.split_at(line.find("https://").unwrap_or(line.len()));
                assert!(html.contains(url), "{name}: {url} is not in {html}");
                let pieces = line.split(": ").flat_map(|piece| piece.split([':', '[', ']']));
                for piece in pieces {
                    let piece = piece.trim_matches([' ', '\u{a0}']);
                    assert!(shown.contains(piece), "{name}: {piece:?} is not in {shown}");
                }
            }
        }
    }
}

#[test]
fn every_notice_begins_with_its_own_words() {
    for language in Language::ALL {
        let all = sample::all(language);
        let first = |mail: &[u8]| Part::of(mail).both().0.lines().next().unwrap().to_owned();
        let mut seen: Vec<String> = all.iter().map(|(_, mail)| first(&mail.before)).collect();
        seen.sort();
        seen.dedup();
        // Two answers could not be carried out, and an approval is one though an operator has the mail.
        assert_eq!(seen.len(), all.len() - 2, "{seen:#?}");
    }
}

#[expect(clippy::disallowed_methods, reason = "a switch for the person who runs the test")]
fn assert_golden(name: &str, actual: &str) {
    let actual = actual.replace("\r\n", "\n");
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "src/notice/golden", name].iter().collect();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(path).unwrap();
    for (number, (actual, expected)) in actual.lines().zip(expected.lines()).enumerate() {
        assert_eq!(actual, expected, "{name}, line {}", number + 1);
    }
    assert_eq!(actual.lines().count(), expected.lines().count(), "{name}");
}
