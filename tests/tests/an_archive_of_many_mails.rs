//! An archive of some thousand mails in four languages: what `./bench --archive` measures with many more, as far as it
//! is not a matter of time.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, process::Command};

use mailweir_tests::{
    installation::{Installation, Plan},
    memory,
    synthetic::{Filled, Language, Mail, Mails, Random, fill},
};

#[test]
fn it_is_small_and_sound_and_indexed_in_little_memory_and_every_mail_is_found_by_its_words() {
    let Some(plan) = Plan::new() else { return };
    let gateway = plan.mx().section("[archive]\nenabled = true").install();
    let mails = Mails::new();
    let archive = gateway.data_dir().join("archive");
    let Filled { raw, stored } = fill(&archive, &mails, MAILS, None, &mut |_| {}).unwrap();
    assert!(stored * 100 < raw * 60, "{stored} bytes are stored of {raw}");

    let mut reindex = Command::new(gateway.binary());
    reindex.args(["archive", "reindex", "-c"]).arg(gateway.config());
    let (said, peak) = memory::watched(&mut reindex).unwrap();
    assert!(said.expect_content().contains("the index was made anew"));
    // Less would mean that nobody looked.
    assert!((MEGABYTE..250 * MEGABYTE).contains(&peak.own), "{peak:?}");

    let said = gateway.run(&["archive", "verify"]).expect_content();
    let sound = "sound: everything is what was written\n";
    assert!(said.starts_with(&format!("{MAILS} records in ")) && said.ends_with(sound), "{said}");

    let mails: Vec<Mail> = (0..MAILS).map(|number| mails.get(number)).collect();
    for question in questions(&mails) {
        let expected = mails.iter().filter(|mail| question.is_answered_by(mail));
        let expected: BTreeSet<_> = expected.map(|mail| mail.id().to_string()).collect();
        assert!(!expected.is_empty() && expected.len() < mails.len(), "{question:?}");
        assert_eq!(found(&gateway, &question.query()), expected, "{question:?}");
    }
}

/// A word and a part of a word, from a mail of one part and from one with an attachment, in each language.
fn questions(mails: &[Mail]) -> Vec<Question> {
    let mut random = Random::new(3);
    let mut questions = Vec::new();
    for language in Language::ALL {
        for with_attachment in [false, true] {
            let of_kind = |mail: &&Mail| {
                mail.language == language && mail.attached.is_some() == with_attachment
            };
            let mail = mails.iter().rfind(of_kind).unwrap();
            let mut asked = |part| Question::from(mail, part, &mut random);
            questions.extend([asked(Part::Word), asked(Part::TwoCharacters)]);
        }
    }
    questions
}

#[derive(Debug)]
struct Question {
    language: Language,
    part: Part,
    asked: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Word,
    TwoCharacters,
}

impl Question {
    fn from(mail: &Mail, part: Part, random: &mut Random) -> Self {
        let word = mail.words(1, random);
        let asked = match part {
            Part::Word => word,
            Part::TwoCharacters => {
                let characters: Vec<char> = word.chars().collect();
                let first = random.below(characters.len() - 1);
                characters[first..first + 2].iter().collect()
            }
        };
        Self { language: mail.language, part, asked }
    }

    fn query(&self) -> String {
        match self.part {
            Part::TwoCharacters if !self.language.is_found_by_parts() => {
                format!("text:*{}*", self.asked)
            }
            Part::Word | Part::TwoCharacters => format!("text:{}", self.asked),
        }
    }

    /// By what the manual says: words as they stand, those with accents by either form; of scripts without word breaks
    /// every part, also across the end of a line.
    fn is_answered_by(&self, mail: &Mail) -> bool {
        let asked = &*self.asked;
        if self.language.is_found_by_parts() {
            let joined = |text: &str| text.lines().map(str::trim_end).collect::<String>();
            return mail.texts().any(|text| joined(text).contains(asked));
        }
        let is_it = |word: &str| match self.part {
            Part::Word => word == asked,
            Part::TwoCharacters => word.contains(asked),
        };
        let mut words = mail.texts().flat_map(str::split_whitespace);
        words.any(|word| is_it(word) || is_it(&without_accents(word)))
    }
}

fn without_accents(word: &str) -> String {
    word.replace(['é', 'è'], "e").replace('à', "a")
}

fn found(gateway: &Installation, query: &str) -> BTreeSet<String> {
    let most = MAILS.to_string();
    let said = gateway.run(&["archive", "search", "--json", "-n", &most, query]).expect_content();
    let told = said.lines().map(|line| serde_json::from_str(line).unwrap());
    told.filter_map(|told: serde_json::Value| told["mail"]["id"].as_str().map(str::to_owned))
        .collect()
}

const MAILS: u64 = 2_000;
const MEGABYTE: u64 = 1_000_000;
