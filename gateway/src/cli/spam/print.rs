//! What the classifier knows and thinks, for people. What a mail comes to stands in [`super::score`].

use std::io::{self, Write};

use mailweir_mail::compose::one_line;

use crate::{
    cli::terminal::{COLUMNS, wrapped},
    count::grouped,
    spam::words::{Clue, Judgement, Likelihood, Standing},
};

/// How much was learned.
pub(super) fn standing(out: &mut impl Write, standing: &Standing) -> io::Result<()> {
    let Standing { ham, spam, needed, is_trained, tokens, bytes, mails, since, trouble } = standing;
    if let Some(trouble) = trouble {
        return writeln!(out, "trouble:     {trouble}");
    }
    let judges = match is_trained {
        true => "mail is judged by what was learned".to_owned(),
        false => format!("no mail is judged yet: that needs {needed} mails of each"),
    };
    writeln!(out, "{judges}")?;
    writeln!(out, "good mail:   {}", grouped((*ham).into()))?;
    writeln!(out, "spam:        {}", grouped((*spam).into()))?;
    writeln!(out, "tokens:      {} in {:.1} MB", grouped(*tokens), *bytes as f64 / 1e6)?;
    writeln!(out, "remembered:  {} mails that are not learned twice", grouped(*mails))?;
    match since {
        Some(since) => writeln!(out, "since:       {}", since.rfc5322()),
        None => writeln!(out, "since:       nothing was learned yet"),
    }
}

/// What the classifier thinks of a mail.
pub(super) fn judgement(out: &mut impl Write, judgement: &Judgement) -> io::Result<()> {
    let Judgement { is_trained, probability, known, learned, spam, ham, trouble } = judgement;
    if let Some(trouble) = trouble {
        for (number, line) in wrapped(trouble, COLUMNS - INDENT).iter().enumerate() {
            let title = if number == 0 { "classifier:" } else { "" };
            writeln!(out, "{title:<INDENT$}{line}")?;
        }
        return Ok(());
    }
    if let Some(class) = learned {
        writeln!(out, "learned:     as {}", class.as_str())?;
    }
    if !is_trained {
        return writeln!(
            out,
            "classifier:  has not learned enough to judge; see `mailweir spam status`"
        );
    }
    let known = grouped(*known);
    writeln!(out, "classifier:  {} likely spam; {known} tokens known", percent(*probability))?;
    clues(out, "for spam:", spam)?;
    clues(out, "for ham:", ham)
}

fn clues(out: &mut impl Write, title: &str, clues: &[Clue]) -> io::Result<()> {
    for (number, clue) in clues.iter().enumerate() {
        let title = if number == 0 { title } else { "" };
        let text = one_line(&clue.text, LONGEST_CLUE);
        writeln!(out, "{title:<12} {:>7}  {text}", percent(clue.probability))?;
    }
    Ok(())
}

fn percent(likelihood: Likelihood) -> String {
    format!("{:.1} %", f64::from(likelihood) * 100.0)
}

/// Where values begin.
const INDENT: usize = 13;

/// Characters of what a clue is.
const LONGEST_CLUE: usize = 200;

#[cfg(test)]
mod tests {
    use mailweir_mail::Timestamp;

    use super::*;
    use crate::spam::words::LearnedClass;

    fn told(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn known() -> Standing {
        Standing {
            ham: 1_250,
            spam: 199,
            needed: 200,
            is_trained: false,
            tokens: 123_456,
            bytes: 3_145_728,
            mails: 1_449,
            since: Some(Timestamp::from_secs(1_795_210_205)),
            trouble: None,
        }
    }

    #[test]
    fn a_person_sees_how_much_was_learned_and_what_is_missing() {
        assert_eq!(
            told(|out| standing(out, &known())),
            "no mail is judged yet: that needs 200 mails of each\n\
             good mail:   1,250\n\
             spam:        199\n\
             tokens:      123,456 in 3.1 MB\n\
             remembered:  1,449 mails that are not learned twice\n\
             since:       Fri, 20 Nov 2026 21:30:05 +0000\n"
        );
        let trouble = Standing { trouble: Some("x is damaged; move it away".into()), ..known() };
        assert_eq!(
            told(|out| standing(out, &trouble)),
            "trouble:     x is damaged; move it away\n"
        );
    }

    #[test]
    fn a_person_sees_what_speaks_for_what() {
        let clue = |text: &str, probability: f64| Clue {
            text: text.into(),
            probability: probability.into(),
        };
        let mut thought = Judgement {
            is_trained: true,
            probability: 0.9876.into(),
            known: 1_042,
            learned: Some(LearnedClass::Spam),
            spam: vec![clue("free money", 0.999), clue("a\x1b[2Jb", 0.98)],
            ham: vec![clue("subject:re", 0.02)],
            trouble: None,
        };
        assert_eq!(
            told(|out| judgement(out, &thought)),
            "learned:     as spam\n\
             classifier:  98.8 % likely spam; 1,042 tokens known\n\
             for spam:     99.9 %  free money\n\
             \u{20}             98.0 %  a?[2Jb\n\
             for ham:       2.0 %  subject:re\n"
        );
        let value = serde_json::to_value(&thought).unwrap();
        assert_eq!(value["probability"], 0.9876);
        assert_eq!(serde_json::from_value::<Judgement>(value).unwrap(), thought);
        (thought.is_trained, thought.learned) = (false, None);
        assert!(told(|out| judgement(out, &thought)).contains("has not learned enough"));
        let silent = Judgement::silent("x is damaged; move it away");
        assert_eq!(
            told(|out| judgement(out, &silent)),
            "classifier:  x is damaged; move it away\n"
        );
    }
}
