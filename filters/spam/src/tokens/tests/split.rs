//! Text in words.

use proptest::prelude::*;

use super::*;
use crate::tokens::words::{Piece, Splitter};

fn pieces(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    Splitter::default().split(text, &mut |piece| {
        pieces.push(match piece {
            Piece::Word(word) => word.to_owned(),
            Piece::Capitals(word) => format!("^{word}"),
            Piece::Pair(pair) => format!("+{pair}"),
            Piece::Spelled(word) => format!("..{word}"),
            Piece::Disguised(word) => format!("?{word}"),
        });
    });
    pieces
}

#[test]
fn words_have_one_form() {
    let cases: [(&str, &[&str]); 16] = [
        ("Hello, world", &["hello", "world"]),
        ("don\u{2019}t don't", &["dont", "dont"]),
        ("FREE Free iPhone USA", &["^free", "free", "iphone", "^usa"]),
        ("Grüße aus Köln, à bientôt", &["gruße", "aus", "koln", "a", "bientot"]),
        ("$1,000,000!!!!!!", &["$", "0", "000", "000", "!!!!"]),
        ("2026 20261123", &["0000", "000000"]),
        ("mp3 365days g7MBYrZ04811", &["mp3", "365days", "x9-short"]),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", &["x-long"]),
        ("f r e e", &["f", "r", "e", "e", "..free"]),
        ("F.R.E.E now", &["f", "r", "e", "e", "..free", "now"]),
        ("a b c", &["a", "b", "c"]),
        ("vi\u{430}gra привет", &["?viagra", "привет"]),
        ("무료 상담", &["+무료", "+상담"]),
        ("今日は円", &["+今日", "+日は", "+は円"]),
        ("円 100", &["+円", "000"]),
        ("win \u{1f389}\u{1f389} now", &["win", "\u{1f389}\u{1f389}", "now"]),
    ];
    for (text, wanted) in cases {
        assert_eq!(pieces(text), wanted, "{text}");
    }
}

#[test]
fn what_cannot_be_seen_and_other_forms_do_not_hide_words() {
    let plain = texts_of("viagra free");
    let tricks = [
        "vi\u{200b}ag\u{ad}ra f\u{2060}ree",
        "ｖｉａｇｒａ ｆｒｅｅ",
        "𝓿𝓲𝓪𝓰𝓻𝓪 𝒇𝒓𝒆𝒆",
        "víágrà frèé",
    ];
    for trick in tricks {
        assert_eq!(texts_of(trick), plain, "{trick}");
    }
}

#[test]
fn words_in_html_are_those_of_text() {
    let html = "<p>Fr<b>ee</b> mon<i></i>ey</p>";
    let texts = texts(&format!("Content-Type: text/html\r\n\r\n{html}"));
    assert_has(&texts, &["free", "money", "free money", "html:b", "part:HTML alone"]);
}

proptest! {
    #[test]
    fn no_text_panics_and_no_piece_is_long(text in "\\PC{0,80}|[A-Za-z0-9 .!가-힣ぁ-ん一-龥а-я]{0,80}") {
        for piece in pieces(&text) {
            prop_assert!(!piece.is_empty() && piece.len() <= 128, "{}", piece);
        }
    }
}
