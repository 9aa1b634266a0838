//! What becomes of a stranger in a list, before any mail comes: whether the list ends the question
//! of relaying, and what it takes a stranger's word for.

use std::collections::HashMap;

use mailweir_tables::Spec;

use super::{
    action::Action,
    evaluator::DEEPEST,
    restriction::{Restriction, Rule},
    subject::Subject,
};

/// A walk through a list and the classes in it. Each class is walked through once or twice, however
/// often it is used.
pub(super) struct Strangers<'r> {
    classes: &'r HashMap<Box<str>, Vec<Rule>>,
    /// Whether it is enough that a permit is put off.
    waits: bool,
    /// How a class ends, by its name and whether its refusals only warn.
    known: HashMap<(&'r str, bool), End>,
    /// What permits by the greeting or the sender, as far as strangers come to it.
    pub(super) claims: Vec<&'r Rule>,
}

/// How a list ends for somebody of whom nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Permits,
    Refuses,
    /// The next list is asked.
    Open,
}

impl<'r> Strangers<'r> {
    pub(super) fn new(classes: &'r HashMap<Box<str>, Vec<Rule>>, waits: bool) -> Self {
        Self { classes, waits, known: HashMap::new(), claims: Vec::new() }
    }

    /// What becomes of a stranger for whom nothing in the list has a condition that holds. What only
    /// warns, or stands behind `permit`, does not count.
    pub(super) fn end_of(&mut self, list: &'r [Rule]) -> End {
        self.end(list, false, 0)
    }

    fn end(&mut self, list: &'r [Rule], warns: bool, depth: usize) -> End {
        let mut next_warns = false;
        for rule in list {
            let warns = warns || std::mem::take(&mut next_warns);
            next_warns = matches!(rule.restriction, Restriction::WarnIfReject);
            let end = self.end_of_rule(rule, warns, depth);
            if end != End::Open {
                return end;
            }
        }
        End::Open
    }

    /// Where refusals only warn, permits count as ever.
    fn end_of_rule(&mut self, rule: &'r Rule, warns: bool, depth: usize) -> End {
        match &rule.restriction {
            Restriction::Permit => End::Permits,
            Restriction::DeferIfPermit if self.waits && !warns => End::Refuses,
            Restriction::Reject
            | Restriction::Defer
            | Restriction::RejectUnauthDestination
            | Restriction::DeferUnauthDestination
                if !warns =>
            {
                End::Refuses
            }
            Restriction::Class => self.end_of_class(&rule.name, warns, depth),
            Restriction::PermitNakedIpAddress => self.claimed(rule),
            Restriction::CheckAccess(subject, table) => {
                if matches!(subject, Subject::Helo | Subject::Sender) {
                    self.claims.push(rule);
                }
                self.end_of_table(table, warns, depth)
            }
            Restriction::BareTable(table) => self.end_of_table(table, warns, depth),
            _ => End::Open,
        }
    }

    fn claimed(&mut self, rule: &'r Rule) -> End {
        self.claims.push(rule);
        End::Open
    }

    /// `static:` says the same of everybody. Its refusals are not relied on, for it may be asked
    /// for what a client does not have.
    fn end_of_table(&mut self, table: &'r Spec, warns: bool, depth: usize) -> End {
        let Some(value) = table.name().strip_prefix("static:") else { return End::Open };
        let end = match Action::parse(value) {
            Action::Permit => End::Permits,
            Action::Restrictions(list) => {
                let words = list.split(|c: char| c == ',' || c.is_ascii_whitespace());
                let mut ends = words.map(|word| self.end_of_word(word, warns, depth));
                ends.find(|&end| end != End::Open).unwrap_or(End::Open)
            }
            _ => End::Open,
        };
        if end == End::Permits { end } else { End::Open }
    }

    fn end_of_word(&mut self, word: &'r str, warns: bool, depth: usize) -> End {
        match word.to_ascii_lowercase().as_str() {
            "permit" => End::Permits,
            "reject" | "defer" if !warns => End::Refuses,
            _ => self.end_of_class(word, warns, depth),
        }
    }

    /// A list of too many lists in each other is an error when a mail comes to it.
    fn end_of_class(&mut self, name: &'r str, warns: bool, depth: usize) -> End {
        let Some(class) = self.classes.get(name).filter(|_| depth < DEEPEST) else {
            return End::Open;
        };
        if let Some(&end) = self.known.get(&(name, warns)) {
            return end;
        }
        // A class that contains itself adds nothing to itself.
        self.known.insert((name, warns), End::Open);
        let end = self.end(class, warns, depth + 1);
        self.known.insert((name, warns), end);
        end
    }
}
