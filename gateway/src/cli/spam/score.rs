//! Scores as people read them: what adds what to the score of a mail, and what all symbols weigh. Within 80 columns.

#[cfg(test)]
mod tests;

use std::io::{self, Write};

use mailweir_mail::{SpamAction, compose::one_line};

use crate::{
    cli::terminal::{COLUMNS, columns, with_short_words, wrapped},
    count::{agreeing, counted},
    spam::words::score::{
        Catalogue, Explanation, GroupEntry, Limits, Noticed, SymbolEntry, Thresholds, WeightsOf,
    },
};

/// What a mail comes to, and what of it adds what.
pub(super) fn explanation(out: &mut impl Write, told: &Explanation) -> io::Result<()> {
    let Explanation { score, action, from, weights, symbols, .. } = told;
    let names = symbols.iter().map(|noticed| &*noticed.symbol);
    let name = names.chain([SYMBOL]).map(columns).max().unwrap_or_default();
    let table = Table { name };
    table.row(out, POINTS, SYMBOL, ["what it means [what was seen]"])?;
    let rule = |width: usize| "-".repeat(width);
    let text = rule(table.text());
    writeln!(out, "{}  {}  {text}", rule(NUMBER), rule(name))?;
    for noticed in symbols {
        let points = noticed.adds.to_string();
        table.row(out, &points, &noticed.symbol, texts(noticed).iter().map(String::as_str))?;
    }
    if symbols.is_empty() {
        table.row(out, "", "-", ["Nothing was noticed."])?;
    }
    writeln!(out, "{}  {}  {text}", rule(NUMBER), rule(name))?;
    let total = format!(
        "{}: by its content alone {}. {} Who hands it in, lists and DMARC were not asked.",
        action.as_str(),
        fate(*action),
        thresholds(*from)
    );
    Table::PLAIN.row(out, &score.to_string(), "", [&*total])?;
    if *weights == WeightsOf::Program {
        Table::PLAIN.row(out, "", "", [BUILT_IN])?;
    }
    writeln!(out)
}

fn texts(noticed: &Noticed) -> Vec<String> {
    let mut texts = vec![noticed.description.to_string()];
    if !noticed.seen.is_empty() {
        texts.push(format!("[{}]", one_line(&noticed.seen, LONGEST)));
    }
    if let Some(unlimited) = noticed.unlimited {
        texts.push(format!("({unlimited} without the limit of its group)"));
    }
    texts
}

const fn fate(action: SpamAction) -> &'static str {
    match action {
        SpamAction::Pass => "it goes on",
        SpamAction::Tag => "it goes on, marked",
        SpamAction::Greylist | SpamAction::Defer => "it is put off",
        SpamAction::Quarantine => "it is held",
        SpamAction::Reject => "it is refused",
        SpamAction::Discard => "it is thrown away",
    }
}

/// `A stranger's mail is marked from 5.0 points on, held from 8.0 points on, never refused.`
fn thresholds(Thresholds { greylist, tag, quarantine, reject }: Thresholds) -> String {
    let waits = greylist.map(|from| format!("put off once from {from} points on"));
    let rest = [("marked", tag), ("held", quarantine), ("refused", reject)].map(|(what, from)| {
        from.map_or_else(|| format!("never {what}"), |from| format!("{what} from {from} points on"))
    });
    let all: Vec<String> = waits.into_iter().chain(rest).collect();
    format!("A stranger's mail is {}.", all.join(", "))
}

/// What all symbols weigh, by group.
pub(super) fn catalogue(out: &mut impl Write, told: &Catalogue) -> io::Result<()> {
    for group in &told.groups {
        let name = group.symbols.iter().map(|entry| columns(&entry.symbol)).max();
        let table = Table { name: name.unwrap_or_default() };
        for line in wrapped(&heading(group), COLUMNS) {
            writeln!(out, "{line}")?;
        }
        for entry in &group.symbols {
            let texts = [Some(entry.description.to_string()), change(entry, group)];
            let texts: Vec<String> = texts.into_iter().flatten().collect();
            table.row(out, &weight(entry), &entry.symbol, texts.iter().map(String::as_str))?;
        }
        writeln!(out)?;
    }
    for line in wrapped(&summary(told), COLUMNS) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// `links: Where its links lead. From 0.0 to 5.0 together.`
fn heading(GroupEntry { group, description, limits, built_in, .. }: &GroupEntry) -> String {
    let range = |Limits { most, least }: &Limits| format!("{least} to {most}");
    let built_in = built_in.as_ref();
    let built_in = built_in.map(|it| format!(" [built in: {}]", range(it))).unwrap_or_default();
    let range = range(limits);
    format!("{group}: {description} Together {range}.{built_in}").replacen(":  ", ": ", 1)
}

fn weight(entry: &SymbolEntry) -> String {
    let mark = if entry.built_in.is_some() { "*" } else { "" };
    match entry.is_on {
        true => format!("{mark}{}", entry.weight),
        false => format!("{mark}off"),
    }
}

/// What is built in, if that is something else.
fn change(entry: &SymbolEntry, group: &GroupEntry) -> Option<String> {
    let built_in = entry.built_in.as_ref()?;
    let is_other = built_in.weight != entry.weight || !entry.is_on;
    let weight = is_other.then(|| built_in.weight.to_string());
    let among = (built_in.group != group.group).then(|| format!("in {}", built_in.group));
    let differs: Vec<String> = weight.into_iter().chain(among).collect();
    (!differs.is_empty()).then(|| format!("[built in: {}]", differs.join(", ")))
}

/// The last line.
fn summary(told: &Catalogue) -> String {
    let symbols = || told.groups.iter().flat_map(|group| &group.symbols);
    let changed = symbols().filter(|entry| entry.built_in.is_some()).count();
    let off = symbols().filter(|entry| !entry.is_on).count();
    let mut text = counted(symbols().count(), "symbol");
    if changed > 0 {
        text += &format!(", {} (*)", agreeing(changed, "is changed", "are changed"));
    }
    if off > 0 {
        text += &format!(", {}", agreeing(off, "is off", "are off"));
    }
    text += ".";
    if told.weights == WeightsOf::Program {
        text += " ";
        text += BUILT_IN;
    }
    text
}

/// Rows of a number, a name and texts, each text on lines of its own.
struct Table {
    /// Columns of the name.
    name: usize,
}

impl Table {
    /// Without names.
    const PLAIN: Self = Self { name: 0 };

    fn indent(&self) -> usize {
        NUMBER + GAP.len() + if self.name > 0 { self.name + GAP.len() } else { 0 }
    }

    /// Columns of the texts.
    fn text(&self) -> usize {
        COLUMNS.saturating_sub(self.indent()).max(LEAST_TEXT)
    }

    fn row<'t>(
        &self,
        out: &mut impl Write,
        number: &str,
        name: &str,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> io::Result<()> {
        let width = self.text();
        let short = |text| wrapped(&with_short_words(text, width), width);
        let begin = match self.name {
            0 => format!("{number:>NUMBER$}{GAP}"),
            wide => format!("{number:>NUMBER$}{GAP}{name:<wide$}{GAP}"),
        };
        for (nth, line) in texts.into_iter().flat_map(short).enumerate() {
            let begin = if nth == 0 { &*begin } else { "" };
            writeln!(out, "{begin:<0$}{line}", self.indent())?;
        }
        Ok(())
    }
}

const POINTS: &str = "points";
const SYMBOL: &str = "symbol";
const BUILT_IN: &str =
    "Weights and thresholds are those built in: the configuration has no spam.enabled.";

/// Columns of a number.
const NUMBER: usize = POINTS.len();
const GAP: &str = "  ";
/// No name takes so much that no word fits beside it.
const LEAST_TEXT: usize = 20;
/// Characters of what was seen.
const LONGEST: usize = 200;
