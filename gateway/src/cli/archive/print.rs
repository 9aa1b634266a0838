//! What the archive has told, for a terminal or as JSON, a value in a line.

use std::io::{self, Write};

use mailweir_archive::entry::{
    Access, AccessDeed, Capture, Decided, Erased, Erasure, Lift, Lifted, Outcome, Source,
};
use mailweir_mail::{Origin, QueueId, Timestamp, compose::one_line};

use super::{
    super::{ExitCode, queue::json_line},
    ask::is_for_a_person,
};
use crate::{
    archiving::words::{Found, HeldCase, Line, Shown, Told},
    count::counted,
};

/// Prints answers as they come.
pub(super) struct Printer {
    json: bool,
    /// Whether a mail that is kept is one that should not be.
    wants_all: bool,
    mails: u64,
    refused: bool,
    found: Option<Found>,
}

impl Printer {
    pub(super) const fn new(json: bool) -> Self {
        Self { json, wants_all: true, mails: 0, refused: false, found: None }
    }

    /// Of a purge: what a legal hold keeps is kept rightly.
    pub(super) const fn of_purge(json: bool) -> Self {
        Self { wants_all: false, ..Self::new(json) }
    }

    pub(super) fn print(&mut self, told: &Told) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match told {
            Told::Mail(_) => self.mails += 1,
            Told::Found(found) => self.found = self.found.or(Some(*found)),
            Told::Failed { .. } | Told::Unread { .. } | Told::Lost { .. } => self.refused = true,
            Told::Kept { .. } => self.refused |= self.wants_all,
            Told::Shown(_)
            | Told::Access { .. }
            | Told::Hold(_)
            | Told::Lifted { .. }
            | Told::Erased { .. }
            | Told::Remembering { .. }
            | Told::Imported(_)
            | Told::Done { .. } => {}
        }
        if self.json {
            return json_line(&mut out, told);
        }
        match told {
            Told::Mail(line) => print_line(&mut out, line),
            // An import has its own words for it.
            Told::Found(_) | Told::Remembering { .. } | Told::Imported(_) => Ok(()),
            Told::Shown(shown) => print_shown(&mut out, shown),
            Told::Access { at, id, access } => print_use(&mut out, *at, *id, access),
            Told::Hold(case) => print_case(&mut out, case),
            Told::Unread { why, .. } | Told::Lost { why, .. } => {
                writeln!(io::stderr(), "mailweir: {why}")
            }
            Told::Lifted { at, lifted } => print_lifted(&mut out, *at, lifted),
            Told::Erased { id, record: Some(record) } => {
                writeln!(out, "mailweir: {id}: erased; record {record} says so")
            }
            Told::Erased { id, record: None } => writeln!(out, "mailweir: {id}: would be erased"),
            Told::Kept { id: Some(id), why } => {
                writeln!(io::stderr(), "mailweir: {id}: not erased: {why}")
            }
            Told::Kept { id: None, why } => {
                writeln!(io::stderr(), "mailweir: a mail is not erased: {why}")
            }
            Told::Done { text } => writeln!(out, "mailweir: {text}"),
            Told::Failed { reason } => writeln!(io::stderr(), "mailweir: {reason}"),
        }
    }

    /// `more`: there are more mails than were asked for.
    pub(super) fn finish(self, more: bool) -> anyhow::Result<ExitCode> {
        if let (Some(found), false) = (self.found, self.json) {
            let Self { mails, .. } = self;
            let behind = match found.behind {
                0 => String::new(),
                behind => format!("; the index is {} behind", counted(behind, "mail")),
            };
            let all = match found.or_more {
                false => format!(" of {}", found.count),
                true => format!(" of more than {}", found.count),
            };
            match more {
                true => writeln!(io::stderr(), "-- {mails}{all} mails{behind}")?,
                false => writeln!(io::stderr(), "-- {}{behind}", counted(mails, "mail"))?,
            }
        }
        Ok(if self.refused { ExitCode::Refused } else { ExitCode::Done })
    }
}

/// Two lines: a mail does not fit into one.
fn print_line(out: &mut impl Write, line: &Line) -> io::Result<()> {
    let Line { id, at, status, sender, recipients, subject, size, holds, .. } = line;
    let held = match holds.len() {
        0 => String::new(),
        _ => format!("  legal hold {}", holds.join(", ")),
    };
    let named: Vec<_> = recipients.iter().map(|one| printable(one)).collect();
    let shown = match (named.len(), is_for_a_person()) {
        (0..=3, _) | (_, false) => named.join(", "),
        (all, true) => format!("{}, and {} more", named[..2].join(", "), all - 2),
    };
    writeln!(out, "{id}  {}  {status:<9} {:>10}{held}", at.rfc3339(), size)?;
    let subject = if subject.is_empty() { "(no subject)" } else { subject };
    writeln!(out, "    <{}> to {shown}: {}", printable(sender), printable(subject))
}

fn print_case(out: &mut impl Write, case: &HeldCase) -> io::Result<()> {
    let HeldCase { case, since, by, reason, mails, people } = case;
    writeln!(out, "{case}: since {}, by {by}: {}", since.rfc3339(), printable(reason))?;
    writeln!(out, "    {}", counted(*mails, "mail"))?;
    people.iter().try_for_each(|person| writeln!(out, "    all mail of {person}"))
}

fn print_lifted(out: &mut impl Write, at: Timestamp, lifted: &Lifted) -> io::Result<()> {
    let Lifted { what, by, reason } = lifted;
    let what = match what {
        Lift::Case(case) => format!("legal hold {}", printable(case)),
        Lift::Unread(records) => format!("record {records}: cannot be read"),
        Lift::Lost(records) => format!("record {records}: was lost"),
    };
    let (by, reason) = (printable(by), printable(reason));
    writeln!(out, "{what}; lifted {}, by {by}: {reason}", at.rfc3339())
}

fn print_shown(out: &mut impl Write, shown: &Shown) -> io::Result<()> {
    match &shown.capture {
        Some(capture) => print_capture(out, capture)?,
        None => writeln!(out, "mail        {}", shown.id)?,
    }
    if let Some((at, Erased { why, by, content, .. })) = &shown.erased {
        let why = match why {
            Erasure::Expired => "its time was over".to_owned(),
            Erasure::Requested { reason } => format!("on request: {}", printable(reason)),
        };
        let by = by.as_ref().map_or_else(String::new, |by| format!(", by {by}"));
        writeln!(out, "erased      {}{by}, {why}", at.rfc3339())?;
        writeln!(out, "SHA-256     {content}")?;
    }
    if shown.capture.is_some() {
        let until = shown.keep_until.map_or_else(
            || "for ever".to_owned(),
            |day| format!("until {}", &Timestamp::from_secs(u64::from(day) * DAY).rfc3339()[..10]),
        );
        writeln!(out, "kept        {until}")?;
    }
    for case in &shown.holds {
        writeln!(out, "legal hold  {case}")?;
    }
    for outcome in &shown.outcomes {
        print_outcome(out, outcome)?;
    }
    let is_open = shown.capture.as_ref().is_none_or(|it| it.note.source == Source::Accepted);
    if shown.outcomes.is_empty() && shown.erased.is_none() && is_open {
        writeln!(out, "ended       not yet")?;
    }
    for (at, access) in &shown.accesses {
        print_access(out, *at, access)?;
    }
    for damage in &shown.damage {
        writeln!(out, "DAMAGED     {damage}")?;
    }
    Ok(())
}

fn print_capture(out: &mut impl Write, capture: &Capture) -> io::Result<()> {
    let Capture { id, envelope, origin, note, content, salt: _, size } = capture;
    writeln!(out, "mail        {id}, {size} bytes, {}", note.direction.as_str())?;
    match &note.source {
        Source::Accepted => print_origin(out, origin)?,
        Source::Imported { by, from } => {
            writeln!(out, "dated       {}", origin.arrival.rfc3339())?;
            writeln!(out, "imported    by {by} from {}", printable(from))?;
        }
    }
    if let Some(tls) = &origin.tls {
        writeln!(out, "TLS         {} {}", tls.version, tls.cipher)?;
    }
    writeln!(out, "sender      <{}>", printable(envelope.sender.as_str()))?;
    for recipient in &envelope.recipients {
        write!(out, "recipient   <{}>", printable(recipient.address.as_str()))?;
        match &recipient.original {
            Some(original) => {
                writeln!(out, ", written to as <{}>", printable(original.as_str()))?;
            }
            None => writeln!(out)?,
        }
    }
    if let Some(held) = &note.held {
        writeln!(out, "held        {}", printable(held))?;
    }
    if let Some(rule) = &note.rule {
        writeln!(out, "rule        {rule}")?;
    }
    writeln!(out, "SHA-256     {content}")
}

fn print_origin(out: &mut impl Write, origin: &Origin) -> io::Result<()> {
    let Origin { listener, client, helo, login, arrival, .. } = origin;
    writeln!(out, "accepted    {} at {listener}", arrival.rfc3339())?;
    write!(out, "from        {} as {}", printable(&client.to_string()), printable(helo))?;
    match login {
        Some(login) => {
            writeln!(out, ", logged in as {} ({})", printable(&login.user), login.mechanism)
        }
        None => writeln!(out, ", not logged in"),
    }
}

fn print_outcome(
    out: &mut impl Write,
    Outcome { end, recipients, decisions, .. }: &Outcome,
) -> io::Result<()> {
    for Decided { decision, by, proof, at, rule } in decisions {
        let rule = rule.as_deref().map_or_else(String::new, |rule| format!(", rule {rule}"));
        writeln!(out, "decided     {decision} by {by} ({proof}) at {}{rule}", at.rfc3339())?;
    }
    writeln!(out, "ended       {}", end.as_str())?;
    for (number, fared) in (1..).zip(recipients) {
        let how = if fared.delivered { "delivered" } else { "not delivered" };
        write!(out, "  recipient {number}: {how}")?;
        if let Some(at) = fared.at {
            write!(out, " at {}", at.rfc3339())?;
        }
        if let Some(relay) = &fared.relay {
            write!(out, ", {}", printable(relay))?;
        }
        match &fared.reply {
            Some(reply) => writeln!(out, ": {}", printable(&reply.to_string()))?,
            None => writeln!(out)?,
        }
    }
    Ok(())
}

fn print_access(out: &mut impl Write, at: Timestamp, access: &Access) -> io::Result<()> {
    let Access { by, from, deed } = access;
    let what = match deed {
        AccessDeed::Viewed { .. } => "looked at".to_owned(),
        AccessDeed::Searched { .. } => "found".to_owned(),
        AccessDeed::Exported { form, .. } => format!("exported as {form}"),
        AccessDeed::Restored { sent_as, to } => {
            format!("sent again to {} as {sent_as}", printable(to))
        }
    };
    let from = from.map_or_else(String::new, |from| format!(" from {from}"));
    writeln!(out, "{what:<11} {} by {by}{from}", at.rfc3339())
}

/// A line of the list of all.
fn print_use(
    out: &mut impl Write,
    at: Timestamp,
    id: Option<QueueId>,
    Access { by, from, deed }: &Access,
) -> io::Result<()> {
    let from = from.map_or_else(String::new, |from| format!(" from {from}"));
    write!(out, "{}  {by}{from} ", at.rfc3339())?;
    let mail = id.map_or_else(String::new, |id| format!(" {id}"));
    match deed {
        AccessDeed::Searched { query, found } => {
            writeln!(out, "searched for {:?}, found {found}", printable(query))
        }
        AccessDeed::Viewed { .. } => writeln!(out, "looked at{mail}"),
        AccessDeed::Exported { form, mails } => {
            writeln!(out, "exported{mail} as {form}, {}", counted(*mails, "mail"))
        }
        AccessDeed::Restored { sent_as, to } => {
            writeln!(out, "sent{mail} again to {} as {sent_as}", printable(to))
        }
    }
}

/// What others wrote, as a terminal may have it.
fn printable(text: &str) -> String {
    one_line(text, LONGEST)
}

/// Characters of a text that are shown.
const LONGEST: usize = 10_000;

const DAY: u64 = 86_400;

#[cfg(test)]
mod tests {
    use mailweir_archive::entry::Ending;

    use super::*;

    #[test]
    fn who_decided_is_shown_with_the_end() {
        let at = Timestamp::from_secs(1_795_210_205);
        let decided = |decision: &str, by: &str, proof: &str, rule: Option<&str>| Decided {
            decision: decision.into(),
            by: by.into(),
            proof: proof.into(),
            at,
            rule: rule.map(Into::into),
        };
        let decisions = vec![
            decided("approved", "moderator kim@own.example", "link", Some("secrets")),
            decided("deleted", "operator root", "command_line", None),
        ];
        let (id, end, recipients) = (QueueId::new(at, 1), Ending::Deleted, Vec::new());
        let mut out = Vec::new();
        print_outcome(&mut out, &Outcome { id, end, recipients, decisions }).unwrap();
        let at = at.rfc3339();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            format!(
                "decided     approved by moderator kim@own.example (link) at {at}, rule secrets\n\
                 decided     deleted by operator root (command_line) at {at}\n\
                 ended       deleted\n"
            )
        );
    }

    #[test]
    fn what_others_wrote_moves_no_cursor() {
        assert_eq!(printable("a\u{1b}[2Jb\r\nc\u{9b}d\u{202e}e\u{61c}f"), "a?[2Jb c?d?e?f");
    }
}
