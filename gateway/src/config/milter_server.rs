//! `[[milter_server]]`: where a mail server asks us as a milter.

use super::{
    Listener,
    asked_at::{self, AskedAt, find_listener},
    check::{Written, positive},
    choice::IfHeld,
    problem::Problems,
    schema::MilterServerSection,
};

/// A place where a mail server asks about its mail by the milter protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MilterServer {
    /// Where it is asked, and by whom.
    pub at: AskedAt,
    /// The listener whose rules are asked.
    pub listener: Box<str>,
    /// What is said of mail that the rules hold.
    pub if_held: IfHeld,
}

/// Checks the sections.
pub(super) fn check(
    written: &[Written<MilterServerSection>],
    listeners: &[Listener],
    problems: &mut Problems<'_>,
) -> Vec<MilterServer> {
    let mut check_one = |Written { table, section }: &Written<MilterServerSection>| {
        asked_at::check(table, &section.into(), "127.0.0.1:10050", problems);
        positive(table, &[("timeout", section.timeout)], problems);
        let listener = find_listener(table, &section.listener, listeners, problems)?;
        Some(MilterServer {
            at: section.into(),
            listener: listener.name.clone(),
            if_held: section.if_held,
        })
    };
    written.iter().filter_map(&mut check_one).collect()
}

impl MilterServer {
    /// Where it is asked, whose rules, and what becomes of mail that they hold.
    pub(super) fn describe(&self) -> [String; 3] {
        let held = match self.if_held {
            IfHeld::Quarantine => "as milter; held there",
            IfHeld::Tempfail => "as milter; put off if held",
        };
        [self.at.describe(), format!("rules of {}", self.listener), held.to_owned()]
    }
}
