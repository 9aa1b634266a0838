//! What a conversation came to, and what must hold of it.

use std::time::Duration;

use mailweir_smtp::client::{Attempt, Closed};

use super::{
    plan::{Plan, Verdict},
    receiving::Taken,
    sending::Ending,
};

/// What a conversation came to.
#[derive(Debug)]
pub struct Outcome {
    /// How long it took.
    pub took: Duration,
    /// Bytes that reached the server.
    pub up: usize,
    /// Bytes that reached the client.
    pub down: usize,
    /// All that the client wrote but the content.
    pub commands: String,
    /// Why the client closed.
    pub closed: Option<Closed>,
    /// What each mail of the plan came to; `None`: it was never begun.
    pub endings: Vec<Option<Ending>>,
    /// What the server took.
    pub taken: Vec<Taken>,
}

impl Outcome {
    /// What became of each recipient of each mail.
    #[must_use]
    pub fn verdicts(&self, plan: &Plan) -> Vec<Vec<Verdict>> {
        let each = self.endings.iter().zip(&plan.mails);
        each.map(|(ending, mail)| match ending {
            Some(Ending::Finished(attempts)) => {
                assert_eq!(attempts.len(), mail.judgements.len(), "one outcome per recipient");
                attempts.iter().map(verdict).collect()
            }
            Some(Ending::Untried) | None => vec![Verdict::Untried; mail.judgements.len()],
        })
        .collect()
    }

    /// Checks what must hold when the wire holds: the client says what the server decided.
    ///
    /// # Panics
    /// If it does not.
    pub fn assert_as_planned(&self, plan: &Plan) {
        let (found, expected) = (self.verdicts(plan), plan.verdicts());
        for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert!(found == expected, "mail {at}: {found:?}, not {expected:?}\n{self:#?}");
        }
        self.assert_honest(plan);
    }

    /// Checks what must hold whatever happens to the wire: nothing is delivered that the server
    /// did not take, nothing that it took is thought to be refused or untried, and what it took is
    /// what was sent.
    ///
    /// # Panics
    /// If it does not.
    pub fn assert_honest(&self, plan: &Plan) {
        let verdicts = self.verdicts(plan);
        for (at, verdicts) in verdicts.iter().enumerate() {
            let mut copies = self.taken.iter().filter(|taken| taken.mail == at);
            let taken = copies.next();
            assert!(copies.next().is_none(), "mail {at} was taken twice");
            if let Some(taken) = taken {
                assert_same(plan, taken, verdicts);
            }
            let told = verdicts.contains(&Verdict::Delivered);
            assert!(taken.is_some() || !told, "mail {at} was not taken: {self:#?}");
        }
        assert!(
            !self.commands.lines().any(|line| line.starts_with("BDAT")),
            "BDAT is not ours to send"
        );
    }
}

/// What the server has is what was sent, to those who are told so or cannot know.
fn assert_same(plan: &Plan, taken: &Taken, verdicts: &[Verdict]) {
    let mail = &plan.mails[taken.mail];
    let shown = String::from_utf8_lossy(&taken.content);
    assert_eq!(taken.content, mail.received(), "another content: {shown}");
    assert_eq!(taken.envelope.sender, mail.envelope.sender);
    assert_eq!(taken.envelope.sender.as_str(), mail.envelope.sender.as_str());
    assert_eq!(taken.envelope.body, mail.body());
    let reached = mail
        .envelope
        .recipients
        .iter()
        .zip(verdicts)
        .filter(|(_, verdict)| matches!(verdict, Verdict::Delivered | Verdict::Uncertain));
    let reached: Vec<_> = reached.map(|(recipient, _)| recipient.clone()).collect();
    assert_eq!(taken.envelope.recipients, reached, "who the server has");
}

fn verdict(attempt: &Attempt) -> Verdict {
    match attempt {
        Attempt::Delivered { .. } => Verdict::Delivered,
        Attempt::Deferred { .. } => Verdict::Deferred,
        // No plan has a probe: whoever is only accepted did not get the mail.
        Attempt::Accepted { .. } | Attempt::Failed { .. } => Verdict::Failed,
        Attempt::Postponed { .. } => Verdict::Postponed,
        Attempt::Uncertain { .. } => Verdict::Uncertain,
    }
}
