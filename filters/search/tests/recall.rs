//! What auditors count on: every two characters that stand together in a mail's subject or text find
//! it. Korean, Japanese, Chinese and French, wrapped as mail programs wrap.

use std::collections::{BTreeMap, BTreeSet};

use mailweir_search::index::{Document, Index, Page, Scope};
use mailweir_search::query::Query;

/// Sentences of one language; every mail has its own choice of them.
struct Language {
    name: &'static str,
    subjects: &'static [&'static str],
    sentences: &'static [&'static str],
    /// Characters of a line; words are broken where the language does not mind.
    line: usize,
}

const MAILS: usize = 50;

const LANGUAGES: [Language; 4] = [
    Language {
        name: "ko",
        subjects: &[
            "[견적] 3분기 서버 장비 견적서 송부",
            "Re: 회의록 공유드립니다",
            "세금계산서 발행 요청의 건",
            "㈜한빛상사 계약서 검토 부탁드립니다",
            "출장비 정산 안내(10월)",
            "긴급: 배포 일정 변경",
            "신규 입사자 계정 신청",
        ],
        sentences: &[
            "안녕하세요, 영업1팀 김민수입니다.",
            "요청하신 견적서를 첨부하여 보내드립니다.",
            "검토 후 회신 부탁드립니다.",
            "다음 주 화요일 오후 2시에 회의실 B에서 뵙겠습니다.",
            "계약금 30%는 11월 말까지 입금 예정입니다.",
            "서버실 UPS교체 작업으로 20시부터 서비스가 중단됩니다.",
            "PDF파일과 엑셀(xlsx)파일을 함께 확인해 주세요.",
            "지난번에 말씀드린 단가는 ￦1,250,000원입니다.",
            "담당자가 변경되어 연락처를 다시 안내드립니다.",
            "늦어서 죄송합니다. 오늘 중으로 처리하겠습니다.",
            "개인정보처리방침이 개정되었으니 참고 바랍니다.",
            "박과장님께서 승인하시면 바로 발주하겠습니다.",
            "첨부파일의 암호는 별도로 문자메시지로 보내드렸습니다.",
            "ＡＢＣ테크놀로지와의 ＮＤＡ는 이미 체결되었습니다.",
            "각 부서는 金額을 다시 한번 확인하시기 바랍니다.",
            "감사합니다.",
        ],
        line: 28,
    },
    Language {
        name: "ja",
        subjects: &[
            "見積書送付の件",
            "Re: 第3回定例会議のお知らせ",
            "【重要】システムメンテナンスのご案内",
            "請求書(10月分)をお送りします",
            "ｻｰﾊﾞｰ障害のご報告",
            "A社様 契約更新について",
            "出張精算の締切について",
        ],
        sentences: &[
            "いつもお世話になっております。",
            "株式会社山田商事の佐々木です。",
            "ご依頼いただきました見積書を添付いたします。",
            "ご確認のほどよろしくお願い申し上げます。",
            "第3回の打ち合わせは11月25日(水)14時からです。",
            "PDF版とExcel版の両方をお送りします。",
            "データセンターのUPS交換作業のため、20時よりサービスを停止します。",
            "ﾊﾟｽﾜｰﾄﾞは別便にてお知らせします。",
            "先日の議事録を共有フォルダに置きましたのでご覧ください。",
            "金額は￥1,250,000円(税込)となります。",
            "㈱みなと銀行への振込は月末までにお願いします。",
            "お忙しいところ恐れ入りますが、ご返信をお待ちしております。",
            "担当の渡邉が不在のため、私が代わりに対応いたします。",
            "時々サーバーの応答が遅くなる件は調査中です。",
            "ＡＢＣソリューションズとの契約書を〆切までにご確認ください。",
            "ジョン・スミス氏もご出席の予定です。",
        ],
        line: 17,
    },
    Language {
        name: "zh",
        subjects: &[
            "关于第三季度报价单",
            "Re: 会议纪要请查收",
            "【通知】系统维护公告",
            "合同续签事宜",
            "發票已寄出，請查收",
            "出差报销截止日期",
            "新员工账号申请",
        ],
        sentences: &[
            "您好，我是销售一部的王晓明。",
            "附件是您要求的报价单，请查收。",
            "请于本周五之前回复。",
            "会议定于11月25日下午2点在B座301会议室举行。",
            "合同总额为￥1,250,000元，含税。",
            "由于机房UPS更换，今晚20时起服务将暂停。",
            "PDF版和Excel版均已上传至共享文件夹。",
            "密码将通过短信另行发送。",
            "感谢您长期以来的支持与合作。",
            "如有任何问题，请随时与我联系。",
            "貴公司的訂單已經出貨，預計三個工作天內送達。",
            "請確認收件人地址與統一編號是否正確。",
            "張經理今天不在，由我代為處理。",
            "ＡＢＣ科技有限公司已签署保密协议。",
            "本邮件及其附件含有保密信息。",
            "祝工作顺利！",
        ],
        line: 19,
    },
    Language {
        name: "fr",
        subjects: &[
            "Devis n° 2026-118 : remplacement des onduleurs",
            "Re: Compte rendu de la réunion",
            "Facture d’octobre",
            "Échéance du contrat-cadre",
            "Notes de frais : date limite",
            "Urgent – coupure prévue ce soir",
            "Création d'un compte pour l’arrivant",
        ],
        sentences: &[
            "Bonjour Madame Lefèvre,",
            "Veuillez trouver ci-joint le devis demandé.",
            "Je reste à votre disposition pour toute question.",
            "La réunion aura lieu mardi à 14 h dans la salle B.",
            "L’œuvre complète a été livrée à l'entrepôt de Besançon.",
            "Le montant s'élève à 1 250,50 € toutes taxes comprises.",
            "Qu’en pensez-vous ? N'hésitez pas à m'appeler.",
            "Nous avons reçu votre règlement aujourd’hui.",
            "Le mot de passe vous sera envoyé par SMS.",
            "Jérôme a déjà vérifié les pièces jointes (PDF et xlsx).",
            "Le contrat expire où et quand ? Voyez l’annexe.",
            "Cordialement, Hélène Müller-Straße",
            "Le garc\u{327}on de l’ho\u{302}tel a tout noté.",
            "Sauf erreur de ma part, rien ne manque.",
            "Ça coûte moins cher qu'à Noël.",
            "Bien à vous,",
        ],
        line: 40,
    },
];

#[test]
fn every_two_characters_find_their_mail() {
    let dir = tempfile::tempdir().unwrap();
    let index = Index::create(&dir.path().join("index")).unwrap();
    let mut indexer = index.indexer(15_000_000).unwrap();
    let mut mails: BTreeMap<u64, (String, String)> = BTreeMap::new();
    for (number, language) in LANGUAGES.iter().enumerate() {
        for mail in 0..MAILS {
            let seq = (number * 1_000 + mail) as u64;
            let (subject, text) = language.mail(mail);
            let wrapped = wrapped(&text, language);
            let document =
                Document { seq, subject: &subject, text: &[&wrapped], ..Document::default() };
            let _ = indexer.add(&document).unwrap();
            mails.insert(seq, (subject, text));
        }
    }
    indexer.commit(9_999).unwrap();
    let searcher = index.searcher();
    searcher.refresh().unwrap();

    let mut by_pair: BTreeMap<(&str, String), BTreeSet<u64>> = BTreeMap::new();
    for (&seq, (subject, text)) in &mails {
        for (place, text) in [("subject", subject), ("text", text)] {
            for pair in pairs(text) {
                by_pair.entry((place, pair)).or_default().insert(seq);
            }
        }
    }
    let page = Page { size: 1_000, ..Page::default() };
    let mut misses = Vec::new();
    for ((place, pair), expected) in &by_pair {
        let star = if pair.chars().all(is_latin) { "*" } else { "" };
        let query = Query::parse(&format!("{place}:{star}{pair}{star}")).unwrap();
        let found = searcher.search(&query, &Scope::WithBcc, &page, &|_| true).unwrap();
        let missing = expected.iter().filter(|seq| !found.seqs.contains(seq)).count();
        if missing > 0 {
            misses.push(format!("{place}:{pair} in {missing} of {}", expected.len()));
        }
    }
    let looked_for: usize = by_pair.values().map(BTreeSet::len).sum();
    println!("{} pairs in {} mails, {looked_for} to find", by_pair.len(), mails.len());
    assert!(by_pair.len() > 1_000 && looked_for > 10_000, "{} {looked_for}", by_pair.len());
    assert_eq!(misses, [""; 0]);
}

impl Language {
    fn mail(&self, mail: usize) -> (String, String) {
        let pick = |list: &[&'static str], at: usize| list[at % list.len()];
        let subject = format!("{} {}", pick(self.subjects, mail), 100 + mail);
        let first = mail * 3;
        let step = 1 + mail / self.sentences.len() * 2;
        let sentences: Vec<_> = (0..6).map(|i| pick(self.sentences, first + i * step)).collect();
        (subject, sentences.join(" "))
    }
}

/// The text in lines: at spaces in French, anywhere else.
fn wrapped(text: &str, language: &Language) -> String {
    let mut out = String::new();
    let mut length = 0;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        length += 1;
        if language.name == "fr" && c == ' ' && length > language.line {
            out.push('\n');
            length = 0;
            continue;
        }
        out.push(c);
        // A line does not begin with a space, and a word of Latin letters is not broken.
        let ends = length >= language.line && !chars.peek().is_some_and(|&c| is_voiced_mark(c));
        if language.name != "fr" && ends && c != ' ' && !is_latin(c) {
            out.push_str("\r\n");
            length = 0;
        }
    }
    out
}

/// Two letters or digits that stand side by side.
fn pairs(text: &str) -> Vec<String> {
    let mut letters: Vec<String> = Vec::new();
    for c in text.chars() {
        match letters.last_mut().filter(|_| is_voiced_mark(c)) {
            Some(letter) => letter.push(c),
            None => letters.push(c.to_string()),
        }
    }
    let is_word = |letter: &String| letter.chars().all(char::is_alphanumeric);
    letters.windows(2).filter(|pair| pair.iter().all(is_word)).map(<[String]>::concat).collect()
}

/// Half width: `ﾊﾞ` is one letter, written as two.
fn is_voiced_mark(c: char) -> bool {
    matches!(c, 'ﾞ' | 'ﾟ')
}

fn is_latin(c: char) -> bool {
    // Full-width letters and digits are Latin too.
    c.is_alphanumeric() && matches!(u32::from(c), ..0x250 | 0x1E00..0x1F00 | 0xFF10..0xFF5B)
}
