//! Mails of several languages, invented.

use super::*;

/// Texts of good mail and of spam, and one more of each to be judged.
struct Language {
    ham: &'static [&'static str],
    spam: &'static [&'static str],
    unseen: (&'static str, &'static str),
}

const LANGUAGES: [Language; 6] = [
    Language {
        ham: &[
            "The build is broken since the last merge, could you look at the test?",
            "Notes of the meeting are in the shared folder, see you on the train.",
        ],
        spam: &[
            "Lowest prices on watches! Order today, satisfaction guaranteed!",
            "You have been selected to receive a loan, apply today, no credit check!",
        ],
        unseen: (
            "Could you look at the notes in the shared folder before the meeting?",
            "Order watches today! Lowest prices guaranteed, no credit check!",
        ),
    },
    Language {
        ham: &[
            "내일 회의 자료를 공유 폴더에 올렸습니다. 확인 부탁드립니다.",
            "지난주 출장 보고서를 첨부합니다. 의견 주시면 반영하겠습니다.",
        ],
        spam: &[
            "(광고) 무담보 신용대출 당일 입금! 지금 바로 무료 상담 신청하세요",
            "[광고] 명품 시계 특가 할인! 오늘만 무료 배송 지금 주문하세요",
        ],
        unseen: (
            "출장 보고서를 공유 폴더에 올렸습니다. 의견 부탁드립니다.",
            "오늘만 특가! 신용대출 무료 상담 지금 신청하세요",
        ),
    },
    Language {
        ham: &[
            "明日の会議の資料を添付します。ご確認をお願いいたします。",
            "先週の出張報告書を共有フォルダに置きました。ご意見をください。",
        ],
        spam: &[
            "今すぐ無料登録!出会い放題、完全無料で会える",
            "必ず儲かる投資情報を無料で公開中!今すぐ登録",
        ],
        unseen: (
            "出張報告書の資料を添付します。ご意見をお願いいたします。",
            "完全無料で儲かる情報!今すぐ登録して会える",
        ),
    },
    Language {
        ham: &[
            "附件是明天会议的资料,请各位提前查看。",
            "上周的出差报告已放到共享文件夹,请提意见。",
        ],
        spam: &[
            "代开各类发票,税点优惠,欢迎来电咨询!",
            "最新促销!名牌手表低价出售,立即订购免费送货",
        ],
        unseen: ("出差报告的资料已放到共享文件夹,请查看。", "低价代开发票,优惠促销,立即来电咨询!"),
    },
    Language {
        ham: &[
            "Vous trouverez ci-joint le compte rendu de la réunion de lundi.",
            "Peux-tu relire mon rapport avant la réunion de demain ? Merci d'avance.",
        ],
        spam: &[
            "Gagnez de l'argent depuis chez vous ! Cliquez ici, offre limitée !",
            "Crédit immédiat sans justificatif ! Profitez de notre offre exceptionnelle !",
        ],
        unseen: (
            "Merci de relire le compte rendu avant la réunion.",
            "Cliquez ici et profitez : crédit immédiat, offre limitée !",
        ),
    },
    Language {
        ham: &[
            "Anbei das Protokoll der Besprechung, bitte prüft es bis morgen.",
            "Könntest du meinen Bericht vor der Besprechung noch einmal lesen? Danke!",
        ],
        spam: &[
            "Jetzt sofort Kredit ohne Schufa! Klicken Sie hier und sichern Sie sich Bargeld!",
            "Sie haben gewonnen! Sichern Sie sich jetzt Ihren Gewinn, nur heute kostenlos!",
        ],
        unseen: (
            "Bitte lest das Protokoll vor der Besprechung, danke!",
            "Klicken Sie jetzt und sichern Sie sich Ihren Kredit, nur heute kostenlos!",
        ),
    },
];

#[test]
fn mail_in_any_language_is_told_apart() {
    let mut model = Model::new(Limits { tokens: 100_000, least_mails: 5 });
    for round in 0..5 {
        for language in &LANGUAGES {
            for (class, texts) in [(Class::Ham, language.ham), (Class::Spam, language.spam)] {
                for text in texts {
                    model.learn(&mail("x", &format!("{text} {}", word(round))), class);
                }
            }
        }
    }
    for Language { unseen: (ham, spam), .. } in &LANGUAGES {
        let (good, bad) = (model.judge(&mail("y", ham)), model.judge(&mail("y", spam)));
        assert!(good.probability < 0.1, "{ham} {good:?}");
        assert!(bad.probability > 0.9, "{spam} {bad:?}");
    }
}

#[test]
fn one_mail_in_several_charsets_is_one_mail() {
    let text = "광고 무료 상담";
    let utf8 = of_mail(format!("Content-Type: text/plain; charset=x\r\n\r\n{text}").as_bytes());
    let mut korean = b"Content-Type: text/plain; charset=x\r\n\r\n".to_vec();
    // The same in EUC-KR, and the label says nothing.
    korean.extend_from_slice(&[
        0xb1, 0xa4, 0xb0, 0xed, b' ', 0xb9, 0xab, 0xb7, 0xe1, b' ', 0xbb, 0xf3, 0xb4, 0xe3,
    ]);
    let korean = of_mail(&korean);
    let hashes: Vec<u64> = korean.as_slice().iter().map(|token| token.hash()).collect();
    for token in utf8.as_slice().iter().filter(|token| !utf8.text(token).contains(':')) {
        assert!(hashes.contains(&token.hash()), "{}", utf8.text(token));
    }
}
