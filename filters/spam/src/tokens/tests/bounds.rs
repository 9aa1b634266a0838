//! Mails that want to be more tokens than a mail may have.

use proptest::prelude::*;

use super::*;

#[test]
fn e1_100_000_fields_are_few_tokens() {
    let mail: String = (0..100_000).map(|number| format!("X-A{number}: {number}\r\n")).collect();
    assert!(of_mail(mail.as_bytes()).as_slice().len() < 50);
}

#[test]
fn e1_500_000_addresses_are_few_tokens() {
    let mail = format!("To: {}\r\n\r\nHi", "a@b.example,\r\n ".repeat(500_000));
    let tokens = texts(&mail);
    assert_has(&tokens, &["recipients:to many"]);
    assert!(tokens.len() < 50, "{tokens:?}");
}

#[test]
fn ten_megabytes_of_one_word_are_few_tokens() {
    for word in ["word ", "word", "무", "\u{200b}", "!"] {
        let body = word.repeat(10_000_000 / word.len());
        let tokens = texts_of(&body);
        assert!(tokens.len() < 50, "{word} {}", tokens.len());
    }
}

#[test]
fn of_a_million_words_the_first_are_tokens() {
    let letter = |digit: u32| char::from_u32('a' as u32 + digit % 26).unwrap_or('a');
    let word = |number: u32| (0..5).map(|place| letter(number / 26_u32.pow(place))).collect();
    let words: Vec<String> = (0..1_000_000).map(word).collect();
    let tokens = texts_of(&words.join(" "));
    assert!((1_000..2_000).contains(&tokens.len()), "{}", tokens.len());
    assert_has(&tokens, &["aaaaa", "aaaaa baaaa"]);
}

#[test]
fn a_bag_has_room_for_so_many_and_no_more() {
    let mut tokens = Tokens::new();
    for number in 0..MOST_TOKENS * 2 {
        tokens.add(Kind::Word, &number.to_string());
    }
    assert!(tokens.as_slice().len() <= MOST_TOKENS);
    assert!(tokens.as_slice().len() > MOST_TOKENS * 9 / 10);
    let first = tokens.add(Kind::Word, "0");
    assert!(first.is_some());
    assert!(tokens.add(Kind::Word, "one more").is_none());
}

#[test]
fn the_same_word_twice_is_one_token() {
    let mut tokens = Tokens::new();
    let (one, other) = (tokens.add(Kind::Word, "a"), tokens.add(Kind::Word, "a"));
    assert_eq!(one, other);
    tokens.add_pair(one.unwrap(), other.unwrap());
    tokens.add_pair(one.unwrap(), other.unwrap());
    let texts: Vec<String> = tokens.as_slice().iter().map(|token| tokens.text(token)).collect();
    assert_eq!(texts, ["a", "a a"]);
}

proptest! {
    #[test]
    fn no_mail_panics(mail in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = of_mail(&mail);
        let _ = of_mail(&[b"Content-Type: text/html\r\n\r\n", mail.as_slice()].concat());
    }

    #[test]
    fn no_header_panics(
        name in prop_oneof![
            Just("From"), Just("To"), Just("Reply-To"), Just("Message-ID"), Just("Date"), Just("Subject"),
            Just("Content-Type"), Just("X-Mailer"), Just("X-Priority"), Just("Delivered-To"),
        ],
        value in "\\PC{0,60}|[<>@(),;:.\"a9 =-]{0,60}",
    ) {
        let _ = texts(&format!("{name}: {value}\r\n\r\n"));
    }

    #[test]
    fn no_link_panics(address in "\\PC{0,60}|[a:/@?#.%9w\\\\-]{0,60}") {
        let _ = texts(&format!("Content-Type: text/html\r\n\r\n<a href=\"{address}\">{address}</a>"));
    }
}
